//! Changes to the text of a `Cloudpad.toml` that leave its comments and layout as they are. Pure.

use cloudpad_plugin_api::model::Host;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::Problem;

/// The text with one more host, in this environment or for all. What is in the way becomes a problem; whether the
/// host is a good one is for whoever reads the text.
///
/// # Errors
/// When there is such a host already, or something else stands where it belongs.
pub fn add_host(text: &str, environment: Option<&str>, host: &Host) -> Result<String, Problem> {
    let broken = |_| Problem::new("the file cannot be read, so nothing can be added to it");
    // An editor of Windows begins a file with it.
    let (mark, plain) = text.strip_prefix(MARK).map_or(("", text), |plain| (MARK, plain));
    let mut document: DocumentMut = plain.parse().map_err(broken)?;
    // What stands behind all tables, comments such as settings that are not in use, belongs to the last one of now.
    let end = document.trailing().as_str().unwrap_or_default().to_owned();
    document.set_trailing("");
    let before = document.to_string();
    let odd = || Problem::new("`hosts` is no table, so no host can be added to it");
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for key in environment.iter().flat_map(|name| ["environments", name]) {
        table = below(table, key).ok_or_else(odd)?;
    }
    let hosts = below(table, "hosts").ok_or_else(odd)?;
    if hosts.contains_key(&host.name) {
        let problem = Problem::new(format!("there is a host `{}` already", host.name));
        return Err(problem.hint("give the new one another name, or change what the file says of it"));
    }
    let is_inline = |item: &Item| item.is_inline_table();
    let written_inline = !hosts.is_empty() && hosts.iter().all(|(_, item)| is_inline(item));
    hosts.insert(&host.name, if written_inline { inline(host) } else { table_of(host) });
    let after = document.to_string();
    let after = match after.strip_prefix(&before) {
        Some(added) => {
            format!("{before}{end}{}{added}", if end.ends_with('\n') || end.is_empty() { "" } else { "\n" })
        }
        None => after + &end,
    };
    Ok(mark.to_owned() + &with_ends_of(plain, &after))
}

/// The byte order mark.
pub(super) const MARK: &str = "\u{feff}";

/// The lines of `after`, which was changed in one place, with the ends that those of `before` have.
pub(super) fn with_ends_of(before: &str, after: &str) -> String {
    let end = if before.contains("\r\n") { "\r\n" } else { "\n" };
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let text = |line: &str| line.trim_end_matches(['\r', '\n']).to_owned();
    let same = |(a, b): &(&&str, &&str)| text(a) == text(b);
    let begin = old.iter().zip(&new).take_while(same).count();
    let rest = (&old[begin..], &new[begin..]);
    let tail = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(same).count();
    let added = new[begin..new.len() - tail].iter().map(|line| text(line) + end);
    let whole = |line: &&str| if line.ends_with('\n') { (*line).to_owned() } else { text(line) + end };
    let kept = |lines: &[&str]| lines.iter().map(whole).collect::<String>();
    kept(&old[..begin]) + &added.collect::<String>() + &kept(&old[old.len() - tail..])
}

/// The table of this name; one that has no header of its own where there is none yet.
fn below<'a>(table: &'a mut dyn TableLike, key: &str) -> Option<&'a mut dyn TableLike> {
    if !table.contains_key(key) {
        let mut new = Table::new();
        new.set_implicit(true);
        table.insert(key, Item::Table(new));
    }
    table.get_mut(key)?.as_table_like_mut()
}

/// `[hosts.NAME]`, with a line for each key.
fn table_of(host: &Host) -> Item {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    fields(host).into_iter().for_each(|(key, field)| drop(table.insert(key, value(field))));
    Item::Table(table)
}

/// `NAME = { … }`.
fn inline(host: &Host) -> Item {
    let mut table = InlineTable::new();
    fields(host).into_iter().for_each(|(key, field)| drop(table.insert(key, field)));
    value(table)
}

fn fields(host: &Host) -> Vec<(&'static str, Value)> {
    let mut fields = vec![("address", Value::from(super::vars::escape(&host.address)))];
    if !host.roles.is_empty() {
        fields.push(("roles", Value::Array(Array::from_iter(&host.roles))));
    }
    if !host.labels.is_empty() {
        let labels = host.labels.iter().map(|(key, label)| (key, super::vars::escape(label)));
        fields.push(("labels", Value::InlineTable(labels.collect())));
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        let labels = [("zone".to_owned(), "a$b".to_owned())].into();
        Host { roles: vec!["web".into(), "db".into()], labels, ..Host::new("h2", "me@192.0.2.2") }
    }

    const ADDED: &str =
        "\n[hosts.h2]\naddress = \"me@192.0.2.2\"\nroles = [\"web\", \"db\"]\nlabels = { zone = \"a$$b\" }\n";

    #[test]
    fn it_stands_behind_the_other_hosts_and_all_else_stays() {
        let before =
            "# ours\n[project]\nname = \"shop\"   # so\n\n[hosts.h1]\naddress = \"192.0.2.1\" # first\n";
        let after = "\n# services\n[services.web]\nimage = \"web\"";
        let text = add_host(&format!("{before}{after}"), None, &host()).unwrap();
        assert_eq!(text, format!("{before}{ADDED}{after}\n"));
        assert_eq!(
            add_host(before, None, &Host::new("h1", "x")).unwrap_err().message,
            "there is a host `h1` already"
        );
    }

    #[test]
    fn it_is_written_as_the_others_are() {
        let text = "[hosts]\nh1 = { address = \"192.0.2.1\" }\n\n[services.web]\n";
        let added = add_host(text, None, &Host::new("h2", "192.0.2.2")).unwrap();
        assert_eq!(
            added,
            "[hosts]\nh1 = { address = \"192.0.2.1\" }\nh2 = { address = \"192.0.2.2\" }\n\n[services.web]\n"
        );
    }

    #[test]
    fn the_first_one_and_one_of_an_environment_find_a_place() {
        let text = "[project]\nname = \"shop\"\n";
        assert_eq!(add_host(text, None, &host()).unwrap(), format!("{text}{ADDED}"));
        let staging = add_host(text, Some("staging"), &host()).unwrap();
        assert_eq!(staging, format!("{text}{}", ADDED.replace("[hosts", "[environments.staging.hosts")));
        assert!(add_host("hosts = 1", None, &host()).is_err());
        assert!(add_host("hosts = ", None, &host()).is_err());
    }

    #[test]
    fn what_stands_at_the_end_stays_with_what_is_before_it() {
        for end in ["# env = { A = \"1\" }\n", "\n# a line\n\n# and one without an end"] {
            let text = format!("[services.web]\nimage = \"web\"\n{end}");
            let line = if end.ends_with('\n') { "" } else { "\n" };
            assert_eq!(add_host(&text, None, &host()).unwrap(), format!("{text}{line}{ADDED}"));
        }
        let text = "[hosts.h1]\naddress = \"a\"\n\n[services.web]\nimage = \"web\"\n# env = {}\n";
        let added = add_host(text, None, &host()).unwrap();
        assert_eq!(added, text.replacen("\n\n[services", &format!("\n{ADDED}\n[services"), 1));
    }

    #[test]
    fn ends_of_lines_and_a_mark_at_the_beginning_stay() {
        let text = "\u{feff}[project]\r\nname = \"shop\"\n\r\n[hosts.h1]\r\naddress = \"a\"\r\n\r\n[services.web]\r\n";
        let added = add_host(text, None, &Host::new("h2", "b")).unwrap();
        let new = "\r\n[hosts.h2]\r\naddress = \"b\"\r\n";
        assert_eq!(added, text.replacen("\r\n[services", &format!("{new}\r\n[services"), 1));
    }
}
