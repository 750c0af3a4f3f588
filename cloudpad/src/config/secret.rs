//! A secret that a service's containers get, and all of a config. Pure.

use super::{Config, RouteTls};

/// Where a secret's value comes from, and what its file is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    /// What it is called where it is kept.
    pub name: String,
    /// The file's permission bits; else `0400`.
    pub mode: Option<u32>,
    /// The file's owner; else the user that the image names.
    pub uid: Option<u32>,
    /// The file's group; else that of the user that the image names.
    pub gid: Option<u32>,
}

impl Secret {
    /// One whose file, if it is one, is like any other.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Whether the container finds it in a file, which `target` is then the path of, and not in a variable.
    pub fn is_file(target: &str) -> bool {
        target.starts_with('/')
    }
}

/// That somebody needs a secret.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// What the secret is called where it is kept.
    pub secret: &'a str,
    /// The service or the job.
    pub by: &'a str,
    /// The variable or the file in which its containers find it; `route.tls.certificate` or `route.tls.key` where its route does.
    pub target: &'a str,
}

impl Config {
    /// Who needs secrets, by service and then by job.
    pub fn needs(&self) -> impl Iterator<Item = Need<'_>> {
        let services = self.services.iter().map(|(name, of)| (name, &of.secrets));
        let jobs = self.jobs.iter().map(|(name, of)| (name, &of.secrets));
        let given = services.chain(jobs).flat_map(|(by, secrets)| {
            secrets.iter().map(move |(target, secret)| Need { secret: &secret.name, by, target })
        });
        let routes =
            self.services.iter().filter_map(|(name, of)| Some((name, of.route.as_ref()?.tls.as_ref()?)));
        let own = routes.filter_map(|(by, tls)| match tls {
            RouteTls::Auto => None,
            RouteTls::Own { certificate, key } => {
                let need = |secret, target| Need { secret, by, target };
                Some([need(certificate, "route.tls.certificate"), need(key, "route.tls.key")])
            }
        });
        given.chain(own.flatten())
    }
}
