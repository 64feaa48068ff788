//! A change's way through the example platform, played by the real binary and told step by step.
//!
//! ```text
//! registration on main ─promote─▶ dev ─schedule─▶ pull request ─merge─▶ checkpromote ─promote─▶ stage ─▶ …
//! ```

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::platform::{self, ADA, Chapter, Platform};
use crate::repository::Pull;
use crate::sandbox::Sandbox;
use crate::state::{Merge, State};
use crate::told::Told;

/// The cluster that is slow once.
const SLOW: &str = "drone-2";
/// How long it takes at most, where nobody looks.
const SLOWNESS: Duration = Duration::from_secs(30);

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
            ("", "dev, stage: cluster types, policies and config of each environment".to_owned()),
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
            "The platform team has two services that must be everywhere they belong. schedule\n\
             computes what each cluster type must hold, and proposes it as a pull request.",
        )?;
        self.run("kalypso schedule --environment dev --control-plane-ref dev")?;
        self.show_pull("dev")?;
        self.merge("dev")
    }

    /// Gives the commit that is promoted.
    fn onboarding(&mut self) -> Result<String> {
        self.told.chapter("An application comes")?;
        let commit = self.platform.onboard()?;
        self.told.text(&format!(
            "The kaizen team registers hello-world-app on main: commit {}. Environments do not\n\
             follow main by themselves; each names the commit that it has. The push starts\n\
             promote, which brings the commit to the first environment.",
            short(&commit)
        ))?;
        self.run("kalypso promote")?;
        self.show_base("dev")?;
        self.show_statuses(&commit)?;
        self.show_dispatch()?;
        Ok(commit)
    }

    fn proposal(&mut self) -> Result<()> {
        self.told.chapter("What follows from it in dev")?;
        self.told.text(
            "Policies on dev say where its tests belong: the functional test on drones, the\n\
             performance test on large clusters. The third target, uat-test, is for stage.",
        )?;
        self.run("kalypso schedule --environment dev --control-plane-ref dev")?;
        self.show_pull("dev")?;
        self.sandbox_slow();
        self.merge("dev")
    }

    /// The slow cluster fetches what is merged next at once, and does not apply it before somebody has seen that.
    fn sandbox_slow(&self) {
        let life = crate::azure::Life::default().applies_after(SLOWNESS);
        platform::configuration(self.sandbox, SLOW).live(life);
    }

    fn refusal(&mut self) -> Result<()> {
        self.told.chapter("Too early")?;
        self.told.text(
            "Merged is not deployed. Who would take the commit to stage now is refused, until\n\
             clusters of dev have shown that they run it.",
        )?;
        self.run_until("kalypso promote --environment stage", Ends::Refused, |_| Ok(()))
    }

    fn check(&mut self, promoted: &str) -> Result<()> {
        self.told.chapter("Wait for the clusters")?;
        self.told.text(
            "checkpromote asks Azure until every Flux configuration has shown that it applied\n\
             the merge. drone-2 has fetched it, and its state is still Compliant: that of the\n\
             commit before. A check that looks at fetching alone would go on now. This one waits.",
        )?;
        let slow = platform::configuration(self.sandbox, SLOW);
        let mut seen = None;
        self.run_until("kalypso checkpromote --environment dev", Ends::Well, |line| {
            if seen.is_none() && line.contains(SLOW) {
                seen = Some(());
                slow.clone().live(platform::life());
            }
            Ok(())
        })?;
        self.show_statuses(promoted)?;
        self.show_dispatch()
    }

    fn stage(&mut self, promoted: &str) -> Result<()> {
        self.told.chapter("The same for stage")?;
        self.told.text("The workflow that was started runs promote, and so on: the same three commands.")?;
        self.run(&format!("kalypso promote --environment stage --commit-id {promoted}"))?;
        self.run("kalypso schedule --environment stage --control-plane-ref stage")?;
        self.show_pull("stage")?;
        self.merge("stage")?;
        self.run("kalypso checkpromote --environment stage")
    }

    fn ending(&mut self, promoted: &str) -> Result<()> {
        self.told.chapter("How it stands")?;
        self.show_statuses(promoted)?;
        self.show_tree("dev")?;
        self.show_tree("stage")?;
        self.run("kalypso status --environment dev")
    }

    /// Runs a command that ends well.
    fn run(&mut self, command: &str) -> Result<()> {
        self.run_until(command, Ends::Well, |_| Ok(()))
    }

    /// Runs a command, has its lines seen as they come, and tells both.
    fn run_until(
        &mut self,
        command: &str,
        ends: Ends,
        mut see: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
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
            let line = line?;
            self.told.output(&line)?;
            see(&line)?;
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

    fn show_pull(&mut self, environment: &str) -> Result<()> {
        let pull = self.pull(environment)?;
        let changes = self.platform.gitops.changes(environment, &pull.head_sha)?;
        let mut files: BTreeMap<String, usize> = BTreeMap::new();
        for change in changes.iter().filter(|change| !change.path.starts_with(".github/")) {
            let folder = change.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let what = match change.kind {
                'A' => "+",
                'D' => "-",
                _ => "~",
            };
            *files.entry(format!("{what} {folder}/")).or_default() += 1;
        }
        let labels = pull.labels.join(", ");
        let mut facts = vec![("pull request", format!("#{} {}  [{labels}]", pull.number, pull.title))];
        let plural = |count: &usize| if *count == 1 { "file" } else { "files" };
        facts
            .extend(files.iter().map(|(folder, count)| ("", format!("{folder}  {count} {}", plural(count)))));
        self.told.facts(&facts)
    }

    /// Somebody merges the pull request to a GitOps branch.
    fn merge(&mut self, environment: &str) -> Result<()> {
        let pull = self.pull(environment)?;
        let commit = self.platform.gitops.merge_pull(pull.number, Merge::Squash)?;
        let merged = format!("Ada merges #{}: {} is the head of {environment}", pull.number, short(&commit));
        self.told.facts(&[("merge", merged)])
    }

    fn show_base(&mut self, environment: &str) -> Result<()> {
        let files = self.platform.control_plane.files(environment)?;
        let text = files.get("base-repo.yaml").map(|bytes| String::from_utf8_lossy(bytes));
        let text = text.unwrap_or_default();
        let line = text.lines().find(|line| line.contains(" commit: ")).unwrap_or_default();
        self.told.facts(&[("control-plane", format!("{environment}: base-repo.yaml has `{}`", line.trim()))])
    }

    fn show_statuses(&mut self, commit: &str) -> Result<()> {
        let statuses = self.platform.control_plane.statuses_of(commit)?;
        let mut facts = Vec::new();
        for status in statuses.into_iter().rev() {
            let label = if facts.is_empty() { "statuses" } else { "" };
            let (sha, context) = (short(commit), &status.context);
            facts.push((label, format!("{sha} {context}: {}, {}", status.state, status.description)));
        }
        self.told.facts(&facts)
    }

    fn show_dispatch(&mut self) -> Result<()> {
        let dispatches = self.platform.control_plane.dispatches()?;
        let last = dispatches.last().context("no workflow was started")?;
        let inputs = last.inputs.iter().map(|(name, value)| match &**name {
            "commit-id" => format!(" {name}={}", short(value)),
            _ => format!(" {name}={value}"),
        });
        self.told.facts(&[("workflow", format!("{}{}", last.workflow, inputs.collect::<String>()))])
    }

    /// What a GitOps branch holds, by cluster type.
    fn show_tree(&mut self, environment: &str) -> Result<()> {
        let files = self.platform.gitops.files(environment)?;
        let mut targets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in files.keys().filter(|path| !path.starts_with('.')) {
            let mut parts = path.split('/');
            let (Some(cluster_type), Some(inside)) = (parts.next(), parts.next()) else { continue };
            let targets = targets.entry(cluster_type).or_default();
            if parts.next().is_some() && targets.last() != Some(&inside) {
                targets.push(inside);
            }
        }
        let branch = format!("gitops {environment}");
        let lines = targets.iter().enumerate().map(|(at, (cluster_type, targets))| {
            let label = if at == 0 { branch.as_str() } else { "" };
            (label, format!("{cluster_type}/  {}", targets.join(", ")))
        });
        let lines: Vec<(&str, String)> = lines.collect();
        self.told.facts(&lines)
    }
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
