//! `cloudpad doctor` where no host is there.

use serde_json::json;

use crate::room::Room;

/// A host where nobody listens, and a config that needs a program.
const AWAY: &str = "[hosts.h1]\naddress = \"root@127.0.0.1:1\"\n[stages]\n\
                    inventory = { provider = \"command\", config = { command = [\"list-hosts\"] } }\n";

#[test]
fn what_is_wrong_is_found_and_told_with_what_to_do() {
    let room = Room::new();
    room.config(AWAY);
    let found = room.run(&["doctor"]).expect(1);
    let found =
        found.shows("ok config it is understood").shows("MEND program there is no `list-hosts`, which stage");
    found.shows("MEND inventory").says("to be mended");
    room.program("bin/list-hosts", "#!/bin/sh\necho '[]'\n");
    let found = room.run(&["doctor"]).expect(1).shows("ok program `list-hosts` is there");
    let found = found.shows("note inventory `command` lists 0 hosts");
    found
        .shows("MEND login could not connect to `127.0.0.1:1`")
        .shows("hint: is the host up")
        .says("1 to be mended");
    let told = room.run(&["doctor", "--json"]).expect(1).json();
    assert_eq!(told["well"], false);
    let all = told["findings"].as_array().unwrap();
    let config =
        json!({"place": "this machine", "check": "config", "state": "ok", "message": all[0]["message"]});
    assert_eq!((&all[0], &all.last().unwrap()["place"]), (&config, &json!("h1")));
    room.run(&["doctor", "--host", "h2"]).expect(2).says("no host matches `h2`");
}

#[test]
fn what_a_deploy_would_fail_at_is_found_before_it() {
    let room = Room::new();
    let push = "[stages.push]\nprovider = \"registry\"\nconfig = { registry = \"127.0.0.1:1\" }\n";
    let all = "[stages.secrets]\nprovider = \"age\"\nconfig = { recipients = [\"age1abc\", \"team.txt\"] }\n";
    let app = "[images.app]\n[services.app]\nimage = \"app\"\n";
    room.config(&format!("[hosts.h1]\naddress = \"root@127.0.0.1:1\"\n{push}{all}{app}"));
    let found = room.run(&["doctor"]).expect(1).shows("MEND file `team.txt` cannot be read");
    found.shows("MEND registry could not").shows("and images are pushed there");
    let swarm = "[stages.deploy]\nprovider = \"swarm\"\nconfig = { managers = [\"root@127.0.0.1:1\"] }\n";
    room.config(&format!("{swarm}{app}"));
    let found = room.run(&["doctor"]).expect(1);
    found
        .shows("MEND config image `app` is sent to each host")
        .shows("MEND cluster no manager of the swarm answers");
}

#[test]
fn secrets_without_a_value_are_found_by_their_names() {
    let room = Room::new();
    let job =
        "[jobs.migrate]\nservice = \"web\"\nwhen = \"manual\"\ncommand = \"true\"\nsecrets = [\"JOB_KEY\"]\n";
    room.config(&format!("secrets = [\"API_KEY\"]\n{job}[hosts.h1]\naddress = \"root@127.0.0.1:1\"\n"));
    room.write("project/.env", "JOB_KEY=s3cret-of-job\n");
    let found = room.run(&["doctor"]).expect(1);
    let found = found.shows("MEND secret the secrets provider `env` knows no secret `API_KEY`");
    let found = found.shows("hint: set the environment variable `API_KEY`, or add it to `.env`");
    assert!(!found.stdout.contains("JOB_KEY"), "{found:?}");
    room.write("project/.env", "JOB_KEY=s3cret-of-job\nAPI_KEY=s3cret-of-api\n");
    let found =
        room.run(&["doctor"]).expect(1).shows("ok secret all that are needed have a value: 2 secrets");
    assert!(!found.stdout.contains("s3cret"), "{found:?}");
    room.config("secrets = [\"API_KEY\"]\n[stages.secrets]\nprovider = \"command\"\nconfig = { command = [\"false\"] }\n");
    room.run(&["doctor"]).expect(1).shows("MEND secret");
}

#[test]
fn a_config_that_is_not_understood_is_a_finding() {
    let room = Room::new();
    room.config("[services.db]\nimage = \"nosuch\"\n");
    room.run(&["doctor"]).expect(1).shows("MEND config").says("1 to be mended");
    room.trap("bin/cloudpad-mine").mode("bin/cloudpad-mine", 0o644);
    room.config("[stages]\ninventory = \"mine\"\n");
    room.run(&["doctor"]).expect(1).shows("MEND config");
    room.nothing_has_run();
}
