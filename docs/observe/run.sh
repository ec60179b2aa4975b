#!/bin/sh
# Makes gdb.txt and perf.txt in FOLDER (docs/observe, if nothing is said): a backtrace and a profile in which the thunk of a C function
# has the function's declaration as its name. Usage: docs/observe/run.sh CTHUNK [FOLDER]; CTHUNK is the command.
set -eu
cthunk=$(realpath "${1:?the cthunk command}")
here=$(dirname "$(realpath "$0")")
folder=$(realpath "${2:-$here}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -O1 -g -fno-omit-frame-pointer -shared -fPIC -o "$work/libadd.so" "$here/add.c"
export CTHUNK_OBSERVE=1 CTHUNK_HOT=0

# What differs between two runs: addresses, process numbers, the temporary folder.
stable() {
    sed -E -e "s#$work#WORK#g" -e 's/0x[0-9a-f]{6,}/0x…/g' -e "s#$here/##g" -e 's/[[:space:]-]+$//'
}

{
    echo '$ gdb -batch -ex "break add.c:add" -ex run -ex "backtrace 4" --args cthunk run add.lua ./libadd.so 1'
    gdb -batch -nx -ex 'set debuginfod enabled off' -ex 'set breakpoint pending on' -ex 'break add.c:add' -ex run \
        -ex 'backtrace 4' -ex kill --args "$cthunk" run "$here/add.lua" "$work/libadd.so" 1 2>/dev/null | grep '^#' | stable
} > "$folder/gdb.txt"

{
    echo '$ perf record -F 2000 cthunk run add.lua ./libadd.so 20000000; perf report --stdio --sort symbol'
    perf record -q -F 2000 -e cpu-clock -o "$work/perf.data" "$cthunk" run "$here/add.lua" "$work/libadd.so" 20000000 > /dev/null
    perf report -i "$work/perf.data" --stdio --sort symbol 2>/dev/null | grep -E '^ +[0-9]' | head -5 | stable
} > "$folder/perf.txt"

for found in gdb perf; do
    grep -q 'int add(int, int)' "$folder/$found.txt" || { echo "$found.txt does not name int add(int, int)"; exit 1; }
done
