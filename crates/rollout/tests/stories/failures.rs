//! What fails, and when.

use std::time::Duration;

use rollout::{
    Compliance, Connectivity, Direct, Grace, Kustomization, ObjectStatus, Observation, OnTrouble, Policy,
    Provisioning, State, Time, Verdict,
};

use crate::world::{MINUTE, START, Story, at, broken, failed, fresh, id, policy};

#[test]
fn failures_last() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.poll();
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    let since = story.now;
    assert_eq!(story.poll(), None);
    let failing = State::Failing { since, fails_at: since + 10 * MINUTE };
    assert_eq!(story.state("x"), Some(failing.clone()));
    story.now = Time(since.0 + 599);
    story.report("x", |_| {});
    story.done();
    assert_eq!(story.poll(), None, "not yet");
    assert_eq!(story.done(), "poll");
    assert_eq!(story.state("x"), Some(failing));
    assert_eq!(story.poll(), Some(failed(&["x"])));
    assert_eq!(story.done(), "poll, direct x", "after a look at it");
}

#[test]
fn failures_pass() {
    let failing = |names: &[&str]| {
        let mut story = Story::new(policy(), names);
        for name in names {
            story.report(name, |row| broken(row, '1', "HealthCheckFailed"));
        }
        story.poll();
        story.sleep(10 * MINUTE);
        story.done();
        story
    };
    let mut story = failing(&["x"]);
    story.report("x", |x| x.compliance = Compliance::Pending);
    assert_eq!(story.poll(), None, "it tries again");
    assert_eq!(story.done(), "poll, direct x");
    story.report("x", |x| x.compliance = Compliance::NonCompliant);
    assert_eq!(story.poll(), None, "the time begins anew");
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));

    let mut story = failing(&["x"]);
    story.resources.insert(id("x"), Direct::Unreadable);
    assert_eq!(story.poll(), None, "nobody can tell");
    assert_eq!(story.done(), "poll, direct x");

    let mut story = failing(&["x"]);
    story.rows.get_mut(&id("x")).unwrap().reported = Some(START + 9 * MINUTE);
    story.sleep(MINUTE);
    let older = Observation { reported: Some(Time(START.0 - 1)), ..story.rows[&id("x")].clone() };
    story.resources.insert(id("x"), Direct::Found(Box::new(older)));
    assert_eq!(story.poll(), None, "an older report confirms nothing");
    assert_eq!(story.done(), "poll, direct x");

    let mut story = failing(&["x", "y"]);
    story.resources.insert(id("x"), Direct::Gone);
    assert_eq!(story.poll(), Some(failed(&["y"])), "what is gone does not fail");
    assert_eq!(story.done(), "poll, direct x y");
}

/// The change to a configuration at the commit → when it fails after its report.
#[test]
fn failures_have_their_time() {
    type Change = fn(&mut Observation);
    let auto = Policy { grace: Grace::Auto, ..policy() };
    let at_once = Policy { grace: Grace::Fixed(Duration::ZERO), ..policy() };
    let cases: [(&Policy, Change, Option<Duration>, &str); 13] = [
        (&auto, |x| broken(x, '1', "HealthCheckFailed"), Some(20 * MINUTE), "interval and timeout"),
        (
            &auto,
            |x| {
                broken(x, '1', "HealthCheckFailed");
                let first = x.kustomizations["apps"].clone();
                let slow = Kustomization { retry_interval: Some(13 * MINUTE), ..first.clone() };
                x.kustomizations.insert("a".to_owned(), slow);
                let quick = Kustomization { retry_interval: Some(MINUTE), ..first };
                x.kustomizations.insert("z".to_owned(), quick);
            },
            Some(23 * MINUTE),
            "the slowest",
        ),
        (&auto, |x| broken(x, '1', "BuildFailed"), Some(2 * MINUTE), "trying again is no use"),
        (&at_once, |x| broken(x, '1', "BuildFailed"), Some(Duration::ZERO), "no more than the grace"),
        (&at_once, |x| broken(x, '1', "HealthCheckFailed"), Some(Duration::ZERO), "at once"),
        (&at_once, |x| broken(x, '1', "DependencyNotReady"), None, "it waits for others"),
        (&at_once, |x| broken(x, '1', "Progressing"), None, "it is at work"),
        (
            &auto,
            |x| {
                broken(x, '1', "Progressing");
                let other = ObjectStatus { name: "app".to_owned(), ..x.objects[0].clone() };
                x.objects.push(ObjectStatus { reason: "BuildFailed".to_owned(), ..other });
            },
            Some(20 * MINUTE),
            "a nested one may still be made",
        ),
        (
            &auto,
            |x| {
                at(x, '1');
                x.compliance = Compliance::NonCompliant;
                x.objects[0].reason = "Progressing".to_owned();
            },
            Some(20 * MINUTE),
            "ready, whatever the reason; something else is wrong",
        ),
        (
            &auto,
            |x| {
                at(x, '1');
                x.compliance = Compliance::NonCompliant;
                x.objects[0].reason = "BuildFailed".to_owned();
            },
            Some(20 * MINUTE),
            "ready after all",
        ),
        (
            &policy(),
            |x| {
                broken(x, '1', "Progressing");
                x.provisioning = Provisioning::Failed;
            },
            Some(10 * MINUTE),
            "it is not set up",
        ),
        (
            &policy(),
            |x| {
                at(x, '1');
                x.provisioning = Provisioning::Failed;
            },
            Some(10 * MINUTE),
            "not set up, but compliant",
        ),
        (
            &policy(),
            |x| {
                at(x, '1');
                x.provisioning = Provisioning::Canceled;
            },
            None,
            "called off",
        ),
    ];
    for (policy, change, want, why) in cases {
        let mut story = Story::new(policy.clone(), &["x"]);
        story.report("x", change);
        let verdict = story.end();
        match want {
            None => assert_eq!((verdict, story.now), (Verdict::Timeout, START + 60 * MINUTE), "{why}"),
            Some(after) => assert_eq!((verdict, story.now), (failed(&["x"]), START + after), "{why}"),
        }
    }
}

#[test]
fn what_is_not_fetched_fails_by_its_setup_only() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        broken(x, '0', "HealthCheckFailed");
        x.reported = None;
    });
    assert_eq!(story.end(), Verdict::Timeout, "broken before");
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        x.provisioning = Provisioning::Failed;
        x.synced = None;
    });
    assert_eq!(story.end(), failed(&["x"]));
}

#[test]
fn failures_begin_when_they_are_reported() {
    let cases = [
        (None, 30, "when it is seen, without a time"),
        (Some(START), 0, "when it was reported"),
        (Some(START + 30 * MINUTE), 30, "a clock that is ahead"),
    ];
    for (reported, since, why) in cases {
        let mut story = Story::new(policy(), &["x"]);
        story.poll();
        story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
        story.rows.get_mut(&id("x")).unwrap().reported = reported;
        story.now = Time(START.0 + 30);
        story.poll();
        let since = Time(START.0 + since);
        assert_eq!(story.state("x"), Some(State::Failing { since, fails_at: since + 10 * MINUTE }), "{why}");
    }
}

#[test]
fn one_trouble_leaves_another_its_time() {
    let offline = Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    let disconnected: &dyn Fn(&mut Observation) = &|x| x.cluster.connectivity = offline.clone();
    let deleting: &dyn Fn(&mut Observation) = &|x| {
        broken(x, '1', "HealthCheckFailed");
        x.provisioning = Provisioning::Deleting;
    };
    for (before, why) in [(disconnected, "its cluster was away"), (deleting, "it was made anew")] {
        let rules = Policy { on_disconnected: OnTrouble::Fail, min_clusters: 0, ..policy() };
        let mut story = Story::new(rules, &["x", "y"]);
        story.failing = Some("direct");
        story.report("x", before);
        story.is_truncated = true;
        assert_eq!(story.poll(), None, "{why}");
        story.failing = None;
        story.sleep(20 * MINUTE);
        story.rows.insert(id("x"), fresh("x"));
        story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
        assert_eq!(story.poll(), None, "{why}, and it fails only now");
        let reported = story.rows[&id("x")].reported;
        assert!(
            matches!(story.state("x"), Some(State::Failing { since, .. }) if Some(since) == reported),
            "{why}"
        );
    }
}
