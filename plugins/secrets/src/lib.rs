//! Secrets providers `env` (the environment, and files such as `.env`), `age` (an encrypted file of the project) and
//! `command` (any program that prints values, such as the ones of 1Password, Bitwarden, Vault, AWS or pass).
//!
//! A value is what it is to the last byte, but for the end of line that programs print after it.

use cloudpad_plugin_api::{Handler, Provider, register};

mod age;
mod command;
mod dotenv;
mod env;

register! {
    Provider {
        name: "env",
        about: "environment variables, and files such as `.env`",
        handler: Handler::Secrets(&env::Env),
    },
    Provider {
        name: "age",
        about: "a file of the project that is encrypted with `age`",
        handler: Handler::Secrets(&age::Age),
    },
    Provider {
        name: "command",
        about: "whatever a program prints, such as `op`, `bw`, `vault`, `aws` or `pass`",
        handler: Handler::Secrets(&command::Printed),
    },
}
