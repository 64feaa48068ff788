//! GitHub Apps: a signed text for a token.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use kalypso_sandbox::{Sandbox, Visibility, app_key};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::client::{sandbox, send};

const NOW: i64 = 1_700_000_000;
const INSTALLATION: &str = "/repos/contoso/gitops/installation";

fn app() -> Sandbox {
    let (sandbox, _gitops) = sandbox();
    sandbox.create_repository("fabrikam/gitops", Visibility::Private).expect("a repository");
    sandbox.stop_clock(NOW);
    sandbox.app(7, "contoso-fleet", "contoso", &app_key::public_key().expect("a key"));
    sandbox
}

fn sign(claims: &Value) -> String {
    let pem: String = app_key::PRIVATE_KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_der(&BASE64_STANDARD.decode(pem).expect("base64")).expect("a key");
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .expect("a signature");
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn only_a_fresh_signature_of_a_known_app_is_good() {
    let sandbox = app();
    let claims = |iss: Value, iat: i64, exp: i64| json!({ "iss": iss, "iat": NOW + iat, "exp": NOW + exp });
    let good = sign(&claims(json!(7), -60, 540));
    let (head, _) = good.rsplit_once('.').unwrap();
    let table = [
        (good.clone(), 200, "as it should be"),
        (sign(&claims(json!("7"), 0, 600)), 200, "the issuer as text, ten minutes"),
        (sign(&claims(json!(8), -60, 540)), 401, "another app"),
        (sign(&claims(json!(7), -60, 601)), 401, "more than ten minutes"),
        (sign(&claims(json!(7), -600, 0)), 401, "over"),
        (sign(&claims(json!(7), 60, 540)), 401, "not yet"),
        (format!("{head}.{}", "A".repeat(342)), 401, "another signature"),
        ("no.jwt".to_owned(), 401, "something else"),
        (String::new(), 401, "nothing"),
    ];
    for (token, status, why) in table {
        assert_eq!(send(&sandbox, &token, "GET", INSTALLATION, Value::Null).status, status, "{why}");
    }
    assert_eq!(send(&sandbox, &good, "GET", "/repos/fabrikam/gitops/installation", Value::Null).status, 404);
    assert_eq!(send(&sandbox, &good, "GET", "/repos/contoso/gitops", Value::Null).status, 401);
    assert_eq!(sandbox.violations(), [""; 0]);
}

#[test]
fn a_minted_token_is_for_one_owner_and_an_hour() {
    let sandbox = app();
    let jwt = sign(&json!({ "iss": 7, "iat": NOW, "exp": NOW + 600 }));
    let installation = send(&sandbox, &jwt, "GET", INSTALLATION, Value::Null).body["id"].clone();
    let mint = |id: &Value| {
        send(&sandbox, &jwt, "POST", &format!("/app/installations/{id}/access_tokens"), Value::Null)
    };
    assert_eq!(mint(&json!(1)).status, 404);
    let minted = mint(&installation);
    assert_eq!(minted.status, 201, "{}", minted.body);
    assert_eq!(minted.body["expires_at"], "2023-11-14T23:13:20Z");
    let token = minted.body["token"].as_str().unwrap();
    let get =
        |repository: &str| send(&sandbox, token, "GET", &format!("/repos/{repository}"), Value::Null).status;
    assert_eq!([get("contoso/gitops"), get("fabrikam/gitops")], [200, 404]);
    let opened = send(&sandbox, token, "POST", "/repos/contoso/gitops/issues", json!({ "title": "T" }));
    assert_eq!(opened.body["user"]["login"], "contoso-fleet[bot]");
    sandbox.advance(Duration::from_secs(3600));
    assert_eq!(get("contoso/gitops"), 401);
    assert_eq!(sandbox.violations(), [""; 0]);
    assert!(
        sandbox.requests().iter().filter(|request| request.is_write()).count() == 1,
        "minting writes nothing"
    );
}
