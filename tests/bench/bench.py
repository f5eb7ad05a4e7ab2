#!/usr/bin/env python3
"""How long is a process held, and what does a dump cost?  Against others, on the same victim.

	bench.py [--threads N] [--depth N] [--runs N] [--scale] [TOOL...]

Starts tests/bench/crowd and lets each tool dump it in turn, so that what else the machine does
hits all of them alike.  Prints the median (smallest - largest) of

  held      for how long the threads did not run: the largest gap of a heartbeat thread in the
            victim, in ms.  Its own period and the scheduler are in it: see the row `nothing`.
  reported  what the tool says of itself (hangdump: frozen_us; the bare stop)
  wall, cpu, rss
  eintr     blocked calls that failed with EINTR because of the dump

and the ratio of each to hangdump.  --scale measures hangdump at 100, 1000 and 10000 threads.
The bare stop (tests/bench/bare_stop.c) is the least that any tool could do.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hang


def bench_program(name):
    return os.path.join(hang.BUILDDIR, "tests", "bench", name)


def tools():
    """{name: argv before the pid}, of what is installed."""
    gdb = ["gdb", "-batch", "-nx", "-iex", "set debuginfod enabled off", "-iex",
           "set auto-load off", "-ex", "thread apply all bt", "-p"]
    all_tools = {
        "nothing": ["true"],
        "bare-stop": [bench_program("bare_stop")],
        "hangdump": [hang.HANGDUMP, "--format=json"],
        "hangdump-text": [hang.HANGDUMP],
        "hangdump-no-stop": [hang.HANGDUMP, "--format=json", "--no-stop"],
        "eu-stack": ["eu-stack", "-p"],
        "eu-stack-inlines": ["eu-stack", "-i", "-s", "-p"],
        "gdb": gdb,
    }
    return {name: argv for name, argv in all_tools.items() if shutil.which(argv[0])}


def run(argv, pid):
    """One run: status, wall and cpu (ms) and peak memory (MB) of it and its children; its output."""
    environment = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
    ran = subprocess.run([bench_program("measure"), *argv, str(pid)], stdin=subprocess.DEVNULL,
                         capture_output=True, env=environment, check=True, timeout=1200)
    return json.loads(ran.stderr), ran.stdout


def reported_ms(name, output):
    if name == "bare-stop":
        found = re.search(rb"held_us (\d+)", output)
        return int(found.group(1)) / 1e3 if found else None
    if name in ("hangdump", "hangdump-no-stop"):
        return json.loads(output)["processes"][0]["frozen_us"] / 1e3
    return None


def measure(victim, name, argv):
    victim.send("begin")
    victim.expect("begun")
    result, output = run(argv, victim.pid)
    victim.send("end")
    gap, eintr = victim.expect(r"gap (\d+) eintr (\d+)").groups()
    result["held"] = int(gap) / 1e3
    result["eintr"] = int(eintr)
    result["reported"] = reported_ms(name, output)
    if result["status"] not in (0, 1):
        sys.exit(f"bench: {name} ended with status {result['status']}")
    return result


COLUMNS = (("held", "held ms"), ("reported", "reported ms"), ("wall", "wall ms"),
           ("cpu", "cpu ms"), ("rss", "rss MB"), ("eintr", "eintr"))


def figure(values):
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    middle, low, high = statistics.median(values), min(values), max(values)

    def short(v):
        return f"{v:.0f}" if v >= 100 else f"{v:.1f}" if v >= 10 else f"{v:.2f}".rstrip("0").rstrip(".")

    return f"{short(middle)} ({short(low)}-{short(high)})"


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def compare(arguments):
    chosen = {name: argv for name, argv in tools().items()
              if not arguments.tools or name in arguments.tools}
    results = {name: [] for name in chosen}
    with hang.Victim("crowd", arguments.threads, arguments.depth,
                     executable=bench_program("crowd")) as victim:
        _, _, scheduler = victim.ready()
        print(f"{arguments.threads} threads, {arguments.depth} calls deep,"
              f" heartbeat under SCHED_{scheduler.upper()}, {arguments.runs} runs")
        for argv in chosen.values():  # once for the page cache
            run(argv, victim.pid)
        for _ in range(arguments.runs):
            for name, argv in chosen.items():
                results[name].append(measure(victim, name, argv))
    print_table([["", *[title for _, title in COLUMNS]]] +
                [[name, *[figure([r[key] for r in runs]) for key, _ in COLUMNS]]
                 for name, runs in results.items()])
    if "hangdump" in results:
        print("\nratio of the medians to hangdump's")
        base = {key: statistics.median([r[key] for r in results["hangdump"]])
                for key in ("held", "wall", "cpu", "rss")}
        print_table([["", *base]] + [
            [name, *[f"{statistics.median([r[key] for r in runs]) / base[key]:.1f}"
                     for key in base]]
            for name, runs in results.items() if name not in ("hangdump", "nothing")])


def scale(arguments):
    rows = [["threads", *[title for _, title in COLUMNS], "bare-stop reported ms",
             "wall us a thread"]]
    for threads in (100, 1000, 10000):
        with hang.Victim("crowd", threads, arguments.depth,
                         executable=bench_program("crowd")) as victim:
            words = victim.line().split()
            if words[0] != "ready":
                print(" ".join(words))
                break
            hang.wait_until(lambda: len(hang.tids_of(victim.pid)) == threads + 2, "its threads")
            runs, bare = [], []
            for _ in range(max(3, arguments.runs // 2)):
                bare.append(measure(victim, "bare-stop", [bench_program("bare_stop")]))
                runs.append(measure(victim, "hangdump", tools()["hangdump"]))
            rows.append([str(threads), *[figure([r[key] for r in runs]) for key, _ in COLUMNS],
                         figure([r["reported"] for r in bare]),
                         figure([r["wall"] * 1e3 / threads for r in runs])])
    print_table(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=200)
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--scale", action="store_true")
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=f"of {', '.join(tools())}")
    arguments = parser.parse_args()
    hang.LIMIT = 600
    if arguments.scale:
        scale(arguments)
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
