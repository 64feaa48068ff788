//! A check against the sandbox, while hours go by on a clock of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use kalypso_sandbox::azure::{AzureLimits, Job, Life, TENANT};
use kalypso_sandbox::{At, Fault, Kind, Repository, Request, Sandbox, Visibility, app_key};
use report::StatusText;
use rollout::{CommitId, Grace, OnTrouble, Policy, Rollout, StatusState, Target, Unobserved, Verdict};

use super::answers::{Answers, Memory};
use super::clusters::{self, Clusters};
use super::ledger::{Contexts, Ledger};
use super::subject::GitOps;
use super::watch::{Watch, now};
use crate::cli::{self, CheckArgs, Command};
use crate::commands::chain::Chain;
use crate::publish::Mode;
use crate::world::access::Access;
use crate::world::azure::Azure;
use crate::world::clock::Clock;
use crate::world::github::Repo;
use crate::world::interrupt::Interrupt;
use crate::world::runner::Runner;

const CONTROL_PLANE: &str = "contoso/control-plane";
const GITOPS: &str = "contoso/gitops";
const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

const GRAPH: &str = "/providers/Microsoft.ResourceGraph/resources";
const HEAD: &str = "*/git/matching-refs/heads/dev";
const CONFIGURATION: &str = "*/fluxconfigurations/*";
const SIGN_IN: &str = "*/oauth2/v2.0/token";
const IDENTITY: &str = "/actions/identity-token";
const APP_TOKEN: &str = "*/access_tokens";

/// The fleet's slowest configuration takes so long.
const SLOWEST: Duration = Duration::from_secs(6 * 3600);
const POLL_INTERVAL: Duration = Duration::from_secs(15);
/// A token of Azure lives so long.
const HOUR: Duration = Duration::from_secs(3600);
/// A token of a GitHub App is used so long.
const APP_TOKEN_USE: Duration = Duration::from_secs(55 * 60);
/// What is late is read itself so often.
const MINUTE: Duration = Duration::from_secs(60);
/// So long things are read when time is over.
const LAST_TIME: Duration = Duration::from_secs(5 * 60);
/// Every row is read so often, where something may be missing.
const BETWEEN_PASSES: Duration = Duration::from_secs(5 * 60);

/// A platform whose time passes only while somebody waits.
struct Stage {
    sandbox: Arc<Sandbox>,
    clock: Arc<SandboxClock>,
    control_plane: Repository,
    gitops: Repository,
}

/// The sandbox's clock, which goes on by every wait, and by nothing else.
struct SandboxClock {
    sandbox: Arc<Sandbox>,
    passed: Mutex<Passed>,
}

struct Passed {
    now: SystemTime,
    waits: Vec<Duration>,
}

impl Clock for SandboxClock {
    fn now(&self) -> SystemTime {
        self.passed.lock().unwrap().now
    }

    fn sleep(&self, time: Duration, _: &str) {
        self.sandbox.advance(time);
        let mut passed = self.passed.lock().unwrap();
        passed.now += time;
        passed.waits.push(time);
    }
}

impl fmt::Debug for SandboxClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SandboxClock")
    }
}

impl Stage {
    /// Clusters that follow `dev`, two of which are quick; an application and an App that can be signed in as.
    fn new() -> Stage {
        let sandbox = Arc::new(Sandbox::start().unwrap());
        let start = 1_800_000_000;
        sandbox.stop_clock(start);
        let passed = Passed {
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(start.unsigned_abs()),
            waits: Vec::new(),
        };
        let clock = Arc::new(SandboxClock { sandbox: sandbox.clone(), passed: Mutex::new(passed) });
        let repository = |name| sandbox.create_repository(name, Visibility::Private).unwrap();
        let (control_plane, gitops) = (repository(CONTROL_PLANE), repository(GITOPS));
        gitops.commit("dev", &[("README.md", Some("What runs where.\n"))], "First commit").unwrap();
        sandbox.app(7, "contoso-fleet", "contoso", &app_key::public_key().unwrap());
        let azure = sandbox.azure();
        azure.job(Job::new(CONTROL_PLANE, "main"));
        azure.application(CLIENT).trusts(&azure.subject().unwrap());
        for (name, life) in [
            ("quick", Life::default()),
            ("late", Life::default().applies_after(HOUR).indexed_after(20 * MINUTE)),
            ("slowest", Life::default().applies_after(SLOWEST)),
        ] {
            let configuration = azure.subscription("edge").arc(name).configuration("gitops-dev");
            configuration.follows(&gitops, "dev").kustomization("drone", "./drone").live(life);
        }
        Stage { sandbox, clock, control_plane, gitops }
    }

    /// Somebody merges what was promoted: the promoted commit, and the one of the GitOps branch.
    fn merge(&self) -> (CommitId, CommitId) {
        let commit = |repository: &Repository, branch: &str, path: &str, text: &str| {
            CommitId::new(&repository.commit(branch, &[(path, Some(text))], "A change").unwrap()).unwrap()
        };
        let promoted = commit(&self.control_plane, "main", "README.md", "The platform.\n");
        let tracked = format!("{promoted}\n");
        let merged = commit(&self.gitops, "dev", ".github/tracking/Promoted_Commit_Id", &tracked);
        (promoted, merged)
    }

    /// Has both services be busy now and then: everything that is asked for often and for rarely, in every way.
    ///
    /// So many requests have to be made again.
    fn be_busy(&self) -> usize {
        let throttled = || Fault::azure_error(429, "RateLimiting", "Please slow down.").after(7);
        let busy = || Fault::azure_error(503, "ServerBusy", "The server is busy.");
        let slow_down = || Fault::retry_after(403, "You have exceeded a secondary rate limit.", 60);
        let bad_gateway = || Fault::error(502, "Server Error");
        let mut faults = Vec::new();
        let mut add =
            |method, path: &str, at, fault| faults.push((At::Matching(method, path.to_owned(), at), fault));
        for round in (0..1300).step_by(100) {
            for (after, fault) in [
                (10, throttled()),
                (30, busy()),
                (50, Fault::HalfBody),
                (70, Fault::Refuse),
                (71, Fault::Refuse),
            ] {
                add("POST", GRAPH, round + after, fault);
            }
            for (after, fault) in
                [(20, slow_down()), (40, bad_gateway()), (60, Fault::HalfBody), (80, Fault::Refuse)]
            {
                add("GET", HEAD, round + after, fault);
            }
        }
        // Longer than one call is tried.
        for at in 500..512 {
            add("POST", GRAPH, at, busy());
        }
        for at in [3, 100, 200] {
            add("GET", CONFIGURATION, at, throttled());
            add("GET", CONFIGURATION, at + 50, busy());
        }
        for at in [1, 3] {
            add("POST", SIGN_IN, at, busy());
            add("GET", IDENTITY, at, Fault::Refuse);
            add("POST", APP_TOKEN, at, bad_gateway());
        }
        let count = faults.len();
        faults.into_iter().for_each(|(at, fault)| self.sandbox.fault(at, fault));
        count
    }

    fn arguments(&self) -> CheckArgs {
        let azure = self.sandbox.azure();
        let given = [
            "checkpromote".to_owned(),
            "--app-id=7".to_owned(),
            format!("--app-private-key={}", app_key::PRIVATE_KEY),
            format!("--ca-bundle={}", azure.ca_file().display()),
            format!("--azure-tenant-id={TENANT}"),
            format!("--azure-client-id={CLIENT}"),
            format!("--azure-resource-manager-url={}", azure.url()),
        ];
        match cli::parse(given.map(Into::into).to_vec()).unwrap() {
            Command::Checkpromote(arguments) => arguments,
            other => panic!("{other:?}"),
        }
    }

    /// The variables of the job.
    fn environment(&self) -> BTreeMap<&'static str, String> {
        let mut environment: BTreeMap<_, _> = self.sandbox.azure().environment().into_iter().collect();
        environment.extend([
            ("GITHUB_SERVER_URL", self.sandbox.url()),
            ("GITHUB_API_URL", self.sandbox.api_url()),
            ("GITHUB_GRAPHQL_URL", self.sandbox.graphql_url()),
        ]);
        environment
    }

    /// Checks a commit from the first status to the last; tells how often it waited for clusters.
    fn check(&self, promoted: &CommitId, merged: &CommitId, policy: &Policy) -> (Verdict, usize) {
        let (arguments, environment) = (self.arguments(), self.environment());
        let variable = |name: &str| environment.get(name).cloned();
        let runner = Runner::new(variable).unwrap();
        let repo = |name| Repo::new(name).unwrap();
        let control_plane = repo(CONTROL_PLANE);
        let access =
            Access::new(&arguments.access, &runner, Some(&control_plane), self.clock.clone()).unwrap();
        let repository = access.github.repository(&control_plane).unwrap();
        let chain =
            Chain { repo: control_plane, repository, access: Arc::new(access), environments: Vec::new() };
        let interrupt = Interrupt::default();
        let contexts = Contexts::of_environment("dev");
        let ledger = Ledger::new(&chain, promoted, contexts, &runner, &interrupt, Mode::Write);
        ledger.begin(&StatusText::deploying()).unwrap();

        let gitops = GitOps {
            name: "dev".to_owned(),
            repo: repo(GITOPS),
            url: self.gitops.url(),
            branch: "dev".to_owned(),
            root: fleet::RepoPath::default(),
        };
        let settings = clusters::settings(&arguments.azure);
        let access = &chain.access;
        let azure =
            Azure::new(settings, variable, &access.http, access.clock.clone(), runner.announcer()).unwrap();
        let mut watch = Watch {
            clusters: Clusters::seen_by(azure, &gitops),
            answers: Answers {
                github: &access.github,
                gitops: &gitops,
                control_plane: &chain.repo,
                commit: merged,
                promoted: Some(promoted),
                memory: Memory::default(),
            },
            clock: &*self.clock,
            trouble: None,
        };
        let target = Target {
            repository: gitops.url.clone(),
            branch: gitops.branch.clone(),
            root: String::new(),
            cluster_types: BTreeSet::from(["drone".to_owned()]),
            commit: merged.clone(),
            promoted: Some(promoted.clone()),
        };
        let mut rollout = Rollout::new(target, policy.clone(), now(&*self.clock));
        let mut waits = 0;
        let verdict = watch.until_verdict(&mut rollout, |_, _| waits += 1).unwrap();
        let deployed = StatusText { state: StatusState::Success, description: "Deployed".to_owned() };
        ledger.end(&deployed, || Ok(())).unwrap();
        (verdict, waits)
    }
}

const POLICY: Policy = Policy {
    timeout: Duration::from_secs(8 * 3600),
    poll_interval: POLL_INTERVAL,
    grace: Grace::Auto,
    min_clusters: 3,
    on_suspended: OnTrouble::Ignore,
    on_disconnected: OnTrouble::Wait,
    on_unobserved: Unobserved::Refused,
};

#[test]
fn a_check_of_six_hours_outlives_every_token() {
    let stage = Stage::new();
    let (promoted, merged) = stage.merge();
    let busy = stage.be_busy();
    let (verdict, waits) = stage.check(&promoted, &merged, &POLICY);
    assert_eq!(verdict, Verdict::Compliant);

    let slept = stage.clock.passed.lock().unwrap().waits.clone();
    let passed: Duration = slept.iter().sum();
    assert!((SLOWEST..SLOWEST + 10 * MINUTE).contains(&passed), "as soon as it is done: {passed:?}");
    assert!(slept.iter().all(|wait| !wait.is_zero()), "a wait that is none");
    let times = |interval: Duration| usize::try_from(passed.as_secs().div_ceil(interval.as_secs())).unwrap();
    let polls = 1 + waits;
    assert!(polls <= 1 + times(POLL_INTERVAL), "{polls} polls");

    let requests = stage.sandbox.requests();
    let count = |is: &dyn Fn(&Request) -> bool| requests.iter().filter(|request| is(request)).count();
    let is_good = |request: &Request| request.status.is_some_and(|status| status < 300);
    let good = |of: &str| count(&|request| is_good(request) && request.path.ends_with(of));
    let of = |kind| count(&|request| request.kind == kind);
    let refused = |kinds: &[Kind]| count(&|it| kinds.contains(&it.kind) && it.status == Some(401));
    assert!(good("/matching-refs/heads/dev") <= polls, "one look at the branch for each");
    assert!(good(GRAPH) <= polls + times(BETWEEN_PASSES), "a tally for each, and passes");
    let read_directly = count(&|request| is_good(request) && request.kind == Kind::ResourceManager);
    assert!(read_directly <= 2 * times(MINUTE), "two are late, for longer or shorter: {read_directly}");

    assert_eq!(good("/access_tokens"), times(APP_TOKEN_USE), "each App token is used for 55 minutes");
    assert_eq!(refused(&[Kind::Rest, Kind::GraphQl]), 0, "GitHub sees none that is over");
    // The library that keeps Azure's tokens has the machine's clock, on which they do not get old.
    let (ended, hours) = (refused(&[Kind::ResourceGraph, Kind::ResourceManager]), times(HOUR));
    assert!((hours - 2..hours).contains(&ended), "{ended} tokens of Azure ended");
    assert_eq!(good("/oauth2/v2.0/token"), 1 + ended, "each was replaced");
    assert_eq!(good(IDENTITY), of(Kind::Entra), "by means of a new identity token each time");
    let failed = requests.len() - count(&is_good);
    assert!((busy / 2..=busy + ended).contains(&failed), "{failed} requests failed");

    let statuses = stage.control_plane.statuses_of(promoted.as_str()).unwrap();
    let statuses: Vec<&str> = statuses.iter().map(|status| &*status.description).collect();
    assert_eq!(statuses, ["Deployed", "Deploying"]);
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn when_time_is_over_rows_are_not_read_for_ever() {
    let stage = Stage::new();
    let (promoted, merged) = stage.merge();
    // One row on each page.
    stage.sandbox.azure().set_limits(AzureLimits { answer_bytes: 4_000, ..AzureLimits::default() });
    let deadline = stage.clock.now() + HOUR / 2;
    let slow = 200 * Duration::from_secs(1);
    for index in 0..1_000 {
        let clock = stage.clock.clone();
        stage.sandbox.before(At::Matching("POST", GRAPH.to_owned(), index), move || {
            if clock.now() >= deadline {
                clock.sleep(slow, "");
            }
            Ok(())
        });
    }
    let policy = Policy { timeout: HOUR / 2, ..POLICY };
    let (verdict, _) = stage.check(&promoted, &merged, &policy);
    assert_eq!(verdict, Verdict::Timeout);
    let late = stage.clock.now().duration_since(deadline).unwrap();
    assert!(late <= LAST_TIME + slow, "{late:?}");
}
