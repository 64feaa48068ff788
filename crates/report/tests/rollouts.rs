//! What people read of a check and of a promotion, compared with what they should read.

mod html;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use report::{
    Chain, ChainLink, ChainState, CheckLinks, CheckLog, CheckSummary, Diagnosis, FleetReport, FleetStatus,
    Followed, HandOver, Held, HeldMeans, HeldTarget, Link, MissingSight, PrecedingCheck, PromoteEnding,
    PromoteNote, PromoteSummary, ScheduleStart, StatusText,
};
use rollout::{
    Channel, Cluster, CommitId, Compliance, ConfigurationId, Connectivity, Due, Failure, Glance, Grace,
    Health, Kustomization, Missing, NotCounted, ObjectStatus, Observation, OnTrouble, Policy, Provisioning,
    Ready, Reference, Refusal, Source, Standing, State, StatusState, Target, Time, Unobserved, Verdict,
    Waits, WhyIgnored, WhyWaiting,
};

const START: Time = Time(1_800_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn commit(digit: char) -> CommitId {
    CommitId::new(&digit.to_string().repeat(40)).expect("a commit")
}

/// Configuration `dev` of a cluster, which has applied commit b a minute after the start.
fn observation(cluster: &str) -> Observation {
    let kustomization = Kustomization {
        path: "./drone".into(),
        waits: Waits::ForHealth,
        sync_interval: 10 * MINUTE,
        retry_interval: None,
        timeout: 10 * MINUTE,
    };
    let id = format!(
        "/subscriptions/s/resourceGroups/edge/providers/Microsoft.Kubernetes/connectedClusters/{cluster}"
    );
    Observation {
        id: ConfigurationId::new(&format!(
            "{id}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/dev"
        )),
        name: "dev".into(),
        namespace: "flux-system".into(),
        cluster: Cluster {
            id: id.to_lowercase(),
            name: cluster.into(),
            connectivity: Connectivity::Connected,
        },
        source: Source {
            kind: "GitRepository".into(),
            url: "https://github.com/contoso/gitops".into(),
            reference: Reference { branch: Some("dev".into()), ..Reference::default() },
            sync_interval: 10 * MINUTE,
        },
        kustomizations: BTreeMap::from([("drone".to_owned(), kustomization)]),
        is_suspended: false,
        synced: Some(commit('b')),
        compliance: Compliance::Compliant,
        provisioning: Provisioning::Succeeded,
        objects: vec![object(
            Ready::True,
            "ReconciliationSucceeded",
            "Applied revision: dev@sha1:b",
            Some(commit('b')),
        )],
        message: None,
        reported: Some(START + MINUTE),
        channel: Channel::Index,
    }
}

fn object(ready: Ready, reason: &str, message: &str, applied: Option<CommitId>) -> ObjectStatus {
    ObjectStatus {
        kind: "Kustomization".into(),
        name: "dev-drone".into(),
        namespace: "flux-system".into(),
        ready: Some(ready),
        reason: reason.into(),
        message: message.into(),
        applied,
    }
}

fn standing<'a>(observation: &'a Observation, kind: &str, state: State) -> Standing<'a> {
    let cluster_types = (!kind.is_empty()).then(|| kind.to_owned()).into_iter().collect();
    Standing { observation, cluster_types, state }
}

fn done(minutes: u32) -> State {
    State::Done { health: Health::Checked, since: Some(START + minutes * MINUTE) }
}

fn failing() -> State {
    State::Failing { since: START + 2 * MINUTE, fails_at: START + 12 * MINUTE }
}

/// What the standings of a test refer to.
struct World {
    target: Target,
    policy: Policy,
    unobserved: BTreeSet<String>,
}

impl World {
    fn new() -> World {
        let kinds = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        World {
            target: Target {
                repository: "https://github.com/contoso/gitops".into(),
                branch: "dev".into(),
                root: String::new(),
                cluster_types: kinds(&["drone", "large", "small"]),
                commit: commit('b'),
                promoted: Some(commit('c')),
            },
            policy: Policy {
                timeout: 60 * MINUTE,
                poll_interval: Duration::from_secs(15),
                grace: Grace::Auto,
                min_clusters: 1,
                on_suspended: OnTrouble::Ignore,
                on_disconnected: OnTrouble::Wait,
                on_unobserved: Unobserved::Said,
            },
            unobserved: kinds(&["small"]),
        }
    }

    fn fleet<'a>(&'a self, standings: &'a [Standing<'a>]) -> FleetStatus<'a> {
        FleetStatus {
            environment: "dev",
            target: &self.target,
            policy: &self.policy,
            standings,
            unobserved: &self.unobserved,
            started: START,
            now: START + 14 * MINUTE,
        }
    }
}

fn ended<'a>(fleet: FleetStatus<'a>, verdict: &'a Verdict) -> CheckSummary<'a> {
    let link = |name: &str, next: Option<&str>, state| ChainLink {
        name: name.into(),
        next: next.map(str::to_owned),
        promoted: Some(commit('c')),
        state,
    };
    CheckSummary {
        promoted: fleet.target.promoted.as_ref(),
        fleet,
        verdict,
        due: &Due::Yes,
        held: Held::default(),
        hand_over: HandOver::Nothing,
        diagnosis: None,
        trouble: None,
        chain: Chain(vec![
            link("dev", Some("stage"), ChainState::Deploying),
            link("stage", None, ChainState::Deployed),
        ]),
        links: CheckLinks {
            control_plane: Some("https://github.com/contoso/platform".into()),
            gitops: Some("https://github.com/contoso/gitops".into()),
        },
    }
}

/// A fleet in which something is wrong in every way.
fn troubled() -> Vec<(Observation, &'static str, State)> {
    let clusters = ["drone-1", "drone-2", "drone-3", "large-1", "large-2", "large-3", "other-1"];
    let mut all: Vec<Observation> = clusters.iter().map(|cluster| observation(cluster)).collect();
    all[1].objects = vec![object(
        Ready::True,
        "ReconciliationSucceeded",
        "Applied revision: dev@sha1:a",
        Some(commit('a')),
    )];
    all[2].compliance = Compliance::NonCompliant;
    all[2].objects = vec![object(
        Ready::False,
        "BuildFailed",
        "kustomize build failed:\naccumulating resources",
        Some(commit('a')),
    )];
    all[4].cluster.connectivity =
        Connectivity::Disconnected { state: "Offline".into(), last_contact: Some(START) };
    all[4].synced = None;
    all[4].objects = vec![];
    all[5].is_suspended = true;
    all[6].source.reference.tag = Some("v1".into());
    let applied = Missing::Applied("drone".into(), Some(commit('a')));
    let states = [
        ("drone", done(1)),
        ("drone", State::Waiting(WhyWaiting::Unproven(applied))),
        ("drone", failing()),
        ("large", State::Done { health: Health::Unchecked, since: Some(START + 4 * MINUTE) }),
        ("large", State::Waiting(WhyWaiting::Disconnected)),
        ("large", State::Ignored(WhyIgnored::Suspended)),
        ("", State::NotCounted(NotCounted::Pinned)),
    ];
    all.into_iter().zip(states).map(|(observation, (kind, state))| (observation, kind, state)).collect()
}

fn standings<'a>(all: &'a [(Observation, &'static str, State)]) -> Vec<Standing<'a>> {
    all.iter().map(|(observation, kind, state)| standing(observation, kind, state.clone())).collect()
}

fn compare(got: &str, want: &str, name: &str) {
    assert_eq!(got, want, "documents/{name}, as it should be:\n{got}\n=== end of documents/{name}");
}

#[test]
fn statuses() {
    let observations: Vec<Observation> = ["drone-1", "drone-2", "large-1"].map(observation).into();
    let mut broken = observation("drone-2");
    broken.compliance = Compliance::NonCompliant;
    broken.objects = vec![object(Ready::False, "BuildFailed", &"accumulating resources ".repeat(20), None)];
    let (world, mut everything) = (World::new(), World::new());
    everything.unobserved.clear();
    let three = |states: [State; 3]| -> Vec<Standing<'_>> {
        let kinds = ["drone", "drone", "large"];
        observations
            .iter()
            .zip(kinds)
            .zip(states)
            .map(|((it, kind), state)| standing(it, kind, state))
            .collect()
    };
    let good = three([done(1), done(2), done(2)]);
    let mut mixed = three([done(1), State::Waiting(WhyWaiting::Disconnected), done(2)]);
    mixed[2].state = State::Done { health: Health::Unchecked, since: None };
    let ignored = three([done(1), State::Ignored(WhyIgnored::Suspended), done(2)]);
    let failed = vec![standing(&observations[0], "drone", done(1)), standing(&broken, "drone", failing())];
    let failure = |ids: &[&Observation], unobserved: &[&str]| {
        Verdict::Failed(Failure {
            configurations: ids.iter().map(|it| it.id.clone()).collect(),
            unobserved: unobserved.iter().map(|name| (*name).to_owned()).collect(),
        })
    };
    let one_failed = failure(&[&broken], &[]);
    let one_missing = failure(&[], &["large", "small"]);
    let none = Verdict::NoClusters { seen: 0 };
    let few = Verdict::NoClusters { seen: 2 };
    let superseded = Verdict::Superseded { head: commit('d'), by: Some(commit('e')) };
    let forced = Verdict::Superseded { head: commit('d'), by: None };
    let reverted = Verdict::Reverted { head: commit('d'), by: Some(commit('a')) };
    let held = |count, means| {
        let target = HeldTarget { cluster_type: "drone".into(), deployment_target: "app".into() };
        Held { targets: vec![target; count], means }
    };
    let check =
        |world: &World, standings: &[Standing<'_>], verdict: &Verdict, held: Held, hand_over: HandOver| {
            let summary = CheckSummary { held, hand_over, ..ended(world.fleet(standings), verdict) };
            report::rollout_status(&summary)
        };
    let (said, over) = (|| Held::default(), || HandOver::Nothing);
    let cases = [
        (
            check(&everything, &good, &Verdict::Compliant, said(), HandOver::Started("stage".into())),
            StatusState::Success,
            "Deployed to 3 configurations on 3 clusters",
        ),
        (
            check(&world, &ignored, &Verdict::Compliant, held(2, HeldMeans::Said), over()),
            StatusState::Success,
            "Deployed to 2 configurations on 2 clusters, 2 held, 1 cluster type not observed, 1 ignored",
        ),
        (
            check(&everything, &mixed[2..], &Verdict::Compliant, said(), over()),
            StatusState::Success,
            "Deployed to 1 configuration on 1 cluster, health of 1 unchecked",
        ),
        (
            check(&everything, &[], &Verdict::Compliant, said(), over()),
            StatusState::Success,
            "Deployed, no configuration follows branch dev",
        ),
        (
            check(
                &world,
                &good,
                &Verdict::Compliant,
                said(),
                HandOver::Failed { environment: "stage".into(), reason: "forbidden".into() },
            ),
            StatusState::Success,
            "Deployed to 3 configurations on 3 clusters, but promote for stage could not be started",
        ),
        (
            check(&world, &good, &Verdict::Compliant, held(1, HeldMeans::Refused), over()),
            StatusState::Failure,
            "Failed to deploy: 1 deployment target held",
        ),
        (
            check(&world, &good, &Verdict::Compliant, held(1, HeldMeans::Everything), over()),
            StatusState::Failure,
            "Failed to deploy: everything that this promotion changed is held",
        ),
        (
            check(&world, &failed, &one_failed, said(), over()),
            StatusState::Failure,
            "Failed to deploy: 1 of 2 failed, drone-2: Non-Compliant, Kustomization/dev-drone: BuildFailed: accumulating resources accumulating resource…",
        ),
        (
            check(&world, &good, &one_missing, said(), over()),
            StatusState::Failure,
            "Failed to deploy: 2 cluster types not observed: large, small",
        ),
        (
            check(&world, &mixed, &Verdict::Timeout, said(), over()),
            StatusState::Failure,
            "Failed to deploy: 1 of 3 still waiting after 60 min: drone-2",
        ),
        (
            check(&world, &good, &Verdict::Timeout, said(), over()),
            StatusState::Failure,
            "Failed to deploy: not everything could be read again within 60 min",
        ),
        (
            check(&world, &[], &none, said(), over()),
            StatusState::Failure,
            "Failed to deploy: no cluster follows branch dev",
        ),
        (
            check(&world, &good, &few, said(), over()),
            StatusState::Failure,
            "Failed to deploy: 2 clusters on branch dev, at least 1 required",
        ),
        (check(&world, &good, &superseded, said(), over()), StatusState::Error, "Superseded by eeeeeee"),
        (
            check(&world, &good, &forced, said(), over()),
            StatusState::Error,
            "Superseded by ddddddd on branch dev",
        ),
        (check(&world, &good, &reverted, said(), over()), StatusState::Error, "Reverted by aaaaaaa"),
        (StatusText::promoted(PrecedingCheck::Passed), StatusState::Pending, "Promoted"),
        (StatusText::proposed(12, PrecedingCheck::Passed), StatusState::Pending, "Promotion proposed in #12"),
        (
            StatusText::proposed(12, PrecedingCheck::Skipped),
            StatusState::Pending,
            "Promotion proposed in #12, the check of the preceding environment was skipped",
        ),
        (
            StatusText::promoted(PrecedingCheck::Skipped),
            StatusState::Pending,
            "Promoted, the check of the preceding environment was skipped",
        ),
        (StatusText::deploying(), StatusState::Pending, "Deploying"),
        (
            StatusText::deployed(
                &[("east", "Deployed to 1 configuration on 1 cluster, 2 held")],
                &["north", "west"],
            ),
            StatusState::Pending,
            "Deployed to east, waiting for north, west",
        ),
        (
            StatusText::deployed(
                &[
                    ("east", "Deployed to 2 configurations on 1 cluster"),
                    ("west", "Deployed to 1 configuration on 1 cluster, 2 held, 1 cluster type not observed"),
                ],
                &[],
            ),
            StatusState::Success,
            "Deployed to east, west (2 held, 1 cluster type not observed)",
        ),
        (StatusText::superseded(&commit('d')), StatusState::Error, "Superseded by ddddddd"),
        (StatusText::cancelled(), StatusState::Error, "Cancelled"),
        (
            StatusText::undone("no\n\u{1b}[31mrole"),
            StatusState::Error,
            "The check could not be done: no \u{fffd}[31mrole",
        ),
    ];
    for (got, state, description) in cases {
        assert_eq!(got, StatusText { state, description: description.into() });
        assert!(got.description.chars().count() <= 140, "{description}");
    }
}

#[test]
fn summaries() {
    let world = World::new();
    let all = troubled();
    let standings = standings(&all);
    let failed = Verdict::Failed(Failure {
        configurations: [all[2].0.id.clone()].into(),
        unobserved: BTreeSet::new(),
    });
    let held = Held {
        targets: vec![HeldTarget { cluster_type: "large".into(), deployment_target: "app-test".into() }],
        means: HeldMeans::Said,
    };
    let troubled = CheckSummary { held, ..ended(world.fleet(&standings), &failed) };
    compare(&report::check_summary(&troubled), include_str!("documents/check-failed.md"), "check-failed.md");
    let none = Verdict::NoClusters { seen: 0 };
    let followed = |url: &str, branch: &str, configurations| Followed {
        url: url.into(),
        branch: branch.into(),
        configurations,
    };
    let diagnosis = Diagnosis {
        way: "GitHub's identity token".into(),
        subscriptions: vec!["Edge".into()],
        clusters: 12,
        followed: vec![
            followed("https://github.com/contoso/other", "main", 23),
            followed("https://robot:secret@GitHub.com/contoso/gitops.git", "", 5),
            followed("https://github.com/contoso/gitops-old", "dev", 2),
        ],
        missing: None,
    };
    let empty = CheckSummary { diagnosis: Some(diagnosis), ..ended(world.fleet(&[]), &none) };
    compare(&report::check_summary(&empty), include_str!("documents/check-none.md"), "check-none.md");
    let good = [standing(&all[0].0, "drone", done(1))];
    let handed = CheckSummary {
        hand_over: HandOver::Started("stage".into()),
        ..ended(world.fleet(&good), &Verdict::Compliant)
    };
    compare(&report::check_summary(&handed), include_str!("documents/check-good.md"), "check-good.md");
    let fleet = report::fleet_summary(&world.fleet(&good), &Chain::default(), &CheckLinks::default());
    compare(&fleet, include_str!("documents/fleet.md"), "fleet.md");
}

#[test]
fn a_fleet_on_a_terminal() {
    let (world, all) = (World::new(), troubled());
    let standings = standings(&all);
    compare(
        &report::fleet_status(&world.fleet(&standings)),
        include_str!("documents/fleet.txt"),
        "fleet.txt",
    );
}

#[test]
fn a_fleet_in_json() {
    let (world, all) = (World::new(), troubled());
    let standings = standings(&all);
    let fleet = FleetReport::new(&world.fleet(&standings));
    let json = serde_json::to_string_pretty(&fleet).expect("JSON") + "\n";
    compare(&json, include_str!("documents/fleet.json"), "fleet.json");
    assert_eq!(serde_json::from_str::<FleetReport>(&json).expect("the same"), fleet);
    let published = include_str!("../../../docs/fleet.schema.json");
    compare(&report::fleet_schema(), published, "../../../../docs/fleet.schema.json");
}

#[test]
fn a_log_says_what_changes() {
    let (world, all) = (World::new(), troubled());
    let mut standings = standings(&all);
    let mut log = CheckLog::default();
    let first = [
        "drone 1 of 3 done, 1 failing (drone-3: Non-Compliant), 1 waiting (drone-2: not applied, kustomization drone at aaaaaaa)",
        "large 1 of 3 done, 1 waiting (large-2: cluster Offline), 1 ignored (large-3: suspended)",
        "small not observed",
    ];
    assert_eq!(log.lines(&world.fleet(&standings), None), first);
    let later = FleetStatus { now: START + 20 * MINUTE, ..world.fleet(&standings) };
    assert_eq!(log.lines(&later, None), [""; 0], "time alone is no news");
    standings[1].state = done(15);
    let second = ["drone 2 of 3 done, 1 failing (drone-3: Non-Compliant)"];
    assert_eq!(log.lines(&world.fleet(&standings), None), second);
    let small = standing(&all[0].0, "::error::x", done(1));
    standings.push(small);
    assert_eq!(log.lines(&world.fleet(&standings), None), ["\\::error::x 1 of 1 done"]);
    standings.pop();
    let gone = ["\\::error::x has no configuration any more"];
    assert_eq!(log.lines(&world.fleet(&standings), None), gone);
    let glance = |applied| Some(Glance { total: 3, applied });
    let fleet = world.fleet(&standings);
    let said =
        |applied| format!("{applied} of 3 configurations report {} as applied", fleet.target.commit.short());
    assert_eq!(log.lines(&fleet, glance(1)), [said(1)]);
    assert_eq!(log.lines(&fleet, glance(1)), [""; 0]);
    assert_eq!(log.lines(&fleet, None), [""; 0], "a poll that does not tell is no news");
    assert_eq!(log.lines(&fleet, glance(2)), [said(2)]);
    let none = Some(Glance { total: 0, applied: 0 });
    assert_eq!(log.lines(&fleet, none), ["no configuration follows branch dev"]);
    let unread = FleetStatus { standings: &[], unobserved: &BTreeSet::new(), ..fleet };
    assert_eq!(CheckLog::default().lines(&unread, None), [""; 0], "nothing has been read yet");
}

#[test]
fn next_moves() {
    let mut world = World::new();
    let all = troubled();
    let standings = standings(&all);
    let none = Verdict::NoClusters { seen: 0 };
    let seen = |subscriptions: usize, missing, url: &str, branch: &str| Diagnosis {
        way: "the Azure CLI".into(),
        subscriptions: vec!["a".into(); subscriptions],
        clusters: 1,
        followed: vec![Followed { url: url.into(), branch: branch.into(), configurations: 1 }],
        missing,
    };
    let (own, other) = ("git@github.com:Contoso/gitops", "https://github.com/contoso/other");
    let fork = "https://robot:secret@example.com/GitOps.git";
    let cases = [
        (
            seen(0, Some(MissingSight::Everything), own, "dev"),
            "the identity sees no subscription: give it the role",
        ),
        (
            seen(1, Some(MissingSight::Everything), own, "dev"),
            "the identity sees subscriptions, and no cluster",
        ),
        (
            seen(1, Some(MissingSight::Clusters), own, "dev"),
            "the identity sees configurations, and not their",
        ),
        (
            seen(1, Some(MissingSight::Configurations), own, "dev"),
            "the identity sees 1 cluster and no Flux configuration",
        ),
        (seen(1, None, own, "main"), "configurations follow other branches of the repository: main; correct"),
        (seen(1, None, own, ""), "configurations follow other branches of the repository: master; correct"),
        (
            seen(1, None, fork, "dev"),
            "configurations follow similar repositories: https://example.com/GitOps.git;",
        ),
        (seen(1, None, other, "dev"), "let clusters follow dev of https://github.com/contoso/gitops"),
    ];
    for (diagnosis, want) in cases {
        let summary = CheckSummary { diagnosis: Some(diagnosis), ..ended(world.fleet(&[]), &none) };
        let help = report::check_problems(&summary).remove(0).help.expect("a next move");
        assert!(help.starts_with(want) && help.ends_with("lower `min-clusters`"), "{want}: {help}");
    }
    let pinned = CheckSummary {
        diagnosis: Some(seen(1, None, own, "main")),
        ..ended(world.fleet(&standings[6..]), &none)
    };
    let help = report::check_problems(&pinned).remove(0).help;
    assert!(help.is_some_and(|help| help.starts_with("the configurations that are listed below are pinned")));
    let timeout = ended(world.fleet(&standings), &Verdict::Timeout);
    let help = report::check_problems(&timeout).remove(0).help;
    assert_eq!(
        help.as_deref(),
        Some(
            "read what they report below; if they are only slow, raise `timeout` and run the job again; bring the clusters back that are not connected, or set `on-disconnected: ignore`"
        )
    );
    let good = ended(world.fleet(&standings), &Verdict::Compliant);
    assert_eq!(report::check_problems(&good), []);
    let not_started = HandOver::Failed { environment: "stage".into(), reason: "forbidden".into() };
    let waits = CheckSummary { hand_over: HandOver::Waits(vec!["west".into()]), ..good.clone() };
    assert_eq!(report::check_problems(&waits), [], "another check goes on");
    let said = "what follows is started when the checks of these have succeeded, too: `west`";
    assert!(report::check_summary(&waits).contains(said));
    let not_started = CheckSummary { hand_over: not_started, ..good };
    let said = report::check_problems(&not_started);
    assert_eq!(said[0].message, "promote for stage could not be started: forbidden");
    let blind =
        CheckSummary { trouble: Some("no role"), ..ended(world.fleet(&standings), &Verdict::Timeout) };
    assert!(report::check_problems(&blind)[0].is_error());
    let status = report::rollout_status(&blind);
    let want = "Failed to deploy: clusters could not be read when time was over: no role";
    assert_eq!((status.state, &*status.description), (StatusState::Failure, want));
    assert_eq!(report::slow_fleet(&world.fleet(&standings)), None, "30 of 60 min");
    world.policy.timeout = 20 * MINUTE;
    let slow = report::slow_fleet(&world.fleet(&standings)).expect("30 of 20 min");
    assert_eq!(slow.message, "large-3 may take 30 min by its own intervals, and the check waits 20 min");
}

#[test]
fn promotions() {
    let (new, old) = (commit('c'), commit('a'));
    let reasons = [
        Refusal::NotOnBase,
        Refusal::Older(commit('d')),
        Refusal::Unproven("dev".into(), None),
        Refusal::Unproven("dev".into(), Some(StatusState::Pending)),
        Refusal::Unproven("dev".into(), Some(StatusState::Failure)),
        Refusal::Unproven("dev".into(), Some(StatusState::Error)),
    ];
    let chain = ended(World::new().fleet(&[]), &Verdict::Timeout).chain;
    let of = |ending, notes, schedule| PromoteSummary {
        environment: "stage",
        branch: "stage",
        base: "main",
        commit: &new,
        before: Some(&old),
        ending,
        notes,
        schedule,
        chain: chain.clone(),
        links: CheckLinks { control_plane: Some("https://github.com/contoso/platform".into()), gitops: None },
    };
    let committed = commit('e');
    let pull = Link { text: "#5".into(), url: "https://github.com/contoso/platform/pull/5".into() };
    let notes = vec![
        PromoteNote::Rollback,
        PromoteNote::Unchecked("dev".into()),
        PromoteNote::NoChain,
        PromoteNote::Protected,
    ];
    let cases = [
        (
            of(PromoteEnding::Committed(&committed), vec![], ScheduleStart::Started),
            ["Promoted ccccccc to stage", "schedule was started; review the pull request that it opens"]
                .as_slice(),
        ),
        (
            of(PromoteEnding::Already, vec![], ScheduleStart::Left),
            &["stage has ccccccc already", "run schedule for this environment"],
        ),
        (
            of(PromoteEnding::Proposed(pull), notes.clone(), ScheduleStart::Left),
            &[
                "A pull request to branch stage promotes ccccccc to stage",
                "pull request: https://github.com/contoso/platform/pull/5",
                "merge the pull request: schedule runs after it",
            ],
        ),
        (
            of(PromoteEnding::DryRun, vec![], ScheduleStart::Left),
            &["Dry run: ccccccc would be promoted to stage"],
        ),
        (
            of(PromoteEnding::Refused(&reasons), vec![], ScheduleStart::Left),
            &["ccccccc is not promoted to stage"],
        ),
    ];
    let mut text = String::new();
    for (summary, want) in cases {
        assert_eq!(report::promote_log(&summary), want);
        text += &report::promote_summary(&summary);
        text += "\n";
    }
    compare(&text, include_str!("documents/promotion.md"), "promotion.md");
}

#[test]
fn hostile_text_stays_text() {
    let evil = "::evil @everyone #1 ![x](https://evil.example/x) <img src=x> </details> ::add-mask::x |a| ``` \"]; click e0 \u{1b}[31m\n::add-mask::x";
    let own = || evil.to_owned();
    let mut world = World::new();
    world.target.branch = own();
    world.target.repository = own();
    world.target.cluster_types = [own()].into();
    let mut all = [observation(evil), observation(evil), observation(evil), observation(evil)];
    for one in &mut all {
        one.name = own();
        one.message = Some(own());
        one.compliance = Compliance::Other(own());
        one.provisioning = Provisioning::Other(own());
        one.source.reference.tag = Some(own());
        one.cluster.connectivity = Connectivity::Disconnected { state: own(), last_contact: None };
        let kustomization = one.kustomizations["drone"].clone();
        one.kustomizations = [(own(), kustomization)].into();
        one.objects = vec![ObjectStatus { kind: own(), ..object(Ready::False, evil, evil, None) }];
    }
    let states = [
        failing(),
        State::Waiting(WhyWaiting::Unproven(Missing::Ready(own()))),
        State::Ignored(WhyIgnored::Disconnected),
        State::NotCounted(NotCounted::Pinned),
    ];
    let standings: Vec<Standing<'_>> =
        all.iter().zip(states).map(|(one, state)| standing(one, evil, state)).collect();
    let fleet = FleetStatus { environment: evil, ..world.fleet(&standings) };
    let failed =
        Verdict::Failed(Failure { configurations: [all[0].id.clone()].into(), unobserved: [own()].into() });
    let diagnosis = |missing| Diagnosis {
        way: own(),
        subscriptions: vec![own()],
        clusters: 1,
        followed: vec![Followed { url: own(), branch: own(), configurations: 1 }],
        missing,
    };
    let link = ChainLink { name: own(), next: Some(own()), promoted: None, state: ChainState::Unmarked };
    let bad_links = || CheckLinks { control_plane: Some(own()), gitops: Some("javascript:evil".into()) };
    let not_started = HandOver::Failed { environment: own(), reason: own() };
    let none = Verdict::NoClusters { seen: 0 };
    let endings = [
        (&failed, None),
        (&none, None),
        (&Verdict::Timeout, None),
        (&Verdict::Timeout, Some(evil)),
        (&Verdict::Compliant, None),
    ];
    let (mut pages, mut lines) = (Vec::new(), Vec::new());
    for ((verdict, trouble), diagnosis) in endings.iter().flat_map(|it| {
        [(*it, None), (*it, Some(diagnosis(None))), (*it, Some(diagnosis(Some(MissingSight::Everything))))]
    }) {
        let target = HeldTarget { cluster_type: own(), deployment_target: own() };
        let summary = CheckSummary {
            fleet,
            verdict,
            promoted: None,
            trouble,
            due: &Due::Yes,
            held: Held { targets: vec![target], means: HeldMeans::Said },
            hand_over: not_started.clone(),
            diagnosis,
            chain: Chain(vec![link.clone()]),
            links: bad_links(),
        };
        pages.push(report::check_summary(&summary));
        lines.push(report::rollout_status(&summary).description);
        let problems = report::check_problems(&summary);
        lines.extend(problems.into_iter().flat_map(|it| [it.message, it.help.unwrap_or_default()]));
    }
    pages.push(report::fleet_summary(&fleet, &Chain(vec![link.clone()]), &bad_links()));
    lines.extend(CheckLog::default().lines(&fleet, None));
    let refusals = [Refusal::NotOnBase, Refusal::Unproven(own(), None)];
    let pull = Link { text: own(), url: "javascript:evil".into() };
    for ending in [PromoteEnding::Refused(&refusals), PromoteEnding::Proposed(pull)] {
        let summary = PromoteSummary {
            environment: evil,
            branch: evil,
            base: evil,
            commit: &commit('c'),
            before: None,
            ending,
            notes: vec![PromoteNote::Unchecked(own()), PromoteNote::Protected],
            schedule: ScheduleStart::Failed(own()),
            chain: Chain(vec![link.clone()]),
            links: bad_links(),
        };
        pages.push(report::promote_summary(&summary));
        lines.extend(report::promote_log(&summary));
        let problems = report::promote_problems(&summary);
        lines.extend(problems.into_iter().flat_map(|it| [it.message, it.help.unwrap_or_default()]));
    }
    for page in pages {
        assert!(page.contains("evil"), "it is shown: {page}");
        let html = html::outside_of_code(&page);
        for word in ["evil", "everyone", "<img", "add-mask", "\u{1b}"] {
            assert!(!html.contains(word), "{word} in {html}");
        }
        assert!(!page.lines().any(|line| line.trim_start().starts_with("::")), "{page}");
        assert!(!page.contains("click e0 \u{fffd}\n"), "{page}");
    }
    let terminal = report::fleet_status(&fleet);
    lines.extend(terminal.lines().map(report::log_line));
    for line in lines {
        assert!(!line.trim_start().starts_with("::add"), "{line}");
        assert!(!line.contains(['\n', '\u{1b}']), "{line}");
    }
}

#[test]
fn a_large_fleet_fits() {
    let mut world = World::new();
    world.target.cluster_types = (0..100).map(|index| format!("kind-{index}")).collect();
    let kinds: Vec<String> = world.target.cluster_types.iter().cloned().collect();
    let all: Vec<Observation> = (0..10_000)
        .map(|index| {
            let mut one = observation(&format!("cluster-{index:05}"));
            one.objects = vec![object(Ready::False, "BuildFailed", &"x ".repeat(2_000), None)];
            one
        })
        .collect();
    let states = [failing(), State::Waiting(WhyWaiting::Disconnected), done(1)];
    let standings: Vec<Standing<'_>> = all
        .iter()
        .enumerate()
        .map(|(index, one)| standing(one, &kinds[index % 100], states[index % 3].clone()))
        .collect();
    let fleet = world.fleet(&standings);
    let page = report::check_summary(&ended(fleet, &Verdict::Timeout));
    assert!((500_000..1_000_000).contains(&page.len()), "the room is used: {}", page.len());
    assert!(page.contains("<details><summary>101 cluster types</summary>"), "with small, not observed");
    assert!(page.contains("more are left out here; `kalypso status --format json` names all"));
    let text = report::fleet_status(&fleet);
    assert!(
        text.contains("\nand 6167 more that are not done; --format json lists all\nand 3333 that are done;")
    );
    let status = report::rollout_status(&ended(fleet, &Verdict::Timeout)).description;
    assert_eq!(
        status,
        "Failed to deploy: 6667 of 10000 still waiting after 60 min: cluster-00000, cluster-00003, cluster-00006, cluster-00009, cluster-00012 and 6…"
    );
    let mut log = CheckLog::default();
    let lines = log.lines(&fleet, None);
    assert_eq!(lines.last().map(String::as_str), Some("and 81 more cluster types have changed"));
    assert!(lines.iter().all(|line| line.len() < 500), "{lines:?}");
}
