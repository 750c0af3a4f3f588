//! Actions while their order is still open: nodes are added in any order and numbered at the end. Pure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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

/// The text in memory that is shared with the last one, where that is the same.
fn shared(last: &mut Option<Arc<str>>, text: &str) -> Arc<str> {
    match last {
        Some(last) if **last == *text => Arc::clone(last),
        _ => Arc::clone(last.insert(text.into())),
    }
}

/// As many nodes as can be put into an order, in that order.
fn sorted(actions: &[Action]) -> Vec<Node> {
    let mut needed_by = vec![Vec::new(); actions.len()];
    let mut waits_for = vec![0; actions.len()];
    let mut ready = BinaryHeap::new();
    for action in actions {
        waits_for[action.id as usize] = action.needs.len();
        for &need in &action.needs {
            needed_by[need as usize].push(action.id);
        }
        if action.needs.is_empty() {
            ready.push(Reverse(action.id));
        }
    }
    let mut order = Vec::with_capacity(actions.len());
    while let Some(Reverse(id)) = ready.pop() {
        order.push(id);
        for &next in &needed_by[id as usize] {
            waits_for[next as usize] -= 1;
            if waits_for[next as usize] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order
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
