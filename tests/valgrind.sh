#!/usr/bin/env bash
# The behaviour suite and random operations under valgrind: no leak, no error. `tests/valgrind.sh [FILE…]`, all files by default.
# CTHUNK_CASES is the number of random operations (2000), CTHUNK_SEED their seed (1).
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind >/dev/null || { echo "valgrind is missing: apt-get install valgrind"; exit 1; }
cargo build -q
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -shared -fPIC -O1 -o "$work/libcalls.so" tests/c/calls.c

# A leak is a block that nothing leads to ("definitely lost"), and what only such a block leads to ("indirectly lost"). "Possibly
# lost" is what only a pointer to its middle leads to: hashbrown's tables, so all caches of the process and what they hold, and
# `Arc::into_raw` in the slots of callbacks. That these do not grow is what tests/soak.rs proves. tests/valgrind.supp has the rest.
check() {
  valgrind -q --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
    --suppressions=tests/valgrind.supp --error-exitcode=9 --num-callers=30 --log-file="$work/$1.log" \
    "$target/debug/cthunk" run "${@:2}" >"$work/$1.out" 2>"$work/$1.err" && echo "clean: $1" ||
    { echo "NOT CLEAN: $1"; cat "$work/$1.log" "$work/$1.err"; return 1; }
}
export -f check
export work target CTHUNK_TESTLIB="$work/libcalls.so"

[ $# -gt 0 ] || set -- tests/lua/*.lua
check random tests/lua/random/operations.lua "${CTHUNK_SEED:-1}" "${CTHUNK_CASES:-2000}"
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'check "$(basename {} .lua)" tests/lua/support/suite.lua {}'
