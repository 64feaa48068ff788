//! The story, and what of it is to be seen.

use anyhow::{Context, Result, bail, ensure};
use kalypso_sandbox::{Merge, Protection, Visibility};

use super::super::rollout_platform::RolloutPlatform;
use super::github::{GitHub, OURS, Run};
use super::{Setup, Texts, install, set_branch};

const PROMOTED: &str = "pending: Promoted";
const DEPLOYING: &str = "pending: Deploying";
const APPLICATION: &str = "contoso/app-src";

/// The story as far as it has been told.
struct Story<'a> {
    setup: Setup,
    texts: &'a Texts,
    github: GitHub,
    /// The commit of the control plane that is promoted, and the status of stage that tells so
    promoted: String,
    proposed: String,
    /// The merge on dev
    merged: String,
}

/// Onboarding, scheduling, merging, checking, testing, promoting, on two environments; then an application changes, and
/// the clock strikes.
pub(super) fn story(setup: Setup, texts: &Texts) -> Result<GitHub> {
    let texts = &setup.texts(texts)?;
    let world = RolloutPlatform::s1();
    let settings = setup.settings(&world)?;
    world.sandbox.create_repository(OURS, Visibility::Public)?;
    install(&world, texts)?;
    let mut story = Story {
        setup,
        texts,
        github: GitHub::new(world, settings)?,
        promoted: String::new(),
        proposed: PROMOTED.to_owned(),
        merged: String::new(),
    };
    story.topics()?;
    story.onboarding()?;
    story.dev()?;
    story.stage()?;
    story.clock()?;
    if setup == Setup::Open {
        story.revert()?;
        story.starts_by_hand()?;
    }
    Ok(story.github)
}

impl Story<'_> {
    /// People try something out on branches that are no environment's.
    fn topics(&mut self) -> Result<()> {
        let control_plane = &self.github.world.control_plane;
        for branch in ["main", "dev", "stage"] {
            let head = control_plane.head(branch)?.context("a branch")?;
            control_plane.branch(&format!("topic-of-{branch}"), &head)?;
        }
        self.runs("where people try something out", &[])
    }

    /// Somebody onboards an application.
    fn onboarding(&mut self) -> Result<()> {
        let world = &self.github.world;
        // Applications in private repositories need the App.
        let visibility = match self.setup {
            Setup::Strict => Visibility::Private,
            Setup::Open | Setup::Direct => Visibility::Public,
        };
        world.push("s1-1-onboard-application");
        for repository in ["contoso/svc-src", APPLICATION] {
            world.sandbox.repository(repository).set_visibility(visibility)?;
        }
        install(world, self.texts)?;
        self.promoted = world.main();
        self.runs("after a push to main", &[promotes_first(), schedules("dev")])?;
        self.is_on("dev", &self.promoted)?;
        self.statuses("dev", &[PROMOTED])?;
        let pull = self.github.world.open_pull("dev");
        ensure!(pull.is_some_and(|pull| pull.labels == ["promoted"]), "it is not proposed");
        Ok(())
    }

    /// The platform team schedules it on dev, from where it goes on to stage.
    fn dev(&mut self) -> Result<()> {
        set_branch(&self.github.world, "s1-2-schedule-on-dev", self.texts)?;
        self.runs("after a push to dev", &[schedules_pushed("dev")])?;
        let world = &self.github.world;
        proposes(world, "dev", "s1-2-schedule-on-dev")?;
        world.cluster("dev", "drone");
        world.cluster("dev", "large");
        if self.setup == Setup::Strict {
            world.control_plane.protect_branch("stage", Protection::PullRequests)?;
        }
        let (before, merged) = (world.gitops_head("dev"), world.merge("dev"));
        let c1 = &self.promoted;
        let notifies = self.notifies("dev");
        let checks = checks("dev", &before, &merged).concat();
        let tests = format!("says {c1} runs in dev. Here it can be tested before it goes on.");
        let checks_and_promotes = format!("{checks}; {tests}; as kalypso-promote-stage; in stage");
        let [dev, stage] = ["dev", "stage"].map(schedules);
        let want = match self.setup {
            Setup::Open => vec![notifies, checks_and_promotes, dev, stage],
            // What is not there yet is not scheduled.
            Setup::Strict => vec![notifies, checks_and_promotes, dev],
            Setup::Direct => {
                vec![notifies, checks, dev, promotes(&format!("commit-id={c1} environment=stage")), stage]
            }
        };
        self.merged = merged;
        self.runs("after the merge", &want)?;
        let deployed = "success: Deployed to 2 configurations on 2 clusters, 2 cluster types not observed";
        self.statuses("dev", &[PROMOTED, DEPLOYING, deployed])?;
        if self.setup == Setup::Strict {
            let control_plane = &self.github.world.control_plane;
            let pull = control_plane.pulls()?.pop().context("nothing is proposed to stage")?;
            control_plane.merge_pull(pull.number, Merge::Squash)?;
            self.proposed = format!("pending: Promotion proposed in #{}", pull.number);
            self.runs("after the promotion's merge", &[schedules_pushed("stage")])?;
        }
        self.is_on("stage", &self.promoted)?;
        self.statuses("stage", &[&self.proposed])
    }

    /// It is scheduled on stage, where it stays.
    fn stage(&mut self) -> Result<()> {
        set_branch(&self.github.world, "s1-4-stage", self.texts)?;
        self.runs("after a push to stage", &[schedules_pushed("stage")])?;
        let world = &self.github.world;
        proposes(world, "stage", "s1-4-stage")?;
        world.named_cluster("drone-1", "stage", "drone");
        world.named_cluster("large-2", "stage", "large");
        let (before, merged) = (world.gitops_head("stage"), world.merge("stage"));
        self.runs("after the last merge", &self.follows("stage", &before, &merged))?;
        let deployed = "success: Deployed to 2 configurations on 2 clusters";
        self.statuses("stage", &[&self.proposed, DEPLOYING, deployed])
    }

    /// The application changes, of which only the clock tells.
    fn clock(&mut self) -> Result<()> {
        let repository = self.github.world.sandbox.repository(APPLICATION);
        let workload = String::from_utf8(repository.files("main")?["workload/workload.yaml"].clone())?;
        let moved = workload.replace("./uat-test", "./acceptance");
        repository.commit("main", &[("workload/workload.yaml", Some(&*moved))], "Move the manifests")?;
        self.runs("before the clock strikes", &[])?;
        self.github.timer();
        let each = ["dev", "stage"].map(|it| format!("; as kalypso-schedule-{it}; keeps kalypso-{it}"));
        let timer = format!("control-plane main: schedule.yml on schedule{}", each.concat());
        self.runs("when the clock strikes", &[timer])?;
        let open = ["dev", "stage"].map(|environment| self.github.world.open_pull(environment).is_some());
        ensure!(open == [false, true], "not only stage changes: {open:?}");
        Ok(())
    }

    /// Somebody takes the merge on dev back.
    fn revert(&mut self) -> Result<()> {
        let statuses = self.github.world.statuses(&self.promoted, "dev");
        let revert = self.github.world.gitops.revert("dev", &self.merged)?;
        self.runs("after a revert", &self.follows("dev", &self.merged, &revert))?;
        let statuses: Vec<&str> = statuses.iter().map(String::as_str).collect();
        self.statuses("dev", &statuses)
    }

    /// A commit goes to stage though it was not on dev's clusters, then the one before it again; and somebody has checked
    /// once more what was taken back.
    fn starts_by_hand(&mut self) -> Result<()> {
        let c2 = self.github.world.push_anything();
        self.runs("after another push", &[promotes_first(), schedules("dev")])?;
        for (commit, although) in [(c2, "skip-check"), (self.promoted.clone(), "allow-rollback")] {
            let mut inputs = [("commit-id", &*commit), ("environment", "stage"), (although, "true")];
            inputs.sort_unstable();
            self.github.start_by_hand("promote.yml", &inputs);
            let told = inputs.map(|(name, value)| format!("{name}={value}"));
            self.runs("after a start by hand", &[promotes(&told.join(" ")), schedules("stage")])?;
            self.is_on("stage", &commit)?;
        }
        let inputs = [("commit-id", &*self.merged), ("environment", "dev")];
        self.github.start_by_hand("checkpromote.yml", &inputs);
        let told = inputs.map(|(name, value)| format!("{name}={value}")).join(" ");
        let title = format!("control-plane main: checkpromote.yml on workflow_dispatch {told}");
        let told = "; without test; without promote; as kalypso-checkpromote-dev; finds reverted";
        self.runs("after a check of what was taken back", &[title + told])
    }

    /// These workflows run and no others, and so.
    fn runs(&mut self, when: &str, want: &[String]) -> Result<()> {
        let told: Vec<String> = self.github.settle()?.iter().map(Run::told).collect();
        ensure!(told == want, "{when} ran {told:#?}, not {want:#?}");
        Ok(())
    }

    /// The statuses of the promoted commit for an environment.
    fn statuses(&self, environment: &str, want: &[&str]) -> Result<()> {
        let statuses = self.github.world.statuses(&self.promoted, environment);
        ensure!(statuses == want, "statuses {statuses:#?}, not {want:#?}");
        Ok(())
    }

    fn is_on(&self, environment: &str, commit: &str) -> Result<()> {
        let promoted = self.github.world.promoted(environment);
        ensure!(promoted.as_deref() == Some(commit), "{environment} has {promoted:?}, not {commit}");
        Ok(())
    }

    /// What runs after a merge in the GitOps repository that promotes nothing.
    fn follows(&self, environment: &str, before: &str, merged: &str) -> [String; 3] {
        let [title, rest] = checks(environment, before, merged);
        let checks = match self.setup {
            Setup::Direct => format!("{title}{rest}"),
            Setup::Open | Setup::Strict => format!("{title}; without test; without promote{rest}"),
        };
        [self.notifies(environment), checks, schedules(environment)]
    }

    fn notifies(&self, environment: &str) -> String {
        let token = match self.setup {
            Setup::Strict => "; with a token for contoso/control-plane (actions: write)",
            Setup::Open | Setup::Direct => "",
        };
        format!("gitops {environment}: notify.yml on push{token}")
    }
}

fn promotes_first() -> String {
    "control-plane main: promote.yml on push; as kalypso-promote-first; in dev".to_owned()
}

fn promotes(inputs: &str) -> String {
    let rest = "as kalypso-promote-stage; in stage";
    format!("control-plane main: promote.yml on workflow_dispatch {inputs}; {rest}")
}

fn schedules(environment: &str) -> String {
    let rest = scheduled(environment);
    format!("control-plane main: schedule.yml on workflow_dispatch environment={environment}{rest}")
}

fn schedules_pushed(environment: &str) -> String {
    format!("control-plane {environment}: schedule.yml on push{}", scheduled(environment))
}

/// What is told of the schedule of one environment.
fn scheduled(environment: &str) -> String {
    let rest = format!("as kalypso-schedule-{environment}; keeps kalypso-{environment}");
    format!("; without schedule / environments; {rest}")
}

/// A check: what it is called, and what is told of it besides jobs that did not run.
fn checks(environment: &str, before: &str, merged: &str) -> [String; 2] {
    let inputs = format!("before={before} commit-id={merged} environment={environment}");
    let title = format!("control-plane main: checkpromote.yml on workflow_dispatch {inputs}");
    [title, format!("; as kalypso-checkpromote-{environment}; finds compliant")]
}

/// The open pull request brings what a golden case expects, and leaves what people put there.
fn proposes(world: &RolloutPlatform, environment: &str, case: &str) -> Result<()> {
    let Some(pull) = world.open_pull(environment) else { bail!("nothing is proposed to {environment}") };
    let before = world.gitops.files(environment)?;
    let mut want = world.expected(case);
    for path in ["README.md", ".github/workflows/notify.yml"] {
        want.extend(before.get(path).map(|text| (path.to_owned(), text.clone())));
    }
    let proposed = world.gitops.files(&pull.head)?;
    ensure!(proposed == want, "proposed {:#?}, not {:#?}", proposed.keys(), want.keys());
    Ok(())
}
