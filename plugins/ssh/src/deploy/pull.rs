//! `deploy.pull`: lets the host's engine pull an image, with the user's credentials. I/O.

use std::collections::BTreeMap;

use bollard::errors::Error;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use cloudpad_engine::{Access, Engine, Reference, failure, refusal, said};
use cloudpad_plugin_api::stage::deploy::{Pull, Pulled};
use cloudpad_plugin_api::{Context, Failure, FailureKind};
use futures_util::TryStreamExt;

use super::unlisted;

pub(super) async fn pull(cx: &Context, engine: &Engine, request: &Pull) -> Result<Pulled, Failure> {
    let image = request.image.get()?;
    let reference = Reference::parse(image);
    let present = match reference.digest {
        // A digest always means the same image, so the registry need not be asked.
        Some(_) => find(engine, image).await?,
        None => None,
    };
    let id = match present {
        Some(id) => id,
        None => fetch(cx, engine, image, &reference).await?,
    };
    if let Some(tag) = &request.tag {
        engine.name(&id, tag).await?;
    }
    Ok(Pulled { id })
}

/// The id of an image of the host.
async fn find(engine: &Engine, image: &str) -> Result<Option<String>, Failure> {
    Ok(unlisted::inspect(engine, image).await?.and_then(|found| found.id))
}

async fn fetch(cx: &Context, engine: &Engine, image: &str, reference: &Reference) -> Result<String, Failure> {
    let access = Access::to(reference).await?;
    // Without a tag, an engine pulls every tag there is.
    let tag = reference.digest.as_deref().or(reference.tag_or_latest()).unwrap_or_default();
    let options = CreateImageOptionsBuilder::new().from_image(&reference.name()).tag(tag).build();
    let docker = engine.patient().await?;
    let mut steps = docker.create_image(Some(options), None, Some(access.credentials.clone()));
    let mut bytes = Bytes::default();
    let tried = format!("could not pull `{image}`");
    while let Some(step) =
        steps.try_next().await.map_err(|error| refused(&tried, &error, reference, &access))?
    {
        if bytes.take(step) {
            let (done, total) = bytes.sum();
            cx.bytes("pulling", done, Some(total));
        }
    }
    let missing = || Failure::failed(format!("{tried}: the engine has pulled it and does not have it"));
    find(engine, image).await?.ok_or_else(missing)
}

/// Why the host has not got it. It is the registry that said no: the host itself was reached.
pub(super) fn refused(tried: &str, error: &Error, reference: &Reference, access: &Access) -> Failure {
    let Some(said) = said(error) else { return failure(tried, error) };
    let refusal = refusal::explain(tried, said, "pull", &reference.registry, access);
    Failure { kind: FailureKind::Failed, ..refusal.failure }
}

/// How much of each layer has been downloaded, out of how much.
#[derive(Default)]
struct Bytes(BTreeMap<String, (u64, u64)>);

impl Bytes {
    /// Whether the step was about bytes of a layer. Only downloads count: extraction has totals too.
    fn take(&mut self, step: CreateImageInfo) -> bool {
        let detail = step.progress_detail.as_ref();
        let (Some(id), Some(current)) = (step.id, detail.and_then(|detail| detail.current)) else {
            return false;
        };
        if step.status.as_deref() != Some("Downloading") {
            return false;
        }
        let total = detail.and_then(|detail| detail.total).unwrap_or(current);
        let size = |bytes: i64| u64::try_from(bytes).unwrap_or_default();
        self.0.insert(id, (size(current), size(total)));
        true
    }

    fn sum(&self) -> (u64, u64) {
        self.0.values().fold((0, 0), |(done, total), (d, t)| (done + d, total + t))
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    #[test]
    fn layers_add_up() {
        let step = |id: &str, status: &str, current, total| CreateImageInfo {
            id: Some(id.into()),
            status: Some(status.into()),
            progress_detail: Some(ProgressDetail { current: Some(current), total: Some(total) }),
            ..Default::default()
        };
        let mut bytes = Bytes::default();
        assert!(bytes.take(step("a", "Downloading", 10, 100)));
        assert!(bytes.take(step("b", "Downloading", 5, 50)));
        assert!(bytes.take(step("a", "Downloading", 20, 100)));
        assert!(!bytes.take(step("a", "Extracting", 1, 100)));
        assert_eq!(bytes.sum(), (25, 150));
    }
}
