//! The order of a model's layers, as a preset writes it: `5 sliding, full`.

use super::shape::MOST_LAYERS;

/// One layer of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub block: Block,
    /// Its own FFN width, where layers differ (`mlp@7168`).
    pub ffn_width: Option<u64>,
}

/// What stands at one depth, as a pattern names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    Full,
    Sliding,
    /// Attention over the tokens that an indexer picks (DeepSeek-V3.2).
    Sparse,
    /// Attention over the tokens that the last `Sparse` layer picked (GLM-5.2).
    Shared,
    /// Attention over a heavily compressed cache (DeepSeek-V4).
    Compressed,
    Linear,
    Mamba,
    /// Attention and Mamba side by side.
    Parallel,
    /// An FFN alone, dense or of experts.
    Mlp,
    Moe,
}

impl Block {
    /// Words of those with attention.
    pub const ATTENDING: [&str; 6] = ["full", "sliding", "sparse", "shared", "compressed", "parallel"];
}

/// Reads `5 sliding, full`: runs of blocks, repeated until every layer has one. Parentheses repeat a
/// group: `3 (mamba, mlp), full`.
pub fn pattern(text: &str, layers: u64) -> Result<Vec<Place>, String> {
    let mut runs = Runs { rest: text };
    let unit = runs.list()?;
    if !runs.rest.trim().is_empty() {
        return Err(runs.rest.to_owned());
    }
    let unit = if unit.is_empty() { vec![Place { block: Block::Full, ffn_width: None }] } else { unit };
    Ok(unit.iter().copied().cycle().take(layers as usize).collect())
}

struct Runs<'a> {
    rest: &'a str,
}

impl Runs<'_> {
    fn list(&mut self) -> Result<Vec<Place>, String> {
        let mut places = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                return Ok(places);
            }
            let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
            let count = if digits == 0 { Ok(1) } else { self.rest[..digits].parse::<usize>() };
            let count = count.ok().filter(|&count| count as u64 <= MOST_LAYERS).ok_or(self.rest)?;
            self.rest = self.rest[digits..].trim_start();
            let run = if let Some(inner) = self.rest.strip_prefix('(') {
                self.rest = inner;
                let group = self.list()?;
                self.rest = self.rest.strip_prefix(')').ok_or("(")?;
                group
            } else {
                let end = self.rest.find([',', ')']).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                vec![place(word.trim()).ok_or_else(|| word.to_owned())?]
            };
            places.extend(run.repeat(count).iter());
            self.rest = self.rest.trim_start();
            self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
        }
    }
}

fn place(word: &str) -> Option<Place> {
    let (word, width) = word.split_once('@').map_or((word, None), |(word, width)| (word, Some(width)));
    let ffn_width = width.map(str::parse).transpose().ok()?;
    Some(Place { block: block(word)?, ffn_width })
}

fn block(word: &str) -> Option<Block> {
    Some(match word {
        "full" => Block::Full,
        "sliding" => Block::Sliding,
        "sparse" => Block::Sparse,
        "shared" => Block::Shared,
        "compressed" => Block::Compressed,
        "linear" => Block::Linear,
        "mamba" => Block::Mamba,
        "parallel" => Block::Parallel,
        "mlp" => Block::Mlp,
        "moe" => Block::Moe,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, layers: u64, expect: &[Block]) {
        let places = pattern(text, layers).expect("a pattern");
        assert_eq!(places.iter().map(|place| place.block).collect::<Vec<_>>(), expect, "{text}");
    }

    #[test]
    fn runs_and_groups_repeat_until_every_layer_has_a_block() {
        use Block::{Full, Mamba, Mlp, Sliding};
        check("", 2, &[Full, Full]);
        check("2 sliding, full", 4, &[Sliding, Sliding, Full, Sliding]);
        check("2 (mamba, mlp), full", 5, &[Mamba, Mlp, Mamba, Mlp, Full]);
    }

    #[test]
    fn a_layer_may_have_its_own_width() {
        let widths = |text| pattern(text, 2).map(|places| places.iter().map(|place| place.ffn_width).collect());
        assert_eq!(widths("mlp@7168, full"), Ok(vec![Some(7168), None]));
        assert!(pattern("mlp@wide", 1).is_err());
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        assert_eq!(pattern("full, slidng", 2), Err("slidng".to_owned()));
        for odd in ["2 (full", "full)", "(", "9999999999999999999999 full"] {
            assert!(pattern(odd, 2).is_err(), "{odd}");
        }
    }
}
