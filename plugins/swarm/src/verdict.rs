//! Whether a service has become what it is to be. Pure.

use std::time::{Duration, Instant};

use bollard::models::{
    Node, Service as EngineService, ServiceUpdateStatusStateEnum as Update, Task, TaskState,
};
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::cluster::{Ready, Rollout};

use crate::{seen, spec};

/// How many instances of a new service may end before it is clear that it does not come up.
const ENDED: usize = 3;

/// What is to be said of a service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// So many instances serve, and have done so for long enough.
    Serves(u32),
    /// So many serve, and nothing is clear yet.
    Wait(u32),
    /// The swarm goes back to what was there before.
    GoesBack,
    /// The swarm has given it up: what it has done, in words.
    GivenUp(&'static str),
    /// It is to be something else by now.
    Another,
}

/// Looks at a service again and again until it is clear what has become of it.
pub(crate) struct Watch<'a> {
    id: &'a str,
    settle: Duration,
    /// Whether the swarm has been seen at work on it.
    is_update: bool,
    /// Since when all serve.
    since: Option<Instant>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(request: &'a Ready) -> Self {
        let settle = Duration::from_millis(spec::watched_ms(request.settle_ms));
        Self { id: &request.id, settle, is_update: false, since: None }
    }

    /// What a look at the time `now` says.
    pub(crate) fn judge(
        &mut self,
        service: &EngineService,
        (tasks, nodes): (&[Task], &[Node]),
        now: Instant,
    ) -> Verdict {
        let rollout = seen::rollout(service);
        if seen::labelled(service, label::SPEC_ID) != self.id {
            return match is_going_back(service) {
                true if rollout == Rollout::Updating => Verdict::GoesBack,
                true => Verdict::GivenUp("went back to what was there before"),
                false => Verdict::Another,
            };
        }
        if rollout == Rollout::Paused {
            return Verdict::GivenUp("has stopped its update");
        }
        let is_updating = rollout == Rollout::Updating;
        self.is_update |= is_updating;
        let serving = serving(service, tasks, nodes);
        if serving != Some(wanted(service)) || is_updating {
            self.since = None;
        } else {
            let since = *self.since.get_or_insert(now);
            // The swarm itself has watched each instance of an update for that long before it says that it is completed.
            if self.is_update || now - since >= self.settle {
                return Verdict::Serves(wanted(service));
            }
        }
        if !is_updating && ended(service, tasks) >= ENDED {
            return Verdict::GivenUp("makes it anew again and again");
        }
        Verdict::Wait(serving.unwrap_or_default())
    }
}

/// How many instances there are to be.
pub(crate) fn wanted(service: &EngineService) -> u32 {
    let desired = service.service_status.as_ref().and_then(|status| status.desired_tasks);
    desired.and_then(|desired| u32::try_from(desired).ok()).unwrap_or_default()
}

/// How many instances serve; none where one of before still does.
fn serving(service: &EngineService, tasks: &[Task], nodes: &[Node]) -> Option<u32> {
    let mut count = 0;
    let runs = |task: &&Task| seen::state_of(task) == TaskState::RUNNING && seen::is_up_on(task, nodes);
    for task in tasks.iter().filter(runs) {
        match seen::is_wanted(task) && seen::is_current(service, task) {
            true => count += 1,
            false => return None,
        }
    }
    Some(count)
}

/// How many instances of what the service is to be have ended by themselves.
fn ended(service: &EngineService, tasks: &[Task]) -> usize {
    tasks.iter().filter(|task| has_ended(task) && seen::is_current(service, task)).count()
}

/// Whether a task has ended by itself.
pub(crate) fn has_ended(task: &Task) -> bool {
    matches!(seen::state_of(task), TaskState::FAILED | TaskState::REJECTED | TaskState::COMPLETE)
}

fn is_going_back(service: &EngineService) -> bool {
    let state = service.update_status.as_ref().and_then(|status| status.state);
    matches!(state, Some(Update::ROLLBACK_STARTED | Update::ROLLBACK_PAUSED | Update::ROLLBACK_COMPLETED))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bollard::models::{
        NodeState, NodeStatus, ServiceServiceStatus, ServiceSpec, ServiceUpdateStatus, TaskSpec,
        TaskSpecContainerSpec, TaskStatus,
    };
    use cloudpad_plugin_api::model::Project;

    use super::*;

    fn request(settle_ms: u64) -> Ready {
        let project = Arc::new(Project { name: "shop".into(), environment: None });
        Ready { project, service: "web".into(), id: "new".into(), settle_ms, timeout_ms: 60_000 }
    }

    fn container(image: &str) -> TaskSpec {
        let image = Some(image.to_owned());
        let spec = TaskSpecContainerSpec { image, ..Default::default() };
        TaskSpec { container_spec: Some(spec), ..Default::default() }
    }

    /// A service of two instances that is to be `id`.
    fn service(id: &str, state: Option<Update>) -> EngineService {
        let spec = ServiceSpec {
            labels: Some([(label::SPEC_ID.to_owned(), id.to_owned())].into()),
            task_template: Some(container(id)),
            ..Default::default()
        };
        EngineService {
            spec: Some(spec),
            service_status: Some(ServiceServiceStatus { desired_tasks: Some(2), ..Default::default() }),
            update_status: state
                .map(|state| ServiceUpdateStatus { state: Some(state), ..Default::default() }),
            ..Default::default()
        }
    }

    fn task(image: &str, state: TaskState, desired: TaskState) -> Task {
        Task {
            spec: Some(container(image)),
            status: Some(TaskStatus { state: Some(state), ..Default::default() }),
            desired_state: Some(desired),
            node_id: Some("n1".into()),
            ..Default::default()
        }
    }

    fn up(image: &str) -> Task {
        task(image, TaskState::RUNNING, TaskState::RUNNING)
    }

    fn ended(image: &str, state: TaskState) -> Task {
        task(image, state, TaskState::SHUTDOWN)
    }

    fn failed() -> Task {
        ended("new", TaskState::FAILED)
    }

    /// `n1`, where all tasks are, in that state.
    fn nodes(state: NodeState) -> [Node; 1] {
        let status = NodeStatus { state: Some(state), ..Default::default() };
        [Node { id: Some("n1".into()), status: Some(status), ..Default::default() }]
    }

    /// What is said of it at these seconds.
    fn verdicts(request: &Ready, looks: &[(u64, EngineService, Vec<Task>)]) -> Vec<Verdict> {
        let (mut watch, begin) = (Watch::new(request), Instant::now());
        let looks = looks.iter();
        let nodes = nodes(NodeState::READY);
        looks
            .map(|(at, service, tasks)| {
                watch.judge(service, (tasks, &nodes), begin + Duration::from_secs(*at))
            })
            .collect()
    }

    #[test]
    fn a_new_one_has_to_serve_for_a_while_without_a_pause() {
        let new = || service("new", None);
        let both = || vec![up("new"), up("new")];
        let request = request(3000);
        let looks = [(0, new(), both()), (2, new(), both()), (3, new(), both())];
        assert_eq!(verdicts(&request, &looks), [Verdict::Wait(2), Verdict::Wait(2), Verdict::Serves(2)]);
        let looks = [(0, new(), both()), (2, new(), vec![up("new"), failed()]), (3, new(), both())];
        assert_eq!(verdicts(&request, &looks), [Verdict::Wait(2), Verdict::Wait(1), Verdict::Wait(2)]);
    }

    #[test]
    fn no_settle_time_is_a_second_as_one_that_ends_at_once_runs_for_a_moment() {
        let looks = [0, 1].map(|at| (at, service("new", None), vec![up("new"), up("new")]));
        assert_eq!(verdicts(&request(0), &looks), [Verdict::Wait(2), Verdict::Serves(2)]);
    }

    #[test]
    fn the_swarm_watches_an_update_and_an_old_one_says_nothing_of_now() {
        let both = || vec![up("new"), up("new")];
        let completed = || service("new", Some(Update::COMPLETED));
        let updating = service("new", Some(Update::UPDATING));
        let request = request(3000);
        let looks = [(0, updating, both()), (1, completed(), both())];
        assert_eq!(verdicts(&request, &looks), [Verdict::Wait(2), Verdict::Serves(2)]);
        assert_eq!(verdicts(&request, &[(0, completed(), both())]), [Verdict::Wait(2)]);
    }

    #[test]
    fn an_old_instance_that_still_runs_is_waited_for() {
        let old = task("old", TaskState::RUNNING, TaskState::SHUTDOWN);
        let tasks = vec![up("new"), up("new"), old];
        let updating = service("new", Some(Update::UPDATING));
        let looks = [(0, updating, tasks.clone()), (9, service("new", Some(Update::COMPLETED)), tasks)];
        assert_eq!(verdicts(&request(0), &looks), [Verdict::Wait(0), Verdict::Wait(0)]);
        // It may be an old one that the swarm has not told to end yet, or a new one that is one too many.
        for other in [up("old"), ended("new", TaskState::RUNNING)] {
            let tasks = vec![up("new"), other];
            let looks = [0, 9].map(|at| (at, service("new", None), tasks.clone()));
            assert_eq!(verdicts(&request(0), &looks), [Verdict::Wait(0), Verdict::Wait(0)]);
        }
    }

    #[test]
    fn what_was_on_a_node_that_is_lost_is_not_waited_for() {
        let old = task("old", TaskState::RUNNING, TaskState::SHUTDOWN);
        let new = Task { node_id: Some("n2".into()), ..up("new") };
        let tasks = [old, new.clone(), new];
        let [lost] = nodes(NodeState::DOWN);
        let [mut there] = nodes(NodeState::READY);
        there.id = Some("n2".into());
        let request = request(0);
        let serves = |nodes: &[Node]| {
            let mut watch = Watch::new(&request);
            let begin = Instant::now();
            let looks = [0, 1].map(|at| (service("new", None), begin + Duration::from_secs(at)));
            looks.map(|(service, at)| watch.judge(&service, (&tasks, nodes), at))
        };
        assert_eq!(serves(&[lost, there.clone()]), [Verdict::Wait(2), Verdict::Serves(2)]);
        let [back] = nodes(NodeState::READY);
        assert_eq!(serves(&[back, there]), [Verdict::Wait(0), Verdict::Wait(0)]);
    }

    #[test]
    fn what_the_swarm_has_given_up_is_told() {
        let cases = [
            (service("old", Some(Update::ROLLBACK_STARTED)), Vec::new(), Verdict::GoesBack),
            (
                service("old", Some(Update::ROLLBACK_COMPLETED)),
                Vec::new(),
                Verdict::GivenUp("went back to what was there before"),
            ),
            (service("new", Some(Update::PAUSED)), Vec::new(), Verdict::GivenUp("has stopped its update")),
            (service("theirs", None), Vec::new(), Verdict::Another),
            (
                service("new", None),
                vec![failed(), failed(), failed()],
                Verdict::GivenUp("makes it anew again and again"),
            ),
            (service("new", None), vec![failed(), failed()], Verdict::Wait(0)),
            // Those that have ended may have been done with their work, or be of what was there before.
            (
                service("new", None),
                vec![ended("new", TaskState::COMPLETE), ended("new", TaskState::REJECTED), failed()],
                Verdict::GivenUp("makes it anew again and again"),
            ),
            (
                service("new", None),
                vec![ended("old", TaskState::FAILED), failed(), failed()],
                Verdict::Wait(0),
            ),
            // The swarm counts those of an update itself.
            (service("new", Some(Update::UPDATING)), vec![failed(), failed(), failed()], Verdict::Wait(0)),
        ];
        for (service, tasks, expected) in cases {
            assert_eq!(Watch::new(&request(0)).judge(&service, (&tasks, &[]), Instant::now()), expected);
        }
    }
}
