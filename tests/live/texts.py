#!/usr/bin/env python3
"""Dumps that were text before: a report out of a log, and what Go prints of its goroutines."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import SRCDIR, Skip, Victim, add_case, case, check, check_equal

DATA = os.path.join(SRCDIR, "tests", "data", "go")


def show(text, *options):
    """Shown from standard input: the report, or with --format=json the dump."""
    done = subprocess.run([hang.HANGDUMP, "show", *options, "-"], input=text,
                          capture_output=True, timeout=hang.LIMIT)
    check(done.returncode in (0, 1), f"show: {done.stderr!r}")
    return done.stdout, done.returncode


def dump_of(text):
    return json.loads(show(text, "--format=json")[0])


def without_ranges(text):
    """Which thread has which number in its name, and parents of several, no text tells."""
    text = re.sub(rb'"([^"]*?)\d+"\.\."\1\d+"', rb'"\1*"', text)
    return text


def capture(pid, *options):
    with tempfile.TemporaryDirectory(prefix="hangdump-texts-") as directory:
        paths = [os.path.join(directory, name) for name in ("a.txt", "a.json")]
        result = hang.run_hangdump("-o", paths[0], "-o", paths[1], *options, str(pid))
        check(result.status in (0, 1), f"{result}")
        with open(paths[0], "rb") as text, open(paths[1], "rb") as saved:
            return text.read(), json.load(saved)


def facts(dump):
    """What both the text and the JSON of one capture have."""
    threads = {}
    for process in dump["processes"]:
        for thread in process["threads"]:
            wait = thread["wait"]
            frames = [(f["function"], f["file"], f["line"], f["inlined"])
                      for f in thread["frames"] if f["kind"] != "kernel" and f["function"]]
            threads[process["pid"], thread["tid"]] = (
                wait["class"], wait["idle"], wait["owner_state"],
                [(o["pid"], o["tid"]) for o in wait["owners"]][:4], frames,
                thread["complete"], thread["omitted"])
    findings = [(f["kind"], f["confidence"], f["summary"], f["behind"],
                 [(t["pid"], t["tid"]) for t in f["threads"]]) for f in dump["findings"]]
    processes = sorted((p["pid"], p["name"], p["command"]) for p in dump["processes"])
    groups = [(g["pid"], g["tids"], g["class"], g["idle"]) for g in dump["groups"]]
    return threads, findings, processes, groups


def check_read_again(text, dump):
    shown, _ = show(text)
    check_equal(shown.decode("utf-8", "replace"),
                without_ranges(text).decode("utf-8", "replace"), "the text, shown")
    for name, again, live in zip(("threads", "findings", "processes", "groups"),
                                 facts(dump_of(text)), facts(dump)):
        check_equal(again, live, name)


def capture_bank():
    with Victim("bank") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid)
        return capture(victim.pid)


@case
def the_report_of_a_deadlock_is_a_dump_again():
    text, dump = capture_bank()
    check(b"DEADLOCK" in text, f"{text!r}")
    check_read_again(text, dump)


def diff(old, new, *options):
    """Status and text of the comparison of two dumps, of text or JSON as bytes."""
    with tempfile.TemporaryDirectory(prefix="hangdump-texts-") as directory:
        paths = [os.path.join(directory, name) for name in ("old", "new")]
        for path, content in zip(paths, (old, new)):
            with open(path, "wb") as file:
                file.write(content)
        done = hang.run_hangdump("diff", *options, *paths)
        check(not done.err, f"{done}")
        return done.status, done.text()


@case
def a_text_is_compared_with_others_and_with_json():
    captured = []
    for _ in range(2):
        captured.append(capture_bank())
    (text, dump), (later, _) = captured
    for new in (json.dumps(dump).encode(), later):
        status, said = diff(text, new)
        check_equal(status, 0, f"status; it said {said}")
        check("PERSISTING DEADLOCK" in said and "NEW" not in said, said)
        check(" apart" not in said.splitlines()[0], f"no text says when it was made: {said}")
        # The innermost function that is not libc's own.
        check("[mutex lock] withdraw" in diff(text, new, "--stat")[1], said)


@case
def leaked_goroutines_are_counted_as_such():
    with open(os.path.join(DATA, "asleep-1.26.txt"), "rb") as file:
        text = file.read()
    first = re.search(rb"^goroutine (\d+) .*?(?=\n\n|\Z)", text, re.M | re.S)
    more = text.rstrip() + b"\n\n" + first.group(0).replace(
        b"goroutine " + first.group(1), b"goroutine 987654", 1) + b"\n"
    status, said = diff(text, more, "--leaks")
    check_equal(status, 1, f"status; it said {said}")
    check("LEAKED: 1 goroutine in 1 group" in said, said)
    check_equal(diff(text, text, "--leaks")[0], 0, "status of no leak")


@case
def so_is_that_of_a_tree_of_processes():
    with Victim("sh", "-c", "echo ready; sleep 1000 | cat; true", executable="/bin/sh") as victim:
        victim.line()
        hang.wait_until(lambda: hang.read_file(
            f"/proc/{victim.pid}/task/{victim.pid}/children").count(" ") >= 2, "two children")
        hang.wait_blocked(victim.pid, victim.pid)
        text, dump = capture(victim.pid, "--tree")
    check(len(dump["processes"]) == 3, "not three processes")
    check_equal(facts(dump_of(text))[2], facts(dump)[2], "processes")
    check_equal(facts(dump_of(text))[3], facts(dump)[3], "groups")


@case
def a_log_and_a_cut_say_what_is_missing():
    text, dump = capture_bank()
    log = b"".join(b"2024-01-01T00:00:%02d.1234567Z %s\r\n" % (i % 60, line)
                   for i, line in enumerate(text.splitlines()))
    check_equal(facts(dump_of(log)), facts(dump), "the facts out of a log")
    half = text[:text.index(b"\n", len(text) // 2) + 1]
    shown, status = show(half)
    check_equal(status, 1, "status of half a report")
    check(b"are not in the text" in shown, f"{shown!r}")


def goroutines_of(name, *senders):
    with open(os.path.join(DATA, name), "rb") as file:
        shown, _ = show(file.read())
    for line in senders:
        check(line in shown, f"no {line!r} in {shown!r}")


add_case("the goroutines of a test that has timed out", goroutines_of, "timeout-1.26.txt",
         b"\noccasion: panic: test timed out after 1s; running tests: TestHang (1s),",
         b"\n3 goroutines [chan send]: 19-21\nexample.com/leak.startAll.func1()\n")
add_case("the list of goleak", goroutines_of, "goleak-1.3.txt",
         b"\n3 goroutines [chan send]: 22-24\nexample.com/leak.startAll.func1()\n")
add_case("what SIGQUIT prints", goroutines_of, "quit-1.26.txt",
         b"\n3 goroutines [chan send]: 25-27\nruntime.gopark()\n")


@case
def a_program_that_go_builds_now():
    go = shutil.which("go")
    if not go:
        raise Skip("there is no go")
    if os.environ.get("HANGDUMP_SANITIZERS") == "yes":
        raise Skip("one build of it is enough: compiling takes its time")
    with tempfile.TemporaryDirectory(prefix="hangdump-go-") as directory:
        program = os.path.join(directory, "hang")
        env = dict(os.environ, GOCACHE=os.path.join(directory, "cache"), GOFLAGS="-trimpath",
                   GO111MODULE="off", GOTOOLCHAIN="local", HOME=directory)
        built = subprocess.run([go, "build", "-o", program, os.path.join(DATA, "asleep.go")],
                               env=env, capture_output=True)
        if built.returncode:
            raise Skip(f"go cannot build: {built.stderr[-300:]!r}")
        printed = subprocess.run([program], capture_output=True, timeout=hang.LIMIT).stderr
    dump = dump_of(printed)
    goroutines = dump["processes"][0]["goroutines"]
    check_equal(len(goroutines), 2, "goroutines")
    check_equal(goroutines[0]["frames"][-1]["function"], "main.main", "goroutine 1")
    check_equal(goroutines[1]["wait"]["class"], "select (no cases)", "goroutine 2")
    check_equal(goroutines[1]["created_by"]["function"], "main.main", "its creator")
    check_equal(dump["findings"][0]["kind"], "no progress possible", "finding")


if __name__ == "__main__":
    hang.main()
