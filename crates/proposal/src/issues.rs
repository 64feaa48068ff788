//! One issue for every cause of a hold.

use std::collections::BTreeMap;

use crate::marker::Marker;
use crate::step::Step;

const KIND: &str = "issue";
/// A run writes to issues at most this often.
pub(crate) const MAX_ISSUE_WRITES: usize = 20;
/// The key of the issue that lists what is left.
const OVERVIEW: &str = "overview";

/// What an issue must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueText {
    /// The cause, the same in every run
    pub key: String,
    /// Title
    pub title: String,
    /// Body
    pub body: String,
    /// A fingerprint of title and body
    pub digest: String,
}

/// An open issue with our label, as the repository shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Its number
    pub number: u64,
    /// The page of it
    pub url: String,
    /// Title
    pub title: String,
    /// Body
    pub body: String,
}

/// Whether an issue was made for `environment`.
pub fn is_our_issue(environment: &str, issue: &Issue) -> bool {
    marker_of(environment, issue).is_some()
}

/// What has to be done so that each of `wanted` has one open issue, and nothing else does, after a run has
/// written `written` times. `overview` makes the issue that stands for those which have to wait for a later
/// run; `resolved` is what a comment says when an issue is closed.
pub fn issue_steps(
    environment: &str,
    wanted: &[IssueText],
    open: &[Issue],
    overview: impl FnOnce(&[&IssueText]) -> IssueText,
    resolved: &str,
    written: usize,
) -> Vec<Step> {
    let mut there: BTreeMap<String, Vec<(&Issue, Marker)>> = BTreeMap::new();
    let mut sorted: Vec<&Issue> = open.iter().collect();
    sorted.sort_by_key(|issue| issue.number);
    for issue in sorted {
        let Some(marker) = marker_of(environment, issue) else { continue };
        let Some(key) = marker.get("key").map(str::to_owned) else { continue };
        there.entry(key).or_default().push((issue, marker));
    }
    let close = |issue: &Issue| Step::CloseIssue {
        number: issue.number,
        comment: Marker::new("resolved", &[("issue", &issue.number.to_string())]).mark(resolved),
    };
    let mut steps = Vec::new();
    let mut missing = Vec::new();
    for text in wanted {
        match there.remove(&text.key).as_deref() {
            Some([(issue, marker), doubles @ ..]) => {
                if *marker != text.marker(environment) {
                    steps.push(text.update(issue.number, environment));
                }
                steps.extend(doubles.iter().map(|(issue, _)| close(issue)));
            }
            _ => missing.push(text),
        }
    }
    let mut old_overview = there.remove(OVERVIEW);
    if let Some(doubles) = old_overview.as_mut().and_then(|overviews| overviews.get(1..)) {
        steps.extend(doubles.iter().map(|(issue, _)| close(issue)));
    }
    old_overview.iter_mut().for_each(|overviews| overviews.truncate(1));
    steps.extend(there.values().flatten().map(|(issue, _)| close(issue)));
    let close_overview = |steps: &mut Vec<Step>| {
        steps.extend(old_overview.iter().flatten().map(|(issue, _)| close(issue)));
    };

    let left = MAX_ISSUE_WRITES.saturating_sub(written);
    let budget = left.saturating_sub(steps.iter().map(Step::writes).sum());
    let open_issue = |text: &&IssueText| text.open(environment);
    let closing: usize = old_overview.iter().flatten().map(|_| 2).sum();
    if missing.len() + closing <= budget {
        steps.extend(missing.iter().map(open_issue));
        close_overview(&mut steps);
    } else {
        let now = budget.saturating_sub(1).min(missing.len());
        steps.extend(missing[..now].iter().map(open_issue));
        let text = IssueText { key: OVERVIEW.to_owned(), ..overview(&missing[now..]) };
        match old_overview.as_deref() {
            Some([(_, marker), ..]) if *marker == text.marker(environment) => {}
            Some([(issue, _), ..]) => steps.push(text.update(issue.number, environment)),
            _ => steps.push(text.open(environment)),
        }
    }
    within(left, steps)
}

/// What exceeds the budget waits for the next run.
fn within(mut left: usize, steps: Vec<Step>) -> Vec<Step> {
    let fits = |step: &Step| left.checked_sub(step.writes()).inspect(|rest| left = *rest).is_some();
    steps.into_iter().filter(fits).collect()
}

fn marker_of(environment: &str, issue: &Issue) -> Option<Marker> {
    Marker::find(KIND, &issue.body).filter(|marker| marker.get("environment") == Some(environment))
}

impl IssueText {
    fn marker(&self, environment: &str) -> Marker {
        let values = [("environment", environment), ("key", &self.key), ("digest", &self.digest)];
        Marker::new(KIND, &values)
    }

    fn open(&self, environment: &str) -> Step {
        Step::OpenIssue { title: self.title.clone(), body: self.marker(environment).mark(&self.body) }
    }

    fn update(&self, number: u64, environment: &str) -> Step {
        Step::UpdateIssue {
            number,
            title: self.title.clone(),
            body: self.marker(environment).mark(&self.body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str, body: &str) -> IssueText {
        IssueText { key: key.into(), title: format!("about {key}"), body: body.into(), digest: body.into() }
    }

    /// The open issues after a run, and how often it wrote.
    fn run(open: &mut Vec<Issue>, wanted: &[IssueText]) -> usize {
        let overview = |rest: &[&IssueText]| {
            let keys: Vec<&str> = rest.iter().map(|text| &*text.key).collect();
            text("anything", &keys.join(","))
        };
        let steps = issue_steps("dev", wanted, open, overview, "it is resolved", 0);
        for step in &steps {
            match step.clone() {
                Step::OpenIssue { title, body } => {
                    let number = open.iter().map(|issue| issue.number).max().unwrap_or(0) + 1;
                    open.push(Issue { number, url: String::new(), title, body });
                }
                Step::UpdateIssue { number, title, body } => {
                    let issue = open.iter_mut().find(|issue| issue.number == number).unwrap();
                    (issue.title, issue.body) = (title, body);
                }
                Step::CloseIssue { number, .. } => open.retain(|issue| issue.number != number),
                other => panic!("{other}"),
            }
        }
        let writes = steps.iter().map(Step::writes).sum();
        assert!(writes <= MAX_ISSUE_WRITES);
        writes
    }

    #[test]
    fn opened_updated_closed() {
        let mut open = Vec::new();
        assert_eq!(run(&mut open, &[text("a", "1"), text("b", "1")]), 2);
        assert_eq!(run(&mut open, &[text("a", "1"), text("b", "1")]), 0, "nothing is new");
        assert_eq!(run(&mut open, &[text("a", "2"), text("b", "1")]), 1, "one changed");
        assert_eq!(run(&mut open, &[text("b", "1")]), 2, "one is resolved: a comment, and closed");
        assert_eq!(open.len(), 1);
    }

    #[test]
    fn others_are_left_alone_and_doubles_go() {
        let theirs = Issue {
            number: 1,
            url: String::new(),
            title: "mine".into(),
            body: "<!-- kalypso issue environment=stage key=a digest=1 -->".into(),
        };
        let mut open = vec![theirs.clone()];
        run(&mut open, &[text("a", "1")]);
        let double = Issue { number: 3, ..open[1].clone() };
        open.push(double);
        run(&mut open, &[text("a", "1")]);
        assert_eq!(open.iter().map(|issue| issue.number).collect::<Vec<_>>(), [1, 2], "the first one stays");
        run(&mut open, &[]);
        assert_eq!(open, [theirs], "another environment's stays");
    }

    #[test]
    fn many_causes_wait_in_an_overview() {
        let wanted: Vec<IssueText> = (0..50).map(|number| text(&format!("{number:02}"), "1")).collect();
        let mut open = Vec::new();
        let mut runs = 0;
        loop {
            let wrote = run(&mut open, &wanted);
            if wrote == 0 {
                break;
            }
            runs += 1;
            let has_overview = open.iter().any(|issue| issue.body.contains("key=overview"));
            assert_eq!(has_overview, open.len() != 50, "after run {runs}");
        }
        assert_eq!((open.len(), runs), (50, 3));
    }
}
