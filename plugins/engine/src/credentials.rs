//! What the user's Docker configuration says about a registry. Reads `config.json` and runs the
//! user's credential helpers.

use bollard::auth::DockerCredentials;
use cloudpad_plugin_api::Failure;
use docker_credential::{CredentialRetrievalError as Error, DockerCredential};

use crate::Reference;

/// The key under which `docker login` stores credentials of Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// The user's credentials for `registry` (as in [`Reference::registry`]); none when there are none.
///
/// # Errors
/// `failed` when the configuration or a credential helper is broken. No secret is in the message.
pub async fn lookup(registry: &str) -> Result<Option<DockerCredential>, Failure> {
    let key = if registry == Reference::HUB { HUB_KEY } else { registry }.to_owned();
    let found = tokio::task::spawn_blocking(move || docker_credential::get_credential(&key)).await;
    let result = found.map_err(|error| Failure::failed(error.to_string()))?;
    answer(registry, result)
}

/// The same, as the engine takes them with a pull or a push of `reference`.
///
/// # Errors
/// As for [`lookup`].
pub async fn for_engine(reference: &Reference) -> Result<Option<DockerCredentials>, Failure> {
    Ok(lookup(&reference.registry).await?.map(|credential| engine_form(&reference.registry, credential)))
}

fn engine_form(registry: &str, credential: DockerCredential) -> DockerCredentials {
    let serveraddress = Some(registry.to_owned());
    match credential {
        DockerCredential::IdentityToken(token) => {
            DockerCredentials { identitytoken: Some(token), serveraddress, ..Default::default() }
        }
        DockerCredential::UsernamePassword(username, password) => DockerCredentials {
            username: Some(username),
            password: Some(password),
            serveraddress,
            ..Default::default()
        },
    }
}

fn answer(
    registry: &str,
    result: Result<DockerCredential, Error>,
) -> Result<Option<DockerCredential>, Failure> {
    let tried = format!("could not get the credentials for registry `{registry}`");
    match result {
        Ok(credential) => Ok(Some(credential)),
        // The crate reports a missing `config.json` as one that cannot be read; a pull of a public
        // image must not fail for it.
        Err(Error::NoCredentialConfigured | Error::ConfigNotFound | Error::ConfigReadError) => Ok(None),
        Err(Error::HelperFailure { stdout, .. }) if stdout.contains("credentials not found") => Ok(None),
        Err(Error::HelperFailure { helper, stdout, stderr }) => {
            let failure = Failure::failed(format!("{tried} from `docker-credential-{helper}`"));
            Err([stdout, stderr]
                .iter()
                .map(|t| t.trim())
                .filter(|t| !t.is_empty())
                .fold(failure, Failure::cause))
        }
        Err(error) => Err(Failure::failed(tried)
            .cause(error)
            .hint("look at `config.json` in your Docker configuration folder, or log in again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_known_is_no_failure() {
        for nothing in [Error::NoCredentialConfigured, Error::ConfigNotFound, Error::ConfigReadError] {
            assert_eq!(answer("r", Err(nothing)).unwrap(), None);
        }
        let keychain = Error::HelperFailure {
            helper: "x".into(),
            stdout: "credentials not found in native keychain\n".into(),
            stderr: String::new(),
        };
        assert_eq!(answer("r", Err(keychain)).unwrap(), None);
    }

    #[test]
    fn a_broken_helper_is_named_and_quoted() {
        let broken =
            Error::HelperFailure { helper: "x".into(), stdout: String::new(), stderr: "locked\n".into() };
        let failure = answer("r.example", Err(broken)).unwrap_err();
        assert!(failure.message.contains("`docker-credential-x`") && failure.message.contains("r.example"));
        assert_eq!(failure.causes, ["locked"]);
    }
}
