#!/usr/bin/env python3
"""How long a command with an empty script takes, beside lua5.4: start, and end.

    benches/startup.py [RUNS [COMMAND ...]]

RUNS (200) of each COMMAND (`lua5.4`, `target/release/cthunk run`) in turn.  Prints the least time and the fifth percentile,
in microseconds, the page faults of a run, and shares of the first command's.  Needs a machine that is left alone for the times.
"""
import os, sys, tempfile, time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def run(command):
    """Seconds and page faults of one run."""
    start = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    elapsed = time.perf_counter() - start
    if status:
        sys.exit(f"{' '.join(command)}: status {status}")
    return elapsed, usage.ru_minflt


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    commands = sys.argv[2:] or ["lua5.4", os.path.join(ROOT, "target/release/cthunk") + " run"]
    with tempfile.NamedTemporaryFile(suffix=".lua") as script:
        samples = [[] for _ in commands]
        for _ in range(runs):
            for command, times in zip(commands, samples):
                times.append(run(command.split() + [script.name]))
    first = None
    for command, times in zip(commands, samples):
        seconds = sorted(elapsed for elapsed, _ in times)
        least, fifth = seconds[0] * 1e6, seconds[len(seconds) // 20] * 1e6
        faults = min(count for _, count in times)
        first = first or (least, fifth)
        print(f"{command:40} least {least:6.0f} ({least / first[0]:.2f})   5 % {fifth:6.0f} ({fifth / first[1]:.2f})   {faults} page faults")


if __name__ == "__main__":
    main()
