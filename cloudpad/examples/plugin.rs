//! What a plugin costs: `plugin LOADER PLUGIN CONFIG [CONFIG]` prints one JSON object. I/O: processes.
//!
//! A session is all from the start of the plugin to its end, with one `inventory.list`; it is measured in turns
//! with a bare start of the same program, which ends because its input is closed. LOADER is the program that loads
//! a plugin that is a library. The calls have the first CONFIG; one more has the second, and its events are counted.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use cloudpad::plugin::find::Carrier;
use cloudpad::plugin::limits::Limits;
use cloudpad::plugin::mask::Mask;
use cloudpad::plugin::session::{Ask, Session, Unanswered, Who};
use cloudpad::plugin::{HOST, start::Launch};
use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::{Cancel, Emit, Failure, Request, Stage};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SESSIONS: u32 = 20;
const ROUNDS: u32 = 10;
const CALLS: u32 = 200;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [loader, plugin, config, events @ ..] = &args[..] else {
        return Err("usage: plugin LOADER PLUGIN CONFIG [CONFIG]".into());
    };
    let (launch, config) = (launch(loader.into(), plugin.into()), config.parse()?);
    let (session, spawn) = sessions(&launch, &config)?;
    let open = open(&launch)?;
    let mut report = json!({ "session_ms": session, "spawn_ms": spawn, "call_ms": calls(&open, &config)? });
    if let Some(events) = events.first() {
        report["event_us"] = event(&open, &events.parse()?)?.into();
    }
    #[allow(clippy::print_stdout, reason = "that is what it is for")]
    {
        println!("{report}");
    }
    Ok(())
}

fn launch(loader: PathBuf, path: PathBuf) -> Launch {
    let limits = Limits::default();
    let library = path.extension().is_some_and(|ending| ending == "so");
    Launch {
        who: Who { name: "measured".into(), path: path.display().to_string() },
        path,
        carrier: if library { Carrier::Library } else { Carrier::Executable },
        sums: Vec::new(),
        dir: ".".into(),
        listener: Default::default(),
        loader,
        depth: 0,
        deepest: limits.depth,
    }
}

/// The quickest session and the quickest bare start, in milliseconds.
fn sessions(launch: &Launch, config: &Value) -> Result<(f64, f64)> {
    let (mut session, mut spawn) = (f64::MAX, f64::MAX);
    for _ in 0..SESSIONS {
        session = session.min(timed(|| call(&open(launch)?, config, &quiet()))?);
        spawn = spawn.min(timed(|| bare(launch))?);
    }
    Ok((session, spawn))
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

fn open(launch: &Launch) -> Result<Session> {
    Ok(Session::start(launch, Limits::default(), Arc::new(Mask::new(Vec::new())), &Cancel::new())?)
}

/// Starts the plugin's program as the host does, and asks it for nothing.
fn bare(launch: &Launch) -> Result<()> {
    let mut command = match launch.carrier {
        Carrier::Library => {
            let mut command = Command::new(&launch.loader);
            command.arg(HOST).arg(&launch.path);
            command
        }
        _ => Command::new(&launch.path),
    };
    command.stdin(Stdio::null()).stderr(Stdio::null()).output()?;
    Ok(())
}

fn quiet() -> Emit {
    Arc::new(|_| {})
}

fn call(session: &Session, config: &Value, emit: &Emit) -> Result<()> {
    let offers = &session.hello.provides;
    let offer = offers.iter().find(|offer| offer.stage == Stage::Inventory).ok_or("it lists no hosts")?;
    let request = Request::InventoryList(List {});
    let ask = Ask {
        provider: &offer.provider,
        config,
        key: "measured",
        secrets: &Values::default(),
        request: &request,
    };
    match session.call(ask, emit, &Cancel::new()) {
        Ok(_) => Ok(()),
        Err(Unanswered::Failed(failure) | Unanswered::NotSent(failure)) => Err(failure.into()),
    }
}

/// What one call takes in a session that is open, in milliseconds: the mean of the quickest of several rounds.
fn calls(session: &Session, config: &Value) -> Result<f64> {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let round = timed(|| (0..CALLS).try_for_each(|_| call(session, config, &quiet())))?;
        best = best.min(round / f64::from(CALLS));
    }
    Ok(best)
}

/// What one of many events takes, in microseconds.
fn event(session: &Session, config: &Value) -> Result<f64> {
    let heard = Arc::new(AtomicU32::new(0));
    let count = heard.clone();
    let emit: Emit = Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let all = timed(|| call(session, config, &emit))?;
    match heard.load(Ordering::Relaxed) {
        0 => Err(Failure::failed("it told nothing").into()),
        heard => Ok(all * 1000.0 / f64::from(heard)),
    }
}
