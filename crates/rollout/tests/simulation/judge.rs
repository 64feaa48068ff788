//! What was shown to the core, and whether that carries its verdict.

use std::collections::{BTreeMap, BTreeSet};

use rollout::{
    ConfigurationId, Failure, Grace, Health, NotCounted, OnTrouble, Provisioning, Ready, Rollout, Standing,
    State, Time, Unobserved, Verdict, WhyWaiting,
};

use crate::history::{Commit, Fate, LAG};
use crate::life::{Part, Whole};
use crate::world::{Configuration, Follows, Sight, World};

/// Who remembers all that was shown to the core, and judges it alone.
pub(crate) struct Judge<'a> {
    world: &'a World,
    started: u64,
    witnesses: Vec<Witness>,
    head: Option<Commit>,
    /// When the first of the looks in a row was taken that showed the branch without the commit
    astray: Option<u64>,
    /// When the branch was looked at last
    looked: u64,
    /// How many waits there were so far
    waits: usize,
    /// When the last whole pass began, after how many waits it ended
    pass: Option<(u64, usize)>,
    /// Whether there were too few clusters when time passed after the last whole pass but one
    has_too_few: bool,
    /// The configurations that count by the last poll, if it told, as it showed them
    tallied: Option<BTreeMap<usize, Sight>>,
    /// Those that count by the rows of the last whole pass
    rows: BTreeMap<usize, Sight>,
    /// When something could not be read for the last time
    pub(crate) disturbed: Option<u64>,
}

/// What was shown of one configuration.
#[derive(Clone, Debug, Default)]
struct Witness {
    /// The latest report: none that is older counts after it
    sight: Option<Sight>,
    /// When that was shown for the last time
    confirmed: u64,
    /// When anything was shown for the last time
    shown: u64,
    /// After how many waits it showed that itself, if it did when it was asked last
    found: Option<usize>,
    /// After how many waits it was asked itself
    asked: Option<usize>,
    /// When the first report that proved it was made
    proven: Option<u64>,
    /// The same, of those after which nothing else was shown
    surely_proven: Option<u64>,
    /// Since when it fails, at the earliest
    failing: Option<u64>,
    /// Since when it fails, whoever judges
    surely_failing: Option<u64>,
    /// When it was said to be gone
    gone: Option<u64>,
    /// It was said to be gone, and only what was reported before speaks for it
    is_ghost: bool,
}

/// How a configuration was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// As a row
    Row,
    /// Itself
    Itself,
}

impl<'a> Judge<'a> {
    /// Nothing has been shown.
    pub(crate) fn new(world: &'a World, started: u64) -> Judge<'a> {
        Judge {
            world,
            started,
            witnesses: vec![Witness::default(); world.fleet.len()],
            head: None,
            astray: None,
            looked: started,
            waits: 0,
            pass: None,
            has_too_few: false,
            tallied: None,
            rows: BTreeMap::new(),
            disturbed: None,
        }
    }

    /// A poll that looked at the branch then showed this head.
    pub(crate) fn polled(&mut self, head: Commit, looked: u64, tallied: Option<BTreeMap<usize, Sight>>) {
        let is_astray = matches!(self.world.history.fate(head), Fate::Superseded { is_below: false, .. });
        self.astray = is_astray.then(|| self.astray.unwrap_or(looked));
        self.head = Some(head);
        self.looked = looked;
        self.tallied = tallied;
    }

    /// Time passes.
    pub(crate) fn waited(&mut self) {
        if self.has_passed() {
            self.has_too_few = self.clusters(Ghosts::Without) < self.world.policy.min_clusters;
        }
        self.waits += 1;
    }

    /// A configuration was shown.
    pub(crate) fn show(&mut self, at: usize, sight: Sight, shown: Shown, now: u64) {
        if shown == Shown::Row && sight.is_member() {
            self.rows.insert(at, sight.clone());
        }
        let configuration = &self.world.fleet[at];
        let fails = self.fails(configuration, &sight);
        let surely_fails = self.surely_fails(configuration, &sight);
        let is_proof = self.world.is_proof(configuration, &sight);
        let waits = self.waits;
        let witness = &mut self.witnesses[at];
        witness.shown = now;
        if shown == Shown::Itself {
            witness.found = None;
            witness.asked = Some(waits);
        }
        if witness.is_ghost {
            // It was not known to be there.
            witness.sight = None;
            witness.surely_proven = None;
        }
        if witness.sight.as_ref().is_some_and(|known| sight.reported < known.reported) {
            return;
        }
        if shown == Shown::Itself && !sight.is_member() {
            witness.gone = Some(now);
        }
        witness.is_ghost =
            witness.gone.is_some_and(|gone| shown == Shown::Row && sight.reported <= Some(gone));
        if !witness.is_ghost && sight.is_member() {
            witness.gone = None;
        }
        // What counts leaves the count only by its own word.
        let was_member = witness.sight.as_ref().is_some_and(Sight::is_member);
        if was_member && !sight.is_member() && shown == Shown::Row {
            return;
        }
        let reported = sight.reported.map_or(now, |reported| reported.min(now));
        witness.failing = fails.then(|| witness.failing.unwrap_or(reported));
        witness.surely_failing = surely_fails.then(|| witness.surely_failing.unwrap_or(now));
        if is_proof {
            witness.proven = earlier(witness.proven, sight.reported);
            witness.surely_proven = earlier(witness.surely_proven, sight.reported);
        } else {
            witness.surely_proven = None;
        }
        witness.confirmed = now;
        if shown == Shown::Itself {
            witness.found = Some(waits);
        }
        witness.sight = Some(sight);
    }

    /// A configuration itself is gone.
    pub(crate) fn gone(&mut self, at: usize, now: u64) {
        self.witnesses[at] = Witness { gone: Some(now), ..Witness::default() };
    }

    /// A configuration itself could not be read.
    pub(crate) fn refused(&mut self, at: usize) {
        self.witnesses[at].asked = Some(self.waits);
        self.witnesses[at].found = None;
    }

    /// A pass over all rows begins.
    pub(crate) fn passes(&mut self) {
        self.rows.clear();
    }

    /// A pass over all rows, begun then, has come to its end.
    pub(crate) fn passed(&mut self, begun: u64) {
        self.pass = Some((begun, self.waits));
    }

    /// Whether there was a pass over all rows since the last wait.
    fn has_passed(&self) -> bool {
        self.pass.is_some_and(|(_, waits)| waits == self.waits)
    }

    /// Whether the head that was shown ends the check now.
    pub(crate) fn must_end(&self) -> bool {
        self.is_over()
            && self.astray.is_none_or(|since| {
                // It may take a moment to find out what was shown.
                self.disturbed.is_none_or(|at| at < since) && self.looked >= since + LAG + 10
            })
    }

    /// Whether the pass over all rows does not bear out the poll before it: one of them is behind.
    pub(crate) fn is_behind(&self) -> bool {
        let content = |sight: &Sight| (sight.says, sight.has_objects, sight.provisioning.clone());
        let is_behind = |(at, told): (&usize, &Sight)| {
            let shown = self.rows.get(at);
            shown.is_none_or(|shown| shown.reported < told.reported || content(shown) != content(told))
        };
        self.has_passed() && self.tallied.iter().flatten().any(is_behind)
    }

    /// Whether the branch was shown without the commit, perhaps only as it was before.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.astray.is_some()
    }

    /// Whether the head that was shown ends the check.
    fn is_over(&self) -> bool {
        self.head.is_some_and(|head| self.world.history.fate(head) != Fate::Carries)
    }

    /// Whether a verdict is carried by what was shown.
    pub(crate) fn judge(&self, verdict: &Verdict, now: u64) -> Result<(), String> {
        match verdict {
            Verdict::Compliant => self.carries_success(),
            Verdict::Failed(failure) => self.carries_failure(failure, now),
            Verdict::Timeout => self.carries_timeout(now),
            Verdict::NoClusters { seen } => self.carries_absence(*seen, now),
            Verdict::Superseded { .. } | Verdict::Reverted { .. } => self.carries_end(verdict, now),
        }
    }

    fn carries_success(&self) -> Result<(), String> {
        let World { policy, fleet, target, .. } = self.world;
        if self.is_over() {
            return Err("the head of the branch is something else".to_owned());
        }
        let (begun, _) = self.pass.ok_or("no pass over all rows")?;
        if !self.has_passed() {
            return Err("time passed after the last pass over all rows".to_owned());
        }
        for at in self.tallied.iter().flat_map(BTreeMap::keys) {
            let Witness { sight, gone, .. } = &self.witnesses[*at];
            if sight.is_none() && gone.is_none() {
                return Err(format!("{} was counted, and never shown", fleet[*at].id.as_str()));
            }
        }
        for (at, witness) in self.members(Ghosts::Without) {
            let id = fleet[at].id.as_str();
            if self.is_done(at, witness) {
                if witness.confirmed < begun {
                    return Err(format!("{id} was not shown again, or only an older report of it"));
                }
            } else if !self.is_excused(witness) {
                return Err(format!("{id} was not shown as done: {witness:?}"));
            } else if witness.shown < begun {
                return Err(format!("{id} is ignored and was not shown again"));
            } else {
                let stands_in = |of: Option<&str>| {
                    self.members(Ghosts::With).any(|(other, witness)| {
                        self.is_done(other, witness)
                            && of.is_none_or(|of| fleet[other].types.contains(of))
                            && (of.is_some() || !fleet[at].types.is_empty() || fleet[other].types.is_empty())
                    })
                };
                let types = &fleet[at].types;
                if !stands_in(None) || !types.iter().all(|of| stands_in(Some(of))) {
                    return Err(format!(
                        "{id} is ignored, and nothing of its cluster types was shown as done"
                    ));
                }
            }
        }
        if self.clusters(Ghosts::With) < policy.min_clusters {
            return Err("fewer clusters than there must be".to_owned());
        }
        let unobserved = target.cluster_types.len() - self.observed(Ghosts::With).len();
        if policy.on_unobserved == Unobserved::Refused && unobserved > 0 {
            return Err("a cluster type is not observed".to_owned());
        }
        Ok(())
    }

    fn carries_failure(&self, failure: &Failure, now: u64) -> Result<(), String> {
        let Failure { configurations, unobserved } = failure;
        if self.is_over() {
            return Err("the head of the branch is something else".to_owned());
        }
        if configurations.is_empty() && unobserved.is_empty() {
            return Err("nothing has failed".to_owned());
        }
        for id in configurations {
            let at = self.find(id)?;
            self.carries_failure_of(at, now).map_err(|why| format!("{}: {why}", id.as_str()))?;
        }
        if !unobserved.is_empty() {
            if self.world.policy.on_unobserved == Unobserved::Said {
                return Err("cluster types need not be observed".to_owned());
            }
            if !self.has_passed() {
                return Err("cluster types are missing without a pass over all rows".to_owned());
            }
            let observed = self.observed(Ghosts::Without);
            if let Some(known) = unobserved.iter().find(|name| observed.contains(name.as_str())) {
                return Err(format!("{known} is observed"));
            }
        }
        Ok(())
    }

    fn carries_failure_of(&self, at: usize, now: u64) -> Result<(), String> {
        let (configuration, witness) = (&self.world.fleet[at], &self.witnesses[at]);
        let sight = witness.sight.as_ref().ok_or("was never seen, or is gone")?;
        if !sight.is_member() {
            return Err("does not count".to_owned());
        }
        if witness.found != Some(self.waits) {
            return Err("was not read itself just before".to_owned());
        }
        if self.is_surely_done(at, witness) {
            return Err("is done".to_owned());
        }
        let policy = &self.world.policy;
        if is_suspended(sight) && policy.on_suspended == OnTrouble::Fail {
            return Ok(());
        }
        if sight.is_away && policy.on_disconnected == OnTrouble::Fail {
            return Ok(());
        }
        let since = witness.failing.ok_or("does not fail")?;
        let grace = self.grace(configuration);
        let failed = broken_parts(configuration, sight);
        let is_build = failed.iter().any(|part| part.reason == "BuildFailed");
        let grace = if is_build { grace.min(120) } else { grace };
        if now < since + grace {
            return Err(format!("fails only since {since}, and has {grace} s"));
        }
        let only_waits = !failed.is_empty() && failed.iter().all(waits);
        if only_waits && sight.provisioning != Provisioning::Failed && now < self.deadline() {
            return Err("only waits for something".to_owned());
        }
        Ok(())
    }

    fn carries_timeout(&self, now: u64) -> Result<(), String> {
        if now < self.deadline() {
            return Err("there is time left".to_owned());
        }
        if self.disturbed.is_some_and(|at| at >= self.deadline()) {
            return Ok(());
        }
        if self.is_over() {
            return Err("the head of the branch is something else".to_owned());
        }
        let is_haunted = self.witnesses.iter().any(|witness| witness.is_ghost);
        let is_sure = |(at, witness)| !self.is_done(at, witness) || self.is_surely_done(at, witness);
        if !self.is_behind()
            && !is_haunted
            && self.carries_success().is_ok()
            && self.members(Ghosts::With).all(is_sure)
        {
            return Err("everything was shown as done".to_owned());
        }
        for (at, witness) in self.members(Ghosts::Without) {
            let id = self.world.fleet[at].id.as_str();
            if !self.is_done(at, witness) && !self.is_excused(witness) {
                if witness.asked != Some(self.waits) {
                    return Err(format!("{id} was not read itself before time was over"));
                }
                let grace = self.grace(&self.world.fleet[at]);
                let is_confirmed = witness.found == Some(self.waits);
                if is_confirmed && witness.surely_failing.is_some_and(|since| now >= since + grace) {
                    return Err(format!("{id} has failed for long: {witness:?}"));
                }
            }
        }
        Ok(())
    }

    fn carries_absence(&self, seen: usize, now: u64) -> Result<(), String> {
        let (fewest, most) = (self.clusters(Ghosts::Without), self.clusters(Ghosts::With));
        if self.is_over() {
            return Err("the head of the branch is something else".to_owned());
        }
        if !(fewest..=most).contains(&seen) {
            return Err(format!("{fewest} to {most} clusters were seen"));
        }
        if fewest >= self.world.policy.min_clusters {
            return Err("there are enough clusters".to_owned());
        }
        if !(self.has_passed() && self.has_too_few) && now < self.deadline() {
            return Err("only one pass over all rows showed too few".to_owned());
        }
        Ok(())
    }

    fn carries_end(&self, verdict: &Verdict, now: u64) -> Result<(), String> {
        let head = self.head.ok_or("no head was shown")?;
        let name = self.world.history.name(head);
        let is_same = match (self.world.history.fate(head), verdict) {
            (Fate::Superseded { by, is_below: true }, Verdict::Superseded { head, by: said }) => {
                head == name && *said == by
            }
            (Fate::Superseded { by, is_below: false }, Verdict::Superseded { head, by: said }) => {
                head == name && (said.is_none() || *said == by)
            }
            (Fate::Reverted { by }, Verdict::Reverted { head, by: said }) => head == name && *said == by,
            _ => false,
        };
        if !is_same {
            return Err(format!("the head means {:?}", self.world.history.fate(head)));
        }
        if self.astray.is_some() && !self.world.history.stood_at(head, (self.started, now)) {
            return Err("the branch has not been there since the check began".to_owned());
        }
        Ok(())
    }

    /// Whether what the core says of each configuration is what it was shown.
    pub(crate) fn judge_standings(
        &self,
        rollout: &Rollout,
        verdict: Option<&Verdict>,
        now: u64,
    ) -> Result<(), String> {
        let standings = rollout.standings(Time(now));
        let key = |standing: &Standing| {
            (standing.observation.cluster.name.clone(), standing.observation.name.clone())
        };
        if !standings.is_sorted_by_key(key) {
            return Err("standings are not in order".to_owned());
        }
        let mut missing: BTreeSet<usize> = self.members(Ghosts::Without).map(|(at, _)| at).collect();
        for standing in &standings {
            let id = &standing.observation.id;
            let at = self.find(id)?;
            missing.remove(&at);
            self.judge_standing(at, standing, verdict, now)
                .map_err(|why| format!("{} stands as {:?}, but {why}", id.as_str(), standing.state))?;
        }
        if let Some(at) = missing.first() {
            return Err(format!("nothing stands there for {}", self.world.fleet[*at].id.as_str()));
        }
        let unobserved = rollout.unobserved();
        let cluster_types = &self.world.target.cluster_types;
        if self.witnesses.iter().any(|witness| witness.gone.is_some()) {
            return Ok(());
        }
        if self.pass.is_none() {
            let is_said = unobserved.iter().next();
            return is_said.map_or(Ok(()), |name| Err(format!("nobody has looked for {name} yet")));
        }
        let is_unobserved = |name: &&String, ghosts| !self.observed(ghosts).contains(name.as_str());
        let fewest = cluster_types.iter().filter(|name| is_unobserved(name, Ghosts::With));
        let most = cluster_types.iter().filter(|name| is_unobserved(name, Ghosts::Without));
        if !fewest.clone().all(|name| unobserved.contains(name)) || unobserved.len() > most.count() {
            return Err(format!(
                "unobserved are {fewest:?}, not {unobserved:?}",
                fewest = fewest.collect::<Vec<_>>()
            ));
        }
        Ok(())
    }

    fn judge_standing(
        &self,
        at: usize,
        standing: &Standing,
        verdict: Option<&Verdict>,
        now: u64,
    ) -> Result<(), String> {
        let witness = &self.witnesses[at];
        if witness.gone.is_some() {
            return Ok(());
        }
        let sight = witness.sight.as_ref().ok_or("it was never seen, or is gone")?;
        if standing.observation.reported != sight.reported.map(Time) {
            return Err(format!("the latest report is of {:?}", sight.reported));
        }
        let types: BTreeSet<&str> = standing.cluster_types.iter().map(String::as_str).collect();
        if types != self.world.fleet[at].types {
            return Err(format!("its cluster types are {:?}", self.world.fleet[at].types));
        }
        let is_open = matches!(standing.state, State::Waiting(_) | State::Failing { .. });
        if is_open && verdict == Some(&Verdict::Compliant) {
            return Err("all is well".to_owned());
        }
        let is_right = match &standing.state {
            State::Done { health, since } => {
                let is_unhealthy = self.world.fleet[at].is_unhealthy;
                self.is_done(at, witness)
                    && (*health == Health::Unchecked) == is_unhealthy
                    && since.is_none_or(|since| Some(since.0) <= sight.reported)
            }
            State::Waiting(WhyWaiting::Unreadable) => witness.asked.is_some(),
            State::Waiting(_) => sight.is_member() && !self.is_surely_done(at, witness),
            State::Failing { since, fails_at } => {
                sight.is_member() && since.0 <= now && since <= fails_at && self.may_fail(witness, sight)
            }
            State::Ignored(_) => sight.is_member() && self.is_excused(witness),
            State::NotCounted(NotCounted::Deleting) => sight.provisioning == Provisioning::Deleting,
            State::NotCounted(_) => sight.follows == Follows::Otherwise,
        };
        if is_right { Ok(()) } else { Err(format!("this was shown: {witness:?}")) }
    }

    fn may_fail(&self, witness: &Witness, sight: &Sight) -> bool {
        let policy = &self.world.policy;
        witness.failing.is_some()
            || (is_suspended(sight) && policy.on_suspended == OnTrouble::Fail)
            || (sight.is_away && policy.on_disconnected == OnTrouble::Fail)
    }

    fn is_done(&self, at: usize, witness: &Witness) -> bool {
        let configuration = &self.world.fleet[at];
        if !witness.sight.as_ref().is_some_and(|sight| self.world.is_proof(configuration, sight)) {
            return false;
        }
        !configuration.is_unhealthy || second(witness.proven, witness)
    }

    /// Whether it is done, whoever judges.
    fn is_surely_done(&self, at: usize, witness: &Witness) -> bool {
        let is_twice = !self.world.fleet[at].is_unhealthy || second(witness.surely_proven, witness);
        is_twice && self.is_done(at, witness)
    }

    fn is_excused(&self, witness: &Witness) -> bool {
        let policy = &self.world.policy;
        witness.sight.as_ref().is_some_and(|sight| {
            (is_suspended(sight) && policy.on_suspended == OnTrouble::Ignore)
                || (sight.is_away && policy.on_disconnected == OnTrouble::Ignore)
        })
    }

    fn fails(&self, _: &Configuration, sight: &Sight) -> bool {
        let is_synced = sight.says.synced.is_some_and(|commit| self.world.history.accepts(commit));
        (is_synced && sight.says.whole == Whole::NonCompliant) || sight.provisioning == Provisioning::Failed
    }

    fn surely_fails(&self, configuration: &Configuration, sight: &Sight) -> bool {
        let is_alone = sight.is_member() && !is_suspended(sight) && !sight.is_away;
        let failed = broken_parts(configuration, sight);
        let is_ours = !failed.is_empty() && !failed.iter().any(waits);
        is_alone && self.fails(configuration, sight) && is_ours
    }

    fn grace(&self, configuration: &Configuration) -> u64 {
        match self.world.policy.grace {
            Grace::Auto => configuration.patience,
            Grace::Fixed(grace) => grace.as_secs(),
        }
    }

    fn deadline(&self) -> u64 {
        self.started + self.world.policy.timeout.as_secs()
    }

    fn members(&self, ghosts: Ghosts) -> impl Iterator<Item = (usize, &Witness)> {
        let counts = move |witness: &Witness| {
            witness.sight.as_ref().is_some_and(Sight::is_member)
                && (ghosts == Ghosts::With || !witness.is_ghost)
        };
        self.witnesses.iter().enumerate().filter(move |(_, witness)| counts(witness))
    }

    fn clusters(&self, ghosts: Ghosts) -> usize {
        let clusters: BTreeSet<usize> =
            self.members(ghosts).map(|(at, _)| self.world.fleet[at].cluster).collect();
        clusters.len()
    }

    fn observed(&self, ghosts: Ghosts) -> BTreeSet<&'static str> {
        self.members(ghosts).flat_map(|(at, _)| self.world.fleet[at].types.iter().copied()).collect()
    }

    fn find(&self, id: &ConfigurationId) -> Result<usize, String> {
        let unknown = || format!("{} is nothing that was shown", id.as_str());
        self.world.fleet.iter().position(|known| known.id == *id).ok_or_else(unknown)
    }
}

/// What is said to be gone, and is still shown as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ghosts {
    With,
    Without,
}

/// Whether the latest report was made long enough after the first.
fn second(first: Option<u64>, witness: &Witness) -> bool {
    let last = witness.sight.as_ref().and_then(|sight| sight.reported);
    matches!((first, last), (Some(first), Some(last)) if last >= first + 60)
}

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    [one, other].into_iter().flatten().min()
}

fn is_suspended(sight: &Sight) -> bool {
    sight.is_suspended || sight.says.whole == Whole::Suspended
}

fn broken_parts(configuration: &Configuration, sight: &Sight) -> Vec<Part> {
    let is_broken = |part: &&Part| part.is_told && part.ready != Some(Ready::True);
    let parts = if sight.has_objects { configuration.parts(sight) } else { &[] };
    parts.iter().filter(is_broken).copied().collect()
}

fn waits(part: &Part) -> bool {
    matches!(part.reason, "DependencyNotReady" | "Progressing")
}
