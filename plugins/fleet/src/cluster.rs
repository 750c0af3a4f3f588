//! Provider `fleet`: what Cloudpad asks of a cluster. I/O: by way of `client`.

use cloudpad_plugin_api::stage::cluster::{
    Applied, Apply, BecameReady, Cannot, Cannots, Cluster, Logs, Observation, Observe, Ready, Record, Remove,
    Review,
};
use cloudpad_plugin_api::stage::deploy::{ImageRef, Logged};
use cloudpad_plugin_api::{Context, Failure, Outcome};

use crate::call::with_fleet;
use crate::config::Config;
use crate::wire::Machine;
use crate::wish::{GivenUp, Wish};
use crate::{change, drive, logs, names, note, observe};

/// The provider.
pub(crate) struct Fleet;

impl Cluster for Fleet {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        Config::of(cx).map(drop)
    }

    fn review(&self, cx: &Context, request: &Review) -> Result<Cannots, Failure> {
        let spread = Config::of(cx)?.spread;
        let mut cannots = Cannots::default();
        for service in &request.services {
            // Where the image is to be had is known later; what else there is to say does not depend on it.
            let wish = Wish {
                id: String::new(),
                release: String::new(),
                image: service.spec.image.clone(),
                spread,
                service: (**service).clone(),
                before: None,
                given_up: GivenUp::No,
            };
            cannots.cannot.extend(wish.units(&request.project, 0).err().into_iter().flatten().map(
                |cannot| Cannot {
                    service: service.name.clone(),
                    key: cannot.key.to_owned(),
                    message: cannot.message,
                    hint: cannot.hint.map(str::to_owned),
                },
            ));
        }
        Ok(cannots)
    }

    fn observe(&self, cx: &Context, request: &Observe) -> Result<Observation, Failure> {
        with_fleet(cx, Outcome::None, async |client, _| {
            let look = drive::look(client).await?;
            Ok(observe::observation(&request.project, &look, request.releases))
        })
    }

    fn apply(&self, cx: &Context, request: &Apply) -> Result<Applied, Failure> {
        with_fleet(cx, Outcome::Unknown, async |client, config| {
            let wish = Wish {
                id: request.id.clone(),
                release: request.release.clone(),
                image: image(&request.image)?,
                spread: config.spread,
                service: (*request.service).clone(),
                before: None,
                given_up: GivenUp::No,
            };
            let changed = change::apply(client, &request.project, wish, request.replaces.as_deref()).await?;
            Ok(Applied { changed })
        })
    }

    fn ready(&self, cx: &Context, request: &Ready) -> Result<BecameReady, Failure> {
        with_fleet(cx, Outcome::Unknown, async |client, config| {
            let last = async |machine: &Machine, unit: &str| {
                logs::last(cx, config, &request.project, machine, unit).await
            };
            let instances = change::ready(client, request, last).await?;
            Ok(BecameReady { instances })
        })
    }

    fn remove(&self, cx: &Context, request: &Remove) -> Result<(), Failure> {
        with_fleet(cx, Outcome::Unknown, async |client, _| change::remove(client, request).await)
    }

    fn record(&self, cx: &Context, request: &Record) -> Result<(), Failure> {
        with_fleet(cx, Outcome::Unknown, async |client, _| {
            if let Some(release) = &request.release {
                let description =
                    format!("release {} of {}, for Cloudpad", release.id, request.project.prefix());
                let options = note::options(&description, &**release)?;
                change::remember(client, &names::release(&request.project, &release.id), &options).await?;
            }
            for id in &request.forget {
                client.destroy(&names::release(&request.project, id)).await?;
            }
            Ok(())
        })
    }

    fn logs(&self, cx: &Context, request: &Logs) -> Result<Logged, Failure> {
        with_fleet(cx, Outcome::None, async |client, config| {
            logs::logs(cx, config, &drive::look(client).await?, request).await
        })
    }
}

fn image(image: &ImageRef) -> Result<String, Failure> {
    image.get().map(str::to_owned)
}
