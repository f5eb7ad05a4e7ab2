#!/usr/bin/env python3
"""Each hang of tests/victims/verdicts*: its classes, its owners, and the findings that it must have.

And no others: a finding that a row does not name fails it, unless the row says that it may be
there.  Programs that go on, or rest, are dumped again and again, and may never be accused.
"""

import copy
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Skip, Victim, add_case, check
from verdict import (ACCUSATIONS, ANY, CHAIN, DEADLOCK, EXITED, LOST, SELF, SPIN, STUCK, Find, Row,
                     Wait, end_all, play, read_roles, tell)

# How often what moves is looked at: so often; fewer times where that takes longer than so many
# seconds, but not less often than that, and never when the number was asked for.
REPEATS = int(os.environ.get("HANGDUMP_TEST_REPEATS", "20"))
SECONDS, LEAST_REPEATS = 3, 6
SOAK = "HANGDUMP_TEST_REPEATS" in os.environ
SOURCES = [f"verdicts{part}.c" for part in ("", "_crowd", "_event", "_file", "_lock", "_lone",
                                            "_moving", "_process", "_tables")]
LINUX_HEADERS = ["-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"]

# How else the victims are built: (compiler, flags), or None for a copy of the default build that
# runs on a libc without names.
BUILDS = {
    "static": ("cc", ["-O2", "-static"]),
    "musl": ("musl-gcc", ["-O1", "-g", *LINUX_HEADERS]),
    "static musl": ("musl-gcc", ["-O2", "-static", *LINUX_HEADERS]),
    "stripped libc": None,
}
NAMELESS = {"stripped libc"}
# A static program cannot load a library that has threads: libc itself crashes.
BROKEN = {("static", "loader-cycle")}


# musl's plain locks do not say who has them.
SILENT = "silent"
# And its others forget who had them, when he ends.
MUSL_CLEARS = "clears"


def cycle(a_class="mutex lock", left="left", right="right", confidence="certain", **more):
    waits = {"a": Wait(a_class, "b", right, "alive"), "b": Wait(a_class, "a", left, "alive"),
             "main": Wait("thread join", "a")}
    return waits, [Find(DEADLOCK, "a b", confidence, f"{left} {right}")], more


def rows_of_cycles():
    def row(name, waits_finds_more):
        waits, finds, more = waits_finds_more
        return Row(name, waits, finds, **more)

    held_by_dead = {"gone": Wait(None), "main": Wait("thread join", "a")}
    return [
        row("cycle-normal", cycle(musl=SILENT, text=[
            r"^DEADLOCK: 2 threads wait for each other$",
            r"thread {a} \(verdicts\) waits for mutex right\b.*, held by thread {b}\b",
            r"thread {b} \(verdicts\) waits for mutex left\b.*, held by thread {a}\b",
            r"1 more thread waits behind them\."])),
        row("cycle-alarm", cycle(confidence="likely", musl=SILENT)),
        row("cycle-recursive", cycle()),
        row("cycle-errorcheck", cycle()),
        row("cycle-adaptive", cycle()),
        row("cycle-robust", cycle()),
        row("cycle-shared", cycle(musl=SILENT)),
        row("cycle-protect", cycle(musl=SILENT)),
        Row("cycle-inherit", {"a": Wait(None), "b": Wait(None), "main": Wait("thread join", "a")},
            may={DEADLOCK: ANY, STUCK: ANY}),
        Row("cycle-timed",
            {"a": Wait("mutex lock", "b", "right"), "b": Wait("mutex lock", "a", "left"),
             "main": Wait("thread join", "a")}, may={DEADLOCK: "likely"}, musl=SILENT),
        Row("cycle-half-timed",
            {"a": Wait("mutex lock", "b", "right"), "b": Wait("mutex lock", "a", "left"),
             "main": Wait("thread join", "a")}, may={DEADLOCK: "likely"}, musl=SILENT),
        Row("cycle-three",
            {"a": Wait("mutex lock", "b", "middle"), "b": Wait("mutex lock", "c", "right"),
             "c": Wait("mutex lock", "a", "left"), "main": Wait("thread join", "a")},
            [Find(DEADLOCK, "a b c", "certain", "middle right left")], musl=SILENT,
            text=[r"^DEADLOCK: 3 threads wait for each other$"]),
        Row("cycle-behind",
            {"a": Wait("mutex lock", "b", "right"), "b": Wait("mutex lock", "a", "left"),
             "main": Wait("thread join", "a"),
             **{f"w{i}": Wait("mutex lock", "a", "left") for i in range(5)},
             **{f"w{i}": Wait("mutex lock", f"w{i - 5}") for i in range(5, 10)}},
            [Find(DEADLOCK, "a b", "certain", "left right")], musl=SILENT,
            text=[r"^DEADLOCK: 2 threads wait for each other$",
                  r"11 more threads wait behind them\."]),
        Row("cycle-namespace",
            {"a": Wait("mutex lock", "b", "right"), "b": Wait("mutex lock", "a", "left"),
             "main": Wait("thread join", "a")},
            [Find(DEADLOCK, "a b", "certain", "left right")], tree=True, musl=SILENT),
        row("rwlock-writers", cycle("rwlock write", "left_rw", "right_rw", musl=SILENT)),
        row("rwlock-writers-read", cycle("rwlock read", "left_rw", "right_rw", musl=SILENT)),
        Row("rwlock-readers",
            {"a": Wait("rwlock write", "", "right_rw", "readers"),
             "b": Wait("rwlock write", "", "left_rw", "readers"),
             "main": Wait("thread join", "a")},
            [Find(STUCK, "a b main")], musl=SILENT),
        Row("join-of-a-waiter",
            {"a": Wait("thread join", "b"), "b": Wait("mutex lock", "a", "left"),
             "main": Wait("thread join", "a")},
            [Find(DEADLOCK, "a b", "certain")], musl=SILENT),
        Row("join-cycle",
            {"a": Wait("thread join", "b"), "b": Wait("thread join", "c"),
             "c": Wait("thread join", "a"), "main": Wait("sleep", "")},
            [Find(DEADLOCK, "a b c", "certain")]),
        Row("stdio-cycle",
            {"a": Wait("mutex lock", "b"), "b": Wait("mutex lock", "a"),
             "main": Wait("thread join", "a")},
            [Find(DEADLOCK, "a b")]),
        Row("loader-cycle",
            {"a": Wait("thread join", "b"), "b": Wait("mutex lock", "a")},
            [Find(DEADLOCK, "a b")], musl=False),
        Row("self-normal", {"a": Wait("mutex lock", "a", "left"), "main": Wait("thread join", "a")},
            [Find(SELF, "a", "certain", "left")], musl=SILENT,
            text=[r"^SELF-DEADLOCK: "]),
        Row("self-adaptive",
            {"a": Wait("mutex lock", "a", "left"), "main": Wait("thread join", "a")},
            [Find(SELF, "a", "certain", "left")]),
        Row("self-timed", {"a": Wait("mutex lock", "a", "left"), "main": Wait("thread join", "a")},
            may={SELF: "likely"}, musl=SILENT),
        Row("self-alone", {"a": Wait("mutex lock", "a", "left")},
            [Find(SELF, "a", "certain", "left")], musl=SILENT),
        Row("self-signal", {"a": Wait("mutex lock", "a", "left")}, [Find(SELF, "a")],
            musl=SILENT),
        Row("again-errorcheck", {"a": Wait("sleep", "")}),
        Row("again-recursive", {"a": Wait("sleep", "")}),
        Row("upgrade", {"a": Wait("rwlock write", "", "left_rw", "readers"),
                        "main": Wait("thread join", "a")},
            [Find(STUCK, "a main")], musl=SILENT),
        Row("malloc-signal", {"helper": Wait("sleep", ""), "a": Wait("mutex lock", "a")},
            [Find(SELF, "a", "likely")], roles={"a": ""}, musl=False),
        Row("exited-normal", {"a": Wait("mutex lock", "gone", "left", "exited"), **held_by_dead},
            [Find(EXITED, "a", on="left")], not_asleep="gone", musl=SILENT),
        Row("exited-recursive", {"a": Wait("mutex lock", "gone", "left", "exited"), **held_by_dead},
            [Find(EXITED, "a", on="left")], not_asleep="gone", musl=MUSL_CLEARS),
        Row("exited-errorcheck",
            {"a": Wait("mutex lock", "gone", "left", "exited"), **held_by_dead},
            [Find(EXITED, "a", on="left")], not_asleep="gone", musl=MUSL_CLEARS),
        Row("exited-shared", {"a": Wait("mutex lock", "gone", "left"), **held_by_dead},
            [Find(EXITED, "a", on="left")], not_asleep="gone", musl=SILENT),
        Row("exited-writer", {"a": Wait("rwlock write", "gone", "left_rw", "exited"),
                              **held_by_dead},
            [Find(EXITED, "a", on="left_rw")], not_asleep="gone", musl=SILENT),
        Row("exited-writer-read", {"a": Wait("rwlock read", "gone", "left_rw", "exited"),
                                   **held_by_dead},
            [Find(EXITED, "a", on="left_rw")], not_asleep="gone", musl=SILENT),
        Row("exited-reader", {"a": Wait("rwlock write", "", "left_rw", "readers"), **held_by_dead},
            [Find(STUCK, "a main")], not_asleep="gone", musl=SILENT),
        Row("exited-stdio", {"a": Wait(None), **held_by_dead},
            may={EXITED: ANY, STUCK: ANY}, not_asleep="gone"),
        Row("exited-robust",
            {"a": Wait("mutex lock", "b", "left"), "b": Wait("sleep", ""),
             "main": Wait("thread join", "b")},
            [Find(CHAIN, "b a main")]),
        Row("exited-reused", {"a": Wait("mutex lock"), "other": Wait("sleep", "")},
            may={EXITED: ANY}, tree=True, musl=SILENT),
    ]


def silenced(row):
    """The row, on a libc whose locks do not say so much."""
    quiet = copy.copy(row)
    quiet.waits = {}
    for role, wait in row.waits.items():
        lock = wait.wait_class in ("mutex lock", "rwlock read", "rwlock write")
        quiet.waits[role] = Wait(wait.wait_class, "", wait.name) if lock else wait
    quiet.finds, quiet.text = [], ()
    quiet.may = {STUCK: ANY, **({EXITED: ANY} if row.musl == MUSL_CLEARS else {})}
    return quiet


def rows_of_waits_left_alone():
    def beside(name, other):
        return Row(name, {"a": Wait("semaphore wait", "", "semaphore"), "b": Wait(other, ""),
                          "main": Wait("thread join", "a")})

    return [
        Row("nobody-left",
            {"a": Wait("semaphore wait", "", "semaphore"), "b": Wait("cond wait", "", "condition"),
             "main": Wait("thread join", "a")}, [Find(STUCK, "a b main")]),
        Row("nobody-but-a-reader",
            {"a": Wait("semaphore wait", "", "semaphore"), "b": Wait("pipe read"),
             "main": Wait("thread join", "a")}),
        beside("nobody-but-a-sleeper", "sleep"),
        beside("nobody-but-signals", "signal wait"),
        Row("nobody-but-a-handler",
            {"a": Wait("semaphore wait", "", "semaphore"), "b": Wait("cond wait", "", "condition"),
             "main": Wait("thread join", "a")}, may={STUCK: "likely"}),
        Row("nobody-but-a-process",
            {"a": Wait("semaphore wait", ""), "main": Wait("thread join", "a")}, tree=True),
        Row("nobody-but-a-process",
            {"a": Wait("semaphore wait", ""), "main": Wait("thread join", "a")}),
        Row("barrier-short",
            {"a": Wait("barrier wait", "", "of_three"), "b": Wait("barrier wait", "", "of_three"),
             "main": Wait("thread join", "a")}, [Find(STUCK, "a b main")]),
        # Our own stop makes the thread look at the word again, and go on.
        Row("lost-semaphore", {"a": Wait("semaphore wait", "", "semaphore"),
                               "main": Wait("sleep", "")}, may={LOST: ANY}),
        Row("lost-condition", {"a": Wait("cond wait", "", "condition"), "main": Wait("sleep", "")},
            [Find(LOST, "a")], musl=SILENT),
        Row("lost-mutex", {"a": Wait("mutex lock"), "main": Wait("sleep", "")}, may={LOST: ANY}),
        Row("spin-function", {"a": Wait("running", ""), "main": Wait("thread join", "a")},
            [Find(SPIN, "a")], not_asleep="a"),
        Row("spin-yield", {"a": Wait("running", ""), "main": Wait("thread join", "a")},
            [Find(SPIN, "a")], not_asleep="a"),
        Row("spin-trylock", {"a": Wait("running", ""), "b": Wait("running", ""),
                             "main": Wait("thread join", "a")},
            not_asleep="a b"),
        Row("spin-lock", {"a": Wait("running", ""), "b": Wait("sleep", ""),
                          "main": Wait("thread join", "a")},
            [Find(SPIN, "a")], not_asleep="a"),
    ]


def rows_of_processes():
    behind_first = {f"w{i}": Wait("mutex lock", "root", "first") for i in range(1, 6)}
    everybody = "root w1 w2 w3 w4 w5"
    shared = {"a": Wait("mutex lock", "b", state="alive"),
              "b": Wait("mutex lock", "a", state="alive")}
    sh_tree = {"tree": True}
    return [
        Row("chain-sleep", {"root": Wait("sleep", ""), **behind_first, "main": Wait("sleep")},
            [Find(CHAIN, everybody, "certain")],
            text=[r"^BLOCKED CHAIN: 5 threads wait, .* for thread {root} \(verdicts\), which sleeps$",
                  r"^on mutex first\b.*held by thread {root}\b"]),
        Row("chain-pipe", {"root": Wait("pipe read"), **behind_first, "main": Wait("sleep")},
            [Find(CHAIN, everybody, more=True)]),
        Row("chain-tcp", {"root": Wait("socket read"), **behind_first, "main": Wait("sleep")},
            [Find(CHAIN, everybody, more=True)]),
        Row("chain-own-end", {"root": Wait("pipe read", "main."), **behind_first,
                              "main": Wait("sleep", "")}),
        Row("chain-spin", {"root": Wait("running", ""), "w1": Wait("mutex lock", "root", "first"),
                           "w2": Wait("mutex lock", "root", "first")},
            [Find(CHAIN, "root w1 w2"), Find(SPIN, "root")], not_asleep="root"),
        Row("chain-long",
            {"root": Wait("sleep", ""), "w1": Wait("mutex lock", "root", "first"),
             "w2": Wait("mutex lock", "w1", "second"), "w3": Wait("mutex lock", "w2", "third"),
             "w4": Wait("mutex lock", "main"), "w5": Wait("thread join", "w4"),
             "main": Wait("thread join", "root")},
            [Find(CHAIN, everybody + " main", "certain")]),
        Row("shared-cycle", shared, [Find(DEADLOCK, "a b", "certain")], tree=True),
        Row("shared-cycle", shared, [Find(DEADLOCK, "a b", "certain")], target="a b"),
        Row("shared-cycle", {"a": Wait("mutex lock", "b", state="alive")}, target="a",
            neighbours="b"),
        Row("shared-chain", {"a": Wait("mutex lock", "b"), "b": Wait("sleep", "")},
            [Find(CHAIN, "b a")], **sh_tree),
        Row("shared-stopped", {"a": Wait("mutex lock", "b"), "b": Wait("stopped")},
            [Find(CHAIN, "b a")], not_asleep="b", **sh_tree),
        Row("shared-killed", {"a": Wait("mutex lock", state="exited")}, [Find(EXITED, "a")]),
        Row("shared-zombie", {"a": Wait("mutex lock", state="exited")}, [Find(EXITED, "a")]),
        Row("fork-locked",
            {"main": Wait("child wait", "child"), "holder": Wait("sleep", ""),
             "child": Wait("mutex lock", None, "first", "left by fork")},
            may={EXITED: ANY}, **sh_tree),
        Row("fork-locked",
            {"child": Wait("mutex lock", None, "first", "left by fork")},
            may={EXITED: ANY, STUCK: ANY}, target="child"),
        Row("fork-locked-alone",
            {"main": Wait("sleep", ""), "holder": Wait("sleep", ""),
             "child": Wait("mutex lock", None, "first", "left by fork")},
            may={EXITED: ANY}, **sh_tree),
        Row("child-full-pipe",
            {"parent": Wait("child wait", "child"), "child": Wait("pipe write", "parent")},
            [Find(DEADLOCK, "parent child", "certain")], **sh_tree),
        Row("child-full-pipe-third",
            {"parent": Wait("child wait", "child"), "child": Wait("pipe write", "parent third"),
             "third": Wait("sleep", "")}, **sh_tree),
        Row("child-full-pipe-thread",
            {"parent": Wait("child wait", "child"), "child": Wait("pipe write", "parent."),
             "reader": Wait("sleep", "")}, **sh_tree),
        Row("one-child-of-two",
            {"parent": Wait("child wait", "child well"), "child": Wait("pipe write"),
             "well": Wait("sleep", "")}, **sh_tree),
        Row("popen-unread",
            {"parent": Wait("child wait", "child"), "child": Wait("pipe write", "parent")},
            [Find(DEADLOCK, "parent child", "certain")], roles={"child": "parent"}, **sh_tree),
        Row("system-sleeps",
            {"parent": Wait("child wait", "shell"), "shell": Wait("child wait", "sleeper"),
             "sleeper": Wait("sleep", "")},
            [Find(CHAIN, "sleeper shell parent")],
            roles={"shell": "parent", "sleeper": "shell"}, **sh_tree),
        Row("pipes-read", {"a": Wait("pipe read", "b"), "b": Wait("pipe read", "a")},
            [Find(DEADLOCK, "a b", "certain")], **sh_tree),
        Row("pipes-read", {"a": Wait("pipe read", "b")}, target="a", neighbours="b"),
        Row("pipes-full", {"a": Wait("pipe write", "b"), "b": Wait("pipe write", "a")},
            [Find(DEADLOCK, "a b", "certain")], **sh_tree),
        Row("pipes-read-third",
            {"a": Wait("pipe read", "b third"), "b": Wait("pipe read", "a third"),
             "third": Wait("sleep", "")}, **sh_tree),
        Row("pipe-own-end", {"a": Wait("pipe read", "a")}, [Find((SELF, DEADLOCK, STUCK), "a")]),
        Row("pipe-own-handler", {"a": Wait("pipe read", "a")},
            may={SELF: "likely", STUCK: "likely"}),
        Row("poll-own-end", {"a": Wait("poll", "a")}, [Find((SELF, DEADLOCK, STUCK), "a")]),
        # A handler's write ends them.
        Row("poll-own-handler", {"a": Wait("poll", "a")}),
        Row("select-own-handler", {"a": Wait("select", "a")}),
        Row("epoll-own-handler", {"a": Wait("epoll wait", "a")}),
        Row("pipes-read-handler", {"a": Wait("pipe read", "b"), "b": Wait("pipe read", "a")},
            [Find(DEADLOCK, "a b", "likely")], **sh_tree),
        Row("fifos-read", {"a": Wait("pipe read", "a b"), "b": Wait("pipe read", "a b")},
            [Find(DEADLOCK, "a b", "likely")], **sh_tree),
        Row("pipe-own-end-thread", {"a": Wait("pipe read", "a."), "b": Wait("sleep", "")}),
        Row("pipe-and-lock", {"a": Wait("pipe read", "a."), "b": Wait("mutex lock", "a", "first"),
                              "main": Wait("thread join", "a")},
            [Find((DEADLOCK, STUCK), "a", more=True)]),
        Row("pipe-leaked",
            {"main": Wait("child wait", "reader"), "reader": Wait("pipe read", "leak"),
             "leak": Wait("sleep", "")},
            [Find(CHAIN, "leak reader main")], **sh_tree),
        Row("sockets-full-unix", {"a": Wait("socket write", "b"), "b": Wait("socket write", "a")},
            [Find(DEADLOCK, "a b", "certain")], rest=0.5, **sh_tree),
        Row("sockets-full-tcp", {"a": Wait("socket write", "b"), "b": Wait("socket write", "a")},
            [Find(DEADLOCK, "a b")], rest=0.5, **sh_tree),
        # Our own stop may cut the calls short: then they were seen to move.
        Row("sockets-half-done", {"a": Wait("socket write", "b"), "b": Wait("socket write", "a")},
            may={DEADLOCK: ANY}, rest=0.5, **sh_tree),
        Row("spawn-stuck", {"parent": Wait("vfork wait", "child"), "child": Wait("fifo open")},
            [Find(CHAIN, "child parent")], roles={"child": "parent"}, not_asleep="parent",
            **sh_tree),
        Row("sysv-chain", {"a": Wait("semaphore wait", "b"), "b": Wait("sleep", "")}, **sh_tree),
        Row("sysv-cycle", {"a": Wait("semaphore wait", "b"), "b": Wait("semaphore wait", "a")},
            [Find(DEADLOCK, "a b", "likely")], **sh_tree),
        Row("flock-cycle", {"a": Wait("file lock", "b", "right.lock"),
                            "b": Wait("file lock", "a", "left.lock")},
            [Find(DEADLOCK, "a b", "certain")], **sh_tree),
        Row("ofd-cycle", {"a": Wait("file lock", "b", "right.lock"),
                          "b": Wait("file lock", "a", "left.lock")},
            [Find(DEADLOCK, "a b", "certain")], **sh_tree),
        Row("flock-chain", {"a": Wait("file lock", "b", "left.lock"), "b": Wait("sleep", "")},
            [Find(CHAIN, "b a")], **sh_tree),
        Row("flock-chain", {"a": Wait("file lock", "b", "left.lock")}, target="a",
            neighbours="b"),
        Row("posix-chain", {"a": Wait("file lock", "b", "left.lock"), "b": Wait("sleep", "")},
            [Find(CHAIN, "b a")], **sh_tree),
        Row("ofd-chain", {"a": Wait("file lock", "b", "left.lock"), "b": Wait("sleep", "")},
            [Find(CHAIN, "b a")], **sh_tree),
        Row("flock-stopped", {"a": Wait("file lock", "b", "left.lock"), "b": Wait("stopped")},
            [Find(CHAIN, "b a")], not_asleep="b", **sh_tree),
        Row("flock-self", {"a": Wait("file lock", "a", "left.lock")},
            [Find((SELF, DEADLOCK), "a")]),
        Row("flock-threads",
            {"a": Wait("file lock", "a.", "right.lock"), "b": Wait("file lock", "a.", "left.lock"),
             "main": Wait("thread join", "a")},
            [Find((SELF, DEADLOCK, STUCK), "a", more=True)]),
        Row("flock-inherited",
            {"main": Wait("child wait", "a"), "a": Wait("file lock", "heir", "left.lock"),
             "heir": Wait("sleep", "")}, [Find(CHAIN, "heir a main")], **sh_tree),
        Row("ofd-inherited",
            {"main": Wait("child wait", "a"), "a": Wait("file lock", "heir", "left.lock"),
             "heir": Wait("sleep", "")}, [Find(CHAIN, "heir a main")], **sh_tree),
        Row("flock-and-child",
            {"parent": Wait("child wait", "child"), "child": Wait("file lock", "parent")},
            [Find(DEADLOCK, "parent child", "certain")], **sh_tree),
    ]


def rows_of_cxx():
    joined = {"main": Wait("thread join", "a")}

    def cxx_cycle(name, wait_class, left, right):
        return Row(name, {"a": Wait(wait_class, "b", right), "b": Wait(wait_class, "a", left),
                          **joined}, [Find(DEADLOCK, "a b", "certain")])

    return [
        cxx_cycle("cxx-mutex", "mutex lock", None, None),
        cxx_cycle("cxx-recursive", "mutex lock", None, None),
        cxx_cycle("cxx-shared", "rwlock write", None, None),
        Row("cxx-join", {"a": Wait("thread join", "b"), "b": Wait("mutex lock", "a")},
            [Find(DEADLOCK, "a b", "certain")]),
        Row("cxx-future", {"a": Wait("future wait"), **joined}, may={STUCK: ANY}),
        Row("cxx-static", {"a": Wait("once wait"), "b": Wait("once wait"), **joined},
            may={DEADLOCK: "likely", STUCK: ANY}),
        Row("cxx-once", {"a": Wait("once wait"), "b": Wait("once wait"), **joined},
            may={DEADLOCK: "likely", STUCK: ANY}),
        Row("cxx-latch", {"a": Wait("barrier wait"), "main": Wait("barrier wait")},
            may={STUCK: ANY}),
        Row("cxx-pool", {"a": Wait("cond wait", ""), "b": Wait("cond wait", ""),
                         "main": Wait("sleep", "")}),
    ]


# Programs that go on, or rest: what may be said of them, and no more.
MOVING = {
    "timed-cycle": {DEADLOCK: "likely"},
    "trylock-cycle": {},
    "readers-and-writers": {},
    "relay": {},
    "relay-sleeping": {},
    "hand-over-hand": {},
    "both-orders": {},
    "producer-consumer": {},
    "ping-pong": {},
    "ticking": {},
    "robust-recovery": {},
    "foreign-unlock": {},
    "alarm-ends-it": {SELF: "likely", DEADLOCK: "likely"},
    "thread-churn": {},
    "pool-sigwait": {},
    "pool-epoll": {},
    "pool-accept": {},
    "pipe-ping-pong": {},
    "socket-ping-pong": {},
    "slow-reader": {},
    "slow-reader-beside-wait": {},
    "healthy-child": {},
    "eventfd-ping-pong": {},
    "poll-ping-pong": {},
    "reaper": {},
    "child-computes": {},
    "timed-cycle-stopped": {DEADLOCK: "likely"},
    "flock-relay": {},
    "record-relay": {},
    "shared-relay": {},
    "fork-storm": {},
    "exec-storm": {},
}


# --- running them ------------------------------------------------------------------------------

_scratch = tempfile.mkdtemp(prefix="hangdump-verdicts-")


def build(name):
    """The path of the victim built so, which keeps its name."""
    path = os.path.join(_scratch, name.replace(" ", "-"), "verdicts")
    os.mkdir(os.path.dirname(path))
    if BUILDS[name] is None:
        shutil.copy(hang.victim_path("verdicts"), path)
        strip_libc(path)
        return path
    compiler, flags = BUILDS[name]
    hang.compile_victim(compiler, flags, SOURCES, path)
    return path


def strip_libc(path):
    """A libc beside the program with no names but the dynamic symbols, and no build id."""
    listed = subprocess.run([hang.program("ldd"), path], capture_output=True, text=True).stdout
    libc = re.search(r"libc\.so\.6 => (\S+)", listed)
    if not libc:
        raise Skip("no libc.so.6")
    os.mkdir(path + ".lib")
    subprocess.run([hang.program("objcopy"), "--strip-all",
                    "--remove-section=.note.gnu.build-id", "--remove-section=.gnu_debuglink",
                    libc.group(1), os.path.join(path + ".lib", "libc.so.6")], check=True)


def begin(program, executable, name, *arguments):
    env = {**os.environ, "VERDICT_LIBRARY": os.path.join(hang.BUILDDIR, "tests", "victims",
                                                         "libverdict.so")}
    if os.path.isdir(f"{executable}.lib"):
        env["LD_LIBRARY_PATH"] = f"{executable}.lib"
    return Victim(program, name, *arguments, executable=executable, env=env)


def moving(name, may):
    """Nothing but what may be is ever said of it, however often it is looked at."""
    row = Row(name, {}, may=may)
    with begin("verdicts", None, name) as victim:
        roles = read_roles(victim, row)
        begun = time.monotonic()
        for i in range(REPEATS):
            if i >= LEAST_REPEATS and time.monotonic() > begun + SECONDS and not SOAK:
                break
            dump = hang.dump(victim.pid, "--tree", statuses=(0, 1))
            check(victim.alive(), f"{name} ended")
            check(any(p["pid"] == victim.pid for p in dump["processes"]), "it is not there")
            for finding in dump["findings"]:
                kind, confidence = finding["kind"], finding["confidence"]
                check(kind not in ACCUSATIONS or kind in may and may[kind] in (ANY, confidence),
                      f"a false finding: {finding}; {tell(roles, dump)}")
    end_all()


def add_rows(variant, program, executable, rows, named=True):
    listed = subprocess.run([executable, "--list"], capture_output=True, text=True).stdout.split()
    musl = "musl" in variant
    for row in rows:
        if row.name not in listed or musl and row.musl is False or (variant, row.name) in BROKEN:
            continue
        if musl and row.musl in (SILENT, MUSL_CLEARS):
            row = silenced(row)
        scope = "tree" if row.tree else row.target or ""
        add_case(f"{variant}: {row.name} {scope}".strip(), play, row,
                 functools.partial(begin, program, executable, row.name), named)


def no_build(reason):
    raise Skip(reason)


def add_all():
    default = hang.victim_path("verdicts")
    locks = rows_of_cycles() + rows_of_waits_left_alone()
    add_rows("default", "verdicts", default, locks + rows_of_processes())
    cxx = os.path.join(hang.BUILDDIR, "tests", "victims", "verdicts_cxx")
    if os.path.exists(cxx):
        add_rows("c++", "verdicts_cxx", cxx, rows_of_cxx())
    for name, may in MOVING.items():
        add_case(f"moving: {name}", moving, name, may)
    for variant in BUILDS:
        try:
            executable = build(variant)
        except Skip as skip:
            add_case(f"{variant}: all", no_build, str(skip))
            continue
        add_rows(variant, "verdicts", executable, rows_of_cycles(), variant not in NAMELESS)


if __name__ == "__main__":
    try:
        add_all()
        hang.main(jobs=os.cpu_count() or 1)
    finally:
        shutil.rmtree(_scratch, ignore_errors=True)
