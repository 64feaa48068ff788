//! What the examples give can be built by the kustomize that clusters build it with.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Scratch, files_below};

#[test]
fn every_cluster_type_of_the_examples_builds() {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        eprintln!("!!!! NOT RUN: there is no kubectl on this machine !!!!");
        return;
    }
    let scratch = Scratch::new();
    scratch.write("", &files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")));
    let ran = scratch.run(
        &[
            "schedule",
            "--offline",
            "--environment=dev",
            "--control-plane=control-plane",
            "--repo=https://github.com/contoso/control-plane=base",
            "--repo=https://github.com/contoso/applications=applications",
            "--out=out",
        ],
        &[],
    );
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let out = scratch.path("out");
    let kinds = ["command-center", "drone", "large", "small"];
    for kind in kinds {
        let folder = out.join(kind);
        let files: Vec<String> =
            files_below(&folder).into_keys().filter(|path| path.ends_with(".yaml")).collect();
        assert!(files.len() >= 3, "{kind} has manifests: {files:?}");
        let list: String = files.iter().map(|path| format!("- {path}\n")).collect();
        fs::write(folder.join("kustomization.yaml"), format!("resources:\n{list}")).expect("a file");
        let built = Command::new("kubectl").arg("kustomize").arg(&folder).output().expect("kubectl starts");
        let (text, errors) = (String::from_utf8_lossy(&built.stdout), String::from_utf8_lossy(&built.stderr));
        assert!(built.status.success(), "{kind}: {errors}");
        assert!(text.matches("\nkind: ").count() >= 3, "{kind}: {text}");
    }
}
