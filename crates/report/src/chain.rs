//! The chain of environments: what is where, at which commit, as a picture.

use std::collections::BTreeMap;

use rollout::{CommitId, StatusState};

use crate::terminal::visible;

/// More environments are not drawn: Mermaid has its own limits.
const MOST: usize = 50;
/// A name is cut behind this many characters.
const LONGEST: usize = 60;

/// The environments, in the order in which they are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain(pub Vec<ChainLink>);

/// An environment of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// Its name
    pub name: String,
    /// The name of the environment that follows
    pub next: Option<String>,
    /// The commit that is promoted to it
    pub promoted: Option<CommitId>,
    /// How far it is there
    pub state: ChainState,
}

/// How far a promoted commit is in an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainState {
    /// It has no status
    Unmarked,
    /// A pull request would promote it
    Proposed,
    /// It is promoted
    Promoted,
    /// Clusters are waited for
    Deploying,
    /// It has arrived
    Deployed,
    /// It has failed
    Failed,
    /// Its check ended without a verdict
    Ended,
}

impl ChainState {
    /// What the newest status of the promoted commit says.
    pub fn of_status(state: StatusState, description: &str) -> ChainState {
        match state {
            StatusState::Pending if description.starts_with("Promotion proposed") => ChainState::Proposed,
            StatusState::Pending if description.starts_with("Promoted") => ChainState::Promoted,
            StatusState::Pending => ChainState::Deploying,
            StatusState::Success => ChainState::Deployed,
            StatusState::Failure => ChainState::Failed,
            StatusState::Error => ChainState::Ended,
        }
    }

    fn word(self) -> &'static str {
        match self {
            ChainState::Unmarked => "no status",
            ChainState::Proposed => "proposed",
            ChainState::Promoted => "Promoted",
            ChainState::Deploying => "Deploying",
            ChainState::Deployed => "Deployed",
            ChainState::Failed => "Failed",
            ChainState::Ended => "ended without a verdict",
        }
    }

    fn class(self) -> &'static str {
        match self {
            ChainState::Unmarked | ChainState::Ended => "open",
            ChainState::Proposed | ChainState::Promoted | ChainState::Deploying => "moving",
            ChainState::Deployed => "deployed",
            ChainState::Failed => "failed",
        }
    }
}

/// The chain as a Mermaid picture in Markdown, with `current` marked; nothing for no environments.
pub(crate) fn picture(Chain(links): &Chain, current: &str) -> String {
    if links.is_empty() {
        return String::new();
    }
    let shown = &links[..links.len().min(MOST)];
    let number: BTreeMap<&str, usize> =
        shown.iter().enumerate().map(|(index, link)| (&*link.name, index)).collect();
    let mut text = "```mermaid\nflowchart LR\n".to_owned();
    for (index, ChainLink { name, promoted, state, .. }) in shown.iter().enumerate() {
        let commit = promoted.as_ref().map_or_else(String::new, |commit| format!("{}<br>", commit.short()));
        let class = state.class();
        text += &format!("  e{index}[\"{}<br>{commit}{}\"]:::{class}\n", label(name), state.word());
    }
    for (index, link) in shown.iter().enumerate() {
        if let Some(next) = link.next.as_deref().and_then(|next| number.get(next)) {
            text += &format!("  e{index} --> e{next}\n");
        }
    }
    if let Some(index) = number.get(current) {
        text += &format!("  style e{index} stroke-width:4px\n");
    }
    text += "  classDef open stroke-dasharray:4\n  classDef moving stroke:#9a6700\n  classDef deployed stroke:#1a7f37\n  classDef failed stroke:#cf222e\n```\n";
    if let Some(rest) = links.len().checked_sub(MOST).filter(|rest| *rest > 0) {
        text += &format!("\n_{rest} more environments are not drawn._\n");
    }
    text
}

/// A name in quotes of Mermaid: what is not plain becomes a number, which Mermaid shows as the character.
fn label(name: &str) -> String {
    let encode = |character: char| match visible(character) {
        plain if plain.is_ascii_alphanumeric() || "-_.".contains(plain) => plain.to_string(),
        other => format!("#{};", u32::from(other)),
    };
    let mut characters = name.chars();
    let mut text: String = characters.by_ref().take(LONGEST).map(encode).collect();
    text.extend(characters.next().map(|_| "#8230;"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str, next: Option<&str>, state: ChainState) -> ChainLink {
        let promoted = (state != ChainState::Unmarked).then(|| CommitId::new(&"ab".repeat(20))).flatten();
        ChainLink { name: name.to_owned(), next: next.map(str::to_owned), promoted, state }
    }

    #[test]
    fn a_picture() {
        let chain = Chain(vec![
            link("dev", Some("stage"), ChainState::Deployed),
            link("stage", Some("gone"), ChainState::Unmarked),
        ]);
        assert_eq!(
            picture(&chain, "dev"),
            "```mermaid\nflowchart LR\n  e0[\"dev<br>abababa<br>Deployed\"]:::deployed\n  e1[\"stage<br>no status\"]:::open\n  e0 --> e1\n  style e0 stroke-width:4px\n  classDef open stroke-dasharray:4\n  classDef moving stroke:#9a6700\n  classDef deployed stroke:#1a7f37\n  classDef failed stroke:#cf222e\n```\n"
        );
        let there =
            ChainLink { promoted: CommitId::new(&"ab".repeat(20)), ..link("qa", None, ChainState::Unmarked) };
        assert!(picture(&Chain(vec![there]), "").contains("\"qa<br>abababa<br>no status\"]:::open"));
        assert_eq!(picture(&Chain::default(), "dev"), "", "nothing to draw");
        let many = Chain((0..53).map(|index| link(&format!("e{index}"), None, ChainState::Failed)).collect());
        assert!(picture(&many, "").ends_with("```\n\n_3 more environments are not drawn._\n"));
    }

    #[test]
    fn labels() {
        let cases = [
            ("dev-1_a.b", "dev-1_a.b", "plain"),
            ("a\"]; click e0 \"x", "a#34;#93;#59;#32;click#32;e0#32;#34;x", "a way out of the quotes"),
            ("`**a**`", "#96;#42;#42;a#42;#42;#96;", "Markdown of Mermaid's own"),
            ("a\n```\n", "a#65533;#96;#96;#96;#65533;", "the end of the block"),
            ("<b>#35;", "#60;b#62;#35;35#59;", "HTML and numbers"),
        ];
        for (name, want, why) in cases {
            assert_eq!(label(name), want, "{why}");
        }
        assert_eq!(label(&"x".repeat(61)), "x".repeat(60) + "#8230;", "a long name is cut");
    }

    #[test]
    fn states() {
        let cases = [
            (StatusState::Pending, "Promoted", ChainState::Promoted),
            (StatusState::Pending, "Promoted, the check of …", ChainState::Promoted),
            (StatusState::Pending, "Promotion proposed in #12", ChainState::Proposed),
            (StatusState::Pending, "Deploying", ChainState::Deploying),
            (StatusState::Success, "Deployed to 1 configuration", ChainState::Deployed),
            (StatusState::Failure, "Failed to deploy", ChainState::Failed),
            (StatusState::Error, "Cancelled", ChainState::Ended),
        ];
        for (state, description, want) in cases {
            assert_eq!(ChainState::of_status(state, description), want, "{description}");
        }
    }
}
