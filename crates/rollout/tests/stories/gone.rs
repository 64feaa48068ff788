//! What goes, and what comes back.

use rollout::{Direct, NotCounted, Observation, Policy, State, Verdict, WhyWaiting};

use crate::world::{MINUTE, START, Story, at, broken, id, policy};

#[test]
fn rows_vanish() {
    let gone = |story: &mut Story| story.rows.remove(&id("y")).unwrap();
    let both_done = |policy| {
        let mut story = Story::new(policy, &["x", "y", "z"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| at(y, '1'));
        story.poll();
        story.report("z", |z| at(z, '1'));
        story.done();
        story
    };

    let mut story = both_done(policy());
    gone(&mut story);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it has been removed");
    assert_eq!(story.done(), "poll, all, direct y");
    assert_eq!(story.state("y"), None);

    let mut story = both_done(policy());
    let y = gone(&mut story);
    story.resources.insert(id("y"), Direct::Unreadable);
    assert_eq!(story.poll(), None, "nobody knows");
    assert_eq!(story.state("y"), Some(State::Waiting(WhyWaiting::Unreadable)));
    story.done();
    story.poll();
    assert_eq!(story.done(), "poll", "not read again at once");
    story.sleep(MINUTE);
    story.resources.insert(id("y"), Direct::Found(Box::new(y.clone())));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it is read again");
    assert_eq!(story.done(), "poll, direct y, all, direct y");

    let mut story = both_done(policy());
    let y = gone(&mut story);
    story.resources.insert(id("y"), Direct::Unreadable);
    story.poll();
    story.rows.insert(id("y"), y);
    story.done();
    story.sleep(5 * MINUTE);
    assert_eq!(story.poll(), None, "visits come before");
    assert_eq!(story.end(), Verdict::Compliant, "its row is back");
}

#[test]
fn rows_that_lag_do_not_bring_back_what_went_elsewhere() {
    let mut story = Story::new(Policy { min_clusters: 2, ..policy() }, &["x", "y"]);
    let elsewhere = |row: &mut Observation| row.source.reference.branch = Some("stage".to_owned());
    story.sleep(MINUTE);
    story.report("y", elsewhere);
    story.poll();
    let row = story.rows.get_mut(&id("y")).unwrap();
    row.source.reference.branch = Some("dev".to_owned());
    row.reported = Some(START);
    story.is_truncated = true;
    story.done();
    assert_eq!(story.poll(), Some(Verdict::NoClusters { seen: 1 }), "an older row");
    assert_eq!(story.done(), "poll, all");

    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("y", elsewhere);
    story.is_truncated = true;
    story.poll();
    story.rows.get_mut(&id("y")).unwrap().source.reference.branch = Some("dev".to_owned());
    story.poll();
    assert!(story.state("y").is_some(), "a row of the same time");
}

#[test]
fn what_is_gone_stays_gone_where_rows_lag() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
    story.poll();
    story.sleep(10 * MINUTE);
    story.resources.insert(id("y"), Direct::Gone);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "its row does not bring it back");
    assert_eq!(story.done(), "poll, arrived, poll, direct y, arrived since, all");

    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| broken(x, '1', "Progressing"));
    story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
    story.poll();
    story.sleep(10 * MINUTE);
    story.resources.insert(id("y"), Direct::Gone);
    assert_eq!(story.poll(), None);
    assert_eq!(story.state("y"), None);
    story.resources.clear();
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| at(y, '0'));
    story.sleep(5 * MINUTE);
    assert_eq!(story.poll(), None, "somebody made it anew");
    assert!(story.state("y").is_some());
}

#[test]
fn what_is_made_anew_counts_before_it_has_reported() {
    for (again, want, why) in [
        (None, None, "it is there, and has applied nothing"),
        (Some(Direct::Gone), Some(Verdict::Compliant), "only its row is there"),
        (Some(Direct::Unreadable), None, "nobody knows"),
    ] {
        let mut story = Story::new(policy(), &["x", "y"]);
        story.report("x", |x| broken(x, '1', "Progressing"));
        story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
        story.poll();
        story.sleep(10 * MINUTE);
        story.resources.insert(id("y"), Direct::Gone);
        story.poll();
        assert_eq!(story.state("y"), None);
        story.resources = again.into_iter().map(|direct| (id("y"), direct)).collect();
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| at(y, '0'));
        story.rows.get_mut(&id("y")).unwrap().reported = None;
        story.done();
        assert_eq!(story.poll(), want, "{why}");
        assert_eq!(story.done(), "poll, lineage 0, arrived since, all, direct y", "{why}");
    }
}

#[test]
fn rows_do_not_refute_what_a_resource_said_of_itself() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| broken(x, '1', "Progressing"));
    story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
    story.poll();
    story.sleep(10 * MINUTE);
    story.resource("y", |y| y.source.reference.tag = Some("v1".to_owned()));
    story.poll();
    let pinned = Some(State::NotCounted(NotCounted::Pinned));
    assert_eq!(story.state("y"), pinned);
    let Some(Direct::Found(own)) = story.resources.remove(&id("y")) else { panic!("it is there") };
    story.rows.get_mut(&id("y")).unwrap().reported = own.reported;
    story.sleep(5 * MINUTE);
    story.done();
    story.poll();
    assert!(story.done().contains("all"));
    assert_eq!(story.state("y"), pinned, "a row of the same report, with the source of before");
    story.report("y", |_| {});
    story.sleep(5 * MINUTE);
    story.poll();
    assert!(matches!(story.state("y"), Some(State::Failing { .. })), "a later row");
}
