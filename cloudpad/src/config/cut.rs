//! Takes a host out of the text of a `Cloudpad.toml`, whose other lines stay byte for byte. Pure.

use toml_edit::{Document, DocumentMut, Item, Key, Table, TableLike};

use super::Problem;
use super::edit::{MARK, with_ends_of};

/// The text without a host, in this environment or for all; unchanged where it does not stand there. The comments right above go
/// with it, but for what is no word about it: rules and headings, lines that were taken out as comments, and what stands right
/// below the header of all hosts. Whether what is left is a good config is for whoever reads it.
///
/// # Errors
/// When the file cannot be read.
pub fn remove_host(text: &str, environment: Option<&str>, name: &str) -> Result<String, Problem> {
    let broken = |_| Problem::new("the file cannot be read, so nothing can be taken out of it");
    let (mark, plain) = text.strip_prefix(MARK).map_or(("", text), |plain| (MARK, plain));
    let path: Vec<&str> =
        environment.into_iter().flat_map(|name| ["environments", name]).chain(["hosts"]).collect();
    let document = Document::parse(plain).map_err(broken)?;
    let hosts = path.iter().try_fold(document.as_item(), |item, key| item.get(key));
    let cut = match hosts {
        Some(Item::Table(hosts)) => match hosts.get_key_value(name) {
            Some(host) => without_lines(plain, &document, host),
            None => plain.to_owned(),
        },
        // They are all within one value.
        _ => {
            let mut document: DocumentMut = plain.parse().map_err(broken)?;
            let root: &mut dyn TableLike = document.as_table_mut();
            let hosts = path.iter().try_fold(root, |table, key| table.get_mut(key)?.as_table_like_mut());
            match hosts.and_then(|hosts| hosts.remove(name)) {
                Some(_) => with_ends_of(plain, &document.to_string()),
                None => plain.to_owned(),
            }
        }
    };
    Ok(mark.to_owned() + &cut)
}

/// The lines of a text, and which of them go.
struct Lines<'a> {
    lines: Vec<&'a str>,
    /// The byte at which each begins.
    begins: Vec<usize>,
    gone: Vec<bool>,
}

fn without_lines(text: &str, document: &Document<&str>, host: (&Key, &Item)) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut at = 0;
    let begin = |line: &&str| {
        at += line.len();
        at - line.len()
    };
    let begins = lines.iter().map(begin).collect();
    let mut lines = Lines { gone: vec![false; lines.len()], begins, lines };
    let mut headers = Vec::new();
    headers_in(document.as_table(), &mut headers);
    let mut headers: Vec<usize> = headers.into_iter().map(|byte| lines.at(byte)).collect();
    headers.sort_unstable();
    lines.mark(host, &headers);
    lines.smooth(&headers);
    let kept = lines.lines.iter().zip(&lines.gone).filter(|(_, gone)| !**gone);
    kept.map(|(line, _)| *line).collect()
}

/// Where the headers of tables begin.
fn headers_in(table: &Table, found: &mut Vec<usize>) {
    for (_, item) in table {
        match item {
            Item::Table(table) => {
                found.extend(header(table));
                headers_in(table, found);
            }
            Item::ArrayOfTables(tables) => {
                for table in tables {
                    found.extend(header(table));
                    headers_in(table, found);
                }
            }
            Item::Value(_) | Item::None => {}
        }
    }
}

fn header(table: &Table) -> Option<usize> {
    let has_one = !table.is_dotted() && !table.is_implicit();
    table.span().filter(|_| has_one).map(|span| span.start)
}

impl Lines<'_> {
    /// The line of a byte.
    fn at(&self, byte: usize) -> usize {
        self.begins.partition_point(|begin| *begin <= byte).saturating_sub(1)
    }

    fn is_blank(&self, line: usize) -> bool {
        self.lines[line].trim().is_empty()
    }

    fn is_comment(&self, line: usize) -> bool {
        self.lines[line].trim_start().starts_with('#')
    }

    /// Whether it is a comment that stands for itself: a rule, or a line of the file that was taken out.
    fn is_apart(&self, line: usize) -> bool {
        let Some(text) = self.lines[line].trim_start().strip_prefix('#') else { return false };
        let is_key = |(key, _): (&str, &str)| {
            let key = key.trim();
            !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_.\"'".contains(c))
        };
        let is_rule = ["###", "---", "===", "***"].iter().any(|rule| self.lines[line].contains(rule));
        is_rule || text.trim_start().starts_with('[') || text.split_once('=').is_some_and(is_key)
    }

    /// The first of the comments right above a line that are about it.
    fn comments_above(&self, line: usize, headers: &[usize]) -> usize {
        let is_about = |above: &usize| self.is_comment(*above) && !self.is_apart(*above);
        let first = (0..line).rev().take_while(is_about).last().unwrap_or(line);
        let is_headed = first > 0 && (headers.contains(&(first - 1)) || self.is_comment(first - 1));
        if is_headed && !self.gone[first - 1] { line } else { first }
    }

    /// Marks what an item consists of.
    fn mark(&mut self, (key, item): (&Key, &Item), headers: &[usize]) {
        match item {
            Item::Table(table) => {
                if let Some(begin) = header(table).map(|byte| self.at(byte)) {
                    let end = headers.iter().find(|next| **next > begin).copied();
                    let end = self.end_of_table(begin, end);
                    self.gone[begin..end].fill(true);
                }
                for (name, _) in table {
                    if let Some(below) = table.get_key_value(name) {
                        self.mark(below, headers);
                    }
                }
            }
            Item::Value(value) => {
                if let (Some(key), Some(value)) = (key.span(), value.span()) {
                    let (begin, end) = (self.at(key.start), self.at(value.end.saturating_sub(1)));
                    self.gone[begin..=end].fill(true);
                }
            }
            Item::ArrayOfTables(_) | Item::None => {}
        }
    }

    /// Where the lines of a table end that begins there: before the comments of what follows, which are all at its end, or
    /// those from the first blank line on.
    fn end_of_table(&self, begin: usize, next: Option<usize>) -> usize {
        let end = next.unwrap_or(self.lines.len());
        let is_last = |line: &usize| !self.is_blank(*line) && !self.is_comment(*line);
        let content = (begin..end).rev().find(is_last).map_or(begin, |line| line + 1);
        let others = (content..end).find(|line| self.is_blank(*line) || self.is_apart(*line));
        others.or(next.map(|_| content)).unwrap_or(end)
    }

    /// Takes the comments right above what goes too, but not those of what follows as well, and leaves no more blank lines between two than
    /// there were.
    fn smooth(&mut self, headers: &[usize]) {
        let count = self.lines.len();
        let mut at = 0;
        while at < count {
            let Some(mut begin) = (at..count).find(|line| self.gone[*line]) else { return };
            let end = (begin..count).find(|line| !self.gone[*line]).unwrap_or(count);
            let goes_on =
                end < count && !self.is_blank(end) && !self.is_comment(end) && !headers.contains(&end);
            if !goes_on {
                let first = self.comments_above(begin, headers);
                self.gone[first..begin].fill(true);
                begin = first;
            }
            let is_apart = begin == 0 || self.is_blank(begin - 1);
            if is_apart && end < count && self.is_blank(end) {
                self.gone[end] = true;
            }
            while end == count && begin > 0 && self.is_blank(begin - 1) {
                begin -= 1;
                self.gone[begin] = true;
            }
            at = end + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::remove_host;

    #[test]
    fn a_host_goes_with_its_comments_and_all_else_stays() {
        let cases = [
            // With headers of their own.
            (
                "[hosts.h1]\na = 1\n\n# old\n[hosts.h2]\na = 2 # b\n\n[hosts.h3]\na = 3\n",
                "[hosts.h1]\na = 1\n\n[hosts.h3]\na = 3\n",
            ),
            (
                "# all\n\n# old\n[hosts.h2]\na = 2\n\n# new\n[hosts.h3]\na = 3\n",
                "# all\n\n# new\n[hosts.h3]\na = 3\n",
            ),
            ("[hosts.h2]\na = 2\n# new\n[hosts.h3]\na = 3\n", "# new\n[hosts.h3]\na = 3\n"),
            ("[p]\nn = 1\n\n[hosts.h2]\na = 2\n# so\n\n", "[p]\nn = 1\n\n"),
            (
                "[hosts.h2]\na = 2\n[hosts.h2.labels]\nz = 1\n[p]\nn = \"\"\"\n[q]\n\"\"\"\n",
                "[p]\nn = \"\"\"\n[q]\n\"\"\"\n",
            ),
            ("[hosts.h2.labels]\nz = 1\n[p]\n[hosts.h2]\na = 2\n", "[p]\n"),
            ("[hosts.h2]\na = \"\"\"\n[hosts.h1]\n\"\"\"\n[[q]]\n", "[[q]]\n"),
            // As values of one table.
            (
                "[hosts]\n# one\nh1 = { a = 1 }\n# two\nh2 = { a = 2 } # b\n# three\nh3 = {}\n",
                "[hosts]\n# one\nh1 = { a = 1 }\n# three\nh3 = {}\n",
            ),
            ("[hosts]\n# all\nh2 = { a = [\n  2,\n] }\nh3 = {}\n", "[hosts]\n# all\nh3 = {}\n"),
            // What is no word about it.
            ("#####\n# HOSTS\n#####\n[hosts.h2]\na = 2\n", "#####\n# HOSTS\n#####\n"),
            ("[p]\n\n# --- hosts ---\n# ours\n[hosts.h2]\na = 2\n", "[p]\n\n# --- hosts ---\n# ours\n"),
            (
                "[hosts]\n# All are here.\n# Mind h1!\nh2 = {}\n\nh1 = {}\n",
                "[hosts]\n# All are here.\n# Mind h1!\n\nh1 = {}\n",
            ),
            (
                "# [hosts.h8]\n# a = 8\n[hosts.h2]\na = 2\n# [hosts.h7]\n# a = 7\n[p]\n",
                "# [hosts.h8]\n# a = 8\n# [hosts.h7]\n# a = 7\n[p]\n",
            ),
            ("# was = much\n# old: a\n[hosts.h2]\na = 2\n", "# was = much\n# old: a\n"),
            ("[hosts]\nh1.a = 1\nh2.a = 2\nh2.r = [\n 1,\n]\nh3.a = 3\n", "[hosts]\nh1.a = 1\nh3.a = 3\n"),
            ("hosts.h1.a = 1\nhosts.h2.a = 2\n\n[p]\n", "hosts.h1.a = 1\n\n[p]\n"),
            ("[hosts]\nh2 = {}\n\n[p]\n", "[hosts]\n\n[p]\n"),
            // Within one value.
            ("hosts = { h1 = { a = 1 }, h2 = { a = 2 } } # b\n", "hosts = { h1 = { a = 1 }} # b\n"),
            // What is not there.
            ("[hosts.h1]\na = 1\n\n\n", "[hosts.h1]\na = 1\n\n\n"),
            ("[p]\n", "[p]\n"),
            ("hosts = 1\n", "hosts = 1\n"),
        ];
        for (before, after) in cases {
            assert_eq!(remove_host(before, None, "h2").as_deref(), Ok(after), "{before}");
            let (windows, after) = (before.replace('\n', "\r\n"), after.replace('\n', "\r\n"));
            let text = remove_host(&format!("\u{feff}{windows}"), None, "h2");
            assert_eq!(text, Ok(format!("\u{feff}{after}")), "{before}");
        }
        assert!(remove_host("[hosts", None, "h2").is_err());
    }

    #[test]
    fn what_an_environment_has_is_its_own() {
        let text = "[hosts.h2]\na = 1\n\n[environments.staging.hosts]\nh2 = { a = 2 }\n";
        assert_eq!(
            remove_host(text, Some("staging"), "h2").unwrap(),
            "[hosts.h2]\na = 1\n\n[environments.staging.hosts]\n"
        );
        assert_eq!(remove_host(text, None, "h2").unwrap(), "[environments.staging.hosts]\nh2 = { a = 2 }\n");
        assert_eq!(remove_host(text, Some("production"), "h2").unwrap(), text);
    }
}
