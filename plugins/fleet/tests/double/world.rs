//! What a fleet is made of: machines, units as they were declared, and what became of them on machines. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use sha1::{Digest, Sha1};

use super::Fault;
use super::hands::{Hands, Words};

/// An option: section, name, value.
pub type Triple = (String, String, String);

/// Everything.
pub struct World {
    /// Seconds.
    pub now: u64,
    /// So many seconds pass with each question about states.
    pub pace: u64,
    /// The most entries of a page.
    pub limit: usize,
    /// By id.
    pub machines: BTreeMap<String, BTreeMap<String, String>>,
    /// Those of them that are real, and where others reach them.
    pub hands: BTreeMap<String, (Hands, String)>,
    /// By name.
    pub units: BTreeMap<String, Declared>,
    /// By unit and machine.
    pub processes: BTreeMap<(String, String), Process>,
    /// How units behave whose text contains this; the last that fits counts.
    pub behaviours: Vec<(String, Behaviour)>,
    pub faults: VecDeque<Fault>,
    pub asked: Vec<String>,
    pub wrongs: Vec<String>,
    pub is_silent: bool,
}

/// A unit as it was declared.
#[derive(Clone, Debug)]
pub struct Declared {
    pub options: Vec<Triple>,
    pub desired: String,
    /// Where it was sent, and when.
    pub machine: Option<(String, u64)>,
    /// When it was declared so.
    pub since: u64,
}

/// What becomes of a unit once it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It runs after so many seconds of preparing.
    Runs(u64),
    /// It ends with an error.
    Fails,
    /// It runs for so many seconds, then ends with an error.
    FailsAfter(u64),
    /// It ends with an error again and again.
    Loops,
    /// It ends without an error.
    Ends,
    /// It takes so many seconds to stop, and is killed then.
    StopsAfter(u64),
    /// systemd does not load it.
    Bad,
}

/// What systemd has of a unit.
#[derive(Clone, Debug)]
pub struct Process {
    pub hash: String,
    pub text: String,
    pub phase: Phase,
    /// When it came to that.
    pub at: u64,
    /// When fleet found that it is not to be there any more.
    pub orphan: Option<u64>,
    /// On a machine that is real, what it was told to do last, if anything, and what systemd says.
    pub told: Option<bool>,
    pub said: Option<Words>,
}

impl Process {
    pub fn words(&self) -> [&str; 3] {
        match &self.said {
            Some(words) => [&words[0], &words[1], &words[2]],
            None => self.phase.words().into(),
        }
    }

    pub fn is_alive(&self) -> bool {
        !matches!(self.words()[1], "inactive" | "failed")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Fresh,
    StartPre,
    Running,
    AutoRestart,
    Failed,
    Bad,
    Stopping,
    Dead,
}

impl Phase {
    /// Load state, active state, sub state.
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Phase::Fresh | Phase::Dead => ("loaded", "inactive", "dead"),
            Phase::StartPre => ("loaded", "activating", "start-pre"),
            Phase::Running => ("loaded", "active", "running"),
            Phase::AutoRestart => ("loaded", "activating", "auto-restart"),
            Phase::Failed => ("loaded", "failed", "failed"),
            Phase::Bad => ("bad-setting", "inactive", "dead"),
            Phase::Stopping => ("loaded", "deactivating", "stop-sigterm"),
        }
    }
}

impl Default for World {
    fn default() -> Self {
        let machine = |n: u8, role: &str| {
            let metadata = [("role", role.to_owned()), ("name", format!("m{n}"))];
            (format!("f1ee700{n}00000000000000000000000{n}"), metadata.map(|(k, v)| (k.to_owned(), v)).into())
        };
        Self {
            now: 0,
            pace: 0,
            limit: 100,
            machines: [machine(1, "web"), machine(2, "web"), machine(3, "db")].into(),
            hands: BTreeMap::new(),
            units: BTreeMap::new(),
            processes: BTreeMap::new(),
            behaviours: Vec::new(),
            faults: VecDeque::new(),
            asked: Vec::new(),
            wrongs: Vec::new(),
            is_silent: false,
        }
    }
}

impl World {
    /// Makes these its machines: name, container and address of each host whose first process is systemd.
    pub fn be_real(&mut self, hosts: &[(String, String, String)]) {
        self.machines.clear();
        for (number, (name, container, address)) in hosts.iter().enumerate() {
            let id = format!("f1ee700{number}00000000000000000000000{number}");
            self.machines.insert(id.clone(), [("name".to_owned(), name.clone())].into());
            self.hands.insert(id, (Hands::of(container), address.clone()));
        }
    }

    /// Has units behave so whose text contains `text`.
    pub fn behave(&mut self, text: &str, behaviour: Behaviour) {
        self.behaviours.push((text.to_owned(), behaviour));
    }

    /// The units on machines that do something, as `UNIT MACHINE-NAME SUB`.
    pub fn running(&self) -> Vec<String> {
        let alive = self.processes.iter().filter(|(_, process)| process.is_alive());
        let named = |machine: &str| self.machines.get(machine).and_then(|m| m.get("name")).cloned();
        alive
            .map(|((unit, machine), process)| {
                format!("{unit} {} {}", named(machine).unwrap_or_default(), process.words()[2])
            })
            .collect()
    }
}

/// The text of a unit, and its hash.
pub fn text(options: &[Triple]) -> (String, String) {
    let mut sections: Vec<&String> = options.iter().map(|(section, _, _)| section).collect();
    let mut seen = Vec::new();
    sections.retain(|section| {
        !seen.contains(section) && {
            seen.push(section);
            true
        }
    });
    let part = |section: &&String| {
        let lines = options.iter().filter(|(of, _, _)| of == *section);
        lines.fold(format!("[{section}]\n"), |text, (_, name, value)| text + &format!("{name}={value}\n"))
    };
    let text = sections.iter().map(part).collect::<Vec<_>>().join("\n");
    let hash = Sha1::digest(&text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    (text, hash)
}
