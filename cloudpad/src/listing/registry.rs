//! What a registry has of a project, as `cloudpad registry ls` lists it. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::stage::push::Listed;
use serde::Serialize;

use crate::manifest::ago;
use crate::plan::{Fate, Judged, Needs, Uses, judged};
use crate::words::{bytes, columns, some_of};

/// How much of a digest tells it from others.
const DIGITS: usize = 12;

/// An image in the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is called in the config.
    pub image: String,
    /// Where it is.
    pub place: String,
    /// By what it can always be found.
    pub digest: String,
    /// The releases that it was built for, oldest first.
    pub releases: Vec<String>,
    /// Its other tags, sorted.
    pub tags: Vec<String>,
    /// When it was made, in seconds since 1970, where that is known.
    pub created: Option<i64>,
    /// Its bytes, compressed, where that is known.
    pub size: Option<u64>,
    /// Who needs it.
    pub needed_by: Uses,
    /// Whether `registry prune` removes it, and else why not.
    pub fate: Fate,
}

/// All images of these repositories of project `project`, the newest of each first.
pub fn rows(project: &str, listed: &BTreeMap<String, Listed>, needs: &Needs, keep: usize) -> Vec<Row> {
    let rows = listed.iter().flat_map(|(repository, listed)| {
        let row = |image: Judged<'_>| row(project, repository, &listed.place, image);
        judged(repository, &listed.images, needs, keep).into_iter().map(row)
    });
    rows.collect()
}

fn row(project: &str, repository: &str, place: &str, image: Judged<'_>) -> Row {
    let Judged { stored, uses, fate } = image;
    let name = repository.strip_prefix(project).and_then(|rest| rest.strip_prefix('.')).unwrap_or(repository);
    Row {
        image: name.to_owned(),
        place: place.to_owned(),
        digest: stored.digest.clone(),
        releases: stored.releases.clone(),
        tags: stored.tags.clone(),
        created: stored.created,
        size: stored.size,
        needed_by: uses,
        fate,
    }
}

/// Rows as a table with a heading. `now` is in seconds since 1970.
pub fn table(rows: &[Row], now: i64) -> String {
    let heading = ["IMAGE", "RELEASE", "TAG", "DIGEST", "MADE", "SIZE", "STAYS"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        let digest = row.digest.split_once(':').map_or(&*row.digest, |(_, hex)| hex);
        [
            row.image.clone(),
            row.releases.last().cloned().unwrap_or_default(),
            row.tags.join(", "),
            digest.get(..DIGITS).unwrap_or(digest).to_owned(),
            row.created.map_or(String::new(), |created| ago(now - created)),
            row.size.map_or(String::new(), bytes),
            why(row),
        ]
    });
    columns(&std::iter::once(heading).chain(cells).collect::<Vec<_>>())
}

/// Why it stays, where it does.
fn why(row: &Row) -> String {
    let Uses { runs_on, releases, others } = &row.needed_by;
    let names: Vec<String> = runs_on.iter().cloned().collect();
    let runs = (!names.is_empty()).then(|| format!("runs on {}", some_of(&names)));
    let remembered = releases.last().map(|release| format!("release {release}"));
    let needed = runs.or(remembered).or(others.then(|| "needed".to_owned()));
    match row.fate {
        Fate::Needed => needed.unwrap_or_default(),
        Fate::Recent => "one of the newest".to_owned(),
        Fate::Part => "part of another".to_owned(),
        Fate::Foreign => "not Cloudpad's".to_owned(),
        Fate::Unclear => "not known".to_owned(),
        Fate::Spare => "no".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::stage::push::Stored;

    use super::*;

    #[test]
    fn an_image_is_a_line_that_says_why_it_stays() {
        let stored = |number: i64, built: bool| Stored {
            digest: format!("sha256:{number}23456789abcdef"),
            tags: vec![format!("v{number}")],
            releases: if built { vec![format!("2026013{number}T235959Z")] } else { Vec::new() },
            built: built.then(|| format!("shop.web:v{number}")),
            created: built.then_some(number * 60),
            size: built.then_some(1_234_567),
            parts: Vec::new(),
        };
        let listed = Listed {
            place: "r.test/shop.web".into(),
            images: vec![stored(0, true), stored(1, true), stored(2, false)],
        };
        let rows = rows("shop", &[("shop.web".to_owned(), listed)].into(), &Needs::default(), 1);
        let text = table(&rows, 120);
        let told: Vec<_> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let expected = [
            "IMAGE RELEASE TAG DIGEST MADE SIZE STAYS",
            "web 20260131T235959Z v1 123456789abc 1 minute ago 1.2 MB one of the newest",
            "web 20260130T235959Z v0 023456789abc 2 minutes ago 1.2 MB no",
            "web v2 223456789abc not Cloudpad's",
        ];
        assert_eq!(told, expected);
        let json = serde_json::to_value(&rows[0]).unwrap();
        assert_eq!((&json["fate"], &json["needed_by"]["hosts"]), (&"recent".into(), &serde_json::json!([])));
    }
}
