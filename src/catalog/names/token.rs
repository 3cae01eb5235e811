//! A name's parts: words, version numbers, sizes, dates, and how its weights are packed.
//!
//! From any text to tokens that compare equal however they were written: `Llama-3_1 8B`, `llama3.1:8b`.
//! Knows no model: what a word means is the index's business.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Names longer than this are cut: no name is.
const LONGEST: usize = 200;

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Word,
    /// `3.1`, and `v0.3` where `marked`.
    Version {
        marked: bool,
    },
    /// Parameters: `7b`, `350m`, `1t`.
    Size(f64),
    /// `8x7b`.
    Experts,
    /// Parameters active per token: `a3b`.
    Active(f64),
    /// `2507`, `20240522`.
    Date,
    /// `128k`.
    Length,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub kind: Kind,
    /// As compared: lower case, `.` in numbers.
    pub text: String,
    /// No separator stands before it.
    pub joined: bool,
}

impl Token {
    pub fn word(text: impl Into<String>) -> Self {
        Self { kind: Kind::Word, text: text.into(), joined: false }
    }
    pub fn size(parameters: f64) -> Self {
        Self { kind: Kind::Size(parameters), text: size_text(parameters), joined: false }
    }
    /// Versions are one however they are marked: `deepseek 3` asks for V3.
    pub fn means(&self, other: &Token) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Size(a), Kind::Size(b)) | (Kind::Active(a), Kind::Active(b)) => (a / b - 1.0).abs() < 1e-6,
            (Kind::Version { .. }, Kind::Version { .. }) => self.text == other.text,
            (a, b) => a == b && self.text == other.text,
        }
    }
}

/// `7b`, `0.35b`, `1000b`.
pub fn size_text(parameters: f64) -> String {
    format!("{}b", parameters / 1e9)
}

/// Lower case, compatibility forms folded, nothing invisible, marks of letters dropped.
pub fn normalise(text: &str) -> String {
    if text.is_ascii() {
        return text[..text.len().min(LONGEST)].to_ascii_lowercase();
    }
    text.chars()
        .take(LONGEST)
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !is_invisible(*c))
        .flat_map(char::to_lowercase)
        .take(2 * LONGEST)
        .collect()
}

/// Its letters and digits, in lower case.
pub fn squash(text: &str) -> String {
    normalise(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Zero-width, bidirectional and variation characters.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letters,
    Digits,
    /// Each Chinese run is one piece, to be cut by the dictionary.
    Han,
}

struct Piece<'a> {
    class: Class,
    text: &'a str,
    /// What stands before it, if anything does.
    before: Option<char>,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let class_of = |c: char| match c {
        'a'..='z' => Some(Class::Letters),
        '0'..='9' => Some(Class::Digits),
        c if c.is_alphabetic() => Some(Class::Han),
        _ => None,
    };
    let mut found: Vec<Piece> = vec![];
    let (mut start, mut open, mut before) = (0, None, Some(' '));
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let class = class_of(c);
        if class == open && at < text.len() {
            continue;
        }
        if let Some(class) = open {
            found.push(Piece { class, text: &text[start..at], before });
            before = None;
        }
        if class.is_none() {
            before = Some(c);
        }
        (start, open) = (at, class);
    }
    found
}

/// How weights are packed, as far as a name says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packing {
    gguf: Option<String>,
    method: Option<&'static str>,
    bits: Option<String>,
    exact: Option<String>,
    container: bool,
    mlx: bool,
}

impl Packing {
    /// From an MLX repository, where a number of bits means MLX's own quantisation.
    pub fn mlx(&mut self) {
        self.mlx = true;
    }

    /// Name of the format, canonical where there is one: `q4_k_m`, `awq`, `gptq-int4`, `mlx-4bit`, `gguf` (of unknown type).
    pub fn name(&self) -> Option<String> {
        let bits = self.bits.as_deref();
        if let Some(name) = &self.gguf {
            return Some(name.clone());
        }
        match (self.method, bits) {
            (Some("gptq"), bits) => return Some(format!("gptq-int{}", bits.unwrap_or("4"))),
            (Some("bnb"), Some("8")) => return Some("bnb-int8".into()),
            (Some("bnb"), _) => return Some("bnb-nf4".into()),
            (Some("exl2"), bits) => {
                return Some(format!("exl2-{}", bits.map_or("4", |bits| bits.trim_end_matches(".0"))));
            }
            (Some(method), _) => return Some(method.into()),
            (None, _) => {}
        }
        if let (true, Some(bits)) = (self.mlx, bits) {
            return Some(format!("mlx-{bits}bit"));
        }
        if let Some(exact) = &self.exact {
            return Some(exact.clone());
        }
        match bits {
            Some(bits) => Some(format!("int{bits}")),
            None if self.container => Some("gguf".into()),
            None => None,
        }
    }
}

/// The name of a bare llama.cpp type: `q4` is what people run, `q4_k_m`.
fn gguf_name(letter: &str, bits: &str, rest: &[&str]) -> String {
    let tail: String = rest.concat();
    let tail = match (letter, bits, tail.as_str()) {
        ("q", "8", _) => "_0".to_owned(),
        ("q", "2" | "6", "") => "_k".to_owned(),
        ("q", _, "" | "k") if matches!(bits, "3" | "4" | "5") => "_k_m".to_owned(),
        ("q", _, tail) => tail.strip_prefix('k').map_or_else(
            || format!("_{tail}"),
            |width| if width.is_empty() { "_k".to_owned() } else { format!("_k_{width}") },
        ),
        (_, _, "") => "_xs".to_owned(),
        (_, _, tail) => format!("_{tail}"),
    };
    format!("{letter}{bits}{tail}")
}

/// Reads the packing that begins at `at`, and how many pieces it takes.
fn packing_at(pieces: &[Piece], at: usize, packing: &mut Packing) -> usize {
    let text = |n: usize| pieces.get(at + n).map_or("", |piece| piece.text);
    let joined = |n: usize| pieces.get(at + n).is_some_and(|piece| piece.before.is_none());
    let near =
        |n: usize| pieces.get(at + n).is_some_and(|piece| matches!(piece.before, None | Some('_' | '-' | '.' | ' ')));
    let number_joined = |n: usize| joined(n) && text(n).bytes().all(|b| b.is_ascii_digit());
    let spaced = pieces[at].before.is_some();
    match text(0) {
        letter @ ("q" | "iq" | "tq") if spaced && number_joined(1) && text(1).len() == 1 => {
            let mut rest: Vec<&str> = vec![];
            while rest.len() < 3 {
                let (n, last) = (2 + rest.len(), rest.last().copied());
                let part = text(n);
                let width = matches!(part, "s" | "m" | "l" | "xl" | "xs" | "xxs" | "nl");
                let follows = match (letter, last) {
                    ("q", None) => matches!(part, "k" | "km" | "ks" | "kl" | "0" | "1"),
                    ("q", Some("k")) => width,
                    ("iq", None) => width,
                    ("tq", None) => part == "0",
                    _ => false,
                };
                let close = pieces.get(at + n).is_some_and(|piece| matches!(piece.before, None | Some('_' | '-')));
                if !follows || !close {
                    break;
                }
                rest.push(part);
            }
            packing.gguf = Some(gguf_name(letter, text(1), &rest));
            return 2 + rest.len();
        }
        "awq" | "autoawq" => packing.method = Some("awq"),
        "gptq" | "autogptq" | "gptqmodel" => packing.method = Some("gptq"),
        "bnb" | "bitsandbytes" => packing.method = Some("bnb"),
        "exl" if number_joined(1) => {
            packing.method = Some("exl2");
            return 2;
        }
        "smoothquant" => packing.exact = Some("w8a8".into()),
        "gguf" | "ggml" => packing.container = true,
        "mlx" => packing.mlx = true,
        "qat" => packing.gguf = Some("q4_0".into()),
        "nf" if text(1) == "4" && near(1) => {
            packing.method = Some("bnb");
            return 2;
        }
        "nvfp" | "mxfp" | "fp" | "bf" | "f" | "int" | "float" | "bfloat" if near(1) => {
            let name = match (text(0), text(1)) {
                ("nvfp" | "fp", "4") => "nvfp4",
                ("mxfp", "4") => "mxfp4",
                ("fp" | "float", "8") => "fp8",
                ("fp" | "f" | "float", "16") => "fp16",
                ("fp" | "f" | "float", "32") => "fp32",
                ("bf" | "bfloat", "16") => "bf16",
                ("int", bits @ ("2" | "3" | "4" | "8")) => {
                    packing.bits = Some(bits.into());
                    return 2;
                }
                _ => return 0,
            };
            packing.exact = Some(name.into());
            return 2;
        }
        "w" if number_joined(1) && text(2) == "a" && joined(2) && number_joined(3) => {
            packing.exact = Some(format!("w{}a{}", text(1), text(3)));
            return 4;
        }
        // `4bit`, `4-bit`, `4.65bpw`.
        _ if pieces[at].class == Class::Digits => {
            let bpw = |n: usize| matches!(text(n), "bpw" | "bits" | "bit" | "位" | "比特") && near(n);
            if bpw(1) && text(0).len() == 1 {
                packing.bits = Some(text(0).into());
                return 2;
            }
            if bpw(2) && pieces[at + 1].before == Some('.') {
                packing.bits = Some(format!("{}.{}", text(0), text(1)));
                packing.method = Some("exl2");
                return 3;
            }
            return 0;
        }
        _ => return 0,
    }
    1
}

/// Tokens of a normalised name, the packing taken out. `han` cuts a Chinese run into words.
pub fn tokens(text: &str, han: impl Fn(&str, &mut Vec<Token>)) -> (Vec<Token>, Packing) {
    let pieces = pieces(text);
    let mut packing = Packing::default();
    let mut found: Vec<Token> = vec![];
    let mut at = 0;
    while at < pieces.len() {
        let taken = packing_at(&pieces, at, &mut packing);
        if taken > 0 {
            at += taken;
            continue;
        }
        let piece = &pieces[at];
        match piece.class {
            Class::Digits => at += number(&pieces[at..], &mut found),
            Class::Letters => at += letters(&pieces[at..], &mut found),
            Class::Han => {
                // `千亿参数`
                let size = numeral(piece.text).filter(|(value, _)| *value >= 1e8);
                found.extend(size.map(|(value, _)| Token::size(value)));
                let rest = size.map_or(piece.text, |(_, width)| &piece.text[width..]);
                if !rest.is_empty() {
                    han(rest, &mut found);
                }
                at += 1;
            }
        }
    }
    (found, packing)
}

/// How a name says its weights are packed.
pub fn packing(text: &str) -> Packing {
    tokens(text, |_, _| {}).1
}

/// Whether a name says how large its model is, which takes no index to tell.
pub fn is_sized(text: &str) -> bool {
    let (tokens, _) = tokens(&normalise(text), |_, _| {});
    tokens.iter().any(|token| matches!(token.kind, Kind::Size(_) | Kind::Experts))
}

/// `qwen3_32b`, `llama_3_8b`: a size after a version; `internlm2-1_8b` is 1.8.
fn begins_size(pieces: &[Piece]) -> bool {
    let [whole, part, rest @ ..] = pieces else { return false };
    let sized = rest.first().is_some_and(|piece| piece.before.is_none() && unit(piece.text).is_some());
    let apart = whole.before.is_none() || part.text.len() > 1;
    part.before == Some('_') && sized && apart
}

/// A decimal from its pieces (`2.5`, `2_5`, `2,5`) and how many it takes.
fn decimal(pieces: &[Piece]) -> (String, usize) {
    match pieces {
        [whole, part, ..]
            if part.class == Class::Digits
                && matches!(part.before, Some('.' | ',' | '_'))
                && part.text.len() <= 3
                && whole.text.len() <= 3
                && !begins_size(pieces) =>
        {
            let more =
                |piece: &&Piece| piece.class == Class::Digits && piece.before == Some('.') && piece.text.len() == 1;
            // `2.9.4`
            match pieces.get(2).filter(more).filter(|_| part.before == Some('.')) {
                Some(last) => (format!("{}.{}.{}", whole.text, part.text, last.text), 3),
                None => (format!("{}.{}", whole.text, part.text), 2),
            }
        }
        _ => (pieces[0].text.to_owned(), 1),
    }
}

/// Parameters that a unit after a number makes of it.
fn unit(text: &str) -> Option<f64> {
    match text {
        "b" | "bn" | "billion" => Some(1e9),
        "m" | "million" => Some(1e6),
        "t" | "trillion" => Some(1e12),
        "亿" => Some(1e8),
        "万亿" => Some(1e12),
        "百万" => Some(1e6),
        "十亿" => Some(1e9),
        _ => None,
    }
}

/// The number that Chinese numerals begin a text with, and its width: `十六`, `两`, `一百二十八`, `千亿`.
pub fn numeral(text: &str) -> Option<(f64, usize)> {
    const DIGITS: [&str; 2] = ["零一二三四五六七八九", "〇幺两"];
    let (mut total, mut section, mut digit, mut width) = (0.0, 0.0, None, 0);
    for (at, c) in text.char_indices() {
        let scale = match c {
            '十' => 10.0,
            '百' => 100.0,
            '千' => 1000.0,
            '万' => 1e4,
            '亿' => 1e8,
            _ => {
                let Some(value) = DIGITS.iter().find_map(|digits| digits.chars().position(|digit| digit == c)) else {
                    break;
                };
                (digit, width) = (Some(value as f64), at + c.len_utf8());
                continue;
            }
        };
        if scale < 1e4 {
            section += digit.take().unwrap_or(1.0) * scale;
        } else {
            total = (total + section + digit.take().unwrap_or(0.0)).max(1.0) * scale;
            section = 0.0;
        }
        width = at + c.len_utf8();
    }
    let value = total + section + digit.unwrap_or(0.0);
    (width > 0).then_some((value, width))
}

/// What begins with a digit.
fn number(pieces: &[Piece], found: &mut Vec<Token>) -> usize {
    let joined = pieces[0].before.is_none();
    let (text, width) = decimal(pieces);
    let value: f64 = text.parse().unwrap_or(0.0);
    let next = pieces.get(width);
    let glued = next.is_some_and(|piece| piece.before.is_none());
    let close = glued || next.is_some_and(|piece| piece.before == Some(' '));
    let word = next.map_or("", |piece| piece.text);
    let push = |kind, text, found: &mut Vec<Token>| found.push(Token { kind, text, joined });
    // 130亿参数
    if let Some(next) = next.filter(|next| close && next.class == Class::Han) {
        let units = ["万亿", "百万", "十亿", "亿"];
        if let Some(name) = units.into_iter().find(|name| next.text.starts_with(name)) {
            let size = value * unit(name).unwrap_or(1.0);
            push(Kind::Size(size), size_text(size), found);
            return width + 1;
        }
    }
    // 8x7b, 8 x 7b, and 8x22 with the unit left out
    if close && word == "x" && pieces.get(width + 1).is_some_and(|each| each.class == Class::Digits) {
        let (each, each_width) = decimal(&pieces[width + 1..]);
        let end = width + 1 + each_width;
        let sized = pieces.get(end).is_some_and(|unit| unit.before.is_none() && unit.text == "b");
        if sized || (glued && pieces[width + 1].before.is_none()) {
            push(Kind::Experts, format!("{text}x{each}b"), found);
            return end + usize::from(sized);
        }
    }
    if close
        && let Some(scale) = unit(word)
        && (glued || word.len() > 1 || word == "b")
    {
        // 7b1 is 7.1 billion
        let tenth = pieces.get(width + 1).filter(|piece| {
            glued && width == 1 && piece.class == Class::Digits && piece.before.is_none() && piece.text.len() == 1
        });
        let size = scale * tenth.map_or(value, |tenth| format!("{text}.{}", tenth.text).parse().unwrap_or(value));
        // No model is that small: `1m` is a context length.
        let kind = if size < 5e6 { Kind::Length } else { Kind::Size(size) };
        push(kind, size_text(size), found);
        return width + 1 + usize::from(tenth.is_some());
    }
    // 30ba3b
    if glued && word == "ba" {
        push(Kind::Size(value * 1e9), size_text(value * 1e9), found);
        return width + 1 + active(&pieces[width + 1..], found);
    }
    if glued && word == "k" {
        push(Kind::Length, format!("{text}k"), found);
        return width + 1;
    }
    // 16e, 3n, 4o
    if glued && word.len() == 1 && next.is_some_and(|piece| piece.class == Class::Letters) {
        push(Kind::Word, format!("{text}{word}"), found);
        return width + 1;
    }
    let kind = if width == 1 && text.len() >= 4 { Kind::Date } else { Kind::Version { marked: false } };
    push(kind, text, found);
    width
}

/// The number and unit after the `a` of active parameters; 0 if they are not that.
fn active(pieces: &[Piece], found: &mut Vec<Token>) -> usize {
    if pieces.is_empty() || pieces[0].class != Class::Digits {
        return 0;
    }
    let (text, width) = decimal(pieces);
    let scale = pieces.get(width).filter(|piece| piece.before.is_none()).and_then(|piece| unit(piece.text));
    let (Ok(value), Some(scale)) = (text.parse::<f64>(), scale) else { return 0 };
    let size = value * scale;
    found.push(Token { kind: Kind::Active(size), text: size_text(size), joined: false });
    width + 1
}

/// What begins with a letter.
fn letters(pieces: &[Piece], found: &mut Vec<Token>) -> usize {
    let piece = &pieces[0];
    let joined = piece.before.is_none();
    let numbered = pieces.get(1).is_some_and(|next| next.class == Class::Digits && next.before.is_none());
    if piece.text.len() == 1 && numbered {
        if piece.text == "a" {
            let taken = active(&pieces[1..], found);
            if taken > 0 {
                return 1 + taken;
            }
        }
        let (number, width) = decimal(&pieces[1..]);
        let unit_after = pieces.get(1 + width).filter(|next| next.before.is_none()).map_or("", |next| next.text);
        match (piece.text, unit_after) {
            ("v", _) => found.push(Token { kind: Kind::Version { marked: true }, text: number, joined }),
            // e4b is a word of its own
            ("e", "b") => {
                found.push(Token { kind: Kind::Word, text: format!("e{number}b"), joined });
                return 2 + width;
            }
            // command-r7b: a word and a size
            (_, "b") => {
                found.push(Token { kind: Kind::Word, text: piece.text.to_owned(), joined });
                return 1;
            }
            (letter, _) => found.push(Token { kind: Kind::Word, text: format!("{letter}{number}"), joined }),
        }
        return 1 + width;
    }
    found.push(Token { kind: Kind::Word, text: piece.text.to_owned(), joined });
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str, packing: Option<&str>) {
        let (tokens, packed) = tokens(&normalise(text), |han, found| found.push(Token::word(han)));
        let written: Vec<String> = tokens
            .iter()
            .map(|token| match token.kind {
                Kind::Word | Kind::Experts => token.text.clone(),
                Kind::Version { .. } => format!("#{}", token.text),
                Kind::Size(_) => format!("={}", token.text),
                Kind::Active(_) => format!("a={}", token.text),
                Kind::Date => format!("@{}", token.text),
                Kind::Length => format!("~{}", token.text),
            })
            .collect();
        assert_eq!(written.join(" "), expect, "{text}");
        assert_eq!(packed.name().as_deref(), packing, "{text}");
    }

    #[test]
    fn numbers_are_versions_sizes_dates_by_their_form() {
        check("Qwen2.5-7B-Instruct", "qwen #2.5 =7b instruct", None);
        check("internlm2_5-1_8b", "internlm #2.5 =1.8b", None);
        check("qwen2,5 7 B", "qwen #2.5 =7b", None);
        check("Mistral-7B-Instruct-v0.2", "mistral =7b instruct #0.2", None);
        check("Qwen3-30B-A3B-Instruct-2507", "qwen #3 =30b a=3b instruct @2507", None);
        check("Mixtral-8x22B, mixtral 8x22", "mixtral 8x22b mixtral 8x22b", None);
        check("bloom-7b1 350M 1T 130亿 七百亿", "bloom =7.1b =0.35b =1000b =13b =70b", None);
        check("command-r7b-12-2024 gemma-3n-E4B", "command r =7b #12 @2024 gemma 3n e4b", None);
        check("ＬＬＡＭＡ３\u{200b}－８Ｂ", "llama #3 =8b", None);
    }

    #[test]
    fn packing_is_read_in_every_spelling() {
        check("x-Q4_K_M.gguf", "x", Some("q4_k_m"));
        check("x:q4km", "x", Some("q4_k_m"));
        check("x q4", "x", Some("q4_k_m"));
        check("x q8", "x", Some("q8_0"));
        check("x-UD-IQ1_S", "x ud", Some("iq1_s"));
        check("x-UD-Q2_K_XL", "x ud", Some("q2_k_xl"));
        check("x.Q2_K", "x", Some("q2_k"));
        check("x-GPTQ-Int8", "x", Some("gptq-int8"));
        check("x-AWQ-INT4", "x", Some("awq"));
        check("x-bnb-4bit", "x", Some("bnb-nf4"));
        check("x-quantized.w4a16", "x quantized", Some("w4a16"));
        check("mlx-x-4bit", "x", Some("mlx-4bit"));
        check("x-4.65bpw-exl2", "x", Some("exl2-4.65"));
        check("x 4 bit", "x", Some("int4"));
        check("x-GGUF", "x", Some("gguf"));
        check("x-bf16", "x", Some("bf16"));
    }
}
