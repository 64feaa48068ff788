//! The client against the sandbox's Azure: real connections, a real index, real clusters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kalypso_sandbox::azure::{Job, TENANT};
use kalypso_sandbox::{At, Fault, Repository, Sandbox, Visibility};
use rollout::{
    CommitId, Compliance, ConfigurationId, Connectivity, Direct, Observation, Provisioning, Ready,
};

use super::client::Patience;
use super::cloud::{Cloud, Overrides};
use super::credential::{SignIn, ways};
use super::transport::Connections;
use super::{Announce, Azure, Filter, Kind, Lists, Missing, Rows};
use crate::world::github::fake::FakeClock;
use crate::world::http::{Http, TIMEOUT};

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const SUBJECT: &str = "repo:contoso/control-plane:environment:dev";

struct Stage {
    sandbox: Sandbox,
    gitops: Repository,
}

impl Stage {
    fn new() -> Stage {
        let sandbox = Sandbox::start().unwrap();
        sandbox.stop_clock(1_800_000_000);
        let gitops = sandbox.create_repository("contoso/gitops", Visibility::Private).unwrap();
        sandbox.create_repository("contoso/control-plane", Visibility::Private).unwrap();
        gitops.commit("dev", &[("README.md", Some("# What runs where\n"))], "First commit").unwrap();
        sandbox.azure().application(CLIENT).trusts(SUBJECT);
        sandbox.azure().job(Job::new("contoso/control-plane", "main").in_environment("dev"));
        Stage { sandbox, gitops }
    }

    fn head(&self) -> CommitId {
        CommitId::new(&self.gitops.head("dev").unwrap().unwrap()).unwrap()
    }

    /// A client that signs in as the job.
    fn client(&self, subscriptions: &[&str]) -> Azure {
        let azure = self.sandbox.azure();
        let environment: BTreeMap<_, _> = azure.environment().into_iter().collect();
        let sign_in = SignIn {
            tenant_id: Some(TENANT.to_owned()),
            client_id: Some(CLIENT.to_owned()),
            credentials: None,
        };
        let ways = ways(&sign_in, |name| environment.get(name).cloned()).unwrap();
        let url = azure.url();
        let place = Overrides { authority: Some(&url), manager: Some(&url), audience: None };
        let place = Cloud::Public.place(place).unwrap();
        let http = Http::new(&[azure.ca_file().to_owned()], TIMEOUT).unwrap();
        let connections = Arc::new(Connections(http.for_async().unwrap()));
        let announce: Announce = Arc::new(|_| {});
        let subscriptions = subscriptions.iter().map(|id| (*id).to_owned()).collect();
        Azure::over(connections, ways, place, subscriptions, FakeClock::new(), announce).unwrap()
    }
}

fn filter() -> Filter {
    Filter::new("https://github.com/contoso/gitops")
}

fn rows(azure: &mut Azure, rows: Rows<'_>) -> Vec<Observation> {
    let mut all = Vec::new();
    azure.rows(&filter(), rows, |page| all.extend(page)).unwrap();
    all
}

#[test]
fn a_fleet_is_read_in_every_way() {
    let stage = Stage::new();
    let subscription = stage.sandbox.azure().subscription("edge");
    for name in ["a", "b"] {
        let cluster = if name == "a" { subscription.arc(name) } else { subscription.aks(name) };
        cluster.configuration("gitops-dev").follows(&stage.gitops, "dev").kustomization("drone", "./drone");
    }
    subscription.arc("a").disconnect();
    let (head, mut azure) = (stage.head(), stage.client(&[subscription.id()]));
    azure.check_subscriptions().unwrap();

    let tally = azure.tally(&filter(), std::slice::from_ref(&head)).unwrap();
    let [group] = &tally.groups[..] else { panic!("{:?}", tally.groups) };
    assert_eq!((group.count, group.mentions, tally.is_truncated), (2, true, false));
    assert_eq!((&group.synced, &group.compliance), (&Some(head.clone()), &Compliance::Compliant));
    assert_eq!(group.provisioning, Provisioning::Succeeded);
    assert!(group.latest.is_some() && !group.is_suspended);

    let all = rows(&mut azure, Rows::All);
    let commits = std::slice::from_ref(&head);
    assert_eq!(rows(&mut azure, Rows::Arrived { commits, since: None }), all);
    let since = Some(rollout::Time(1_900_000_000));
    assert_eq!(rows(&mut azure, Rows::Arrived { commits, since }), []);
    let other = CommitId::new(&"0".repeat(40)).unwrap();
    let commits = std::slice::from_ref(&other);
    assert_eq!(rows(&mut azure, Rows::Arrived { commits, since: None }), []);
    assert!(!azure.tally(&filter(), commits).unwrap().groups[0].mentions);

    // In the order of their ids.
    let [b, a] = &all[..] else { panic!("{all:?}") };
    assert!(matches!(a.cluster.connectivity, Connectivity::Disconnected { .. }), "{:?}", a.cluster);
    assert_eq!(b.cluster.connectivity, Connectivity::Connected);
    assert_eq!(b.source.reference.branch.as_deref(), Some("dev"));
    assert_eq!(b.kustomizations["drone"].path, "./drone");
    let drone = b.objects.iter().find(|object| object.name == "gitops-dev-drone").unwrap();
    assert_eq!((drone.ready, drone.applied.as_ref()), (Some(Ready::True), Some(&head)));

    let Ok(Direct::Found(direct)) = azure.configuration(&b.id, &mut Lists::default()) else { panic!() };
    assert_eq!(Observation { channel: b.channel, ..*direct }, *b);
    let gone = ConfigurationId::new(&format!("{}x", b.id.as_str()));
    assert_eq!(azure.configuration(&gone, &mut Lists::default()).unwrap(), Direct::Gone);
    // A client that has read no rows asks for the cluster, too.
    let Ok(Direct::Found(direct)) = stage.client(&[]).configuration(&a.id, &mut Lists::default()) else {
        panic!()
    };
    assert_eq!(direct.cluster, a.cluster);

    let diagnosis = azure.diagnosis().unwrap();
    assert_eq!((diagnosis.clusters, diagnosis.followed.len(), diagnosis.missing), (2, 1, None));
    assert_eq!(diagnosis.way, "GitHub's identity token");
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn a_resource_that_does_not_answer_does_not_hold_up_the_others() {
    let stage = Stage::new();
    let subscription = stage.sandbox.azure().subscription("edge");
    for name in ["a", "b"] {
        subscription.arc(name).configuration("gitops-dev").follows(&stage.gitops, "dev");
    }
    let mut azure = stage.client(&[]);
    let [b, a] = &rows(&mut azure, Rows::All)[..] else { panic!() };
    azure.manager.patience.answer = Duration::from_millis(200);
    for index in 0..azure.manager.patience.tries {
        let at = At::Matching("GET", b.id.as_str().to_owned(), index);
        stage.sandbox.fault(at, Fault::Stall(Duration::from_secs(3600)));
    }
    let error = azure.configuration(&b.id, &mut Lists::default()).unwrap_err();
    assert!(error.may_pass(), "{error}");
    assert!(error.what().ends_with("gitops-dev: no answer in time"), "{error}");
    azure.manager.patience = Patience::SHORT;
    assert!(matches!(azure.configuration(&a.id, &mut Lists::default()), Ok(Direct::Found(_))));
}

#[test]
fn tokens_that_end_are_replaced() {
    let stage = Stage::new();
    let mut azure = stage.client(&[]);
    for _ in 0..3 {
        assert_eq!(azure.tally(&filter(), &[]).unwrap().groups, []);
        stage.sandbox.advance(Duration::from_secs(2 * 3600));
    }
    stage.sandbox.azure().revoke_tokens();
    assert_eq!(azure.tally(&filter(), &[]).unwrap().groups, []);
    assert_eq!(stage.sandbox.violations(), [""; 0]);
}

#[test]
fn what_is_not_allowed_is_named() {
    let stage = Stage::new();
    let azure = stage.sandbox.azure();
    let (seen, hidden) = (azure.subscription("edge"), azure.subscription("other"));
    seen.arc("a").configuration("gitops-dev").follows(&stage.gitops, "dev");
    let application = azure.application(CLIENT).sees(&[&seen]);
    let mut client = stage.client(&[seen.id(), hidden.id()]);
    let error = client.check_subscriptions().unwrap_err();
    assert_eq!(*error.kind(), Kind::NotVisible(vec![hidden.id().to_owned()]));
    application.cannot_read("Microsoft.KubernetesConfiguration/fluxConfigurations");
    assert_eq!(client.diagnosis().unwrap().missing, Some(Missing::Configurations));

    azure.job(Job::new("contoso/control-plane", "main"));
    let error = stage.client(&[]).tally(&filter(), &[]).unwrap_err();
    let subject = "subject repo:contoso/control-plane:ref:refs/heads/main";
    assert!(error.help().contains(subject), "{error}");
}
