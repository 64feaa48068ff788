//! Markdown as GitHub shows it.

/// What GitHub makes of a text, without what it shows as code.
pub(crate) fn outside_of_code(text: &str) -> String {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.render.r#unsafe = true;
    let html = comrak::markdown_to_html(text, &options);
    let mut parts = html.split("<code");
    let mut outside = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| outside += part.split_once("</code>").map_or(part, |(_, after)| after));
    outside
}
