//! Documents in Markdown: made from the templates of `templates/report/`, never too long.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use sha1::{Digest, Sha1};

/// GitHub takes 65,536 characters; what is left is for the caller's own marker.
///
/// Counted in bytes, which are never fewer than characters however those are counted.
pub const MAX_DOCUMENT: usize = 64_000;
/// A title has at most this many characters.
pub(crate) const MAX_TITLE: usize = 120;

/// A title and a text in Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// One line
    pub title: String,
    /// Markdown
    pub body: String,
    /// A hash of both without what differs from run to run: as long as it is the same, nothing needs to be written
    pub digest: String,
}

/// The hexadecimal SHA-1 of `text`.
pub(crate) fn hash(text: &str) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A title of bounded length.
pub(crate) fn title(text: &str) -> String {
    crate::markdown::cut(text.chars(), MAX_TITLE - 1)
}

/// The text of a template for `context`.
pub(crate) fn render(template: &str, context: Value) -> String {
    let rendered = TEMPLATES.get_template(template).and_then(|template| template.render(context));
    // A template of ours that fails is a mistake that tests find; a text that says so is better than none.
    let mut text = rendered.unwrap_or_else(|error| format!("{error:#}\n"));
    // What is empty leaves no gap. No block of code has an empty line: there, every line begins with something.
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text.trim().to_owned() + "\n"
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(syntax());
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    for (name, text) in TEXTS {
        // Those that do not parse are missed when they are rendered.
        let _ = environment.add_template(name, text);
    }
    environment
});

/// Lines that only hold a block leave nothing behind.
fn syntax() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    // Only new delimiters can be refused, and these are Jinja's own.
    syntax.build().unwrap_or_default()
}

const TEXTS: [(&str, &str); 12] = [
    ("section", include_str!("../../../templates/report/section.md.jinja")),
    ("pull-request", include_str!("../../../templates/report/pull-request.md.jinja")),
    ("issue", include_str!("../../../templates/report/issue.md.jinja")),
    ("overview", include_str!("../../../templates/report/overview.md.jinja")),
    ("resolved", include_str!("../../../templates/report/resolved.md.jinja")),
    ("not-needed", include_str!("../../../templates/report/not-needed.md.jinja")),
    ("summary", include_str!("../../../templates/report/summary.md.jinja")),
    ("fleet", include_str!("../../../templates/report/fleet.md.jinja")),
    ("fleet-status", include_str!("../../../templates/report/fleet-status.md.jinja")),
    ("check", include_str!("../../../templates/report/check.md.jinja")),
    ("promotion", include_str!("../../../templates/report/promotion.md.jinja")),
    ("failure", include_str!("../../../templates/report/failure.md.jinja")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_parse() {
        for (name, _) in TEXTS {
            assert!(TEMPLATES.get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn hashes() {
        assert_eq!(hash("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d", "as FIPS 180 gives it");
    }
}
