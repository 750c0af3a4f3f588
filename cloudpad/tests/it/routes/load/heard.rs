//! What clients were answered, and what they were not: counted, and each failure kept with what it was and when.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Where clients say what they have heard.
pub struct Ear {
    begun: Instant,
    heard: Mutex<Heard>,
    more: Condvar,
}

/// What all clients together were told.
#[derive(Default)]
pub struct Heard {
    /// How many requests were answered, by what they were.
    pub answers: BTreeMap<String, usize>,
    /// How many websockets have ended that were to live for as long as they could.
    pub sockets: usize,
    /// How often each page came since the last mark, by host.
    pages: BTreeMap<String, BTreeMap<String, usize>>,
    /// The only page that may answer what is asked since then.
    only: Option<(Instant, String)>,
    failures: usize,
    /// In which words a failure is none.
    excused: Option<&'static str>,
    /// What was done and what went wrong, in its order.
    story: Vec<String>,
}

impl Heard {
    /// How many requests were answered.
    pub fn count(&self) -> usize {
        self.answers.values().sum()
    }

    /// Fails the test when a request was not answered as it should.
    #[track_caller]
    pub fn none_failed(&self) {
        assert!(self.failures == 0, "{}", self.story());
    }

    fn story(&self) -> String {
        let Self { failures, answers, story, .. } = self;
        format!("{failures} failed beside {}: {answers:#?}\n{}", self.count(), story.join("\n"))
    }

    /// Those of the first hundred.
    fn fail(&mut self, line: String) {
        self.failures += 1;
        if self.failures <= 100 {
            self.story.push(line);
        }
    }
}

impl Default for Ear {
    fn default() -> Self {
        Self { begun: Instant::now(), heard: Mutex::default(), more: Condvar::new() }
    }
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().expect("a client has panicked")
    }

    fn at(&self, when: Instant) -> String {
        format!("{:8.3} s", when.duration_since(self.begun).as_secs_f32())
    }

    /// Notes what is done now, and which page alone may answer what is asked from now on.
    pub fn mark(&self, what: &str, only: Option<&str>) {
        let now = Instant::now();
        let mut heard = self.lock();
        heard.story.push(format!("{} {what}", self.at(now)));
        heard.only = only.map(|page| (now, page.to_owned()));
        heard.pages.clear();
    }

    pub fn answer(&self, host: &str, what: &str, begun: Instant, page: String) {
        let mut heard = self.lock();
        let wrong =
            heard.only.as_ref().filter(|(since, only)| begun > *since && !page.is_empty() && page != *only);
        if let Some((_, only)) = wrong {
            let line = format!(
                "{} {host}: {what} was answered by {page:?}, where all have {only:?}",
                self.at(begun)
            );
            heard.fail(line);
            return self.more.notify_all();
        }
        *heard.answers.entry(what.to_owned()).or_default() += 1;
        *heard.pages.entry(host.to_owned()).or_default().entry(page).or_default() += 1;
        self.more.notify_all();
    }

    pub fn failure(&self, host: &str, what: &str, begun: Instant, why: &str) {
        let lasted = begun.elapsed().as_secs_f32();
        let line = format!("{} {host}: {what} failed after {lasted:.3} s: {why}", self.at(begun));
        let mut heard = self.lock();
        if heard.excused.is_none_or(|excused| !why.contains(excused)) {
            heard.fail(line);
        }
        self.more.notify_all();
    }

    pub fn excuse(&self, why: &'static str) {
        self.lock().excused = Some(why);
    }

    pub fn ended(&self) {
        self.lock().sockets += 1;
    }

    /// Waits until there were so many answers in all, and this page has come from each of so many hosts. Fails the test once
    /// a request has failed.
    #[track_caller]
    pub fn wait(&self, page: &str, answers: usize, hosts: usize) {
        let enough = |heard: &mut Heard| {
            let with = heard.pages.values().filter(|pages| pages.contains_key(page)).count();
            heard.failures == 0 && (heard.count() < answers || with < hosts)
        };
        let limit = Duration::from_secs(120);
        let waited = self.more.wait_timeout_while(self.lock(), limit, enough).expect("a client has panicked");
        let is_fine = waited.0.failures == 0 && !waited.1.timed_out();
        let story = waited.0.story();
        drop(waited);
        assert!(is_fine, "while it is waited for {page:?}: {story}");
    }

    pub fn take(&self) -> Heard {
        std::mem::take(&mut self.lock())
    }
}
