//! The line: text to `Settings` and back.
