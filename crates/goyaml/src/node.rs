//! Documents as they were written: every node with its place.

use std::sync::Arc;

use crate::{Value, decode};

/// A place in a text; `line` and `column` count from 1 (columns in characters), `offset` from 0 in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Line, from 1
    pub line: u32,
    /// Column in characters, from 1
    pub column: u32,
    /// Bytes from the beginning of the text
    pub offset: usize,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes
    Plain,
    /// In single quotes
    SingleQuoted,
    /// In double quotes
    DoubleQuoted,
    /// After `|`
    Literal,
    /// After `>`
    Folded,
}

/// A node of a document; an alias stands as the (shared) node that it names.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where its content begins, after an anchor or a tag
    pub start: Mark,
    /// Where it ends (exclusive); a block collection ends with its last entry
    pub end: Mark,
    /// An explicit tag, resolved (`tag:yaml.org,2002:str`, `!x`)
    pub tag: Option<Arc<str>>,
    /// What it is
    pub kind: NodeKind,
}

/// Nodes are equal if they are written equally; their places make no difference.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        (&self.tag, &self.kind) == (&other.tag, &other.kind)
    }
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Text, before it is given a type
    Scalar {
        /// The text after folding and unescaping
        text: Arc<str>,
        /// How it was written
        style: Style,
        /// Only for block scalars: how many columns of the source its lines are indented by
        indent: usize,
    },
    /// A list
    Sequence(Arc<[Node]>),
    /// A mapping in the order of the text, keys that stand twice included
    Mapping(Arc<[(Node, Node)]>),
}

impl PartialEq for NodeKind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (NodeKind::Scalar { text: a, style: b, .. }, NodeKind::Scalar { text: c, style: d, .. }) => {
                (a, b) == (c, d)
            }
            (NodeKind::Sequence(a), NodeKind::Sequence(b)) => a == b,
            (NodeKind::Mapping(a), NodeKind::Mapping(b)) => a == b,
            _ => false,
        }
    }
}

impl Node {
    /// What the node means by the rules of Go's yaml.v2 (`yes` is a boolean, merge keys are merged).
    ///
    /// `Null` where Go refuses the node; [`Node::value`] tells why.
    pub fn to_value(&self) -> Value {
        self.value().unwrap_or_default()
    }

    /// Like [`Node::to_value`], with the reason if Go refuses the node: a list or a mapping as a key, a text
    /// that does not fit its tag, a merge of something that is no mapping.
    pub fn value(&self) -> Result<Value, ParseError> {
        decode::value(self)
    }

    /// The place in the source of the character at `line` and `column` (both from 1) of a scalar's text:
    /// exact in literal blocks, and in plain and quoted scalars on one line; else the scalar's begin.
    ///
    /// In literal blocks `offset` is that of the scalar's begin. In double quotes the place is exact as long as
    /// the escapes are the usual short ones.
    pub fn locate(&self, line: u32, column: u32) -> Mark {
        let NodeKind::Scalar { text, style, indent } = &self.kind else { return self.start };
        match style {
            Style::Literal => {
                let indent = u32::try_from(*indent).unwrap_or(u32::MAX);
                Mark {
                    line: self.start.line.saturating_add(line),
                    column: indent.saturating_add(column),
                    offset: self.start.offset,
                }
            }
            Style::Folded => self.start,
            _ => self.locate_in_line(text, *style, line, column).unwrap_or(self.start),
        }
    }

    fn locate_in_line(&self, text: &str, style: Style, line: u32, column: u32) -> Option<Mark> {
        let width = |c: char| match (style, c) {
            (Style::SingleQuoted, '\'') => 2,
            (Style::DoubleQuoted, '"' | '\\' | '\n' | '\t' | '\r' | '\0') => 2,
            _ => 1,
        };
        let quote = u32::from(style != Style::Plain);
        let written = text.chars().try_fold(2 * quote, |sum, c| sum.checked_add(width(c)))?;
        let spanned = self.end.column.checked_sub(self.start.column)?;
        if self.start.line != self.end.line || written != spanned {
            return None;
        }
        let mut mark = self.start;
        mark.column += quote;
        mark.offset += usize::from(style != Style::Plain);
        let (mut at_line, mut at_column) = (1, 1);
        for c in text.chars() {
            if (at_line, at_column) == (line, column) {
                return Some(mark);
            }
            mark.column += width(c);
            mark.offset += c.len_utf8().max(width(c) as usize);
            (at_line, at_column) = if c == '\n' { (at_line + 1, 1) } else { (at_line, at_column + 1) };
        }
        ((at_line, at_column) == (line, column)).then_some(mark)
    }
}

/// How much one text may hold, so that no input exhausts memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nodes in all documents together, every use of an alias counted in full
    pub nodes: usize,
    /// Levels of nesting
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { nodes: 1_000_000, depth: 100 }
    }
}

/// Why a text is no YAML, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong, in lower case, without a final stop
    pub message: String,
    /// Where
    pub at: Mark,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.at.line, self.at.column, self.message)
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str) -> Node {
        let (documents, error) = crate::parse(text, Limits::default());
        assert_eq!(error, None, "{text:?}");
        let mut node = documents[0].clone();
        while let NodeKind::Mapping(entries) = &node.kind {
            node = entries[0].1.clone();
        }
        node
    }

    #[test]
    fn locates_characters_of_scalars() {
        let cases = [
            ("a: |\n  one\n  two\n", (2, 3), (3, 5), "a literal block"),
            ("a: | # note\n\n  one\n", (2, 1), (3, 3), "a literal block that begins with an empty line"),
            ("a: |2\n   one\n", (1, 1), (2, 3), "a literal block with an indentation indicator"),
            ("a:\n  b: |-\n    x\n    yz", (2, 2), (4, 6), "a nested literal block"),
            ("a: plain", (1, 3), (1, 6), "a plain scalar"),
            ("é: ü x", (1, 3), (1, 6), "columns are characters"),
            ("a: plain\n  folded", (1, 8), (1, 4), "folded: the begin"),
            ("a: >\n  one\n  two\n", (1, 5), (1, 4), "a folded block: the begin"),
            ("a: 'it''s'", (1, 4), (1, 9), "a doubled quote takes two columns"),
            (r#"a: "x\ny""#, (2, 1), (1, 8), "an escape takes two columns"),
            (r#"a: "\x41b""#, (1, 2), (1, 4), "a longer escape: the begin"),
            ("a: &x !!str b", (1, 1), (1, 13), "after anchor and tag"),
            ("a: b", (1, 2), (1, 5), "just behind the end"),
            ("a: b", (1, 9), (1, 4), "beyond the end: the begin"),
            ("a: b", (u32::MAX, u32::MAX), (1, 4), "far beyond the end"),
        ];
        for (text, (line, column), want, why) in cases {
            let found = scalar(text).locate(line, column);
            assert_eq!((found.line, found.column), want, "{why}: {text:?}");
        }
    }

    #[test]
    fn offsets_are_bytes() {
        let text = "\u{feff}é: ü x";
        let node = scalar(text);
        let found = node.locate(1, 3);
        assert_eq!((&text[node.start.offset..node.end.offset], &text[found.offset..]), ("ü x", "x"));
    }
}
