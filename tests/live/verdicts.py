#!/usr/bin/env python3
"""Each hang of tests/victims/verdicts*: its classes, its owners, and the findings that it must have.

And no others: a finding that a row does not name fails it, unless the row says that it may be
there.  Programs that go on, or rest, are dumped again and again, and may never be accused.
"""

import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import SRCDIR, Skip, Victim, add_case, check, check_equal

REPEATS = int(os.environ.get("HANGDUMP_TEST_REPEATS", "20"))
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

DEADLOCK, SELF, EXITED = "deadlock", "self-deadlock", "owner exited"
CHAIN, SPIN, STUCK, LOST = "blocked chain", "spinning", "no progress possible", "lost wake-up"
ACCUSATIONS = {DEADLOCK, SELF, EXITED, STUCK, LOST}
ANY = None


class Wait:
    """What an actor waits for.  None: not looked at."""

    def __init__(self, wait_class, owners=None, name=None, state=None):
        self.wait_class = wait_class
        self.owners = owners  # roles, "" for none; "ROLE." is the process of that actor
        self.name = name      # of the resource: a variable or the end of a path
        self.state = state    # owner_state


class Find:
    """A finding that has to be there."""

    def __init__(self, kind, threads, confidence=ANY, on=None, more=False):
        self.kinds = kind if isinstance(kind, tuple) else (kind,)
        self.threads = threads.split()
        self.confidence = confidence
        self.on = on.split() if on else None
        self.more = more  # other threads may be in it too

    def __str__(self):
        return f"{' or '.join(self.kinds)} of {self.threads} ({self.confidence or 'any'})"


class Row:
    """One dump of one victim.

    target: the options and roles that hangdump is given; all: "--tree" of the victim.
    may: findings that are not wrong, {kind: confidence at most, or ANY}.
    """

    def __init__(self, name, waits, finds=(), may=None, target=None, tree=False, musl=None,
                 not_asleep="", roles=None, text=(), never_text=(), neighbours=None):
        self.name = name
        self.waits = waits
        self.finds = list(finds)
        self.may = may or {}
        self.target = target
        self.tree = tree
        self.musl = musl  # a Row to use there; False: libc does not hang there; None: the same
        self.not_asleep = set(not_asleep.split())
        self.roles = roles or {}  # further actors: {role: the role whose only child it is}
        self.text = text
        self.never_text = never_text
        self.neighbours = neighbours  # roles of owners that are named, and not dumped


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
        Row("malloc-signal", {"helper": Wait("sleep", ""), "a": Wait("mutex lock", "")},
            may={SELF: "likely"}, roles={"a": ""}, musl=False),
        Row("exited-normal", {"a": Wait("mutex lock", "gone", "left", "exited"), **held_by_dead},
            [Find(EXITED, "a", "certain", "left")], not_asleep="gone", musl=SILENT),
        Row("exited-recursive", {"a": Wait("mutex lock", "gone", "left", "exited"), **held_by_dead},
            [Find(EXITED, "a", "certain", "left")], not_asleep="gone", musl=MUSL_CLEARS),
        Row("exited-errorcheck",
            {"a": Wait("mutex lock", "gone", "left", "exited"), **held_by_dead},
            [Find(EXITED, "a", "certain", "left")], not_asleep="gone", musl=MUSL_CLEARS),
        Row("exited-shared", {"a": Wait("mutex lock", "gone", "left"), **held_by_dead},
            [Find(EXITED, "a", on="left")], not_asleep="gone", musl=SILENT),
        Row("exited-writer", {"a": Wait("rwlock write", "gone", "left_rw", "exited"),
                              **held_by_dead},
            [Find(EXITED, "a", "certain", "left_rw")], not_asleep="gone", musl=SILENT),
        Row("exited-writer-read", {"a": Wait("rwlock read", "gone", "left_rw", "exited"),
                                   **held_by_dead},
            [Find(EXITED, "a", "certain", "left_rw")], not_asleep="gone", musl=SILENT),
        Row("exited-reader", {"a": Wait("rwlock write", "", "left_rw", "readers"), **held_by_dead},
            [Find(STUCK, "a main")], not_asleep="gone", musl=SILENT),
        Row("exited-stdio", {"a": Wait("mutex lock"), **held_by_dead},
            may={EXITED: ANY, STUCK: ANY}, not_asleep="gone"),
        Row("exited-robust",
            {"a": Wait("mutex lock", "b", "left"), "b": Wait("sleep", ""),
             "main": Wait("thread join", "b")},
            [Find(CHAIN, "b a main")]),
        Row("exited-reused", {"a": Wait("mutex lock"), "other": Wait("sleep", "")},
            may={EXITED: ANY}, tree=True, musl=SILENT),
    ]


# musl's plain locks do not say who has them.
SILENT = "silent"
# And its others forget who had them, when he ends.
MUSL_CLEARS = "clears"


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
        Row("lost-semaphore", {"a": Wait("semaphore wait", "", "semaphore"),
                               "main": Wait("sleep", "")},
            [Find(LOST, "a")]),
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
            text=[r"5 threads wait .*thread {root}\b", r"on mutex first\b.*held by thread {root}\b"]),
        Row("chain-pipe", {"root": Wait("pipe read"), **behind_first, "main": Wait("sleep")},
            [Find(CHAIN, everybody, more=True)]),
        Row("chain-tcp", {"root": Wait("socket read"), **behind_first, "main": Wait("sleep")},
            [Find(CHAIN, everybody, more=True)]),
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
        Row("pipe-own-end-thread", {"a": Wait("pipe read", "a."), "b": Wait("sleep", "")}),
        Row("pipe-and-lock", {"a": Wait("pipe read", "a."), "b": Wait("mutex lock", "a", "first"),
                              "main": Wait("thread join", "a")},
            [Find((DEADLOCK, STUCK), "a b", more=True)]),
        Row("pipe-leaked",
            {"main": Wait("child wait", "reader"), "reader": Wait("pipe read", "leak"),
             "leak": Wait("sleep", "")},
            [Find(CHAIN, "leak reader main")], **sh_tree),
        Row("sockets-full-unix", {"a": Wait("socket write", "b"), "b": Wait("socket write", "a")},
            [Find(DEADLOCK, "a b", "certain")], **sh_tree),
        Row("sockets-full-tcp", {"a": Wait("socket write", "b"), "b": Wait("socket write", "a")},
            [Find(DEADLOCK, "a b")], **sh_tree),
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
            [Find((SELF, DEADLOCK, STUCK), "a b", more=True)]),
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
    "flock-relay": {},
    "record-relay": {},
    "shared-relay": {},
    "fork-storm": {},
    "exec-storm": {},
}


# --- running them ------------------------------------------------------------------------------

_scratch = tempfile.mkdtemp(prefix="hangdump-verdicts-")


def build(name):
    """The path of the victim built so, or a reason why not."""
    path = os.path.join(_scratch, name.replace(" ", "-"))
    if BUILDS[name] is None:
        shutil.copy(hang.victim_path("verdicts"), path)
        strip_libc(path)
        return path
    compiler, flags = BUILDS[name]
    directory = os.path.join(SRCDIR, "tests", "victims")
    sources = [os.path.join(directory, s) for s in sorted(os.listdir(directory))
               if re.fullmatch(r"verdicts\w*\.c", s)]
    made = subprocess.run([hang.program(compiler), "-D_GNU_SOURCE", *flags, *sources, "-o", path,
                           "-pthread"], capture_output=True, text=True)
    if made.returncode:
        raise Skip(f"{compiler} cannot build it: {made.stderr.strip().splitlines()[-1:]}")
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


def children_of(pid):
    found = []
    for tid in hang.tids_of(pid):
        found += map(int, hang.read_file(f"/proc/{pid}/task/{tid}/children").split())
    return found


def descendants_of(pid):
    found = []
    for child in children_of(pid):
        found += [child, *descendants_of(child)]
    return found


def outside(victim, pid, tid):
    """The ids that a thread of the victim's has here, from those that it sees itself."""
    for process in [victim.pid, *descendants_of(victim.pid)]:
        for task in hang.tids_of(process):
            seen = (hang.status_field(process, task, "NSpid") or "").split()
            group = (hang.status_field(process, task, "NStgid") or "").split()
            if seen[-1:] == [str(tid)] and group[-1:] == [str(pid)]:
                return process, task
    return pid, tid  # gone


def only_child(pid):
    """The only child of a process, once it is the program that it shall be."""
    hang.wait_until(lambda: len(children_of(pid)) == 1, f"one child of {pid}")
    return children_of(pid)[0]


def read_roles(victim, row):
    roles = {}
    for word in victim.ready():
        role, ids = word.split("=")
        roles[role] = outside(victim, *map(int, ids.split("/")))
    for role, parent in row.roles.items():
        pid = only_child(roles[parent][0]) if parent else victim.pid
        roles[role] = (pid, pid)
    return roles


def settle(actors, seconds):
    """Waits until they sleep, and have not woken for so long."""

    def seen():
        return [(hang.state_of(*actor), hang.syscall_of(*actor),
                 hang.status_field(*actor, "voluntary_ctxt_switches")) for actor in actors]

    def quiet():
        first = seen()
        if any(state != "S" or not call for state, call, _ in first):
            return False
        hang.time.sleep(seconds)
        return seen() == first

    hang.wait_until(quiet, f"all of them asleep for good: {actors}")


def settle_all(row, roles):
    # A lock that was waited for but a moment is one in use, and nobody is behind it.
    chain = any(CHAIN in find.kinds for find in row.finds)
    settle([roles[role] for role in row.waits if role not in row.not_asleep],
           0.15 if chain else 0.03)
    wanted = {"stopped": "T", "vfork wait": "D", "running": "R"}
    for role in row.not_asleep:
        state = wanted.get(row.waits[role].wait_class)
        if state:
            hang.wait_until(lambda: hang.state_of(*roles[role]) == state, f"{role} in {state}")


def role_of(roles, pid, tid):
    for role, ids in roles.items():
        if ids == (pid, tid) or tid == 0 and ids == (pid, pid):
            return role
    return f"{pid}/{tid}"


def is_owner(roles, owner, wanted):
    """wanted: a role, or "ROLE." for its whole process."""
    pid, tid = roles[wanted.rstrip(".")]
    if wanted.endswith("."):
        return owner == (pid, 0)
    return owner == (pid, tid) or owner == (pid, 0) and pid == tid


def check_name(wait, wanted, told):
    name = (wait["resource"] or {}).get("name") or ""
    found = name == wanted or name.startswith(wanted + " (") or name.endswith("/" + wanted)
    check(found, f"the resource is {name!r}, not {wanted!r}: {told}")


def check_wait(roles, role, wanted, thread, named, told):
    wait = thread["wait"]
    about = f"{role}: {wait}; stack {hang.functions_of(thread)[:8]}; {told}"
    if wanted.wait_class:
        check_equal(wait["class"], wanted.wait_class, f"class of {about}")
    if wanted.owners is not None:
        got = [(o["pid"], o["tid"]) for o in wait["owners"]]
        names = wanted.owners.split()
        check(len(got) == len(names) and
              all(any(is_owner(roles, owner, name) for owner in got) for name in names),
              f"owners are {[role_of(roles, *o) for o in got]}, not {names}: {about}")
    if wanted.state:
        check_equal(wait["owner_state"], wanted.state, f"owner state of {about}")
    if wanted.name and (named or "." in wanted.name):
        check_name(wait, wanted.name, about)


def reaches(row, role, root, seen=()):
    """Do the owners that the row tells lead from one role to the other?"""
    if role == root:
        return True
    owners = (row.waits[role].owners or "").replace(".", "").split() if role in row.waits else []
    return any(o not in seen and reaches(row, o, root, (*seen, role)) for o in owners)


def check_chain(row, roles, finding, told):
    """What a chain says is so, even where no row asks for it."""
    names = [role_of(roles, t["pid"], t["tid"]) for t in finding["threads"]]
    for name in names[1:]:
        known = name in row.waits and row.waits[name].owners is not None
        check(not known or names[0] not in row.waits or reaches(row, name, names[0]),
              f"{name} does not wait behind {names[0]}: {told}")


def matches(roles, found, wanted, named):
    threads = [role_of(roles, t["pid"], t["tid"]) for t in found["threads"]]
    if found["kind"] not in wanted.kinds or not set(wanted.threads) <= set(threads):
        return False
    if not wanted.more and len(threads) != len(wanted.threads):
        return False
    if CHAIN in wanted.kinds and not wanted.more and threads[0] != wanted.threads[0]:
        return False
    if wanted.confidence and found["confidence"] != wanted.confidence:
        return False
    names = [(r.get("name") or "").split(" ")[0] for r in found["resources"]]
    return not (named and wanted.on) or sorted(names) == sorted(wanted.on)


def check_findings(row, roles, dump, named, told):
    left = list(dump["findings"])
    for finding in left:
        check(finding["evidence"] and finding["summary"], f"without evidence: {finding}")
    for wanted in row.finds:
        found = [f for f in left if matches(roles, f, wanted, named)]
        check(len(found) == 1, f"{len(found)} times {wanted}: {told}")
        left.remove(found[0])
    for finding in left:
        kind, confidence = finding["kind"], finding["confidence"]
        if kind == CHAIN:
            check_chain(row, roles, finding, told)
        elif kind == SPIN:
            spinning = {role_of(roles, t["pid"], t["tid"]) for t in finding["threads"]}
            check(spinning <= row.not_asleep, f"{spinning} is said to spin: {told}")
        else:
            check(kind in row.may and row.may[kind] in (ANY, confidence),
                  f"a wrong finding: {finding['kind']} ({confidence}): {told}")


def tell(roles, dump):
    found = [(f["kind"], f["confidence"],
              [role_of(roles, t["pid"], t["tid"]) for t in f["threads"]], f["evidence"])
             for f in dump["findings"]]
    waits = {role_of(roles, p["pid"], t["tid"]): t["wait"]["class"]
             for p in dump["processes"] for t in p["threads"]}
    return f"roles {roles}; waits {waits}; findings {found}; errors {dump['errors']}"


def check_text(row, roles, pids, options):
    if not row.text:
        return
    text = hang.run_hangdump(*options, *pids).text()
    for pattern in row.text:
        for role, (_, tid) in roles.items():
            pattern = pattern.replace("{" + role + "}", str(tid))
        check(re.search(pattern, text, re.M), f"the report lacks {pattern!r}:\n{text}")


def one(row, program, executable, named):
    with begin(program, executable, row.name) as victim:
        roles = read_roles(victim, row)
        settle_all(row, roles)
        options = ["--tree"] if row.tree else []
        pids = [roles[r][0] for r in row.target.split()] if row.target else [victim.pid]
        dump = hang.dump(pids[-1], *options, *pids[:-1])
        told = tell(roles, dump)
        for role, wanted in row.waits.items():
            pid, tid = roles[role]
            if wanted.wait_class:
                check_wait(roles, role, wanted, hang.threads_of(dump, pid)[tid], named, told)
        check_findings(row, roles, dump, named, told)
        if row.neighbours:
            there = {(n["pid"], n["tid"] or n["pid"]) for n in dump["neighbours"]}
            for role in row.neighbours.split():
                check(roles[role] in there, f"{role} is not among {dump['neighbours']}: {told}")
        if named:
            check_text(row, roles, pids, options)
    end_all()


def end_all():
    """The end of all that a victim began and did not take along."""
    for pid in hang.children_of_ours():
        os.kill(pid, hang.signal.SIGKILL)
    hang.wait_until(lambda: not hang.children_of_ours(), "the end of all children")


def moving(name, may):
    """Nothing but what may be is ever said of it, however often it is looked at."""
    row = Row(name, {}, may=may)
    with begin("verdicts", None, name) as victim:
        roles = read_roles(victim, row)
        for _ in range(REPEATS):
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
        if row.name not in listed or musl and row.musl is False:
            continue
        if musl and row.musl in (SILENT, MUSL_CLEARS):
            row = silenced(row)
        scope = "tree" if row.tree else row.target or ""
        add_case(f"{variant}: {row.name} {scope}".strip(), one, row, program, executable, named)


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
