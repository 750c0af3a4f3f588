//! Asks for something of each host, several at a time. I/O: threads, and what is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use cloudpad_plugin_api::{Context, Failure};

/// How many are asked at a time: each is a process on the user's machine.
const AT_ONCE: usize = 8;

/// The answers by host. After a failure no further host is asked.
pub(crate) fn ask<T: Send>(
    cx: &Context,
    hosts: &BTreeSet<&str>,
    of: impl Fn(&Context, &str) -> Result<T, Failure> + Sync,
) -> Result<BTreeMap<String, T>, Failure> {
    let (left, answers) = (Mutex::new(hosts.iter()), Mutex::new(Ok(BTreeMap::new())));
    // Of its own, so that nobody waits for the lock while another's host is asked.
    let next = || lock(&left).next();
    let work = || {
        while let Some(name) = next() {
            let answer = of(cx, name);
            let mut answers = lock(&answers);
            match (&mut *answers, answer) {
                (Ok(known), Ok(answer)) => drop(known.insert((*name).to_owned(), answer)),
                (Ok(_), Err(failure)) => *answers = Err(failure),
                (Err(_), _) => {}
            }
            if answers.is_err() {
                break;
            }
        }
    };
    std::thread::scope(|threads| {
        (0..AT_ONCE.min(hosts.len())).for_each(|_| drop(threads.spawn(work)));
    });
    answers.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(what: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    use cloudpad_plugin_api::Cancel;

    use super::*;

    fn context() -> Context {
        Context::new(serde_json::Value::Null, Arc::new(|_| ()), Cancel::new())
    }

    #[test]
    fn each_is_asked_once_and_no_more_than_so_many_at_a_time() {
        let names: Vec<_> = (0..100).map(|number| format!("h{number}")).collect();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let answers = ask(&context(), &names.iter().map(String::as_str).collect(), |_, name| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(name.to_uppercase())
        })
        .unwrap();
        assert_eq!(answers.len(), 100);
        assert_eq!(answers["h7"], "H7");
        assert!(most.into_inner() <= AT_ONCE);
        assert_eq!(ask(&context(), &BTreeSet::new(), |_, _| Ok(())), Ok(BTreeMap::new()));
    }

    #[test]
    fn so_many_are_asked_at_the_same_time() {
        let names: Vec<_> = (0..AT_ONCE).map(|number| format!("h{number}")).collect();
        let all = Barrier::new(AT_ONCE);
        let answers = ask(&context(), &names.iter().map(String::as_str).collect(), |_, _| {
            all.wait();
            Ok(())
        });
        assert_eq!(answers.map(|answers| answers.len()), Ok(AT_ONCE));
    }

    #[test]
    fn after_a_failure_no_further_one_is_asked() {
        let names: Vec<_> = (0..1000).map(|number| format!("h{number:03}")).collect();
        let asked = AtomicUsize::new(0);
        let failure = ask(&context(), &names.iter().map(String::as_str).collect(), |_, name| {
            asked.fetch_add(1, Ordering::SeqCst);
            Err::<(), _>(Failure::failed(format!("not {name}")))
        })
        .unwrap_err();
        assert!(failure.message.starts_with("not h00"), "{failure}");
        assert!(asked.into_inner() <= AT_ONCE);
    }
}
