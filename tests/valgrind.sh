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

# What the kernel and C leave to the end of the process is "still reachable" and no leak. tests/valgrind.supp explains the rest.
check() {
  valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible \
    --suppressions=tests/valgrind.supp --error-exitcode=9 --num-callers=30 --log-file="$work/$1.log" \
    "$target/debug/cthunk" run "${@:2}" >"$work/$1.out" 2>"$work/$1.err" && echo "clean: $1" ||
    { echo "NOT CLEAN: $1"; cat "$work/$1.log" "$work/$1.err"; return 1; }
}
export -f check
export work target CTHUNK_TESTLIB="$work/libcalls.so"

if [ $# -eq 0 ]; then
  set -- tests/lua/*.lua
  check random tests/lua/random/operations.lua "${CTHUNK_SEED:-1}" "${CTHUNK_CASES:-2000}"
fi
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'check "$(basename {} .lua)" tests/lua/support/suite.lua {}'
