//! What it takes to learn of many hosts from etcd. Talks to the lab's etcd, the local engine and the program.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Row;
use super::measure::cost;
use crate::lab::{self, Lab, Settings};
use crate::shell::Result;

const HOSTS: usize = 10_000;
const TIMES: usize = 5;
const PREFIX: &str = "/cloudpad-bench/hosts/";
/// What etcd takes in one transaction.
const MOST_AT_ONCE: usize = 128;

/// A look at one host of the file, beside which etcd has so many: the quickest of several, and the memory of the worst.
pub fn measure(program: &Path, lab: &Lab) -> Result<Vec<Row>> {
    let folder = lab.ssh_config.with_file_name("bench").join("bench-inventory");
    let fail = |error| format!("cannot write to `{}`: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(fail)?;
    let config = format!(
        "[project]\nname = \"bench-inventory\"\n[stages.inventory]\nprovider = \"etcd\"\n\
         config = {{ endpoints = [\"{}\"], prefix = \"{PREFIX}\" }}\n[hosts.here]\naddress = \"local\"\n\
         [images.web]\nreference = \"busybox:1\"\n[services.web]\n",
        lab.etcd
    );
    std::fs::write(folder.join("Cloudpad.toml"), config).map_err(fail)?;
    fill(lab)?;
    let (mut best, mut peak) = (f64::MAX, 0_f64);
    for _ in 0..TIMES {
        let look = cost(Command::new(program).args(["ps", "--host", "here"]).current_dir(&folder))?;
        (best, peak) = (best.min(look.seconds), peak.max(look.peak));
    }
    etcdctl(lab, &["del", "--prefix", PREFIX], "")?;
    let name = |what: &str| format!("10,000 hosts from etcd: {what}");
    Ok(vec![
        Row::limit(&name("time"), "ms", best * 1e3, 1000.0),
        Row::limit(&name("peak memory"), "MB", peak, 60.0),
    ])
}

/// Writes the hosts, each as a document.
fn fill(lab: &Lab) -> Result<()> {
    etcdctl(lab, &["del", "--prefix", PREFIX], "")?;
    for from in (0..HOSTS).step_by(MOST_AT_ONCE) {
        // No conditions, and nothing to do where they fail.
        let mut text = "\n".to_owned();
        for host in from..(from + MOST_AT_ONCE).min(HOSTS) {
            let (third, fourth) = (host / 250, host % 250 + 1);
            let _ = writeln!(
                text,
                "put {PREFIX}node-{host:05} {:?}",
                format!(
                    "{{\"address\":\"deploy@10.20.{third}.{fourth}\",\"roles\":[\"web\",\"eu\"],\
                     \"labels\":{{\"rack\":\"{third}\",\"zone\":\"eu-1\"}}}}"
                )
            );
        }
        etcdctl(lab, &["txn"], &(text + "\n\n"))?;
    }
    Ok(())
}

fn etcdctl(lab: &Lab, args: &[&str], input: &str) -> Result<()> {
    let path = lab::path_for_tests(&Settings::from_environment()?)?;
    let failed = |error| format!("cannot run etcdctl {args:?}: {error}");
    let mut child = Command::new("env")
        .args([&format!("PATH={path}"), "ETCDCTL_API=3", "etcdctl", "--endpoints", &*lab.etcd])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    written.map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("etcdctl {args:?} ended with {status}")) }
}
