//! What counts: configurations, clusters and cluster types.

use std::collections::BTreeSet;
use std::time::Duration;

use rollout::{
    Direct, Failure, Kustomization, NotCounted, ObjectStatus, Observation, Policy, Provisioning, State,
    Unobserved, Verdict,
};

use crate::world::{MINUTE, Story, at, broken, commit, fresh, id, policy};

#[test]
fn too_few_clusters() {
    let mut story = Story::new(policy(), &[]);
    assert_eq!(story.poll(), None, "one look is not enough");
    assert_eq!(story.poll(), Some(Verdict::NoClusters { seen: 0 }));
    assert_eq!(story.done(), "poll, all, poll, all");

    let mut story = Story::new(Policy { min_clusters: 0, ..policy() }, &[]);
    assert_eq!(story.poll(), Some(Verdict::Compliant), "none is enough");
    assert_eq!(story.done(), "poll, all");

    let mut story = Story::new(Policy { min_clusters: 2, ..policy() }, &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| {
            at(row, '1');
            row.cluster.id = "cluster".to_owned();
        });
    }
    assert_eq!(story.poll(), None, "two configurations on one cluster");
    assert_eq!(story.done(), "poll, all");
    story.rows.insert(id("z"), Observation { reported: Some(story.now), ..fresh("z") });
    assert_eq!(story.poll(), None, "another cluster in time");
    assert_eq!(story.done(), "poll, lineage 0, all");
    story.rows.remove(&id("z"));
    story.sleep(5 * MINUTE);
    assert_eq!(story.poll(), None, "it goes away: counted anew");
    assert_eq!(story.done(), "poll, all, direct z");
    assert_eq!(story.poll(), None);
    assert_eq!(story.poll(), Some(Verdict::NoClusters { seen: 1 }));
    assert_eq!(story.done(), "poll, all, poll, all");
}

#[test]
fn clusters_join() {
    let mut story = Story::new(policy(), &["x"]);
    story.poll();
    story.report("x", |x| at(x, '1'));
    story.rows.insert(id("y"), fresh("y"));
    assert_eq!(story.poll(), None, "the tally has one more");
    story.report("y", |y| at(y, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.rollout.standings(story.now).len(), 2);
}

#[test]
fn every_cluster_type_must_be_observed() {
    for (on_unobserved, want) in [
        (Unobserved::Said, Verdict::Compliant),
        (
            Unobserved::Refused,
            Verdict::Failed(Failure {
                unobserved: BTreeSet::from(["large".to_owned()]),
                ..Failure::default()
            }),
        ),
    ] {
        let mut story = Story::new(Policy { on_unobserved, ..policy() }, &["x"]);
        assert_eq!(story.poll(), None, "not before the rest is done");
        story.report("x", |x| at(x, '1'));
        assert_eq!(story.poll(), Some(want));
        assert_eq!(story.rollout.unobserved(), BTreeSet::from(["large".to_owned()]));
    }
    let mut story = Story::new(Policy { on_unobserved: Unobserved::Refused, ..policy() }, &["x", "y"]);
    for (name, path) in [("x", "drone"), ("y", "large/deeper")] {
        story.report(name, |row| {
            at(row, '1');
            row.kustomizations.get_mut("apps").unwrap().path = path.to_owned();
        });
    }
    assert_eq!(story.poll(), Some(Verdict::Compliant));
}

/// The folders of three configurations, of which the first is suspended → whether it is ignored.
#[test]
fn some_of_a_cluster_type_must_count() {
    let cases: [(&str, &str, &str, bool, &str); 7] = [
        ("./drone", "./drone", "./large", true, "another one counts"),
        ("./drone", "./large", "./large", false, "the only one of its type"),
        ("./other", "./drone", "./large", false, "the only one without a type"),
        ("./other", "./another", "./large", true, "another one without a type counts"),
        ("./drone ./large", "./drone", "./large", true, "each of its types has another one"),
        ("./drone ./large", "./drone", "./drone", false, "one of its types has nobody else"),
        ("./drone", "./drone ./large", "./large", true, "another one of its types counts"),
    ];
    for (x, y, z, is_ignored, why) in cases {
        let mut story = Story::new(policy(), &["x", "y", "z"]);
        for (name, paths) in [("x", x), ("y", y), ("z", z)] {
            story.report(name, |row| {
                at(row, '1');
                let kustomization = row.kustomizations["apps"].clone();
                for (index, path) in paths.split(' ').enumerate() {
                    let key = if index == 0 { "apps".to_owned() } else { format!("apps{index}") };
                    let object = ObjectStatus { name: format!("{name}-{key}"), ..row.objects[0].clone() };
                    row.objects.push(object);
                    row.kustomizations
                        .insert(key, Kustomization { path: path.to_owned(), ..kustomization.clone() });
                }
            });
        }
        story.report("x", |x| {
            at(x, '0');
            x.is_suspended = true;
        });
        let want = if is_ignored { Some(Verdict::Compliant) } else { None };
        assert_eq!(story.poll(), want, "{why}");
    }
    let mut story = Story::new(policy(), &["x", "y"]);
    for name in ["x", "y"] {
        story.report(name, |row| row.is_suspended = true);
    }
    assert_eq!(story.poll(), None, "nobody is left");
    story.done();
    assert_eq!(story.poll(), None);
    assert_eq!(story.done(), "poll", "and that is known");
    story.report("x", |x| at(x, '1'));
    assert_eq!(story.poll(), Some(Verdict::Compliant), "what is done counts, whatever it is told");
}

#[test]
fn some_never_count() {
    let mut story = Story::new(policy(), &["x", "tag", "oci", "gone", "stage", "other"]);
    story.report("x", |x| at(x, '1'));
    story.report("tag", |row| row.source.reference.tag = Some("v1".to_owned()));
    story.report("oci", |row| row.source.kind = "OCIRepository".to_owned());
    story.report("gone", |row| row.provisioning = Provisioning::Deleting);
    story.report("stage", |row| row.source.reference.branch = Some("stage".to_owned()));
    story.report("other", |row| row.source.url = "https://github.com/org/other".to_owned());
    for name in ["tag", "oci", "gone", "stage", "other"] {
        story.report(name, |row| row.synced = Some(commit('9')));
    }
    assert_eq!(story.poll(), Some(Verdict::Compliant));
    assert_eq!(story.done(), "poll, all", "nothing is asked of their commits");
    let states = ["tag", "oci", "gone", "stage", "other"].map(|name| story.state(name));
    let not_counted = |why| Some(State::NotCounted(why));
    let want = [
        not_counted(NotCounted::Pinned),
        not_counted(NotCounted::OtherSource),
        not_counted(NotCounted::Deleting),
        None,
        None,
    ];
    assert_eq!(states, want);
}

#[test]
fn what_never_counts_counts_for_nothing() {
    let beside = |policy| {
        let mut story = Story::new(policy, &["x", "y"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| {
            at(y, '1');
            y.source.reference.tag = Some("v1".to_owned());
            y.kustomizations.get_mut("apps").unwrap().path = "large".to_owned();
        });
        story
    };
    let mut story = beside(Policy { min_clusters: 2, ..policy() });
    story.poll();
    assert_eq!(story.poll(), Some(Verdict::NoClusters { seen: 1 }), "its cluster");
    let mut story = beside(policy());
    assert_eq!(story.poll(), Some(Verdict::Compliant), "its state");
    assert_eq!(story.rollout.unobserved(), BTreeSet::from(["large".to_owned()]), "its cluster type");
    story.done();
    let mut story = beside(policy());
    story.report("x", |x| at(x, '0'));
    story.sleep(20 * MINUTE);
    story.poll();
    assert_eq!(story.done(), "poll, lineage 0, all, direct x", "it is not late");
}

#[test]
fn what_counted_stops_to_by_its_own_word() {
    let changes: [(fn(&mut Observation), Option<State>, &str); 3] = [
        (
            |row| row.source.reference.tag = Some("v1".to_owned()),
            Some(State::NotCounted(NotCounted::Pinned)),
            "pinned",
        ),
        (|row| row.source.reference.branch = Some("stage".to_owned()), None, "another branch"),
        (
            |row| row.provisioning = Provisioning::Deleting,
            Some(State::NotCounted(NotCounted::Deleting)),
            "going away",
        ),
    ];
    for (change, want, why) in changes {
        let mut story = Story::new(policy(), &["x", "y"]);
        story.report("x", |x| at(x, '1'));
        story.report("y", |y| broken(y, '1', "HealthCheckFailed"));
        story.poll();
        let before = story.rows[&id("y")].clone();
        story.resources.insert(id("y"), Direct::Found(Box::new(before.clone())));
        story.report("y", change);
        story.sleep(10 * MINUTE - Duration::from_secs(30));
        assert_eq!(story.poll(), None, "{why}");
        assert!(
            matches!(story.state("y"), Some(State::Failing { .. })),
            "{why}: the row alone is not enough"
        );
        story.resources.clear();
        story.sleep(MINUTE);
        story.done();
        assert_eq!(story.poll(), Some(Verdict::Compliant), "{why}");
        assert_eq!(story.state("y"), want, "{why}");
    }
}
