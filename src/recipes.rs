//! Launch recipes: from a request to the command or file that runs it.

use crate::message::Problem;
use crate::request::Request;

/// One program's command or file.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Program and version the flags were checked against: `vLLM 0.11`.
    pub program: &'static str,
    /// File the text belongs in; `None` for a command.
    pub file: Option<&'static str>,
    pub text: String,
}

/// The recipe of the request's own engine or framework first, then of every other that runs it.
pub fn recipes(_request: &Request) -> Result<Vec<Recipe>, Problem> {
    unimplemented!()
}
