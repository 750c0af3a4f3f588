//! Why the aws tool failed, by what it has said: versions 1 and 2 use the same words for most. Pure.

use cloudpad_plugin_api::{Failure, FailureKind};

use FailureKind::{Failed, Invalid, Unreachable};

/// What the tool says, in whatever case, and what that means.
struct Rule {
    said: &'static [&'static str],
    kind: FailureKind,
    why: &'static str,
    hint: &'static str,
    /// Whether the same may work in a moment.
    again: bool,
}

/// The first that fits counts.
const RULES: [Rule; 11] = [
    Rule {
        said: &["mfa code", "eoferror", "eof when reading a line"],
        kind: Unreachable,
        why: "the aws tool wants to ask for an MFA code, and cannot do that here",
        hint: "run `aws sts get-caller-identity` with the same profile yourself and type the code: the tool keeps the session",
        again: false,
    },
    Rule {
        said: &[
            "token has expired",
            "has expired or is otherwise invalid",
            "error loading sso token",
            "expiredtoken",
            "requestexpired",
            "token is expired",
            "credentials were refreshed, but",
        ],
        kind: Unreachable,
        why: "your AWS session has ended",
        hint: "sign in again, as with `aws sso login`, with the same profile",
        again: false,
    },
    Rule {
        said: &[
            "unable to locate credentials",
            "partial credentials",
            "nocredentials",
            "error when retrieving credentials",
        ],
        kind: Unreachable,
        why: "the aws tool has no credentials",
        hint: "sign in with `aws sso login` or `aws configure`, or name a profile: `profile` of `[stages.inventory.config]`, or AWS_PROFILE",
        again: false,
    },
    Rule {
        said: &["config profile (", "profilenotfound"],
        kind: Invalid,
        why: "the aws tool has no such profile",
        hint: "`aws configure list-profiles` shows those that it has",
        again: false,
    },
    Rule {
        said: &["must specify a region", "noregion"],
        kind: Invalid,
        why: "no region is named anywhere",
        hint: "name some: `regions = [\"eu-central-1\"]` in `[stages.inventory.config]`, or AWS_REGION, or `aws configure set region`",
        again: false,
    },
    Rule {
        said: &["unauthorizedoperation", "accessdenied", "not authorized to perform"],
        kind: Unreachable,
        why: "access is denied",
        hint: "these credentials need the permission `ec2:DescribeInstances`; `aws sts get-caller-identity` says whose they are",
        again: false,
    },
    Rule {
        said: &["authfailure", "invalidclienttokenid", "signaturedoesnotmatch", "unrecognizedclient"],
        kind: Unreachable,
        why: "AWS does not know these credentials",
        hint: "see whether they are still valid, this machine's clock is right, and the region is enabled for the account",
        again: false,
    },
    Rule {
        said: &["ssl validation failed", "certificate verify failed"],
        kind: Unreachable,
        why: "no secure connection to the endpoint came about",
        hint: "behind a proxy that replaces certificates, AWS_CA_BUNDLE names the file with its authority",
        again: false,
    },
    Rule {
        said: &[
            "could not connect to the endpoint",
            "connect timeout",
            "read timeout",
            "connection was closed",
            "failed to connect to proxy",
        ],
        kind: Unreachable,
        why: "the endpoint cannot be reached",
        hint: "see whether the region or `endpoint_url` is spelt right, and the network and proxy let you through",
        again: true,
    },
    Rule {
        said: &["requestlimitexceeded", "throttling"],
        kind: Unreachable,
        why: "AWS says that this account asks too often",
        hint: "try again; AWS_MAX_ATTEMPTS lets the aws tool try for longer",
        again: true,
    },
    Rule {
        said: &["invalidparametervalue", "is invalid", "filterlimitexceeded"],
        kind: Failed,
        why: "it does not take what it was asked",
        hint: "see whether `filters` of `[stages.inventory.config]` has filters of `aws ec2 describe-instances`",
        again: false,
    },
];

/// The failure in words about AWS, where what the tool said is known; what it said stays as its causes.
pub(crate) fn explained(failure: Failure, place: &str) -> Failure {
    let said = failure.causes.join("\n").to_lowercase();
    let Some(rule) = RULES.iter().find(|rule| rule.said.iter().any(|words| said.contains(words))) else {
        let message = failure.message.replacen(" failed", &format!(" failed{place}"), 1);
        return Failure { message, ..failure };
    };
    let message = format!("could not list EC2 instances{place}: {}", rule.why);
    Failure { kind: rule.kind, message, retryable: rule.again, ..failure }.hint(rule.hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tool_says_is_told_in_words_about_aws() {
        let error = |code: &str| {
            format!("An error occurred ({code}) when calling the DescribeInstances operation: …")
        };
        let cases = [
            // Version 1, then what version 2 says otherwise.
            (
                "Unable to locate credentials. You can configure credentials by running \"aws configure\"."
                    .to_owned(),
                "no credentials",
            ),
            (
                "aws: [ERROR]: An error occurred (NoCredentials): Unable to locate credentials. …".to_owned(),
                "no credentials",
            ),
            ("Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY".to_owned(), "no credentials"),
            ("Error when retrieving credentials from custom-process: no".to_owned(), "no credentials"),
            ("The config profile (x) could not be found".to_owned(), "no such profile"),
            ("Error loading SSO Token: Token for s does not exist".to_owned(), "session has ended"),
            (
                "Error when retrieving token from sso: Token has expired and refresh failed".to_owned(),
                "session has ended",
            ),
            (
                "The SSO session associated with this profile has expired or is otherwise invalid. …"
                    .to_owned(),
                "session has ended",
            ),
            (error("RequestExpired"), "session has ended"),
            (error("ExpiredToken"), "session has ended"),
            ("You must specify a region. You can also configure your region …".to_owned(), "no region"),
            (
                "aws: [ERROR]: An error occurred (NoRegion): You must specify a region. …".to_owned(),
                "no region",
            ),
            (error("UnauthorizedOperation"), "access is denied"),
            (error("AccessDenied"), "access is denied"),
            (error("AuthFailure"), "does not know these credentials"),
            (error("InvalidClientTokenId"), "does not know these credentials"),
            (
                "SSL validation failed for https://x [SSL: CERTIFICATE_VERIFY_FAILED] …".to_owned(),
                "no secure connection",
            ),
            (
                "Could not connect to the endpoint URL: \"https://ec2.x.amazonaws.com/\"".to_owned(),
                "cannot be reached",
            ),
            ("Connect timeout on endpoint URL: \"https://x/\"".to_owned(), "cannot be reached"),
            (error("RequestLimitExceeded"), "asks too often"),
            (
                error("InvalidParameterValue") + " The filter 'odd' is invalid",
                "does not take what it was asked",
            ),
            ("Enter MFA code for arn:aws:iam::1:mfa/u: \nEOF when reading a line".to_owned(), "MFA code"),
        ];
        for (said, expected) in cases {
            let failure = said.lines().fold(Failure::failed("x"), Failure::cause);
            let explained = explained(failure.clone(), " in region `r`");
            let begin = "could not list EC2 instances in region `r`: ";
            assert!(explained.message.starts_with(begin), "{said}: {explained}");
            assert!(explained.message.contains(expected), "{said}: {explained}");
            assert_eq!(explained.causes, failure.causes);
            assert!(explained.hint.is_some());
        }
    }

    #[test]
    fn what_is_not_known_is_told_with_its_region() {
        let failure = Failure::failed("`aws` failed: exit status: 255").cause("something new");
        let explained = explained(failure.clone(), " in region `r`");
        assert_eq!(explained.message, "`aws` failed in region `r`: exit status: 255");
        assert_eq!(explained.causes, failure.causes);
    }
}
