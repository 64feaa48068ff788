//! What GitHub demands of whoever moves a branch.

use serde::Deserialize;

use super::error::{Error, Kind};
use super::operation::{GET_BRANCH, LIST_RULES};
use super::{Github, PER_PAGE, Repo};

/// Whether a branch may be moved by a plain push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// As far as its rules tell
    None,
    /// Only by a pull request, for this reason
    PullRequest(&'static str),
}

/// Rules that refuse a plain push, and what they are for people.
const REFUSING: [(&str, &str); 7] = [
    ("pull_request", "a rule asks for pull requests"),
    ("merge_queue", "a rule asks for its merge queue"),
    ("update", "a rule restricts updates"),
    ("required_status_checks", "a rule asks for status checks"),
    ("required_deployments", "a rule asks for deployments"),
    ("workflows", "a rule asks for workflows to pass"),
    ("code_scanning", "a rule asks for code scanning"),
];

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Branch {
    protection: Enabled,
}

#[derive(Deserialize)]
struct Enabled {
    enabled: bool,
}

impl Github {
    /// Whether a branch may be moved by a plain push.
    ///
    /// Who may bypass a rule is not known: whoever asks is taken for one who may not.
    pub(crate) fn protection(&self, repo: &Repo, branch: &str) -> Result<Protection, Error> {
        let refuses = |rule: &Rule| REFUSING.iter().find(|(kind, _)| *kind == rule.kind);
        if let Some((_, why)) = self.rules(repo, branch)?.iter().find_map(refuses) {
            return Ok(Protection::PullRequest(why));
        }
        match self.get::<Branch>(&GET_BRANCH, repo, &["branches", branch], &[]) {
            // Not `protected`, which is also said of branches whose rules refuse other things only.
            Ok(Branch { protection: Enabled { enabled: true } }) => {
                Ok(Protection::PullRequest("branch protection is on"))
            }
            Ok(_) => Ok(Protection::None),
            Err(error) if *error.kind() == Kind::NotFound => Ok(Protection::None),
            Err(error) => Err(error),
        }
    }

    fn rules(&self, repo: &Repo, branch: &str) -> Result<Vec<Rule>, Error> {
        match self.list(&LIST_RULES, repo, &["rules", "branches", branch], &[PER_PAGE]) {
            // Older servers have no rules, nor have private repositories of the smaller plans.
            Err(error) if *error.kind() == Kind::NotFound || error.said().starts_with("Upgrade to") => {
                Ok(Vec::new())
            }
            rules => rules,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fake::{FakeClock, Server, answer, repo};
    use super::*;

    #[test]
    fn protections() {
        let rules = |kinds: &[&str]| {
            let rules: Vec<_> = kinds.iter().map(|kind| json!({ "type": kind, "ruleset_id": 1 })).collect();
            answer(200, &[], &json!(rules).to_string())
        };
        let branch = |protected: bool, enabled: bool| {
            let body = json!({ "protected": protected, "protection": { "enabled": enabled } });
            answer(200, &[], &body.to_string())
        };
        let absent = || answer(404, &[], "{}");
        let refused = |message: &str| answer(403, &[], &json!({ "message": message }).to_string());
        let pulls = Some(Protection::PullRequest("a rule asks for pull requests"));
        for (answers, want, why) in [
            (vec![rules(&[]), branch(false, false)], Some(Protection::None), "no rules"),
            (vec![rules(&["deletion", "pull_request"])], pulls, "one of several rules"),
            (
                vec![rules(&["deletion", "non_fast_forward"]), branch(true, false)],
                Some(Protection::None),
                "rules that a plain push keeps",
            ),
            (
                vec![rules(&[]), branch(true, true)],
                Some(Protection::PullRequest("branch protection is on")),
                "the older protection",
            ),
            (vec![absent(), branch(false, false)], Some(Protection::None), "a server without rules"),
            (
                vec![refused("Upgrade to GitHub Pro"), branch(false, false)],
                Some(Protection::None),
                "a plan without rules",
            ),
            (vec![rules(&[]), absent()], Some(Protection::None), "a branch that is not there"),
            (vec![refused("no")], None, "not allowed to know"),
        ] {
            let (server, requests) = (Server::new(answers.clone()), answers.len());
            let got = server.github(&FakeClock::new()).protection(&repo(), "env/dev");
            assert_eq!(got.ok(), want, "{why}");
            let seen = server.seen();
            assert_eq!(seen.len(), requests, "{why}");
            let line = "GET /api/v3/repos/contoso/gitops/rules/branches/env%2Fdev?per_page=100";
            assert_eq!(seen[0].line, line, "{why}");
        }
    }
}
