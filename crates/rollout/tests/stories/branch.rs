//! Where the branch goes, and which commits count.

use std::time::Duration;

use rollout::{
    Missing, Next, ObjectStatus, Policy, Read, Relation, Rollout, State, Target, Verdict, WhyWaiting,
};

use crate::world::{MINUTE, START, Story, at, commit, policy, target};

/// The head of the branch, what it tracks, how that stands to what is promoted → the end.
#[test]
fn the_branch_goes_on() {
    let superseded = |by: Option<char>| Some(Verdict::Superseded { head: commit('2'), by: by.map(commit) });
    let reverted = |by: Option<char>| Some(Verdict::Reverted { head: commit('2'), by: by.map(commit) });
    let cases = [
        (Relation::Descendant, Some('a'), None, None, "only the configuration changed"),
        (Relation::Descendant, Some('b'), Some(Relation::Descendant), superseded(Some('b')), "newer"),
        (Relation::Descendant, Some('b'), Some(Relation::Diverged), superseded(Some('b')), "beside it"),
        (Relation::Descendant, Some('b'), Some(Relation::Missing), superseded(Some('b')), "unknown"),
        (Relation::Descendant, Some('b'), Some(Relation::Ancestor), reverted(Some('b')), "older"),
        (Relation::Descendant, Some('b'), Some(Relation::Same), None, "another name of the same"),
        (Relation::Descendant, None, None, reverted(None), "nothing is promoted any more"),
        (Relation::Same, None, None, None, "another name of the head"),
    ];
    for (relation, tracked, promoted, want, why) in cases {
        let mut story = Story::new(policy(), &["x"]);
        story.poll();
        story.head = commit('2');
        story.relations.insert(commit('2'), relation);
        story.tracked.insert(commit('2'), tracked.map(commit));
        story.relations.extend(promoted.map(|promoted| (commit('b'), promoted)));
        story.done();
        assert_eq!(story.poll(), want, "{why}");
        assert!(story.done().starts_with("poll, lineage 2"), "{why}");
        if want.is_none() {
            story.poll();
            assert_eq!(story.done(), "poll", "{why}: nothing is asked twice");
        }
    }
}

#[test]
fn a_branch_without_the_commit_is_looked_at_for_a_minute() {
    let superseded = Some(Verdict::Superseded { head: commit('2'), by: None });
    for (relation, why) in [
        (Relation::Ancestor, "taken back by force"),
        (Relation::Diverged, "written anew by force"),
        (Relation::Missing, "nothing is left of it"),
    ] {
        let astray = || {
            let mut story = Story::new(policy(), &["x"]);
            story.report("x", |x| at(x, '1'));
            story.relations.insert(commit('2'), relation);
            story.head = commit('2');
            story
        };
        let mut story = astray();
        assert_eq!(story.end(), superseded.clone().unwrap(), "{why}");
        assert_eq!(story.now, START + MINUTE, "{why}");
        assert_eq!(story.done(), "poll, lineage 2, poll, poll, poll, poll", "{why}: nothing else is read");

        let mut story = astray();
        story.sleep(MINUTE);
        assert_eq!(story.poll(), None, "{why}: one look is one look");
        story.head = commit('1');
        assert_eq!(story.poll(), Some(Verdict::Compliant), "{why}: only as it was a moment ago");

        let mut story = astray();
        story.report("x", |x| at(x, '0'));
        story.poll();
        story.head = commit('1');
        story.poll();
        story.head = commit('2');
        story.sleep(MINUTE);
        assert_eq!(story.poll(), None, "{why}: the minute begins anew");

        let mut story = astray();
        story.rollout = Rollout::new(target(), Policy { poll_interval: 10 * MINUTE, ..policy() }, story.now);
        assert_eq!(story.end(), superseded.clone().unwrap(), "{why}");
        assert_eq!(story.now, START + MINUTE, "{why}: not later than a minute");
    }
}

#[test]
fn a_branch_without_the_commit_when_time_is_over() {
    let mut story = Story::new(policy(), &["x"]);
    story.relations.insert(commit('2'), Relation::Ancestor);
    story.now = START + Duration::from_secs(60 * 60 - 20);
    let before = story.clone();
    story.head = commit('2');
    assert_eq!(story.end(), Verdict::Superseded { head: commit('2'), by: None });
    assert_eq!(story.now, START + 60 * MINUTE + Duration::from_secs(40), "after a minute");
    assert_eq!(story.done(), "poll, lineage 0, lineage 2, poll, poll, poll, poll, poll");

    let mut story = before.clone();
    story.head = commit('2');
    story.poll();
    story.poll();
    story.head = commit('1');
    assert_eq!(story.poll(), Some(Verdict::Timeout), "only as it was a moment ago");
    assert_eq!(story.done(), "poll, lineage 0, lineage 2, poll, poll, all, direct x");

    // The poll says so right before time is over, and the answer comes after.
    let mut story = before;
    let Next::Read(Read::Poll { mentioning }) = story.rollout.next(story.now) else { panic!("a poll") };
    story.rollout.polled(commit('2'), story.tally(&mentioning), story.now);
    story.sleep(MINUTE);
    assert_eq!(story.poll(), None, "one look is one look");
    story.head = commit('2');
    assert_eq!(story.end(), Verdict::Superseded { head: commit('2'), by: None });
}

#[test]
fn nothing_is_tracked() {
    let untracked = || Target { promoted: None, ..target() };
    let mut story = Story::of(untracked(), policy(), &["x"]);
    story.head = commit('2');
    story.relations.insert(commit('2'), Relation::Descendant);
    assert_eq!(story.poll(), None, "nothing there, nothing here");
    let mut story = Story::of(untracked(), policy(), &["x"]);
    story.head = commit('2');
    story.relations.insert(commit('2'), Relation::Descendant);
    story.tracked.insert(commit('2'), Some(commit('b')));
    let superseded = Verdict::Superseded { head: commit('2'), by: Some(commit('b')) };
    assert_eq!(story.poll(), Some(superseded), "the first that is promoted");
}

#[test]
fn a_later_commit_counts() {
    let mut story = Story::new(policy(), &["x", "y", "z"]);
    story.head = commit('2');
    story.relations.extend([(commit('2'), Relation::Descendant), (commit('3'), Relation::Descendant)]);
    story.tracked.insert(commit('2'), Some(commit('a')));
    story.tracked.insert(commit('3'), Some(commit('b')));
    story.poll();
    story.report("x", |x| at(x, '2'));
    story.report("y", |y| at(y, '1'));
    story.report("z", |z| at(z, '3'));
    assert_eq!(story.poll(), None, "what z has carries another promoted commit");
    assert_eq!(story.done(), "poll, lineage 0, lineage 2, tracked 2, poll, lineage 3, tracked 3, arrived");
    story.report("z", |z| {
        at(z, '2');
        z.objects[0].applied = Some(commit('1'));
    });
    assert_eq!(story.poll(), Some(Verdict::Compliant), "fetched the one, applied the other");
    let Next::End(_) = story.rollout.next(story.now) else { panic!("it is over") };
}

#[test]
fn a_poll_mentions_what_counts() {
    let mut story = Story::new(policy(), &["x"]);
    let mentioning = |story: &mut Story| match story.rollout.next(story.now) {
        Next::Read(Read::Poll { mentioning }) => mentioning,
        next => panic!("{next:?}"),
    };
    assert_eq!(mentioning(&mut story), [commit('1')]);
    story.relations.extend([(commit('2'), Relation::Descendant), (commit('3'), Relation::Descendant)]);
    story.relations.insert(commit('4'), Relation::Descendant);
    story.tracked.extend(['2', '3'].map(|digit| (commit(digit), Some(commit('a')))));
    story.tracked.insert(commit('4'), Some(commit('b')));
    story.relations.insert(commit('b'), Relation::Same);
    for head in ['3', '2', '4'] {
        story.head = commit(head);
        assert_eq!(story.poll(), None);
    }
    assert_eq!(mentioning(&mut story), [commit('1'), commit('2'), commit('3')]);
}

#[test]
fn rows_name_commits_that_the_tally_does_not() {
    let mut story = Story::new(policy(), &["x", "y"]);
    story.report("x", |x| at(x, '1'));
    story.report("y", |y| {
        at(y, '1');
        y.objects[0].applied = Some(commit('5'));
    });
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll, arrived, lineage 5", "what is applied counts, too");
    let applied = Missing::Applied("apps".to_owned(), Some(commit('5')));
    assert_eq!(story.state("y"), Some(State::Waiting(WhyWaiting::Unproven(applied))));
    story.report("y", |y| at(y, '6'));
    story.relations.insert(commit('6'), Relation::Descendant);
    story.tracked.insert(commit('6'), Some(commit('a')));
    assert_eq!(story.poll(), None, "the tally was asked about the other one");
    assert_eq!(story.done(), "poll, lineage 6, tracked 6");
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived since, all");
}

#[test]
fn answers_come_after_reports() {
    let mut story = Story::new(policy(), &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| {
            at(row, '1');
            row.objects[0].applied = Some(commit('2'));
        });
    }
    story.relations.insert(commit('2'), Relation::Descendant);
    story.tracked.insert(commit('2'), Some(commit('a')));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, arrived, lineage 2, tracked 2, all");
}

#[test]
fn a_nested_object_names_other_repositories() {
    let mut story = Story::new(policy(), &["x"]);
    story.report("x", |x| {
        at(x, '1');
        let nested =
            ObjectStatus { name: "app".to_owned(), applied: Some(commit('e')), ..x.objects[0].clone() };
        x.objects.push(nested);
    });
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all", "nothing is asked of it");
}
