//! The tutorial's story with nothing but workflow files deciding what runs: people push and merge, the clock strikes, and
//! every other step is what `templates/` and `.github/workflows/` say.

mod expression;
mod faults;
mod github;
mod story;
mod syntax;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use kalypso_sandbox::azure::TENANT;
use kalypso_sandbox::{Level, app_key};

use self::faults::Fault;
use self::github::{GITOPS, OURS, Settings};
use self::story::story;
use self::syntax::access;
use super::platform::{CONTROL_PLANE, Case};
use super::rollout_platform::{CLIENT, RolloutPlatform};

/// The token with which the control plane proposes: secret `GITOPS_TOKEN`.
const PROPOSER: &str = "ghp_canary_of_the_proposer";
/// The token with which the GitOps repository notifies: secret `CONTROL_PLANE_TOKEN`.
const NOTIFIER: &str = "ghp_canary_of_the_notifier";
/// The App with which the control plane proposes.
const PROPOSING_APP: u64 = 7;
/// The App with which the GitOps repository notifies.
const NOTIFYING_APP: &str = "8";
/// The version that is called.
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));
/// What a control plane does when it is told of a merge.
const CHECKPROMOTE: &str = "templates/control-plane/main/.github/workflows/checkpromote.yml";

/// Every file of workflows, by where it is in our repository, and the places that it goes to.
const FILES: [(&str, &[(&str, &str)]); 10] = [
    ("templates/control-plane/main/.github/workflows/promote.yml", &[(CONTROL_PLANE, "main")]),
    ("templates/control-plane/main/.github/workflows/schedule.yml", &[(CONTROL_PLANE, "main")]),
    (CHECKPROMOTE, &[(CONTROL_PLANE, "main")]),
    ("templates/control-plane/dev/.github/workflows/schedule.yml", &[(CONTROL_PLANE, "dev")]),
    ("templates/control-plane/stage/.github/workflows/schedule.yml", &[(CONTROL_PLANE, "stage")]),
    ("templates/gitops/.github/workflows/notify.yml", &[(GITOPS, "dev"), (GITOPS, "stage")]),
    (".github/workflows/promote.yml", &[(OURS, VERSION)]),
    (".github/workflows/schedule.yml", &[(OURS, VERSION)]),
    (".github/workflows/checkpromote.yml", &[(OURS, VERSION)]),
    ("action.yml", &[(OURS, VERSION)]),
];

/// What teams set up in one way or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setup {
    /// The two repositories reach each other with tokens, applications are public, branches take pushes
    Open,
    /// With GitHub Apps, applications are private, stage takes pull requests only
    Strict,
    /// As the first, without tests between a check and what it promotes
    Direct,
}

/// The files as they are, or as something was taken from one of them.
type Texts = BTreeMap<&'static str, String>;

const SETUPS: [Setup; 3] = [Setup::Open, Setup::Strict, Setup::Direct];

#[test]
fn the_story_is_what_the_workflow_files_make_of_it() {
    for setup in SETUPS {
        let github = story(setup, &texts()).unwrap_or_else(|error| panic!("{setup:?}: {error:#}"));
        assert_eq!(github.world.sandbox.violations(), Vec::<String>::new());
        let given = [PROPOSER, NOTIFIER].map(str::to_owned);
        for secret in given.iter().chain(&github.tokens) {
            assert_eq!(github.world.sandbox.leaks(secret), Vec::<String>::new());
        }
    }
}

impl Setup {
    /// The files as teams have them that are set up so.
    fn texts(self, texts: &Texts) -> Result<Texts> {
        let mut texts = texts.clone();
        if self == Setup::Direct {
            for path in ["jobs.test", "jobs.promote", "jobs.check.with.promote"] {
                texts = Fault::without(CHECKPROMOTE, path).applied(texts)?;
            }
        }
        Ok(texts)
    }

    /// What the repositories have set, as the README of the templates says it.
    fn settings(self, world: &RolloutPlatform) -> Result<BTreeMap<&'static str, Settings>> {
        let vars = [
            "AZURE_CLIENT_ID",
            "AZURE_SUBSCRIPTIONS",
            "AZURE_TENANT_ID",
            "KALYPSO_APP_ID",
            "NEXT_ENVIRONMENT",
        ];
        let secrets = ["CONTROL_PLANE_TOKEN", "GITOPS_TOKEN", "KALYPSO_APP_PRIVATE_KEY"];
        let unset = Settings {
            vars: vars.map(|name| (name, String::new())).into(),
            secrets: secrets.map(|name| (name, String::new())).into(),
        };
        let (mut control_plane, mut gitops) = (unset.clone(), unset);
        control_plane.vars.insert("AZURE_TENANT_ID", TENANT.to_owned());
        control_plane.vars.insert("AZURE_CLIENT_ID", CLIENT.to_owned());
        match self {
            Setup::Strict => {
                world.sandbox.app(PROPOSING_APP, "contoso-fleet", "contoso", &app_key::public_key()?);
                control_plane.vars.insert("KALYPSO_APP_ID", PROPOSING_APP.to_string());
                gitops.vars.insert("KALYPSO_APP_ID", NOTIFYING_APP.to_owned());
                for settings in [&mut control_plane, &mut gitops] {
                    settings.secrets.insert("KALYPSO_APP_PRIVATE_KEY", app_key::PRIVATE_KEY.to_owned());
                }
            }
            Setup::Open | Setup::Direct => {
                let proposals =
                    ["contents", "issues", "pull-requests"].map(|it| (it.to_owned(), Level::Write));
                let proposer = access(GITOPS, &proposals.into())?.named("proposer");
                world.sandbox.token(PROPOSER, proposer);
                let starts = [("actions".to_owned(), Level::Write)];
                let notifier = access(CONTROL_PLANE, &starts.into())?.named("notifier");
                world.sandbox.token(NOTIFIER, notifier);
                control_plane.secrets.insert("GITOPS_TOKEN", PROPOSER.to_owned());
                gitops.secrets.insert("CONTROL_PLANE_TOKEN", NOTIFIER.to_owned());
            }
        }
        Ok(BTreeMap::from([(CONTROL_PLANE, control_plane), (GITOPS, gitops)]))
    }
}

/// The environment's branch becomes that of a golden case, with its workflows.
fn set_branch(world: &RolloutPlatform, case: &str, texts: &Texts) -> Result<()> {
    let case = Case::new(case);
    world.set_branch_of(&case.environment(), case.control_plane());
    install(world, texts)
}

/// Puts every workflow file where it belongs.
fn install(world: &RolloutPlatform, texts: &Texts) -> Result<()> {
    for (file, places) in FILES {
        for (repository, branch) in places {
            let repository = world.sandbox.repository(repository);
            let path = place_in(file);
            let there = match repository.head(branch)? {
                Some(_) => repository.files(branch)?.get(path).cloned(),
                None => None,
            };
            let text = texts.get(file).map(String::as_str);
            if there.as_deref() != text.map(str::as_bytes) {
                repository.commit(branch, &[(path, text)], "Workflows")?;
            }
        }
    }
    Ok(())
}

fn texts() -> Texts {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    FILES.iter().map(|(file, _)| (*file, fs::read_to_string(root.join(file)).expect("a file"))).collect()
}

/// Where a file is in the repository that it goes to.
fn place_in(file: &str) -> &str {
    file.find(".github/").map_or(file, |start| &file[start..])
}
