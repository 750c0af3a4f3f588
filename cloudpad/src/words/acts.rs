//! What an action does, and what it has done, in words. Pure.

use cloudpad_plugin_api::Reply;

use super::bytes;
use crate::report::Subject;

/// What an action that has begun is doing.
pub fn doing(subject: &Subject) -> String {
    let object = &subject.object;
    match subject.method {
        "inventory.list" => "asking the inventory for hosts".to_owned(),
        "inventory.add" | "inventory.remove" => "writing to the inventory".to_owned(),
        "inventory.watch" => "listening to the inventory".to_owned(),
        "inventory.published" => "asking what the inventory tells others".to_owned(),
        "inventory.publish" => format!("telling the inventory where {object} is"),
        "source.resolve" => format!("looking at source {object}"),
        "source.fetch" => format!("fetching source {object}"),
        "secrets.get" => "asking for secrets".to_owned(),
        "secrets.list" => "asking what secrets are called".to_owned(),
        "secrets.open" => "reading secrets".to_owned(),
        "secrets.set" | "secrets.save" => "keeping secrets".to_owned(),
        "build.observe" => "looking at images".to_owned(),
        "build.run" => format!("building {object}"),
        "push.run" => format!("sending {object}"),
        "push.list" => "asking the registry for images".to_owned(),
        "push.remove" => format!("removing {object}"),
        "deploy.observe" => "looking".to_owned(),
        "deploy.pull" => format!("pulling {object}"),
        "deploy.create" => format!("making {object}"),
        "deploy.start" => format!("starting {object}"),
        "deploy.ready" => format!("waiting until {object} is ready"),
        "deploy.route" => format!("setting the route of {object}"),
        "deploy.stop" => format!("stopping {object}"),
        "deploy.remove" => format!("removing {object}"),
        "deploy.clear" => "removing what is left".to_owned(),
        "deploy.command" => format!("running {object}"),
        "deploy.keys" => "asking for its host key".to_owned(),
        "deploy.host" => "looking at the machine".to_owned(),
        "deploy.lock" => "taking the project's lock".to_owned(),
        "deploy.run" => format!("running {object}"),
        "deploy.logs" => "reading logs".to_owned(),
        "deploy.events" => "listening to what happens".to_owned(),
        "deploy.stats" => "measuring".to_owned(),
        "deploy.resolve" => "asking registries what images mean now".to_owned(),
        "deploy.exec" => format!("running a command in {object}"),
        "deploy.record" => format!("noting release {object}"),
        "cluster.review" => "asking what the cluster can be asked for".to_owned(),
        "cluster.observe" => "looking at the cluster".to_owned(),
        "cluster.apply" => format!("telling the cluster what {object} is to be"),
        "cluster.ready" => format!("waiting until {object} is ready"),
        "cluster.remove" => format!("removing {object}"),
        "cluster.logs" => "reading logs".to_owned(),
        "cluster.record" => format!("noting release {object}"),
        method => format!("{method} {object}"),
    }
}

/// What an action has done.
pub fn did(subject: &Subject, reply: &Reply) -> String {
    let object = &subject.object;
    match (subject.method, reply) {
        ("source.fetch", Reply::Fetched(fetched)) if !fetched.changed => {
            format!("source {object} is up to date")
        }
        ("source.fetch", _) => format!("fetched source {object}"),
        ("build.run", Reply::Built(built)) if built.cached => format!("{object} is built already"),
        ("build.run", _) => format!("built {object}"),
        ("push.run", Reply::Pushed(pushed)) => match pushed.sent {
            Some(0) => format!("{object} is there already"),
            Some(sent) => format!("sent {object}, {}", bytes(sent)),
            None => format!("sent {object}"),
        },
        ("push.remove", _) => format!("removed {object}"),
        ("deploy.pull", _) => format!("pulled {object}"),
        ("deploy.create", Reply::Created(made)) if !made.created => format!("{object} is there already"),
        ("deploy.create", _) => format!("made {object}"),
        ("deploy.start", Reply::Started(started)) if !started.created => format!("started {object} again"),
        ("deploy.start", _) => format!("started {object}"),
        ("deploy.ready", _) => format!("{object} is ready"),
        ("deploy.route", _) => format!("set the route of {object}"),
        ("deploy.stop", _) => format!("stopped {object}"),
        ("deploy.remove", _) => format!("removed {object}"),
        ("deploy.command", _) => format!("ran {object}"),
        ("deploy.host", _) => "its engine answers".to_owned(),
        ("deploy.clear", _) => "removed what was left".to_owned(),
        ("deploy.run", Reply::Ran(ran)) if ran.timed_out => format!("stopped {object}, whose time was over"),
        ("deploy.run", Reply::Ran(ran)) => format!("{object} has ended with exit code {}", ran.exit_code),
        ("cluster.apply", Reply::Applied(applied)) if !applied.changed => format!("{object} is so already"),
        ("cluster.apply", _) => format!("told the cluster what {object} is to be"),
        ("cluster.ready", _) => format!("{object} is ready"),
        ("cluster.remove", _) => format!("removed {object}"),
        ("inventory.publish", _) => format!("told the inventory where {object} is"),
        ("deploy.record" | "cluster.record", _) => format!("noted release {object}"),
        _ => format!("done: {}", doing(subject)),
    }
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::stage::cluster::Applied;
    use cloudpad_plugin_api::stage::deploy::{Ran, Started};

    use super::*;

    #[test]
    fn what_was_there_before_was_not_made() {
        let subject = Subject { id: 0, method: "deploy.create", host: None, object: "shop-web-1".to_owned() };
        let told = |created| {
            let made = Started { id: String::new(), created };
            did(&subject, &Reply::Created(made))
        };
        assert_eq!(
            (told(true), told(false)),
            ("made shop-web-1".into(), "shop-web-1 is there already".into())
        );
    }

    #[test]
    fn what_was_so_already_or_took_too_long_is_told_as_that() {
        let subject = |method| Subject { id: 0, method, host: None, object: "web".to_owned() };
        let told = |changed| did(&subject("cluster.apply"), &Reply::Applied(Applied { changed }));
        assert_eq!(told(true), "told the cluster what web is to be");
        assert_eq!(told(false), "web is so already");
        let told = |timed_out| {
            did(&subject("deploy.run"), &Reply::Ran(Ran { exit_code: 3, timed_out, found: false }))
        };
        assert_eq!(told(true), "stopped web, whose time was over");
        assert_eq!(told(false), "web has ended with exit code 3");
    }
}
