//! What units are called, and whose a unit is by its name. Pure.
//!
//! Names of Cloudpad have no dot, so the parts of a unit's name are told by their number: `PROJECT[.ENV].SERVICE.DIGEST@N.service`
//! is an instance, and `PROJECT[.ENV].SERVICE.target` what its service is to be. Nothing of one environment is taken for another's.

use cloudpad_plugin_api::model::Project;

/// An instance's unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instance {
    /// The service.
    pub service: String,
    /// What tells its text from that of other times.
    pub digest: String,
    /// Its number, from 1.
    pub number: u32,
}

impl Instance {
    /// The unit's name.
    pub fn unit(&self, project: &Project) -> String {
        format!("{}.{}.{}@{}.service", project.prefix(), self.service, self.digest, self.number)
    }

    /// Which instance of the project has a unit of that name.
    pub fn of(project: &Project, unit: &str) -> Option<Self> {
        let (template, number) = unit.strip_suffix(".service")?.split_once('@')?;
        let number =
            number.parse().ok().filter(|parsed: &u32| *parsed > 0 && parsed.to_string() == number)?;
        match own(project, template)?[..] {
            [service, digest] if !service.is_empty() && !digest.is_empty() => {
                Some(Self { service: service.to_owned(), digest: digest.to_owned(), number })
            }
            _ => None,
        }
    }
}

/// The unit that says what a service is to be.
pub fn wish(project: &Project, service: &str) -> String {
    format!("{}.{service}.target", project.prefix())
}

/// Which service of the project has what it is to be in a unit of that name.
pub fn wished(project: &Project, unit: &str) -> Option<String> {
    match own(project, unit.strip_suffix(".target")?)?[..] {
        [service] if !service.is_empty() => Some(service.to_owned()),
        _ => None,
    }
}

/// The unit that remembers a release.
pub fn release(project: &Project, id: &str) -> String {
    format!("{}..{id}.target", project.prefix())
}

/// Which release of the project is remembered in a unit of that name.
pub fn released(project: &Project, unit: &str) -> Option<String> {
    match own(project, unit.strip_suffix(".target")?)?[..] {
        ["", id] if !id.is_empty() => Some(id.to_owned()),
        _ => None,
    }
}

/// The parts of a name after the project's prefix.
fn own<'a>(project: &Project, name: &'a str) -> Option<Vec<&'a str>> {
    Some(name.strip_prefix(&project.prefix())?.strip_prefix('.')?.split('.').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_it_is() {
        let shop = Project { name: "shop".to_owned(), environment: None };
        let staging = Project { environment: Some("staging".to_owned()), ..shop.clone() };
        let web = Instance { service: "web".to_owned(), digest: "1a2b".to_owned(), number: 2 };
        assert_eq!(web.unit(&shop), "shop.web.1a2b@2.service");
        assert_eq!(web.unit(&staging), "shop.staging.web.1a2b@2.service");
        for (project, other) in [(&shop, &staging), (&staging, &shop)] {
            assert_eq!(Instance::of(project, &web.unit(project)).as_ref(), Some(&web));
            assert_eq!(Instance::of(other, &web.unit(project)), None);
            assert_eq!(wished(project, &wish(project, "web")).as_deref(), Some("web"));
            assert_eq!(wished(other, &wish(project, "web")), None);
            assert_eq!(released(project, &release(project, "r1")).as_deref(), Some("r1"));
            assert_eq!(released(other, &release(project, "r1")), None);
            assert_eq!(wished(project, &release(project, "r1")), None);
            assert_eq!(released(project, &wish(project, "web")), None);
        }
        for other in [
            "shop.web.1a2b@0.service",
            "shop.web.1a2b@01.service",
            "shop.web@1.service",
            "shopweb.a.b@1.service",
        ] {
            assert_eq!(Instance::of(&shop, other), None, "{other}");
        }
    }
}
