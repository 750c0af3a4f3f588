//! Inventory provider `command`: whatever a program prints, as hosts or as Ansible's dynamic inventories do.

use cloudpad_plugin_api::{Handler, Provider, register};

mod command;

register! {
    Provider {
        name: "command",
        about: "hosts that a program prints as JSON, in plain words or as for Ansible",
        handler: Handler::Inventory(&command::Printed),
    },
}
