//! Promotion, in all its turns: stories across modes, every step by the real binary.

use super::rollout_platform::RolloutPlatform;

#[test]
fn s1_a_commit_is_promoted_to_dev_checked_and_promoted_to_stage() {
    let world = RolloutPlatform::s1();
    let c1 = world.push("s1-1-onboard-application");
    let ran = world.promote_pushed(&c1).succeeded();
    eprintln!("{}\n{}\n{:?}", ran.stdout, ran.summary, ran.outputs);
    assert_eq!(world.promoted("dev"), Some(c1.clone()));
    assert_eq!(world.statuses(&c1, "dev"), ["pending: Promoted"]);
    assert_eq!(world.dispatches(), ["schedule.yml environment=dev"]);
    let ran = world.play_last().succeeded();
    eprintln!("{}\n{}\n{:?}", ran.stdout, ran.summary, ran.outputs);
    world.cluster("dev", "drone");
    let m1 = world.merge("dev");
    let ran = world.checkpromote("dev", &[("commit-id", &m1)]);
    eprintln!("{}\n{}\n{}\n{:?}", ran.stdout, ran.stderr, ran.summary, ran.outputs);
    assert_eq!(world.statuses(&c1, "dev"), [""]);
}
