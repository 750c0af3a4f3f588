//! Routes in words. Pure.

use cloudpad_plugin_api::stage::deploy::{Rule, SetRoute};

use super::{plural, seconds, some_of};

/// What `deploy.route` does, in a line of a plan.
pub fn line(request: &SetRoute) -> String {
    let service = &request.service;
    let Some(rule) = &request.rule else {
        return format!("x lead no more requests to {service}{}", draining(request));
    };
    let from = requests(rule);
    if rule.maintenance.is_some() {
        return format!("= answer {from} with the maintenance page in place of {service}");
    }
    let (to, gone) = (request.add.join(", "), request.remove.join(", "));
    match (to.is_empty(), gone.is_empty()) {
        (true, true) => format!("= set the route of {service}: {from}"),
        (true, false) => format!("= lead {from} no more to {gone}{}", draining(request)),
        (false, true) => format!("= lead {from} to {to}"),
        (false, false) => format!("= lead {from} to {to}, and no more to {gone}{}", draining(request)),
    }
}

/// For how long a stop waits.
fn draining(request: &SetRoute) -> String {
    match request.drain_ms {
        0 => String::new(),
        ms if request.remove.is_empty() => format!(" (drain {})", seconds(ms)),
        ms => format!(
            " ({} up to {} to finish what {} answering)",
            if request.remove.len() == 1 { "which has" } else { "which have" },
            seconds(ms),
            if request.remove.len() == 1 { "it is" } else { "they are" }
        ),
    }
}

/// That a service shows a page in its place.
pub fn in_maintenance(service: &str, host: &str) -> String {
    format!("`{service}` on `{host}` is in maintenance; `cloudpad maintenance off` ends it")
}

/// That nobody answers the requests for a project on a host, whatever its services do.
pub fn down(host: &str, rules: &[&Rule]) -> String {
    let requests: Vec<String> = rules.iter().map(|rule| requests(rule)).collect();
    format!("the proxy on `{host}` does not run, so nobody answers {} there", some_of(&requests))
}

/// The requests that a rule is about: `shop.example.com/api and 2 more`.
pub fn requests(rule: &Rule) -> String {
    let path = rule.path.as_deref().unwrap_or_default();
    let Some(first) = rule.hosts.first() else {
        return if path.is_empty() { "all requests".to_owned() } else { format!("requests for {path}") };
    };
    match rule.hosts.len() {
        1 => format!("{first}{path}"),
        count => format!("{first}{path} and {}", plural(count - 1, "other name")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::model::{Host, Project};
    use cloudpad_plugin_api::stage::deploy::Proxy;

    use super::*;

    fn rule(hosts: &[&str]) -> Rule {
        let hosts: Vec<_> = hosts.to_vec();
        serde_json::from_value(serde_json::json!({ "hosts": hosts, "port": 80, "network": "shop", "redirect": false, "sticky": false })).unwrap()
    }

    fn told(rule: Option<Rule>, add: &[&str], remove: &[&str], drain_ms: u64) -> String {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        line(&SetRoute {
            host: Host::new("h1", "local").into(),
            project: Project { name: "shop".into(), environment: None }.into(),
            proxy: Proxy { image: "caddy:1".into(), http_port: 80, https_port: 443 }.into(),
            service: "web".into(),
            rule: rule.map(Arc::new),
            add: names(add),
            remove: names(remove),
            drain_ms,
        })
    }

    #[test]
    fn a_plan_says_where_requests_go_and_what_is_waited_for() {
        assert_eq!(told(Some(rule(&["a.de"])), &["new"], &[], 0), "= lead a.de to new");
        assert_eq!(
            told(Some(rule(&["a.de", "b.de"])), &["new"], &["old"], 30_000),
            "= lead a.de and 1 other name to new, and no more to old (which has up to 30.0 s to finish what it is answering)"
        );
        assert_eq!(told(Some(rule(&["a.de"])), &[], &["old"], 0), "= lead a.de no more to old");
        assert_eq!(told(Some(rule(&["a.de"])), &[], &[], 0), "= set the route of web: a.de");
        assert_eq!(
            told(None, &[], &["old", "older"], 5_000),
            "x lead no more requests to web (which have up to 5.0 s to finish what they are answering)"
        );
        assert_eq!(told(None, &[], &[], 5_000), "x lead no more requests to web (drain 5.0 s)");
        let down = Rule { maintenance: Some("x".into()), ..rule(&[]) };
        assert_eq!(
            told(Some(down), &[], &[], 0),
            "= answer all requests with the maintenance page in place of web"
        );
    }
}
