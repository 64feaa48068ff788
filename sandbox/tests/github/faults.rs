//! What goes wrong when it is told to.

use std::time::Duration;

use kalypso_sandbox::{At, Fault, Kind, Work};
use serde_json::{Value, json};

use crate::client::{TOKEN, sandbox, send, try_send};

const ISSUES: &str = "/repos/contoso/gitops/issues";

#[test]
fn each_fault_happens_once() {
    let answer = |work| Fault::Answer { status: 500, headers: Vec::new(), body: "no JSON".to_owned(), work };
    let table = [
        (Fault::Refuse, None, 0, "nothing is done"),
        (Fault::Stall(Duration::from_millis(1)), None, 0, "nothing is done, later"),
        (Fault::LoseReply, None, 1, "it is done"),
        (Fault::HalfBody, None, 1, "it is done"),
        (answer(Work::Done), Some(500), 1, "it is done"),
        (answer(Work::Skipped), Some(500), 0, "nothing is done"),
        (Fault::error(409, "Conflict"), Some(409), 0, "nothing is done"),
        (
            Fault::retry_after(429, "You have exceeded a secondary rate limit", 7),
            Some(429),
            0,
            "nothing is done",
        ),
    ];
    for (fault, status, issues, why) in table {
        let (sandbox, gitops) = sandbox();
        sandbox.fault(At::Write(1), fault.clone());
        let open = || try_send(&sandbox, TOKEN, "POST", ISSUES, json!({ "title": "T" }));
        assert_eq!(open().unwrap().status, 201);
        let got = open();
        assert_eq!(got.as_ref().ok().map(|answer| answer.status), status, "{fault:?}");
        let in_body = got.as_ref().is_err_and(|error| error.is_body() || error.is_decode());
        assert_eq!(in_body, fault == Fault::HalfBody, "{fault:?}: the connection ends where it should");
        assert_eq!(gitops.issues().unwrap().len(), 1 + issues, "{fault:?}: {why}");
        assert_eq!(open().unwrap().status, 201, "{fault:?}");
        let statuses: Vec<Option<u16>> = sandbox.requests().iter().map(|request| request.status).collect();
        assert_eq!(statuses, [Some(201), status, Some(201)], "{fault:?}");
        assert_eq!(sandbox.violations(), [""; 0]);
    }
}

#[test]
fn the_right_headers_come_with_a_fault() {
    let (sandbox, _gitops) = sandbox();
    sandbox.fault(At::next("GET", "*/issues"), Fault::retry_after(429, "secondary rate limit", 7));
    let refused = send(&sandbox, TOKEN, "GET", ISSUES, Value::Null);
    assert_eq!((refused.header("retry-after"), refused.brief().1.as_str()), ("7", "secondary rate limit"));
    assert!(!refused.header("x-github-request-id").is_empty());
}

#[test]
fn someone_acts_between_two_requests() {
    let (sandbox, gitops) = sandbox();
    let person = gitops.clone();
    sandbox.before(At::Index(1), move || person.commit("dev", &[("theirs", Some("1"))], "Theirs").map(drop));
    sandbox.before(At::Index(2), || anyhow::bail!("they could not"));
    let head = || send(&sandbox, TOKEN, "GET", "/repos/contoso/gitops/git/ref/heads/dev", Value::Null).body;
    let (before, after) = (head(), head());
    assert_ne!(before["object"]["sha"], after["object"]["sha"]);
    assert_eq!(after["object"]["sha"], gitops.head("dev").unwrap().unwrap());
    assert!(sandbox.violations().is_empty());
    head();
    assert!(sandbox.violations()[0].contains("they could not"));
}

#[test]
fn every_request_is_kept() {
    let (sandbox, _gitops) = sandbox();
    send(&sandbox, TOKEN, "GET", "/repos/contoso/gitops/pulls?state=all", Value::Null);
    send(&sandbox, "", "POST", ISSUES, json!({ "title": format!("my token is {TOKEN}") }));
    let requests = sandbox.requests();
    let read = &requests[0];
    assert_eq!((read.kind, read.is_write(), read.query.as_str()), (Kind::Rest, false, "state=all"));
    assert_eq!((read.token.as_deref(), format!("http://{}", read.host)), (Some(TOKEN), sandbox.url()));
    assert!(requests[1].is_write() && requests[1].token.is_none());
    assert_eq!(sandbox.requests_since(1).len(), 1);
    assert_eq!(sandbox.leaks(TOKEN), ["body of request 1: POST /api/v3/repos/contoso/gitops/issues"]);
}
