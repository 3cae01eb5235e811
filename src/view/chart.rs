//! Pictures of an answer: plain data to SVG text to PNG.

use crate::estimate::PartKind;
use crate::units::Bytes;

#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
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
    /// What runs along the bottom.
    pub knob: String,
    pub points: Vec<(f64, Bytes)>,
    pub card: Option<Bytes>,
    /// The value asked for.
    pub asked: f64,
    /// Largest value that fits, where it lies within the points.
    pub last_fit: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub label: String,
    pub usd_per_hour: f64,
    pub tokens_per_s: f64,
    pub taken: bool,
}
