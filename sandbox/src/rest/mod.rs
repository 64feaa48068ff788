//! The REST interface: every route that there is, and the way to it.

mod actions;
mod apps;
mod contents;
mod git_data;
mod issues;
mod pulls;
mod repos;
mod rules;
mod shapes;
mod statuses;

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::git::Bare;
use crate::limits::{BODY_CHARACTERS, Cost, Rate, Verdict};
use crate::reply::{Answer, Refusal, Reply};
use crate::state::{GitHub, Repo, Visibility};
use crate::tokens::{App, Credential, Level, Scope, check_app_token};

pub(crate) use shapes::{node_id, time};

use Level::{Read, Write};
use Needs::{AppToken, Either, One};
use Scope::{Actions, Contents, Issues, Metadata, PullRequests, Statuses};

/// Where a request goes and what it needs.
struct Route {
    method: &'static str,
    /// Literal segments, `{name}` for one segment, `{name...}` for one or more.
    path: &'static str,
    needs: Needs,
    act: fn(&mut Call<'_>) -> Answer,
}

/// What the asker must be allowed.
#[derive(Clone, Copy, Debug)]
enum Needs {
    One(Scope, Level),
    /// Pull requests are issues too: either of the two is enough.
    Either(Level),
    AppToken,
}

const ROUTES: &[Route] = &[
    route("GET", "/repos/{owner}/{repo}", One(Metadata, Read), repos::get),
    route("GET", "/repos/{owner}/{repo}/branches/{branch...}", One(Contents, Read), repos::branch),
    route("GET", "/repos/{owner}/{repo}/compare/{basehead...}", One(Contents, Read), repos::compare),
    route("GET", "/repos/{owner}/{repo}/rules/branches/{branch...}", One(Metadata, Read), rules::of_branch),
    route("GET", "/repos/{owner}/{repo}/contents/{path...}", One(Contents, Read), contents::get),
    route("GET", "/repos/{owner}/{repo}/git/ref/{ref...}", One(Contents, Read), git_data::get_ref),
    route(
        "GET",
        "/repos/{owner}/{repo}/git/matching-refs/{ref...}",
        One(Contents, Read),
        git_data::matching_refs,
    ),
    route("POST", "/repos/{owner}/{repo}/git/refs", One(Contents, Write), git_data::create_ref),
    route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref...}", One(Contents, Write), git_data::update_ref),
    route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref...}", One(Contents, Write), git_data::delete_ref),
    route("POST", "/repos/{owner}/{repo}/git/blobs", One(Contents, Write), git_data::create_blob),
    route("GET", "/repos/{owner}/{repo}/git/blobs/{sha}", One(Contents, Read), git_data::get_blob),
    route("GET", "/repos/{owner}/{repo}/git/trees/{sha...}", One(Contents, Read), git_data::get_tree),
    route("POST", "/repos/{owner}/{repo}/git/trees", One(Contents, Write), git_data::create_tree),
    route("GET", "/repos/{owner}/{repo}/git/commits/{sha}", One(Contents, Read), git_data::get_commit),
    route("POST", "/repos/{owner}/{repo}/git/commits", One(Contents, Write), git_data::create_commit),
    route("GET", "/repos/{owner}/{repo}/pulls", One(PullRequests, Read), pulls::list),
    route("POST", "/repos/{owner}/{repo}/pulls", One(PullRequests, Write), pulls::create),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}", One(PullRequests, Read), pulls::get),
    route("PATCH", "/repos/{owner}/{repo}/pulls/{number}", One(PullRequests, Write), pulls::update),
    route("PUT", "/repos/{owner}/{repo}/pulls/{number}/merge", One(Contents, Write), pulls::merge),
    route("GET", "/repos/{owner}/{repo}/issues", One(Issues, Read), issues::list),
    route("POST", "/repos/{owner}/{repo}/issues", One(Issues, Write), issues::create),
    route("GET", "/repos/{owner}/{repo}/issues/{number}", Either(Read), issues::get),
    route("PATCH", "/repos/{owner}/{repo}/issues/{number}", Either(Write), issues::update),
    route("GET", "/repos/{owner}/{repo}/issues/{number}/comments", Either(Read), issues::comments),
    route("POST", "/repos/{owner}/{repo}/issues/{number}/comments", Either(Write), issues::comment),
    route("POST", "/repos/{owner}/{repo}/issues/{number}/labels", Either(Write), issues::add_labels),
    route(
        "DELETE",
        "/repos/{owner}/{repo}/issues/{number}/labels/{name}",
        Either(Write),
        issues::remove_label,
    ),
    route("GET", "/repos/{owner}/{repo}/commits/{ref...}/statuses", One(Statuses, Read), statuses::list),
    route("POST", "/repos/{owner}/{repo}/statuses/{sha}", One(Statuses, Write), statuses::create),
    route(
        "POST",
        "/repos/{owner}/{repo}/actions/workflows/{workflow}/dispatches",
        One(Actions, Write),
        actions::dispatch,
    ),
    route("GET", "/repos/{owner}/{repo}/actions/runs/{number}", One(Actions, Read), actions::run),
    route("GET", "/repos/{owner}/{repo}/installation", AppToken, apps::installation),
    route("POST", "/app/installations/{installation_id}/access_tokens", AppToken, apps::access_token),
];

const fn route(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    act: fn(&mut Call<'_>) -> Answer,
) -> Route {
    Route { method, path, needs, act }
}

/// A request as it arrived.
pub(crate) struct RestRequest<'a> {
    pub(crate) method: &'a str,
    /// Below the address of the interface, as it was sent.
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) credential: &'a Credential,
    pub(crate) body: &'a [u8],
}

/// A request that is allowed, with all that its answer is made of.
struct Call<'a> {
    github: &'a mut GitHub,
    /// The repository that it is about; empty if none.
    key: String,
    path: &'a str,
    parameters: BTreeMap<&'static str, String>,
    query: &'a [(String, String)],
    body: Value,
    asker: Asker,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    Anonymous,
    Token(String),
    App(Box<App>),
}

/// Answers a request.
pub(crate) fn answer(github: &mut GitHub, request: &RestRequest<'_>) -> Reply {
    let matched = ROUTES
        .iter()
        .filter(|route| route.method == request.method)
        .find_map(|route| Some((route, parameters(route.path, request.path)?)));
    let needs = matched.as_ref().map(|(route, _)| route.needs);
    let (asker, rate) = match admit(github, request, needs) {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.into(),
    };
    let reply = match matched {
        None => Refusal::not_found().into(),
        Some((route, parameters)) => {
            act(github, request, route, parameters, asker).unwrap_or_else(Reply::from)
        }
    };
    reply.with_rate("core", rate)
}

/// Whether any route takes this.
pub(crate) fn is_known(method: &str, path: &str) -> bool {
    ROUTES.iter().any(|route| route.method == method && parameters(route.path, path).is_some())
}

/// Says who asks with a token, or without one, and counts the request against what they may have.
pub(crate) fn admit_token(
    github: &mut GitHub,
    credential: &Credential,
    cost: Cost,
) -> Result<(Asker, Rate), Refusal> {
    let now = github.now();
    let Some(token) = credential.token() else {
        return match credential {
            Credential::Absent => {
                Ok((Asker::Anonymous, count(github, "", ANONYMOUS_REQUESTS_PER_HOUR, cost)?))
            }
            Credential::Unreadable | Credential::Token(_) => Err(unknown(github, "Bad credentials")),
        };
    };
    match github.grants.get(token).filter(|grant| !grant.is_over(now)) {
        None => Err(unknown(github, "Bad credentials")),
        Some(grant) => {
            let limit = grant.requests_per_hour().unwrap_or(github.limits.requests_per_hour);
            Ok((Asker::Token(token.to_owned()), count(github, token, limit, cost)?))
        }
    }
}

/// What GitHub gives to whoever has no token.
const ANONYMOUS_REQUESTS_PER_HOUR: u64 = 60;

fn admit(
    github: &mut GitHub,
    request: &RestRequest<'_>,
    needs: Option<Needs>,
) -> Result<(Asker, Rate), Refusal> {
    let cost = if request.method == "GET" { Cost::Read } else { Cost::Write };
    let Some(AppToken) = needs else { return admit_token(github, request.credential, cost) };
    let jwt = request.credential.token().unwrap_or_default();
    let app = match check_app_token(jwt, &github.apps, github.now()) {
        Ok(app) => app.clone(),
        Err(why) => return Err(unknown(github, why)),
    };
    let rate = count(github, &format!("app {}", app.id), github.limits.requests_per_hour, cost)?;
    Ok((Asker::App(Box::new(app)), rate))
}

/// Refuses whoever is not known; it counts as a request without a token.
fn unknown(github: &mut GitHub, why: &str) -> Refusal {
    match count(github, "", ANONYMOUS_REQUESTS_PER_HOUR, Cost::Read) {
        Ok(rate) => Refusal::new(401, why).with_rate(rate),
        Err(refusal) => refusal,
    }
}

fn count(github: &mut GitHub, who: &str, limit: u64, cost: Cost) -> Result<Rate, Refusal> {
    let now = github.now();
    let usage = github.usage.entry(who.to_owned()).or_default();
    let (verdict, rate) = usage.admit(&github.limits, limit, now, cost);
    let refusal = match verdict {
        Verdict::Granted => return Ok(rate),
        Verdict::Exhausted => Refusal::new(403, "API rate limit exceeded for installation."),
        Verdict::TooFast(seconds) => {
            let message =
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
            Refusal::new(github.limits.secondary_status, message).with("retry-after", seconds)
        }
    };
    Err(refusal.with_rate(rate))
}

fn act(
    github: &mut GitHub,
    request: &RestRequest<'_>,
    route: &Route,
    parameters: BTreeMap<&'static str, String>,
    asker: Asker,
) -> Answer {
    let mut key = String::new();
    if let (Some(owner), Some(name)) = (parameters.get("owner"), parameters.get("repo")) {
        key = format!("{owner}/{name}").to_lowercase();
        let repo = github.repositories.get(&key).ok_or_else(Refusal::not_found)?;
        if let Some(redirect) = &repo.redirect {
            let rest: String = request.path.split('/').skip(4).map(|segment| format!("/{segment}")).collect();
            let to = rest_address(&redirect.to).ok_or_else(Refusal::not_found)?;
            return Ok(
                Reply::from(Refusal::new(redirect.status, "Moved Permanently")).with("location", to + &rest)
            );
        }
        allow(github, repo, &asker, route.needs)?;
        let mut asked_for = parameters.values().chain(request.query.iter().map(|(_, value)| value));
        if asked_for.any(|text| repo.hides(text)) {
            return Err(Refusal::not_found());
        }
    }
    let body = match request.body {
        [] => Value::Null,
        body => serde_json::from_slice(body).map_err(|_| Refusal::new(400, "Problems parsing JSON"))?,
    };
    let (path, query) = (request.path, request.query);
    (route.act)(&mut Call { github, key, path, parameters, query, body, asker })
}

/// `https://host/owner/name` as the address of the same repository in the REST interface.
fn rest_address(repository: &str) -> Option<String> {
    let mut url = url::Url::parse(repository).ok()?;
    let path = format!("/api/v3/repos{}", url.path());
    url.set_path(&path);
    Some(url.into())
}

fn allow(github: &GitHub, repo: &Repo, asker: &Asker, needs: Needs) -> Result<(), Refusal> {
    let public = repo.visibility == Visibility::Public;
    let levels: Vec<(Scope, Level)> = match needs {
        One(scope, level) => vec![(scope, level)],
        Either(level) => vec![(Issues, level), (PullRequests, level)],
        AppToken => return Ok(()),
    };
    let reads = levels.iter().all(|(_, level)| *level == Read);
    let full_name = repo.full_name().to_lowercase();
    let grant = match asker {
        Asker::Token(token) => github.grants.get(token),
        Asker::Anonymous | Asker::App(_) => None,
    };
    match grant.filter(|grant| grant.covers(&repo.owner.to_lowercase(), &full_name)) {
        None if public && reads => Ok(()),
        None if public && grant.is_none() => Err(Refusal::new(401, "Requires authentication")),
        None if public => Err(Refusal::new(403, "Resource not accessible by integration")),
        None => Err(Refusal::not_found()),
        Some(grant) if levels.iter().any(|(scope, level)| grant.level(*scope) >= *level) => Ok(()),
        Some(_) if public && reads => Ok(()),
        Some(_) => {
            let accepted: Vec<String> =
                levels.iter().map(|(scope, level)| format!("{}={}", scope.name(), level.name())).collect();
            Err(Refusal::new(403, "Resource not accessible by integration")
                .with("x-accepted-github-permissions", accepted.join("; ")))
        }
    }
}

/// What a path has in the places that a pattern names.
fn parameters(pattern: &'static str, path: &str) -> Option<BTreeMap<&'static str, String>> {
    let pattern: Vec<&'static str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    let mut found = BTreeMap::new();
    matches(&pattern, &path, &mut found).then_some(found)
}

fn matches(pattern: &[&'static str], path: &[&str], found: &mut BTreeMap<&'static str, String>) -> bool {
    let Some((first, pattern)) = pattern.split_first() else { return path.is_empty() };
    match first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        None => path
            .split_first()
            .is_some_and(|(segment, path)| segment == first && matches(pattern, path, found)),
        Some(name) => {
            let (name, most) = match name.strip_suffix("...") {
                Some(name) => (name, path.len()),
                None => (name, path.len().min(1)),
            };
            (1..=most).rev().any(|count| {
                let value = path[..count].join("/");
                if value.is_empty() || !matches(pattern, &path[count..], found) {
                    return false;
                }
                found.insert(name, percent_decode_str(&value).decode_utf8_lossy().into_owned());
                true
            })
        }
    }
}

impl Call<'_> {
    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    fn number(&self) -> Result<u64, Refusal> {
        self.parameter("number").parse().map_err(|_| Refusal::not_found())
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A text of the request's body.
    fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    /// A text without which there is nothing to do.
    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)
            .ok_or_else(|| Refusal::new(422, &format!("Invalid request.\n\n\"{name}\" wasn't supplied.")))
    }

    /// The texts of a list, which may be given as objects with a name.
    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.body.get(name)?.as_array()?;
        let text = |item: &Value| item.as_str().or_else(|| item["name"].as_str()).map(str::to_owned);
        Some(list.iter().filter_map(text).collect())
    }

    fn bare(&self) -> Bare {
        self.github.bare(&self.key)
    }

    /// Refuses to move a reference where the rules of its branch do.
    fn check_rules(&self, name: &str, after: &str) -> Result<(), Refusal> {
        match self.github.rule_against(&self.key, name, after)? {
            None => Ok(()),
            Some(rule) => Err(Refusal::new(422, rule)),
        }
    }

    fn repo(&self) -> Result<&Repo, Refusal> {
        self.github.repositories.get(&self.key).ok_or_else(Refusal::not_found)
    }

    fn repo_mut(&mut self) -> Result<&mut Repo, Refusal> {
        self.github.repositories.get_mut(&self.key).ok_or_else(Refusal::not_found)
    }

    fn login(&self) -> String {
        match &self.asker {
            Asker::Token(token) => {
                self.github.grants.get(token).map_or("somebody", |grant| grant.login()).to_owned()
            }
            Asker::App(app) => format!("{}[bot]", app.slug),
            Asker::Anonymous => "somebody".to_owned(),
        }
    }

    /// The address of the REST interface.
    fn api(&self) -> String {
        format!("{}/api/v3", self.github.url)
    }

    /// The page that is asked for of a list, with links to the others.
    fn page<T>(&self, items: Vec<T>, shape: impl FnMut(T) -> Value) -> Answer {
        let number = |name: &str| self.query(name).and_then(|value| value.parse::<usize>().ok());
        let size = number("per_page").unwrap_or(30).clamp(1, 100);
        let page = number("page").unwrap_or(1).max(1);
        let last = items.len().div_ceil(size).max(1);
        let body: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).map(shape).collect();
        let reply = Reply::ok(Value::Array(body));
        let mut links = Vec::new();
        let mut link = |name: &str, page: usize| {
            links.push(format!("<{}>; rel=\"{name}\"", self.address_of_page(page)));
        };
        if page > 1 {
            link("prev", (page - 1).min(last));
        }
        if page < last {
            link("next", page + 1);
            link("last", last);
        }
        if page > 1 {
            link("first", 1);
        }
        Ok(if links.is_empty() { reply } else { reply.with("link", links.join(", ")) })
    }

    fn address_of_page(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.query.iter().filter(|(name, _)| name != "page"));
        query.append_pair("page", &page.to_string());
        format!("{}{}?{}", self.api(), self.path, query.finish())
    }

    /// The body of an issue, pull request or comment, unless it is too long.
    fn body_text(&self, resource: &str) -> Result<Option<String>, Refusal> {
        match self.text("body") {
            Some(body) if body.chars().count() > BODY_CHARACTERS => {
                let message = format!("body is too long (maximum is {BODY_CHARACTERS} characters)");
                Err(Refusal::custom(resource, "body", &message))
            }
            body => Ok(body.map(str::to_owned)),
        }
    }

    /// The title of an issue or pull request, unless it is blank or too long.
    fn title(&self, resource: &str) -> Result<Option<String>, Refusal> {
        match self.text("title") {
            Some(title) if title.trim().is_empty() => Err(Refusal::invalid(
                json!({ "resource": resource, "code": "missing_field", "field": "title" }),
            )),
            Some(title) if title.chars().count() > 256 => {
                Err(Refusal::custom(resource, "title", "title is too long (maximum is 256 characters)"))
            }
            title => Ok(title.map(str::to_owned)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_patterns() {
        let table: &[(&'static str, &str, Option<&[(&str, &str)]>, &str)] = &[
            ("/repos/{o}/{r}", "/repos/a/b", Some(&[("o", "a"), ("r", "b")]), "one segment each"),
            ("/repos/{o}/{r}", "/repos/a/b/c", None, "one more"),
            ("/repos/{o}/{r}", "/repos/a/", None, "an empty one"),
            ("/ref/{ref...}", "/ref/heads/a/b", Some(&[("ref", "heads/a/b")]), "several"),
            ("/c/{ref...}/statuses", "/c/a/b/statuses", Some(&[("ref", "a/b")]), "several before another"),
            ("/l/{name}", "/l/good%20first", Some(&[("name", "good first")]), "percent-encoded"),
        ];
        for (pattern, path, want, why) in table {
            let want =
                want.map(|want| want.iter().map(|(name, value)| (*name, (*value).to_owned())).collect());
            assert_eq!(parameters(pattern, path), want, "{why}");
        }
    }
}
