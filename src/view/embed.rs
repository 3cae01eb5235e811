//! A view as Discord's message JSON: one embed, its buttons and selects.
//!
//! Whatever the view holds, the message stays within Discord's limits: text is cut at line ends, and a
//! button or option that could not be answered (its id too long, or there twice) is left out.

use super::{Action, Body, Button, Section, Select, SelectOption, Style, Tone, View};
use crate::text::{clip, markdown};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Discord's limits; of text in UTF-16 units.
pub mod limit {
    pub const TITLE: usize = 256;
    pub const DESCRIPTION: usize = 4096;
    pub const FOOTER: usize = 2048;
    /// Title, description and footer together.
    pub const EMBED: usize = 6000;
    pub const ROWS: usize = 5;
    pub const BUTTONS_PER_ROW: usize = 5;
    pub const BUTTON_LABEL: usize = 80;
    pub const PLACEHOLDER: usize = 150;
    pub const OPTIONS: usize = 25;
    pub const OPTION_TEXT: usize = 100;
    pub const ALT_TEXT: usize = 1024;
}

/// Columns of monospace text that a phone shows without breaking the line.
pub const PHONE: usize = 40;
/// Columns of a full bar in a message.
const BAR: usize = 10;

/// Name of the chart's file, where one is attached.
pub const CHART_FILE: &str = "chart.png";

/// The message of a view. `with_chart`: the view's chart goes along as file 0, [`CHART_FILE`].
pub fn message(view: &View, with_chart: bool) -> Value {
    let mut message = object([
        ("embeds", vec![embed(view, with_chart)].into()),
        ("components", components(view).into()),
        ("allowed_mentions", json!({ "parse": [] })),
    ]);
    if let (true, Some(chart)) = (with_chart, &view.chart) {
        let alt = clip(&chart.alt, limit::ALT_TEXT).into_owned();
        message["attachments"] = json!([{ "id": "0", "filename": CHART_FILE, "description": alt }]);
    }
    message
}

/// An object of these values, moved and not copied as `json!` does.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut object = Map::with_capacity(N);
    for (key, value) in fields {
        object.insert(key.to_owned(), value);
    }
    Value::Object(object)
}

fn embed(view: &View, with_chart: bool) -> Value {
    let title = clip(&markdown(&view.title), limit::TITLE).into_owned();
    let footer = view.line.as_deref().map(|line| clip(line, limit::FOOTER)).unwrap_or_default();
    let room = limit::EMBED.saturating_sub(units(&title) + units(&footer)).min(limit::DESCRIPTION);
    let mut embed = json!({ "color": colour(view.tone) });
    if !title.is_empty() {
        embed["title"] = title.into();
    }
    let description = description(view, room);
    if !description.is_empty() {
        embed["description"] = description.into();
    }
    if !footer.is_empty() {
        embed["footer"] = json!({ "text": footer });
    }
    if with_chart && view.chart.is_some() {
        embed["image"] = json!({ "url": format!("attachment://{CHART_FILE}") });
    }
    embed
}

fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Neutral => 0x5b6ee1,
        Tone::Good => 0x2f9e5f,
        Tone::Tight => 0xd9a021,
        Tone::Bad => 0xd64545,
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The verdict and the sections, as many lines as there is room for.
fn description(view: &View, room: usize) -> String {
    let mut text = Text { text: String::with_capacity(1024), room };
    if !view.verdict.is_empty() {
        text.line(&format!("**{}**", markdown(&view.verdict)));
    }
    for section in &view.sections {
        if !text.section(section) {
            break;
        }
    }
    text.text
}

/// Text that grows line by line while there is room.
struct Text {
    text: String,
    room: usize,
}

impl Text {
    /// Whether the line still fitted.
    fn line(&mut self, line: &str) -> bool {
        let separator = usize::from(!self.text.is_empty());
        let fits = units(line) + separator <= self.room;
        if fits {
            self.room -= units(line) + separator;
            if separator > 0 {
                self.text.push('\n');
            }
            self.text.push_str(line);
        }
        fits
    }

    fn section(&mut self, section: &Section) -> bool {
        let heading = match section.heading.as_str() {
            "" => String::new(),
            heading => format!("**{}**", markdown(heading)),
        };
        let list = |text: &mut Self, item: fn(usize, &str) -> String, items: &[String]| {
            (heading.is_empty() || text.line(&heading))
                && items.iter().enumerate().all(|(i, words)| text.line(&item(i, &markdown(words))))
        };
        match &section.body {
            Body::Table(table) => (heading.is_empty() || self.line(&heading)) && self.block(&table.lines(PHONE, BAR)),
            Body::Code(code) => {
                let lines: Vec<String> = code.lines().map(str::to_owned).collect();
                (heading.is_empty() || self.line(&heading)) && self.block(&lines)
            }
            Body::Fact(words) => self.line(format!("{heading} {}", markdown(words)).trim_start()),
            Body::Steps(items) => list(self, |i, words| format!("{}. {words}", i + 1), items),
            Body::List(items) => list(self, |_, words| format!("- {words}"), items),
            Body::Small(items) => {
                let words: Vec<String> = items.iter().map(|item| markdown(item)).collect();
                self.line(&format!("-# {heading} {}", words.join(" · ")).replace("-#  ", "-# "))
            }
        }
    }

    /// Lines in a code block: both fences and a line, or nothing, since an open fence would swallow the rest.
    fn block(&mut self, lines: &[String]) -> bool {
        const FENCE: &str = "```";
        let closing = FENCE.len() + 1;
        if 2 * closing + lines.first().map_or(0, |line| units(line)) + 1 > self.room {
            return false;
        }
        self.line(FENCE);
        self.room -= closing;
        // Three backticks in a row would end the block.
        let whole = lines.iter().all(|line| self.line(&line.replace("``", "`\u{200b}`")));
        self.room += closing;
        self.line(FENCE) && whole
    }
}

fn components(view: &View) -> Vec<Value> {
    let mut ids = HashSet::new();
    let selects: Vec<Value> =
        view.selects.iter().filter_map(|select| select_json(select, &mut ids)).take(limit::ROWS - 1).collect();
    let buttons: Vec<Value> = view.buttons.iter().filter_map(|button| button_json(button, &mut ids)).collect();
    let rows_left = limit::ROWS - selects.len();
    let rows = buttons.chunks(limit::BUTTONS_PER_ROW).take(rows_left);
    rows.map(<[Value]>::to_vec)
        .chain(selects.into_iter().map(|select| vec![select]))
        .map(|components| object([("type", 1.into()), ("components", components.into())]))
        .collect()
}

/// An id that reads back and that no other component of the message has.
fn fresh_id(action: &Action, ids: &mut HashSet<String>) -> Option<String> {
    let id = action.to_string();
    (Action::read(&id).as_ref() == Some(action) && ids.insert(id.clone())).then_some(id)
}

fn button_json(button: &Button, ids: &mut HashSet<String>) -> Option<Value> {
    let label = clip(button.label.trim(), limit::BUTTON_LABEL);
    if label.is_empty() {
        return None;
    }
    let style = match button.style {
        Style::Primary => 1,
        Style::Plain => 2,
        Style::Danger => 4,
    };
    let id = fresh_id(&button.action, ids)?;
    Some(object([("type", 2.into()), ("style", style.into()), ("label", label.into()), ("custom_id", id.into())]))
}

fn select_json(select: &Select, ids: &mut HashSet<String>) -> Option<Value> {
    let mut seen = HashSet::new();
    let good = select.options.iter().filter(|option| {
        let words = option.words.as_str();
        clip(words, limit::OPTION_TEXT) == words && !words.is_empty() && !option.label.trim().is_empty()
    });
    let fresh: Vec<&SelectOption> = good.filter(|option| seen.insert(&option.words)).take(limit::OPTIONS).collect();
    if fresh.is_empty() {
        return None;
    }
    let chosen = fresh.iter().position(|option| option.chosen);
    let options: Vec<Value> =
        fresh.iter().enumerate().map(|(i, option)| option_json(option, chosen == Some(i))).collect();
    let id = fresh_id(&Action::Select(select.knob.to_owned()), ids)?;
    let placeholder = clip(&select.placeholder, limit::PLACEHOLDER);
    Some(object([
        ("type", 3.into()),
        ("custom_id", id.into()),
        ("placeholder", placeholder.into()),
        ("options", options.into()),
    ]))
}

fn option_json(option: &SelectOption, is_default: bool) -> Value {
    let mut json = Map::with_capacity(4);
    json.insert("label".to_owned(), clip(option.label.trim(), limit::OPTION_TEXT).into());
    json.insert("value".to_owned(), option.words.as_str().into());
    if !option.note.is_empty() {
        json.insert("description".to_owned(), clip(&option.note, limit::OPTION_TEXT).into());
    }
    if is_default {
        json.insert("default".to_owned(), true.into());
    }
    Value::Object(json)
}
