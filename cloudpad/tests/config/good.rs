//! Files that are right, and what is read from them. A case is a file in `good/`, the config as
//! `cloudpad config` prints it beside it.

use cloudpad::config::{Config, Places, show};

use super::{Case, cases, compare, load, render};

fn read(name: &str, text: &str) -> Config {
    match (Case { text }).load() {
        Ok(config) => config,
        Err(problems) => panic!("{name} does not load:\n{}", render(&problems, text)),
    }
}

#[test]
fn every_good_file_reads_as_expected() {
    for (name, text) in cases("good") {
        compare("good", &name, &show(&read(&name, &text)));
    }
}

#[test]
fn what_is_shown_reads_as_the_same() {
    for (name, text) in cases("good") {
        let config = read(&name, &text);
        let shown = show(&config);
        // The variables are in it already, so nothing may ask for one.
        let again = load(&shown, config.project.environment.as_deref(), &|name| panic!("asked for `{name}`"))
            .unwrap_or_else(|problems| panic!("{name}:\n{}", render(&problems, &shown)));
        assert_eq!(
            Config { places: Places::default(), ..again },
            Config { places: Places::default(), ..config }
        );
        assert_eq!(show(&read(&name, &text)), shown);
    }
}

#[test]
fn hosts_keep_the_order_of_the_file() {
    let config = read(
        "hosts",
        &format!(
            "{}[hosts.zeta]\naddress = \"z\"\n[hosts.alpha]\naddress = \"a\"\n[hosts.mid]\naddress = \"m\"\n",
            "[project]\nname = \"shop\"\n[images.web]\n[services.web]\n"
        ),
    );
    let names: Vec<_> = config.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["zeta", "alpha", "mid"]);
}

#[test]
fn two_thousand_hosts_are_no_trouble() {
    // Quadratic work anywhere would take minutes in a debug build; the runner's own patience is the limit.
    let mut text = String::from("[project]\nname = \"shop\"\n[images.web]\n");
    for number in 0..2000 {
        text += &format!(
            "[hosts.h{number}]\naddress = \"h{number}.example.com\"\nroles = [\"r{}\", \"all\"]\n",
            number % 50
        );
    }
    for number in 0..50 {
        text += &format!("[services.s{number}]\nroles = [\"all\"]\nports = [\"{}:80\"]\n", 9000 + number);
    }
    let config = read("many", &text);
    assert_eq!(config.hosts.len(), 2000);
    assert_eq!(show(&config).matches("[hosts.").count(), 2000);
}
