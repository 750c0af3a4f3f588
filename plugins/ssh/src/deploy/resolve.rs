//! `deploy.resolve`: what references mean now, asked by the engine that would pull them, with the user's credentials. I/O.

use cloudpad_engine::{Access, Engine, Reference};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::{Digest, Digests, Resolve};
use futures_util::future::join_all;

use super::pull::refused;

pub(super) async fn resolve(engine: &Engine, request: &Resolve) -> Result<Digests, Failure> {
    // Without an engine, nothing is known of any of them.
    engine.version().await?;
    let images = request.images.iter().map(async |image| {
        let (digest, failure) = match ask(engine, image).await {
            Ok(digest) => (Some(digest), None),
            Err(failure) => (None, Some(failure)),
        };
        Digest { image: image.clone(), digest, failure }
    });
    Ok(Digests { images: join_all(images).await })
}

async fn ask(engine: &Engine, image: &str) -> Result<String, Failure> {
    let reference = Reference::parse(image);
    let access = Access::to(&reference).await?;
    let tried = format!("could not look for `{image}`");
    let docker = engine.docker().await?;
    let found = docker.inspect_registry_image(image, Some(access.credentials.clone())).await;
    let found = found.map_err(|error| refused(&tried, &error, &reference, &access))?;
    let none = || Failure::failed(format!("{tried}: the engine has told no digest"));
    found.descriptor.digest.ok_or_else(none)
}
