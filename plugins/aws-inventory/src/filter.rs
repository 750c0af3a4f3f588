//! Which instances are meant, as EC2 is asked for them and as people are told. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// EC2's filter by an instance's state.
const STATE: &str = "instance-state-name";

/// One value, or a list of them, any of which will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Values(pub Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E>(self, value: &str) -> Result<Values, E> {
                Ok(Values(vec![value.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        from.deserialize_any(Either)
    }
}

/// An instance has to fit each filter, and fits one by any of its values, where `*` and `?` stand for others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Filter {
    name: String,
    values: Vec<String>,
}

/// The filters for tags and those that go by EC2's names: only what runs, unless they say something about that.
pub(crate) fn of(tags: &BTreeMap<String, Values>, filters: &BTreeMap<String, Values>) -> Vec<Filter> {
    let filter = |name: String, values: &Values| Filter { name, values: values.0.clone() };
    let tags = tags.iter().map(|(tag, values)| filter(format!("tag:{tag}"), values));
    let mut all: Vec<_> =
        tags.chain(filters.iter().map(|(name, values)| filter(name.clone(), values))).collect();
    if !filters.contains_key(STATE) {
        all.push(Filter { name: STATE.to_owned(), values: vec!["running".to_owned()] });
    }
    all
}

/// What an instance has that fits them.
pub(crate) fn words(filters: &[Filter]) -> String {
    let quoted = |value: &String| format!("`{value}`");
    let one = |filter: &Filter| {
        let values: Vec<_> = filter.values.iter().map(quoted).collect();
        format!("`{}` = {}", filter.name, values.join(" or "))
    };
    filters.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(&str, &[&str])]) -> BTreeMap<String, Values> {
        let values = |values: &[&str]| Values(values.iter().map(|value| (*value).to_owned()).collect());
        entries.iter().map(|(name, list)| ((*name).to_owned(), values(list))).collect()
    }

    #[test]
    fn only_what_runs_is_meant_unless_something_else_is_said() {
        assert_eq!(words(&of(&table(&[]), &table(&[]))), "`instance-state-name` = `running`");
        let stopped = table(&[(STATE, &["stopped", "running"])]);
        assert_eq!(words(&of(&table(&[]), &stopped)), "`instance-state-name` = `stopped` or `running`");
    }

    #[test]
    fn filters_are_written_as_the_aws_tool_reads_them() {
        let all = of(&table(&[("env", &["a,b", "c"])]), &table(&[("vpc-id", &["v"])]));
        assert_eq!(
            serde_json::to_string(&all).unwrap(),
            r#"[{"Name":"tag:env","Values":["a,b","c"]},{"Name":"vpc-id","Values":["v"]},{"Name":"instance-state-name","Values":["running"]}]"#
        );
    }
}
