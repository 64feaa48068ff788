//! What is late, what fails to be read, and when time is over.

use std::time::Duration;

use rollout::{Compliance, Next, Policy, Time, Verdict};

use crate::world::{MINUTE, START, Story, at, broken, failed, fresh, id, kind_of, policy};

#[test]
fn late_ones_are_read_themselves() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.poll();
    story.report("x", |x| at(x, '1'));
    story.poll();
    story.done();
    story.now = START + 15 * MINUTE;
    story.poll();
    assert_eq!(story.done(), "poll", "not late yet");
    story.resource("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "the row lags");
    assert_eq!(story.done(), "poll, all, direct y");
}

#[test]
fn late_ones_are_read_once_a_minute() {
    let mut story = Story::new(policy(), &["x"]);
    story.now = START + 5 * MINUTE;
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0", "nothing can be late yet");
    story.poll();
    assert_eq!(story.done(), "poll, all", "of what is not known, the interval is not known either");
    story.now = START + 15 * MINUTE;
    let mut polls = Vec::new();
    for _ in 0..26 {
        story.poll();
        polls.push(story.done());
    }
    let visits: Vec<_> = polls.iter().enumerate().filter(|(_, poll)| poll.contains("direct x")).collect();
    assert_eq!(visits.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 5, 9, 13, 17, 21, 25]);
    let passes: Vec<_> = polls.iter().enumerate().filter(|(_, poll)| poll.contains("all")).collect();
    assert_eq!(passes.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 21], "every five minutes");
}

#[test]
fn what_takes_long_by_its_own_intervals_is_not_late() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| y.source.sync_interval = 60 * MINUTE);
    story.poll();
    story.now = START + 16 * MINUTE;
    story.done();
    story.poll();
    assert_eq!(story.done(), "poll, all", "nothing is known of y but that it is there");
    story.sleep(5 * MINUTE);
    story.poll();
    assert_eq!(story.done(), "poll");
}

#[test]
fn many_late_ones_take_turns() {
    let names: Vec<String> = (10..60).map(|number| format!("x{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut story = Story::new(Policy { poll_interval: Duration::from_secs(4), ..policy() }, &names);
    story.now = START + 16 * MINUTE;
    story.poll();
    let mut visited = Vec::new();
    for _ in 0..3 {
        let log = story.done();
        let (_, direct) = log.split_once("direct ").unwrap();
        visited.push(direct.split(' ').map(str::to_owned).collect::<Vec<_>>());
        story.poll();
    }
    assert_eq!(visited.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 10], "five a second");
    assert_eq!(visited.concat(), names, "everyone once");
    assert_eq!(story.done(), "poll", "and no more within the minute");
}

#[test]
fn time_is_over() {
    let over = |story: &mut Story| {
        story.poll();
        story.done();
        story.now = START + 60 * MINUTE;
    };
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    over(&mut story);
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert_eq!(story.done(), "poll, all, direct y", "everything that is not done is looked at once more");

    let mut story = Story::new(policy(), &["x", "y"]);
    over(&mut story);
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert_eq!(story.done(), "poll, all, direct y", "what has arrived is among everything");

    let mut story = Story::new(policy(), &["x", "y"]);
    over(&mut story);
    story.report("x", |x| at(x, '1'));
    story.resource("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "just in time");

    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| broken(x, '1', "DependencyNotReady"));
    over(&mut story);
    story.report("x", |x| broken(x, '1', "HealthCheckFailed"));
    assert_eq!(story.poll(), Some(failed(&["x"])), "in trouble for long enough");
    assert_eq!(story.done(), "poll, all, direct x");

    for (kind, log) in [
        ("poll", "poll fails"),
        ("all", "poll, all fails"),
        ("direct", "poll, all, direct fails"),
        ("ask", "poll, ask fails"),
    ] {
        let mut story = Story::new(policy(), &["x"]);
        over(&mut story);
        let synced = if kind == "ask" { '7' } else { '0' };
        story.report("x", |x| at(x, synced));
        story.failing = Some(kind);
        assert_eq!(story.poll(), None, "{kind} fails");
        assert_eq!(story.done(), log);
        assert_eq!(story.end(), Verdict::Timeout, "{kind} fails again and again");
        assert_eq!(story.done(), [log; 3].join(", "));
        assert_eq!(story.poll(), Some(Verdict::Timeout), "it stays so");
    }

    let mut story = Story::new(policy(), &["x"]);
    over(&mut story);
    story.report("x", |x| at(x, '1'));
    story.failing = Some("all");
    story.poll();
    story.failing = None;
    assert_eq!(story.poll(), Some(Verdict::Compliant), "a moment later");
    assert_eq!(story.done(), "poll, all fails, poll, all");

    let mut story = Story::new(policy(), &["x"]);
    story.failing = Some("poll");
    story.report("x", |x| at(x, '1'));
    over(&mut story);
    assert_eq!(story.end(), Verdict::Timeout, "where the branch goes was never seen");

    let mut story = Story::new(Policy { timeout: Duration::from_secs(20), ..policy() }, &["x"]);
    story.poll();
    story.poll();
    assert_eq!(story.now, START + Duration::from_secs(20), "no wait goes beyond");
    assert_eq!(story.poll(), Some(Verdict::Timeout));
}

#[test]
fn what_was_read_before_time_was_over_is_read_again() {
    let mut story = Story::new(policy(), &["x"]);
    story.now = Time(START.0 + 3_590);
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, all, direct x");
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert_eq!(story.done(), "poll, all, direct x", "right before");

    let mut story = Story::new(policy(), &["x"]);
    story.now = Time(START.0 + 3_580);
    story.poll();
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, all, direct x, poll");
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert_eq!(story.done(), "poll, all, direct x", "a round before");
}

#[test]
fn resources_may_take_their_time() {
    let names: Vec<String> = (10..99).map(|number| format!("x{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seconds = Duration::from_secs;
    let mut story = Story::new(policy(), &names);
    story.visit = seconds(20);
    story.now = START + 16 * MINUTE;
    let start = story.now;
    story.poll();
    assert!(story.now <= start + seconds(60 + 2 * 20 + 15), "polls go on: {:?}", story.now);
    assert_eq!(visited(&story.done()), "x10 x11 x12 x13");
    story.poll();
    assert_eq!(visited(&story.done()), "x14 x15 x16 x17", "those that have waited longest");

    story.now = START + 60 * MINUTE;
    assert_eq!(story.poll(), Some(Verdict::Timeout));
    assert!(story.now <= START + 60 * MINUTE + seconds(5 * 60 + 2 * 20), "and then it ends: {:?}", story.now);
    assert_eq!(visited(&story.done()).split(' ').count(), 15, "with those that had waited longest");

    // Where all has come, and rows do not show it, five minutes are enough for as many.
    let mut story = Story::new(policy(), &names);
    for name in &names {
        story.resource(name, |resource| at(resource, '1'));
    }
    story.poll();
    story.visit = seconds(1);
    story.now = START + 60 * MINUTE;
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

/// The resources that were read themselves, where a batch ends with its first one.
fn visited(log: &str) -> String {
    let batches = log.split(", ").filter_map(|step| step.strip_prefix("direct "));
    let firsts: Vec<&str> = batches.filter_map(|batch| batch.split(' ').next()).collect();
    firsts.join(" ")
}

#[test]
fn what_is_in_vain_for_a_while_waits_so_long() {
    let mut story = Story::new(policy(), &["x"]);
    story.failing = Some("poll");
    let seconds = Duration::from_secs;
    for (after, wait) in [(300, 300), (3, 15), (2 * 3600, 60 * 60 - 315)] {
        let before = story.now;
        let next = story.rollout.next(story.now);
        assert_eq!(kind_of(&next), "poll");
        story.rollout.failed(story.now);
        story.rollout.rest_until(story.now + seconds(after), story.now);
        assert_eq!(story.rollout.next(story.now), Next::Wait(seconds(wait)), "{after}");
        story.now = before + seconds(wait);
    }
    for (after, want) in [(200, Next::Wait(seconds(200))), (300, Next::End(Verdict::Timeout))] {
        let mut story = Story { rollout: story.rollout.clone(), ..Story::new(policy(), &["x"]) };
        story.now = START + 60 * MINUTE;
        assert_eq!(kind_of(&story.rollout.next(story.now)), "poll", "time is over");
        story.rollout.failed(story.now);
        story.rollout.rest_until(story.now + seconds(after), story.now);
        assert_eq!(story.rollout.next(story.now), want, "{after}");
    }
    story.failing = None;
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "time is over, and it has come meanwhile");
    story.rollout.rest_until(story.now + seconds(300), story.now);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "it is over for good");
}

#[test]
fn steps_fail() {
    for kind in ["poll", "ask", "arrived", "all", "direct"] {
        let mut story = Story::new(policy(), &["x", "y"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| at(y, if kind == "ask" { '0' } else { '1' }));
        story.rows.get_mut(&id("y")).unwrap().is_suspended = true;
        if kind == "arrived" {
            // Where all look done, nothing but a pass over all rows is read.
            story.rows.insert(id("y"), fresh("y"));
        }
        if kind == "direct" {
            story.rows.get_mut(&id("y")).unwrap().compliance = Compliance::NonCompliant;
            story.rows.get_mut(&id("y")).unwrap().is_suspended = false;
            story.poll();
            story.sleep(10 * MINUTE);
        }
        story.failing = Some(kind);
        let before = story.now;
        assert_eq!(story.poll(), None, "{kind}");
        assert!(story.done().ends_with(&format!("{kind} fails")), "{kind}");
        assert_eq!(story.now, before + Duration::from_secs(15), "{kind}");
        story.failing = None;
        if kind == "arrived" {
            story.report("y", |y| at(y, '1'));
        }
        let want = if kind == "direct" { failed(&["y"]) } else { Verdict::Compliant };
        assert_eq!(story.poll(), Some(want), "{kind}");
    }
}

#[test]
fn what_is_read_ends_with_the_time_for_it() {
    let mut story = Story::new(policy(), &["x"]);
    story.poll();
    assert_eq!(story.rollout.reads_until(), START + 60 * MINUTE, "when time is over");
    story.now = START + 61 * MINUTE;
    story.failing = Some("all");
    story.poll();
    assert_eq!(story.rollout.reads_until(), START + 66 * MINUTE, "then the time for a last look");
}
