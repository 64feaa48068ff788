#!/usr/bin/env bash
# Fuzzes one target after another: run.sh [SECONDS [TARGET…]]. Needs cargo-fuzz and a C++ compiler, not nightly.
# New inputs and findings go to fuzz/target, not into the corpus: what is worth keeping is put there by hand.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-600}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)

# Rendering has the 2 MiB stack of a worker thread.
ulimit -s 2048
status=0
for target in "${targets[@]}"; do
  mkdir -p "target/found/$target" "target/grown/$target"
  cargo fuzz run --sanitizer none "$target" "target/grown/$target" "corpus/$target" -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -artifact_prefix="target/found/$target/" || status=1
done
exit "$status"
