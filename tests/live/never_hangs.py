#!/usr/bin/env python3
"""hangdump ends in time, with something to say, whatever state its target is in."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Skip, Victim, case, check, check_equal, check_untraced

# The deadline of a dump, and some room for a machine that has other things to do.
IN_TIME = 10 + 5


def in_time(dump):
    check(dump["result"].seconds < IN_TIME, f"{dump['result']}: longer than its deadline")
    return dump


def classes(dump):
    return {tid: t["wait"]["class"] for tid, t in hang.threads_of(dump).items()}


def why(dump):
    return [f"{e['what']}: {e['why']}" for e in dump["errors"]]


@case
def a_vfork_parent_is_told_from_proc_alone():
    with Victim("vfork_parent") as victim:
        _, child = [int(w) for w in victim.ready()]
        hang.wait_blocked(victim.pid, victim.pid, state="D")
        dump = in_time(hang.dump(victim.pid))
        thread = hang.threads_of(dump)[victim.pid]
        check_equal(thread["wait"]["class"], "vfork wait", "wait class")
        owners = [o["pid"] for o in thread["wait"]["owners"]]
        check(owners in ([child], []), f"who must act: {owners}, not the child {child}")
        check_equal(thread["state"], "D", "state")
        check_untraced(victim.pid)
        victim.process.stdin.close()
        hang.wait_until(lambda: not victim.alive(), "the end of the vfork parent")
        check_equal(victim.process.returncode, 0, "its status")


@case
def spinning_threads_are_shown_where_they_spin():
    with Victim("spin", 2) as victim:
        victim.ready()
        for _ in range(5):
            dump = in_time(hang.dump(victim.pid))
            threads = hang.threads_of(dump)
            check_equal(len(threads), 5, "threads")
            for tid, thread in threads.items():
                if tid == victim.pid:
                    continue
                names = hang.functions_of(thread)
                check("spin_in_user_code" in names or "spin_in_system_calls" in names,
                      f"thread {tid} is in {names}, {thread['wait']['class']}; {why(dump)}")
                if "spin_in_user_code" in names:
                    check_equal(thread["wait"]["class"], "running", "wait class")


def storm(kind, rounds=25):
    with Victim("storm", kind) as victim:
        victim.ready()
        for _ in range(rounds):
            dump = in_time(hang.dump(victim.pid))
            check(dump["processes"][0]["threads"], f"no threads; {why(dump)}")
        # It still storms: nothing of it was left behind in a stop.

        def work():
            """CPU time and page faults of the whole process and its children."""
            text = hang.read_file(f"/proc/{victim.pid}/stat")
            fields = text[text.rindex(")") + 2 :].split()
            return [fields[i] for i in (7, 8, 11, 12, 13, 14)]

        for tid in hang.tids_of(victim.pid):
            check(hang.state_of(victim.pid, tid) != "T", f"thread {tid} was left stopped")
        before = work()
        hang.wait_until(lambda: work() != before, "the storm to go on")
        hang.wait_until(lambda: all(hang.tracer_of(victim.pid, t) == 0
                                    for t in hang.tids_of(victim.pid)), "no tracer", 10)


for _kind in ("threads", "forks", "execs"):
    hang.add_case(f"a storm of {_kind}", storm, _kind)


@case
def a_process_that_ends_meanwhile():
    rng = random.Random(3)
    gone = 0
    for _ in range(30):
        with Victim("storm", "exits") as victim:
            victim.ready()
            hang.wait_all_blocked(victim.pid, 101)
            dying = subprocess.Popen(["/bin/sh", "-c", f"sleep {rng.uniform(0, 0.02):.4f}; echo"],
                                     stdout=victim.process.stdin)
            result = hang.run_hangdump("--format=json", victim.pid)
            dying.wait()
            check(result.seconds < IN_TIME, f"{result}: longer than its deadline")
            if result.status == 2:
                hang.check_one_error_line(result, 2)
                gone += 1
            else:
                check(result.status in (0, 1), f"{result}")
                result.json()
            check(not result.left_behind, f"{result}: left {result.left_behind}")
            hang.wait_until(lambda: not victim.alive(), "the end of the victim")
            check_equal(victim.process.returncode, 0, "its status")


@case
def a_zombie_leader_with_live_threads():
    with Victim("zombie_leader") as victim:
        pid, *tids = [int(w) for w in victim.ready()]
        hang.wait_until(lambda: hang.state_of(pid) == "Z", "the leader's end")
        for tid in tids:
            hang.wait_blocked(pid, tid)
        dump = in_time(hang.dump(pid))
        threads = hang.threads_of(dump)
        check_equal(sorted(threads), sorted([pid, *tids]), "threads")
        check_equal(threads[pid]["wait"]["class"], "exited", "the leader's wait class")
        for tid in tids:
            check_equal(threads[tid]["wait"]["class"], "signal wait", "wait class")
            check("survive" in hang.functions_of(threads[tid]),
                  f"frames {hang.functions_of(threads[tid])}; {why(dump)}")


@case
def five_thousand_threads():
    path = os.path.join(hang.BUILDDIR, "tests", "bench", "crowd")
    with Victim("crowd", 5000, 12, executable=path) as victim:
        victim.ready()
        hang.wait_until(lambda: len(hang.tids_of(victim.pid)) == 5002, "5002 threads")
        # So much work may take a loaded machine longer than the usual deadline.
        dump = hang.dump(victim.pid, "--deadline=2m", limit=300)
        threads = hang.threads_of(dump)
        check_equal(len(threads), 5002, "threads")
        short = [t for t in threads.values() if not t["complete"]]
        check(not short, f"{len(short)} stacks are not whole, the first because"
                         f" {short[0]['incomplete_because'] if short else ''}; {why(dump)[:3]}")
        deep = sum(len(t["frames"]) >= 14 for t in threads.values())
        check(deep >= 5000, f"only {deep} of 5000 stacks are deep")
        unknown = [t for t, c in classes(dump).items() if c == "unknown"]
        check(not unknown, f"{len(unknown)} threads are of an unknown class; {why(dump)[:3]}")
        check_untraced(victim.pid)


@case
def a_target_that_another_traces():
    with Victim("sleeper", "--threads=3") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 4)
        with Victim("tracer", victim.pid) as tracer:
            tracer.ready()
            result = hang.run_hangdump("--format=json", victim.pid)
            check(result.status in (1, 2), f"{result}: status")
            if result.status == 1:
                dump = result.json()
                said = " ".join(why(dump))
                check_equal(len(hang.threads_of(dump)), 4, "threads")
                for thread in hang.threads_of(dump).values():
                    check_equal(thread["wait"]["class"], "signal wait", "wait class")
            else:
                said = result.errors()
            check(str(tracer.pid) in said, f"the tracer {tracer.pid} is not named: {said}")
            for tid in hang.tids_of(victim.pid):
                check_equal(hang.tracer_of(victim.pid, tid), tracer.pid, "the tracer afterwards")
        check_untraced(victim.pid)


@case
def a_target_stopped_by_its_debugger():
    gdb = hang.program("gdb")
    with Victim("sleeper", "--threads=3") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 4)
        debugger = subprocess.Popen(
            [gdb, "-q", "-nx", "-ex", "set debuginfod enabled off", "-p", str(victim.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            hang.wait_until(lambda: all(hang.state_of(victim.pid, t) == "t"
                                        for t in hang.tids_of(victim.pid)), "gdb to stop it")
            result = hang.run_hangdump("--format=json", victim.pid)
            check(result.status in (1, 2), f"{result}: status")
            check(result.seconds < IN_TIME, f"{result}: longer than its deadline")
            said = result.errors()
            if result.status == 1:
                dump = result.json()
                said = " ".join(why(dump))
                check_equal(set(classes(dump).values()), {"traced"}, "wait classes")
            check(str(debugger.pid) in said, f"gdb ({debugger.pid}) is not named: {said}")
        finally:
            debugger.kill()
            debugger.wait()
            debugger.stdin.close()


@case
def it_dumps_the_very_process_that_waits_for_it():
    dump = in_time(hang.dump(os.getpid()))
    check(os.getpid() in hang.threads_of(dump), "we are not in it")


def kept_name(raw):
    """What the kernel keeps of a thread's name, as the dump's JSON has it."""
    return raw[:15].decode("utf-8", "replace")


@case
def hostile_names_of_threads():
    names = [b"\x1b[31mred\x1b]0;x\x07", b"two\nlines", b"a) R 1 (b", b"\xff\xfe\xc3(",
             b"\xc2\x9b31m", b"tab\tcr\rdel\x7f", b"\xe2\x80\xaetxet", b"", b"fifteen bytes.."]
    argv = ["--threads=0", b"\x1b[2J\x1b]0;owned\x07", b"a\nFAKE: 1 thread [running]: 1", b"\xff\xfe",
            "", "x" * 100000]
    with Victim("names", *argv) as victim:
        pid, *tids = [int(w) for w in victim.ready()]
        hang.wait_all_blocked(pid, len(names) + 1)
        dump = in_time(hang.dump(pid))
        threads = hang.threads_of(dump)
        for tid, raw in zip(tids, names):
            check_equal(threads[tid]["name"], kept_name(raw), f"name of thread {tid}")
            check_equal(threads[tid]["wait"]["class"], "signal wait", "wait class")
        process = dump["processes"][0]
        check_equal(process["name"], "\x1b[2J) Z (\n", "name of the process")
        for text in process["command"]:
            check(len(text) < 200000, "an argument is longer than it is")
        for option in ("--color=never", "--color=always"):
            result = hang.run_hangdump(option, "-v", pid)
            check(result.status in (0, 1), f"{result}")
            text = result.out.decode("utf-8")  # fails the case when it is not UTF-8
            if option == "--color=always":
                text = _without_own_colours(text)
            bad = {hex(ord(c)) for c in text
                   if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0
                   or 0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069}
            check(not bad, f"{option}: the text holds {bad}")
            for line in text.splitlines():
                check(not line.startswith(("lines", "FAKE:")), f"a forged line: {line!r}")


def _without_own_colours(text):
    """Removes plain SGR sequences of our own; the victims' one would leave `red` behind it."""
    import re

    check("\x1b[31mred" not in text, "the target's colour came through")
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


class Hopper:
    """A process that waits with a frame of a library, or of itself, whose file is then changed."""

    def __init__(self):
        self.scratch = tempfile.mkdtemp(prefix="hangdump-hopper-")
        self.library = os.path.join(self.scratch, "libhop.so")
        self.executable = os.path.join(self.scratch, "hopper")
        shutil.copy(hang.victim_path("libhop.so"), self.library)
        shutil.copy(hang.victim_path("hopper"), self.executable)
        self.victim = Victim("hopper", self.library, executable=self.executable)
        self.victim.ready()
        hang.wait_blocked(self.victim.pid, self.victim.pid, [0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.victim.kill()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def names(self, *options):
        dump = in_time(hang.dump(self.victim.pid, *options))
        thread = hang.threads_of(dump)[self.victim.pid]
        check_equal(thread["wait"]["class"], "pipe read", "wait class")
        check(len(thread["frames"]) > 1, f"one frame; {why(dump)}")
        check_untraced(self.victim.pid)
        return hang.functions_of(thread)

    def lands(self):
        self.victim.send("")
        self.victim.expect("landed")


def _replace(path, by):
    os.unlink(path)
    if by == "fifo":
        os.mkfifo(path)
    elif by == "directory":
        os.mkdir(path)
    elif by == "garbage":
        with open(path, "wb") as file:
            file.write(b"\x7fELF" + os.urandom(50000))
    elif by == "device":
        os.symlink("/dev/zero", path)
    elif by == "loop":
        os.symlink(path, path)
    elif by == "another program":
        shutil.copy(hang.victim_path("sleeper"), path)


def file_replaced(which, by):
    with Hopper() as hopper:
        names = hopper.names()
        for wanted in ("land", "hop", "main"):
            check(wanted in names, f"before anything: {wanted} is not in {names}")
        _replace(getattr(hopper, which), by)
        names = hopper.names()
        check("land" in names or which == "executable", f"land is not in {names}")
        check("wait_here" not in names and "sleeping_thread" not in names,
              f"names from a file that the process does not run: {names}")
        if os.geteuid() == 0 and os.path.isdir(f"/proc/{hopper.victim.pid}/map_files"):
            for wanted in ("land", "hop", "main"):
                check(wanted in names, f"the mapped file is still there, yet {names}")
        hopper.lands()


for _which in ("library", "executable"):
    for _by in ("nothing", "fifo", "directory", "garbage", "device", "loop", "another program"):
        hang.add_case(f"the {_which}'s file replaced by {_by}", file_replaced, _which, _by)


def library_cut(size):
    """In place: what is mapped beyond the end is gone for everybody."""
    with Hopper() as hopper:
        os.truncate(hopper.library, size)
        names = hopper.names()
        check("land" in names, f"land is not in {names}")
        check(hopper.victim.alive(), "the victim died")


for _size in (0, 1, 64, 4096, 8192, 12000):
    hang.add_case(f"a library cut to {_size} bytes", library_cut, _size)


@case
def pages_that_never_come():
    with Victim("userfault") as victim:
        pid, faulting, sleeping = [int(w) for w in victim.ready()]
        hang.wait_blocked(pid, sleeping)
        hang.wait_until(lambda: hang.state_of(pid, faulting) in "SD" and
                        "userfault" in hang.read_file(f"/proc/{pid}/task/{faulting}/wchan"),
                        "the page fault")
        begun = time.monotonic()
        dump = in_time(hang.dump(pid))
        threads = hang.threads_of(dump)
        check_equal(sorted(threads), sorted([pid, faulting, sleeping]), "threads")
        check_equal(threads[faulting]["wait"]["class"], "page fault", "wait class of the faulting")
        check_equal(threads[sleeping]["wait"]["class"], "signal wait", "wait class of the other")
        held = dump["processes"][0]["frozen_us"] / 1e6
        check(held < 2, f"held for {held:.1f} s of {time.monotonic() - begun:.1f} s")
        check_untraced(pid)


@case
def a_file_system_that_does_not_answer():
    """Who asks for one process's file gets stuck: the others are looked at all the same."""
    if os.getuid() != 0 or not os.path.exists("/dev/fuse"):
        raise Skip("mounting needs root and /dev/fuse")
    script = os.path.join(hang.SRCDIR, "tests", "victims", "dead_mount.py")
    directory = tempfile.mkdtemp(prefix="hangdump-dead-")
    try:
        with Victim("python", script, directory, executable=sys.executable) as victim:
            reader, other = [int(w) for w in victim.ready()]
            hang.wait_blocked(other, other)
            hang.wait_until(lambda: hang.state_of(reader) in "SD" and
                            hang.read_file(f"/proc/{reader}/syscall").startswith("0 "),
                            "the read that is not answered")
            # Not by run_hangdump(): a helper that asks cannot be killed before it is answered.
            with tempfile.TemporaryFile() as out:
                command = [hang.HANGDUMP, "--format=json", "--tree", "--deadline=4s",
                           str(victim.pid)]
                subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, timeout=IN_TIME)
                out.seek(0)
                dump = hang.check_dump(json.load(out))
            wait = hang.threads_of(dump, other)[other]["wait"]
            check_equal(wait["class"], "pipe read", f"wait class of {wait}")
            check("pipe:[" in (wait["resource"]["identity"] or ""), f"which pipe: {wait}")
            stuck = [e for e in dump["errors"] if e["what"] == "descriptors"]
            check_equal([e["pid"] for e in stuck], [reader], f"stuck at: {dump['errors']}")
    finally:
        for option in ("-f", "-l"):  # answers all who wait; goes, though it be in use
            subprocess.run(["umount", option, directory], capture_output=True)
        os.rmdir(directory)


def tight(deadline):
    path = os.path.join(hang.BUILDDIR, "tests", "bench", "crowd")
    with Victim("crowd", 500, 20, executable=path) as victim:
        victim.ready()
        result = hang.run_hangdump("--format=json", f"--deadline={deadline}", victim.pid)
        check(result.status in (0, 1, 2), f"{result}")
        if result.status == 2:
            hang.check_one_error_line(result, 2)
        else:
            dump = result.json()
            whole = all(t["complete"] for t in hang.threads_of(dump).values())
            check(whole or result.status == 1, f"{result}: stacks are missing, and it says 0")
        check_untraced(victim.pid)


for _deadline in ("1ms", "5ms", "20ms", "100ms"):
    hang.add_case(f"a deadline of {_deadline}", tight, _deadline)


hang.main()
