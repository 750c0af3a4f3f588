//! `deploy.host`: what the engine says of its machine, and what is free on its disk. I/O.

use bollard::models::SystemInfo;
use cloudpad_engine::failure;
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::{Disk, Engine, Machine};
use tokio::io::AsyncReadExt;

use crate::pool::Connection;

pub(super) async fn look(host: &Connection) -> Result<Machine, Failure> {
    let version = host.engine.version().await?;
    let info = host.engine.docker().await?.info().await;
    let info = info.map_err(|error| failure("could not ask the engine for its machine", &error))?;
    let disk = match &info.docker_root_dir {
        Some(path) => disk(host, path).await,
        None => None,
    };
    let engine = Engine { version: version.engine, api: version.api, platform: version.platform };
    Ok(machine(engine, info, disk))
}

/// The disk on which the host's engine keeps images; none where that cannot be told.
pub(crate) async fn disk_of(host: &Connection) -> Option<Disk> {
    let info = host.engine.docker().await.ok()?.info().await.ok()?;
    disk(host, &info.docker_root_dir?).await
}

fn machine(engine: Engine, info: SystemInfo, disk: Option<Disk>) -> Machine {
    Machine {
        engine,
        system: info.operating_system.unwrap_or_default(),
        kernel: info.kernel_version.unwrap_or_default(),
        cpus: info.ncpu.and_then(|count| count.try_into().ok()),
        memory: info.mem_total.and_then(|bytes| bytes.try_into().ok()),
        running: info.containers_running.and_then(|count| count.try_into().ok()),
        disk,
    }
}

/// The file system of a folder; none where that cannot be told, which is no reason to tell nothing else.
async fn disk(host: &Connection, path: &str) -> Option<Disk> {
    let command = ["df", "-P", "-k", path].map(str::to_owned);
    let mut running = host.engine.transport().run(&command).await.ok()?;
    let mut printed = Vec::new();
    running.stdout.read_to_end(&mut printed).await.ok()?;
    read(path, &String::from_utf8_lossy(&printed))
}

/// Reads what POSIX has `df -P -k` print: a heading, and a line whose name may hold blanks.
fn read(path: &str, printed: &str) -> Option<Disk> {
    let words: Vec<_> = printed.lines().nth(1)?.split_whitespace().collect();
    let numbers = words.windows(3).skip(1).find_map(|three| {
        let numbers: Vec<u64> = three.iter().map(|word| word.parse()).collect::<Result<_, _>>().ok()?;
        Some((*numbers.first()?, *numbers.last()?))
    });
    let (size, free) = numbers?;
    Some(Disk { path: path.to_owned(), size: size.checked_mul(1024)?, free: free.checked_mul(1024)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_df_prints_is_read() {
        let heading = "Filesystem     1024-blocks    Used Available Capacity Mounted on\n";
        let disk = Disk { path: "/d".into(), size: 10 * 1024, free: 4 * 1024 };
        assert_eq!(read("/d", &format!("{heading}/dev/sda1 10 6 4 60% /\n")), Some(disk.clone()));
        assert_eq!(read("/d", &format!("{heading}my disk 10 6 4 60% /mnt/2 3 4\n")), Some(disk));
        assert_eq!(read("/d", heading), None);
        assert_eq!(read("/d", "df: /d: Permission denied\n"), None);
    }
}
