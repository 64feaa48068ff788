//! Resource Graph: queries over all resources that the asker sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::arm::check_version;
use super::kql::{Answer, Query, Refused, Tables, parse, run};
use super::limits::QUERIES_WINDOW;
use super::resource::{Record, TABLES};
use super::state::{AzureState, Service, uuid_of};
use super::{Asker, error};
use crate::reply::Reply;
use crate::server::Request;
use crate::state::GitHub;

/// The version of the interface.
const VERSION: &str = "2024-04-01";

/// Most rows of a page.
const MOST_ROWS: u64 = 1_000;

/// Rows of a page where nothing is said.
const ROWS: u64 = 100;

/// Answers a query, and says what about it Azure, or this sandbox, would not know.
pub(super) fn answer(
    azure: &mut AzureState,
    github: &GitHub,
    asker: &Asker,
    request: &Request,
) -> (Reply, Vec<String>) {
    if let Err(refusal) = check_version(request, VERSION) {
        return (refusal, vec![format!("api-version must be {VERSION}")]);
    }
    let window = azure.usage.entry((asker.application.clone(), Service::Graph)).or_default();
    let quota = window.admit(azure.limits.queries, QUERIES_WINDOW, github.now());
    let resets_after = format!("00:00:{:02}", quota.resets_after);
    let reply = match quota.remaining {
        Some(_) => Asked::of(&request.body).and_then(|asked| page(azure, github, asker, &asked)),
        None => Ok(throttled().with("retry-after", quota.resets_after)),
    };
    let (reply, violations) = match reply {
        Ok(reply) => (reply, Vec::new()),
        Err(problem) => (problem.reply(), vec![problem.message]),
    };
    let reply = reply
        .with("x-ms-user-quota-remaining", quota.remaining.unwrap_or(0))
        .with("x-ms-user-quota-resets-after", resets_after);
    (reply, violations)
}

/// What a request asks for.
struct Asked {
    text: String,
    query: Query,
    subscriptions: Option<BTreeSet<String>>,
    top: usize,
    skip_token: Option<String>,
}

/// What is wrong with a request.
struct Problem {
    code: &'static str,
    message: String,
}

impl Problem {
    fn new(code: &'static str, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into() }
    }

    /// As Resource Graph says it.
    fn reply(&self) -> Reply {
        detailed(400, "BadRequest", self.code, &self.message)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        let place = refused.at.map_or(String::new(), |at| format!(" (at character {at})"));
        Problem::new("InvalidQuery", format!("Query is invalid: {}{place}", refused.message))
    }
}

impl Asked {
    fn of(body: &[u8]) -> Result<Asked, Problem> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| Problem::new("InvalidRequest", "The body is no JSON"))?;
        known(&body, &["query", "subscriptions", "options"])?;
        let options = &body["options"];
        known(options, &["resultFormat", "$top", "$skipToken", "allowPartialScopes"])?;
        let unsupported =
            |what: &str| Err(Problem::new("InvalidRequest", format!("{what} is not known here")));
        match options["resultFormat"].as_str() {
            None | Some("objectArray") => {}
            Some(other) => return unsupported(&format!("resultFormat {other}")),
        }
        if !matches!(options["allowPartialScopes"], Value::Null | Value::Bool(false)) {
            return unsupported("allowPartialScopes");
        }
        let top = match &options["$top"] {
            Value::Null => ROWS,
            top => top
                .as_u64()
                .filter(|top| (1..=MOST_ROWS).contains(top))
                .ok_or_else(|| Problem::new("InvalidTop", format!("$top must be 1 to {MOST_ROWS}: {top}")))?,
        };
        let texts = |value: &Value| -> Option<BTreeSet<String>> {
            value.as_array()?.iter().map(|id| Some(id.as_str()?.to_lowercase())).collect()
        };
        let subscriptions = match &body["subscriptions"] {
            Value::Null => None,
            ids => match texts(ids) {
                Some(ids) => Some(ids),
                None => return Err(Problem::new("InvalidRequest", "subscriptions must be a list of ids")),
            },
        };
        let Some(text) = body["query"].as_str() else {
            return Err(Problem::new("InvalidRequest", "there is no query"));
        };
        Ok(Asked {
            text: text.to_owned(),
            query: parse(text)?,
            subscriptions,
            top: usize::try_from(top).unwrap_or(usize::MAX),
            skip_token: options["$skipToken"].as_str().map(str::to_owned),
        })
    }

    /// What leads from one page of this query to the one that begins at a row.
    fn token_at(&self, row: usize) -> String {
        format!("{}:{row}", uuid_of(&format!("{} {:?}", self.text, self.subscriptions)))
    }

    /// The row that the page begins at.
    fn start(&self) -> Result<usize, Problem> {
        let Some(token) = &self.skip_token else { return Ok(0) };
        token
            .rsplit_once(':')
            .and_then(|(_, row)| row.parse().ok())
            .filter(|row| self.token_at(*row) == *token)
            .ok_or_else(|| Problem::new("InvalidSkipToken", "$skipToken is not one of this query"))
    }
}

/// Refuses fields that there are not.
fn known(object: &Value, fields: &[&str]) -> Result<(), Problem> {
    let unknown =
        object.as_object().and_then(|object| object.keys().find(|key| !fields.contains(&key.as_str())));
    match unknown {
        None => Ok(()),
        Some(field) => Err(Problem::new("InvalidRequest", format!("the field {field} is not known here"))),
    }
}

fn page(azure: &mut AzureState, github: &GitHub, asker: &Asker, asked: &Asked) -> Result<Reply, Problem> {
    let wanted = |id: &String| asked.subscriptions.as_ref().is_none_or(|wanted| wanted.contains(id));
    let eligible: Vec<String> =
        azure.subscriptions.keys().filter(|id| asker.sees(id) && wanted(id)).cloned().collect();
    if eligible.is_empty() && asked.subscriptions.is_some() {
        // The world's doing, not the client's.
        return Ok(detailed(
            400,
            "BadRequest",
            "NoValidSubscriptionsInQueryRequest",
            "There must be at least one subscription that is eligible to contain resources.",
        ));
    }
    let limit = azure.limits.subscriptions;
    let is_cut = eligible.len() > limit;
    let eligible: BTreeSet<&str> = eligible.iter().take(limit).map(String::as_str).collect();
    let mut all = azure.index(github);
    all.retain(|record| eligible.contains(record.subscription.as_str()) && asker.reads(&record.kind));
    let remembered = match azure.remembered.take() {
        Some(remembered) if remembered.is_of(&asked.text, &all) => remembered,
        _ => {
            let answer = run(&asked.query, &World(&all))?;
            Remembered { text: asked.text.clone(), resources: all, answer }
        }
    };
    let reply = reply(asked, &remembered.answer, azure.limits.summary_rows, azure.limits.answer_bytes)?;
    azure.remembered = Some(remembered);
    Ok(if is_cut { reply.with("x-ms-tenant-subscription-limit-hit", true) } else { reply })
}

/// The last answer: its next page is made of the same rows, as long as nothing happens.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    text: String,
    resources: Vec<Arc<Record>>,
    answer: Answer,
}

impl Remembered {
    /// Whether it is the answer to this query over these resources.
    fn is_of(&self, text: &str, resources: &[Arc<Record>]) -> bool {
        let same = |(one, other)| Arc::ptr_eq(one, other);
        self.text == text
            && self.resources.len() == resources.len()
            && self.resources.iter().zip(resources).all(same)
    }
}

/// The resources that are there for a query.
struct World<'a>(&'a [Arc<Record>]);

impl<'a> Tables<'a> for World<'a> {
    fn rows(&self, table: &str) -> Option<Vec<&'a [Value]>> {
        let table = TABLES.into_iter().find(|known| known.eq_ignore_ascii_case(table))?;
        let records = self.0.iter().filter(|record| record.table == table);
        Some(records.map(|record| record.columns.as_slice()).collect())
    }
}

fn reply(asked: &Asked, answer: &Answer, summary_rows: usize, most_bytes: usize) -> Result<Reply, Problem> {
    let start = asked.start()?;
    let top = if asked.query.is_summary() { asked.top.min(summary_rows) } else { asked.top };
    let data: Vec<Value> = answer.rows.iter().skip(start).take(top).cloned().collect();
    let is_rest = start + data.len() < answer.rows.len();
    // Without an order, and an id to tell rows apart by, there is no way to go on.
    let is_paged = asked.query.is_ordered()
        && !asked.query.is_summary()
        && answer.columns.iter().any(|column| column == "id");
    let truncated = if is_rest && !is_paged { "true" } else { "false" };
    let mut body = json!({
        "totalRecords": answer.rows.len(), "count": data.len(), "facets": [], "resultTruncated": truncated,
    });
    if is_rest && is_paged {
        body["$skipToken"] = json!(asked.token_at(start + data.len()));
    }
    body["data"] = Value::Array(data);
    let bytes = body.to_string().len();
    if bytes > most_bytes {
        let message = format!(
            "Response payload size is {bytes}, and has exceeded the limit of {most_bytes}. Please consider \
             querying less data at a time and make paginated call if needed."
        );
        return Ok(detailed(400, "BadRequest", "ResponsePayloadTooLarge", &message));
    }
    Ok(Reply::ok(body))
}

fn throttled() -> Reply {
    detailed(
        429,
        "RateLimiting",
        "RateLimiting",
        "Client application has been throttled and should not attempt to repeat the request until an amount of \
         time has elapsed.",
    )
}

/// An error with what is behind it.
fn detailed(status: u16, code: &str, detail: &str, message: &str) -> Reply {
    let mut reply = error(status, code, "Please provide below info when asking for support.");
    if let crate::reply::Content::Json(body) = &mut reply.content {
        body["error"]["details"] = json!([{ "code": detail, "message": message }]);
    }
    reply
}
