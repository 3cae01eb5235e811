//! A view as terminal text: the same words in the same order, wider bars, colour where it is wanted.

use super::{Body, Cell, Mark, Section, Table, Tone, View};
use crate::text::columns;
use comfy_table::{Attribute, CellAlignment, Color, ContentArrangement, presets};
use std::io::IsTerminal;
use unicode_width::UnicodeWidthChar;

/// What is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    pub columns: usize,
    pub colour: bool,
}

impl Screen {
    /// A file or a pipe: no colour, a width that mails and issues show.
    pub const PLAIN: Screen = Screen { columns: 100, colour: false };

    /// Standard output: the window's width, colour unless `NO_COLOR` is set.
    pub fn stdout() -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::PLAIN;
        }
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let columns = comfy_table::Table::new().width().map_or(Self::PLAIN.columns, usize::from);
        Self { columns: columns.clamp(40, 120), colour }
    }
}

/// Columns of a full bar.
const BAR: usize = 24;
/// Columns that headings may take beside their text.
const WIDEST_HEADING: usize = 18;

/// The view's text, ending in a line break.
pub fn draw(view: &View, screen: Screen) -> String {
    let mut text = Text { text: String::with_capacity(2048), screen };
    if !view.title.is_empty() {
        text.text.push_str(&text.paint(&view.title, "1"));
        text.text.push('\n');
    }
    if !view.verdict.is_empty() {
        let colour = match view.tone {
            Tone::Neutral => "0",
            Tone::Good => "32",
            Tone::Tight => "33",
            Tone::Bad => "31",
        };
        text.text.push_str(&text.paint(&view.verdict, colour));
        text.text.push('\n');
    }
    let headings = view.sections.iter().map(|section| columns(&section.heading));
    let margin = headings.filter(|width| *width <= WIDEST_HEADING).max().unwrap_or(0) + 2;
    let mut after_table = true;
    for section in &view.sections {
        let is_table = matches!(section.body, Body::Table(_) | Body::Code(_));
        if is_table || after_table {
            text.text.push('\n');
        }
        after_table = is_table;
        text.section(section, margin);
    }
    if let Some(line) = &view.line {
        text.text.push('\n');
        text.text.push_str(&text.paint(line, "2"));
        text.text.push('\n');
    }
    text.text
}

struct Text {
    text: String,
    screen: Screen,
}

impl Text {
    fn paint(&self, words: &str, style: &str) -> String {
        match self.screen.colour {
            true => format!("\x1b[{style}m{words}\x1b[0m"),
            false => words.to_owned(),
        }
    }

    fn section(&mut self, section: &Section, margin: usize) {
        let heading = &section.heading;
        match &section.body {
            Body::Table(table) => self.block(heading, &comfy(table, self.screen)),
            Body::Code(code) => self.block(heading, code),
            Body::Fact(words) => self.beside(heading, margin, "", words),
            Body::Small(items) => self.beside(heading, margin, "", &items.join(" · ")),
            Body::Steps(items) => self.items(heading, margin, items, |i| format!("{}. ", i + 1)),
            Body::List(items) => self.items(heading, margin, items, |_| String::new()),
        }
    }

    fn block(&mut self, heading: &str, lines: &str) {
        if !heading.is_empty() {
            self.text.push_str(&self.paint(heading, "1"));
            self.text.push('\n');
        }
        self.text.push_str(lines);
        self.text.push('\n');
    }

    fn items(&mut self, heading: &str, margin: usize, items: &[String], bullet: fn(usize) -> String) {
        for (i, item) in items.iter().enumerate() {
            self.beside(if i == 0 { heading } else { "" }, margin, &bullet(i), item);
        }
    }

    /// A heading in the margin and words beside it, wrapped to the screen.
    fn beside(&mut self, heading: &str, margin: usize, bullet: &str, words: &str) {
        let indent = margin + columns(bullet);
        let width = self.screen.columns.saturating_sub(indent).max(20);
        let padding = " ".repeat(margin.saturating_sub(columns(heading)));
        if columns(heading) + 1 > margin {
            self.text.push_str(&self.paint(heading, "1"));
            self.text.push('\n');
            self.text.push_str(&" ".repeat(margin));
        } else if heading.is_empty() {
            self.text.push_str(&padding);
        } else {
            self.text.push_str(&self.paint(heading, "1"));
            self.text.push_str(&padding);
        }
        self.text.push_str(bullet);
        // Backticks mark what is typed; a terminal's whole text is of one font.
        for (i, line) in wrap(&words.replace('`', ""), width).iter().enumerate() {
            if i > 0 {
                self.text.push_str(&" ".repeat(indent));
            }
            self.text.push_str(line);
            self.text.push('\n');
        }
    }
}

/// Lines of at most `width` columns, broken at spaces where there are any and between any two Chinese characters.
fn wrap(words: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let (mut start, mut column, mut space) = (0, 0, None);
    for (at, c) in words.char_indices() {
        if c == '\n' {
            lines.push(&words[start..at]);
            (start, column, space) = (at + 1, 0, None);
            continue;
        }
        let size = c.width().unwrap_or(0);
        if column + size > width && at > start {
            let end = space.filter(|&space| space > start && size < 2).unwrap_or(at);
            lines.push(words[start..end].trim_end());
            start = end + words[end..].len() - words[end..].trim_start().len();
            column = columns(&words[start..at.max(start)]);
            space = None;
        }
        if c == ' ' {
            space = Some(at);
        }
        column += size;
    }
    lines.push(&words[start..]);
    lines
}

fn comfy(table: &Table, screen: Screen) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    drawn.set_width(screen.columns.try_into().unwrap_or(u16::MAX));
    drawn.force_no_tty();
    if screen.colour {
        drawn.enforce_styling();
    }
    if !table.header.is_empty() {
        drawn.set_header(table.header.iter().map(|title| comfy_table::Cell::new(title).add_attribute(Attribute::Dim)));
    }
    for row in &table.rows {
        drawn.add_row(row.cells.iter().map(|cell| {
            let drawn = comfy_table::Cell::new(cell.text(BAR));
            let drawn = if matches!(cell, Cell::Bar(_)) { drawn.fg(Color::Blue) } else { drawn };
            match row.mark {
                Mark::Plain => drawn,
                Mark::Total => drawn.add_attribute(Attribute::Bold),
                Mark::Changed => drawn.fg(Color::Yellow),
            }
        }));
    }
    for column in drawn.column_iter_mut() {
        if table.is_number(column.index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    drawn.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_at_spaces_and_between_chinese_characters() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("一二三四五", 4), ["一二", "三四", "五"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
