//! Reading a repository: the types and fields of GitHub's schema that are known here.

use std::collections::BTreeMap;

use graphql_parser::parse_query;
use graphql_parser::query::{
    Definition, Field, InlineFragment, OperationDefinition, Selection, SelectionSet, TypeCondition,
};
use serde_json::{Map, Value};

use super::{Refused, failed, forbidden, grant, unknown};
use crate::git::{CommitInfo, Depth, TreeEntry};
use crate::limits::TEXT_BYTES;
use crate::rest::Asker;
use crate::state::{GitHub, Repo, Status};
use crate::tokens::{Level, Scope};

/// Whoever asks, and all that there is.
struct World<'a> {
    github: &'a GitHub,
    asker: &'a Asker,
    variables: &'a Value,
}

/// Something that has fields.
enum Object<'a> {
    Query,
    Repository(&'a str, &'a Repo),
    Ref(&'a str, &'a Repo, String),
    Commit(&'a str, &'a Repo, Box<CommitInfo>),
    History(&'a str, &'a Repo, Vec<CommitInfo>),
    Status(Vec<&'a Status>),
    Context(&'a Status),
    Tree(&'a str, String),
    Entry(&'a str, TreeEntry),
    Blob(&'a str, String, Vec<u8>),
}

/// What a field holds.
enum Held<'a> {
    Leaf(Value),
    One(Option<Object<'a>>),
    Many(Vec<Object<'a>>),
}

/// The most of a list that one request gives.
const MOST: u64 = 100;

/// Answers a query with its data.
pub(super) fn answer(
    github: &GitHub,
    asker: &Asker,
    query: &str,
    variables: &Value,
) -> Result<Value, Refused> {
    let document = parse_query::<String>(query).map_err(|error| unknown(error.to_string()))?.into_static();
    let world = World { github, asker, variables };
    match document.definitions.as_slice() {
        [Definition::Operation(OperationDefinition::Query(query))] => {
            world.select(&Object::Query, &query.selection_set)
        }
        _ => Err(unknown("the sandbox knows documents of one query".to_owned())),
    }
}

impl<'a> World<'a> {
    fn select(&self, object: &Object<'a>, set: &SelectionSet<'static, String>) -> Result<Value, Refused> {
        let mut selected = Map::new();
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    let value = match self.field(object, field)? {
                        Held::Leaf(value) => value,
                        Held::One(None) => Value::Null,
                        Held::One(Some(object)) => self.select(&object, &field.selection_set)?,
                        Held::Many(objects) => {
                            let one = |object| self.select(object, &field.selection_set);
                            objects.iter().map(one).collect::<Result<_, _>>()?
                        }
                    };
                    selected.insert(field.alias.as_ref().unwrap_or(&field.name).clone(), value);
                }
                Selection::InlineFragment(InlineFragment { type_condition, selection_set, .. }) => {
                    let wanted = type_condition.as_ref().map(|TypeCondition::On(name)| name);
                    if wanted.is_none_or(|name| name == object.name())
                        && let Value::Object(more) = self.select(object, selection_set)?
                    {
                        selected.extend(more);
                    }
                }
                Selection::FragmentSpread(_) => {
                    return Err(unknown("the sandbox knows no fragments".to_owned()));
                }
            }
        }
        Ok(Value::Object(selected))
    }

    fn field(&self, object: &Object<'a>, field: &Field<'static, String>) -> Result<Held<'a>, Refused> {
        let given = self.arguments(field)?;
        let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
        let leaf = |value: &str| Ok(Held::Leaf(value.into()));
        match (object, field.name.as_str()) {
            (Object::Query, "repository") => self.repository(text("owner"), text("name")),
            (Object::Repository(key, repo), "ref") => {
                let name = text("qualifiedName");
                let full =
                    if name.starts_with("refs/") { name.to_owned() } else { format!("refs/heads/{name}") };
                let sha = self.github.bare(key).reference(&full).map_err(failed)?;
                Ok(Held::One(sha.map(|sha| Object::Ref(key, repo, sha))))
            }
            (Object::Repository(key, repo), "object") => {
                let name = if given.contains_key("oid") { text("oid") } else { text("expression") };
                self.object(key, repo, name)
            }
            (Object::Tree(key, name), "entries") => {
                let entries = self.github.bare(key).tree(name, Depth::One).map_err(failed)?;
                Ok(Held::Many(entries.into_iter().map(|entry| Object::Entry(key, entry)).collect()))
            }
            (Object::Entry(_, entry), "name") => leaf(&entry.path),
            (Object::Entry(_, entry), "type") => leaf(&entry.kind),
            (Object::Entry(_, entry), "oid") => leaf(&entry.sha),
            (Object::Entry(key, entry), "object") => self.blob_or_tree(key, &entry.sha),
            (Object::Blob(key, name, _), "oid") => {
                Ok(Held::Leaf(self.github.bare(key).object_named(name).map_err(failed)?.into()))
            }
            (Object::Blob(_, _, bytes), "text") => Ok(Held::Leaf(match std::str::from_utf8(bytes) {
                Ok(text) => {
                    let mut ends = (0..=text.len().min(TEXT_BYTES)).rev();
                    text[..ends.find(|end| text.is_char_boundary(*end)).unwrap_or_default()].into()
                }
                Err(_) => Value::Null,
            })),
            (Object::Blob(_, _, bytes), "isTruncated") => Ok(Held::Leaf((bytes.len() > TEXT_BYTES).into())),
            (object, "__typename") => leaf(object.name()),
            (Object::Ref(key, repo, sha), "target") => {
                let commit = self.github.bare(key).commit(sha).map_err(failed)?;
                Ok(Held::One(commit.map(|commit| Object::Commit(key, repo, Box::new(commit)))))
            }
            (Object::Commit(key, repo, commit), "history") => {
                let first = given.get("first").and_then(Value::as_u64).filter(|first| *first <= MOST);
                let first = first.ok_or_else(|| Refused {
                    kind: "EXCESSIVE_PAGINATION",
                    message: "history wants `first`, of at most 100".to_owned(),
                })?;
                let bare = self.github.bare(key);
                let names = match text("path") {
                    "" => bare.range(&commit.sha),
                    path => bare.changes_of(&commit.sha, path),
                };
                let mut names = names.map_err(failed)?;
                names.truncate(usize::try_from(first).unwrap_or(usize::MAX));
                Ok(Held::One(Some(Object::History(key, repo, bare.commits(&names).map_err(failed)?))))
            }
            (Object::Commit(key, repo, commit), "parents") => {
                let parents = self.github.bare(key).commits(&commit.parents).map_err(failed)?;
                Ok(Held::One(Some(Object::History(key, repo, parents))))
            }
            (Object::History(key, repo, commits), "nodes") => {
                let node = |commit: &CommitInfo| Object::Commit(key, repo, Box::new(commit.clone()));
                Ok(Held::Many(commits.iter().map(node).collect()))
            }
            (Object::Commit(_, _, commit), "oid") => leaf(&commit.sha),
            (Object::Commit(_, _, commit), "messageHeadline") => {
                leaf(commit.message.lines().next().unwrap_or_default())
            }
            (Object::Commit(_, _, commit), "committedDate") => {
                leaf(&crate::rest::time(commit.committer.seconds))
            }
            (Object::Commit(key, repo, commit), "status") => {
                let grant = grant(self.github, self.asker, key, repo);
                if grant.is_none_or(|grant| grant.level(Scope::Statuses) < Level::Read) {
                    return Err(forbidden());
                }
                // The last one of each context counts.
                let of_commit = repo.statuses.iter().filter(|status| status.sha == commit.sha);
                let latest: BTreeMap<&str, &Status> =
                    of_commit.map(|status| (status.context.as_str(), status)).collect();
                let status = (!latest.is_empty()).then(|| Object::Status(latest.into_values().collect()));
                Ok(Held::One(status))
            }
            (Object::Status(contexts), "contexts") => {
                Ok(Held::Many(contexts.iter().copied().map(Object::Context).collect()))
            }
            (Object::Context(status), "context") => leaf(&status.context),
            (Object::Context(status), "state") => leaf(&status.state.to_uppercase()),
            (Object::Context(status), "description") => Ok(Held::Leaf(status.description.clone().into())),
            (Object::Context(status), "targetUrl") => Ok(Held::Leaf(status.target_url.clone().into())),
            (Object::Context(status), "createdAt") => leaf(&status.created.to_string()),
            (_, name) => Err(unknown(format!("Field '{name}' doesn't exist on type '{}'", object.name()))),
        }
    }

    /// What an id or an expression such as `main:folder/file` names.
    fn object(&self, key: &'a str, repo: &'a Repo, name: &str) -> Result<Held<'a>, Refused> {
        let bare = self.github.bare(key);
        if repo.hides(name) {
            return Ok(Held::One(None));
        }
        if !name.contains(':')
            && let Some(commit) = bare.commit(name).map_err(failed)?
        {
            return Ok(Held::One(Some(Object::Commit(key, repo, Box::new(commit)))));
        }
        self.blob_or_tree(key, name)
    }

    fn blob_or_tree(&self, key: &'a str, name: &str) -> Result<Held<'a>, Refused> {
        let bare = self.github.bare(key);
        let kind = bare.kinds(&[name]).map_err(failed)?.pop().flatten();
        Ok(Held::One(match kind.as_deref() {
            Some("tree") => Some(Object::Tree(key, name.to_owned())),
            Some("blob") => {
                let bytes = bare.objects(&[name]).map_err(failed)?.pop().flatten();
                bytes.map(|bytes| Object::Blob(key, name.to_owned(), bytes))
            }
            _ => None,
        }))
    }

    fn repository(&self, owner: &str, name: &str) -> Result<Held<'a>, Refused> {
        let full_name = format!("{owner}/{name}");
        let found = self.github.repositories.get_key_value(&full_name.to_lowercase());
        let seen = found
            .and_then(|(key, repo)| Some((key, repo, grant(self.github, self.asker, key, repo)?)))
            .filter(|(_, repo, _)| repo.redirect.is_none());
        match seen {
            None => Err(Refused {
                kind: "NOT_FOUND",
                message: format!("Could not resolve to a Repository with the name '{full_name}'."),
            }),
            Some((_, _, grant)) if grant.level(Scope::Contents) < Level::Read => Err(forbidden()),
            Some((key, repo, _)) => Ok(Held::One(Some(Object::Repository(key, repo)))),
        }
    }

    fn arguments(&self, field: &Field<'static, String>) -> Result<BTreeMap<String, Value>, Refused> {
        use graphql_parser::query::Value as Given;
        let value = |given: &Given<'static, String>| match given {
            Given::Variable(name) => Ok(self.variables[name].clone()),
            Given::Int(number) => Ok(number.as_i64().into()),
            Given::String(text) => Ok(text.as_str().into()),
            _ => Err(unknown(format!("the sandbox does not know this argument of {}", field.name))),
        };
        field.arguments.iter().map(|(name, given)| Ok((name.clone(), value(given)?))).collect()
    }
}

impl Object<'_> {
    fn name(&self) -> &'static str {
        match self {
            Object::Query => "Query",
            Object::Repository(..) => "Repository",
            Object::Ref(..) => "Ref",
            Object::Commit(..) => "Commit",
            Object::History(..) => "CommitHistoryConnection",
            Object::Status(..) => "Status",
            Object::Context(..) => "StatusContext",
            Object::Tree(..) => "Tree",
            Object::Entry(..) => "TreeEntry",
            Object::Blob(..) => "Blob",
        }
    }
}
