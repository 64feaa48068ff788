//! What may go wrong in a world, and how often it does.

use crate::random::Random;

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A source does not look any more
    Stuck,
    /// It is applied long after the source has it
    SlowApply,
    /// Applying fails, for a while or for ever
    Fails,
    /// What was applied breaks and heals
    Flaps,
    /// The state of the whole is told late
    StaleState,
    /// The state of the whole is something else
    OddState,
    /// The status of an object is not told
    LostStatus,
    /// It is told to do nothing
    Suspends,
    /// Its cluster cannot be reached
    Disconnects,
    /// Its cluster is stopped
    Sleeps,
    /// It comes while the check runs
    Joins,
    /// It goes while the check runs
    Leaves,
    /// It comes to follow something else, or us
    Turns,
    /// It is not set up as it should be
    Unprovisioned,
    /// It follows something else
    Strange,
    /// A report is lost
    LostReport,
    /// A report comes late
    LateReport,
    /// Reports do not say when they were made
    Untimed,
    /// Its clock is wrong
    Skewed,
    /// The index shows it as it was
    Frozen,
    /// The index does not show its objects
    Stripped,
    /// It may not be seen
    Hidden,
    /// It cannot be read itself
    Unreadable,
    /// A read of the index shows an older state than the one before
    StaleRead,
    /// A read does not work
    FailedRead,
    /// No read works for a while
    Outage,
    /// A tally is cut off
    Truncated,
    /// The branch is shown where it was a moment ago
    StaleHead,
}

const TROUBLES: usize = Trouble::StaleHead as usize + 1;

/// How often each trouble strikes, of a hundred times.
#[derive(Clone, Debug)]
pub(crate) struct Mood([u64; TROUBLES]);

impl Mood {
    /// Nothing goes wrong.
    pub(crate) fn calm() -> Mood {
        Mood([0; TROUBLES])
    }

    /// Some things go wrong, and in each world others.
    pub(crate) fn draw(random: &mut Random) -> Mood {
        let often: [u64; 8] = *random.pick(&[
            [0, 0, 0, 0, 0, 0, 0, 30],
            [0, 0, 0, 0, 0, 5, 5, 20],
            [0, 0, 0, 0, 0, 10, 10, 60],
        ]);
        let mut mood = Mood::calm();
        for percent in &mut mood.0 {
            *percent = *random.pick(&often);
        }
        mood
    }

    /// Whether it strikes this time.
    pub(crate) fn strikes(&self, trouble: Trouble, random: &mut Random) -> bool {
        random.chance(self.0[trouble as usize])
    }
}
