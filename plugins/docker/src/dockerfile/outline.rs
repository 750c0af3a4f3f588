//! Which stages a Dockerfile has, and whether its last instruction ends. Pure.
//!
//! Lines become instructions as they do for BuildKit (moby/buildkit, `frontend/dockerfile/parser`): comments and empty lines
//! are passed over even where an instruction goes on, and what follows a `<<NAME` is a text, whatever it looks like.

/// What is built from one `FROM` to the next.
#[derive(Debug, PartialEq, Eq)]
pub struct Stage {
    /// The image or the stage that it begins with, as it is written.
    pub from: String,
    /// Its name, in lower case: BuildKit takes no notice of case.
    pub name: Option<String>,
}

/// What a Dockerfile is made of, as far as one has to know.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Its stages, in their order.
    pub stages: Vec<Stage>,
    /// The line, counted from 1, of an instruction that still goes on at the end of the file.
    pub unended: Option<usize>,
    /// Whether it names a frontend that reads it, for which it may look quite different.
    pub has_syntax: bool,
}

impl Outline {
    /// Reads a Dockerfile. What is none has no stages.
    pub fn of(text: &str) -> Self {
        let (escape, has_syntax) = directives(text);
        let mut outline = Self { has_syntax, ..Self::default() };
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some((mut instruction, mut goes_on)) = piece(line, escape) else { continue };
            while goes_on {
                let Some((_, line)) = lines.next() else { break };
                let Some((more, on)) = piece(line, escape) else { continue };
                instruction.push_str(&more);
                goes_on = on;
            }
            let is_whole = heredocs(&instruction).iter().all(|end| lines.any(|(_, line)| end.is(line)));
            outline.unended = (goes_on || !is_whole).then_some(at + 1);
            outline.stages.extend(stage(&instruction));
        }
        outline
    }

    /// Whether it has a stage of this name or number.
    pub fn has(&self, target: &str) -> bool {
        let is_named = |stage: &Stage| stage.name.as_deref() == Some(&*target.to_lowercase());
        self.stages.iter().any(is_named)
            || target.parse().is_ok_and(|number: usize| number < self.stages.len())
    }

    /// The names of its stages.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().filter_map(|stage| stage.name.as_deref())
    }
}

/// The sign with which a line goes on, and whether a frontend is named: both stand above all else.
fn directives(text: &str) -> (char, bool) {
    let (mut escape, mut has_syntax) = ('\\', false);
    for line in text.trim_start_matches('\u{feff}').lines() {
        let directive = line.trim().strip_prefix('#').and_then(|rest| rest.split_once('='));
        let Some((key, value)) = directive else { break };
        match (key.trim().to_lowercase().as_str(), value.trim()) {
            ("escape", "`") => escape = '`',
            ("syntax", _) => has_syntax = true,
            ("escape" | "check", _) => {}
            _ => break,
        }
    }
    (escape, has_syntax)
}

/// What a line has of an instruction, and whether that goes on; nothing where the line is empty or a comment.
fn piece(line: &str, escape: char) -> Option<(String, bool)> {
    let trimmed = line.trim_start_matches('\u{feff}').trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return None;
    }
    // Two of the sign are one that is meant.
    match line.trim_end().strip_suffix(escape).filter(|rest| !rest.ends_with(escape)) {
        Some(rest) => Some((rest.to_owned(), true)),
        None => Some((line.to_owned(), false)),
    }
}

fn stage(instruction: &str) -> Option<Stage> {
    let mut words = instruction.trim_start_matches('\u{feff}').split_whitespace();
    words.next().filter(|word| word.eq_ignore_ascii_case("FROM"))?;
    let mut words = words.skip_while(|word| word.starts_with("--"));
    let from = words.next()?.to_owned();
    let name = words.next().filter(|word| word.eq_ignore_ascii_case("AS")).and_then(|_| words.next());
    Some(Stage { from, name: name.map(str::to_lowercase) })
}

/// The line that ends a text of an instruction.
struct End {
    name: String,
    /// Whether tabs before it do not count.
    has_tabs: bool,
}

impl End {
    fn is(&self, line: &str) -> bool {
        let line = if self.has_tabs { line.trim_start_matches('\t') } else { line };
        line == self.name
    }
}

/// The texts that follow an instruction, by what ends them.
fn heredocs(instruction: &str) -> Vec<End> {
    let (word, rest) = instruction.trim_start().split_once(char::is_whitespace).unwrap_or_default();
    if word.eq_ignore_ascii_case("ONBUILD") {
        return heredocs(rest);
    }
    let may_have = ["RUN", "COPY", "ADD"].iter().any(|name| word.eq_ignore_ascii_case(name));
    // Words that are given as JSON are as they are.
    if !may_have || serde_json::from_str::<Vec<String>>(rest.trim()).is_ok() {
        return Vec::new();
    }
    words(rest).iter().filter_map(|word| heredoc(word)).collect()
}

/// What a word such as `3<<-"NAME"` begins.
fn heredoc(word: &str) -> Option<End> {
    let name = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (name, has_tabs) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
    let name: String = name.chars().filter(|c| !matches!(c, '"' | '\'')).collect();
    (!name.is_empty() && !name.contains('<')).then_some(End { name, has_tabs })
}

/// The words of a line, with their quotes: within these, spaces are no end of a word.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        match (quote, sign) {
            (None, sign) if sign.is_whitespace() => words.push(std::mem::take(&mut word)),
            (Some(open), sign) if sign == open => quote = None,
            (None, '"' | '\'') => quote = Some(sign),
            _ => {}
        }
        if quote.is_some() || !sign.is_whitespace() {
            word.push(sign);
        }
        if sign == '\\' && quote != Some('\'') {
            word.extend(signs.next());
        }
    }
    words.push(word);
    words
}

#[cfg(test)]
mod tests;
