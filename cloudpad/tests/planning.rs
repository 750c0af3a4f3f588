//! How often planning asks for memory, and for how much: so much for each container, and nothing that grows faster
//! than the number of hosts. The time depends on it most, and no noise touches it.

#![allow(clippy::unwrap_used, reason = "a test may end at once")]

#[allow(dead_code, reason = "what the example prints is of no interest here")]
#[path = "../examples/planning.rs"]
mod example;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use cloudpad::config::Config;
use cloudpad::inventory::Inventory;
use cloudpad::observed::Observed;
use cloudpad::plan::{Plan, plan};

/// The system's allocator, which counts what each thread asks of it.
struct Counting;

thread_local! {
    static TIMES: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// Safety: all is left to the system's allocator; the counters are plain values, which ask for no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(size: usize) {
    TIMES.set(TIMES.get() + 1);
    BYTES.set(BYTES.get() + size);
}

const SERVICES: u32 = 10;

/// What a plan took.
#[derive(Debug)]
struct Taken {
    /// How often it asked for memory.
    times: usize,
    /// How much it asked for in all.
    bytes: usize,
}

fn counted(config: &Config, observed: &Observed) -> (Plan, Taken) {
    let (inventory, goal) = (Inventory::new(&config.hosts, Default::default()).unwrap(), example::goal());
    let (times, bytes) = (TIMES.get(), BYTES.get());
    let plan = plan(config, &inventory, observed, &goal).unwrap();
    (plan, Taken { times: TIMES.get() - times, bytes: BYTES.get() - bytes })
}

/// Of a first deploy, of one that changes nothing, and of one that changes everything.
fn takes(hosts: u32) -> [Taken; 3] {
    let mut config = example::config(hosts, SERVICES);
    let mut observed = example::observed(&config);
    let (plan, first) = counted(&config, &observed);
    example::carry_out(&mut observed, plan);
    let (plan, unchanged) = counted(&config, &observed);
    assert!(plan.is_empty());
    example::change(&mut config);
    let (plan, changed) = counted(&config, &observed);
    assert_eq!(plan.changes.len(), (hosts * SERVICES) as usize);
    [first, unchanged, changed]
}

#[test]
fn planning_takes_memory_a_few_times_for_each_container_however_many_hosts_there_are() {
    const FEW: u32 = 250;
    const MANY: u32 = 4 * FEW;
    let containers = (MANY * SERVICES) as usize;
    // How often at most for each container: once more for each would be too often.
    let most = [("first", 19), ("unchanged", 1), ("changed", 24)];
    for ((name, most), (few, many)) in most.into_iter().zip(takes(FEW).into_iter().zip(takes(MANY))) {
        let what = format!("{name}: {few:?} for {FEW} hosts, {many:?} for {MANY}");
        assert!(many.times <= most * containers, "more than {most} times for each container: {what}");
        assert!(many.times <= 4 * few.times, "more often than in proportion: {what}");
        assert!(many.bytes <= 4 * few.bytes, "more than in proportion: {what}");
    }
}
