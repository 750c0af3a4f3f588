//! A plugin for tests, whose providers do what their configuration says. I/O: all that a plugin should not do.

use std::process::Command;

use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
use cloudpad_plugin_api::stage::push::{Push, Pushed, Run};
use cloudpad_plugin_api::{Context, Failure, Handler, Level, Provider, PushScope, model::Host, register};

/// How much it tells when that is measured.
const EVENTS: u32 = 200_000;

struct Odd;

impl Inventory for Odd {
    fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
        match cx.config::<String>()?.as_str() {
            #[expect(clippy::print_stdout, reason = "it has to be harmless")]
            "print" => println!("a stray line"),
            "panic" => panic!("no luck"),
            "wait" => {
                let (tell, told) = std::sync::mpsc::channel();
                cx.cancel().on_cancel(move || tell.send(()).unwrap_or_default());
                cx.log(Level::Info, "waiting");
                let _ = told.recv();
                return Err(Failure::cancelled());
            }
            "child" => return child(),
            "events" => (0..EVENTS).for_each(|n| cx.log(Level::Info, format!("event {n}"))),
            "stdin" => {
                let stdin = std::fs::read_link("/proc/self/fd/0").unwrap_or_default();
                cx.log(Level::Info, stdin.display().to_string());
            }
            _ => {}
        }
        Ok(Hosts::default())
    }
}

/// What a child has open, as a host's name: the lines that it prints.
fn child() -> Result<Hosts, Failure> {
    let listed = Command::new("ls").arg("/proc/self/fd").output();
    let listed = listed.map_err(|error| Failure::failed(format!("could not run `ls`: {error}")))?;
    let printed = Command::new("echo").arg("a stray child").status();
    printed.map_err(|error| Failure::failed(format!("could not run `echo`: {error}")))?;
    let open = String::from_utf8_lossy(&listed.stdout).lines().collect::<Vec<_>>().join(" ");
    Ok(Hosts { hosts: vec![Host::new(open, "local")], ..Hosts::default() })
}

impl Push for Odd {
    fn scope(&self) -> PushScope {
        assert!(std::env::var_os("ODD_SCOPE").is_none(), "a panic where no call is under way");
        PushScope::Shared
    }

    fn run(&self, _: &Context, request: &Run) -> Result<Pushed, Failure> {
        Ok(Pushed { reference: request.reference.clone(), sent: None })
    }
}

register! {
    Provider { name: "odd", about: "does what its config says", handler: Handler::Inventory(&Odd) },
    Provider { name: "odd", about: "pushes nothing", handler: Handler::Push(&Odd) },
}
