//! What Azure gives of itself to one application.

use jiff::{SignedDuration, Timestamp};

/// Azure's limits. The default is what Azure itself enforces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureLimits {
    /// Queries to Resource Graph in five seconds.
    pub queries: u64,
    /// Reads from Resource Manager in ten seconds.
    pub reads: u64,
    /// Rows of a summary, which has one page only.
    pub summary_rows: usize,
    /// Bytes of an answer of Resource Graph.
    pub answer_bytes: usize,
    /// Subscriptions that one query looks at; what is cut off a header tells.
    pub subscriptions: usize,
    /// Subscriptions on a page of their list.
    pub subscriptions_page: usize,
    /// Flux configurations on a page of their cluster's list.
    pub configurations_page: usize,
}

impl Default for AzureLimits {
    fn default() -> AzureLimits {
        AzureLimits {
            queries: 15,
            reads: 250,
            summary_rows: 1_000,
            answer_bytes: 16 << 20,
            subscriptions: 10_000,
            subscriptions_page: 1_000,
            configurations_page: 100,
        }
    }
}

/// How long a window of queries to Resource Graph is.
pub(super) const QUERIES_WINDOW: SignedDuration = SignedDuration::from_secs(5);

/// How long a window of reads from Resource Manager is.
pub(super) const READS_WINDOW: SignedDuration = SignedDuration::from_secs(10);

/// What an application has asked for in a while.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    start: Timestamp,
    used: u64,
}

/// How a request stands to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// What is left, unless this is one too many.
    pub(super) remaining: Option<u64>,
    /// Seconds until there is all of it again.
    pub(super) resets_after: i64,
}

impl Window {
    /// Counts one more request.
    pub(super) fn admit(&mut self, limit: u64, length: SignedDuration, now: Timestamp) -> Quota {
        if self.start + length <= now {
            *self = Window { start: now, used: 0 };
        }
        let remaining = limit.checked_sub(self.used + 1);
        if remaining.is_some() {
            self.used += 1;
        }
        Quota { remaining, resets_after: (self.start + length).duration_since(now).as_secs().max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_in_windows() {
        let mut window = Window::default();
        let table = [
            (100, Some(1), 5, "the first"),
            (102, Some(0), 3, "the last"),
            (102, None, 3, "one too many"),
            (104, None, 1, "it does not count"),
            (105, Some(1), 5, "the next window"),
        ];
        for (second, remaining, resets_after, why) in table {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
            let got = window.admit(2, QUERIES_WINDOW, now);
            assert_eq!(got, Quota { remaining, resets_after }, "{why}");
        }
    }
}
