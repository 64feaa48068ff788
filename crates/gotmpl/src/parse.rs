//! Builds the trees of a template from its tokens, as Go's parser does.

use crate::ast::{Branch, Call, Callee, Command, Name, Node, Operand, Pipe, Term, Tree};
use crate::constant::{self, Number};
use crate::lex::{self, Kind, Token};
use crate::{Error, Str, builtins, functions, print};

/// Blocks and parentheses within one another; more would threaten the stack.
const MAX_NESTING: usize = 200;

/// The name of the text itself, which a `define` of that name can replace if the text is empty.
pub(crate) const MAIN: &str = "template";

/// The trees of `text`: one for itself, one for every `define` and `block`.
pub(crate) fn parse(text: &str) -> Result<Vec<Tree>, Error> {
    let mut parser = Parser {
        text,
        tokens: lex::lex(text),
        at: 0,
        trees: Vec::new(),
        scope: Scope::default(),
        action: 0,
        nesting: 0,
    };
    let body = parser.main()?;
    parser.add(MAIN.into(), body)?;
    resolve_calls(&mut parser.trees);
    Ok(parser.trees)
}

type Result<T, E = Error> = std::result::Result<T, E>;

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    at: usize,
    trees: Vec<Tree>,
    scope: Scope,
    /// Where the latest action begins
    action: usize,
    nesting: usize,
}

/// What is known within one body.
struct Scope {
    variables: Vec<Box<str>>,
    ranges: usize,
}

impl Default for Scope {
    fn default() -> Self {
        Scope { variables: vec!["$".into()], ranges: 0 }
    }
}

/// A node, or what ends a list of nodes.
enum Item {
    Node(Node),
    Else,
    End,
}

impl Item {
    fn name(&self) -> &'static str {
        match self {
            Item::Else => "{{else}}",
            _ => "{{end}}",
        }
    }
}

impl<'t> Parser<'t> {
    fn main(&mut self) -> Result<Vec<Node>> {
        let mut body = Vec::new();
        loop {
            match self.peek().kind {
                Kind::Eof => return Ok(body),
                Kind::LeftDelimiter => {
                    let start = self.at;
                    self.action = self.next().offset;
                    if self.next_non_space().kind == Kind::Define {
                        self.definition()?;
                        continue;
                    }
                    self.at = start;
                }
                _ => {}
            }
            match self.item()? {
                Item::Node(node) => body.push(node),
                end => {
                    let help = "no block is open here: remove it, or add what it is to end";
                    let error = self.error_at(self.action, format!("unexpected {}", end.name()));
                    return Err(error.with_help(Some(help.into())));
                }
            }
        }
    }

    /// The rest of `{{define "name"}} … {{end}}`.
    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let name = self.template_name(CONTEXT)?;
        self.expect(Kind::RightDelimiter, CONTEXT)?;
        self.named_body(name, CONTEXT)
    }

    /// A body up to its `{{end}}`, with variables of its own.
    fn named_body(&mut self, name: Str, context: &str) -> Result<()> {
        let outer = std::mem::take(&mut self.scope);
        let (body, end) = self.items(self.action)?;
        self.scope = outer;
        match end {
            Item::End => self.add(name, body),
            _ => Err(self.error(format!("unexpected {} in {context}", end.name()))),
        }
    }

    /// Empty bodies make way for others, and replace none.
    fn add(&mut self, name: Str, body: Vec<Node>) -> Result<()> {
        match self.trees.iter_mut().find(|tree| tree.name == name) {
            None => self.trees.push(Tree { name, body }),
            Some(tree) if is_empty(&tree.body) => tree.body = body,
            Some(_) if is_empty(&body) => {}
            Some(_) => {
                let name = print::quote(&name).to_text().into_owned();
                return Err(self.error(format!("multiple definition of template {name}")));
            }
        }
        Ok(())
    }

    /// Nodes up to the `{{end}}` or `{{else}}` of the block that was `opened` there.
    fn items(&mut self, opened: usize) -> Result<(Vec<Node>, Item)> {
        self.descend()?;
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != Kind::Eof {
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                end => {
                    self.nesting -= 1;
                    return Ok((nodes, end));
                }
            }
        }
        let help = "what begins here needs its `{{end}}`";
        Err(self.error_at(opened, "unexpected EOF".into()).with_help(Some(help.into())))
    }

    fn item(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.text.into()))),
            Kind::LeftDelimiter => {
                self.action = token.offset;
                self.action()
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let start = self.at;
        let token = self.next_non_space();
        Ok(Item::Node(match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => self.leave_range(Node::Break, "{{break}}")?,
            Kind::Continue => self.leave_range(Node::Continue, "{{continue}}")?,
            Kind::Else => {
                // `{{else if …` leaves the `if` for the caller.
                if self.peek_non_space().kind != Kind::If {
                    self.expect(Kind::RightDelimiter, "else")?;
                }
                return Ok(Item::Else);
            }
            Kind::End => {
                self.expect(Kind::RightDelimiter, "end")?;
                return Ok(Item::End);
            }
            Kind::If => Node::If(self.branch("if")?),
            Kind::Range => Node::Range(self.branch("range")?),
            Kind::Template => self.template()?,
            Kind::With => Node::With(self.branch("with")?),
            _ => {
                self.at = start;
                Node::Action(self.pipeline("command", Kind::RightDelimiter)?)
            }
        }))
    }

    fn leave_range(&mut self, node: Node, name: &str) -> Result<Node> {
        let token = self.next_non_space();
        if token.kind != Kind::RightDelimiter {
            return Err(self.unexpected(&token, name));
        }
        if self.scope.ranges == 0 {
            return Err(self.error(format!("{name} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    fn branch(&mut self, context: &str) -> Result<Branch> {
        let ranges = usize::from(context == "range");
        let (known, opened) = (self.scope.variables.len(), self.action);
        let pipe = self.pipeline(context, Kind::RightDelimiter)?;
        self.scope.ranges += ranges;
        let (body, end) = self.items(opened)?;
        self.scope.ranges -= ranges;
        let otherwise = match end {
            Item::Else if context == "if" && self.peek().kind == Kind::If => {
                self.next();
                self.descend()?;
                let nested = self.branch("if")?;
                self.nesting -= 1;
                Some(vec![Node::If(nested)])
            }
            Item::Else => {
                let (nodes, end) = self.items(opened)?;
                if let Item::Else = end {
                    return Err(self.error("expected end; found {{else}}".into()));
                }
                Some(nodes)
            }
            _ => None,
        };
        self.scope.variables.truncate(known);
        Ok(Branch { pipe, body, otherwise })
    }

    fn block(&mut self) -> Result<Node> {
        const CONTEXT: &str = "block clause";
        let offset = self.peek_non_space().offset;
        let name = self.template_name(CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelimiter)?;
        self.named_body(name.clone(), CONTEXT)?;
        Ok(Node::Template(Call { offset, name, tree: None, pipe: Some(pipe) }))
    }

    fn template(&mut self) -> Result<Node> {
        const CONTEXT: &str = "template clause";
        let offset = self.peek_non_space().offset;
        let name = self.template_name(CONTEXT)?;
        let pipe = if self.peek_non_space().kind == Kind::RightDelimiter {
            self.next();
            None
        } else {
            Some(self.pipeline(CONTEXT, Kind::RightDelimiter)?)
        };
        Ok(Node::Template(Call { offset, name, tree: None, pipe }))
    }

    fn template_name(&mut self, context: &str) -> Result<Str> {
        let token = self.next_non_space();
        match token.kind {
            Kind::String | Kind::RawString => self.unquote(&token),
            _ => Err(self.unexpected(&token, context)),
        }
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
        self.descend()?;
        let offset = self.peek_non_space().offset;
        let mut pipe = Pipe { offset, variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.peek_non_space();
            if token.kind == end {
                self.next();
                break;
            }
            if !begins_operand(token.kind) {
                return Err(self.unexpected(&token, context));
            }
            pipe.commands.push(self.command()?);
        }
        if pipe.commands.is_empty() {
            let help = match context {
                "range" => "name what to go through, such as `.Labels`",
                _ => "write a value or a function here",
            };
            return Err(self.error(format!("missing value for {context}")).with_help(Some(help.into())));
        }
        for (stage, command) in pipe.commands.iter().enumerate().skip(1) {
            if is_constant(&command.first.term) {
                let message = format!("non executable command in pipeline stage {}", stage + 1);
                return Err(self.error_at(command.offset, message));
            }
        }
        self.nesting -= 1;
        Ok(pipe)
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<()> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            let start = self.at;
            self.next();
            let next = self.peek_non_space();
            let comma = next.kind == Kind::Char && next.text == ",";
            if !comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
                // An argument, not a declaration.
                self.at = start;
                return Ok(());
            }
            self.next();
            pipe.variables.push((&*variable.text).into());
            self.scope.variables.push(variable.text.into());
            if !comma {
                pipe.assigns = next.kind == Kind::Assign;
                return Ok(());
            }
            if context != "range" || pipe.variables.len() > 1 {
                return Err(self.error_at(next.offset, format!("too many declarations in {context}")));
            }
            let after = self.peek_non_space();
            if !matches!(after.kind, Kind::Variable | Kind::RightDelimiter | Kind::RightParenthesis) {
                return Err(self.error_at(after.offset, "range can only initialize variables".into()));
            }
        }
    }

    /// Operands up to a `|`, which is consumed, or to what ends the pipeline.
    fn command(&mut self) -> Result<Command> {
        let offset = self.peek_non_space().offset;
        let mut operands = Vec::new();
        loop {
            self.peek_non_space();
            operands.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelimiter | Kind::RightParenthesis => {
                    self.at -= 1;
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        let mut operands = operands.into_iter();
        match operands.next() {
            Some(first) => Ok(Command { offset, first, arguments: operands.collect() }),
            None => Err(self.error("empty command".into())),
        }
    }

    /// A term and the fields that follow it; `None` if there is no term.
    fn operand(&mut self) -> Result<Option<Operand>> {
        let Some(Operand { offset, mut term }) = self.term()? else { return Ok(None) };
        let first_field = self.peek();
        if first_field.kind != Kind::Field {
            return Ok(Some(Operand { offset, term }));
        }
        let mut names = Vec::new();
        while self.peek().kind == Kind::Field {
            names.push(Name::of_field(&self.next().text));
        }
        term = match term {
            Term::Field(mut all) => {
                all.extend(names);
                Term::Field(all)
            }
            Term::Variable(variable, _) => Term::Variable(variable, names),
            Term::Bool(_) | Term::Text(..) | Term::Number(_) | Term::Nil | Term::Dot => {
                let shown = print::quote_text(&Operand { offset, term }.to_string());
                return Err(self.error_at(first_field.offset, format!("unexpected . after term {shown}")));
            }
            term => Term::Chain(Box::new(Operand { offset, term }), names),
        };
        // Go counts from the first of the further fields.
        Ok(Some(Operand { offset: first_field.offset, term }))
    }

    fn term(&mut self) -> Result<Option<Operand>> {
        let start = self.at;
        let token = self.next_non_space();
        let term = match token.kind {
            Kind::Identifier => Term::Function(self.callee(&token)?),
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable => {
                if !self.scope.variables.iter().any(|known| **known == token.text) {
                    let name = print::quote_text(&token.text);
                    let help = match nearest(&token.text, self.scope.variables.iter().map(|known| &**known)) {
                        Some(nearest) => format!("did you mean `{nearest}`?"),
                        None => format!("declare it before, with `{} := …`", token.text),
                    };
                    let error = self.error_at(token.offset, format!("undefined variable {name}"));
                    return Err(error.with_help(Some(help)));
                }
                Term::Variable(token.text.into(), Vec::new())
            }
            Kind::Field => Term::Field(vec![Name::of_field(&token.text)]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::CharConstant => self.number(&token, Number::character)?,
            Kind::Complex => self.number(&token, Number::complex)?,
            Kind::Number => self.number(&token, Number::plain)?,
            Kind::LeftParenthesis => {
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParenthesis)?;
                return Ok(Some(Operand { offset: pipe.offset, term: Term::Pipe(pipe) }));
            }
            Kind::String | Kind::RawString => {
                let text = self.unquote(&token)?;
                Term::Text(token.text.into(), text)
            }
            _ => {
                self.at = start;
                return Ok(None);
            }
        };
        Ok(Some(Operand { offset: token.offset, term }))
    }

    fn number(&self, token: &Token, parse: fn(&str) -> Result<Number, String>) -> Result<Term> {
        parse(&token.text).map(Term::Number).map_err(|message| self.error_at(token.offset, message))
    }

    fn callee(&self, token: &Token) -> Result<Callee> {
        let name = &*token.text;
        if let Some(function) = functions::lookup(name) {
            return Ok(Callee::Function(function));
        }
        if let Some(builtin) = builtins::lookup(name) {
            return Ok(Callee::Builtin(builtin));
        }
        let quoted = print::quote_text(name);
        if let Some(reason) = functions::refused(name) {
            let error = self.error_at(token.offset, format!("function {quoted} is refused ({reason})"));
            let help = "the same input must give the same bytes: put the value into a ConfigMap";
            return Err(error.with_help(Some(help.into())));
        }
        let names = functions::names().into_iter().chain(builtins::names());
        let help = match nearest(name, names) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "the functions are those of Go templates and sprig, and toYaml, stringify, hash, unquote"
                .to_owned(),
        };
        let help = Some(help);
        Err(self.error_at(token.offset, format!("function {quoted} not defined")).with_help(help))
    }

    fn unquote(&self, token: &Token) -> Result<Str> {
        match constant::unquote(&token.text) {
            Some(bytes) => Ok(bytes.into()),
            None => Err(self.error_at(token.offset, "invalid syntax".into())),
        }
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<()> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(()) } else { Err(self.unexpected(&token, context)) }
    }

    fn descend(&mut self) -> Result<()> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.error(format!("blocks and parentheses are nested more than {MAX_NESTING} deep")));
        }
        Ok(())
    }

    fn unexpected(&self, token: &Token, context: &str) -> Error {
        if token.kind != Kind::Error {
            let help = token.text.starts_with('}').then(|| "an action ends in `}}`".to_owned());
            let error = self.error_at(token.offset, format!("unexpected {} in {context}", token.name()));
            return error.with_help(help);
        }
        // What is not closed began where its action began.
        let offset = if token.text == "unclosed action" { self.action } else { token.offset };
        self.error_at(offset, token.name())
    }

    fn error(&self, message: String) -> Error {
        let last = self.at.saturating_sub(1).min(self.tokens.len().saturating_sub(1));
        self.error_at(self.tokens.get(last).map_or(0, |token| token.offset), message)
    }

    fn error_at(&self, offset: usize, message: String) -> Error {
        Error::at(self.text, offset, message)
    }

    fn next(&mut self) -> Token<'t> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// The last token comes again and again.
    fn peek(&self) -> Token<'t> {
        let last = self.tokens.len().saturating_sub(1);
        match self.tokens.get(self.at.min(last)) {
            Some(token) => token.clone(),
            None => Token { kind: Kind::Eof, offset: self.text.len(), text: "".into() },
        }
    }

    fn next_non_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'t> {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
        self.peek()
    }
}

impl Name {
    /// From a field with its dot.
    fn of_field(field: &str) -> Name {
        let text = field.strip_prefix('.').unwrap_or(field);
        Name { text: text.into(), key: text.into() }
    }
}

fn begins_operand(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Bool
            | Kind::CharConstant
            | Kind::Complex
            | Kind::Dot
            | Kind::Field
            | Kind::Identifier
            | Kind::Number
            | Kind::Nil
            | Kind::RawString
            | Kind::String
            | Kind::Variable
            | Kind::LeftParenthesis
    )
}

fn is_constant(term: &Term) -> bool {
    matches!(term, Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Text(..))
}

/// Whether there is nothing but space.
fn is_empty(body: &[Node]) -> bool {
    body.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}

fn resolve_calls(trees: &mut [Tree]) {
    let names: Vec<Str> = trees.iter().map(|tree| tree.name.clone()).collect();
    for tree in trees {
        resolve_in(&mut tree.body, &names);
    }
}

fn resolve_in(nodes: &mut [Node], names: &[Str]) {
    for node in nodes {
        match node {
            Node::Template(call) => call.tree = names.iter().position(|name| *name == call.name),
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                resolve_in(&mut branch.body, names);
                resolve_in(branch.otherwise.as_deref_mut().unwrap_or_default(), names);
            }
            Node::Text(_) | Node::Action(_) | Node::Break | Node::Continue => {}
        }
    }
}

/// The candidate that `name` was probably meant to be.
pub(crate) fn nearest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let allowed = 1 + name.chars().count() / 4;
    candidates
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}
