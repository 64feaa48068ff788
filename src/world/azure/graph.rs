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
