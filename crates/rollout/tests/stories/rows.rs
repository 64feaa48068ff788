//! Rows and tallies that lag, are cut off or miss something.

use std::time::Duration;

use rollout::{
    Compliance, Connectivity, Direct, Next, Observation, OnTrouble, Policy, Provisioning, Read, Verdict,
};

use crate::world::{MINUTE, START, Story, at, broken, commit, id, policy};

#[test]
fn what_a_pass_over_all_rows_has_shown_is_not_read_again() {
    let mut story = Story::new(policy(), &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| at(row, '1'));
    }
    let y = story.rows.get_mut(&id("y")).unwrap();
    let unheard_of = y.kustomizations["apps"].clone();
    y.kustomizations.insert("infra".to_owned(), unheard_of);
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, all", "all look done");
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "there is nothing new");
    story.report("y", |y| drop(y.kustomizations.remove("infra")));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived since, all");
}

#[test]
fn rows_are_older_than_what_is_known() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    story.poll();
    story.sleep(10 * MINUTE);
    story.resource("x", |x| at(x, '1'));
    story.done();
    assert_eq!(story.poll(), Some(Verdict::Compliant), "the resource says so, whatever the row does");
    assert_eq!(story.done(), "poll, direct x, arrived since, all, direct x");

    let mut story = Story::new(policy(), &["x", "y"]);
    story.sleep(10 * MINUTE);
    for name in ["x", "y"] {
        story.report(name, |row| at(row, '1'));
    }
    story.rows.get_mut(&id("y")).unwrap().compliance = Compliance::Pending;
    story.poll();
    story.report("y", |y| y.compliance = Compliance::Compliant);
    story.rows.get_mut(&id("x")).unwrap().reported = Some(START);
    assert_eq!(story.poll(), None, "an older report proves nothing, in the row or in the resource");
    assert_eq!(story.done(), "poll, arrived, poll, arrived since, all, direct x");
    story.rows.get_mut(&id("x")).unwrap().reported = None;
    assert_eq!(story.poll(), None, "nor one without a time");
    story.report("x", |_| {});
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

#[test]
fn half_a_pass_counts_for_nothing() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
    story.poll();
    story.report("y", |y| at(y, '1'));
    story.failing = Some("all");
    story.poll();
    story.failing = None;
    let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
    story.rollout.polled(commit('1'), story.tally(&mentioning), story.now);
    assert_eq!(story.rollout.next(story.now), Next::Read(Read::All));
    story.rollout.observed(vec![story.rows[&id("x")].clone()], story.now);
    story.rollout.failed(story.now);
    story.done();
    story.rows.remove(&id("y"));
    story.now = story.now + Duration::from_secs(15);
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all, direct y", "the whole pass shows that one is missing");
}

#[test]
fn a_truncated_tally_says_nothing() {
    let mut story = Story::new(policy(), &["x"]);
    story.is_truncated = true;
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, all");
    story.poll();
    assert_eq!(story.done(), "poll, all");
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all");
}

#[test]
fn rows_lag_behind_the_tally() {
    let mut story = Story::new(policy(), &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| at(row, '1'));
    }
    let hidden = story.rows.remove(&id("y")).unwrap();
    let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
    let mut tally = story.tally(&mentioning);
    tally.groups[0].count = 2;
    story.rollout.polled(commit('1'), tally.clone(), story.now);
    assert_eq!(story.poll(), None, "fewer rows than the tally counts are never enough");
    assert_eq!(story.done(), "all");
    story.rollout.next(story.now);
    story.rollout.polled(commit('1'), tally, story.now);
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "all", "what nothing explains is not looked for again and again");
    story.rows.insert(id("y"), hidden);
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all");
}

/// While y leaves, z joins; rows that are older than the tally are as many, and show y as it was.
#[test]
fn rows_that_are_older_than_the_tally_are_never_enough() {
    type Is = fn(&mut Observation);
    let later = |z: &mut Observation| z.reported = Some(START + Duration::from_secs(1));
    let cases: [(Is, &str); 5] = [
        (|z| at(z, '0'), "another commit is fetched"),
        (|z| z.objects[0].applied = Some(commit('0')), "it is fetched, and another one applied"),
        (|z| z.synced = None, "nothing is fetched yet"),
        (|z| z.compliance = Compliance::Pending, "it is at work"),
        (later, "it was reported later than any row"),
    ];
    for (is, why) in cases {
        let mut story = Story::new(policy(), &["x", "y"]);
        for name in ["x", "y"] {
            story.report(name, |row| at(row, '1'));
        }
        let rows = story.rows.clone();
        let mut z = story.rows.remove(&id("y")).unwrap();
        (z.id, z.name) = (id("z"), "z".to_owned());
        is(&mut z);
        story.rows.insert(id("z"), z);
        let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
        story.rollout.polled(commit('1'), story.tally(&mentioning), story.now);
        let shown = std::mem::replace(&mut story.rows, rows);
        story.poll();
        story.rollout.next(story.now);
        story.rollout.polled(commit('1'), story.tally_of(&shown, &mentioning), story.now);
        assert_eq!(story.poll(), None, "{why}");
        story.rows = shown;
        story.report("z", |z| at(z, '1'));
        assert_eq!(story.poll(), Some(Verdict::Compliant), "{why}");
        assert!(story.state("z").is_some() && story.state("y").is_none(), "{why}");
    }
}

/// Rows show y, which says itself that it is gone.
#[test]
fn what_is_gone_stands_only_for_itself_in_a_tally() {
    let ends = |change: fn(&mut Observation)| {
        let mut story = Story::new(policy(), &["x", "y"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
        story.resources.insert(id("y"), Direct::Gone);
        let mut counted = story.rows.clone();
        change(counted.get_mut(&id("y")).unwrap());
        story.sleep(20 * MINUTE);
        let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
        story.rollout.polled(commit('1'), story.tally_of(&counted, &mentioning), story.now);
        story.poll()
    };
    assert_eq!(ends(|_| {}), Some(Verdict::Compliant), "it is counted as it was");
    assert_eq!(ends(|y| y.synced = None), None, "another one is counted");
    assert_eq!(ends(|y| y.compliance = Compliance::Pending), None, "another one is counted");
    assert_eq!(ends(|y| y.provisioning = Provisioning::Creating), None, "another one is counted");
}

#[test]
fn rows_that_are_older_than_the_last_tally_are_read_again() {
    let ends = |lags: usize| {
        let mut story = Story::new(policy(), &["x", "y"]);
        story.sleep(60 * MINUTE);
        for name in ["x", "y"] {
            story.report(name, |row| at(row, '1'));
        }
        let rows = story.rows.clone();
        for row in story.rows.values_mut() {
            row.reported = Some(story.now + Duration::from_secs(1));
        }
        let shown = std::mem::replace(&mut story.rows, rows);
        for _ in 0..lags {
            let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else {
                panic!("a poll")
            };
            story.rollout.polled(commit('1'), story.tally_of(&shown, &mentioning), story.now);
            if let Some(verdict) = story.poll() {
                return (verdict, story.done());
            }
        }
        story.rows = shown;
        (story.end(), story.done())
    };
    assert_eq!(ends(1), (Verdict::Compliant, "all, poll, all".to_owned()));
    assert_eq!(ends(3), (Verdict::Compliant, "all, all, all, poll, all".to_owned()));
    assert_eq!(ends(4), (Verdict::Timeout, "all, all, all, all".to_owned()), "but not for ever");
}

/// The tally counts two: x, and one that no row shows yet.
#[test]
fn what_rows_do_not_show_does_not_stand_in_for_what_they_should() {
    type Is = fn(&Observation) -> Direct;
    let cases: [(Is, &str); 2] =
        [(|_| Direct::Gone, "it is gone"), (|y| Direct::Found(Box::new(y.clone())), "it is there")];
    for (is, why) in cases {
        let mut story = Story::new(policy(), &["x", "y", "z"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| at(y, '1'));
        story.poll();
        story.rows.remove(&id("z"));
        story.resources.insert(id("z"), Direct::Gone);
        let y = story.rows.remove(&id("y")).unwrap();
        story.resources.insert(id("y"), is(&y));
        let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
        let mut tally = story.tally(&mentioning);
        tally.groups[0].count = 2;
        story.rollout.polled(commit('1'), tally, story.now);
        story.sleep(5 * MINUTE);
        story.done();
        assert_eq!(story.poll(), None, "{why}: nobody has seen the other one");
        assert_eq!(story.done(), "all, direct y", "{why}");
        assert_eq!(story.poll(), Some(Verdict::Compliant), "{why}, and the other one is not there any more");
    }
}

#[test]
fn what_only_looks_finished_is_looked_for_in_passes() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| {
        at(x, '1');
        let unheard_of = x.kustomizations["apps"].clone();
        x.kustomizations.insert("infra".to_owned(), unheard_of);
    });
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, arrived");
    // Its next report comes in later than a later one of another does.
    let watermark = story.now;
    story.sleep(MINUTE);
    story.report("y", |y| at(y, '1'));
    story.poll();
    assert_eq!(story.done(), "poll, arrived since");
    story.report("x", |x| drop(x.kustomizations.remove("infra")));
    story.rows.get_mut(&id("x")).unwrap().reported = Some(watermark);
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "nothing there tells of it");
    story.now = START + 5 * MINUTE;
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all");
}

#[test]
fn the_tally_lags_behind_what_is_known() {
    let late = |story: &mut Story| {
        story.report("x", |x| at(x, '1'));
        story.sleep(16 * MINUTE);
        story.poll();
        assert_eq!(story.done(), "poll, lineage 0, arrived, all, direct y");
        story.sleep(MINUTE);
    };
    let mut story = Story::new(policy(), &["x", "y"]);
    late(&mut story);
    story.resource("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "done by its own word");
    assert_eq!(story.done(), "poll, direct y, all, direct y");

    let mut story = Story::new(policy(), &["x", "y"]);
    late(&mut story);
    story.resources.insert(id("y"), Direct::Gone);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "gone by its own word");
    assert_eq!(story.done(), "poll, direct y, all");
}

#[test]
fn what_is_ignored_need_only_be_there() {
    let mut story = Story::new(Policy { on_disconnected: OnTrouble::Ignore, ..policy() }, &["x", "y"]);
    story.sleep(MINUTE);
    story.report("y", |y| {
        y.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    story.poll();
    story.rows.get_mut(&id("y")).unwrap().reported = Some(START);
    story.report("x", |x| at(x, '1'));
    story.done();
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived, all", "an older row is enough");

    let mut story = Story::new(Policy { on_disconnected: OnTrouble::Ignore, ..policy() }, &["x", "y"]);
    story.report("y", |y| {
        y.cluster.connectivity =
            Connectivity::Disconnected { state: "Offline".to_owned(), last_contact: None };
    });
    story.poll();
    let y = story.rows.remove(&id("y")).unwrap();
    story.resources.insert(id("y"), Direct::Found(Box::new(y)));
    story.report("x", |x| at(x, '1'));
    story.done();
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived, all, direct y", "without a row, its own word");
}
