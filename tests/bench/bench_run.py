#!/usr/bin/env python3
"""What does `hangdump run` cost?  Beside timeout(1) and nothing at all, in turns.

	bench_run.py [--runs N] [--gigabytes N]

Prints the median of the time from start to end of `true`, the rate of a pipe through `cat`, and the
CPU time and wake-ups of a wrapper that waits.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hang
import run

WRAPPERS = {
    "nothing": [],
    "timeout": ["timeout", "300"],
    "hangdump run": [hang.HANGDUMP, "run", "-t", "300"],
}


def seconds_of(command):
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


def measure_start(runs):
    taken = {name: [] for name in WRAPPERS}
    for _ in range(runs):
        for name, wrapper in WRAPPERS.items():
            taken[name].append(seconds_of([*wrapper, "true"]))
    base = statistics.median(taken["nothing"])
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        print(f"{name:14} {median * 1e3:7.2f} ms  (+{(median - base) * 1e3:.2f} ms)")


def measure_pipe(gigabytes):
    size = int(gigabytes * (1 << 30))
    rates = {}
    for name, wrapper in WRAPPERS.items():
        best = 0
        for _ in range(3):
            begun = time.perf_counter()
            head = subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE)
            cat = subprocess.Popen([*wrapper, "cat"], stdin=head.stdout, stdout=subprocess.PIPE)
            head.stdout.close()
            counted = subprocess.run(["wc", "-c"], stdin=cat.stdout, capture_output=True,
                                     check=True)
            cat.stdout.close()
            head.wait()
            cat.wait()
            assert int(counted.stdout) == size, f"{counted.stdout} of {size} bytes"
            best = max(best, size / (time.perf_counter() - begun))
        rates[name] = best
        print(f"{name:14} {best / 1e9:7.2f} GB/s  ({best / rates['nothing']:.2f} of nothing)")


def measure_waiting(seconds):
    with run.Run("-t", "300", "sleep", "300") as running:
        both = [running.pid, running.supervisor()]
        running.command()
        time.sleep(0.5)

        def usage():
            text = [hang.read_file(f"/proc/{pid}/schedstat").split() for pid in both]
            return sum(int(t[0]) for t in text), sum(int(t[2]) for t in text)

        before = usage()
        time.sleep(seconds)
        after = usage()
        memory = sum(int(hang.status_field(pid, pid, "RssAnon").split()[0]) for pid in both)
        print(f"waiting {seconds} s: {(after[0] - before[0]) / 1e3:.0f} us of CPU,"
              f" run {after[1] - before[1]} times, {memory} kB of memory of their own")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--gigabytes", type=float, default=1)
    options = parser.parse_args()
    measure_start(options.runs)
    measure_pipe(options.gigabytes)
    measure_waiting(5)


if __name__ == "__main__":
    main()
