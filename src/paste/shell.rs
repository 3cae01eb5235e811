//! Commands as people paste them: continued lines, variables, wrappers.
//!
//! From text to words. Nothing is run; a variable whose value the paste does not hold stays as it is.

use super::branches::Branches;
use std::collections::HashMap;

/// A script without the files it writes, and these: `cat > ds.json <<EOF … EOF`.
pub fn here_documents(text: &str) -> (String, Vec<String>) {
    let (mut script, mut files, mut tried) = (String::new(), vec![], 0);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mark = line.split_once("<<").and_then(|(_, rest)| rest.trim_start_matches('-').split_whitespace().next());
        let mark = mark.map(|mark| mark.trim_matches(['"', '\''])).filter(|mark| !mark.is_empty());
        tried += usize::from(mark.is_some());
        match mark.filter(|_| tried <= MOST_FILES) {
            Some(mark) if text.lines().any(|line| line.trim() == mark) => {
                files.push(lines.by_ref().take_while(|line| line.trim() != mark).collect::<Vec<_>>().join("\n"));
            }
            _ => {
                script.push_str(line);
                script.push('\n');
            }
        }
    }
    (script, files)
}

/// Files that a script writes, its variables put in.
pub fn filled(script: &str, files: Vec<String>) -> Vec<String> {
    if files.iter().all(|file| !file.contains('$')) {
        return files;
    }
    let variables = commands(script).pop().map(|command| command.variables).unwrap_or_default();
    let mut held = 0;
    let mut fill = |line: &str| {
        let filled = if held < MOST_HELD { substitute(line, &variables) } else { line.to_owned() };
        held += filled.len();
        filled + "\n"
    };
    files.iter().map(|file| file.lines().map(&mut fill).collect()).collect()
}

/// Words of one command, and the variables that stand before it.
#[derive(Clone, Debug, Default)]
pub struct Command {
    pub words: Vec<String>,
    pub variables: HashMap<String, String>,
}

/// What no honest script exceeds: lines and commands, files it writes, variables, and bytes of these together, of a
/// line or of a sum.
const MOST_LINES: usize = 400;
const MOST_FILES: usize = 20;
const MOST_VARIABLES: usize = 200;
const MOST_HELD: usize = 64 * 1024;
const LONGEST: usize = 16 * 1024;
const LONGEST_SUM: usize = 200;

/// Every command of a text. Variables set earlier hold later.
pub fn commands(text: &str) -> Vec<Command> {
    let mut variables: HashMap<String, String> = HashMap::new();
    let mut branches = Branches::default();
    let mut found = vec![];
    for line in lines(text).into_iter().take(MOST_LINES) {
        for part in split_commands(&line) {
            let Some(words) = branches.follow(words(&substitute(part, &variables))) else { continue };
            let mut words = gather(words).into_iter().peekable();
            while let Some((name, value)) = words.peek().and_then(|word| assignment(word)) {
                remember(&mut variables, name, value);
                words.next();
            }
            if words.peek().is_some_and(|word| {
                matches!(word.as_str(), "export" | "set" | "env" | "ENV" | "sudo" | "nohup" | "time" | "exec")
            }) {
                words.next();
                while let Some((name, value)) = words.peek().and_then(|word| assignment(word)) {
                    remember(&mut variables, name, value);
                    words.next();
                }
            }
            let mut words: Vec<String> = words.collect();
            let script = inner_script(&mut words);
            if words.first().is_some_and(|word| word == "sbatch") {
                allot(&mut variables, &flags(&words));
            }
            if !words.is_empty() && found.len() < MOST_LINES {
                found.push(Command { words, variables: variables.clone() });
            }
            let within = script.iter().flat_map(|script| lines(script)).flat_map(|line| {
                let parts = split_commands(&line).into_iter();
                parts.map(|part| self::words(&substitute(part, &variables))).collect::<Vec<_>>()
            });
            let within = within.take(MOST_LINES.saturating_sub(found.len()));
            found.extend(within.map(|words| Command { words, variables: variables.clone() }));
        }
    }
    // Variables that follow the command (a Dockerfile's, a list of settings) hold for it too.
    for command in &mut found {
        for (name, value) in &variables {
            command.variables.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    if found.is_empty() && !variables.is_empty() {
        found.push(Command { words: vec![], variables: variables.clone() });
    }
    // Flags that nothing here is started with are of a program elsewhere.
    if found.iter().all(|command| command.flags().is_empty()) {
        let mut kept: Vec<&String> = variables.values().filter(|value| value.trim_start().starts_with("--")).collect();
        kept.sort();
        let words: Vec<String> = kept.into_iter().flat_map(|value| shlex_or_spaces(value)).collect();
        found.extend((!words.is_empty()).then(|| Command { words, variables: HashMap::new() }));
    }
    found
}

/// What a command has a shell of its own run, cut off it: `srun -N 2 bash -c 'torchrun …'`.
fn inner_script(words: &mut Vec<String>) -> Option<String> {
    let shell = |word: &str| matches!(word.rsplit('/').next(), Some("bash" | "sh"));
    let option = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
    let at = words.windows(3).position(|three| shell(&three[0]) && option(&three[1]))?;
    words.split_off(at).into_iter().nth(2)
}

/// What a flag of many values takes as one word: `--target_modules q_proj k_proj`.
fn gather(words: Vec<String>) -> Vec<String> {
    let mut made: Vec<String> = vec![];
    let mut many = false;
    for word in words {
        let flag = word.strip_prefix("--");
        match made.last_mut() {
            Some(last) if many && flag.is_none() && !last.starts_with("--") => {
                last.push(',');
                last.push_str(&word);
            }
            _ => {
                many = flag.map_or(many, |name| name.ends_with("modules") || name.starts_with("lora_target"));
                made.push(word);
            }
        }
    }
    made
}

/// What Slurm tells a job by variables of what it was allotted.
fn allot(variables: &mut HashMap<String, String>, flags: &[(&str, &str)]) {
    for (name, value) in flags {
        let told: &[&str] = match *name {
            "nodes" | "N" => &["SLURM_NNODES", "SLURM_JOB_NUM_NODES"],
            "gpus-per-node" | "gres" => &["SLURM_GPUS_ON_NODE", "SLURM_GPUS_PER_NODE"],
            _ => &[],
        };
        for name in told {
            remember(variables, (*name).to_owned(), value.rsplit(':').next().unwrap_or(value).to_owned());
        }
    }
}

fn remember(variables: &mut HashMap<String, String>, name: String, value: String) {
    // systemd's `Environment="NAME=value"`
    let (name, value) = if name == "Environment" { assignment(&value).unwrap_or((name, value)) } else { (name, value) };
    let (name, value) = match name.strip_suffix('+') {
        Some(name) => (name.to_owned(), format!("{} {value}", variables.get(name).map_or("", String::as_str))),
        None => (name, value),
    };
    let held: usize = variables.values().map(String::len).sum();
    if held + value.len() < MOST_HELD && (variables.len() < MOST_VARIABLES || variables.contains_key(&name)) {
        variables.insert(name, value);
    }
}

/// `NAME=value` or `NAME+=value`, if that is all a word is; the name with its `+`.
fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named = name.strip_suffix('+').unwrap_or(name).chars().all(fits)
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    named.then(|| (name.to_owned(), value.to_owned()))
}

/// Lines with their continuations joined, prompts and comments off.
fn lines(text: &str) -> Vec<String> {
    let mut joined: Vec<String> = vec![];
    let mut open = false;
    // Parentheses of a bash array, a quoted object and a quoted value that are open.
    let (mut array, mut object, mut value) = (0i32, false, false);
    for line in text.lines() {
        let line = line.trim_end();
        let bare = line.trim_start();
        // Slurm's directives look like comments.
        let bare = bare.strip_prefix("#SBATCH").map_or(bare, |rest| rest);
        let is_directive = line.trim_start().starts_with("#SBATCH");
        if bare.starts_with('#') && !is_directive {
            continue;
        }
        let bare = prompt_off(bare);
        let windows = bare.contains(".exe") || bare.contains(":\\");
        let slashed = if windows { bare.replace('\\', "/") } else { String::new() };
        let bare = if windows { slashed.as_str() } else { bare };
        let more = ["\\", " ^", " `"].iter().find(|mark| bare.ends_with(*mark) || bare == mark.trim());
        let content = more.map_or(bare, |mark| bare.strip_suffix(*mark).unwrap_or("")).trim_end();
        let flag = content.starts_with("--")
            || (content.starts_with('-') && content[1..].starts_with(|c: char| c.is_ascii_alphabetic()));
        let wrapped = joined.last().is_some_and(|last| is_wrapped(last, content));
        let directive = if is_directive { format!("sbatch {content}") } else { content.to_owned() };
        match joined.last_mut() {
            Some(last) if wrapped && last.len() < LONGEST => last.push_str(content),
            // Flags alone may be told of: `I run it with:`.
            Some(last)
                if (open || object || value || array > 0 || (flag && !last.ends_with([':', '：'])))
                    && last.len() < LONGEST
                    && !is_directive =>
            {
                last.push(' ');
                last.push_str(content);
            }
            _ => joined.push(directive),
        }
        open = more.is_some();
        object = if object { !content.contains('\'') } else { opens_object(content) };
        let quotes = content.matches('"').count();
        value = if value { quotes == 0 } else { opens_value(content) };
        array = open_parentheses(content, array);
    }
    joined.retain(|line| !line.trim().is_empty());
    joined
}

/// Whether a line breaks within a quoted object: `--config '{"a": 1,`.
fn opens_object(line: &str) -> bool {
    line.rsplit_once("'{").is_some_and(|(_, object)| !object.contains('\''))
}

/// Whether a terminal broke a command within a flag's name at its edge: `… --trust-rem`, `ote-code --tp 4`.
fn is_wrapped(before: &str, line: &str) -> bool {
    let flag = before.rsplit(' ').next().is_some_and(|word| word.starts_with("--") && !word.contains('='));
    let rest =
        line.split(' ').next().is_some_and(|word| word.chars().all(|c| c.is_ascii_lowercase() || "-_".contains(c)));
    before.len() >= EDGE && flag && rest && !line.starts_with('-') && line.contains(" --")
}

/// Columns of the narrowest terminal.
const EDGE: usize = 78;

/// Whether a line breaks within a quoted value: `ARGS="`.
fn opens_value(line: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    line.trim_start_matches("export ")
        .split_once("=\"")
        .is_some_and(|(name, value)| is_name(name) && !value.contains('"'))
}

/// How many parentheses of a bash array are open after a line.
fn open_parentheses(line: &str, open: i32) -> i32 {
    let within = if open > 0 { Some(0) } else { line.find("=(") };
    let within = within.map_or("", |at| &line[at..]);
    within.chars().fold(open, |depth, c| depth + i32::from(c == '(') - i32::from(c == ')')).max(0)
}

/// `$ `, `user@host:~$ `, `(venv) root@box:/app# `, of `set -x` `+ `, and what is said before a command: `命令：`.
fn prompt_off(line: &str) -> &str {
    let said = line.rsplit_once('：').map(|(_, rest)| rest.trim_start());
    let line = said.filter(|rest| rest.contains(" -")).unwrap_or(line);
    for mark in ["$ ", "# ", "> ", "+ "] {
        if let Some((before, rest)) = line.split_once(mark) {
            let prompt = before.is_empty() || (before.contains('@') && before.len() < 60 && !before.contains(" -"));
            if prompt {
                return rest;
            }
        }
    }
    line
}

/// `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME[@]}`, `$((A * B))` by the values the paste holds.
fn substitute(line: &str, variables: &HashMap<String, String>) -> String {
    let mut made = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('$') {
        made.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((value, taken)) = arithmetic(rest, variables) {
            made.push_str(&value.to_string());
            rest = &rest[taken..];
            continue;
        }
        let (name, default, mut taken) = reference(rest);
        // A quoted array's words stay words: `"${ARGS[@]}"`.
        if rest[..taken].ends_with("[@]}") && made.ends_with('"') && rest[taken..].starts_with('"') {
            made.pop();
            taken += 1;
        }
        let value = variables.get(name).map(String::as_str).or(default);
        match value {
            Some(value) if made.len() + value.len() < LONGEST => made.push_str(value),
            _ => made.push_str(&rest[..taken]),
        }
        rest = &rest[taken..];
    }
    made.push_str(rest);
    made
}

/// The name that a `$` refers to, its default, and how long the reference is.
fn reference(text: &str) -> (&str, Option<&str>, usize) {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(inner) = text.strip_prefix("${") {
        let Some(end) = inner.find('}') else { return ("", None, 1) };
        let body = &inner[..end];
        let name_end = body.find(|c| !fits(c)).unwrap_or(body.len());
        let default = body[name_end..].strip_prefix(":-").or_else(|| body[name_end..].strip_prefix('-'));
        return (&body[..name_end], default, end + 3);
    }
    let name_end = text[1..].find(|c| !fits(c)).unwrap_or(text.len() - 1);
    (&text[1..=name_end], None, name_end + 1)
}

/// The value of `$((A * B))` or `$(expr A / B)` at the head of a text, and how long that is.
fn arithmetic(text: &str, variables: &HashMap<String, String>) -> Option<(i64, usize)> {
    let (open, close) = [("$((", "))"), ("$(expr ", ")")].into_iter().find(|(open, _)| text.starts_with(open))?;
    let body = &text[open.len()..];
    let near = &body.as_bytes()[..body.len().min(LONGEST_SUM)];
    let body = &body[..near.windows(close.len()).position(|end| end == close.as_bytes())?];
    let value = evaluate(&substitute(body, variables), &|name| variables.get(name).map(String::as_str))?;
    Some((value, open.len() + body.len() + close.len()))
}

/// Sums and products of whole numbers and variables.
pub fn evaluate<'a>(text: &str, variable: &dyn Fn(&str) -> Option<&'a str>) -> Option<i64> {
    let text = text.trim();
    let last = text.rfind(['+', '-']).or_else(|| text.rfind(['*', '/', '%']));
    let Some(at) = last.filter(|_| text.len() <= LONGEST_SUM) else {
        return text.parse().ok().or_else(|| variable(text)?.parse().ok());
    };
    let (before, after) = (evaluate(&text[..at], variable)?, evaluate(&text[at + 1..], variable)?);
    match text.as_bytes()[at] {
        b'+' => before.checked_add(after),
        b'-' => before.checked_sub(after),
        b'*' => before.checked_mul(after),
        b'/' => before.checked_div(after),
        _ => before.checked_rem(after),
    }
}

/// Parts between `&&`, `;` and ` | `; quotes, `$(…)` and a pattern's `7B|8B)` stay whole.
fn split_commands(line: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote, mut nested) = (vec![], 0, None, 0usize);
    let bytes = line.as_bytes();
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '(') => nested += 1,
            (None, ')') => nested = nested.saturating_sub(1),
            (None, ';' | '|')
                if nested == 0 && (c == ';' || line[..at].ends_with(' ') || line[at + 1..].starts_with(' ')) =>
            {
                parts.push(&line[start..at]);
                start = at + 1;
            }
            (None, '&') if nested == 0 && at >= start && bytes.get(at + 1) == Some(&b'&') => {
                parts.push(&line[start..at]);
                start = at + 2;
            }
            (None, _) => {}
        }
    }
    parts.push(line.get(start..).unwrap_or(""));
    parts
}

/// Words of a command; where quotes do not close, at spaces. An array's parentheses go: its words are the value. A
/// Dockerfile gives words as a list: `CMD ["vllm", "serve", …]`.
fn words(part: &str) -> Vec<String> {
    let listed = ["CMD", "ENTRYPOINT"].iter().find_map(|word| part.trim().strip_prefix(word));
    if let Some(words) = listed.and_then(|list| serde_json::from_str(list).ok()) {
        return words;
    }
    if let Some((name, body)) = part.trim().split_once("=(")
        && assignment(&format!("{name}=")).is_some()
    {
        let body = body.trim_end().trim_end_matches(')');
        return vec![format!("{name}={}", shlex_or_spaces(body).join(" "))];
    }
    shlex_or_spaces(part)
}

fn shlex_or_spaces(part: &str) -> Vec<String> {
    let at_spaces = || part.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect();
    shlex::split(part).unwrap_or_else(at_spaces)
}

impl Command {
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty() && !value.contains('$'))
    }
    /// GPUs that the command is shown: `CUDA_VISIBLE_DEVICES=0,1`, `--gpus '"device=0,1"'`, `--gpus 2`.
    pub fn visible_gpus(&self) -> Option<u64> {
        let devices = |list: &str| list.split(',').filter(|device| !device.trim().is_empty()).count() as u64;
        let names = [
            "CUDA_VISIBLE_DEVICES",
            "NVIDIA_VISIBLE_DEVICES",
            "HIP_VISIBLE_DEVICES",
            "ROCR_VISIBLE_DEVICES",
            "ASCEND_RT_VISIBLE_DEVICES",
        ];
        let shown = names
            .iter()
            .find_map(|name| self.variable(name))
            .filter(|list| !matches!(*list, "all" | "none" | "-1" | "void"));
        let docker = || {
            let asked =
                self.flags().into_iter().find(|(name, _)| *name == "gpus").map(|(_, value)| value.to_owned())?;
            let asked = asked.trim_matches(['"', '\'']);
            let listed = asked.strip_prefix("device=").or_else(|| asked.contains(',').then_some(asked));
            listed.map(devices).or_else(|| asked.parse().ok())
        };
        shown.map(devices).or_else(docker).filter(|count| *count > 0)
    }
    /// Where a word fits, the words after it.
    pub fn after(&self, fits: impl Fn(&str) -> bool) -> Option<&[String]> {
        let at = self.words.iter().position(|word| fits(word))?;
        Some(&self.words[at + 1..])
    }
    pub fn flags(&self) -> Vec<(&str, &str)> {
        flags(&self.words)
    }
}

/// `--name value`, `--name=value`, `-n value`, `--switch`: names without dashes, a switch's value empty.
pub fn flags(words: &[String]) -> Vec<(&str, &str)> {
    let mut found = vec![];
    let mut at = 0;
    while at < words.len() {
        let word = words[at].as_str();
        at += 1;
        let Some(name) = flag_name(word) else { continue };
        if let Some((name, value)) = name.split_once('=') {
            found.push((name, value));
            continue;
        }
        let value = words.get(at).map(String::as_str).filter(|next| takes(name, next));
        if value.is_some() {
            at += 1;
        }
        // A sentence may go on after it: `--gpu-memory-utilization 0.3，报错`.
        let value = value.and_then(|value| value.split(['，', '。', '；', '、']).next());
        found.push((name, value.unwrap_or("")));
    }
    found
}

/// Words that no flag takes.
pub fn positional(words: &[String]) -> Option<&str> {
    let mut at = 0;
    while at < words.len() {
        let word = words[at].as_str();
        match flag_name(word) {
            None => return Some(word),
            Some(name) => at += if name.contains('=') || is_switch(name) { 1 } else { 2 },
        }
    }
    None
}

/// Whether a flag takes a word as its value; an array that the paste does not hold is flags of its own.
fn takes(name: &str, word: &str) -> bool {
    flag_name(word).is_none() && !is_switch(name) && !word.ends_with("[@]}")
}

fn flag_name(word: &str) -> Option<&str> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
    // `-1` is a number.
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
}

/// Switches by their names' form: these take no value in any program read here.
fn is_switch(name: &str) -> bool {
    let name = name.replace('_', "-");
    name.starts_with("enable-")
        || name.starts_with("disable-")
        || name.starts_with("no-")
        || matches!(
            name.as_str(),
            "trust-remote-code"
                | "enforce-eager"
                | "rm"
                | "it"
                | "d"
                | "ipc-host"
                | "multi-gpu"
                | "use-fsdp"
                | "use-deepspeed"
                | "jinja"
                | "sharded"
                | "skip-tokenizer-init"
                | "allow-auto-truncate"
                | "i"
                | "t"
                | "verbose"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let found = commands(text);
        let words: Vec<String> =
            found.iter().filter(|command| !command.words.is_empty()).map(|command| command.words.join(" ")).collect();
        assert_eq!(words, expect, "{text}");
    }

    #[test]
    fn lines_are_joined_as_a_shell_joins_them() {
        check("vllm serve m \\\n  --tp 4 \\\n  --max-model-len 8192", &["vllm serve m --tp 4 --max-model-len 8192"]);
        check("vllm serve m\n  --tp 4", &["vllm serve m --tp 4"]);
        check("serve --x '{\"a\": 1,\n  \"b\": 2}' \\\n  --tp 4", &["serve --x {\"a\": 1, \"b\": 2} --tp 4"]);
        check("$ cd x && python a.py --b 'c d'", &["cd x", "python a.py --b c d"]);
        check("root@box:/app# ollama run x", &["ollama run x"]);
        check("a &&&&& b", &["a", "& b"]);
    }

    #[test]
    fn variables_are_put_in_where_the_paste_holds_them() {
        check(
            "N=8\nexport M=2\ntorchrun --nproc $N --nnodes ${M} --x ${Y:-3} --z $Z",
            &["torchrun --nproc 8 --nnodes 2 --x 3 --z $Z"],
        );
        check("ARGS=(\n  --a 1\n  --b 2\n)\nrun ${ARGS[@]}", &["run --a 1 --b 2"]);
        assert_eq!(commands("A=(\n  --a 1\n  --b 2\n)\nrun \"${A[@]}\"").pop().unwrap().words.len(), 5);
        check("A=\"--a 1\"\nB=\"--b 2\"", &["--a 1 --b 2"]);
        check("A=\"\n --a 1 \\\n --b 2 \\\n\"\nrun $A --c 3", &["run --a 1 --b 2 --c 3"]);
        check("A=\"\n --a 1\n --b 2\n\"\nrun $A --c 3", &["run --a 1 --b 2 --c 3"]);
        check("FROM x\nCMD [\"run\", \"--a b\", \"c\"]", &["FROM x", "run --a b c"]);
        check("A=\"--a 1\"\nA+=\" --b 2\"\nA+=(\n  --c 3\n)\nrun $A", &["run --a 1 --b 2 --c 3"]);
        let sizes =
            "S=70B\nif [ $S = 8B ]; then L=32; elif [[ $S == \"70B\" ]]; then\n  L=80\nelse L=1; fi\nrun --l $L";
        check(sizes, &["run --l 80"]);
        check("case 7B in\n 1B) L=16 ;;\n 7B|8B) L=32 ;;\n *) L=1 ;;\nesac\nrun --l $L", &["run --l 32"]);
        check("if [ -z $U ]; then L=2; fi\nrun --l $L", &["run --l 2"]);
        check("N=2\nG=8\nrun --n $((N * $G)) --m $(expr 16 / $N) --k $((N * ))", &["run --n 16 --m 8 --k $((N * ))"]);
    }

    #[test]
    fn files_that_a_script_writes_are_apart() {
        let (script, files) = here_documents("cat > a.yml <<'EOF'\na: 1\nEOF\nrun --x a.yml\nif a << b");
        assert_eq!((script.as_str(), files.join("|").as_str()), ("run --x a.yml\nif a << b\n", "a: 1"));
    }

    #[test]
    fn flags_take_values_unless_they_are_switches() {
        let words: Vec<String> = "x --a=1 --b 2 -c -1 --enable-d e --f".split(' ').map(str::to_owned).collect();
        assert_eq!(flags(&words), [("a", "1"), ("b", "2"), ("c", "-1"), ("enable-d", ""), ("f", "")]);
    }

    #[test]
    fn visible_gpus_are_counted() {
        let gpus = |text: &str| commands(text)[0].visible_gpus();
        assert_eq!(gpus("CUDA_VISIBLE_DEVICES=0,1,2 python a.py"), Some(3));
        assert_eq!(gpus("docker run --gpus '\"device=0,1\"' x"), Some(2));
        assert_eq!(gpus("docker run --gpus all x"), None);
    }
}
