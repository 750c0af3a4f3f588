//! From the engine's lists to what a planner wants to know. Pure, with the maps of the engine's client.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum as Engine, ImageSummary, PortSummary, PortSummaryTypeEnum,
};
use cloudpad_engine::release_names;
use cloudpad_plugin_api::model::{ContainerSpec, Instance, Project, Protocol, label};
use cloudpad_plugin_api::stage::deploy::{Container, OneOff, PortHeld, State, Status};

use super::{proof, status};

/// The project's containers, by name.
pub(super) fn containers(all: &[ContainerSummary], project: &Project) -> Vec<Container> {
    let mut ours: Vec<_> = all.iter().filter_map(|seen| container(seen, project)).collect();
    ours.sort_by(|a, b| a.name.cmp(&b.name));
    ours
}

/// The container, if its labels say that it is the project's, and which of its instances.
fn container(seen: &ContainerSummary, project: &Project) -> Option<Container> {
    let labels = seen.labels.as_ref()?;
    if !belongs_to(labels, project) {
        return None;
    }
    let text = |key| labels.get(key).map(String::as_str);
    let name = name(seen)?;
    let told = seen.status.as_deref().unwrap_or_default();
    let state = status::state(seen.state, told);
    Some(Container {
        id: seen.id.clone()?,
        name: proof::own_name(name).unwrap_or(name).to_owned(),
        instance: Instance {
            service: text(label::SERVICE)?.to_owned(),
            number: text(label::INSTANCE)?.parse().ok()?,
        },
        release: text(label::RELEASE).unwrap_or_default().to_owned(),
        spec_id: text(label::SPEC_ID).unwrap_or_default().to_owned(),
        spec: text(label::SPEC).and_then(|spec| serde_json::from_str(spec).ok()),
        state: match proof::own_name(name) {
            Some(_) if state == State::Running => State::Starting,
            _ => state,
        },
        created: seen.created.unwrap_or_default(),
        status: Status {
            unproven: proof::own_name(name).is_some() && seen.state == Some(Engine::EXITED),
            ..status::status(told)
        },
    })
}

/// The project's one-off containers, by name.
pub(super) fn one_offs(all: &[ContainerSummary], project: &Project) -> Vec<OneOff> {
    let mut ours: Vec<_> = all.iter().filter_map(|seen| one_off(seen, project)).collect();
    ours.sort_by(|a, b| a.name.cmp(&b.name));
    ours
}

fn one_off(seen: &ContainerSummary, project: &Project) -> Option<OneOff> {
    let labels = seen.labels.as_ref().filter(|labels| belongs_to(labels, project))?;
    labels.get(label::ONE_OFF)?;
    let told = seen.status.as_deref().unwrap_or_default();
    let known = [label::PROJECT, label::ENVIRONMENT, label::RELEASE, label::SPEC, label::ONE_OFF];
    let is_told = |key: &str| key.starts_with("cloudpad.") && !known.contains(&key);
    let further = labels.iter().filter(|(key, _)| is_told(key));
    Some(OneOff {
        id: seen.id.clone()?,
        name: name(seen)?.to_owned(),
        release: labels.get(label::RELEASE).cloned().unwrap_or_default(),
        labels: further.map(|(key, value)| (key.clone(), value.clone())).collect::<BTreeMap<_, _>>(),
        state: status::state(seen.state, told),
        exit_code: status::exit_code(told),
        created: seen.created.unwrap_or_default(),
        image: image(labels).unwrap_or_default(),
        lasting: status::status(told).lasting,
    })
}

/// The image of the spec that a container with these labels was made from.
fn image(labels: &HashMap<String, String>) -> Option<String> {
    let spec: ContainerSpec = serde_json::from_str(labels.get(label::SPEC)?).ok()?;
    Some(spec.image)
}

/// The images of the containers that the project has in other environments.
pub(super) fn images_elsewhere(all: &[ContainerSummary], project: &Project) -> Vec<String> {
    let labels = all.iter().filter_map(|seen| seen.labels.as_ref());
    let others = labels
        .filter(|labels| labels.get(label::PROJECT) == Some(&project.name) && !belongs_to(labels, project));
    others.filter_map(image).collect()
}

/// Whether a container with these labels is the project's in this environment.
pub(super) fn belongs_to(labels: &HashMap<String, String>, project: &Project) -> bool {
    let text = |key| labels.get(key).map(String::as_str);
    let environment = project.environment.as_deref().unwrap_or_default();
    text(label::PROJECT) == Some(&project.name) && text(label::ENVIRONMENT).unwrap_or_default() == environment
}

fn name(seen: &ContainerSummary) -> Option<&str> {
    Some(seen.names.as_ref()?.first()?.trim_start_matches('/'))
}

/// References of the images that have one, sorted, but for the names that are only for people.
pub(super) fn images(all: &[ImageSummary]) -> Vec<String> {
    let tags = all.iter().flat_map(|image| {
        let for_people =
            built_as(image).map(|name| release_names(name, &image.repo_tags)).unwrap_or_default();
        image.repo_tags.iter().filter(move |tag| !for_people.contains(tag))
    });
    let mut tags: Vec<_> = tags.filter(|tag| *tag != "<none>:<none>").cloned().collect();
    tags.sort();
    tags.dedup();
    tags
}

/// Those of them that were built under that reference.
pub(super) fn built(all: &[ImageSummary]) -> Vec<String> {
    let mut built: Vec<_> = all.iter().filter_map(built_as).cloned().collect();
    built.sort();
    built
}

/// The images that are none of ours, by digest, sorted.
pub(super) fn digests(all: &[ImageSummary]) -> Vec<String> {
    let others = all.iter().filter(|image| !image.labels.contains_key(label::IMAGE));
    let digests = others.flat_map(|image| &image.repo_digests);
    let mut digests: Vec<_> = digests.filter(|digest| !digest.starts_with('<')).cloned().collect();
    digests.sort();
    digests
}

/// The reference that an image was built under, where it has that name.
fn built_as(image: &ImageSummary) -> Option<&String> {
    image.labels.get(label::IMAGE).filter(|built_as| image.repo_tags.contains(built_as))
}

/// The host's ports that containers hold, sorted, the project's own by the names that they are known by. One that has ended holds none, though the engine goes
/// on listing them where it was killed together with its containers.
pub(super) fn ports(all: &[ContainerSummary], project: &Project) -> Vec<PortHeld> {
    let held = |seen: &'_ ContainerSummary| {
        let name = name(seen).unwrap_or_default();
        let is_own = seen.labels.as_ref().is_some_and(|labels| belongs_to(labels, project));
        let container = proof::own_name(name).filter(|_| is_own).unwrap_or(name).to_owned();
        let ports = seen.ports.iter().flatten().filter_map(move |port| held(port, &container));
        ports.collect::<Vec<_>>()
    };
    let up = all
        .iter()
        .filter(|seen| !matches!(seen.state, Some(Engine::EXITED | Engine::CREATED | Engine::DEAD)));
    let mut ports: Vec<_> = up.flat_map(held).collect();
    ports.sort();
    ports.dedup();
    ports
}

fn held(port: &PortSummary, container: &str) -> Option<PortHeld> {
    let protocol = match port.typ {
        Some(PortSummaryTypeEnum::UDP) => Protocol::Udp,
        Some(PortSummaryTypeEnum::TCP) | None => Protocol::Tcp,
        _ => return None,
    };
    let host_ip = port.ip.clone().filter(|ip| !matches!(ip.as_str(), "" | "0.0.0.0" | "::"));
    Some(PortHeld { published: port.public_port?, protocol, host_ip, container: container.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(name: &str, labels: &[(&str, &str)]) -> ContainerSummary {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        ContainerSummary {
            id: Some(format!("id-{name}")),
            names: Some(vec![format!("/{name}")]),
            labels: Some(labels.collect::<HashMap<_, _>>()),
            state: Some(Engine::RUNNING),
            status: Some("Up 2 minutes".into()),
            ..Default::default()
        }
    }

    fn ours<'a>(service: &'a str, environment: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            (label::PROJECT, "shop"),
            (label::ENVIRONMENT, environment),
            (label::SERVICE, service),
            (label::INSTANCE, "2"),
            (label::SPEC, "not json"),
        ]
    }

    fn project(environment: Option<&str>) -> Project {
        Project { name: "shop".into(), environment: environment.map(str::to_owned) }
    }

    #[test]
    fn only_the_projects_own_are_told_in_order() {
        let all = [
            labelled("b", &ours("web", "")),
            labelled("a", &ours("db", "")),
            labelled("staging", &ours("web", "staging")),
            labelled("other", &[(label::PROJECT, "else")]),
            labelled("half", &[(label::PROJECT, "shop")]),
            labelled("foreign", &[]),
        ];
        let names = |environment| {
            let told = containers(&all, &project(environment)).into_iter();
            told.map(|c| (c.name, c.instance.to_string())).collect::<Vec<_>>()
        };
        assert_eq!(names(None), [("a".into(), "db.2".into()), ("b".into(), "web.2".into())]);
        assert_eq!(names(Some("staging")), [("staging".into(), "web.2".into())]);
        assert_eq!(containers(&all, &project(None))[0].spec, None, "a label that is not understood");
    }

    #[test]
    fn one_off_containers_are_no_instances() {
        let mut labels = vec![(label::PROJECT, "shop"), (label::ENVIRONMENT, ""), (label::ONE_OFF, "true")];
        labels.extend([(label::RELEASE, "r1"), (label::SPEC, "{}"), ("cloudpad.job", "migrate"), ("a", "b")]);
        let mut ended = labelled("ended", &labels);
        (ended.state, ended.status) = (Some(Engine::EXITED), Some("Exited (3) 2 hours ago".into()));
        labels[0].1 = "else";
        let all = [labelled("web", &ours("web", "")), ended, labelled("others", &labels)];
        let told = one_offs(&all, &project(None));
        assert_eq!(told.len(), 1);
        let OneOff { name, release, labels, state, exit_code, .. } = &told[0];
        assert_eq!((name.as_str(), release.as_str()), ("ended", "r1"));
        assert_eq!((*state, *exit_code), (State::Stopped, Some(3)));
        assert_eq!(format!("{labels:?}"), r#"{"cloudpad.job": "migrate"}"#);
        assert_eq!(containers(&all, &project(None)).len(), 1, "the instance");
    }

    #[test]
    fn a_container_that_has_not_served_yet_is_known_by_its_own_name() {
        let mut all = [labelled("a.unproven", &ours("web", "")), labelled("foreign.unproven", &[])];
        let port = PortSummary { private_port: 80, public_port: Some(80), ..Default::default() };
        all.iter_mut().for_each(|seen| seen.ports = Some(vec![port.clone()]));
        let told = |all: &[ContainerSummary]| {
            let told = containers(all, &project(None)).into_iter();
            told.map(|c| (c.name, c.state, c.status.unproven)).collect::<Vec<_>>()
        };
        assert_eq!(told(&all), [("a".into(), State::Starting, false)]);
        let holders: Vec<_> = ports(&all, &project(None)).into_iter().map(|held| held.container).collect();
        assert_eq!(holders, ["a", "foreign.unproven"]);
        all[0].state = Some(Engine::EXITED);
        assert_eq!(told(&all), [("a".into(), State::Stopped, true)]);
        all[0].state = Some(Engine::CREATED);
        assert_eq!(told(&all), [("a".into(), State::Stopped, false)], "it was never started");
    }

    #[test]
    fn ports_of_all_containers_are_told_once() {
        let port = |ip: &str, public, typ| PortSummary {
            ip: Some(ip.into()),
            private_port: 80,
            public_port: public,
            typ: Some(typ),
        };
        let mut foreign = labelled("foreign", &[]);
        foreign.ports = Some(vec![
            port("0.0.0.0", Some(8080), PortSummaryTypeEnum::TCP),
            port("::", Some(8080), PortSummaryTypeEnum::TCP),
            port("127.0.0.1", Some(53), PortSummaryTypeEnum::UDP),
            port("", None, PortSummaryTypeEnum::TCP),
        ]);
        let held = |published, protocol, ip: Option<&str>| PortHeld {
            published,
            protocol,
            host_ip: ip.map(str::to_owned),
            container: "foreign".into(),
        };
        let expected = [held(53, Protocol::Udp, Some("127.0.0.1")), held(8080, Protocol::Tcp, None)];
        let ended = ContainerSummary { state: Some(Engine::EXITED), ..foreign.clone() };
        assert_eq!(ports(&[foreign], &project(None)), expected);
        assert_eq!(ports(&[ended], &project(None)), [], "what a machine's sudden end has left");
    }

    #[test]
    fn images_without_a_reference_are_left_out() {
        let image = |tags: &[&str]| ImageSummary {
            repo_tags: tags.iter().map(|t| (*t).to_owned()).collect(),
            ..Default::default()
        };
        let all = [image(&["b:1", "a:1"]), image(&["<none>:<none>"]), image(&[])];
        assert_eq!(images(&all), ["a:1", "b:1"]);
    }

    #[test]
    fn an_image_is_only_what_it_was_built_as() {
        let image = |label: Option<&str>, tags: &[&str]| ImageSummary {
            repo_tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            labels: label
                .map(|built_as| (label::IMAGE.to_owned(), built_as.to_owned()))
                .into_iter()
                .collect(),
            ..Default::default()
        };
        let all = [
            image(Some("shop.web:b"), &["shop.web:b", "shop.web:other"]),
            image(Some("shop.web:a"), &["shop.web:a"]),
            image(Some("shop.web:gone"), &["<none>:<none>"]),
            image(None, &["shop.web:foreign"]),
        ];
        assert_eq!(built(&all), ["shop.web:a", "shop.web:b"]);
    }
}
