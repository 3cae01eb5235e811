//! Any text is a line or a problem, and a line that reads is answered and written back the same.
#![no_main]

use headroom::app::App;
use headroom::catalog::Catalog;
use headroom::commands::COMMANDS;
use headroom::text::Locale;
use headroom::view::embed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let app = App::new(Catalog::embedded(), COMMANDS);
    let Ok(asked) = app.ask(text) else { return };
    let again = app.ask(&asked.line()).expect("a canonical line reads");
    assert_eq!(again.lines, asked.lines);
    if let Ok(answer) = app.answer(&asked) {
        embed::message(&app.view(&asked, answer.as_ref(), Locale::ZhCn), false);
    }
});
