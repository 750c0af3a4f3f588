//! Lays an environment's tables over those of the file. Pure.

use super::shape::{Keys, Shape};
use super::tree::{Entry, Table, Value};

/// Merges `over` into `base`: tables key by key, everything else as a whole.
pub(super) fn merge(base: &mut Table, over: Table, keys: &Keys) {
    for key in over.keys() {
        for replaced in keys.replaced_by(key) {
            base.remove(*replaced);
        }
    }
    for (key, entry) in over {
        match keys.get(&key) {
            Some(shape) => put(base, key, entry, shape),
            None => drop(base.insert(key, entry)),
        }
    }
}

fn put(base: &mut Table, key: String, over: Entry, shape: &Shape) {
    let Some(under) = base.get_mut(&key) else {
        base.insert(key, over);
        return;
    };
    match (&mut under.node.value, over.node.value) {
        (Value::Table(under), Value::Table(over)) => merge_tables(under, over, shape),
        (_, value) => {
            under.key = over.key;
            under.node.span = over.node.span;
            under.node.value = value;
        }
    }
}

fn merge_tables(under: &mut Table, over: Table, shape: &Shape) {
    match shape.fit(&Value::Table(Table::new())) {
        Some(Shape::Table(keys)) => merge(under, over, keys),
        Some(Shape::Named(shape)) => {
            for (name, entry) in over {
                put(under, name, entry, shape);
            }
        }
        _ => {
            for (name, entry) in over {
                put(under, name, entry, &Shape::Opaque);
            }
        }
    }
}
