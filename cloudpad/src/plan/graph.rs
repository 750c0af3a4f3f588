//! Actions while their order is still open: nodes are added in any order and numbered at the end. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::cluster;
use cloudpad_plugin_api::stage::deploy::{ImageRef, Record};

use super::Action;

/// An action's number while the graph is made.
pub(super) type Node = u32;

/// The key of what is done to something on a host.
pub(super) fn key(what: &str, host: &str, object: &str) -> String {
    [what, "/", host, "/", object].concat()
}

/// The actions so far.
#[derive(Default)]
pub(super) struct Graph {
    actions: Vec<Action>,
    is_needed: Vec<bool>,
    /// Actions that were made to wait for more after they had been added.
    late: Vec<Node>,
    /// Names of the last action, for the next: most often it is about the same.
    last: (Option<Arc<str>>, Option<Arc<str>>),
}

impl Graph {
    /// One to which about as many actions will be added.
    pub(super) fn for_about(actions: usize) -> Self {
        Self { actions: Vec::with_capacity(actions), ..Self::default() }
    }

    /// Adds an action and says its number for now.
    pub(super) fn add(
        &mut self,
        key: String,
        service: Option<&str>,
        mut needs: Vec<Node>,
        request: Request,
    ) -> Node {
        let id = self.next();
        needs.sort_unstable();
        needs.dedup();
        for &need in &needs {
            self.is_needed[need as usize] = true;
        }
        let host = request.host().map(|host| shared(&mut self.last.0, &host.name));
        let service = service.map(|service| shared(&mut self.last.1, service));
        self.actions.push(Action { id, needs, host, service, continues: false, key, request });
        self.is_needed.push(false);
        id
    }

    /// Makes `node` wait for `need`, whichever of them was added first.
    pub(super) fn need(&mut self, node: Node, need: Node) {
        self.actions[node as usize].needs.push(need);
        self.is_needed[need as usize] = true;
        self.late.push(node);
    }

    /// Says that `node` goes on with what an action that it needs has begun.
    pub(super) fn continues(&mut self, node: Node) {
        self.actions[node as usize].continues = true;
    }

    /// What is asked so far.
    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.actions.iter().map(|action| &action.request)
    }

    /// The number that the next action gets.
    pub(super) fn next(&self) -> Node {
        Node::try_from(self.actions.len()).unwrap_or(Node::MAX)
    }

    /// Makes whatever is made, started, stopped or led requests to wait for `gate`, of the actions since `from`.
    pub(super) fn hold_back(&mut self, gate: &[Node], from: Node) {
        if gate.is_empty() {
            return;
        }
        let first = self.actions.iter().skip(from as usize).filter(|action| {
            // What comes after another has waited with that.
            let waits = |&need: &Node| need >= from && self.actions[need as usize].is_of_rollout();
            action.is_of_rollout() && !action.continues && !action.needs.iter().any(waits)
        });
        let first: Vec<Node> = first.map(|action| action.id).collect();
        for (node, &need) in first.iter().flat_map(|node| gate.iter().map(move |need| (*node, need))) {
            self.need(node, need);
        }
    }

    /// Makes whatever changes what runs wait for all that is built, and handed to a registry, here: when that fails, nothing
    /// has changed anywhere.
    pub(super) fn make_first(&mut self) {
        let made = self.made();
        if made.is_empty() {
            return;
        }
        let (mut waits, mut path) = (Vec::new(), Vec::new());
        for node in 0..self.next() {
            if !self.is_first(node, &mut waits, &mut path) {
                continue;
            }
            // At once: a plan for many hosts has many of them.
            self.actions[node as usize].needs.reserve_exact(made.len() - waits.len().min(made.len()));
            for &need in made.iter().filter(|need| !waits.contains(*need)) {
                self.need(node, need);
            }
        }
    }

    /// What is made here for all, but for what something else of it begins from.
    fn made(&self) -> Vec<Node> {
        let mut made: Vec<Node> = self.actions.iter().filter(|it| is_made(it)).map(|it| it.id).collect();
        let bases = made.iter().flat_map(|&node| &self.actions[node as usize].needs).copied();
        let bases: BTreeSet<Node> = bases.collect();
        made.retain(|node| !bases.contains(node));
        made
    }

    /// Whether an action changes what runs, and waits for none that does so. What it waits for of what is made here is in
    /// `waits` then; `path` is room to work in.
    fn is_first(&self, node: Node, waits: &mut Vec<Node>, path: &mut Vec<Node>) -> bool {
        let action = &self.actions[node as usize];
        waits.clear();
        path.clear();
        path.extend(action.changes_what_runs().then_some(node));
        let is_one = !path.is_empty();
        while let Some(next) = path.pop() {
            for &need in &self.actions[next as usize].needs {
                match &self.actions[need as usize] {
                    needed if needed.changes_what_runs() => return false,
                    needed if is_made(needed) => waits.push(need),
                    _ => path.push(need),
                }
            }
        }
        is_one
    }

    /// Whether any of `nodes` is `other`, or waits for it so far.
    pub(super) fn any_waits_for(&self, nodes: &[Node], other: Node) -> bool {
        let mut is_known = vec![false; self.actions.len()];
        let mut path = nodes.to_vec();
        while let Some(next) = path.pop() {
            if next == other {
                return true;
            }
            if !std::mem::replace(&mut is_known[next as usize], true) {
                path.extend(&self.actions[next as usize].needs);
            }
        }
        false
    }

    /// Whether no action waits for `node` so far.
    pub(super) fn is_leaf(&self, node: Node) -> bool {
        !self.is_needed[node as usize]
    }

    /// Every action for which none waits so far.
    pub(super) fn leaves(&self) -> Vec<Node> {
        self.leaves_since(0)
    }

    /// The same of the actions since `from`.
    pub(super) fn leaves_since(&self, from: Node) -> Vec<Node> {
        (from..self.next()).filter(|&node| self.is_leaf(node)).collect()
    }

    /// The same, of those on one host.
    pub(super) fn leaves_on(&self, host: &str) -> Vec<Node> {
        self.leaves_by_host().into_iter().filter(|(on, _)| **on == *host).map(|(_, node)| node).collect()
    }

    /// The same with their hosts, of those that have one.
    pub(super) fn leaves_by_host(&self) -> Vec<(Arc<str>, Node)> {
        let host = |node: Node| Some((self.actions[node as usize].host.clone()?, node));
        self.leaves().into_iter().filter_map(host).collect()
    }

    /// The actions, numbered so that each comes after all it needs and otherwise as they were added.
    ///
    /// # Errors
    /// The actions that wait for each other.
    pub(super) fn finish(mut self) -> Result<Vec<Action>, Vec<Action>> {
        // An action that is added needs only what was there before.
        let mut in_order = true;
        for &node in &self.late {
            let needs = &mut self.actions[node as usize].needs;
            needs.sort_unstable();
            needs.dedup();
            in_order &= needs.last().is_none_or(|&need| need < node);
        }
        if in_order {
            return Ok(self.actions);
        }
        let order = sorted(&self.actions);
        let mut number = vec![None; self.actions.len()];
        for (new, &old) in (0..).zip(&order) {
            number[old as usize] = Some(new);
        }
        if order.len() < self.actions.len() {
            return Err(self.actions.into_iter().filter(|a| number[a.id as usize].is_none()).collect());
        }
        let number: Vec<Node> = number.into_iter().flatten().collect();
        for action in &mut self.actions {
            renumber(action, &number);
        }
        self.actions.sort_by_key(|action| action.id);
        Ok(self.actions)
    }
}

/// Whether it is done once, on this machine, for wherever its image is needed.
fn is_made(action: &Action) -> bool {
    match &action.request {
        Request::BuildRun(_) => true,
        Request::PushRun(push) => push.host.is_none(),
        _ => false,
    }
}

/// The text in memory that is shared with the last one, where that is the same.
fn shared(last: &mut Option<Arc<str>>, text: &str) -> Arc<str> {
    match last {
        Some(last) if **last == *text => Arc::clone(last),
        _ => Arc::clone(last.insert(text.into())),
    }
}

/// As many nodes as can be put into an order, in that order.
fn sorted(actions: &[Action]) -> Vec<Node> {
    let needed_by = NeededBy::new(actions);
    let mut waits_for: Vec<usize> = actions.iter().map(|action| action.needs.len()).collect();
    let ready = actions.iter().filter(|action| action.needs.is_empty());
    let mut ready: BinaryHeap<_> = ready.map(|action| Reverse(action.id)).collect();
    let mut order = Vec::with_capacity(actions.len());
    while let Some(Reverse(id)) = ready.pop() {
        order.push(id);
        for &next in needed_by.of(id) {
            waits_for[next as usize] -= 1;
            if waits_for[next as usize] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order
}

/// For each action those that need it, all in one piece of memory.
struct NeededBy {
    /// Where those of each action begin, and where the last ones end.
    begin: Vec<usize>,
    all: Vec<Node>,
}

impl NeededBy {
    fn new(actions: &[Action]) -> Self {
        let mut begin = vec![0; actions.len() + 1];
        actions.iter().flat_map(|action| &action.needs).for_each(|&need| begin[need as usize + 1] += 1);
        let mut sum = 0;
        for count in &mut begin {
            sum += *count;
            *count = sum;
        }
        let (mut next, mut all) = (begin.clone(), vec![0; sum]);
        for action in actions {
            for &need in &action.needs {
                all[next[need as usize]] = action.id;
                next[need as usize] += 1;
            }
        }
        Self { begin, all }
    }

    fn of(&self, node: Node) -> &[Node] {
        &self.all[self.begin[node as usize]..self.begin[node as usize + 1]]
    }
}

fn renumber(action: &mut Action, number: &[Node]) {
    action.id = number[action.id as usize];
    for need in &mut action.needs {
        *need = number[*need as usize];
    }
    action.needs.sort_unstable();
    for image in open_images(&mut action.request) {
        if let ImageRef::PushedBy { pushed_by } = image {
            *pushed_by = number[*pushed_by as usize];
        }
    }
}

/// The images that a request names, where it may name one that is known only once another action is done.
pub(crate) fn open_images(request: &mut Request) -> Vec<&mut ImageRef> {
    match request {
        Request::DeployPull(pull) => vec![&mut pull.image],
        Request::ClusterApply(apply) => vec![&mut apply.image],
        Request::ClusterRecord(cluster::Record { release: Some(release), .. })
            if !release.images.is_empty() =>
        {
            Arc::make_mut(release).images.values_mut().collect()
        }
        Request::DeployRecord(Record { release: Some(release), .. }) if !release.images.is_empty() => {
            Arc::make_mut(release).images.values_mut().collect()
        }
        _ => Vec::new(),
    }
}
