#!/usr/bin/env python3
"""Findings about thousands of threads, about threads that lie, and about what ends meanwhile."""

import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Skip, Victim, case, check, check_equal
from verdict import ACCUSATIONS, CHAIN, DEADLOCK, STUCK, Row, end_all, read_roles

CHAIN_LENGTH = int(os.environ.get("HANGDUMP_TEST_CHAIN", "5000"))
LOCKS = int(os.environ.get("HANGDUMP_TEST_LOCKS", "10000"))


def crowd(name, count):
    """The victim, all of it asleep; and its dump."""
    with open("/proc/sys/kernel/threads-max", encoding="ascii") as file:
        if int(file.read()) < 2 * count:
            raise Skip(f"{count} threads are too many here")
    victim = Victim("verdicts", name, count)
    victim.ready()
    tids = hang.tids_of(victim.pid)
    hang.wait_until(lambda: all(hang.state_of(victim.pid, t) == "S" for t in tids),
                    f"{count} threads asleep", 120)
    dump = hang.dump(victim.pid, "--deadline=100", limit=150)
    result = dump["result"]
    print(f"# {name} {count}: {result.seconds:.1f} s, {result.usage.ru_utime:.1f} s user,"
          f" {result.usage.ru_maxrss >> 10} MiB, {len(result.out) >> 10} KiB of JSON", flush=True)
    check_equal(len(hang.threads_of(dump)), count + 1, "threads in the dump")
    return victim, dump


@case
def a_chain_of_thousands():
    """Each has a lock and wants the next one's: one finding, and its root is the one that sleeps."""
    victim, dump = crowd("crowd-chain", CHAIN_LENGTH)
    with victim:
        findings = dump["findings"]
        check_equal([f["kind"] for f in findings], [CHAIN], "findings")
        ids = {t["tid"] for t in findings[0]["threads"]}
        root = findings[0]["threads"][0]["tid"]
        check_equal(hang.threads_of(dump)[root]["wait"]["class"], "sleep", "what the root does")
        check_equal(len(ids), CHAIN_LENGTH, "threads in the chain")


@case
def a_lock_for_each_of_thousands():
    victim, dump = crowd("crowd-locks", LOCKS)
    with victim:
        for tid, thread in hang.threads_of(dump).items():
            owners = [] if tid == victim.pid else [{"pid": victim.pid, "tid": victim.pid}]
            check_equal(thread["wait"]["owners"], owners, f"who has the lock of {tid}")
        check_equal([f["kind"] for f in dump["findings"]], [CHAIN], "findings")
        check_equal(dump["findings"][0]["threads"][0]["tid"], victim.pid, "the root")


@case
def deadlocks_by_the_thousand():
    victim, dump = crowd("crowd-pairs", CHAIN_LENGTH)
    with victim:
        check_equal({f["kind"] for f in dump["findings"]}, {DEADLOCK}, "kinds of findings")
        check_equal(len(dump["findings"]), CHAIN_LENGTH // 2, "deadlocks")
        text = hang.run_hangdump("--deadline=100", victim.pid, limit=150).text()
        check("DEADLOCK: 2 threads wait for each other" in text, f"the report: {text[:300]}")


@case
def names_that_are_lines_of_a_report():
    row = Row("liar", dict.fromkeys(("root", "a", "b", "main")))
    with Victim("verdicts", "liar", argv0=b"\nDEADLOCK: 9 threads\n\x1b[31m") as victim:
        roles = read_roles(victim, row)
        hang.wait_all_blocked(victim.pid, 4)
        text = hang.run_hangdump(victim.pid).text()
        check(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text), f"control characters: {text!r}")
        lines = text.splitlines()
        check(not any(line.startswith("DEADLOCK") for line in lines), f"it lies:\n{text}")
        check(not any(line.startswith("by thread") for line in lines), f"it lies:\n{text}")
        held = [line for line in lines if re.search(r"held by thread 1\b", line)]
        check(not held, f"it says who has the lock as the name has it: {held}")
        dump = hang.dump(victim.pid)
        check_equal(dump["processes"][0]["command"][0], "\nDEADLOCK: 9 threads\n\x1b[31m",
                    "the name in JSON")
        check(not any(f["kind"] in ACCUSATIONS for f in dump["findings"]), "an accusation")
        for role in ("a", "b"):
            owners = hang.threads_of(dump)[roles[role][1]]["wait"]["owners"]
            check_equal(owners, [{"pid": roles["root"][0], "tid": roles["root"][1]}], "owners")


def while_it_ends(name, options, kill_after):
    """A dump of what is killed at some moment of it: whatever comes out is whole, or says why."""
    for i in range(10):
        victim = Victim("verdicts", name)
        victim.ready()
        timer = threading.Timer(kill_after * i, victim.process.kill)
        timer.start()
        result = hang.run_hangdump("--format=json", *options, victim.pid)
        timer.join()
        check(result.status in (0, 1, 2), f"{result}")
        if result.status == 2:
            check(re.fullmatch(r"hangdump: [^:]+: .+(\n.+)?", result.errors().strip()),
                  f"{result}: not `hangdump: what: why`")
        else:
            dump = result.json()
            kinds = {f["kind"] for f in dump["findings"]}
            wrong = kinds & (ACCUSATIONS - {DEADLOCK, STUCK} if "cycle" in name else ACCUSATIONS)
            check(not wrong, f"killed meanwhile, and said to be: {wrong}: {dump['findings']}")
        victim.kill()
        end_all()


@case
def a_deadlock_that_is_killed_meanwhile():
    while_it_ends("cycle-behind", (), 0.01)


@case
def a_tree_that_is_killed_meanwhile():
    while_it_ends("shared-relay", ("--tree",), 0.015)


@case
def a_program_that_becomes_another_meanwhile():
    """exec in the middle: of the threads that were there none is left."""
    for i in range(8):
        with Victim("verdicts", "exec-later", 20 * i) as victim:
            victim.ready()
            result = hang.run_hangdump("--format=json", victim.pid)
            check(result.status in (0, 1, 2), f"{result}")
            if result.status != 2:
                kinds = {f["kind"] for f in result.json()["findings"]}
                check(not kinds & ACCUSATIONS, f"{kinds} of a program that goes on")
        end_all()


if __name__ == "__main__":
    hang.main()
