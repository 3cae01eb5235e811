//! Which lines of a script run: `if`, `elif`, `else`, and `case`, where what they ask is known.
//!
//! What cannot be told from the paste counts as true, so that nothing is missed.

/// Branches that are open, the innermost last.
#[derive(Debug, Default)]
pub struct Branches(Vec<Branch>);

#[derive(Debug)]
struct Branch {
    /// What a `case` is about.
    subject: Option<String>,
    /// Whether one of its ways surely ran.
    taken: bool,
    runs: bool,
}

impl Branch {
    fn turn(&mut self, asked: Option<bool>) {
        self.runs = !self.taken && asked != Some(false);
        self.taken |= asked == Some(true);
    }
}

impl Branches {
    /// What is left to run of the words of one command.
    pub fn follow(&mut self, words: Vec<String>) -> Option<Vec<String>> {
        let rest = self.steer(&words);
        self.0.iter().all(|branch| branch.runs).then(|| words[rest..].to_vec())
    }

    /// How many words at the head steer.
    fn steer(&mut self, words: &[String]) -> usize {
        let first = words.first().map_or("", String::as_str);
        let opened = match first {
            "if" => Some((None, holds(&words[1..]))),
            "case" if words.get(2).is_some_and(|word| word == "in") => Some((Some(words[1].clone()), None)),
            _ => None,
        };
        if let Some((subject, asked)) = opened {
            let mut branch = Branch { subject, taken: false, runs: false };
            branch.turn(asked);
            self.0.push(branch);
            return words.len();
        }
        match (first, self.0.last_mut()) {
            ("elif", Some(branch)) => branch.turn(holds(&words[1..])),
            ("else", Some(branch)) => {
                branch.turn(None);
                return 1;
            }
            ("then", _) => return 1,
            ("fi" | "esac", _) => drop(self.0.pop()),
            (pattern, Some(Branch { subject: Some(subject), taken, runs })) if pattern.ends_with(')') => {
                let pattern = pattern.trim_matches(['(', ')']);
                let known = pattern == "*" || !subject.contains('$');
                let fits = pattern == "*" || pattern.split('|').any(|pattern| pattern == subject);
                *runs = !*taken && (fits || !known);
                *taken |= known && fits;
                return 1;
            }
            _ => return 0,
        }
        words.len()
    }
}

/// Whether a test holds: `[ A = B ]`, `[[ A != B ]]`.
fn holds(words: &[String]) -> Option<bool> {
    let [open, left, comparison, right, _] = words else { return None };
    if !matches!(open.as_str(), "[" | "[[") || [left, right].iter().any(|word| word.contains('$')) {
        return None;
    }
    match comparison.as_str() {
        "=" | "==" | "-eq" => Some(left == right),
        "!=" | "-ne" => Some(left != right),
        _ => None,
    }
}
