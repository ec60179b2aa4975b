#!/usr/bin/env bash
# Instructions an operation of Debian's lua5.4, counted by valgrind: of the module, of the C binding written by hand
# (cli/src/bench/benchcapi.c), and of C functions that do nothing (empty.c), which are the floor.
#
#   benches/floor.sh MODULE      MODULE: the folder of ffi.so.
set -euo pipefail
[ $# -eq 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
module=$(realpath "$1")
cd "$(dirname "$0")"
bench=../cli/src/bench
LUA_CPATH="$module/?.so" lua5.4 -e 'require "ffi"'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O2 -fPIC -shared -o "$work/libbench.so" "$bench/libbench.c"
# shellcheck disable=SC2046
gcc -O2 -fPIC -shared $(pkg-config --cflags lua5.4) -o "$work/benchcapi.so" "$bench/benchcapi.c" "$work/libbench.so" -Wl,-rpath,"$work"
mkdir "$work/empty"
# shellcheck disable=SC2046
gcc -O2 -fPIC -shared $(pkg-config --cflags lua5.4) -o "$work/empty/benchcapi.so" empty.c
export BENCH_LIB=$work/libbench.so CTHUNK_HOT=10

# Instructions and operations of a run: ROW N MODULE FOLDER
count() {
  LUA_CPATH="$4/?.so" valgrind --tool=callgrind --callgrind-out-file=/dev/null lua5.4 floor.lua "$1" "$2" "$3" 2>&1 >/dev/null |
    sed -n 's/.*Collected : //p; s/ operations$//p' | sort -n | tr '\n' ' '
}

printf '%-10s %10s %10s %10s\n' row floor 'by hand' cthunk
for row in loop void reentry add bool string callback qsort create; do
  printf '%-10s' "$row"
  for one in "benchcapi $work/empty" "benchcapi $work" "ffi $module"; do
    # shellcheck disable=SC2086
    case $row:$one in
      create:benchcapi* | [scq]*:*/empty) printf ' %10s' - ;;
      *)
        read -r less empty <<<"$(count "$row" 0 $one)"
        read -r more full <<<"$(count "$row" 20000 $one)"
        printf ' %10d' $(((full - empty) / (more - less)))
        ;;
    esac
  done
  echo
done
