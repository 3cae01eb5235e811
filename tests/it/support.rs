//! A line's request and estimate, where the test is about what comes after reading.

use headroom::catalog::Catalog;
use headroom::estimate::{Estimate, estimate};
use headroom::request::{Request, complete, line};

#[track_caller]
pub fn request(text: &str) -> Request {
    let catalog = Catalog::embedded();
    let read = line::read(text, catalog).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
    complete(&read.settings, catalog).unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
}

#[track_caller]
pub fn answer(text: &str) -> Estimate {
    estimate(&request(text))
}
