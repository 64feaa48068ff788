//! The life of the pull request: opened, kept current, rebuilt, closed; and what is not ours.

use kalypso_sandbox::{Access, Issues, Merge, Pull, State, Visibility};

use super::platform::{Platform, READER, Ran, WRITER};

const CASE: &str = "s1-0-baseline";
const BRANCH: &str = "deployment/dev";
const BESIDE: &str = "deployment/dev.2";

#[test]
fn opened_once_and_left_alone_when_nothing_changes() {
    let platform = Platform::new(CASE);
    let ran = platform.schedule(&[]).succeeded();
    let pulls = platform.gitops.pulls().unwrap();
    let pull = the_open_one(&platform, &ran, BRANCH);
    assert_eq!(pulls, std::slice::from_ref(&pull));
    assert_eq!(pull.labels, ["promoted"]);
    let mut expected = platform.expected(CASE);
    expected.insert("README.md".to_owned(), b"What runs where.\n".to_vec());
    assert_eq!(platform.gitops.files(BRANCH).unwrap(), expected);
    assert_eq!(ran.outputs["changed"], "true");
    assert!(ran.calls() <= 12 + 1, "{} calls", ran.calls());

    let again = platform.schedule(&[]).succeeded();
    assert_eq!(again.writes(), 0);
    assert_eq!(platform.gitops.pulls().unwrap(), pulls);

    platform.gitops.merge_pull(pull.number, Merge::Squash).unwrap();
    let merged = platform.schedule(&[]).succeeded();
    assert_eq!((merged.writes(), &*merged.outputs["changed"]), (0, "false"));
}

#[test]
fn updated_in_place_by_a_second_run() {
    let (platform, first) = opened();
    platform.gitops.merge_pull(first.number, Merge::Squash).unwrap();
    let run = |old, new| {
        change(&platform, old, new);
        let pull = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);
        assert!(pull.body.contains(new), "{}", pull.body);
        let file =
            &platform.gitops.files(BRANCH).unwrap()["large/observability-prometheus/platform-config.yaml"];
        assert!(String::from_utf8_lossy(file).contains(&format!("ENVIRONMENT: {new}\n")));
        pull
    };
    let (second, third) = (run("Dev", "Development"), run("Development", "Try-out"));
    assert_eq!((third.number, &third.comments[..]), (second.number, &[][..]));
}

#[test]
fn rebuilt_when_the_gitops_branch_has_moved_on() {
    let (platform, first) = opened();
    platform.gitops.commit("dev", &[("CODEOWNERS", Some("Because.\n"))], "Say why").unwrap();
    let rebuilt = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);
    assert_eq!(rebuilt.number, first.number);
    assert_eq!(platform.gitops.files(BRANCH).unwrap()["CODEOWNERS"], b"Because.\n");

    // The same content on another commit: the pull request has nothing else to say.
    for content in [Some("more"), None] {
        platform.gitops.commit("dev", &[("LICENSE", content)], "There and back").unwrap();
    }
    let ran = platform.schedule(&[]).succeeded();
    let again = the_open_one(&platform, &ran, BRANCH);
    assert_ne!(again.head_sha, rebuilt.head_sha);
    assert_eq!(Pull { head_sha: rebuilt.head_sha.clone(), ..again }, rebuilt);
}

#[test]
fn closed_with_one_comment_when_nobody_needs_it_and_opened_again_when_someone_does() {
    let (platform, first) = opened();
    platform.gitops.merge_pull(first.number, Merge::Squash).unwrap();
    change(&platform, "Dev", "Development");
    let second = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);

    change(&platform, "Development", "Dev");
    let ran = platform.schedule(&[]).succeeded();
    assert_eq!((&*ran.outputs["changed"], &*ran.outputs["pull-request-number"]), ("false", ""));
    let closed = pull(&platform, second.number);
    assert_eq!((closed.state, closed.merged.as_ref(), closed.comments.len()), (State::Closed, None, 1));
    let comment = &closed.comments[0].body;
    assert!(comment.contains("`dev`"), "{comment}");
    assert_eq!(platform.schedule(&[]).succeeded().writes(), 0);

    change(&platform, "Dev", "Development");
    let third = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);
    assert_eq!((third.number, third.title, third.body), (second.number + 1, second.title, second.body));
    assert_eq!(pull(&platform, second.number), closed);
}

#[test]
fn what_a_person_closed_stays_closed_while_the_tree_stays_the_same() {
    let (platform, first) = opened();
    platform.gitops.close(first.number).unwrap();
    let closed = pull(&platform, first.number);
    let ran = platform.schedule(&[]).succeeded();
    let said = "note: pull request #1 with the same content was closed by a person, so none is opened; \
                reopen it to go on\n";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert_eq!((ran.writes(), &*ran.outputs["pull-request-number"]), (0, ""));

    platform.gitops.reopen(first.number).unwrap();
    let ran = platform.schedule(&[]).succeeded();
    assert_eq!((ran.writes(), the_open_one(&platform, &ran, BRANCH).number), (0, first.number));

    platform.gitops.close(first.number).unwrap();
    change(&platform, "Dev", "Development");
    let second = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);
    assert_eq!(second.number, first.number + 1);
    assert_eq!(Pull { state: State::Closed, ..pull(&platform, first.number) }, closed);
}

#[test]
fn a_persons_words_and_labels_stay_until_the_content_changes() {
    let (platform, first) = opened();
    let body = format!("I looked at this.\n\n{}", first.body);
    platform.gitops.edit(first.number, &first.title, &body).unwrap();
    platform.gitops.label(first.number, "urgent").unwrap();
    let ran = platform.schedule(&[]).succeeded();
    assert_eq!((ran.writes(), the_open_one(&platform, &ran, BRANCH).body), (0, body));

    change(&platform, "Dev", "Development");
    let second = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);
    assert!(!second.body.contains("I looked at this."), "{}", second.body);
    assert_eq!(second.labels, ["promoted", "urgent"]);
}

#[test]
fn labelled_exactly_when_the_tracked_commit_changes() {
    let (platform, first) = opened();
    platform.gitops.merge_pull(first.number, Merge::Squash).unwrap();
    change(&platform, "Dev", "Development");
    let labels = || the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH).labels;
    assert_eq!(labels(), [""; 0]);
    let old = platform.control_plane.head("main").unwrap().unwrap();
    let new = platform.control_plane.commit("main", &[("notes.md", Some("On.\n"))], "Go on").unwrap();
    platform.edit("dev", "pointers.yaml", &old, &new);
    assert_eq!(labels(), ["promoted"]);
    platform.edit("dev", "pointers.yaml", &new, &old);
    assert_eq!(labels(), [""; 0]);
}

#[test]
fn someones_own_commit_on_our_branch_is_left_alone() {
    let (platform, first) = opened();
    let mine = platform.gitops.commit(BRANCH, &[("large/mine.yaml", Some("a: 1\n"))], "Mine").unwrap();
    let before = pull(&platform, first.number);
    let ran = platform.schedule(&[]).succeeded();
    assert!(ran.stdout.contains(&taken()), "{}", ran.stdout);
    let beside = open_from(&platform, &ran, BESIDE);
    assert!(beside.body.contains(BRANCH), "{}", beside.body);
    assert_eq!(platform.schedule(&[]).succeeded().writes(), 0);

    change(&platform, "Dev", "Development");
    let renewed = open_from(&platform, &platform.schedule(&[]).succeeded(), BESIDE);
    assert_eq!(renewed.number, beside.number);
    platform.gitops.merge_pull(beside.number, Merge::Squash).unwrap();
    assert_eq!(platform.schedule(&[]).succeeded().writes(), 0);
    assert_eq!(pull(&platform, first.number), before);
    assert_eq!(platform.gitops.head(BRANCH).unwrap(), Some(mine));
}

#[test]
fn someones_own_pull_request_to_the_same_branch_is_untouched() {
    for (branch, ours, why) in
        [("feature", BRANCH, "from another branch"), (BRANCH, BESIDE, "from the branch that we would use")]
    {
        let platform = Platform::new(CASE);
        let base = platform.gitops.head("dev").unwrap().unwrap();
        platform.gitops.branch(branch, &base).unwrap();
        platform.gitops.commit(branch, &[("LICENSE", Some("Mine.\n"))], "Mine").unwrap();
        let number = platform.gitops.open_pull(branch, "dev", "Mine", "My words.").unwrap();
        let theirs = pull(&platform, number);
        let opened = open_from(&platform, &platform.schedule(&[]).succeeded(), ours);
        change(&platform, "Dev", "Development");
        let renewed = open_from(&platform, &platform.schedule(&[]).succeeded(), ours);
        assert_eq!((renewed.number, pull(&platform, number)), (opened.number, theirs), "{why}");
    }
}

#[test]
fn a_pull_request_that_nothing_says_is_ours_is_untouched() {
    let opened_by_a_person = |platform: &Platform, first: &Pull| {
        platform.gitops.close(first.number).unwrap();
        platform.gitops.open_pull(BRANCH, "dev", "Mine", "My words.").unwrap()
    };
    let rewritten_by_a_person = |platform: &Platform, first: &Pull| {
        platform.gitops.edit(first.number, "Mine", "My words.").unwrap();
        first.number
    };
    for act in [&opened_by_a_person as &dyn Fn(&Platform, &Pull) -> u64, &rewritten_by_a_person] {
        let (platform, first) = opened();
        let number = act(&platform, &first);
        let theirs = pull(&platform, number);
        change(&platform, "Dev", "Development");
        let ran = platform.schedule(&[]).succeeded();
        assert!(ran.stdout.contains(&taken()), "{}", ran.stdout);
        open_from(&platform, &ran, BESIDE);
        assert_eq!(pull(&platform, number), theirs);
    }
}

#[test]
fn a_merged_branch_that_is_still_there_is_used_again() {
    for how in [Merge::Commit, Merge::Squash, Merge::Rebase] {
        let (platform, first) = opened();
        platform.gitops.commit(BRANCH, &[("LICENSE", Some("Mine.\n"))], "Mine").unwrap();
        platform.gitops.merge_pull(first.number, how).unwrap();
        let merged = pull(&platform, first.number);
        change(&platform, "Dev", "Development");
        let second = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);
        assert_eq!((second.number, pull(&platform, first.number)), (first.number + 1, merged), "{how:?}");
        assert_eq!(platform.gitops.files(BRANCH).unwrap()["LICENSE"], b"Mine.\n");
    }
}

#[test]
fn a_gitops_branch_that_is_not_there_is_said_with_the_way_to_make_it() {
    let platform = Platform::new(CASE);
    platform.gitops.delete_branch("dev").unwrap();
    let ran = platform.schedule(&[]);
    let said = "has no branch `dev`\n  help: make it once, in a clone of that repository: \
                git switch --orphan dev && git commit --allow-empty -m 'GitOps branch dev' && git push origin dev\n";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert_eq!((ran.exit, ran.writes()), (1, 0));
    assert_eq!(platform.gitops.branches().unwrap(), [].into());
}

#[test]
fn without_issues_what_is_held_is_told_in_the_pull_request() {
    let note = "note: issues are disabled in contoso/gitops: what is held is told in the pull request and here only\n";
    for (case, said, why) in
        [("hold-template-error", true, "something is held"), (CASE, false, "nothing to tell")]
    {
        let platform = Platform::new(case);
        platform.gitops.set_issues(Issues::Disabled).unwrap();
        let ran = platform.schedule(&[]).succeeded();
        let pull = the_open_one(&platform, &ran, BRANCH);
        assert_eq!(pull.body.contains("app-test"), said, "{why}: {}", pull.body);
        assert_eq!(ran.stdout.contains(note), said, "{why}: {}", ran.stdout);
        assert_eq!(platform.gitops.issues().unwrap(), [], "{why}");
        assert_eq!(platform.schedule(&[]).succeeded().writes(), 0, "{why}");
    }
}

#[test]
fn ours_are_found_among_more_than_a_page_of_others() {
    let platform = Platform::new("hold-template-error");
    let ran = platform.schedule(&[]).succeeded();
    let ours = the_open_one(&platform, &ran, BRANCH);
    assert_eq!(platform.gitops.issues().unwrap().len(), 1);
    let head = platform.gitops.head("dev").unwrap().unwrap();
    for number in 0..120 {
        let issue = platform.gitops.open_issue(&format!("Other {number}"), "Not ours.").unwrap();
        platform.gitops.label(issue, "kalypso").unwrap();
        let branch = format!("{BRANCH}-{number}");
        platform.gitops.branch(&branch, &head).unwrap();
        platform.gitops.open_pull(&branch, "dev", &format!("Other {number}"), "Not ours.").unwrap();
    }
    let before = platform.sandbox.snapshot().unwrap();
    let again = platform.schedule(&[]).succeeded();
    assert_eq!((again.writes(), &again.outputs["pull-request-number"]), (0, &ours.number.to_string()));
    assert_eq!(platform.sandbox.snapshot().unwrap(), before);
}

#[test]
fn a_renamed_repository_is_followed() {
    let mut platform = Platform::new(CASE);
    let renamed = platform.sandbox.create_repository("contoso/manifests", Visibility::Private).unwrap();
    renamed.commit("dev", &[("README.md", Some("What runs where.\n"))], "The same, elsewhere").unwrap();
    platform.gitops.redirect(301, &renamed.url()).unwrap();
    let both = Access::write("contoso/gitops").and("contoso/manifests");
    platform.sandbox.token(WRITER, both.named("writer"));
    let all = ["contoso/svc-src", "contoso/manifests"].into_iter();
    platform.sandbox.token(READER, all.fold(Access::read("contoso/control-plane"), Access::and));
    platform.gitops = renamed;
    let first = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);
    assert_eq!(platform.schedule(&[]).succeeded().writes(), 0);
    change(&platform, "Dev", "Development");
    let second = the_open_one(&platform, &platform.schedule(&[]).succeeded(), BRANCH);
    assert_eq!(second.number, first.number);
}

/// The platform after its first run, with the pull request of that.
fn opened() -> (Platform, Pull) {
    let platform = Platform::new(CASE);
    let ran = platform.schedule(&[]).succeeded();
    let pull = the_open_one(&platform, &ran, BRANCH);
    (platform, pull)
}

/// Has a config value of every cluster type be another one.
fn change(platform: &Platform, old: &str, new: &str) {
    platform.edit("dev", "config.yaml", &format!("ENVIRONMENT: {old}\n"), &format!("ENVIRONMENT: {new}\n"));
}

/// What is said where our branch is not ours alone.
fn taken() -> String {
    format!(
        "note: the branch {BRANCH} has a commit or pull request that kalypso did not make, so it is left alone \
         and {BESIDE} is used\n"
    )
}

fn pull(platform: &Platform, number: u64) -> Pull {
    let pulls = platform.gitops.pulls().expect("a repository");
    pulls.into_iter().find(|pull| pull.number == number).expect("it is there")
}

/// The only open pull request, as [`open_from`] has it.
fn the_open_one(platform: &Platform, ran: &Ran, branch: &str) -> Pull {
    let pulls = platform.gitops.pulls().expect("a repository");
    assert_eq!(pulls.iter().filter(|pull| pull.state == State::Open).count(), 1, "{pulls:?}");
    open_from(platform, ran, branch)
}

/// Our open pull request, which brings what the run computed as one commit on top of the GitOps branch.
#[track_caller]
fn open_from(platform: &Platform, ran: &Ran, branch: &str) -> Pull {
    let pull = pull(platform, ran.outputs["pull-request-number"].parse().expect("a pull request"));
    assert_eq!((&*pull.author, pull.state), ("writer", State::Open));
    assert_eq!((&*pull.head, &*pull.base), (branch, "dev"));
    let commit = &platform.gitops.log(branch).expect("the branch")[0];
    assert_eq!(commit.parents, [platform.gitops.head("dev").expect("a repository").expect("a branch")]);
    assert_eq!((&commit.tree, &commit.sha), (&ran.outputs["tree-id"], &pull.head_sha));
    pull
}
