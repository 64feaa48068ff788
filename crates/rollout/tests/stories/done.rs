//! What is done, and how that is shown.

use std::collections::BTreeSet;
use std::time::Duration;

use rollout::{
    Glance, Health, Missing, ObjectStatus, Observation, OnTrouble, Policy, Ready, Relation, Rollout, State,
    Verdict, Waits, WhyWaiting,
};

use crate::world::{MINUTE, START, Story, at, broken, commit, failed, id, policy, target};

#[test]
fn everything_goes_well() {
    let mut story = Story::new(policy(), &["x", "y"]);
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, lineage 0", "only the tally");
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, arrived", "one has arrived");
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "nothing is asked twice");
    story.report("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived since, all", "the other one, and a look at everything");
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it is over for good");
    assert_eq!(story.done(), "");
}

#[test]
fn what_is_fetched_is_not_applied() {
    let mut story = Story::new(policy(), &["x"]);
    story.poll();
    story.report("x", |x| x.synced = Some(commit('1')));
    assert_eq!(
        story.poll(),
        None,
        "still compliant from before, and no object says that the commit is applied"
    );
    assert_eq!(story.done(), "poll, lineage 0, poll, arrived");
    story.report("x", |x| x.objects[0].message = format!("stored dev@sha1:{}", commit('1')));
    assert_eq!(story.poll(), None, "an object names the commit, but not as applied");
    assert_eq!(story.done(), "poll");
    let unproven =
        State::Waiting(WhyWaiting::Unproven(Missing::Applied("apps".to_owned(), Some(commit('0')))));
    assert_eq!(story.state("x"), Some(unproven));
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "the row is known");
    story.sleep(Duration::from_secs(1));
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it reported anew");
    assert_eq!(story.done(), "poll, arrived since, all");
}

#[test]
fn nobody_checks_the_health() {
    let unchecked = |row: &mut Observation| {
        at(row, '1');
        row.kustomizations.get_mut("apps").unwrap().waits = Waits::No;
    };
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", unchecked);
    story.report("y", |y| at(y, '1'));
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, all");
    assert_eq!(story.state("x"), Some(State::Waiting(WhyWaiting::SecondReport)));
    story.sleep(Duration::from_secs(30));
    story.poll();
    assert_eq!(story.done(), "poll", "too early");
    story.now = START + Duration::from_secs(59);
    story.report("x", |_| {});
    story.now = START + Duration::from_secs(60);
    story.poll();
    assert_eq!(story.done(), "poll, all");
    assert_eq!(story.state("x"), Some(State::Waiting(WhyWaiting::SecondReport)), "a second is missing");
    story.report("x", |_| {});
    story.poll();
    assert_eq!(story.done(), "poll", "once a minute");
    story.sleep(MINUTE);
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all");
    assert_eq!(story.state("x"), Some(State::Done { health: Health::Unchecked, since: Some(START) }));
    assert_eq!(story.state("y"), Some(State::Done { health: Health::Checked, since: Some(START) }));

    let mut story = Story::new(policy(), &["x"]);
    story.report("x", unchecked);
    story.rows.get_mut(&id("x")).unwrap().reported = None;
    assert_eq!(story.end(), Verdict::Timeout, "without times nothing is shown twice");

    let mut story = Story::new(policy(), &["x"]);
    story.report("x", unchecked);
    story.poll();
    story.sleep(MINUTE);
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    story.poll();
    assert!(matches!(story.state("x"), Some(State::Failing { .. })));
    story.report("x", unchecked);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "shown twice, whatever was between");

    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", unchecked);
    story.poll();
    story.report("y", |y| at(y, '1'));
    story.done();
    story.poll();
    assert_eq!(story.done(), "poll, arrived since", "a second report cannot be there yet");

    for (on_suspended, want) in [(OnTrouble::Fail, failed(&["x"])), (OnTrouble::Ignore, Verdict::Timeout)] {
        let mut story = Story::new(Policy { on_suspended, ..policy() }, &["x"]);
        story.report("x", |x| {
            unchecked(x);
            x.is_suspended = true;
        });
        assert_eq!(story.end(), want, "it is told not to report again: {on_suspended:?}");
    }
}

#[test]
fn what_was_done_is_undone() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.poll();
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    story.report("y", |y| at(y, '1'));
    story.done();
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, arrived since", "as many look finished, but one is in trouble");
    assert!(matches!(story.state("x"), Some(State::Failing { .. })));
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));

    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.poll();
    story.report("x", |x| at(x, '0'));
    story.report("y", |y| at(y, '1'));
    assert_eq!(story.poll(), None, "one went back");
    story.done();
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived since, all");
}

#[test]
fn reports_of_the_same_time_replace_one_another() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    let reported = story.now;
    story.poll();
    at(story.rows.get_mut(&id("x")).unwrap(), '1');
    assert_eq!(story.rows[&id("x")].reported, Some(reported));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

#[test]
fn a_look_reads_everything_once() {
    let mut story = Story::new(policy(), &["x", "y", "z"]);
    story.relations.insert(commit('2'), Relation::Descendant);
    story.tracked.insert(commit('2'), Some(commit('a')));
    story.report("x", |x| at(x, '2'));
    story.report("y", |y| broken(y, '1', "BuildFailed"));
    story.head = commit('7');
    story.relations.insert(commit('7'), Relation::Diverged);
    story.rollout = Rollout::look(target(), policy(), story.now);
    assert!(story.poll().is_some());
    assert_eq!(story.done(), "all, lineage 0, lineage 2, tracked 2");
    assert!(matches!(story.state("x"), Some(State::Done { .. })), "a later commit that counts");
    assert!(matches!(story.state("y"), Some(State::Failing { .. })));
    assert!(matches!(story.state("z"), Some(State::Waiting(_))));
    assert_eq!(story.rollout.unobserved(), BTreeSet::from(["large".to_owned()]));
}

#[test]
fn standings_are_sorted() {
    let mut story = Story::new(policy(), &["a", "b", "c"]);
    for (name, cluster, configuration) in [("a", "north", "z"), ("b", "south", "y"), ("c", "north", "x")] {
        story.report(name, |row| {
            row.cluster.name = cluster.to_owned();
            row.cluster.id = cluster.to_owned();
            row.name = configuration.to_owned();
            at(row, '1');
        });
    }
    story.poll();
    let standings = story.rollout.standings(story.now);
    let ids: Vec<_> = standings.iter().map(|standing| standing.observation.id.as_str()).collect();
    assert_eq!(ids, ["c", "a", "b"]);
    assert_eq!(standings[0].cluster_types, BTreeSet::from(["drone".to_owned()]));
}

#[test]
fn of_what_is_ready_only_its_own_kustomizations_are_kept() {
    for applied in ['1', '2'] {
        let mut story = Story::new(policy(), &["x"]);
        story.relations.insert(commit('2'), Relation::Descendant);
        story.tracked.insert(commit('2'), Some(commit('a')));
        story.report("x", |x| {
            at(x, '1');
            let own = ObjectStatus { applied: Some(commit(applied)), ..x.objects[0].clone() };
            let object = |name: &str, namespace: &str, ready| ObjectStatus {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                ready,
                ..own.clone()
            };
            x.objects = vec![
                own.clone(),
                object("app", "flux", Some(Ready::True)),
                object("x-apps", "elsewhere", Some(Ready::True)),
                object("broken", "flux", Some(Ready::False)),
                object("quiet", "elsewhere", None),
            ];
        });
        assert_eq!(story.poll(), Some(Verdict::Compliant));
        let standings = story.rollout.standings(story.now);
        let objects = standings[0].observation.objects.iter();
        let names: Vec<_> = objects.map(|object| (&*object.name, &*object.namespace)).collect();
        assert_eq!(names, [("x-apps", "flux"), ("broken", "flux"), ("quiet", "elsewhere")]);
    }
}

#[test]
fn a_glance_is_what_the_last_poll_told() {
    let mut story = Story::new(policy(), &["x", "y"]);
    assert_eq!(story.rollout.glance(), None, "there was none");
    story.report("x", |x| at(x, '1'));
    story.poll();
    assert_eq!(story.rollout.glance(), Some(Glance { total: 2, applied: 1 }));
    story.is_truncated = true;
    story.poll();
    assert_eq!(story.rollout.glance(), None, "it was cut off");
}
