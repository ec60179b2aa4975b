#!/usr/bin/env bash
# Instructions per operation of the library's paths, counted by valgrind: the same on every run, so that a regression shows
# without a clock.
#
#   benches/instructions.sh [CASE ...]
#
# LUA is the command that runs a Lua file with the library (target/release/cthunk run); CASE as cases.lua names them.
#
# Lua seeds its hashes by the time and by addresses, so that strings collide in other places in each run. Here the clock stands
# still, the environment has the variables of Lua and of the library only, and a row is the least of several seeds.
set -euo pipefail
cd "$(dirname "$0")"
lua=${LUA:-../target/release/cthunk run}
script=cases.lua
n=10000
seeds=(1 2 3 4)

work=$(mktemp -d /tmp/cthunk.XXXXXX)
trap 'rm -rf "$work"' EXIT
gcc -O2 -fPIC -shared -o "$work/clock.so" clock.c
mapfile -t kept < <(env | grep -E '^(LUA_|CTHUNK_|LD_LIBRARY_PATH=)' | sort || true)
environment=(PATH=/usr/local/bin:/usr/bin:/bin "${kept[@]}" "LD_PRELOAD=$work/clock.so")

# Instructions of a run: SEED CASE N
count() {
  # shellcheck disable=SC2086
  env -i "${environment[@]}" CLOCK="$1" \
    valgrind --tool=callgrind --callgrind-out-file=/dev/null $lua $script "$2" "$3" 2>&1 >/dev/null |
    sed -n 's/.*Collected : //p'
}

# Instructions of an operation, with the seed for which there are fewest: CASE
least() {
  local seed empty full each least=
  for seed in "${seeds[@]}"; do
    empty=$(count "$seed" "$1" 0) && full=$(count "$seed" "$1" $n) || return
    each=$(((full - empty) / n))
    [ -n "$least" ] && [ "$least" -le "$each" ] || least=$each
  done
  echo "$least"
}

# shellcheck disable=SC2086
[ $# -gt 0 ] || mapfile -t cases < <($lua $script)
[ $# -eq 0 ] || cases=("$@")
for case in "${cases[@]}"; do
  # Code that valgrind does not know: the gate to 32-bit code.
  if ! each=$(least "$case"); then
    printf '%-16s not counted: valgrind cannot run it\n' "$case"
    continue
  fi
  printf '%-16s %6d\n' "$case" "$each"
done
