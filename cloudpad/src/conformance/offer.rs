//! Whether a plugin's hello says what a host needs to know. Pure.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use cloudpad_plugin_api::wire::{PROTOCOL, PluginHello, Provides};
use cloudpad_plugin_api::{Placement, Stage};
use serde_json::Value;

use super::verdict::Verdict;
use crate::config::is_provider_name;
use crate::plugin::find::read_name;

/// Reads a hello, and says what is wrong with it; none where nothing can be done with it.
pub fn read(hello: &Value) -> (Verdict, Option<PluginHello>) {
    let protocols = hello.get("protocols").and_then(Value::as_array);
    if protocols.is_some_and(|protocols| !protocols.contains(&PROTOCOL.into())) {
        let why = format!("its `protocols` are {}, and this Cloudpad speaks {PROTOCOL}", hello["protocols"]);
        return (Verdict::failed(why, format!("speak protocol {PROTOCOL}, and say so")), None);
    }
    match serde_json::from_value::<PluginHello>(hello.clone()) {
        Ok(read) => (judge(&read, hello), Some(read)),
        Err(error) => {
            let mend = "a hello has `name`, `version`, `protocols` and `provides`";
            (Verdict::failed(format!("its hello is not understood: {error}"), mend), None)
        }
    }
}

fn judge(hello: &PluginHello, text: &Value) -> Verdict {
    let told = text["provides"].as_array().map_or(0, Vec::len);
    let verdict = match hello.provides.len() {
        0 => Verdict::failed(
            "it provides nothing for any stage that this Cloudpad knows",
            format!("`provides` lists providers, each for one of the stages {}", stages()),
        ),
        read if read < told => Verdict::warning(
            "some of what it provides is for a stage or a scope that this Cloudpad does not know",
            format!("that is right for a newer Cloudpad; the stages of this one are {}", stages()),
        ),
        _ => Verdict::Passed,
    };
    let name = match hello.name.as_str() {
        "" => Verdict::failed("its `name` is empty", "say the plugin's name"),
        _ => Verdict::Passed,
    };
    let version = match hello.version.as_str() {
        "" => Verdict::warning("it says no `version`", "say it: `Cloudpad.lock` and errors name it"),
        _ => Verdict::Passed,
    };
    let offers = hello.provides.iter().map(offer).fold(Verdict::Passed, Verdict::and);
    name.and(offers).and(twice(hello)).and(verdict).and(version)
}

fn stages() -> String {
    Stage::ALL.map(|stage| format!("`{stage}`")).join(", ")
}

fn twice(hello: &PluginHello) -> Verdict {
    let mut seen = BTreeSet::new();
    match hello.provides.iter().find(|offer| !seen.insert((offer.stage, &offer.provider))) {
        Some(Provides { stage, provider, .. }) => Verdict::failed(
            format!("it provides `{provider}` for stage `{stage}` twice"),
            "list each provider of a stage once",
        ),
        None => Verdict::Passed,
    }
}

fn offer(offer: &Provides) -> Verdict {
    let Provides { stage, provider, methods, .. } = offer;
    if !is_provider_name(provider) {
        let mend = "it begins with a lower-case letter, and consists of lower-case letters, digits and `-`";
        return Verdict::failed(format!("`{provider}` cannot be a provider's name"), mend);
    }
    let known = stage.methods();
    let lacks = |method: &&&str| !methods.iter().any(|offered| offered == **method);
    let placement = Placement::of(methods);
    let needed = known.iter().filter(|method| placement.has(method));
    let missing = needed.filter(lacks).filter(|method| !is_optional(method));
    let missing = missing.map(|method| {
        let why = format!("provider `{provider}` of stage `{stage}` does not offer `{method}`");
        match without(method) {
            Some(mend) => Verdict::warning(why, mend),
            None => Verdict::failed(why, "list it in `methods`: without it nothing comes of the stage"),
        }
    });
    let complete = missing.fold(Verdict::Passed, Verdict::and);
    if complete != Verdict::Passed {
        return complete;
    }
    let Some(odd) = methods.iter().find(|method| !known.contains(&method.as_str())) else {
        return Verdict::Passed;
    };
    let why =
        format!("provider `{provider}` of stage `{stage}` offers `{odd}`, which is no method of that stage");
    if Stage::ALL.iter().any(|stage| stage.methods().contains(&odd.as_str())) {
        return Verdict::failed(why, "offer it in a provider of its own stage");
    }
    Verdict::warning(why, "that is right for a newer Cloudpad; this one never calls it")
}

/// What a method is good for that a provider of the stage can do without.
fn without(method: &str) -> Option<&'static str> {
    match method {
        // Whoever has no ready images never needs it.
        "deploy.pull" => Some("offer it, so that images that nobody builds can be deployed"),
        "deploy.logs" | "cluster.logs" => Some("offer it, so that `cloudpad logs` works"),
        "deploy.exec" => Some("offer it, so that `cloudpad exec` works"),
        "deploy.run" => Some("offer it, so that jobs and `cloudpad run` work"),
        "deploy.route" => Some("offer it, so that services can have routes"),
        "deploy.record" | "cluster.record" => Some("offer it, so that one can go back to an earlier release"),
        _ => None,
    }
}

/// Whether many a provider has nothing to do for it.
pub fn is_optional(method: &str) -> bool {
    const OPTIONAL: &[&str] = &[
        "config.check",
        "inventory.add",
        "inventory.remove",
        "inventory.watch",
        "inventory.published",
        "inventory.publish",
        // Only who pushes to a place that keeps images can tell of them.
        "push.list",
        "push.remove",
        // Without it, an update takes a moment longer.
        "deploy.create",
        "deploy.clear",
        // Without it, ready images are whatever a host finds under their name.
        "deploy.resolve",
        // Without a lock, it is said at each deploy.
        "deploy.lock",
        "deploy.unlock",
        "secrets.list",
        "secrets.set",
        "secrets.open",
        "secrets.save",
        "deploy.command",
        "deploy.host",
        "deploy.login",
        "deploy.keys",
        "deploy.trust",
        "deploy.events",
        "deploy.stats",
        // Who can do all need not say so.
        "cluster.review",
    ];
    OPTIONAL.contains(&method)
}

/// Whether the plugin's file is called as its providers are looked for.
pub fn file_name(file: &OsStr, offers: &[Provides]) -> Verdict {
    let Some(Ok((name, _))) = read_name(file) else {
        return Verdict::skipped(
            "its file is not called `cloudpad-NAME`, so only `[plugins.NAME]` leads to it",
        );
    };
    let leads =
        |offer: &&Provides| name == offer.provider || name == format!("{}-{}", offer.provider, offer.stage);
    let Some(lost) = offers.iter().find(|offer| !leads(offer)) else { return Verdict::Passed };
    let Provides { stage, provider, .. } = lost;
    let why = format!("provider `{provider}` of stage `{stage}` is not found by the name `cloudpad-{name}`");
    let mend = format!("call the file `cloudpad-{provider}` or `cloudpad-{provider}-{stage}`");
    if offers.iter().any(|offer| leads(&offer)) {
        Verdict::warning(why, mend)
    } else {
        Verdict::failed(why, mend)
    }
}

#[cfg(test)]
#[path = "offer_tests.rs"]
mod tests;
