//! fleet's API v1 over a world. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::http::{Answer, Asked};
use super::rules;
use super::world::{Declared, Triple, World, text};

/// An error as fleet tells it.
pub fn error(status: u16, message: &str) -> Answer {
    let body = json!({ "error": { "code": status, "message": message } });
    Answer { status, body: Some(body.to_string()) }
}

fn ok(body: Value) -> Answer {
    Answer { status: 200, body: Some(body.to_string()) }
}

fn done(status: u16) -> Answer {
    Answer { status, body: None }
}

/// What fleet answers; nothing where it closes the connection.
pub fn answer(world: &mut World, asked: &Asked) -> Option<Answer> {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let Some(path) = path.strip_prefix("/fleet/v1/") else { return Some(error(404, "")) };
    if asked.method == "POST" {
        world.wrongs.push(format!("POST {path}"));
    }
    let get = asked.method == "GET";
    let only_get = || error(405, "only GET supported against this resource");
    Some(match path.split('/').collect::<Vec<_>>()[..] {
        ["machines"] if get => page(world.limit, query, "machines", machines(world)),
        ["machines"] => error(405, "only GET and PATCH supported against this resource"),
        ["units"] if get => page(world.limit, query, "units", units(world)),
        ["units"] | ["state"] if !get => only_get(),
        ["units", name] if !name.is_empty() => match decoded(name) {
            Some(name) => unit(world, asked, &name),
            None => error(404, ""),
        },
        ["state"] => {
            (0..world.pace).for_each(|_| world.tick());
            world.sample();
            let rows = states(world, query);
            page(world.limit, query, "states", rows)
        }
        ["state", name] if get => {
            world.wrongs.push(format!("GET /state/{name}, at which fleetd panics"));
            return None;
        }
        _ => error(404, ""),
    })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                u8::from_str_radix(&String::from_utf8(vec![rest.next()?, rest.next()?]).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('/'))
}

fn parameter(query: &str, name: &str) -> Vec<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).filter_map(|(_, value)| decoded(value)).collect()
}

fn page(limit: usize, query: &str, what: &str, all: Vec<Value>) -> Answer {
    let token = match &parameter(query, "nextPageToken")[..] {
        [] => Ok(1),
        [token] => page_of(token, limit),
        _ => Err("too many values for page token".to_owned()),
    };
    let number = match token {
        Ok(number) => number,
        Err(why) => return error(400, &why),
    };
    let shown: Vec<Value> = all.into_iter().skip((number - 1) * limit).take(limit).collect();
    let mut body = json!({});
    if shown.len() == limit {
        let mut token = u16::try_from(limit).unwrap().to_le_bytes().to_vec();
        token.extend(u16::try_from(number + 1).unwrap().to_le_bytes());
        body["nextPageToken"] = json!(URL_SAFE.encode(token));
    }
    if !shown.is_empty() {
        body[what] = json!(shown);
    }
    ok(body)
}

fn page_of(token: &str, limit: usize) -> Result<usize, String> {
    let bytes = URL_SAFE.decode(token).map_err(|_| "illegal base64 data".to_owned())?;
    let [a, b, c, d] = bytes[..] else { return Err("unexpected EOF".to_owned()) };
    match (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])) {
        (of, _) if usize::from(of) != limit => Err(format!("token limit must be {limit}")),
        (_, 0) => Err("token page must be greater than zero".to_owned()),
        (_, number) => Ok(number.into()),
    }
}

fn machines(world: &World) -> Vec<Value> {
    let told = |(id, metadata)| {
        let address = world.hands.get(id).map_or("127.0.0.1", |(_, address)| address);
        json!({ "id": id, "metadata": metadata, "primaryIP": address })
    };
    world.machines.iter().map(told).collect()
}

fn units(world: &World) -> Vec<Value> {
    let readable = world.units.iter().filter(|(_, unit)| is_state(&unit.desired));
    readable.map(|(name, unit)| shown(world, name, unit)).collect()
}

fn shown(world: &World, name: &str, unit: &Declared) -> Value {
    let option = |(section, name, value): &Triple| {
        let mut option = json!({ "section": section, "name": name });
        if !value.is_empty() {
            option["value"] = json!(value);
        }
        option
    };
    let options: Vec<Value> = unit.options.iter().map(option).collect();
    let is_there = world.processes.keys().any(|(of, _)| of == name);
    let current = if is_there { unit.desired.as_str() } else { "inactive" };
    let mut shown = json!({
        "name": name, "desiredState": unit.desired, "currentState": current, "options": options,
    });
    if let Some((machine, _)) = &unit.machine {
        shown["machineID"] = json!(machine);
    }
    shown
}

fn states(world: &World, query: &str) -> Vec<Value> {
    let (unit, machine) = (parameter(query, "unitName"), parameter(query, "machineID"));
    let wanted = |(of, on): &(String, String)| {
        unit.first().is_none_or(|unit| unit == of) && machine.first().is_none_or(|machine| machine == on)
    };
    let rows = world.processes.iter().filter(|(place, _)| wanted(place));
    rows.map(|((unit, machine), process)| {
        let [load, active, sub] = process.words();
        json!({
            "name": unit, "hash": process.hash, "machineID": machine, "systemdLoadState": load,
            "systemdActiveState": active, "systemdSubState": sub,
        })
    })
    .collect()
}

fn is_state(word: &str) -> bool {
    ["inactive", "loaded", "launched"].contains(&word)
}

fn unit(world: &mut World, asked: &Asked, name: &str) -> Answer {
    let poisoned = world.units.get(name).is_some_and(|unit| !is_state(&unit.desired));
    match asked.method.as_str() {
        "GET" | "DELETE" if poisoned => error(500, ""),
        "GET" | "DELETE" if !world.units.contains_key(name) => error(404, "unit does not exist"),
        "GET" => ok(shown(world, name, &world.units[name])),
        "DELETE" => {
            let alive = |((of, _), process): (&(String, String), &super::world::Process)| {
                of == name && process.is_alive()
            };
            if world.processes.iter().any(alive) {
                world.wrongs.push(format!("{name} was destroyed while it ran"));
            }
            world.units.remove(name);
            done(204)
        }
        "PUT" => put(world, asked, name, poisoned).unwrap_or_else(|refused| refused),
        _ => error(405, "only GET, PUT and DELETE supported against this resource"),
    }
}

fn put(world: &mut World, asked: &Asked, name: &str, poisoned: bool) -> Result<Answer, Answer> {
    let [content_type] = &asked.content_types[..] else {
        return Err(error(415, &format!("expected 1 Content-Type, got {}", asked.content_types.len())));
    };
    if content_type.split(';').next() != Some("application/json") {
        return Err(error(415, "only acceptable Content-Type is application/json"));
    }
    let undecodable = |error_: serde_json::Error| error(400, &format!("unable to decode body: {error_}"));
    let body: Value = serde_json::from_slice(&asked.body).map_err(undecodable)?;
    match body["name"].as_str() {
        Some(other) if other != name => {
            let why = format!("name in URL {name:?} differs from unit name in request body {other:?}");
            return Err(error(400, &why));
        }
        _ => rules::name(name).map_err(|why| error(400, &why))?,
    }
    if poisoned {
        return Err(error(500, ""));
    }
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let options: Vec<Triple> = body["options"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|option| (word(&option["section"]), word(&option["name"]), word(&option["value"])))
        .collect();
    let desired = word(&body["desiredState"]);
    let (now, exists) = (world.now, world.units.contains_key(name));
    if !exists && options.is_empty() {
        return Err(error(409, "unit does not exist and options field empty"));
    }
    rules::options(&options).map_err(|why| error(400, &why))?;
    let is_new = !exists || (!options.is_empty() && text(&world.units[name].options) != text(&options));
    if is_new {
        if desired.is_empty() && world.units.get(name).is_some_and(|unit| unit.desired == "launched") {
            world.wrongs.push(format!("{name} got new options, and so fell back to inactive"));
        }
        if !desired.is_empty() && !is_state(&desired) {
            return Err(error(500, ""));
        }
        let desired = if desired.is_empty() { "inactive".to_owned() } else { desired };
        let machine = world.units.get(name).and_then(|unit| unit.machine.clone());
        world.units.insert(name.to_owned(), Declared { options, desired, machine, since: now });
        return Ok(done(201));
    }
    if desired.is_empty() {
        return Err(error(409, "must provide DesiredState to update existing unit"));
    }
    if name.split_once('@').is_some_and(|(_, rest)| rest.starts_with('.')) && desired != "inactive" {
        return Err(error(400, &format!("cannot activate template {name:?}")));
    }
    if !is_state(&desired) {
        world.wrongs.push(format!("{name} is poisoned: it is to be {desired:?}"));
    }
    let unit = world.units.get_mut(name).unwrap();
    if unit.desired != desired {
        (unit.desired, unit.since) = (desired, now);
    }
    Ok(done(204))
}
