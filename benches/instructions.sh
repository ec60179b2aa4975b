#!/usr/bin/env bash
# Instructions per operation of the library's paths, counted by valgrind: the same on every run, so that a regression shows
# without a clock.
#
#   benches/instructions.sh [CASE ...]
#
# LUA is the command that runs a Lua file with the library (target/release/cthunk run); CASE as cases.lua names them.
set -euo pipefail
cd "$(dirname "$0")"
lua=${LUA:-../target/release/cthunk run}
script=cases.lua
n=10000

count() {
  # shellcheck disable=SC2086
  valgrind --tool=callgrind --callgrind-out-file=/dev/null $lua $script "$1" "$2" 2>&1 >/dev/null |
    sed -n 's/.*Collected : //p'
}

[ $# -gt 0 ] || mapfile -t cases < <($lua $script)
[ $# -eq 0 ] || cases=("$@")
for case in "${cases[@]}"; do
  # Code that valgrind does not know: the gate to 32-bit code.
  if ! empty=$(count "$case" 0) || ! full=$(count "$case" $n); then
    printf '%-16s not counted: valgrind cannot run it\n' "$case"
    continue
  fi
  printf '%-16s %6d\n' "$case" $(((full - empty) / n))
done
