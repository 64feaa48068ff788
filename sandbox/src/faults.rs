//! What goes wrong, and when.

use std::time::Duration;

/// Which request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The request of this index, counted from 0 over all requests.
    Index(usize),
    /// The request of this index, counted from 0 over requests that write.
    Write(usize),
    /// The request of this index, counted from 0 from now on, whose method is this one and whose path fits, `*`
    /// standing for any text; an empty method is any.
    Matching(&'static str, String, usize),
}

impl At {
    /// The next request of a method whose path fits.
    pub fn next(method: &'static str, path: &str) -> At {
        At::Matching(method, path.to_owned(), 0)
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another answer than the right one.
    Answer {
        /// Its status.
        status: u16,
        /// Its headers, on top of those that every answer has.
        headers: Vec<(String, String)>,
        /// Its body.
        body: String,
        /// Whether what was asked for is done.
        work: Work,
    },
    /// What was asked for is done, and the connection ends without an answer.
    LoseReply,
    /// The connection ends before anything is done.
    Refuse,
    /// What was asked for is done, and the connection ends in the middle of the answer.
    HalfBody,
    /// Nothing is done, and the connection stays open without an answer for so long.
    Stall(Duration),
}

/// Whether what was asked for is done although the answer is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It is done.
    Done,
    /// It is not.
    Skipped,
}

impl Fault {
    /// An error as GitHub words it, without anything done.
    pub fn error(status: u16, message: &str) -> Fault {
        let body =
            serde_json::json!({ "message": message, "documentation_url": "https://docs.github.com/rest" });
        Fault::Answer { status, headers: Vec::new(), body: body.to_string(), work: Work::Skipped }
    }

    /// The same with a number of seconds to wait, as `Retry-After`.
    pub fn retry_after(status: u16, message: &str, seconds: u64) -> Fault {
        Fault::error(status, message).after(seconds)
    }

    /// An error as Azure words it, without anything done.
    pub fn azure_error(status: u16, code: &str, message: &str) -> Fault {
        let body = serde_json::json!({ "error": { "code": code, "message": message } });
        Fault::Answer { status, headers: Vec::new(), body: body.to_string(), work: Work::Skipped }
    }

    /// The same answer with a number of seconds to wait, as `Retry-After`.
    pub fn after(mut self, seconds: u64) -> Fault {
        if let Fault::Answer { headers, .. } = &mut self {
            headers.push(("retry-after".to_owned(), seconds.to_string()));
        }
        self
    }
}

/// What happens at a request, once.
pub(crate) enum Event {
    Fault(Fault),
    /// Someone acts before it is answered.
    Hook(Hook),
}

/// What someone does between two requests.
pub(crate) type Hook = Box<dyn FnOnce() -> anyhow::Result<()> + Send>;

/// Everything that is still to happen.
#[derive(Default)]
pub(crate) struct Script {
    events: Vec<(At, Event)>,
}

/// What is known of a request when the script is asked.
pub(crate) struct Moment<'a> {
    pub(crate) index: usize,
    /// How many writes came before it, if it is one.
    pub(crate) write: Option<usize>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
}

impl Script {
    pub(crate) fn add(&mut self, at: At, event: Event) {
        self.events.push((at, event));
    }

    /// Takes what happens at this request.
    pub(crate) fn take(&mut self, moment: &Moment<'_>) -> Vec<Event> {
        let mut due = Vec::new();
        for (mut at, event) in std::mem::take(&mut self.events) {
            if at.is_now(moment) {
                due.push(event);
            } else {
                self.events.push((at, event));
            }
        }
        due
    }
}

impl At {
    fn is_now(&mut self, moment: &Moment<'_>) -> bool {
        match self {
            At::Index(index) => *index == moment.index,
            At::Write(index) => Some(*index) == moment.write,
            At::Matching(method, pattern, left) => {
                let fits = (method.is_empty() || *method == moment.method) && matches(pattern, moment.path);
                let now = fits && *left == 0;
                if fits && !now {
                    *left -= 1;
                }
                now
            }
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_paths() {
        let table = [
            ("/a/b", "/a/b", true, "the same"),
            ("/a/b", "/a/bc", false, "more than that"),
            ("/a/*", "/a/b/c", true, "any text"),
            ("*/pulls", "/repos/a/b/pulls", true, "any beginning"),
            ("*/pulls", "/repos/a/b/pulls/1", false, "not the end"),
            ("/*/b/*", "/a/b/b/", true, "more than one"),
        ];
        for (pattern, text, want, why) in table {
            assert_eq!(matches(pattern, text), want, "{why}");
        }
    }

    #[test]
    fn events_happen_once() {
        let mut script = Script::default();
        script.add(At::Index(2), Event::Fault(Fault::Refuse));
        script.add(At::Matching("GET", "*/x".to_owned(), 1), Event::Fault(Fault::HalfBody));
        let mut take = |index, path| script.take(&Moment { index, write: None, method: "GET", path }).len();
        assert_eq!([take(0, "/x"), take(1, "/y"), take(2, "/x"), take(2, "/x")], [0, 0, 2, 0]);
    }
}
