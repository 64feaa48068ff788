//! Replays the inputs of `fuzz/corpus`: seeds, and whatever fuzzing once found.

use std::path::Path;
use std::{fs, panic};

use anyhow::{Context, Result};

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is the library of the fuzz targets")]
mod fuzz;

const TARGETS: [(&str, fn(&[u8])); 7] = [
    ("config_merge", fuzz::config_merge),
    ("go_template", fuzz::go_template),
    ("jinja_template", fuzz::jinja_template),
    ("json_schema", fuzz::json_schema),
    ("objects", fuzz::objects),
    ("source_ignore", fuzz::source_ignore),
    ("yaml", fuzz::yaml),
];

#[test]
fn replay() -> Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut folders: Vec<_> = fs::read_dir(&corpus)?.map(|it| Ok(it?.file_name())).collect::<Result<_>>()?;
    folders.sort();
    assert_eq!(folders, TARGETS.map(|(name, _)| name), "every corpus has a target");
    let mut failures = Vec::new();
    for (name, target) in TARGETS {
        for entry in fs::read_dir(corpus.join(name))? {
            let path = entry?.path();
            let input = fs::read(&path).with_context(|| path.display().to_string())?;
            if panic::catch_unwind(|| target(&input)).is_err() {
                failures.push(path.display().to_string());
            }
        }
    }
    assert!(failures.is_empty(), "these inputs fail (each says why above):\n{}", failures.join("\n"));
    Ok(())
}
