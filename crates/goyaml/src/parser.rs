//! Tokens into documents, by the grammar of go-yaml v2.

use std::collections::HashMap;
use std::sync::Arc;

use crate::decode::is_merge_key;
use crate::scanner::{Scanner, Token, TokenKind};
use crate::{Limits, Mark, Node, NodeKind, ParseError, Style};

/// Deeper nesting than this could exhaust the stack, whatever the limits say.
const DEEPEST: usize = 500;

pub(crate) struct Parser<'a> {
    scanner: Scanner<'a>,
    limits: Limits,
    /// Nodes that may still come
    nodes_left: usize,
    /// The deepest level reached since it was last reset
    deepest: usize,
    anchors: HashMap<&'a str, Anchor>,
    tag_prefixes: HashMap<&'a str, String>,
    first_document: bool,
}

enum Anchor {
    /// Its node is still being read
    Open,
    Closed {
        node: Node,
        nodes: usize,
        height: usize,
    },
}

/// Where a node may stand decides what it may be.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    Flow,
    Block,
    /// The key or value of a block mapping, where a list needs no further indentation
    BlockEntry,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, limits: Limits) -> Result<Self, ParseError> {
        Ok(Parser {
            scanner: Scanner::new(text)?,
            limits,
            nodes_left: limits.nodes,
            deepest: 0,
            anchors: HashMap::new(),
            tag_prefixes: HashMap::new(),
            first_document: true,
        })
    }

    /// The next document, with `Some(None)` for one without content; nothing behind it is looked at.
    pub(crate) fn next_document(&mut self) -> Result<Option<Option<Node>>, ParseError> {
        self.anchors.clear();
        self.tag_prefixes.clear();
        let first = std::mem::replace(&mut self.first_document, false);
        while !first && self.peek()? == &TokenKind::DocumentEnd {
            self.scanner.take()?;
        }
        let content = match self.peek()? {
            TokenKind::StreamEnd => return Ok(None),
            TokenKind::Version { .. } | TokenKind::TagDirective { .. } | TokenKind::DocumentStart => {
                self.explicit_document()?
            }
            _ if first => Some(self.node(Context::Block, 0)?),
            _ => self.explicit_document()?,
        };
        if self.peek()? == &TokenKind::DocumentEnd {
            self.scanner.take()?;
        }
        Ok(Some(content))
    }

    fn explicit_document(&mut self) -> Result<Option<Node>, ParseError> {
        let mut version_given = false;
        loop {
            let token = self.scanner.take()?;
            match token.kind {
                TokenKind::Version { .. } if version_given => {
                    return Err(error("found duplicate %YAML directive", token.start));
                }
                TokenKind::Version { major: 1, minor: 1 } => version_given = true,
                TokenKind::Version { .. } => {
                    return Err(error("found incompatible YAML document", token.start));
                }
                TokenKind::TagDirective { handle, prefix } => {
                    if self.tag_prefixes.insert(handle, prefix).is_some() {
                        return Err(error("found duplicate %TAG directive", token.start));
                    }
                }
                TokenKind::DocumentStart => break,
                _ => return Err(error("did not find expected <document start>", token.start)),
            }
        }
        match self.peek()? {
            TokenKind::Version { .. }
            | TokenKind::TagDirective { .. }
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => Ok(None),
            _ => self.node(Context::Block, 0).map(Some),
        }
    }

    fn peek(&mut self) -> Result<&TokenKind<'a>, ParseError> {
        Ok(&self.scanner.peek()?.kind)
    }

    fn here(&mut self) -> Result<Mark, ParseError> {
        Ok(self.scanner.peek()?.start)
    }

    fn node(&mut self, context: Context, depth: usize) -> Result<Node, ParseError> {
        let at = self.here()?;
        self.reach(depth, at)?;
        if let TokenKind::Alias(name) = *self.peek()? {
            self.scanner.take()?;
            return self.alias(name, depth, at);
        }
        self.spend(1, at)?;
        let (anchor, tag) = self.properties()?;
        let Some(name) = anchor else { return self.content(context, false, tag, depth) };

        self.anchors.insert(name, Anchor::Open);
        let nodes_before = self.nodes_left;
        let deepest_before = std::mem::replace(&mut self.deepest, depth);
        let node = self.content(context, true, tag, depth)?;
        let closed = Anchor::Closed {
            node: node.clone(),
            nodes: nodes_before - self.nodes_left + 1,
            height: self.deepest - depth,
        };
        self.deepest = self.deepest.max(deepest_before);
        // A node inside may have taken the name; then aliases mean that one.
        if matches!(self.anchors.get(name), Some(Anchor::Open)) {
            self.anchors.insert(name, closed);
        }
        Ok(node)
    }

    fn alias(&mut self, name: &str, depth: usize, at: Mark) -> Result<Node, ParseError> {
        let (node, nodes, height) = match self.anchors.get(name) {
            None => return Err(error(format!("unknown anchor '{name}' referenced"), at)),
            Some(Anchor::Open) => return Err(error(format!("anchor '{name}' value contains itself"), at)),
            Some(Anchor::Closed { node, nodes, height }) => (node.clone(), *nodes, *height),
        };
        self.reach(depth.saturating_add(height), at)?;
        self.spend(nodes, at)?;
        Ok(node)
    }

    fn reach(&mut self, depth: usize, at: Mark) -> Result<(), ParseError> {
        let limit = self.limits.depth.min(DEEPEST);
        self.deepest = self.deepest.max(depth);
        if depth > limit { Err(error(format!("nested deeper than {limit} levels"), at)) } else { Ok(()) }
    }

    fn spend(&mut self, nodes: usize, at: Mark) -> Result<(), ParseError> {
        let left = self.nodes_left.checked_sub(nodes);
        self.nodes_left = left.ok_or_else(|| error(format!("more than {} nodes", self.limits.nodes), at))?;
        Ok(())
    }

    /// The anchor and the tag before a node, in either order.
    fn properties(&mut self) -> Result<(Option<&'a str>, Option<Arc<str>>), ParseError> {
        let (mut anchor, mut tag) = (None, None);
        loop {
            match self.peek()? {
                TokenKind::Anchor(name) if anchor.is_none() => anchor = Some(*name),
                TokenKind::Tag { .. } if tag.is_none() => {
                    let Token { kind, start, .. } = self.scanner.take()?;
                    tag = self.resolve_tag(kind, start)?;
                    continue;
                }
                _ => return Ok((anchor, tag)),
            }
            self.scanner.take()?;
        }
    }

    fn resolve_tag(&self, kind: TokenKind<'a>, at: Mark) -> Result<Option<Arc<str>>, ParseError> {
        let TokenKind::Tag { handle, suffix } = kind else { return Ok(None) };
        let prefix = match (self.tag_prefixes.get(handle), handle) {
            (Some(prefix), _) => prefix,
            (None, "") => "",
            (None, "!") => "!",
            (None, "!!") => "tag:yaml.org,2002:",
            (None, _) => return Err(error("found undefined tag handle", at)),
        };
        Ok(Some(format!("{prefix}{suffix}").into()))
    }

    /// What follows the properties; after an anchor or a tag that may be nothing.
    fn content(
        &mut self,
        context: Context,
        anchored: bool,
        tag: Option<Arc<str>>,
        depth: usize,
    ) -> Result<Node, ParseError> {
        let block = context != Context::Flow;
        match self.peek()? {
            TokenKind::BlockEntry if context == Context::BlockEntry => self.indentless_sequence(tag, depth),
            TokenKind::Scalar { .. } => self.scalar(tag),
            TokenKind::FlowSequenceStart => self.flow_sequence(tag, depth),
            TokenKind::FlowMappingStart => self.flow_mapping(tag, depth),
            TokenKind::BlockSequenceStart if block => self.block_sequence(tag, depth),
            TokenKind::BlockMappingStart if block => self.block_mapping(tag, depth),
            _ => match self.here()? {
                at if anchored || tag.is_some() => Ok(Node { tag, ..empty(at) }),
                at => Err(error("did not find expected node content", at)),
            },
        }
    }

    fn scalar(&mut self, tag: Option<Arc<str>>) -> Result<Node, ParseError> {
        let Token { kind, start, end } = self.scanner.take()?;
        match kind {
            TokenKind::Scalar { text, style, indent } => {
                Ok(Node { start, end, tag, kind: NodeKind::Scalar { text: text.into(), style, indent } })
            }
            _ => Ok(empty(start)),
        }
    }

    fn empty(&mut self, at: Mark, depth: usize) -> Result<Node, ParseError> {
        self.reach(depth, at)?;
        self.spend(1, at)?;
        Ok(empty(at))
    }

    fn block_sequence(&mut self, tag: Option<Arc<str>>, depth: usize) -> Result<Node, ParseError> {
        let start = self.scanner.take()?.start;
        let mut items = Vec::new();
        loop {
            let token = self.scanner.take()?;
            match token.kind {
                TokenKind::BlockEntry => items.push(match self.peek()? {
                    TokenKind::BlockEntry | TokenKind::BlockEnd => self.empty(token.end, depth + 1)?,
                    _ => self.node(Context::Block, depth + 1)?,
                }),
                TokenKind::BlockEnd => break,
                _ => return Err(error("did not find expected '-' indicator", token.start)),
            }
        }
        Ok(sequence(start, tag, items))
    }

    fn indentless_sequence(&mut self, tag: Option<Arc<str>>, depth: usize) -> Result<Node, ParseError> {
        let start = self.here()?;
        let mut items = Vec::new();
        while self.peek()? == &TokenKind::BlockEntry {
            let end = self.scanner.take()?.end;
            items.push(match self.peek()? {
                TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                    self.empty(end, depth + 1)?
                }
                _ => self.node(Context::Block, depth + 1)?,
            });
        }
        Ok(sequence(start, tag, items))
    }

    fn block_mapping(&mut self, tag: Option<Arc<str>>, depth: usize) -> Result<Node, ParseError> {
        let start = self.scanner.take()?.start;
        let mut entries = Vec::new();
        loop {
            let token = self.scanner.take()?;
            match token.kind {
                TokenKind::Key => {
                    let key = self.block_mapping_part(token.end, depth)?;
                    let value = match self.peek()? {
                        TokenKind::Value => {
                            let end = self.scanner.take()?.end;
                            self.refuse_merged_list(&key)?;
                            self.block_mapping_part(end, depth)?
                        }
                        _ => {
                            let at = self.here()?;
                            self.empty(at, depth + 1)?
                        }
                    };
                    entries.push((key, value));
                }
                TokenKind::BlockEnd => break,
                _ => return Err(error("did not find expected key", token.start)),
            }
        }
        let end = entries.iter().fold(start, |end, (_, value)| end.max(value.end));
        Ok(Node { start, end, tag, kind: NodeKind::Mapping(entries.into()) })
    }

    fn block_mapping_part(&mut self, after: Mark, depth: usize) -> Result<Node, ParseError> {
        match self.peek()? {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => self.empty(after, depth + 1),
            _ => self.node(Context::BlockEntry, depth + 1),
        }
    }

    fn flow_sequence(&mut self, tag: Option<Arc<str>>, depth: usize) -> Result<Node, ParseError> {
        let start = self.scanner.take()?.start;
        let mut items = Vec::new();
        while self.peek()? != &TokenKind::FlowSequenceEnd {
            if !items.is_empty() {
                self.expect_comma("did not find expected ',' or ']'")?;
            }
            match self.peek()? {
                TokenKind::Key => items.push(self.flow_pair(depth + 1)?),
                TokenKind::FlowSequenceEnd => break,
                _ => items.push(self.node(Context::Flow, depth + 1)?),
            }
        }
        let end = self.scanner.take()?.end;
        Ok(Node { start, end, tag, kind: NodeKind::Sequence(items.into()) })
    }

    fn expect_comma(&mut self, otherwise: &str) -> Result<(), ParseError> {
        let token = self.scanner.take()?;
        if token.kind == TokenKind::FlowEntry { Ok(()) } else { Err(error(otherwise, token.start)) }
    }

    /// `key: value` as an item of a flow sequence: a mapping of its own.
    fn flow_pair(&mut self, depth: usize) -> Result<Node, ParseError> {
        let start = self.scanner.take()?.start;
        self.reach(depth, start)?;
        self.spend(1, start)?;
        let key = match self.peek()? {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // go-yaml loses the token after an empty key here, so that such a pair is hardly ever valid.
                let end = self.scanner.take()?.end;
                self.empty(end, depth + 1)?
            }
            _ => self.node(Context::Flow, depth + 1)?,
        };
        let value = self.flow_value(&key, &TokenKind::FlowSequenceEnd, depth)?;
        let end = start.max(value.end);
        Ok(Node { start, end, tag: None, kind: NodeKind::Mapping([(key, value)].into()) })
    }

    fn flow_mapping(&mut self, tag: Option<Arc<str>>, depth: usize) -> Result<Node, ParseError> {
        let start = self.scanner.take()?.start;
        let mut entries = Vec::new();
        while self.peek()? != &TokenKind::FlowMappingEnd {
            if !entries.is_empty() {
                self.expect_comma("did not find expected ',' or '}'")?;
            }
            match self.peek()? {
                TokenKind::Key => {
                    self.scanner.take()?;
                    let key = match self.peek()? {
                        TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {
                            let at = self.here()?;
                            self.empty(at, depth + 1)?
                        }
                        _ => self.node(Context::Flow, depth + 1)?,
                    };
                    let value = self.flow_value(&key, &TokenKind::FlowMappingEnd, depth)?;
                    entries.push((key, value));
                }
                TokenKind::FlowMappingEnd => break,
                _ => {
                    let key = self.node(Context::Flow, depth + 1)?;
                    let at = self.here()?;
                    entries.push((key, self.empty(at, depth + 1)?));
                }
            }
        }
        let end = self.scanner.take()?.end;
        Ok(Node { start, end, tag, kind: NodeKind::Mapping(entries.into()) })
    }

    fn flow_value(&mut self, key: &Node, closing: &TokenKind<'a>, depth: usize) -> Result<Node, ParseError> {
        if self.peek()? == &TokenKind::Value {
            self.scanner.take()?;
            let next = self.peek()?;
            if next != &TokenKind::FlowEntry && next != closing {
                self.refuse_merged_list(key)?;
                return self.node(Context::Flow, depth + 1);
            }
        }
        let at = self.here()?;
        self.empty(at, depth + 1)
    }

    /// `<<: *list` is an error in Go although `<<: [*a, *b]` is not.
    fn refuse_merged_list(&mut self, key: &Node) -> Result<(), ParseError> {
        if let TokenKind::Alias(name) = *self.peek()?
            && is_merge_key(key)
            && let Some(Anchor::Closed { node: Node { kind: NodeKind::Sequence(_), .. }, .. }) =
                self.anchors.get(name)
        {
            return Err(error("map merge requires map or sequence of maps as the value", self.here()?));
        }
        Ok(())
    }
}

fn error(message: impl Into<String>, at: Mark) -> ParseError {
    ParseError { message: message.into(), at }
}

fn empty(at: Mark) -> Node {
    Node {
        start: at,
        end: at,
        tag: None,
        kind: NodeKind::Scalar { text: "".into(), style: Style::Plain, indent: 0 },
    }
}

fn sequence(start: Mark, tag: Option<Arc<str>>, items: Vec<Node>) -> Node {
    // The node that an alias names ends further up.
    let end = items.iter().fold(start, |end, item| end.max(item.end));
    Node { start, end, tag, kind: NodeKind::Sequence(items.into()) }
}

#[cfg(test)]
mod tests {
    use crate::{Limits, NodeKind, ParseError, parse};

    #[test]
    fn documents_before_an_error_are_kept() {
        let cases = [
            ("a: 1\n---\nb: 2\n", 2, None, "two documents"),
            ("---\n# nothing\n---\na: 1\n---\n", 1, None, "those without content are left out"),
            ("", 0, None, "nothing"),
            ("a: 1\n---\nb: [\n", 1, Some((4, 1)), "the second one is broken"),
            ("a: 1\n...\nb: 2\n", 1, Some((3, 1)), "go-yaml wants `---` before a second document"),
            ("a: 1\nb\n", 0, Some((2, 1)), "a key without a colon"),
            ("a: b: c", 0, Some((1, 5)), "two colons"),
            ("a: \"b", 0, Some((1, 4)), "the quote that does not end"),
            ("a: *b", 0, Some((1, 4)), "an unknown alias"),
            ("a: &b [*b]", 0, Some((1, 8)), "a cycle"),
            ("a: \u{7}", 0, Some((1, 4)), "a control character"),
            ("é\n  \u{7}", 0, Some((2, 3)), "its place in a later line"),
            ("a:\n\tb: 1", 0, Some((2, 1)), "a tab for indentation"),
        ];
        for (text, documents, at, why) in cases {
            let (found, error) = parse(text, Limits::default());
            assert_eq!(found.len(), documents, "{why}: {text:?}");
            assert_eq!(error.map(|error| (error.at.line, error.at.column)), at, "{why}: {text:?}");
        }
    }

    fn message(text: &str, limits: Limits) -> Option<String> {
        parse(text, limits).1.map(|ParseError { message, .. }| message)
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { nodes: 20, depth: 5 };
        let cases = [
            ("[1, 2, 3]", None, "small"),
            ("[[[[[1]]]]]", None, "five levels"),
            ("[[[[[[1]]]]]]", Some("nested deeper than 5 levels"), "six levels"),
            ("- - - - -", None, "five levels around nothing"),
            ("- - - - - -", Some("nested deeper than 5 levels"), "six levels around nothing"),
            ("- - - a:\n      -", None, "five levels, the last one not indented"),
            (
                "- - - - a:\n        -",
                Some("nested deeper than 5 levels"),
                "six levels, the last one not indented",
            ),
            ("- - - - - - 1", Some("nested deeper than 5 levels"), "six levels of blocks"),
            ("{a: &a [[[1]]], b: [[*a]]}", Some("nested deeper than 5 levels"), "levels through an alias"),
            ("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]", None, "twenty nodes"),
            ("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]", Some("more than 20 nodes"), "one more"),
            (
                "- &a [1, 2, 3]\n- &b [*a, *a]\n- *b",
                Some("more than 20 nodes"),
                "every use of an alias counts",
            ),
        ];
        for (text, want, why) in cases {
            assert_eq!(message(text, limits).as_deref(), want, "{why}: {text}");
        }
        let deep = "[".repeat(100_000);
        let boundless = Limits { nodes: usize::MAX, depth: usize::MAX };
        assert_eq!(message(&deep, boundless).as_deref(), Some("nested deeper than 500 levels"));
    }

    #[test]
    fn aliases_share_their_node() {
        let (documents, _) = parse("a: &x [1]\nb: *x", Limits::default());
        let NodeKind::Mapping(entries) = &documents[0].kind else { panic!("a mapping") };
        match (&entries[0].1.kind, &entries[1].1.kind) {
            (NodeKind::Sequence(one), NodeKind::Sequence(other)) => {
                assert!(std::sync::Arc::ptr_eq(one, other))
            }
            other => panic!("two lists, not {other:?}"),
        }
    }

    #[test]
    fn tags_are_resolved() {
        let cases = [
            ("!!str x", Some("tag:yaml.org,2002:str"), "the YAML namespace"),
            ("!x y", Some("!x"), "a local tag"),
            ("! x", Some("!"), "the non-specific tag"),
            ("!<tag:a,1:b> x", Some("tag:a,1:b"), "a verbatim tag"),
            ("%TAG !e! tag:e,1:\n---\n!e!f%41 x", Some("tag:e,1:fA"), "a declared handle"),
            ("%TAG ! tag:e,1:\n---\n!f x", Some("tag:e,1:f"), "the local handle, declared anew"),
            ("!!map {a: b}", Some("tag:yaml.org,2002:map"), "on a mapping"),
            ("x", None, "none"),
        ];
        for (text, want, why) in cases {
            let (documents, error) = parse(text, Limits::default());
            assert_eq!(error, None, "{why}: {text}");
            assert_eq!(documents[0].tag.as_deref(), want, "{why}: {text}");
        }
        assert_eq!(message("!e!f x", Limits::default()).as_deref(), Some("found undefined tag handle"));
    }
}
