//! The plugin under test, and the server that most tests share: each has a region of its own there.

use std::process::Command;
use std::sync::OnceLock;

use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::testing::TestHost;
use cloudpad_plugin_api::{Failure, Reply, Request, model::Host};
use serde_json::{Value, json};

use crate::moto::{Moto, environment};

pub const LIST: Request = Request::InventoryList(List {});

/// The server.
pub fn ec2() -> &'static Moto {
    static EC2: OnceLock<Moto> = OnceLock::new();
    EC2.get_or_init(|| Moto::start(&[]))
}

/// A call's surroundings: variables, and what is said in `Cloudpad.toml`.
pub struct Call {
    config: Value,
    environment: Vec<(String, String)>,
}

/// With this server and these regions.
pub fn call(moto: &Moto, regions: &[&str]) -> Call {
    let environment = environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Call { config: json!({ "endpoint_url": moto.url, "regions": regions }), environment }
}

impl Call {
    /// With these keys in the config.
    pub fn config(mut self, more: Value) -> Self {
        let (Value::Object(config), Value::Object(more)) = (&mut self.config, more) else { panic!("tables") };
        config.extend(more);
        self
    }

    /// With this variable.
    pub fn set(self, name: &str, value: &str) -> Self {
        let mut call = self.unset(name);
        call.environment.push((name.to_owned(), value.to_owned()));
        call
    }

    /// Without this variable.
    pub fn unset(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    pub fn host(self) -> TestHost {
        let environment = self.environment;
        let program = move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad-aws-inventory"));
            command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
            command
        };
        TestHost::program("aws", program).config(self.config)
    }

    /// Lists the hosts.
    pub fn list(self) -> Result<Vec<Host>, Failure> {
        match self.host().call(LIST).end? {
            Reply::Hosts(reply) => Ok(reply.hosts),
            other => panic!("{other:?}"),
        }
    }

    /// The names of the hosts, sorted.
    #[track_caller]
    pub fn names(self) -> Vec<String> {
        let mut names: Vec<_> = self.list().unwrap().into_iter().map(|host| host.name).collect();
        names.sort();
        names
    }

    /// Why they are not listed.
    #[track_caller]
    pub fn refused(self) -> Failure {
        self.list().unwrap_err()
    }
}
