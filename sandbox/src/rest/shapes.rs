//! The JSON that GitHub makes of what there is.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Call;
use crate::git::{CommitInfo, Signature};
use crate::reply::Refusal;
use crate::state::{Comment, Issues, Repo, State, Status, Thread, Visibility};
use crate::tokens::{Level, Scope};

/// What follows a repository's address in its links, by their name.
const REPOSITORY_LINKS: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

/// What is the same for every repository here.
const REPOSITORY_CONSTANTS: &[(&[&str], Value)] = &[
    (&["description", "homepage", "language", "license", "mirror_url"], Value::Null),
    (&["allow_forking", "has_downloads", "has_projects", "has_pull_requests"], Value::Bool(true)),
    (&["archived", "disabled", "fork", "has_discussions", "has_pages", "has_wiki"], Value::Bool(false)),
];

/// What is counted of a repository, and is nothing here.
const REPOSITORY_COUNTS: &[&str] = &[
    "forks",
    "forks_count",
    "network_count",
    "open_issues",
    "open_issues_count",
    "size",
    "stargazers_count",
    "subscribers_count",
    "watchers",
    "watchers_count",
];

/// What follows a user's address in its links, by their name.
const USER_LINKS: &[(&str, &str)] = &[
    ("events_url", "/events{/privacy}"),
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("organizations_url", "/orgs"),
    ("received_events_url", "/received_events"),
    ("repos_url", "/repos"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("url", ""),
];

/// The name that the GraphQL interface has for something.
pub(crate) fn node_id(kind: &str, id: impl std::fmt::Display) -> String {
    format!("{kind}_{}", BASE64_STANDARD.encode(id.to_string()))
}

pub(crate) fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

impl Call<'_> {
    /// The address of the repository in the REST interface.
    pub(super) fn repo_url(&self, repo: &Repo) -> String {
        format!("{}/repos/{}", self.api(), repo.full_name())
    }

    /// The address of the repository for people.
    pub(super) fn html_url(&self, repo: &Repo) -> String {
        format!("{}/{}", self.github.url, repo.full_name())
    }

    pub(super) fn user(&self, login: &str) -> Value {
        let segment = segment(login);
        let address = format!("{}/users/{segment}", self.api());
        let mut user = json!({
            "avatar_url": format!("{}/avatars/{segment}", self.github.url),
            "gravatar_id": "",
            "html_url": format!("{}/{segment}", self.github.url),
            "id": id_of(login),
            "login": login,
            "node_id": node_id("U", login),
            "site_admin": false,
            "type": if login.ends_with("[bot]") { "Bot" } else { "User" },
        });
        for (name, rest) in USER_LINKS {
            user[name] = format!("{address}{rest}").into();
        }
        user
    }

    pub(super) fn repository(&self, repo: &Repo) -> Value {
        let (address, html) = (self.repo_url(repo), self.html_url(repo));
        let private = repo.visibility == Visibility::Private;
        let mut body = json!({
            "clone_url": format!("{html}.git"),
            "created_at": repo.created.to_string(),
            "default_branch": repo.default_branch,
            "full_name": repo.full_name(),
            "git_url": format!("git:{}.git", html.trim_start_matches("http:")),
            "has_issues": repo.issues == Issues::Enabled,
            "html_url": html,
            "id": repo.id,
            "name": repo.name,
            "node_id": node_id("R", repo.id),
            "owner": self.user(&repo.owner),
            "permissions": self.permissions(repo),
            "private": private,
            "pushed_at": repo.created.to_string(),
            "ssh_url": format!("git@{}:{}.git", self.github.url.trim_start_matches("http://"), repo.full_name()),
            "svn_url": html,
            "updated_at": repo.created.to_string(),
            "visibility": if private { "private" } else { "public" },
        });
        for (names, value) in REPOSITORY_CONSTANTS {
            for name in *names {
                body[name] = value.clone();
            }
        }
        for name in REPOSITORY_COUNTS {
            body[name] = 0.into();
        }
        for (name, rest) in REPOSITORY_LINKS {
            body[name] = format!("{address}{rest}").into();
        }
        body
    }

    fn permissions(&self, repo: &Repo) -> Value {
        let grant = match &self.asker {
            super::Asker::Token(token) => self.github.grants.get(token),
            super::Asker::Anonymous | super::Asker::App(_) => None,
        };
        let level = grant
            .filter(|grant| grant.covers(&repo.owner.to_lowercase(), &repo.full_name().to_lowercase()))
            .map_or(Level::Read, |grant| grant.level(Scope::Contents));
        let write = level == Level::Write;
        json!({ "admin": false, "maintain": false, "push": write, "triage": write, "pull": level >= Level::Read })
    }

    /// A commit as the git interface shows it.
    pub(super) fn git_commit(&self, repo: &Repo, commit: &CommitInfo) -> Value {
        let (address, html) = (self.repo_url(repo), self.html_url(repo));
        json!({
            "sha": commit.sha,
            "node_id": node_id("C", &commit.sha),
            "url": format!("{address}/git/commits/{}", commit.sha),
            "html_url": format!("{html}/commit/{}", commit.sha),
            "author": signature(&commit.author),
            "committer": signature(&commit.committer),
            "message": commit.message,
            "tree": { "sha": commit.tree, "url": format!("{address}/git/trees/{}", commit.tree) },
            "parents": parents(&address, "git/commits", &html, commit),
            "verification": verification(repo, commit),
        })
    }

    /// A commit as lists and branches show it.
    pub(super) fn commit(&self, repo: &Repo, commit: &CommitInfo) -> Value {
        let (address, html) = (self.repo_url(repo), self.html_url(repo));
        json!({
            "sha": commit.sha,
            "node_id": node_id("C", &commit.sha),
            "url": format!("{address}/commits/{}", commit.sha),
            "html_url": format!("{html}/commit/{}", commit.sha),
            "comments_url": format!("{address}/commits/{}/comments", commit.sha),
            "commit": {
                "url": format!("{address}/git/commits/{}", commit.sha),
                "author": signature(&commit.author),
                "committer": signature(&commit.committer),
                "message": commit.message,
                "tree": { "sha": commit.tree, "url": format!("{address}/git/trees/{}", commit.tree) },
                "comment_count": 0,
                "verification": verification(repo, commit),
            },
            "author": null,
            "committer": null,
            "parents": parents(&address, "commits", &html, commit),
        })
    }

    /// An issue, or a pull request as the issues interface shows it.
    pub(super) fn issue(&self, repo: &Repo, thread: &Thread) -> Value {
        let kind = if thread.pull.is_some() { "pull" } else { "issues" };
        let address = format!("{}/issues/{}", self.repo_url(repo), thread.number);
        let html = format!("{}/{kind}/{}", self.html_url(repo), thread.number);
        let mut body = json!({
            "active_lock_reason": null,
            "assignee": null,
            "assignees": [],
            "author_association": "NONE",
            "body": thread.body,
            "closed_at": thread.closed.map(|at| at.to_string()),
            "comments": thread.comments.len(),
            "comments_url": format!("{address}/comments"),
            "created_at": thread.created.to_string(),
            "events_url": format!("{address}/events"),
            "html_url": html,
            "id": thread.id,
            "labels": self.labels(repo, thread),
            "labels_url": format!("{address}/labels{{/name}}"),
            "locked": false,
            "milestone": null,
            "node_id": node_id("I", thread.id),
            "number": thread.number,
            "repository_url": self.repo_url(repo),
            "state": thread.state.name(),
            "state_reason": thread.state_reason,
            "title": thread.title,
            "updated_at": thread.updated.to_string(),
            "url": address,
            "user": self.user(&thread.author),
        });
        if let Some(pull) = &thread.pull {
            body["pull_request"] = json!({
                "diff_url": format!("{html}.diff"),
                "html_url": html,
                "merged_at": pull.merged.as_ref().map(|merged| merged.at.to_string()),
                "patch_url": format!("{html}.patch"),
                "url": format!("{}/pulls/{}", self.repo_url(repo), thread.number),
            });
        }
        body
    }

    pub(super) fn labels(&self, repo: &Repo, thread: &Thread) -> Vec<Value> {
        thread.labels.iter().map(|name| self.label(repo, name)).collect()
    }

    fn label(&self, repo: &Repo, name: &str) -> Value {
        json!({
            "color": "ededed",
            "default": false,
            "description": "",
            "id": id_of(name),
            "name": name,
            "node_id": node_id("LA", name),
            "url": format!("{}/labels/{}", self.repo_url(repo), segment(name)),
        })
    }

    pub(super) fn comment(&self, repo: &Repo, thread: &Thread, comment: &Comment) -> Value {
        let (number, id) = (thread.number, comment.id);
        let kind = if thread.pull.is_some() { "pull" } else { "issues" };
        json!({
            "author_association": "NONE",
            "body": comment.body,
            "created_at": comment.created.to_string(),
            "html_url": format!("{}/{kind}/{number}#issuecomment-{id}", self.html_url(repo)),
            "id": id,
            "issue_url": format!("{}/issues/{number}", self.repo_url(repo)),
            "node_id": node_id("IC", id),
            "updated_at": comment.created.to_string(),
            "url": format!("{}/issues/comments/{id}", self.repo_url(repo)),
            "user": self.user(&comment.author),
        })
    }

    /// A pull request as lists show it.
    pub(super) fn pull(&self, repo: &Repo, thread: &Thread) -> Result<Value, Refusal> {
        let pull = thread.pull.as_ref().ok_or_else(Refusal::not_found)?;
        let (address, number) = (self.repo_url(repo), thread.number);
        let url = format!("{address}/pulls/{number}");
        let issue_url = format!("{address}/issues/{number}");
        let html = format!("{}/pull/{number}", self.html_url(repo));
        let statuses_url = format!("{address}/statuses/{}", pull.head_sha);
        let link = |href: String| json!({ "href": href });
        let end = |branch: &str, sha: &str| {
            json!({
                "label": format!("{}:{branch}", repo.owner),
                "ref": branch,
                "repo": self.repository(repo),
                "sha": sha,
                "user": self.user(&repo.owner),
            })
        };
        Ok(json!({
            "_links": {
                "comments": link(format!("{issue_url}/comments")),
                "commits": link(format!("{url}/commits")),
                "html": link(html.clone()),
                "issue": link(issue_url.clone()),
                "review_comment": link(format!("{address}/pulls/comments{{/number}}")),
                "review_comments": link(format!("{url}/comments")),
                "self": link(url.clone()),
                "statuses": link(statuses_url.clone()),
            },
            "active_lock_reason": null,
            "assignee": null,
            "assignees": [],
            "author_association": "NONE",
            "auto_merge": null,
            "base": end(&pull.base, &pull.base_sha),
            "body": thread.body,
            "closed_at": thread.closed.map(|at| at.to_string()),
            "comments_url": format!("{issue_url}/comments"),
            "commits_url": format!("{url}/commits"),
            "created_at": thread.created.to_string(),
            "diff_url": format!("{html}.diff"),
            "draft": false,
            "head": end(&pull.head, &pull.head_sha),
            "html_url": html,
            "id": thread.id,
            "issue_url": issue_url,
            "labels": self.labels(repo, thread),
            "locked": false,
            "merge_commit_sha": pull.merged.as_ref().map(|merged| &merged.sha),
            "merged_at": pull.merged.as_ref().map(|merged| merged.at.to_string()),
            "milestone": null,
            "node_id": node_id("PR", thread.id),
            "number": number,
            "patch_url": format!("{html}.patch"),
            "requested_reviewers": [],
            "requested_teams": [],
            "review_comment_url": format!("{address}/pulls/comments{{/number}}"),
            "review_comments_url": format!("{url}/comments"),
            "state": thread.state.name(),
            "statuses_url": statuses_url,
            "title": thread.title,
            "updated_at": thread.updated.to_string(),
            "url": url,
            "user": self.user(&thread.author),
        }))
    }

    /// A pull request by itself.
    pub(super) fn whole_pull(&self, repo: &Repo, thread: &Thread) -> Result<Value, Refusal> {
        let mut body = self.pull(repo, thread)?;
        let pull = thread.pull.as_ref().ok_or_else(Refusal::not_found)?;
        let bare = self.bare();
        let base = bare.merge_base(&pull.base_sha, &pull.head_sha)?.unwrap_or_else(|| pull.base_sha.clone());
        let changes = bare.changes(&base, &pull.head_sha)?;
        let open = thread.state == State::Open;
        let mergeable = open && bare.merge(None, &pull.base_sha, &pull.head_sha)?.is_some();
        let more = json!({
            "additions": changes.iter().map(|change| change.additions).sum::<u64>(),
            "changed_files": changes.len(),
            "comments": thread.comments.len(),
            "commits": bare.range(&format!("{base}..{}", pull.head_sha))?.len(),
            "deletions": changes.iter().map(|change| change.deletions).sum::<u64>(),
            "maintainer_can_modify": false,
            "mergeable": open.then_some(mergeable),
            "mergeable_state": match (open, mergeable) {
                (false, _) => "unknown",
                (true, true) => "clean",
                (true, false) => "dirty",
            },
            "merged": pull.merged.is_some(),
            "merged_by": pull.merged.as_ref().map(|merged| self.user(&merged.by)),
            "rebaseable": null,
            "review_comments": 0,
        });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        Ok(body)
    }

    pub(super) fn status(&self, repo: &Repo, status: &Status) -> Value {
        json!({
            "avatar_url": null,
            "context": status.context,
            "created_at": status.created.to_string(),
            "creator": self.user(&status.creator),
            "description": status.description,
            "id": status.id,
            "node_id": node_id("SC", status.id),
            "state": status.state,
            "target_url": status.target_url,
            "updated_at": status.created.to_string(),
            "url": format!("{}/statuses/{}", self.repo_url(repo), status.sha),
        })
    }
}

/// A name as a segment of an address.
fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// A name as a path in an address.
pub(super) fn path(name: &str) -> String {
    name.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// A number that is always the same for a name.
fn id_of(name: &str) -> u64 {
    name.bytes().fold(17, |id: u64, byte| (id * 31 + u64::from(byte)) % 1_000_000_007)
}

fn signature(signature: &Signature) -> Value {
    json!({ "name": signature.name, "email": signature.email, "date": time(signature.seconds) })
}

fn parents(address: &str, kind: &str, html: &str, commit: &CommitInfo) -> Vec<Value> {
    let parent = |sha: &String| {
        let (url, html_url) = (format!("{address}/{kind}/{sha}"), format!("{html}/commit/{sha}"));
        json!({ "sha": sha, "url": url, "html_url": html_url })
    };
    commit.parents.iter().map(parent).collect()
}

fn verification(repo: &Repo, commit: &CommitInfo) -> Value {
    let verified = repo.verified.contains(&commit.sha);
    json!({
        "verified": verified,
        "reason": if verified { "valid" } else { "unsigned" },
        "signature": verified.then_some("-----BEGIN PGP SIGNATURE-----"),
        "payload": verified.then_some(format!("tree {}", commit.tree)),
        "verified_at": verified.then(|| time(commit.committer.seconds)),
    })
}
