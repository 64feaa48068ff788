//! The expressions of GitHub's workflows, as far as our files use them; anything else is an error.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

/// What expressions can name, and how everything went until here.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) contexts: Map<String, Value>,
    pub(crate) so_far: SoFar,
}

/// How what must come before has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SoFar {
    Well,
    Badly,
    /// Nothing failed, but something did not run
    Skipped,
}

/// What a condition asks for that is not to be combined with `success()`.
const STATUS_FUNCTIONS: [&str; 3] = ["failure()", "cancelled()", "success()"];

impl Scope {
    /// A text with its expressions replaced; one that is nothing but an expression has the expression's type.
    pub(crate) fn expand(&self, text: &str) -> Result<Value> {
        let bare = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
        if let Some(bare) = bare.filter(|bare| !bare.contains("${{")) {
            return self.evaluate(bare);
        }
        let mut parts = text.split("${{");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (expression, rest) = part.split_once("}}").with_context(|| format!("`{text}` has no end"))?;
            whole += &plain(&self.evaluate(expression)?)?;
            whole += rest;
        }
        Ok(Value::from(whole))
    }

    /// The same as text.
    pub(crate) fn text(&self, text: &str) -> Result<String> {
        plain(&self.expand(text)?)
    }

    /// Whether a job or step is to run.
    pub(crate) fn admits(&self, condition: Option<&str>) -> Result<bool> {
        let Some(condition) = condition else { return Ok(self.so_far == SoFar::Well) };
        let named = STATUS_FUNCTIONS.iter().any(|function| condition.contains(function));
        let holds = holds(&self.expand(condition)?);
        Ok(holds && (named || self.so_far == SoFar::Well))
    }

    fn evaluate(&self, expression: &str) -> Result<Value> {
        let tokens = tokens(expression)?;
        let mut parser = Parser { scope: self, tokens: &tokens };
        let value = parser.either().with_context(|| format!("in `{}`", expression.trim()))?;
        ensure!(parser.tokens.is_empty(), "`{}` goes on after its end", expression.trim());
        Ok(value)
    }
}

/// What a value is in a text.
pub(crate) fn plain(value: &Value) -> Result<String> {
    Ok(match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => bail!("{value} is no text"),
    })
}

/// Whether a value counts as true.
fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Whether values are equal as GitHub compares them: texts without case, other types as numbers.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.to_lowercase() == right.to_lowercase(),
        _ => {
            matches!((number(left), number(right)), (Some(left), Some(right)) if (left - right).abs() == 0.0)
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(0.0),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.trim().is_empty() => Some(0.0),
        Value::String(text) => text.trim().parse().ok(),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Sign(&'static str),
}

/// The longer ones come first.
const SIGNS: [&str; 9] = ["&&", "||", "==", "!=", "!", "(", ")", ",", "."];

fn tokens(expression: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if let Some(quoted) = rest.strip_prefix('\'') {
            let (text, after) = quoted.split_once('\'').context("a text has no end")?;
            ensure!(!after.starts_with('\''), "a quote within a text is not known here");
            tokens.push(Token::Text(text.to_owned()));
            rest = after;
        } else if first.is_ascii_alphabetic() {
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            bail!("`{first}` is not known here: {expression}");
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    scope: &'a Scope,
    tokens: &'a [Token],
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Value> {
        let mut value = self.both()?;
        while self.accept("||") {
            let other = self.both()?;
            value = if holds(&value) { value } else { other };
        }
        Ok(value)
    }

    fn both(&mut self) -> Result<Value> {
        let mut value = self.comparison()?;
        while self.accept("&&") {
            let other = self.comparison()?;
            value = if holds(&value) { other } else { value };
        }
        Ok(value)
    }

    fn comparison(&mut self) -> Result<Value> {
        let value = self.unary()?;
        if self.accept("==") {
            return Ok(equal(&value, &self.unary()?).into());
        }
        if self.accept("!=") {
            return Ok((!equal(&value, &self.unary()?)).into());
        }
        Ok(value)
    }

    fn unary(&mut self) -> Result<Value> {
        if self.accept("!") {
            return Ok((!holds(&self.unary()?)).into());
        }
        if self.accept("(") {
            let value = self.either()?;
            self.expect(")")?;
            return Ok(value);
        }
        let (first, rest) = self.tokens.split_first().context("it ends too early")?;
        self.tokens = rest;
        match first {
            Token::Text(text) => Ok(Value::from(&**text)),
            Token::Name(name) if matches!(&**name, "true" | "false") => Ok(Value::from(name == "true")),
            Token::Name(name) if self.accept("(") => self.call(name),
            Token::Name(name) => self.context(name),
            Token::Sign(sign) => bail!("`{sign}` stands where a value must"),
        }
    }

    fn call(&mut self, name: &str) -> Result<Value> {
        let mut arguments = Vec::new();
        while !self.accept(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.either()?);
        }
        match (name, &arguments[..]) {
            ("success", []) => Ok((self.scope.so_far == SoFar::Well).into()),
            ("failure", []) => Ok((self.scope.so_far == SoFar::Badly).into()),
            // Nobody calls off anything here.
            ("cancelled", []) => Ok(false.into()),
            ("toJSON", [value]) => Ok(value.to_string().into()),
            ("fromJSON", [Value::String(text)]) => {
                serde_json::from_str(text).with_context(|| format!("`{text}` is no JSON"))
            }
            ("format", [Value::String(pattern), values @ ..]) => {
                let mut text = pattern.clone();
                for (index, value) in values.iter().enumerate() {
                    text = text.replace(&format!("{{{index}}}"), &plain(value)?);
                }
                Ok(text.into())
            }
            _ => bail!("{name} with {} arguments is not known here", arguments.len()),
        }
    }

    fn context(&mut self, name: &str) -> Result<Value> {
        let context = self.scope.contexts.get(name);
        let mut value = context.cloned().with_context(|| format!("`{name}` is not to be had here"))?;
        // Every context has its names, be they without a value: another one is a slip. What is below may be missing.
        let mut is_first = true;
        while self.accept(".") {
            let Some((Token::Name(key), rest)) = self.tokens.split_first() else {
                bail!("a name is missing")
            };
            self.tokens = rest;
            let found = value.get(key).cloned();
            ensure!(found.is_some() || !is_first, "{name} has no `{key}`");
            value = found.unwrap_or_default();
            is_first = false;
        }
        Ok(value)
    }

    fn accept(&mut self, sign: &'static str) -> bool {
        match self.tokens.split_first() {
            Some((Token::Sign(next), rest)) if *next == sign => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, sign: &'static str) -> Result<()> {
        ensure!(self.accept(sign), "`{sign}` is missing");
        Ok(())
    }
}

#[test]
fn expressions_are_what_github_makes_of_them() {
    let contexts = serde_json::json!({
        "inputs": { "environment": "dev", "empty": "", "absent": null, "yes": true, "no": false },
        "needs": { "list": { "outputs": { "declared": "[\"dev\",\"stage\"]" } }, "skipped": { "outputs": {} } },
        "vars": { "UNSET": "" },
    });
    let Value::Object(contexts) = contexts else { panic!("a mapping") };
    let table = [
        ("dev", Ok("dev"), "no expression"),
        ("a ${{ inputs.environment }} b", Ok("a dev b"), "within a text"),
        ("${{ inputs.yes }}", Ok("true"), "a boolean"),
        ("${{ inputs.absent == '' }}", Ok("true"), "nothing equals an empty text"),
        ("${{ inputs.environment == 'DEV' }}", Ok("true"), "case does not count"),
        ("${{ inputs.environment != '' }}", Ok("true"), "it is given"),
        ("${{ inputs.empty || vars.UNSET || 'else' }}", Ok("else"), "what is not set is skipped"),
        (
            "${{ inputs.environment && format('-{0}', inputs.environment) }}",
            Ok("-dev"),
            "only where it is given",
        ),
        ("${{ inputs.empty && format('-{0}', inputs.empty) }}", Ok(""), "the first that is empty"),
        ("${{ toJSON(fromJSON(needs.list.outputs.declared || '[]')) }}", Ok("[\"dev\",\"stage\"]"), "a list"),
        (
            "${{ needs.skipped.outputs.declared || format('[{0}]', toJSON(inputs.environment)) }}",
            Ok("[\"dev\"]"),
            "no output",
        ),
        ("${{ !failure() && !cancelled() }}", Ok("true"), "all went well"),
        ("${{ inputs.enviroment }}", Err(()), "a slip"),
        ("${{ enviroment }}", Err(()), "a slip in the first name"),
        ("${{ contains('a', 'a') }}", Err(()), "a function that our files do not use"),
        ("${{ 'a' 'b' }}", Err(()), "two values"),
        ("${{ 'a", Err(()), "no end"),
    ];
    let scope = Scope { contexts, so_far: SoFar::Well };
    for (text, want, why) in table {
        let got = scope.text(text).map_err(drop);
        assert_eq!(got.as_deref(), want.as_ref().copied(), "{why}: {text}");
    }
    for (so_far, condition, want) in [
        (SoFar::Well, None, true),
        (SoFar::Skipped, None, false),
        (SoFar::Skipped, Some("${{ inputs.yes }}"), false),
        (SoFar::Skipped, Some("${{ !failure() && !cancelled() }}"), true),
        (SoFar::Badly, Some("${{ !failure() && !cancelled() }}"), false),
        (SoFar::Badly, Some("${{ !cancelled() }}"), true),
    ] {
        let scope = Scope { so_far, ..scope.clone() };
        assert_eq!(scope.admits(condition).unwrap(), want, "{so_far:?}, {condition:?}");
    }
}
