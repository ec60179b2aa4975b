#!/usr/bin/env python3
"""Side-by-side FFI benchmark: every implementation in turn, round after round, pinned to one core.

    benches/comparison/run.py ROUNDS [NAME=COMMAND,MODULE,CPATH ...]

ROUNDS is the number of interleaved rounds (6 is enough to see a 10 % difference).  Each extra
NAME=COMMAND,MODULE,CPATH adds an implementation of the LuaJIT ffi API: COMMAND starts the Lua
interpreter, MODULE is what it requires, CPATH its package.cpath ('' if built in).  Always run:
LuaJIT with and without its JIT compiler where `luajit` is installed, and a hand-written C
binding (benchcapi.c) on `lua5.4`, the floor that a binding author reaches with the C API.

Prints nanoseconds per operation, minimum / median over all samples.  The loop itself is not
subtracted (row `loop_empty`).  Trust the minima and the ratios on a shared machine.
ONLY=pattern restricts the rows (a Lua pattern).  Needs gcc, pkg-config, liblua5.4-dev, lua5.4, python3.
"""
import collections, os, shutil, statistics, subprocess, sys, tempfile

ROWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../cli/src/bench")


def build(out):
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "-o", f"{out}/libbench.so", f"{ROWS}/libbench.c"], check=True)
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", *subprocess.check_output(["pkg-config", "--cflags", "lua5.4"], text=True).split(), "-o", f"{out}/benchcapi.so",
                    f"{ROWS}/benchcapi.c", f"{out}/libbench.so", f"-Wl,-rpath,{out}"], check=True)


def fmt(x):
    return f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:.0f}"


def main():
    rounds, extra = int(sys.argv[1]), sys.argv[2:]
    out = tempfile.mkdtemp(prefix="ffibench-")
    build(out)
    impls = []
    if shutil.which("luajit"):
        impls += [("luajit", ["luajit"], "ffi", ""), ("luajit-joff", ["luajit", "-joff"], "ffi", "")]
    impls.append(("handwritten-C-5.4", ["lua5.4"], "benchcapi", f"{out}/?.so"))
    for a in extra:
        name, rest = a.split("=", 1)
        cmd, module, cpath = rest.split(",", 2)
        impls.append((name, cmd.split(), module, cpath))
    data = collections.OrderedDict()
    for _ in range(rounds):
        for name, cmd, module, cpath in impls:
            env = dict(os.environ, REPS="5", MS="8", BENCH_LIB=f"{out}/libbench.so")
            env.pop("LUA_INIT", None)
            if cpath:
                env["LUA_CPATH"] = cpath + ";;"
            r = subprocess.run(["taskset", "-c", "1"] + cmd + [f"{ROWS}/bench.lua", module],
                               env=env, capture_output=True, text=True, timeout=600)
            if r.returncode:
                print(f"{name}: exit {r.returncode}: {r.stderr[:300]}", file=sys.stderr)
            for line in r.stdout.splitlines():
                w = line.split("\t")
                if len(w) < 3:
                    continue
                row = data.setdefault(w[0], {})
                if w[1] == "n/a":
                    row.setdefault(name, [])
                else:
                    row.setdefault(name, []).extend(float(x) for x in w[3].split())
    names = [i[0] for i in impls]
    print(f"{'ns/op, min / median':32}" + "".join(f"{n:>22}" for n in names))
    for label, row in data.items():
        cells = (f"{fmt(min(v))} / {fmt(statistics.median(v))}" if v else "n/a" for v in (row.get(n) for n in names))
        print(f"{label:32}" + "".join(f"{c:>22}" for c in cells))


if __name__ == "__main__":
    main()
