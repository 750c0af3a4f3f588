//! Push provider `ssh`: an image from this machine's engine to a host, only what the host lacks.
//!
//! `present` looks what the host has, `lacking` decides what to send, `room` whether it fits, `send` streams it: `export` reads it from
//! this machine's engine, `repack` takes that apart (`identity` knows its layers) and puts it together again
//! (`layout`), and `compress` makes it smaller.

mod compress;
mod export;
mod identity;
mod lacking;
mod layout;
mod present;
mod repack;
mod room;
mod send;

use std::collections::BTreeMap;

use bollard::models::ImageInspect;
use bollard::query_parameters::RemoveImageOptions;
use cloudpad_engine::{Engine, release_names};
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::push::{Push, Pushed, Run};
use cloudpad_plugin_api::{Context, Failure, Level, PushScope};

use crate::call::{Call, on_host};
use crate::config::Config;
use crate::pool::{self, Connection};
use present::Present;
use send::{NotSent, Parcel, Share, send};

/// Sends images straight to each host.
pub struct Pusher;

impl Push for Pusher {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<Config>().map(drop)
    }

    fn scope(&self) -> PushScope {
        PushScope::Host
    }

    fn run(&self, cx: &Context, request: &Run) -> Result<Pushed, Failure> {
        let no_host = || Failure::invalid("a push without a registry needs a host to push to");
        let host = request.host.as_ref().ok_or_else(no_host)?;
        on_host(cx, host, Call::Change, async |to| push(cx, host, &to, request).await)
    }
}

async fn push(cx: &Context, host: &Host, to: &Connection, request: &Run) -> Result<Pushed, Failure> {
    let reference = &request.reference;
    // Pushes to several hosts share the connection to this machine's engine.
    let here = pool::lease(&Host::new(Host::LOCAL, Host::LOCAL), &Config::default(), cx.cancel()).await?;
    let from = &here.connection.engine;
    let image = present::inspect(from, reference).await?.ok_or_else(|| {
        Failure::failed(format!("image `{reference}` is not on this machine, so it cannot be pushed"))
            .hint("build it first with `cloudpad build`")
    })?;
    // The list of this machine's images may be from before the image was built.
    let present = match pool::is_own_engine(host, &cx.config::<Config>()?) {
        true => Present::Whole,
        false => present::look(to, reference, &image, &request.similar).await?,
    };
    let sent = match present {
        Present::Whole => 0,
        Present::Unnamed(id) => to.engine.name(&id, reference).await.map(|()| 0)?,
        Present::Layers(known) => {
            room::check((host, to), from, (reference, &image), &known).await?;
            let names = names(reference, &image);
            let sent = send_lacking(cx, host, (from, &to.engine), &names, &image, &known).await;
            match sent {
                Ok(sent) => sent,
                Err(why) => return Err(failed(host, to, &names, why).await),
            }
        }
    };
    to.note_image(reference);
    Ok(Pushed { reference: reference.clone(), sent: Some(sent) })
}

/// The names under which an image is loaded: the one that is asked for, and those that people read.
fn names(reference: &str, image: &ImageInspect) -> Vec<String> {
    let mut names = release_names(reference, image.repo_tags.iter().flatten());
    names.insert(0, reference.to_owned());
    names
}

/// Sends what seems to be lacking. What a host has is not certain (a containerd store knows layers by
/// the form in which they came), but an engine that misses one refuses cleanly, and then gets all.
async fn send_lacking(
    cx: &Context,
    host: &Host,
    (from, to): (&Engine, &Engine),
    names: &[String],
    image: &ImageInspect,
    known: &[Vec<String>],
) -> Result<u64, NotSent> {
    let diff_ids = present::layers(image);
    let shared = lacking::shared(&diff_ids, known);
    let whole = Parcel {
        names: names.to_vec(),
        share: Share::Layers(lacking::lacking(&diff_ids, 0)),
        blobs: BTreeMap::new(),
        size: image.size.and_then(|size| u64::try_from(size).ok()),
        diff_ids,
    };
    if shared > 0 {
        let share = Share::Layers(lacking::lacking(&whole.diff_ids, shared));
        let blobs = send::blobs(from, whole.reference(), &whole.diff_ids).await.map_err(NotSent::Failed)?;
        let part = Parcel { share, blobs, size: None, ..whole.clone() };
        match send(cx, from, to, &part).await {
            Err(NotSent::Refused(failure)) if !is_full(&failure) => {
                let name = &host.name;
                cx.log(
                    Level::Info,
                    format!("the engine of `{name}` refused the partial image, sending all layers"),
                );
                cx.log(Level::Debug, failure.to_string());
            }
            Err(NotSent::UnknownForm) => {}
            done => return done,
        }
    }
    match send(cx, from, to, &whole).await {
        Err(NotSent::UnknownForm) => {}
        done => return done,
    }
    cx.log(Level::Debug, "this machine's engine exports images in an unknown form, sending it as it is");
    send(cx, from, to, &Parcel { share: Share::Everything, ..whole }).await
}

/// What is told of an image that has not arrived.
async fn failed(host: &Host, to: &Connection, names: &[String], why: NotSent) -> Failure {
    let failure = match why {
        NotSent::Refused(failure) => failure,
        NotSent::Failed(failure) => return failure,
        NotSent::UnknownForm => {
            return Failure::failed("this machine's engine exports images in an unknown form");
        }
    };
    for name in names {
        forget(to, name).await;
    }
    if !is_full(&failure) {
        return failure;
    }
    let (name, reference) = (&host.name, names.first().map_or("", String::as_str));
    Failure::failed(format!("could not load image `{reference}`: the disk of `{name}` is full"))
        .cause(failure.message)
        .hint(format!("make room on `{name}`, such as with `docker image prune`, and try again"))
}

/// A full disk does not get emptier when more is sent.
fn is_full(failure: &Failure) -> bool {
    failure.message.contains("no space left on device")
}

/// Removes an image that the engine has refused and yet kept: one with containerd's store keeps what it could
/// not unpack. Where there was such a name before, it may be that one which is there.
async fn forget(to: &Connection, reference: &str) {
    let before = to.images_then().unwrap_or_default();
    if before.iter().any(|image| present::is_named(image, reference)) {
        return;
    }
    if let Ok(docker) = to.engine.docker().await {
        // There is nothing to tell: mostly, there is no such image.
        let _ = docker.remove_image(reference, None::<RemoveImageOptions>, None).await;
    }
}
