//! Text from repositories in Markdown: shown as it is, whatever stands in it.

use crate::terminal::visible;

/// Inline code is cut behind this many characters.
const LONGEST: usize = 300;
/// Lines of a block are cut behind this many characters.
const LONGEST_LINE: usize = 300;
/// A block is cut behind this many lines.
const MOST_LINES: usize = 30;
/// A run of this many backticks in a block is cut: Markdown knows no fence of any length.
const LONGEST_RUN: usize = 80;

/// `text` as inline code.
pub(crate) fn code(text: &str) -> String {
    let text =
        cut(text.chars().map(|character| if character == '\n' { ' ' } else { visible(character) }), LONGEST);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(unused_run(&text));
    // Markdown takes away one space at both ends, unless there is nothing else.
    let is_blank = text.trim_matches(' ').is_empty();
    let needs_space = text.starts_with('`') || text.ends_with('`');
    let loses_space = text.starts_with(' ') && text.ends_with(' ') && !is_blank;
    let space = if needs_space || loses_space { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// `text` as inline code in a cell of a table.
pub(crate) fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// `text` as a block of code; a cut is said.
pub(crate) fn block(text: &str) -> String {
    fenced("text", text.lines())
}

/// Lines that begin with `+`, `-` or a space, as a block.
pub(crate) fn diff(text: &str) -> String {
    fenced("diff", text.lines())
}

/// `text` in a title: plain where it is a name, else as inline code.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._/-".contains(character);
    match !text.is_empty() && text.len() <= LONGEST && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => code(text),
    }
}

/// A link around Markdown of ours; without a plain web address, only that.
pub(crate) fn link(markdown: &str, url: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "-._~:/?#=&%+,@".contains(character);
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    match is_web && url.chars().all(is_plain) {
        true => format!("[{markdown}]({url})"),
        false => markdown.to_owned(),
    }
}

/// A path as it stands in a web address.
pub(crate) fn url_path(path: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            (byte as char).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(encode).collect()
}

/// The first characters of a text; what is missing is told by `…`.
pub(crate) fn cut(mut characters: impl Iterator<Item = char>, longest: usize) -> String {
    let mut text: String = characters.by_ref().take(longest).collect();
    text.extend(characters.next().map(|_| '…'));
    text
}

/// The shortest run of backticks that does not stand in `text`.
fn unused_run(text: &str) -> usize {
    let runs: Vec<usize> = text.split(|character| character != '`').map(str::len).collect();
    (1..).find(|length| !runs.contains(length)).unwrap_or(1)
}

fn fenced<'t>(language: &str, lines: impl Iterator<Item = &'t str>) -> String {
    let mut lines = lines.map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        cut(
            line.chars().map(|character| if character == '\t' { character } else { visible(character) }),
            LONGEST_LINE,
        )
    });
    let mut text: String = lines.by_ref().take(MOST_LINES).map(|line| shorten_runs(&line) + "\n").collect();
    let rest = lines.count();
    if rest > 0 {
        text += &format!("… {rest} more lines\n");
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}{language}\n{text}{fence}\n")
}

fn shorten_runs(line: &str) -> String {
    let too_long = "`".repeat(LONGEST_RUN);
    match line.split_once(&too_long) {
        Some((before, after)) => format!("{before}{too_long}…{}", after.trim_start_matches('`')),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn html(markdown: &str) -> String {
        let mut options = comrak::Options::default();
        options.extension.table = true;
        options.extension.autolink = true;
        options.extension.strikethrough = true;
        options.extension.tasklist = true;
        options.extension.footnotes = true;
        options.render.r#unsafe = true;
        comrak::markdown_to_html(markdown, &options)
    }

    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    }

    #[test]
    fn inline_code() {
        let cases = [
            ("a", "`a`", "a name"),
            ("", "(empty)", "nothing has no code"),
            (" ", "` `", "a space alone stays"),
            (" a ", "`  a  `", "space at both ends"),
            ("a`b", "``a`b``", "a backtick"),
            ("``", "` `` `", "two of them, at the ends"),
            ("`a``b", "``` `a``b ```", "runs of one and two"),
            ("a\nb\u{1b}[31m\u{202e}", "`a b\u{fffd}[31m\u{fffd}`", "what steers a terminal or a reader"),
        ];
        for (text, want, why) in cases {
            assert_eq!(code(text), want, "{why}");
        }
        assert_eq!(code(&"x".repeat(301)), format!("`{}…`", "x".repeat(300)), "a long text is cut");
    }

    #[test]
    fn links() {
        let cases = [
            ("https://github.com/contoso/a", "[x](https://github.com/contoso/a)", "a web address"),
            ("javascript:alert(1)", "x", "another scheme"),
            ("https://github.com/a) ![x](https://evil.example/", "x", "a way out of the link"),
            ("https://github.com/a b", "x", "a space"),
        ];
        for (url, want, why) in cases {
            assert_eq!(link("x", url), want, "{why}");
        }
    }

    #[test]
    fn words() {
        let cases =
            [("dev", "dev"), ("a/b-c_d.e", "a/b-c_d.e"), ("@everyone", "`@everyone`"), ("", "(empty)")];
        for (text, want) in cases {
            assert_eq!(word(text), want);
        }
    }

    #[test]
    fn a_block_is_cut() {
        let text = block(&"x\n".repeat(35));
        assert!(text.ends_with("x\n… 5 more lines\n```\n"), "{text}");
        let text = block(&"`".repeat(300));
        assert_eq!(html(&text).matches("<pre").count(), 1);
        assert!(html(&text).contains("…"), "{text}");
    }

    /// What Markdown, HTML and GitHub see something special in.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "`{1,6}",
            " {1,2}",
            Just("\n".to_owned()),
            Just("\r".to_owned()),
            "[|\\\\*_~<>&\"'#@!\\[\\]()-]",
            "[a-z0-9]{1,3}",
            Just("https://evil.example".to_owned()),
            Just("a@b.example".to_owned()),
            Just("<img src=x>".to_owned()),
            Just("</details>".to_owned()),
            Just("</code>".to_owned()),
            Just("@everyone".to_owned()),
            Just("<!-- kalypso".to_owned()),
            Just("#1".to_owned()),
            Just("::add-mask::x".to_owned()),
            Just("\u{1b}[31m".to_owned()),
            Just("![x](http://x)".to_owned()),
            Just("\n```\n".to_owned()),
            any::<char>().prop_map(String::from),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn inline_code_is_code_only(text in hostile()) {
            let rendered = html(&format!("- x {} y\n", code(&text)));
            let inside = rendered.strip_prefix("<ul>\n<li>x ").and_then(|rest| rest.strip_suffix(" y</li>\n</ul>\n"));
            let inside = inside.ok_or_else(|| TestCaseError::fail(rendered.clone()))?;
            let shown: String = text.chars().map(|it| if it == '\n' { ' ' } else { visible(it) }).collect();
            match shown.is_empty() {
                true => prop_assert_eq!(inside, "(empty)"),
                false => prop_assert_eq!(inside, format!("<code>{}</code>", escaped(&shown))),
            }
        }

        #[test]
        fn a_cell_stays_one(text in hostile()) {
            let rendered = html(&format!("| a | b |\n|---|---|\n| {} | y |\n", cell(&text)));
            let shown: String = text.chars().map(|it| if it == '\n' { ' ' } else { visible(it) }).collect();
            let want = if shown.is_empty() { "(empty)".to_owned() } else { format!("<code>{}</code>", escaped(&shown)) };
            prop_assert!(rendered.contains(&format!("<td>{want}</td>\n<td>y</td>")), "{rendered}");
        }

        #[test]
        fn a_block_is_a_block_only(text in hostile()) {
            let rendered = html(&format!("{}y\n", block(&text)));
            let inside = rendered.strip_prefix("<pre><code class=\"language-text\">").and_then(|rest| rest.strip_suffix("</code></pre>\n<p>y</p>\n"));
            let inside = inside.ok_or_else(|| TestCaseError::fail(rendered.clone()))?;
            prop_assert!(!inside.contains('<'), "{inside}");
            prop_assert!(!inside.chars().any(|it| it.is_control() && it != '\n' && it != '\t'), "no control characters");
        }
    }
}
