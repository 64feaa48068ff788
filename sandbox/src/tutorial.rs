//! A change's way through the example platform, played by the real binary and told step by step.
//!
//! ```text
//! registration on main ─promote─▶ dev ─schedule─▶ pull request ─merge─▶ checkpromote ─promote─▶ stage ─▶ …
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::azure::Life;
use crate::platform::{self, ADA, Chapter, Platform};
use crate::repository::{Pull, Status};
use crate::sandbox::Sandbox;
use crate::state::{Dispatch, Merge, State};
use crate::told::{Fact, Told};

/// The cluster that is slow.
const SLOW: &str = "drone-2";
/// How long it takes to apply what it has fetched.
const SLOWNESS: Duration = Duration::from_secs(6);

/// Where the tutorial plays.
pub struct Tutorial<'a> {
    /// The world.
    pub sandbox: &'a Sandbox,
    /// The binary.
    pub kalypso: &'a Path,
    /// An empty folder: the clone is made in it.
    pub folder: &'a Path,
}

/// How a command is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Well,
    Refused,
}

/// Plays all of it; gives the platform as it is then.
pub fn play(tutorial: &Tutorial<'_>, out: &mut dyn Write) -> Result<Platform> {
    let platform = platform::create(tutorial.sandbox, Chapter::BeforeTheApplication)?;
    let Tutorial { sandbox, kalypso, folder } = *tutorial;
    let mut play = Play { sandbox, kalypso, folder: folder.to_owned(), platform, told: Told::new(out) };
    play.opening()?;
    play.baseline()?;
    let promoted = play.onboarding()?;
    play.proposal()?;
    play.refusal()?;
    play.check(&promoted)?;
    play.stage(&promoted)?;
    play.ending(&promoted)?;
    Ok(play.platform)
}

struct Play<'a> {
    sandbox: &'a Sandbox,
    kalypso: &'a Path,
    /// Where commands run.
    folder: PathBuf,
    platform: Platform,
    told: Told<'a>,
}

impl Play<'_> {
    fn opening(&mut self) -> Result<()> {
        self.told.title("The way of a change, from a registration to the clusters")?;
        self.told.text(
            "A GitHub and an Azure on loopback, with the platform of examples/ in them. The\n\
             program is the real one, and so are the git repositories; clusters are simulated.",
        )?;
        self.told.chapter("What is there")?;
        self.told.facts(&[
            ("control-plane", "main: templates, schemas, registrations of applications".to_owned()),
            (
                "control-plane",
                "dev, stage: cluster types, policies and config of each environment".to_owned(),
            ),
            ("applications", "main: what the application teams write".to_owned()),
            ("gitops", "dev, stage: what the clusters read".to_owned()),
            ("clusters", "center-1, drone-1, drone-2 follow dev; drone-3, drone-4 follow stage".to_owned()),
        ])?;
        self.told.text("Commands run in a clone of the control plane, as in its workflows.")?;
        let url = self.platform.control_plane.url().replace("://", &format!("://ada:{ADA}@"));
        self.run(&format!("git clone -q {url}"))?;
        self.folder.push("control-plane");
        Ok(())
    }

    fn baseline(&mut self) -> Result<()> {
        self.told.chapter("Schedule dev")?;
        self.told.text(
            "The platform team has two services of its own. schedule computes what each type of\n\
             cluster must hold, and proposes it as a pull request.",
        )?;
        self.run("kalypso schedule --environment dev --control-plane-ref dev")?;
        self.merge("dev")
    }

    /// Gives the commit that is promoted.
    fn onboarding(&mut self) -> Result<String> {
        self.told.chapter("An application comes")?;
        let commit = self.platform.onboard()?;
        self.told.text(&format!(
            "The kaizen team registers hello-world-app on main, with commit {}. Environments do\n\
             not follow main by themselves: each names the commit that it has. The push starts\n\
             promote, which brings the commit to the first environment.",
            short(&commit)
        ))?;
        self.run("kalypso promote")?;
        let facts = [vec![self.base("dev")?], self.statuses(&commit)?, vec![self.started()?]].concat();
        self.told.facts(&facts)?;
        Ok(commit)
    }

    fn proposal(&mut self) -> Result<()> {
        self.told.chapter("What follows from it in dev")?;
        self.told.text(
            "Policies on dev say where its tests belong: the functional test on drones, the\n\
             performance test on large clusters. The third target, uat-test, is for stage.",
        )?;
        self.run("kalypso schedule --environment dev --control-plane-ref dev")
    }

    fn refusal(&mut self) -> Result<()> {
        self.told.chapter("Too early")?;
        self.told.text(
            "Somebody would have it on stage at once. That is refused until the clusters of dev have\n\
             shown that they run it.",
        )?;
        self.run_to("kalypso promote --environment stage", Ends::Refused)
    }

    fn check(&mut self, promoted: &str) -> Result<()> {
        self.told.chapter("Merge, and wait for the clusters")?;
        self.told.text("Ada reviews the pull request and merges it. Flux fetches it from there.")?;
        // It is Compliant all the time: with what it had before.
        let slow = platform::configuration(self.sandbox, SLOW);
        slow.live(Life::default().applies_after(SLOWNESS));
        self.merge("dev")?;
        self.told.text(
            "checkpromote asks Azure until every Flux configuration has shown that it applied the\n\
             merge. drone-2 fetches it at once and applies it late; until then it says Compliant,\n\
             which it is with what it had before. Who looks at that alone goes on too early: this\n\
             check waits. large and small are reconciled by Argo CD, which Azure does not see.",
        )?;
        self.run("kalypso checkpromote --environment dev")?;
        let facts = [self.statuses(promoted)?, vec![self.started()?]].concat();
        self.told.facts(&facts)
    }

    fn stage(&mut self, promoted: &str) -> Result<()> {
        self.told.chapter("The same for stage")?;
        self.told.text("The workflow that was started promotes to stage: now it may.")?;
        self.run(&format!("kalypso promote --environment stage --commit-id {promoted}"))?;
        self.told.text("On stage, a policy has uat-test on every type of cluster.")?;
        self.run("kalypso schedule --environment stage --control-plane-ref stage")?;
        self.merge("stage")?;
        self.run("kalypso checkpromote --environment stage")
    }

    fn ending(&mut self, promoted: &str) -> Result<()> {
        self.told.chapter("How it stands")?;
        let newest = self.statuses(promoted)?.into_iter().filter(|(_, text)| !text.contains(": pending"));
        let facts = newest.chain(self.tree("dev")?).chain(self.tree("stage")?).collect::<Vec<_>>();
        self.told.facts(&facts)?;
        self.run("kalypso status --environment dev")
    }

    /// Runs a command that ends well.
    fn run(&mut self, command: &str) -> Result<()> {
        self.run_to(command, Ends::Well)
    }

    /// Runs a command, and tells it and what it says.
    fn run_to(&mut self, command: &str, ends: Ends) -> Result<()> {
        self.told.command(command)?;
        let mut words = command.split(' ');
        let program = match words.next() {
            Some("kalypso") => self.kalypso,
            other => Path::new(other.unwrap_or_default()),
        };
        let (reader, writer) = std::io::pipe()?;
        let mut process = Command::new(program)
            .args(words)
            .current_dir(&self.folder)
            .env_remove("GITHUB_ACTIONS")
            .envs(self.platform.variables().iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        for line in BufReader::new(reader).lines() {
            self.told.output(&line?)?;
        }
        let status = process.wait()?;
        let wanted = match ends {
            Ends::Well => 0,
            Ends::Refused => 1,
        };
        if status.code() != Some(wanted) {
            bail!("`{command}` ended with {status}, not with {wanted}: please report this");
        }
        Ok(())
    }

    /// The open pull request to a GitOps branch.
    fn pull(&self, environment: &str) -> Result<Pull> {
        let pulls = self.platform.gitops.pulls()?;
        let open = pulls.into_iter().find(|pull| pull.state == State::Open && pull.base == environment);
        open.with_context(|| format!("no pull request to {environment} of the GitOps repository"))
    }

    /// Somebody merges the pull request to a GitOps branch.
    fn merge(&mut self, environment: &str) -> Result<()> {
        let pull = self.pull(environment)?;
        let changes = self.platform.gitops.changes(environment, &pull.head_sha)?;
        let commit = self.platform.gitops.merge_pull(pull.number, Merge::Squash)?;
        let mut facts = vec![("pull request", format!("#{}, by {}", pull.number, pull.author))];
        facts.extend(folders(changes.iter().map(|change| &*change.path), ""));
        facts.push(("merge", format!("by Ada: {environment} is at {} now", short(&commit))));
        self.told.facts(&facts)
    }

    /// The commit that an environment has.
    fn base(&self, environment: &str) -> Result<Fact> {
        let files = self.platform.control_plane.files(environment)?;
        let text = files.get("base-repo.yaml").map(|bytes| String::from_utf8_lossy(bytes));
        let text = text.unwrap_or_default();
        let line = text.lines().find(|line| line.contains(" commit: ")).unwrap_or_default();
        Ok(("control-plane", format!("{environment}, base-repo.yaml: {}", line.trim())))
    }

    /// What stands on a commit of the control plane, oldest first.
    fn statuses(&self, commit: &str) -> Result<Vec<Fact>> {
        let mut statuses = self.platform.control_plane.statuses_of(commit)?;
        statuses.reverse();
        let text = |Status { context, state, description, .. }: Status| {
            ("status", format!("{context}: {state}, {description}"))
        };
        Ok(statuses.into_iter().map(text).collect())
    }

    /// The workflow that was started last.
    fn started(&self) -> Result<Fact> {
        let dispatches = self.platform.control_plane.dispatches()?;
        let Dispatch { workflow, inputs, .. } = dispatches.last().context("no workflow was started")?;
        let inputs = inputs.iter().map(|(name, value)| format!(" {name}={}", short(value)));
        Ok(("started", format!("{workflow}{}", inputs.collect::<String>())))
    }

    /// What a GitOps branch holds.
    fn tree(&self, environment: &str) -> Result<Vec<Fact>> {
        let files = self.platform.gitops.files(environment)?;
        let label = if environment == "dev" { "gitops, dev" } else { "gitops, stage" };
        Ok(folders(files.keys().map(String::as_str), label))
    }
}

/// Cluster types with their deployment targets, among the paths of files.
fn folders<'p>(paths: impl Iterator<Item = &'p str>, label: &'static str) -> Vec<Fact> {
    let mut targets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in paths.filter(|path| !path.starts_with('.')) {
        if let [cluster_type, target, _] = path.split('/').collect::<Vec<_>>()[..] {
            targets.entry(cluster_type).or_default().insert(target);
        }
    }
    let line = |(cluster_type, targets): (&str, BTreeSet<&str>)| {
        (label, format!("{cluster_type}/  {}", targets.into_iter().collect::<Vec<_>>().join(", ")))
    };
    targets.into_iter().map(line).collect()
}

/// A commit's name as people write it; other texts as they are.
fn short(text: &str) -> &str {
    if text.len() == 40 { &text[..7] } else { text }
}
