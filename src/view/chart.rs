//! Pictures of an answer: plain data to SVG text to PNG.
//!
//! The SVG is what tests look at; the PNG is the last step and costs milliseconds, so the caller keeps
//! it off its event loop and caches it. Every chart stands on its own dark ground, legible in Discord's
//! light and dark themes alike, in an embedded font with Latin and Chinese.

use crate::estimate::PartKind;
use crate::text::Locale;
use crate::units::Bytes;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::{Arc, LazyLock};

mod curve;
mod frontier;
mod pen;
mod stacks;

#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub locale: Locale,
    pub title: String,
    /// What the picture shows, for those who cannot see it.
    pub alt: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Memory of one GPU, one bar a set-up.
    Stacks(Vec<Stack>),
    /// Memory over a knob (sequence length, concurrency).
    Curve(Curve),
    /// Speed over price.
    Frontier(Vec<Point>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// What tells it from the others; empty where it stands alone.
    pub label: String,
    pub parts: Vec<Slice>,
    pub low: Bytes,
    pub high: Bytes,
    /// Memory of the card, where one was named.
    pub card: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    pub kind: PartKind,
    pub label: String,
    pub bytes: Bytes,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Along the bottom, from small to large.
    pub points: Vec<(u64, Bytes)>,
    pub card: Option<Bytes>,
    /// The value asked for.
    pub asked: u64,
    /// Largest value that fits, where it lies within the points.
    pub last_fit: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub label: String,
    pub usd_per_hour: f64,
    pub tokens_per_s: f64,
    /// The one we would take.
    pub taken: bool,
}

/// Across, in the units of the SVG. A phone shows it at about two thirds, so letters are large.
const WIDTH: f64 = 560.0;
/// Pixels to a unit; whole ones to two.
const SCALE: f32 = 1.5;

/// The chart as SVG text.
pub fn svg(chart: &Chart) -> String {
    match &chart.kind {
        Kind::Stacks(bars) => stacks::svg(chart, bars),
        Kind::Curve(curve) => curve::svg(chart, curve),
        Kind::Frontier(points) => frontier::svg(chart, points),
    }
}

static FONT: &[u8] = include_bytes!("chart/font/wqy-microhei.ttf");
const FONT_NAME: &str = "WenQuanYi Micro Hei";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_source(fontdb::Source::Binary(Arc::new(FONT)));
    Arc::new(fonts)
});

/// The chart as a PNG file; `None` where a picture of it cannot be drawn.
pub fn png(chart: &Chart) -> Option<Vec<u8>> {
    let options = Options { fontdb: FONTS.clone(), font_family: FONT_NAME.to_owned(), ..Options::default() };
    let tree = Tree::from_str(&svg(chart), &options).ok()?;
    let size = tree.size().to_int_size().scale_by(SCALE)?;
    let mut pixels = Pixmap::new(size.width(), size.height())?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    encoded(pixels).ok()
}

/// The chart is opaque, and most of it even ground: packed in a tenth of the time that the smallest file takes.
fn encoded(pixels: Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_compression(png::Compression::Fastest);
    encoder.write_header()?.write_image_data(pixels.data())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn the_font_has_every_character_of_the_texts() {
        use skrifa::MetadataProvider;
        let font = skrifa::FontRef::new(FONT).unwrap();
        let has = |c: char| font.charmap().map(c).is_some();
        // A picture has no emoji: verdicts stand in the text beside it.
        let missing: String = text::characters()
            .filter(|c| !matches!(c, '✅' | '❌' | '⚠' | '\u{fe0f}' | '📐' | '\n'))
            .filter(|c| !has(*c))
            .collect();
        assert!(missing.is_empty(), "not in the font: {missing}");
    }
}
