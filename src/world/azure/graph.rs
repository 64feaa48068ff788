//! Azure Resource Graph: queries and their pages.

use std::time::SystemTime;

use azure_core::http::headers::{HeaderName, Headers};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use url::Url;

use super::client::{Call, Client, Patience, WAITING};
use super::error::{Error, Kind, resets_after};

/// So many rows come at a time, unless they are too long.
const PAGE: usize = 1000;

const ACTION: &str = "query Azure Resource Graph";

const REMAINING: HeaderName = HeaderName::from_static("x-ms-user-quota-remaining");
const CUT_OFF: HeaderName = HeaderName::from_static("x-ms-tenant-subscription-limit-hit");

/// Asks over all subscriptions that the identity sees, or over some.
#[derive(Debug)]
pub(super) struct Graph {
    url: Url,
    subscriptions: Vec<String>,
    page: usize,
    /// When it takes queries again, after the quota was used up
    free: Option<SystemTime>,
}

/// What a query gave that is never continued.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) rows: Vec<Value>,
    pub(super) is_truncated: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<Value>,
    total_records: u64,
    #[serde(default, deserialize_with = "truncated")]
    result_truncated: bool,
    #[serde(rename = "$skipToken")]
    skip_token: Option<String>,
}

impl Graph {
    /// Nothing is asked yet. Without `subscriptions` all that are visible are meant.
    pub(super) fn new(manager: &Url, subscriptions: Vec<String>) -> Graph {
        let mut url = manager.clone();
        url.set_path("/providers/Microsoft.ResourceGraph/resources");
        url.set_query(Some("api-version=2024-04-01"));
        Graph { url, subscriptions, page: PAGE, free: None }
    }

    /// A query that is answered in one go; the answer says whether something is missing.
    pub(super) fn summary(&mut self, client: &Client, query: &str) -> Result<Summary, Error> {
        let Page { data, total_records, result_truncated, skip_token } = self.ask(client, query, None)?;
        let is_truncated = result_truncated || skip_token.is_some() || (data.len() as u64) < total_records;
        Ok(Summary { rows: data, is_truncated })
    }

    /// Every row of a query whose rows carry `id` and are ordered by it, page by page.
    ///
    /// Rows that are too long for one answer are asked for again, fewer at a time, from the first one.
    pub(super) fn pages(
        &mut self,
        client: &Client,
        query: &str,
        mut page: impl FnMut(Vec<Value>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut seen, mut next): (u64, Option<String>) = (0, None);
        loop {
            let got = match self.ask(client, query, next.as_deref()) {
                Err(error) if *error.kind() == Kind::TooLarge && self.page > 1 => {
                    self.page /= 2;
                    (seen, next) = (0, None);
                    continue;
                }
                got => got?,
            };
            seen += got.data.len() as u64;
            if let Some(token) = got.skip_token.filter(|_| !got.data.is_empty()) {
                page(got.data)?;
                next = Some(token);
                continue;
            }
            if got.result_truncated || seen < got.total_records {
                let said = format!("{seen} of {} rows came", got.total_records);
                return Err(Error::new(ACTION, Kind::Incomplete, &said));
            }
            return page(got.data);
        }
    }

    fn ask(&mut self, client: &Client, query: &str, skip: Option<&str>) -> Result<Page, Error> {
        if let Some(free) = self.free {
            let said = "the quota of Azure Resource Graph is used up";
            if free.duration_since(client.now()).is_ok_and(|pause| pause > WAITING.min(client.left())) {
                return Err(Error::new(ACTION, Kind::RateLimited { until: free }, said));
            }
            client.wait_until(free, said);
            self.free = None;
        }
        let mut body =
            json!({ "query": query, "options": { "resultFormat": "objectArray", "$top": self.page } });
        if let Some(skip) = skip {
            body["options"]["$skipToken"] = json!(skip);
        }
        if !self.subscriptions.is_empty() {
            body["subscriptions"] = json!(self.subscriptions);
        }
        let (url, patience) = (self.url.clone(), Patience::USUAL);
        let reply = client.call::<Page>(&Call { action: ACTION, url, body: Some(body), patience })?;
        if reply.headers.get_optional_str(&CUT_OFF).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            let said = "the identity sees more subscriptions than were searched";
            return Err(Error::new(ACTION, Kind::CutOff, said));
        }
        self.free = free(&reply.headers, client.now());
        Ok(reply.value)
    }
}

/// When queries are taken again, if this was the last one for now.
fn free(headers: &Headers, now: SystemTime) -> Option<SystemTime> {
    let is_used_up = headers.get_optional_str(&REMAINING).is_some_and(|left| left.trim() == "0");
    now.checked_add(resets_after(headers).filter(|_| is_used_up)?)
}

/// A text, in the service's own definition; what is no clear no counts as yes.
fn truncated<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(is) => is,
        Value::String(text) => !text.eq_ignore_ascii_case("false"),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::Rows;
    use super::super::fake::{
        Script, answer, filter, page, quota_used_up, read, refusal, rows, slept, token, with,
    };
    use super::super::query;
    use super::*;
    use crate::world::clock::Clock;
    use crate::world::github::fake::FakeClock;

    const GRAPH: &str = "POST https://management.azure.com/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";

    #[test]
    fn what_is_asked() {
        let group =
            json!({ "configurations": 2, "compliance": "Compliant", "suspended": "", "mentions": "no" });
        for (subscriptions, want) in [
            (
                &[][..],
                json!({ "query": query::tally("gitops", &[]), "options": { "resultFormat": "objectArray", "$top": 1000 } }),
            ),
            (
                &["s1", "s2"],
                json!({ "query": query::tally("gitops", &[]), "options": { "resultFormat": "objectArray", "$top": 1000 },
                        "subscriptions": ["s1", "s2"] }),
            ),
        ] {
            let script = Script::new(vec![token(1), page(std::slice::from_ref(&group), 1, None)]);
            let tally = script.azure(&FakeClock::new(), subscriptions).tally(&filter(), &[]).unwrap();
            assert_eq!((tally.is_truncated, tally.groups[0].count), (false, 2));
            let [sign_in, call] = &script.seen()[..] else { panic!("{:?}", script.seen()) };
            assert_eq!(sign_in.line, "POST https://login.microsoftonline.com/t/oauth2/v2.0/token");
            let want_sign_in = "client_id=c&client_secret=canary-4711&grant_type=client_credentials\
                                &scope=https%3A%2F%2Fmanagement.azure.com%2F.default";
            assert_eq!(sign_in.body, want_sign_in);
            assert_eq!((&*call.line, call.token.as_deref()), (GRAPH, Some("Bearer canary-4711-1")));
            assert_eq!(call.body.parse::<Value>().unwrap(), want);
        }
    }

    #[test]
    fn a_tally_that_may_lack_something_says_so() {
        let group = json!({ "configurations": 2 });
        let truncated = |value: Value| {
            answer(200, &json!({ "totalRecords": 1, "count": 1, "resultTruncated": value, "data": [group] }))
        };
        for (answer, want, why) in [
            (page(std::slice::from_ref(&group), 1, None), false, "whole"),
            (page(std::slice::from_ref(&group), 2, None), true, "fewer than there are"),
            (page(std::slice::from_ref(&group), 1, Some("t")), true, "it would go on"),
            (truncated(json!("true")), true, "it says so"),
            (truncated(json!("True")), true, "in capital letters"),
            (truncated(json!(true)), true, "as a boolean"),
            (truncated(json!(1)), true, "in no known way"),
            (truncated(json!(false)), false, "it says no"),
        ] {
            let script = Script::new(vec![token(1), answer]);
            let tally = script.azure(&FakeClock::new(), &[]).tally(&filter(), &[]).unwrap();
            assert_eq!(tally.is_truncated, want, "{why}");
        }
        let script = Script::new(vec![token(1), page(&[json!({ "configurations": null })], 1, None)]);
        let error = script.azure(&FakeClock::new(), &[]).tally(&filter(), &[]).unwrap_err();
        assert_eq!(*error.kind(), Kind::Unreadable, "a group without a number");
    }

    #[test]
    fn rows_come_page_by_page_and_all_of_them() {
        let (a, ab) = (rows(&["a"]), rows(&["a", "b"]));
        let too_large = || refusal(400, "ResponsePayloadTooLarge");
        for (answers, want, tops, why) in [
            (vec![page(&ab, 2, None)], Ok(vec![vec!["a", "b"]]), vec![(1000, None)], "one page"),
            (
                vec![page(&ab, 3, Some("t")), page(&a, 3, None)],
                Ok(vec![vec!["a", "b"], vec!["a"]]),
                vec![(1000, None), (1000, Some("t"))],
                "two pages",
            ),
            (vec![page(&[], 0, None)], Ok(vec![vec![]]), vec![(1000, None)], "none"),
            (vec![page(&ab, 3, None)], Err(Kind::Incomplete), vec![(1000, None)], "one is missing"),
            (
                vec![page(&ab, 4, Some("t")), page(&a, 4, None)],
                Err(Kind::Incomplete),
                vec![(1000, None), (1000, Some("t"))],
                "one of the second page is missing",
            ),
            (vec![page(&[], 2, Some("t"))], Err(Kind::Incomplete), vec![(1000, None)], "it never ends"),
            (
                vec![
                    too_large(),
                    page(&ab, 3, Some("t")),
                    too_large(),
                    page(&ab, 3, Some("u")),
                    page(&a, 3, None),
                ],
                Ok(vec![vec!["a", "b"], vec!["a", "b"], vec!["a"]]),
                vec![(1000, None), (500, None), (500, Some("t")), (250, None), (250, Some("u"))],
                "rows that are too long come in shorter pages, from the first",
            ),
            (
                vec![with(page(&ab, 2, None), "x-ms-tenant-subscription-limit-hit", "true")],
                Err(Kind::CutOff),
                vec![(1000, None)],
                "subscriptions were left out",
            ),
            (
                vec![page(&[json!({})], 1, None)],
                Err(Kind::Unreadable),
                vec![(1000, None)],
                "a row without an id",
            ),
        ] {
            let script = Script::new([vec![token(1)], answers].concat());
            let got = read(&mut script.azure(&FakeClock::new(), &[]));
            let want: Result<Vec<Vec<String>>, Kind> = want.map(|pages| {
                pages.iter().map(|page| page.iter().map(|it| it.to_string()).collect()).collect()
            });
            match (got, want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want, "{why}"),
                (Err(got), Err(want)) => assert_eq!(*got.kind(), want, "{why}"),
                (got, _) => panic!("{why}: {got:?}"),
            }
            let asked: Vec<(u64, Option<String>)> = script
                .calls()
                .iter()
                .map(|call| call.body.parse::<Value>().unwrap()["options"].clone())
                .map(|options| {
                    (options["$top"].as_u64().unwrap(), options["$skipToken"].as_str().map(str::to_owned))
                })
                .collect();
            let tops: Vec<_> = tops.into_iter().map(|(top, skip)| (top, skip.map(str::to_owned))).collect();
            assert_eq!(asked, tops, "{why}");
        }
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        let good = || page(&rows(&["a"]), 1, None);
        let busy = |seconds: &str| with(refusal(429, "RateLimiting"), "retry-after", seconds);
        for (answers, want, calls, least, why) in [
            (vec![token(1), good()], None, 1, 0, "at once"),
            (vec![token(1), None, good()], None, 2, 0, "a connection that breaks"),
            (
                vec![token(1), refusal(500, "InternalServerError"), good()],
                None,
                2,
                0,
                "a failure of the server",
            ),
            (vec![token(1), answer(200, &json!("half")), good()], None, 2, 0, "an answer of another form"),
            (vec![token(1), busy("7"), good()], None, 2, 7, "asked to wait"),
            (vec![token(1), busy("61")], Some("RateLimited"), 1, 0, "for longer than the check waits"),
            (
                vec![token(1), refusal(503, "x"), refusal(503, "x"), refusal(503, "x"), refusal(503, "x")],
                Some("Server"),
                4,
                5,
                "for ever",
            ),
            (vec![token(1), refusal(403, "AuthorizationFailed")], Some("Forbidden"), 1, 0, "no role"),
            (vec![token(1), refusal(400, "BadRequest")], Some("Invalid"), 1, 0, "our fault"),
            (
                vec![token(1), refusal(401, "ExpiredAuthenticationToken"), token(2), good()],
                None,
                2,
                0,
                "a token that has ended",
            ),
            (
                vec![
                    token(1),
                    refusal(401, "InvalidAuthenticationToken"),
                    token(2),
                    refusal(401, "InvalidAuthenticationToken"),
                ],
                Some("Unauthorized"),
                2,
                0,
                "a token that is never taken",
            ),
            (vec![None, token(1), good()], None, 1, 0, "the directory cannot be reached at first"),
            (vec![answer(502, &json!(null)), token(1), good()], None, 1, 0, "it fails at first"),
        ] {
            let (script, clock) = (Script::new(answers), FakeClock::new());
            let got = read(&mut script.azure(&clock, &[]));
            match want {
                None => assert_eq!(got.unwrap(), [["a"]], "{why}"),
                Some(kind) => {
                    let error = got.unwrap_err();
                    assert!(format!("{:?}", error.kind()).starts_with(kind), "{why}: {error:?}");
                }
            }
            assert_eq!(script.calls().len(), calls, "{why}");
            let total = slept(&clock);
            // The pauses that nobody asked for vary: up to twice as long.
            assert!((least..=least * 2 + 1).contains(&total), "{why}: {total}");
        }
    }

    #[test]
    fn a_quota_that_is_used_up_is_waited_for() {
        let last = quota_used_up(page(&rows(&["a"]), 2, Some("t")), "00:00:04");
        let (clock, next) = (FakeClock::new(), page(&rows(&["b"]), 2, None));
        let script = Script::new(vec![token(1), last, next]);
        read(&mut script.azure(&clock, &[])).unwrap();
        assert_eq!(clock.slept(), [Duration::from_secs(4)]);
    }

    #[test]
    fn a_quota_that_comes_back_late_is_left_to_the_caller() {
        let last = quota_used_up(page(&rows(&["a"]), 1, None), "00:05:00");
        let clock = FakeClock::new();
        let script = Script::new(vec![token(1), last, page(&rows(&["b"]), 1, None)]);
        let mut azure = script.azure(&clock, &[]);
        read(&mut azure).unwrap();
        let until = clock.now() + Duration::from_secs(300);
        for _ in 0..2 {
            assert_eq!(*read(&mut azure).unwrap_err().kind(), Kind::RateLimited { until });
        }
        assert_eq!((script.calls().len(), slept(&clock)), (1, 0), "nothing is asked in vain");
        clock.sleep(Duration::from_secs(299), "");
        assert_eq!(read(&mut azure).unwrap(), [["b"]]);
    }

    #[test]
    fn when_time_is_over_nothing_is_asked_or_waited_for() {
        let more = || page(&rows(&["a"]), 9, Some("t"));
        let throttled = |seconds: u64| with(refusal(429, "x"), "retry-after", &seconds.to_string());
        for (answers, calls, waited, why) in [
            (vec![more(), more(), more()], 2, 0, "the third page would be too late"),
            (vec![more(), throttled(40)], 2, 0, "Azure asks for more time than there is"),
            (vec![more(), throttled(20), more()], 3, 20, "for less"),
            (vec![quota_used_up(more(), "00:01:40"), more()], 1, 0, "the quota comes back too late"),
        ] {
            let (clock, script) = (FakeClock::new(), Script::new([vec![token(1)], answers].concat()));
            let mut azure = script.azure(&clock, &[]);
            azure.end_at(Some(clock.now() + Duration::from_secs(90)));
            let error =
                azure.rows(&filter(), Rows::All, |_| clock.pass(Duration::from_secs(60))).unwrap_err();
            assert!(error.may_pass(), "{why}: {error}");
            assert_eq!((script.calls().len(), slept(&clock)), (calls, waited), "{why}");
        }
    }
}
