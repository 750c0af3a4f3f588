//! Two plugins in one program, as in `cloudpad` itself.

use cloudpad_plugin_api::stage::source::Source;
use cloudpad_plugin_api::{Handler, Plugin, Provider, register};

struct Nothing;

impl Source for Nothing {}

mod one {
    use super::{Handler, Nothing, Provider, register};

    register! {
        Provider { name: "b", about: "", handler: Handler::Source(&Nothing) },
        Provider { name: "a", about: "", handler: Handler::Source(&Nothing) },
    }
}

mod other {
    use super::{Handler, Nothing, Provider, register};

    register! {
        parallel: false;
        Provider { name: "c", about: "", handler: Handler::Source(&Nothing) },
    }
}

#[test]
fn all_are_found_and_no_host_is_spoken_to() {
    let names: Vec<_> = Provider::built_in().iter().map(|provider| provider.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let plugins = Plugin::built_in();
    assert_eq!(plugins.iter().filter(|plugin| plugin.parallel).count(), 1);
    assert!(plugins.iter().all(|plugin| plugin.name == "cloudpad-plugin-api"));
    let refused = Plugin::only().err();
    let expected = "several plugins are linked in here, and there can be one: `cloudpad-plugin-api`, `cloudpad-plugin-api`";
    assert_eq!(refused.as_deref(), Some(expected));
}
