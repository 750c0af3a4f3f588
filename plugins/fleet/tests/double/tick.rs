//! What happens in a second: the engine sends units to machines, agents load, start, stop and forget them. Pure, but for machines
//! that are real.

use super::rules::{glob, values};
use super::world::{Behaviour, Declared, Phase, Process, World, text};

/// How long the engine takes, and how long a replaced or destroyed unit stays as it was.
const ENGINE: u64 = 2;
const REPLACED: u64 = 4;
const FORGOTTEN: u64 = 5;

impl World {
    /// Lets a second pass.
    pub fn tick(&mut self) {
        self.now += 1;
        self.schedule();
        let all: Vec<(String, String)> = self.places();
        for place in &all {
            self.agent(place);
        }
        let now = self.now;
        for (place, process) in &mut self.processes {
            if all.contains(place) {
                process.orphan = None;
            } else if process.orphan.is_none() {
                process.orphan = Some(now);
                match self.hands.get(&place.1) {
                    Some((hands, _)) => hands.unload(&place.0),
                    None if process.is_alive() => process.phase = Phase::Stopping,
                    None => {}
                }
            }
        }
        self.processes.retain(|_, process| process.orphan.is_none_or(|since| now < since + FORGOTTEN));
    }

    /// Takes in what systemd says on machines that are real.
    pub fn sample(&mut self) {
        for (machine, (hands, _)) in &self.hands {
            let processes = self
                .processes
                .iter_mut()
                .filter(|((_, on), process)| on == machine && process.orphan.is_none());
            let mut processes: Vec<_> =
                processes.map(|((unit, _), process)| (unit.as_str(), process)).collect();
            if processes.is_empty() {
                continue;
            }
            let names: Vec<&str> = processes.iter().map(|(unit, _)| *unit).collect();
            let mut states = hands.states(&names);
            processes.iter_mut().for_each(|(unit, process)| process.said = states.remove(*unit));
        }
    }

    /// Which unit is to be on which machine.
    fn places(&self) -> Vec<(String, String)> {
        let mut places = Vec::new();
        for (name, unit) in &self.units {
            if is_global(unit) && is_placed(unit) && self.now >= unit.since + ENGINE {
                let fitting = self.machines.keys().filter(|machine| self.fits(unit, machine));
                places.extend(fitting.map(|machine| (name.clone(), machine.clone())));
            } else if let Some((machine, at)) = &unit.machine
                && self.now > *at
            {
                places.push((name.clone(), machine.clone()));
            }
        }
        places
    }

    fn schedule(&mut self) {
        let names: Vec<String> = self.units.keys().cloned().collect();
        for name in names {
            let unit = &self.units[&name];
            let lost = unit.machine.as_ref().is_some_and(|(machine, _)| !self.machines.contains_key(machine));
            let machine = match (is_placed(unit) && !is_global(unit), &unit.machine) {
                (false, _) => None,
                (true, Some(there)) if !lost => Some(there.clone()),
                (true, _) if self.now < unit.since + ENGINE => None,
                (true, _) => self.least_loaded(&name).map(|machine| (machine, self.now)),
            };
            self.units.get_mut(&name).unwrap().machine = machine;
        }
    }

    fn least_loaded(&self, name: &str) -> Option<String> {
        let load = |machine: &String| self.on(machine).count();
        let fitting = self.machines.keys().filter(|machine| self.fits(&self.units[name], machine));
        let free = fitting.filter(|machine| {
            self.on(machine).all(|(other, unit)| other == name || !self.conflict(name, other, unit))
        });
        free.min_by_key(|machine| load(machine)).cloned()
    }

    fn on<'a>(&'a self, machine: &'a str) -> impl Iterator<Item = (&'a String, &'a Declared)> {
        self.units
            .iter()
            .filter(move |(_, unit)| unit.machine.as_ref().is_some_and(|(there, _)| there == machine))
    }

    fn conflict(&self, name: &str, other: &str, unit: &Declared) -> bool {
        let globs = |of: &str, unit: &Declared, with: &str| {
            values(&unit.options, "X-Fleet", "Conflicts").iter().any(|pattern| {
                let prefix = of.split('@').next().unwrap_or_default();
                glob(&pattern.replace("%p", prefix), with)
            })
        };
        globs(name, &self.units[name], other) || globs(other, unit, name)
    }

    fn fits(&self, unit: &Declared, machine: &str) -> bool {
        let metadata = &self.machines[machine];
        let wanted = values(&unit.options, "X-Fleet", "MachineMetadata");
        let pairs: Vec<(&str, &str)> = wanted.iter().filter_map(|pair| pair.split_once('=')).collect();
        let by_key =
            |key: &str| pairs.iter().any(|(k, v)| *k == key && metadata.get(key).is_some_and(|has| has == v));
        let ids = values(&unit.options, "X-Fleet", "MachineID");
        pairs.iter().all(|(key, _)| by_key(key))
            && ids.iter().all(|id| machine == *id || machine[..8] == **id)
    }

    /// What the agent of a machine does about a unit that is to be there.
    fn agent(&mut self, place: &(String, String)) {
        let unit = &self.units[&place.0];
        let (text, hash) = text(&unit.options);
        let behaviour = self.behaviour(&text);
        let now = self.now;
        let Some(process) = self.processes.get_mut(place) else {
            let phase = if behaviour == Behaviour::Bad { Phase::Bad } else { Phase::Fresh };
            let complaint = match self.hands.get(&place.1) {
                Some((hands, _)) => hands.load(&place.0, &text),
                None => String::new(),
            };
            if !complaint.is_empty() {
                self.wrongs.push(format!("systemd of {}: {complaint}", place.1));
            }
            let (told, said) = (None, None);
            let process = Process { hash, text, phase, at: now, orphan: None, told, said };
            self.processes.insert(place.clone(), process);
            return;
        };
        if process.hash != hash {
            if now >= unit.since + REPLACED {
                self.hands.get(&place.1).inspect(|(hands, _)| hands.unload(&place.0));
                self.processes.remove(place);
            }
            return;
        }
        if let Some((hands, _)) = self.hands.get(&place.1) {
            let is_launched = unit.desired == "launched";
            match process.told {
                _ if is_launched && process.told != Some(true) => hands.start(&place.0),
                Some(true) if !is_launched => hands.stop(&place.0),
                _ => return,
            }
            process.told = Some(is_launched);
            return;
        }
        let next = match (unit.desired.as_str(), process.phase) {
            ("launched", phase) => launched(phase, now - process.at, behaviour),
            (_, phase) => stopped(phase, now - process.at, behaviour, &process.text),
        };
        if next != process.phase {
            (process.phase, process.at) = (next, now);
        }
    }

    fn behaviour(&self, text: &str) -> Behaviour {
        if !text.contains("\nExecStart=/") {
            return Behaviour::Bad;
        }
        let told = self.behaviours.iter().rev().find(|(part, _)| text.contains(part.as_str()));
        told.map_or(Behaviour::Runs(1), |(_, behaviour)| *behaviour)
    }
}

fn launched(phase: Phase, since: u64, behaviour: Behaviour) -> Phase {
    match (phase, behaviour) {
        (Phase::Fresh, Behaviour::Fails) => Phase::Failed,
        (Phase::Fresh, Behaviour::Loops) => Phase::AutoRestart,
        (Phase::Fresh | Phase::Stopping, _) => Phase::StartPre,
        (Phase::StartPre, Behaviour::Runs(after)) if since < after => Phase::StartPre,
        (Phase::StartPre, Behaviour::Ends) => Phase::Dead,
        (Phase::StartPre, _) => Phase::Running,
        (Phase::Running, Behaviour::FailsAfter(after)) if since >= after => Phase::Failed,
        (phase, _) => phase,
    }
}

/// A client of docker that is ended by a signal has failed, unless the unit says otherwise.
fn stopped(phase: Phase, since: u64, behaviour: Behaviour, text: &str) -> Phase {
    let is_failure = text.contains("docker run") && !text.contains("SuccessExitStatus=143");
    match (phase, behaviour) {
        (Phase::StartPre | Phase::Running | Phase::AutoRestart, _) => Phase::Stopping,
        (Phase::Stopping, Behaviour::StopsAfter(after)) if since < after => Phase::Stopping,
        (Phase::Stopping, Behaviour::StopsAfter(_)) => Phase::Failed,
        (Phase::Stopping, _) if is_failure => Phase::Failed,
        // What was stopped starts anew when it is launched again.
        (Phase::Stopping, _) => Phase::Fresh,
        (phase, _) => phase,
    }
}

fn is_placed(unit: &Declared) -> bool {
    matches!(unit.desired.as_str(), "loaded" | "launched")
}

fn is_global(unit: &Declared) -> bool {
    values(&unit.options, "X-Fleet", "Global") == ["true"]
}
