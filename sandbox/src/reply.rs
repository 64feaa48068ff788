//! What is answered.

use serde_json::{Value, json};

use crate::limits::Rate;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
}

/// What an answer holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Nothing,
    Json(Value),
    Bytes(Vec<u8>),
}

/// Why something is not done, as GitHub says it.
#[derive(Clone, Debug)]
pub(crate) struct Refusal(Reply);

/// What was asked for, or why not.
pub(crate) type Answer = Result<Reply, Refusal>;

impl Reply {
    pub(crate) fn ok(body: Value) -> Reply {
        Reply::json(200, body)
    }

    pub(crate) fn created(body: Value) -> Reply {
        Reply::json(201, body)
    }

    pub(crate) fn no_content() -> Reply {
        Reply { status: 204, headers: Vec::new(), content: Content::Nothing }
    }

    pub(crate) fn bytes(status: u16, content: Vec<u8>) -> Reply {
        Reply { status, headers: Vec::new(), content: Content::Bytes(content) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Reply {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn with_rate(self, resource: &str, rate: Rate) -> Reply {
        self.with("x-ratelimit-limit", rate.limit)
            .with("x-ratelimit-remaining", rate.remaining)
            .with("x-ratelimit-used", rate.used)
            .with("x-ratelimit-reset", rate.reset)
            .with("x-ratelimit-resource", resource)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json_body(&self) -> Option<&Value> {
        match &self.content {
            Content::Json(body) => Some(body),
            Content::Nothing | Content::Bytes(_) => None,
        }
    }

    fn json(status: u16, body: Value) -> Reply {
        Reply { status, headers: Vec::new(), content: Content::Json(body) }
    }
}

impl Refusal {
    /// A status and a message.
    pub(crate) fn new(status: u16, message: &str) -> Refusal {
        Refusal(Reply::json(
            status,
            json!({
                "message": message,
                "documentation_url": "https://docs.github.com/rest",
                "status": status.to_string(),
            }),
        ))
    }

    pub(crate) fn not_found() -> Refusal {
        Refusal::new(404, "Not Found")
    }

    /// 422 with what is wrong with the values of a request.
    pub(crate) fn invalid(error: Value) -> Refusal {
        let mut refusal = Refusal::new(422, "Validation Failed");
        if let Content::Json(body) = &mut refusal.0.content {
            body["errors"] = json!([error]);
        }
        refusal
    }

    /// 422 with a sentence about a field.
    pub(crate) fn custom(resource: &str, field: &str, message: &str) -> Refusal {
        Refusal::invalid(
            json!({ "resource": resource, "code": "custom", "field": field, "message": message }),
        )
    }

    pub(crate) fn with(self, name: &str, value: impl ToString) -> Refusal {
        Refusal(self.0.with(name, value))
    }

    pub(crate) fn with_rate(self, rate: Rate) -> Refusal {
        Refusal(self.0.with_rate("core", rate))
    }
}

impl From<Refusal> for Reply {
    fn from(Refusal(reply): Refusal) -> Reply {
        reply
    }
}

/// Something that is the sandbox's own mistake.
impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Refusal {
        Refusal::new(500, &format!("{SANDBOX_FAILED}: {error:#}"))
    }
}

/// How the message of an answer begins that is the sandbox's own mistake.
pub(crate) const SANDBOX_FAILED: &str = "the sandbox itself failed";
