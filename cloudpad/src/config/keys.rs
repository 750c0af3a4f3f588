//! Every key of `Cloudpad.toml`. Pure.

use super::shape::Shape::{Flag, Like, List, Named, Number, OneOf, Opaque, Table, Text, Whole};
use super::shape::{Keys, Shape};

/// The file.
pub(super) const FILE: Keys = Keys {
    known: &[
        ("project", Table(&PROJECT)),
        ("stages", Table(&STAGES)),
        ("plugins", Named(&Table(&PLUGIN))),
        ("hosts", Named(&Table(&HOST))),
        ("sources", Named(&Table(&SOURCE))),
        ("images", Named(&Table(&IMAGE))),
        ("services", Named(&Table(&SERVICE))),
        ("jobs", Named(&Table(&JOB))),
        ("deploy", Table(&DEPLOY)),
        ("hooks", Table(&HOOKS)),
        ("proxy", Table(&PROXY)),
        ("environments", Named(&Table(&ENVIRONMENT))),
    ],
    instead: &[],
};

/// An environment: everything but environments.
pub(super) const ENVIRONMENT: Keys = Keys {
    known: &[
        ("project", Table(&PROJECT)),
        ("stages", Table(&STAGES)),
        ("plugins", Named(&Table(&PLUGIN))),
        ("hosts", Named(&Table(&HOST))),
        ("sources", Named(&Table(&SOURCE))),
        ("images", Named(&Table(&IMAGE))),
        ("services", Named(&Table(&SERVICE))),
        ("jobs", Named(&Table(&JOB))),
        ("deploy", Table(&DEPLOY)),
        ("hooks", Table(&HOOKS)),
        ("proxy", Table(&PROXY)),
    ],
    instead: &[],
};

const TEXTS: Shape = List(&Text);
const LABELS: Shape = Named(&Text);
/// Plain values that become strings.
const VARIABLES: Shape = Named(&OneOf(&[Text, Whole, Flag]));
const COMMAND: Shape = OneOf(&[Text, TEXTS]);
const AMOUNT: Shape = OneOf(&[Whole, Like("25%")]);

const PROJECT: Keys = Keys { known: &[("name", Text)], instead: &[] };

const STAGE: Shape =
    OneOf(&[Text, Table(&Keys { known: &[("provider", Text), ("config", OPAQUE)], instead: &[] })]);
const OPAQUE: Shape = Named(&Opaque);
const STAGES: Keys = Keys {
    known: &[
        ("inventory", STAGE),
        ("source", STAGE),
        ("secrets", STAGE),
        ("build", STAGE),
        ("push", STAGE),
        ("deploy", STAGE),
    ],
    instead: &[],
};

const PLUGIN: Keys = Keys { known: &[("path", Text)], instead: &[] };

const HOST: Keys = Keys { known: &[("address", Text), ("roles", TEXTS), ("labels", LABELS)], instead: &[] };

const SOURCE: Keys = Keys {
    known: &[
        ("git", Text),
        ("branch", Text),
        ("tag", Text),
        ("rev", Text),
        ("path", Text),
        ("prepare", COMMANDS),
    ],
    instead: &[
        ("path", &["git", "branch", "tag", "rev"]),
        ("git", &["path"]),
        ("branch", &["tag", "rev"]),
        ("tag", &["branch", "rev"]),
        ("rev", &["branch", "tag"]),
    ],
};

const ARGS: Shape = Named(&OneOf(&[Text, Whole, Flag, Table(&IMAGE_ARG)]));
const IMAGE_ARG: Keys = Keys { known: &[("image", Text)], instead: &[] };
const SECRET: Keys =
    Keys { known: &[("env", Text), ("file", Text)], instead: &[("env", &["file"]), ("file", &["env"])] };

/// The keys of an image that is built.
pub(super) const BUILD_KEYS: &[&str] = &[
    "source",
    "context",
    "dockerfile",
    "target",
    "args",
    "variables",
    "runit",
    "platforms",
    "secrets",
    "ssh",
    "labels",
    "cache_from",
    "cache_to",
];
const IMAGE: Keys = Keys {
    known: &[
        ("source", Text),
        ("context", Text),
        ("dockerfile", Text),
        ("target", Text),
        ("args", ARGS),
        ("variables", ARGS),
        ("runit", Named(&Text)),
        ("platforms", TEXTS),
        ("secrets", Named(&Table(&SECRET))),
        ("ssh", Flag),
        ("labels", LABELS),
        ("cache_from", TEXTS),
        ("cache_to", Text),
        ("reference", Text),
    ],
    instead: &[
        ("reference", BUILD_KEYS),
        ("source", &["reference"]),
        ("context", &["reference"]),
        ("dockerfile", &["reference"]),
    ],
};

const HEALTH: Keys = Keys {
    known: &[
        ("http", Text),
        ("port", Whole),
        ("tcp", Whole),
        ("command", COMMAND),
        ("interval", Like("2s")),
        ("timeout", Like("5s")),
        ("retries", Whole),
    ],
    instead: &[
        ("http", &["tcp", "command"]),
        ("tcp", &["http", "port", "command"]),
        ("command", &["http", "port", "tcp"]),
    ],
};

const SECRET_FILE: Keys =
    Keys { known: &[("name", Text), ("mode", Like("0440")), ("uid", Whole), ("gid", Whole)], instead: &[] };

const SECRETS: Shape = OneOf(&[TEXTS, Named(&OneOf(&[Text, Table(&SECRET_FILE)]))]);
const SERVICE: Keys = Keys {
    known: &[
        ("image", Text),
        ("roles", TEXTS),
        ("hosts", TEXTS),
        ("replicas", Whole),
        ("per_host", Whole),
        ("command", COMMAND),
        ("env", VARIABLES),
        ("secrets", SECRETS),
        ("ports", List(&Like("8080:80"))),
        ("volumes", List(&Like("data:/data"))),
        ("networks", TEXTS),
        ("health", OneOf(&[Text, Table(&HEALTH)])),
        ("route", Table(&ROUTE)),
        ("stop_timeout", Like("10s")),
        ("stop_signal", Text),
        ("restart", Text),
        ("cpus", Number),
        ("memory", Like("512MiB")),
        ("update", Text),
        ("protected", Flag),
        ("groups", TEXTS),
        ("labels", LABELS),
    ],
    instead: &[("replicas", &["per_host"]), ("per_host", &["replicas"])],
};

const JOB: Keys = Keys {
    known: &[
        ("service", Text),
        ("image", Text),
        ("when", Text),
        ("depends_on", TEXTS),
        ("run", Text),
        ("roles", TEXTS),
        ("hosts", TEXTS),
        ("command", COMMAND),
        ("env", VARIABLES),
        ("secrets", SECRETS),
        ("volumes", List(&Like("data:/data"))),
        ("networks", TEXTS),
        ("timeout", Like("10m")),
    ],
    instead: &[("service", &["image"]), ("image", &["service"])],
};

const CERTIFICATE: Keys = Keys { known: &[("certificate", Text), ("key", Text)], instead: &[] };

const ROUTE: Keys = Keys {
    known: &[
        ("hosts", TEXTS),
        ("path", Text),
        ("port", Whole),
        ("health", Text),
        ("tls", OneOf(&[Text, Table(&CERTIFICATE)])),
        ("redirect", Flag),
        ("timeout", Like("30s")),
        ("max_body", Like("10MiB")),
        ("sticky", Flag),
        ("headers", LABELS),
    ],
    instead: &[],
};

const PROXY: Keys = Keys {
    known: &[("image", Text), ("http_port", Whole), ("https_port", Whole), ("drain", Like("30s"))],
    instead: &[],
};

const DEPLOY: Keys = Keys {
    known: &[
        ("batch", AMOUNT),
        ("min_healthy", AMOUNT),
        ("ready_timeout", Like("60s")),
        ("settle", Like("2s")),
        ("keep", Whole),
        ("on_failure", Text),
        ("unreachable", Text),
    ],
    instead: &[],
};

const COMMANDS: Shape = List(&COMMAND);
const HOOKS: Keys = Keys {
    known: &[
        ("before_build", COMMANDS),
        ("before_deploy", COMMANDS),
        ("after_deploy", COMMANDS),
        ("after_failure", COMMANDS),
        ("timeout", Like("10m")),
    ],
    instead: &[],
};
