//! The texts of the queries. Values get into them here and nowhere else.

use rollout::{CommitId, Time};

/// The configurations whose repository's URL contains a name: in any case, and perhaps too many of them.
const CONFIGURATIONS: &str = "\
kubernetesconfigurationresources
| where type =~ 'microsoft.kubernetesconfiguration/fluxconfigurations'";

/// What a configuration shows, and whether its cluster is there.
const ROWS: &str = "\
| extend cluster = tostring(split(tolower(id), '/providers/microsoft.kubernetesconfiguration/')[0])
| join kind=leftouter (
    resources
    | where type in~ ('microsoft.kubernetes/connectedclusters', 'microsoft.containerservice/managedclusters')
    | project cluster = tolower(id), connectivityStatus = tostring(properties.connectivityStatus), \
lastConnectivityTime = tostring(properties.lastConnectivityTime), powerState = tostring(properties.powerState.code)
  ) on cluster
| project id, name, namespace = properties.namespace, sourceKind = properties.sourceKind, \
suspend = properties.suspend, gitRepository = properties.gitRepository, \
kustomizations = properties.kustomizations, sourceSyncedCommitId = properties.sourceSyncedCommitId, \
complianceState = properties.complianceState, provisioningState = properties.provisioningState, \
statuses = properties.statuses, errorMessage = properties.errorMessage, \
statusUpdatedAt = properties.statusUpdatedAt, connectivityStatus, lastConnectivityTime, powerState
| order by id asc";

/// Configurations that are alike; a group is by text, since what is dynamic cannot be grouped by.
const GROUPS: &str = "\
| summarize configurations = count(), latest = max(todatetime(properties.statusUpdatedAt)) by \
sourceKind = tostring(properties.sourceKind), url = tostring(properties.gitRepository.url), \
branch = tostring(properties.gitRepository.repositoryRef.branch), \
tag = tostring(properties.gitRepository.repositoryRef.tag), \
semver = tostring(properties.gitRepository.repositoryRef.semver), \
commit = tostring(properties.gitRepository.repositoryRef.commit), \
synced = tostring(properties.sourceSyncedCommitId), compliance = tostring(properties.complianceState), \
provisioning = tostring(properties.provisioningState), suspended = tostring(properties.suspend), mentions";

/// How many clusters can be seen at all.
pub(super) const CLUSTERS: &str = "\
resources
| where type in~ ('microsoft.kubernetes/connectedclusters', 'microsoft.containerservice/managedclusters')
| summarize clusters = count()";

/// What configurations follow, all that can be seen.
pub(super) const SOURCES: &str = "\
kubernetesconfigurationresources
| where type =~ 'microsoft.kubernetesconfiguration/fluxconfigurations'
| summarize configurations = count() by url = tostring(properties.gitRepository.url), \
branch = tostring(properties.gitRepository.repositoryRef.branch)";

/// How many configurations on a repository of this name are in which state, and whether they say that they applied one
/// of these commits.
pub(super) fn tally(name: &str, commits: &[CommitId]) -> String {
    let mentions = match commits {
        [] => "| extend mentions = 'no'".to_owned(),
        _ => {
            // In words of Flux, inside one text of a JSON; sources name what they fetched in other words.
            let any = commits.iter().map(CommitId::as_str).collect::<Vec<_>>().join("|");
            let pattern = literal(&format!("Applied revision: [^ \"]*({any})"));
            format!(
                "| extend mentions = iff(tostring(properties.statuses) matches regex {pattern}, 'yes', 'no')"
            )
        }
    };
    [CONFIGURATIONS, &on(name), &mentions, GROUPS].join("\n")
}

/// What each configuration on a repository of this name shows.
pub(super) fn rows(name: &str) -> String {
    [CONFIGURATIONS, &on(name), ROWS].join("\n")
}

/// The same for those that have fetched one of these commits, if they were reported later than `since`.
pub(super) fn arrived(name: &str, commits: &[CommitId], since: Option<Time>) -> String {
    let synced = format!("| where tostring(properties.sourceSyncedCommitId) has_any ({})", literals(commits));
    let since = since.and_then(datetime);
    let later = since.map(|since| format!("| where todatetime(properties.statusUpdatedAt) > {since}"));
    let name = on(name);
    let lines = [Some(CONFIGURATIONS), Some(&name), Some(&synced), later.as_deref(), Some(ROWS)];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn on(name: &str) -> String {
    format!("| where tostring(properties.gitRepository.url) contains {}", literal(name))
}

fn literals(commits: &[CommitId]) -> String {
    commits.iter().map(|commit| literal(commit.as_str())).collect::<Vec<_>>().join(", ")
}

/// A text as a literal that ends where it is meant to, whatever the text is.
fn literal(text: &str) -> String {
    let mut literal = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => literal.extend(['\\', c]),
            ' '..='~' => literal.push(c),
            _ => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                literal.extend(units.iter().map(|unit| format!("\\u{unit:04X}")));
            }
        }
    }
    literal.push('\'');
    literal
}

fn datetime(time: Time) -> Option<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(time.0).ok()?).ok()?;
    Some(format!("datetime({})", time.strftime("%Y-%m-%dT%H:%M:%SZ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every query, with a name that tries to end its literal. `tools/kql` has Microsoft's parser read these files.
    #[test]
    fn queries_are_those_that_were_checked() {
        let commits = ["a", "b"].map(|digit| CommitId::new(&digit.repeat(40)).unwrap());
        let since = Some(Time(1_795_266_000));
        for (file, query) in [
            ("tally", tally("gitops", &commits)),
            ("tally-of-none", tally("gitops", &[])),
            ("rows", rows("gitops")),
            ("arrived", arrived("gitops", &commits, None)),
            ("arrived-since", arrived("gitops", &commits, since)),
            ("clusters", CLUSTERS.to_owned()),
            ("sources", SOURCES.to_owned()),
            ("hostile", rows("it's a \\ \" // ```\n~~~ | take 1\r\u{2028}\u{85}\0h'😀\\'")),
        ] {
            let path = format!("{}/src/world/azure/queries/{file}.kql", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&path, format!("{query}\n")).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{query}\n"), "{path}");
        }
    }

    #[test]
    fn a_literal_ends_where_it_is_meant_to() {
        for (text, want) in [
            ("gitops", "'gitops'"),
            ("", "''"),
            ("a-b_c.d", "'a-b_c.d'"),
            ("it's", r"'it\'s'"),
            (r"\", r"'\\'"),
            (r"\'", r"'\\\''"),
            ("' or 1 == 1 //", r"'\' or 1 == 1 //'"),
            ("a\nb\r", r"'a\u000Ab\u000D'"),
            ("\0\u{85}\u{2028}", r"'\u0000\u0085\u2028'"),
            ("é😀", r"'\u00E9\uD83D\uDE00'"),
        ] {
            assert_eq!(literal(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_literal_is_read_as_what_was_written() {
        let odd = ['\'', '\\', '"', '\n', '\r', '\0', 'u', '0', '/', '|', '\u{2029}', 'é', '😀', ' '];
        // Every text of four of them.
        for number in 0..odd.len().pow(4) {
            let text: String = (0..4).map(|at| odd[number / odd.len().pow(at) % odd.len()]).collect();
            let literal = literal(&text);
            assert!(literal.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{literal}");
            assert_eq!(read(&literal).as_deref(), Some(&*text), "{literal}");
        }
    }

    /// What a literal means; nothing if it ends before its text does.
    fn read(literal: &str) -> Option<String> {
        let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        let (mut units, mut chars) = (Vec::new(), inner.chars());
        while let Some(c) = chars.next() {
            match c {
                '\'' => return None,
                '\\' => match chars.next()? {
                    'u' => {
                        let digits: String = chars.by_ref().take(4).collect();
                        units.push(u16::from_str_radix(&digits, 16).ok()?);
                    }
                    c @ ('\'' | '\\') => units.push(c as u16),
                    _ => return None,
                },
                c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            }
        }
        String::from_utf16(&units).ok()
    }
}
