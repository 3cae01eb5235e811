//! SVG text, element by element.

use super::{FONT_NAME, WIDTH};
use crate::estimate::PartKind;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

pub const GROUND: &str = "#22252c";
pub const LINE: &str = "#3d424d";
/// On coloured ground.
pub const DARK: &str = "#14161a";
pub const INK: &str = "#e8eaee";
pub const PALE: &str = "#a3abb9";
pub const GOOD: &str = "#4cc38a";
pub const BAD: &str = "#f2666d";
pub const ACCENT: &str = "#6f9bff";

/// Apart for colour-blind eyes too, and all light enough for dark letters on them.
pub const fn colour(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Weights => "#6f9bff",
        PartKind::Gradients => "#5ec8c5",
        PartKind::Optimizer => "#b093f5",
        PartKind::Activations => "#f5b14f",
        PartKind::Logits => "#ee8aa2",
        PartKind::Buffers => "#a5c66b",
        PartKind::KvCache => "#4cc38a",
        PartKind::Overhead => "#a3abb9",
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture in the making.
pub struct Pen {
    body: String,
}

impl Pen {
    pub fn new() -> Self {
        Self { body: String::with_capacity(4096) }
    }

    /// The whole document, `height` pixels high. Its ground leaves no pixel in part uncovered.
    pub fn finish(self, height: f64) -> String {
        let height = (height / 2.0).ceil() * 2.0;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"{FONT_NAME}\">\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"{GROUND}\" shape-rendering=\"crispEdges\"/>\n{}</svg>\n",
            self.body
        )
    }

    fn add(&mut self, element: std::fmt::Arguments) {
        self.body.write_fmt(element).expect("writing to a string");
        self.body.push('\n');
    }

    pub fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
        let width = width.max(0.0);
        self.add(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"3\" fill=\"{fill}\"/>"
        ));
    }

    pub fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), stroke: &str, width: f64) {
        self.add(format_args!(
            "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>"
        ));
    }

    pub fn dashed(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), stroke: &str) {
        self.add(format_args!(
            "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"{stroke}\" stroke-width=\"2\" stroke-dasharray=\"6 5\"/>"
        ));
    }

    pub fn path(&mut self, points: &[(f64, f64)], stroke: &str) {
        let mut d = String::with_capacity(points.len() * 14);
        for (i, (x, y)) in points.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            write!(d, "{command}{x:.1} {y:.1}").expect("writing to a string");
        }
        self.add(format_args!(
            "<path d=\"{d}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"3\" stroke-linejoin=\"round\"/>"
        ));
    }

    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: &str) {
        self.add(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{fill}\"/>"));
    }

    pub fn text(&mut self, (x, y): (f64, f64), size: f64, fill: &str, anchor: Anchor, words: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let words = escape(words);
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{fill}\"{anchor}>{words}</text>"
        ));
    }
}

fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(|c: char| c.is_control(), " ")
}

/// About how many pixels the words take: half a size a column, and a little for wide letters.
pub fn width_of(words: &str, size: f64) -> f64 {
    words.width() as f64 * size * 0.54
}
