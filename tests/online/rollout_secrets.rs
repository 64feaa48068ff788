//! Tokens, secrets and assertions are shown nowhere and sent nowhere else, whatever GitHub, Entra and Azure answer.

use std::collections::BTreeSet;
use std::fs;

use kalypso_sandbox::azure::{REQUEST_TOKEN, TENANT};
use kalypso_sandbox::{At, Fault, Kind, Sandbox, Work};

use super::platform::Ran;
use super::rollout_platform::{CHECKER, CLIENT, FOLLOWER, RolloutPlatform};

const CLIENT_SECRET: &str = "client-secret-canary";
const ENTRA: &str = "*/oauth2/v2.0/token";
const IDENTITY: &str = "/actions/identity-token";
const QUERIES: &str = "/providers/Microsoft.ResourceGraph/resources";
const STATUSES: &str = "*/contoso/control-plane/statuses/*";
const DISPATCHES: &str = "*/promote.yml/dispatches";

/// Who signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignIn {
    /// The job
    Federated,
    /// An application with a secret
    Secret,
}

/// A world in which a commit is merged to dev, and has reached its only cluster.
fn merged() -> RolloutPlatform {
    let world = RolloutPlatform::s1();
    world.bring("dev", &world.push("s1-1-onboard-application"));
    world.cluster("dev", "drone");
    world.azure.application(CLIENT).secret(CLIENT_SECRET);
    world
}

fn check(world: &RolloutPlatform, sign_in: SignIn) -> Ran {
    let credentials = format!(
        r#"{{"clientId": "{CLIENT}", "clientSecret": "{CLIENT_SECRET}", "tenantId": "{TENANT}", "subscriptionId": "s"}}"#
    );
    let secret = [("azure-tenant-id", ""), ("azure-client-id", ""), ("azure-credentials", &*credentials)];
    match sign_in {
        SignIn::Federated => world.checkpromote("dev", &[]),
        SignIn::Secret => world.checkpromote("dev", &secret),
    }
}

/// Every secret that a run has sent.
fn sent(ran: &Ran) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for request in &ran.requests {
        secrets.extend(request.token.clone());
        if request.kind == Kind::Entra {
            let fields = url::form_urlencoded::parse(&request.body).into_owned();
            let is_secret = |name: &str| matches!(name, "client_assertion" | "client_secret");
            secrets.extend(fields.filter(|(name, _)| is_secret(name)).map(|(_, value)| value));
        }
    }
    secrets
}

/// Nothing that people, or other steps, can read has a secret in it, and no request but as the credential that it is.
#[track_caller]
fn is_quiet(world: &RolloutPlatform, ran: &Ran, what: &str) {
    let statuses = format!("{:?}", world.control_plane.statuses().expect("a repository"));
    let state = fs::read_to_string(world.file("state")).unwrap_or_default();
    let outputs = format!("{:?}", ran.outputs);
    let sent = sent(ran);
    for secret in &sent {
        assert!(ran.masks.contains(secret), "{what}: nothing hides {secret}: {:?}", ran.masks);
    }
    let given = [CHECKER, FOLLOWER, REQUEST_TOKEN, CLIENT_SECRET].map(str::to_owned);
    for secret in sent.iter().chain(&given) {
        // A part of it is enough to be afraid of.
        let part = &secret[..secret.len().min(24)];
        for text in [&ran.stdout, &ran.stderr, &ran.summary, &outputs, &statuses, &state] {
            assert!(!text.contains(part), "{what}: {part} is shown: {text}");
        }
        assert_eq!(world.sandbox.leaks(secret), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn what_signs_in_is_shown_nowhere() {
    let world = merged();
    for (sign_in, tokens) in [(SignIn::Federated, 2), (SignIn::Secret, 1)] {
        let ran = check(&world, sign_in).succeeded();
        // An assertion, if there is one, and an access token.
        assert_eq!(
            sent(&ran).iter().filter(|secret| secret.starts_with("eyJ")).count(),
            tokens,
            "{sign_in:?}"
        );
        is_quiet(&world, &ran, &format!("{sign_in:?}"));
    }
}

#[test]
fn whoever_repeats_a_secret_is_not_quoted() {
    let world = merged();
    let start = world.sandbox.save().unwrap();
    let repeated = |secret: &str| format!("who sent {secret} may not");
    for (sign_in, at, secret) in [
        (SignIn::Federated, At::next("GET", IDENTITY), REQUEST_TOKEN),
        (SignIn::Secret, At::next("POST", ENTRA), CLIENT_SECRET),
        (SignIn::Federated, At::next("POST", STATUSES), CHECKER),
        (SignIn::Federated, At::Matching("POST", STATUSES.to_owned(), 1), CHECKER),
        (SignIn::Federated, At::next("POST", DISPATCHES), CHECKER),
        (SignIn::Federated, At::next("GET", "*/contoso/gitops/*"), FOLLOWER),
    ] {
        for status in [401, 403, 422] {
            let what = format!("{at:?} answered with {status}");
            world.sandbox.restore(&start).unwrap();
            let said = repeated(secret);
            let body = serde_json::json!({
                "message": said,
                "error": { "code": said, "message": said },
                "error_description": said,
                "error_codes": [7_000_215],
            });
            let headers = Vec::new();
            let fault = Fault::Answer { status, headers, body: body.to_string(), work: Work::Skipped };
            world.sandbox.fault(at.clone(), fault);
            let ran = check(&world, sign_in);
            assert_ne!(ran.exit, 0, "{what}: {}", ran.stdout);
            is_quiet(&world, &ran, &what);
        }
    }
}

/// An access token is only known when it was given: Azure repeats it in its own refusal.
#[test]
fn an_access_token_that_azure_repeats_is_not_quoted() {
    let world = merged();
    let ran = check(&world, SignIn::Federated).succeeded();
    let token =
        ran.requests.iter().rfind(|request| request.kind == Kind::ResourceGraph).unwrap().token.clone();
    let (start, number) = token.as_deref().unwrap().rsplit_once('.').unwrap();
    let next = format!("{start}.{}", number.parse::<u64>().unwrap() + 1);
    let said = format!("the token {next} is not good");
    world.sandbox.fault(At::next("POST", QUERIES), Fault::azure_error(403, "AuthorizationFailed", &said));
    let ran = check(&world, SignIn::Federated);
    assert_eq!(ran.exit, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("the token *** is not good"), "{}", ran.stderr);
    is_quiet(&world, &ran, "repeated");
}

#[test]
fn answers_that_are_no_answers_are_not_quoted() {
    let world = merged();
    let start = world.sandbox.save().unwrap();
    for (method, path) in [("GET", IDENTITY), ("POST", ENTRA), ("POST", QUERIES)] {
        for fault in [Fault::HalfBody, Fault::LoseReply] {
            let what = format!("{path}: {fault:?}");
            world.sandbox.restore(&start).unwrap();
            for index in 0..2 {
                world.sandbox.fault(At::Matching(method, path.to_owned(), index), fault.clone());
            }
            let ran = check(&world, SignIn::Federated).succeeded();
            is_quiet(&world, &ran, &what);
        }
    }
}

#[test]
fn nothing_follows_a_redirect_to_another_server() {
    let elsewhere = Sandbox::start().unwrap();
    let azure = elsewhere.azure();
    let world = merged();
    let start = world.sandbox.save().unwrap();
    for (method, path, to) in [
        ("GET", IDENTITY, azure.url() + IDENTITY),
        ("POST", ENTRA, azure.url() + "/t/oauth2/v2.0/token"),
        ("POST", QUERIES, azure.url() + QUERIES),
        ("POST", STATUSES, elsewhere.api_url() + "/repos/contoso/control-plane/statuses/s"),
        ("POST", DISPATCHES, elsewhere.api_url() + "/repos/contoso/control-plane/dispatches"),
    ] {
        for status in [302, 307] {
            world.sandbox.restore(&start).unwrap();
            let headers = vec![("location".to_owned(), to.clone())];
            let (body, work) = (String::new(), Work::Skipped);
            world.sandbox.fault(At::next(method, path), Fault::Answer { status, headers, body, work });
            let ran = check(&world, SignIn::Federated);
            let what = format!("{path}, {status}");
            assert!(elsewhere.requests().is_empty(), "{what}: {:?}", elsewhere.requests());
            is_quiet(&world, &ran, &what);
        }
    }
}
