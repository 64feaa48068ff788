//! What is suspended or away.

use rollout::{
    Compliance, Connectivity, Missing, Observation, OnTrouble, Policy, State, Verdict, WhyIgnored, WhyWaiting,
};

use crate::world::{START, Story, at, broken, commit, failed, policy};

/// Who is told to do nothing or away, with which policy → the first end, and how it stands then.
#[test]
fn hindered() {
    let suspended = |x: &mut Observation| x.is_suspended = true;
    let said_suspended = |x: &mut Observation| x.compliance = Compliance::Suspended;
    let away = |x: &mut Observation| {
        x.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: Some(START) };
    };
    let unknown = |x: &mut Observation| x.cluster.connectivity = Connectivity::Unknown;
    let both = |x: &mut Observation| {
        suspended(x);
        away(x);
    };
    type Change<'a> = &'a dyn Fn(&mut Observation);
    let ignored = |why| Some(State::Ignored(why));
    let waiting = |why| Some(State::Waiting(why));
    let unproven = Missing::Synced(Some(commit('0')));
    use OnTrouble::{Fail, Ignore, Wait};
    let cases: [(Change<'_>, OnTrouble, OnTrouble, Verdict, Option<State>, &str); 14] = [
        (&suspended, Ignore, Wait, Verdict::Compliant, ignored(WhyIgnored::Suspended), "suspended"),
        (&said_suspended, Ignore, Wait, Verdict::Compliant, ignored(WhyIgnored::Suspended), "said to be so"),
        (&suspended, Wait, Ignore, Verdict::Timeout, waiting(WhyWaiting::Suspended), "waited for"),
        (&suspended, Fail, Wait, failed(&["x"]), None, "not allowed"),
        (&away, Wait, Ignore, Verdict::Compliant, ignored(WhyIgnored::Disconnected), "away"),
        (&away, Ignore, Wait, Verdict::Timeout, waiting(WhyWaiting::Disconnected), "it may come back"),
        (&away, Wait, Fail, failed(&["x"]), None, "it must be there"),
        (&unknown, Fail, Fail, Verdict::Timeout, waiting(WhyWaiting::Unproven(unproven)), "nobody knows"),
        (&both, Ignore, Wait, Verdict::Compliant, ignored(WhyIgnored::Suspended), "either is enough"),
        (&both, Wait, Ignore, Verdict::Compliant, ignored(WhyIgnored::Disconnected), "either is enough"),
        (&both, Ignore, Ignore, Verdict::Compliant, ignored(WhyIgnored::Suspended), "the one said first"),
        (&both, Wait, Wait, Verdict::Timeout, waiting(WhyWaiting::Suspended), "the one said first"),
        (&both, Fail, Ignore, failed(&["x"]), None, "failing is more"),
        (&both, Ignore, Fail, failed(&["x"]), None, "failing is more"),
    ];
    for (change, on_suspended, on_disconnected, want, state, why) in cases {
        let mut story = Story::new(Policy { on_suspended, on_disconnected, ..policy() }, &["x", "y"]);
        story.report("x", change);
        story.report("y", |y| at(y, '1'));
        assert_eq!(story.end(), want, "{why}");
        if state.is_some() {
            assert_eq!(story.state("x"), state, "{why}");
        }
        if want != Verdict::Timeout {
            assert_eq!(story.now, START, "{why}: nobody waits");
        }
    }
}

#[test]
fn hindered_but_done() {
    let policy = Policy { on_suspended: OnTrouble::Fail, on_disconnected: OnTrouble::Fail, ..policy() };
    let mut story = Story::new(policy, &["x"]);
    story.report("x", |x| {
        at(x, '1');
        x.is_suspended = true;
        x.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    assert_eq!(story.end(), Verdict::Compliant, "it applied the commit before");
}

#[test]
fn what_is_hindered_does_not_fail_otherwise() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        broken(x, '1', "BuildFailed");
        x.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    assert_eq!(story.end(), Verdict::Timeout, "it may be better by now");
}

#[test]
fn a_disconnected_cluster_comes_back() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        at(x, '1');
        x.objects[0].applied = None;
        x.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    assert_eq!(story.poll(), None);
    story.report("x", |x| {
        at(x, '1');
        x.cluster.connectivity = Connectivity::Connected;
    });
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

#[test]
fn what_is_suspended_is_looked_for_only_where_that_is_a_failure() {
    for (on_suspended, is_suspended, want, log) in [
        (OnTrouble::Fail, false, None, "poll, lineage 0"),
        (OnTrouble::Wait, true, None, "poll, lineage 0"),
        (OnTrouble::Fail, true, Some(failed(&["x"])), "poll, lineage 0, all, direct x"),
    ] {
        let mut story = Story::new(Policy { on_suspended, ..policy() }, &["x"]);
        story.report("x", |x| x.is_suspended = is_suspended);
        assert_eq!(story.poll(), want, "{on_suspended:?}");
        assert_eq!(story.done(), log, "{on_suspended:?}");
    }
}
