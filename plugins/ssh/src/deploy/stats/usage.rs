//! What a container uses, from two samples, as `docker stats` computes it. Pure.
//!
//! The formulas are those of the docker client, with the page cache left out of memory:
//! <https://github.com/docker/cli/blob/master/cli/command/container/stats_helpers.go>.

use bollard::models::{
    ContainerBlkioStats, ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse as Sample,
};
use cloudpad_plugin_api::stage::deploy::{Container, Usage};

/// What it uses at the second sample, and how busy it has kept processors since the first.
pub(super) fn of(container: &Container, before: &Sample, after: &Sample) -> Usage {
    let networks = || after.networks.iter().flat_map(|networks| networks.values());
    let has_networks = after.networks.is_some();
    let disks = after.blkio_stats.as_ref();
    Usage {
        instance: container.instance.clone(),
        container: container.name.clone(),
        cpu_micros: busy(before.cpu_stats.as_ref(), after.cpu_stats.as_ref()),
        memory: after.memory_stats.as_ref().and_then(memory),
        memory_limit: after.memory_stats.as_ref().and_then(|memory| memory.limit),
        received: has_networks.then(|| networks().filter_map(|network| network.rx_bytes).sum()),
        sent: has_networks.then(|| networks().filter_map(|network| network.tx_bytes).sum()),
        read: disks.map(|disks| bytes(disks, 'r')),
        written: disks.map(|disks| bytes(disks, 'w')),
        pids: after.pids_stats.as_ref().and_then(|pids| pids.current),
    }
}

/// The container's part of the time that all processors together have had, times their number.
fn busy(before: Option<&ContainerCpuStats>, after: Option<&ContainerCpuStats>) -> Option<u64> {
    let (before, after) = (before?, after?);
    let used = |stats: &ContainerCpuStats| stats.cpu_usage.as_ref()?.total_usage;
    let used = used(after)?.saturating_sub(used(before)?);
    let all = after.system_cpu_usage?.saturating_sub(before.system_cpu_usage?);
    let listed = || after.cpu_usage.as_ref()?.percpu_usage.as_ref().map(Vec::len);
    let processors = after.online_cpus.filter(|count| *count > 0).map(u64::from);
    let processors = processors.or_else(|| listed().and_then(|count| count.try_into().ok()))?;
    let micros = u128::from(used) * u128::from(processors) * 1_000_000;
    u64::try_from(micros.checked_div(u128::from(all)).unwrap_or_default()).ok()
}

/// Without the page cache that the kernel would give up first. It has one name with version 1 of control groups, and another
/// with version 2.
fn memory(stats: &ContainerMemoryStats) -> Option<u64> {
    let usage = stats.usage?;
    let told = |name: &str| stats.stats.as_ref()?.get(name).copied().filter(|cached| *cached < usage);
    let cached = told("total_inactive_file").or_else(|| told("inactive_file")).unwrap_or_default();
    Some(usage - cached)
}

/// What was moved in one direction, whose name begins with this letter.
fn bytes(stats: &ContainerBlkioStats, letter: char) -> u64 {
    let moved = stats.io_service_bytes_recursive.iter().flatten();
    let is_meant = |name: &str| name.starts_with([letter, letter.to_ascii_uppercase()]);
    moved.filter(|entry| entry.op.as_deref().is_some_and(is_meant)).filter_map(|entry| entry.value).sum()
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::model::Instance;
    use cloudpad_plugin_api::stage::deploy::{State, Status};
    use serde_json::{Value, json};

    use super::*;

    fn usage(before: Value, after: Value) -> Usage {
        let container = Container {
            id: "id".into(),
            name: "shop-web-1-a".into(),
            instance: Instance { service: "web".into(), number: 1 },
            release: String::new(),
            spec_id: String::new(),
            spec: None,
            state: State::Running,
            created: 0,
            status: Status::default(),
        };
        let sample = |value| serde_json::from_value(value).unwrap();
        of(&container, &sample(before), &sample(after))
    }

    fn cpu(used: u64, all: u64, processors: u64) -> Value {
        json!({ "cpu_stats": {
            "cpu_usage": { "total_usage": used }, "system_cpu_usage": all, "online_cpus": processors
        } })
    }

    #[test]
    fn a_processor_is_as_busy_as_docker_says() {
        let busy = |before, after| usage(before, after).cpu_micros;
        // Half of all the time of four processors is two of them.
        assert_eq!(busy(cpu(100, 1_000, 4), cpu(1_100, 3_000, 4)), Some(2_000_000));
        assert_eq!(busy(cpu(100, 1_000, 4), cpu(100, 3_000, 4)), Some(0));
        assert_eq!(busy(cpu(100, 1_000, 4), cpu(200, 1_000, 4)), Some(0), "no time has passed");
        let listed = json!({ "cpu_stats": {
            "cpu_usage": { "total_usage": 600, "percpu_usage": [1, 2] }, "system_cpu_usage": 2_000
        } });
        assert_eq!(busy(cpu(100, 1_000, 0), listed), Some(1_000_000));
        assert_eq!(busy(json!({}), cpu(1, 2, 1)), None);
    }

    #[test]
    fn the_rest_is_that_of_the_second_sample() {
        let after = json!({
            "memory_stats": { "usage": 5_000, "limit": 9_000, "stats": { "inactive_file": 1_000 } },
            "networks": { "eth0": { "rx_bytes": 1, "tx_bytes": 2 }, "eth1": { "rx_bytes": 10, "tx_bytes": 20 } },
            "blkio_stats": { "io_service_bytes_recursive": [
                { "op": "read", "value": 3 }, { "op": "Write", "value": 4 }, { "op": "Read", "value": 30 },
                { "op": "Sync", "value": 5 }
            ] },
            "pids_stats": { "current": 7 }
        });
        let used = usage(json!({}), after);
        assert_eq!((used.memory, used.memory_limit), (Some(4_000), Some(9_000)));
        assert_eq!((used.received, used.sent), (Some(11), Some(22)));
        assert_eq!((used.read, used.written, used.pids), (Some(33), Some(4), Some(7)));
        let nothing = usage(json!({}), json!({}));
        assert_eq!((nothing.memory, nothing.received, nothing.read, nothing.pids), (None, None, None, None));
        let first = json!({ "memory_stats": { "usage": 5_000, "stats": { "total_inactive_file": 2_000, "inactive_file": 1 } } });
        assert_eq!(usage(json!({}), first).memory, Some(3_000), "control groups of version 1");
    }
}
