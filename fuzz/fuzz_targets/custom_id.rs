//! A custom id is read only as it was written.
#![no_main]

use headroom::view::Action;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|id: &str| {
    if let Some(action) = Action::read(id) {
        assert_eq!(action.to_string(), id);
    }
});
