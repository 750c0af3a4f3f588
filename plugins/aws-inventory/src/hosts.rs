//! From instances to hosts. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Host;

use crate::address::{Address, From};
use crate::config::Config;
use crate::instance::Instance;

#[cfg(test)]
mod tests;

/// How many instances are named where many have the same fault.
const NAMED: usize = 10;

/// A host for each instance that is still one.
///
/// # Errors
/// One of them cannot be a host: those that are left out would count as gone.
pub(crate) fn of(config: &Config, instances: &[Instance]) -> Result<Vec<Host>, Failure> {
    let instances: Vec<_> = instances.iter().filter(|instance| !instance.is_gone()).collect();
    let written = addresses(config, &instances)?;
    let names = names(&config.name_tag, &instances);
    let all = instances.iter().zip(written).zip(names);
    all.map(|((instance, written), name)| host(config, instance, written, name)).collect()
}

fn host(config: &Config, instance: &Instance, written: &str, name: String) -> Result<Host, Failure> {
    let address = Address::parse(written).map_err(|why| no_address(config, instance, written, &why))?;
    Ok(Host {
        name,
        address: config.complete(address).to_string(),
        roles: roles(config, instance)?,
        labels: labels(instance),
    })
}

fn addresses<'a>(config: &Config, instances: &[&'a Instance]) -> Result<Vec<&'a str>, Failure> {
    let written: Vec<_> = instances.iter().map(|instance| config.address.of(instance)).collect();
    let without: Vec<_> = instances.iter().zip(&written).filter(|(_, text)| text.is_none()).collect();
    if without.is_empty() {
        return Ok(written.into_iter().flatten().collect());
    }
    let mut named: Vec<_> = without.iter().take(NAMED).map(|(instance, _)| instance.called()).collect();
    if without.len() > NAMED {
        named.push(format!("{} more", without.len() - NAMED));
    }
    let (from, named) = (&config.address, named.join(", "));
    let (noun, verb) = if without.len() == 1 { ("instance", "has") } else { ("instances", "have") };
    let what = match from {
        From::Tag(tag) => format!("no tag `{tag}`, which is to say its address"),
        _ => format!("no `{from}`"),
    };
    Err(Failure::failed(format!("EC2 {noun} {named} {verb} {what}")).hint(
        "choose another `address`, or leave such instances out by `tags` or `filters` of `[stages.inventory.config]`",
    ))
}

fn no_address(config: &Config, instance: &Instance, written: &str, why: &str) -> Failure {
    let (from, called) = (&config.address, instance.called());
    Failure::failed(format!("`{from}` of EC2 instance {called} is `{written}`, which is no address: {why}"))
        .hint("it has the form `[user@]host[:port]`")
}

/// The names of hosts. What several have is made distinct by the instance's id, for all of them: who was first must
/// not matter.
fn names(tag: &str, instances: &[&Instance]) -> Vec<String> {
    let names: Vec<_> = instances.iter().map(|instance| name(tag, instance)).collect();
    let mut times = BTreeMap::new();
    for name in &names {
        *times.entry(name.clone()).or_insert(0) += 1;
    }
    let distinct = |(instance, name): (&&Instance, String)| match times[&name] {
        1 => name,
        _ => format!("{name}-{}", instance.instance_id),
    };
    instances.iter().zip(names).map(distinct).collect()
}

/// As `Cloudpad.toml` and selectors can say it; the instance's id where the tag has nothing of the kind.
fn name(tag: &str, instance: &Instance) -> String {
    let text = instance.tag(tag).unwrap_or_default();
    let name: String = text.chars().map(|c| if is_name(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).trim_end_matches('-');
    if name.is_empty() { instance.instance_id.clone() } else { name.to_owned() }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Whether `Cloudpad.toml` can have it as a role.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_name)
}

fn roles(config: &Config, instance: &Instance) -> Result<Vec<String>, Failure> {
    let mut roles = config.roles.0.clone();
    let Some(tag) = &config.roles_tag else { return Ok(roles) };
    let listed = instance.tag(tag).unwrap_or_default();
    for role in listed.split([',', ' ']).filter(|role| !role.is_empty()) {
        if !is_word(role) {
            let called = instance.called();
            let message =
                format!("tag `{tag}` of EC2 instance {called} has `{role}`, which cannot be a role");
            return Err(Failure::failed(message)
                .hint("a role consists of letters, digits, `.`, `_` and `-`; several are separated by a comma or a space"));
        }
        if !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
        }
    }
    Ok(roles)
}

/// The tags as they are, and beside them what else tells instances apart.
fn labels(instance: &Instance) -> BTreeMap<String, String> {
    let tags = instance.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone()));
    let more = [
        ("ec2.instance-id", Some(&instance.instance_id)),
        ("ec2.instance-type", instance.instance_type.as_ref()),
        ("ec2.availability-zone", instance.availability_zone()),
        ("ec2.image-id", instance.image_id.as_ref()),
        ("ec2.vpc-id", instance.vpc_id.as_ref()),
    ];
    let more = more.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.clone())));
    tags.chain(more).collect()
}
