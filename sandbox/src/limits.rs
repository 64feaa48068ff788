//! What GitHub gives of itself to one token.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// GitHub's limits. The default is what GitHub itself enforces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The primary limit of a token that has none of its own.
    pub requests_per_hour: u64,
    /// Points a minute: a read is one, a write five.
    pub points_per_minute: u64,
    /// Writes a minute.
    pub writes_per_minute: u64,
    /// Writes an hour.
    pub writes_per_hour: u64,
    /// What a secondary limit answers: 403 or 429.
    pub secondary_status: u16,
    /// Entries of one tree request that GitHub manages within its ten seconds.
    pub tree_entries: usize,
    /// Bytes of one tree request that GitHub manages within its ten seconds.
    pub tree_bytes: usize,
    /// What a request that takes too long answers: 502 or 422.
    pub timeout_status: u16,
    /// Entries after which a recursive tree is cut.
    pub recursive_entries: usize,
    /// Statuses of one commit and context.
    pub statuses: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            requests_per_hour: 5_000,
            points_per_minute: 900,
            writes_per_minute: 80,
            writes_per_hour: 500,
            secondary_status: 403,
            tree_entries: 250,
            tree_bytes: 2_500_000,
            timeout_status: 502,
            recursive_entries: 100_000,
            statuses: 1_000,
        }
    }
}

/// Longest body of an issue, pull request or comment, in characters.
pub(crate) const BODY_CHARACTERS: usize = 65_536;

/// Longest description of a status, in characters.
pub(crate) const DESCRIPTION_CHARACTERS: usize = 140;

/// Longest text of a file that GraphQL gives whole, in bytes.
pub(crate) const TEXT_BYTES: usize = 512 * 1024;

/// What a request costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    Read,
    Write,
}

/// What a token has had so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    window: Option<Timestamp>,
    used: u64,
    recent: VecDeque<(Timestamp, Cost)>,
}

/// How a request stands to the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted,
    /// The primary limit is used up.
    Exhausted,
    /// Too much at once: seconds to wait.
    TooFast(i64),
}

/// The numbers that every answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) used: u64,
    pub(crate) reset: i64,
}

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const HOUR: SignedDuration = SignedDuration::from_secs(3600);

impl Usage {
    /// Counts one more request, unless it is over a limit.
    pub(crate) fn admit(
        &mut self,
        limits: &Limits,
        limit: u64,
        now: Timestamp,
        cost: Cost,
    ) -> (Verdict, Rate) {
        let start = self.window.filter(|start| *start + HOUR > now).unwrap_or_else(|| {
            self.used = 0;
            now
        });
        self.window = Some(start);
        self.recent.retain(|(at, _)| *at + HOUR > now);
        let verdict = match self.wait(limits, now) {
            _ if self.used >= limit => Verdict::Exhausted,
            Some(seconds) => Verdict::TooFast(seconds),
            None => Verdict::Granted,
        };
        if verdict == Verdict::Granted {
            self.used += 1;
            self.recent.push_back((now, cost));
        }
        let rate = Rate {
            limit,
            remaining: limit.saturating_sub(self.used),
            used: self.used,
            reset: (start + HOUR).as_second(),
        };
        (verdict, rate)
    }

    /// Seconds until the secondary limits let another request through.
    fn wait(&self, limits: &Limits, now: Timestamp) -> Option<i64> {
        let within = |span: SignedDuration| self.recent.iter().filter(move |(at, _)| *at + span > now);
        let writes = |span| within(span).filter(|(_, cost)| *cost == Cost::Write).count() as u64;
        let points: u64 = within(MINUTE).map(|(_, cost)| if *cost == Cost::Write { 5 } else { 1 }).sum();
        let (span, oldest) = match () {
            () if points >= limits.points_per_minute => (MINUTE, within(MINUTE).next()),
            () if writes(MINUTE) >= limits.writes_per_minute => (MINUTE, within(MINUTE).next()),
            () if writes(HOUR) >= limits.writes_per_hour => (HOUR, within(HOUR).next()),
            () => return None,
        };
        Some(oldest.map_or(1, |(at, _)| (*at + span).duration_since(now).as_secs().max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_the_hour_and_by_the_minute() {
        let limits =
            Limits { points_per_minute: 12, writes_per_minute: 2, writes_per_hour: 3, ..Limits::default() };
        let start = Timestamp::UNIX_EPOCH;
        let mut usage = Usage::default();
        let table = [
            (0, Cost::Write, Verdict::Granted, 9, "5 points"),
            (0, Cost::Write, Verdict::Granted, 8, "10 points"),
            (10, Cost::Read, Verdict::TooFast(50), 8, "two writes in this minute"),
            (60, Cost::Write, Verdict::Granted, 7, "the minute is over"),
            (200, Cost::Read, Verdict::TooFast(3400), 7, "three writes in this hour"),
            (3600, Cost::Read, Verdict::Granted, 9, "the hour is over"),
        ];
        for (second, cost, want, remaining, why) in table {
            let now = start + SignedDuration::from_secs(second);
            let (verdict, rate) = usage.admit(&limits, 10, now, cost);
            assert_eq!((verdict, rate.remaining), (want, remaining), "{why}");
        }
        let now = start + SignedDuration::from_secs(3700);
        assert_eq!(usage.admit(&limits, 1, now, Cost::Read).0, Verdict::Exhausted);
    }
}
