#!/usr/bin/env bash
# Instructions an operation of Debian's lua5.4, counted by valgrind: of the module, and of the C binding written by hand that the project's
# comparison has. What separates the two is what is left of the way to the floor.
#
#   benches/floor.sh BENCH MODULE      BENCH: the folder of benchcapi.c and libbench.c. MODULE: the folder of ffi.so.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
bench=$(realpath "$1") module=$(realpath "$2")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O2 -fPIC -shared -o "$work/libbench.so" "$bench/libbench.c"
# shellcheck disable=SC2046
gcc -O2 -fPIC -shared $(pkg-config --cflags lua5.4) -o "$work/benchcapi.so" "$bench/benchcapi.c" "$work/libbench.so" -Wl,-rpath,"$work"
export BENCH_LIB=$work/libbench.so LUA_CPATH="$work/?.so;$module/?.so" CTHUNK_HOT=10

# Instructions and operations of a run.
count() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null lua5.4 floor.lua "$@" 2>&1 >/dev/null |
    sed -n 's/.*Collected : //p; s/ operations$//p' | sort -n | tr '\n' ' '
}

printf '%-10s %10s %10s\n' row 'by hand' cthunk
for row in loop void add bool string callback qsort create; do
  printf '%-10s' "$row"
  for one in benchcapi ffi; do
    [ "$row $one" != "create benchcapi" ] || { printf ' %10s' -; continue; }
    read -r less empty <<<"$(count "$row" 0 "$one")"
    read -r more full <<<"$(count "$row" 20000 "$one")"
    printf ' %10d' $(((full - empty) / (more - less)))
  done
  echo
done
