//! Who may come in, and what those are told who may not.

use std::time::Duration;

use kalypso_sandbox::Access;
use kalypso_sandbox::azure::{Cloud, Federation, Job, REQUEST_TOKEN, Subject, TENANT};

use crate::client::{CLIENT, SCOPE, SECRET, SUBJECT, Stage};

const AUDIENCE: &str = "api://AzureADTokenExchange";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[test]
fn secrets_are_looked_at() {
    let stage = Stage::new();
    stage.azure().application(CLIENT).secret_for("old", Duration::from_secs(60));
    let another = "99999999-2222-3333-4444-555555555555";
    let table: [(&str, &[(&str, &str)], u16, u32, &str); 9] = [
        (TENANT, &[("client_id", CLIENT), ("client_secret", SECRET)], 200, 0, "in"),
        (TENANT, &[("client_id", CLIENT), ("client_secret", "old")], 200, 0, "not yet over"),
        (TENANT, &[("client_id", CLIENT), ("client_secret", "guess")], 401, 7_000_215, "another secret"),
        (TENANT, &[("client_id", CLIENT)], 401, 7_000_218, "no secret"),
        (TENANT, &[("client_id", another), ("client_secret", SECRET)], 400, 700_016, "another application"),
        (another, &[("client_id", CLIENT), ("client_secret", SECRET)], 400, 90_002, "another tenant"),
        (TENANT, &[("client_secret", SECRET)], 400, 900_144, "no application"),
        (
            TENANT,
            &[
                ("client_id", CLIENT),
                ("client_secret", SECRET),
                ("scope", "https://graph.microsoft.com/.default"),
            ],
            400,
            1_002_012,
            "another scope",
        ),
        (
            TENANT,
            &[("client_id", CLIENT), ("client_secret", SECRET), ("grant_type", "password")],
            400,
            70_003,
            "another grant",
        ),
    ];
    for (tenant, fields, status, code, why) in table {
        let answer = stage.sign_in(tenant, fields);
        let got = answer.body["error_codes"][0].as_u64().unwrap_or(0);
        assert_eq!((answer.status, got), (status, u64::from(code)), "{why}");
        let said = answer.body["error_description"].as_str().unwrap_or_default();
        assert!(code == 0 || said.starts_with(&format!("AADSTS{code}: ")), "{why}: {said}");
    }
    stage.pass(60);
    let late = stage.sign_in(TENANT, &[("client_id", CLIENT), ("client_secret", "old")]);
    assert_eq!(late.body["error_codes"][0], 7_000_222);
    assert_eq!(stage.sandbox.leaks(SECRET), [""; 0]);
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn identity_tokens_are_looked_at() {
    let sign_in = |stage: &Stage, assertion: &str| {
        let fields = [
            ("client_id", CLIENT),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        let answer = stage.sign_in(TENANT, &fields);
        (answer.body["error_codes"][0].as_u64().unwrap_or(0), answer.body["error_description"].to_string())
    };
    let job = || Job::new("contoso/control-plane", "main");
    let by_name = "repo:contoso/control-plane:environment:production";
    let table = [
        (job(), AUDIENCE, SUBJECT, 0, "in"),
        (job().in_environment("production"), AUDIENCE, by_name, 0, "in an environment"),
        (job().in_environment("production"), AUDIENCE, SUBJECT, 700_213, "not in this one"),
        (Job::new("contoso/control-plane", "dev"), AUDIENCE, SUBJECT, 700_213, "another branch"),
        (job().with_subject(Subject::Ids), AUDIENCE, SUBJECT, 700_213, "the other form"),
        (job(), "https://github.com/contoso", SUBJECT, 700_212, "for someone else"),
    ];
    for (job, audience, subject, code, why) in table {
        let stage = Stage::new();
        stage.azure().application(CLIENT).trusts(subject);
        stage.azure().job(job);
        if why == "not in this one" || why == "in an environment" {
            assert_eq!(stage.azure().subject().unwrap(), by_name);
        }
        let (got, said) = sign_in(&stage, &stage.assertion(audience));
        assert_eq!(got, code, "{why}: {said}");
    }

    let stage = Stage::new();
    stage.azure().job(job().with_subject(Subject::Ids));
    let subject = stage.azure().subject().unwrap();
    assert!(subject.starts_with("repo:contoso@") && subject.ends_with(":ref:refs/heads/main"), "{subject}");
    stage.azure().application(CLIENT).trusts(&subject);
    let assertion = stage.assertion(AUDIENCE);
    assert_eq!(sign_in(&stage, &assertion).0, 0);
    assert_eq!(sign_in(&stage, &format!("{assertion}A")).0, 50_027, "another signature");
    stage.pass(299);
    assert_eq!(sign_in(&stage, &assertion).0, 0, "five minutes are not over");
    stage.pass(1);
    assert_eq!(sign_in(&stage, &assertion).0, 700_024, "they are");

    let issuer = "https://token.actions.contoso.example".to_owned();
    let federation = Federation { issuer, ..Federation::github(SUBJECT, Cloud::Public) };
    let nobody = "22222222-2222-3333-4444-555555555555";
    let sign_in = |stage: &Stage| {
        let assertion = stage.assertion(AUDIENCE);
        let fields = [
            ("client_id", nobody),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        stage.sign_in(TENANT, &fields).body["error_codes"][0].as_u64().unwrap_or(0)
    };
    stage.azure().application(nobody);
    assert_eq!(sign_in(&stage), 70_025, "nobody is trusted");
    stage.azure().application(nobody).federates(federation);
    assert_eq!(sign_in(&stage), 700_211, "another issuer is");
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn clouds_have_scopes_and_audiences_of_their_own() {
    let table = [
        (
            Cloud::UsGovernment,
            "https://management.usgovcloudapi.net/.default",
            "api://AzureADTokenExchangeUSGov",
        ),
        (Cloud::China, "https://management.chinacloudapi.cn/.default", "api://AzureADTokenExchangeChina"),
    ];
    for (cloud, scope, audience) in table {
        let stage = Stage::new();
        stage.azure().set_cloud(cloud);
        stage.azure().application(CLIENT).trusts(SUBJECT);
        let sign_in = |scope, audience| {
            let assertion = stage.assertion(audience);
            let fields = [
                ("client_id", CLIENT),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", assertion.as_str()),
                ("scope", scope),
            ];
            stage.sign_in(TENANT, &fields).status
        };
        assert_eq!(sign_in(scope, audience), 200, "{cloud:?}");
        assert_eq!(sign_in(SCOPE, audience), 400, "{cloud:?}");
    }
}

#[test]
fn access_tokens_last_an_hour() {
    let stage = Stage::new();
    let token = stage.token();
    let list = |token: &str| stage.get(token, "/subscriptions?api-version=2022-12-01");
    stage.pass(3_599);
    assert_eq!(list(&token).status, 200);
    stage.pass(1);
    let table = [
        (token.as_str(), "ExpiredAuthenticationToken", "an hour is over"),
        ("guess", "InvalidAuthenticationToken", "unknown"),
        ("", "AuthenticationFailed", "none"),
    ];
    for (token, code, why) in table {
        let answer = list(token);
        assert_eq!((answer.status, answer.code()), (401, code), "{why}");
        assert!(answer.header("www-authenticate").starts_with("Bearer authorization_uri="), "{why}");
    }
    assert_eq!(list(&stage.token()).status, 200);
    stage.azure().revoke_tokens();
    assert_eq!(list(&token).code(), "InvalidAuthenticationToken");
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn credentials_are_told_of_that_come_to_the_wrong_place() {
    let stage = Stage::new();
    stage.sandbox.token("ghs_all", Access::write("contoso/gitops"));
    let table = [
        ("ghs_all", "a token of GitHub was sent here"),
        (REQUEST_TOKEN, "what the job asks for identity tokens with was sent here"),
        (SECRET, "a client secret was sent as a token"),
    ];
    for (token, why) in table {
        assert_eq!(stage.get(token, "/subscriptions?api-version=2022-12-01").status, 401, "{why}");
        let violations = stage.sandbox.violations();
        assert!(violations.last().is_some_and(|violation| violation.ends_with(why)), "{violations:?}");
    }
}
