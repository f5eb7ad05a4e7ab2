#!/usr/bin/env python3
"""hangdump show: a saved dump is shown as the live one was, byte for byte, and nonsense is refused."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Victim, add_case, case, check, check_equal
from saved import Saved
from verdict import end_all

# Every look of the text, each with another part of the victims.
LOOKS = [[], ["-v"], ["--color=always"], ["--no-idle", "-v"], ["--kernel-stacks=always"],
         ["--kernel-stacks=never", "--color=always", "-v"], ["--max-frames=3"]]
# So many victims in one capture.
BATCH = 24


def one_round(victims, looks):
    with Saved() as saved:
        for victim in victims:
            try:
                victim.line()  # ready, or not possible here: both can be dumped
            except hang.Failed:
                check(not victim.alive(), f"{victim.name} says nothing")
        pids = [victim.pid for victim in victims if victim.alive()]
        _, status = saved.capture("--tree", "--deadline=60s", *looks, *pids)
        shown = saved.check_shown(*looks)
        check_equal(shown, status, "status, and that of the live call")


def rows_of(name):
    listed = subprocess.run([hang.victim_path(name), "--list"], capture_output=True, text=True)
    return [(name, line.split("\t")[0].split()[0]) for line in listed.stdout.splitlines()]


def families():
    singles = [("bank",), ("sleeper", "--threads=5"), ("names",), ("signals", 3), ("spin", 2),
               ("userfault",), ("vfork_parent",), ("zombie_leader",)]
    yield "all kinds", singles
    for name in ("classes", "classes_cxx", "verdicts", "verdicts_cxx"):
        if os.path.exists(os.path.join(hang.BUILDDIR, "tests", "victims", name)):
            rows = rows_of(name)
            for first in range(0, len(rows), BATCH):
                yield f"{name} {first // BATCH + 1}", rows[first:first + BATCH]


def add_rounds():
    for number, (name, rows) in enumerate(families()):
        look = LOOKS[number % len(LOOKS)]

        def play(rows=rows, look=look):
            try:
                one_round([Victim(*row) for row in rows], look)
            finally:
                hang.kill_victims()
                end_all()

        add_case(f"{name} {' '.join(look)}".strip(), play)


def bank(saved, *looks):
    with Victim("bank") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid)
        saved.capture("--deadline=60s", *looks, victim.pid)
    return saved.path("a.json")


@case
def every_look_of_one_victim():
    for look in LOOKS:
        with Saved() as saved:
            bank(saved, *look)
            check_equal(saved.check_shown(*look), 0, "status")


@case
def frames_are_left_out_as_in_a_live_dump():
    with Saved() as saved, Victim("bank") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid)
        saved.capture("--deadline=60s", victim.pid)
        shown = hang.run_hangdump("show", "--max-frames=2", saved.path("a.json"))
        live = hang.run_hangdump("--max-frames=2", victim.pid)

        def stacks(result):
            """Without repetition: live, those that are alike now are one group."""
            return {part[part.index("\n", part.index("\non ") + 1):]
                    for part in result.text().split("\n\n") if "(...)\n" in part}

        check(all("omitted" in part for part in stacks(live)), f"nothing omitted: {live.text()}")
        check_equal(stacks(shown), stacks(live), "stacks")


@case
def files_that_cannot_be_written_are_told():
    with Saved() as saved:
        dump = bank(saved)
        result = hang.run_hangdump("show", dump, "-o", saved.path("b.txt"), "-o", "/nowhere/c.json")
        hang.check_one_error_line(result, 2, "/nowhere/c.json: could not be written")
        check(not os.path.exists(saved.path("b.txt")), "half of the output is there")
        result = hang.run_hangdump("show", dump, *(["-o", saved.path("b.txt")] * 9))
        check_equal(result.status, 2, f"{result}")
        result = hang.run_hangdump("show", dump, "-o", dump)
        check_equal(result.status, 0, f"{result}")
        hang.check_dump(json.loads(saved.read("a.json")))


@case
def what_could_not_be_read_is_still_said():
    with Saved() as saved:
        bank(saved)
        dump = json.loads(saved.read("a.json"))
        dump["errors"].append({"pid": None, "tid": None, "what": "the moon", "why": "too far"})
        result = hang.run_hangdump("show", saved.write("b.json", json.dumps(dump).encode()))
        check_equal(result.status, 1, f"{result}")
        check("Could not be read:\n  the moon: too far\n" in result.text(), result.text())


@case
def a_dump_comes_through_pipes():
    with Saved() as saved:
        path = bank(saved)
        with open(path, "rb") as file:
            from_file = hang.run_hangdump("show", "-", stdin=file)
        check_equal(from_file.out, saved.read("a.txt"), "through standard input")
        fifo = saved.path("fifo")
        os.mkfifo(fifo)
        held = os.open(fifo, os.O_RDWR)
        os.write(held, b"{")
        result = hang.run_hangdump("show", "--deadline=1s", fifo)
        os.close(held)
        hang.check_one_error_line(result, 2, "the deadline passed")
        writer = subprocess.Popen(["sh", "-c", 'exec cat "$0" >"$1"', path, fifo])
        result = hang.run_hangdump("show", fifo)
        writer.wait()
        check_equal(result.out, saved.read("a.txt"), "through a FIFO")


@case
def a_filter_shows_what_was_asked_for():
    with Saved() as saved:
        dump = bank(saved)
        thread = next(t for t in json.loads(saved.read("a.json"))["processes"][0]["threads"]
                      if t["name"] == "transfer-1")
        for options in (["--only=transfer*"], [f"--thread={thread['tid']}", "--only=stuck"],
                        [f"--who={thread['wait']['resource']['address']}"], ["--who=savings"]):
            result = hang.run_hangdump("show", *options, dump)
            check_equal(result.status, 0, f"{result}")
            check(f"]: {thread['tid']} \"transfer-1\"\n" in result.text(), f"{options}: {result.text()}")
            check("threads left out by the filter" in result.text(), result.text())
        check(", held by thread" in result.text() and "; 1 thread waits for it." in result.text(),
              result.text())
        result = hang.run_hangdump("show", "--only=nowhere", "--thread=1", dump)
        hang.check_one_error_line(result, 2, "^hangdump: --only=nowhere --thread=1: no thread matches")
        check_equal(result.out, b"", "output")
        result = hang.run_hangdump("show", "--only=stuck", "--format=json", dump)
        hang.check_one_error_line(result, 2, "JSON is whole")
        check_equal(hang.run_hangdump("show", "--thread=x", dump).status, 2, "--thread=x")


@case
def nothing_is_waited_for_for_ever():
    with Saved() as saved:
        fifo = saved.path("fifo")
        os.mkfifo(fifo)
        result = hang.run_hangdump("show", "--deadline=300ms", fifo)
        hang.check_one_error_line(result, 2, "fifo: the deadline passed")
        result = hang.run_hangdump("show", "--deadline=300ms", "/dev/zero")
        hang.check_one_error_line(result, 2, "/dev/zero: (the deadline|not supported)")
        read_end, write_end = os.pipe()
        result = hang.run_hangdump("show", "--deadline=300ms", "-", stdin=read_end)
        os.close(write_end)
        os.close(read_end)
        hang.check_one_error_line(result, 2, "standard input: the deadline passed")


@case
def what_is_no_dump_is_refused_in_one_line():
    with Saved() as saved:
        whole = open(bank(saved), "rb").read()
        rows = {
            "missing": (None, "could not be read: No such file"),
            "empty": (b"", "it is empty"),
            "words": (b"hello\n", "not in the expected form"),
            "binary": (bytes(range(256)), "not in the expected form"),
            "nul": (whole[:100] + b"\0" + whole[100:], "a NUL byte"),
            "other": (b'{"format": "hangdump-diff", "version": 1}', '"format" is not "hangdump"'),
            "later": (b'{"format": "hangdump", "version": 2}', "version 2 of the format"),
            "none": (b'{"format": "hangdump", "version": 1, "processes": [], "groups": [],'
                     b' "findings": [], "errors": []}', "no process"),
        }
        for name, (content, words) in rows.items():
            path = saved.path(name) if content is None else saved.write(name, content)
            hang.check_one_error_line(hang.run_hangdump("show", path), 2, words)
        hang.check_one_error_line(hang.run_hangdump("show", saved.directory.name), 2, "directory")
        for size in range(0, len(whole) - 1, len(whole) // 23):
            result = hang.run_hangdump("show", saved.write("short", whole[:size]))
            hang.check_one_error_line(result, 2)
        for arguments in ([], ["a", "b"]):
            check_equal(hang.run_hangdump("show", *arguments).status, 2, f"show {arguments}")


@case
def nonsense_by_the_hundred_megabytes():
    with Saved() as saved:
        for part in (b"[", b'{"a":', b'{"format":"hangdump","version":1,"x":[[],[],'):
            path = saved.write("big", part * (100_000_000 // len(part)))
            result = hang.run_hangdump("show", path)
            hang.check_one_error_line(result, 2, "big: not in the expected form")
            # The text, and little more; sanitizers take their own share.
            megabytes = result.usage.ru_maxrss // 1024
            check(megabytes < 600, f"{result}: {megabytes} MB")


if __name__ == "__main__":
    add_rounds()
    hang.main()
