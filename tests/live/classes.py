#!/usr/bin/env python3
"""Each wait class is told from real threads, however the program was built."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Skip, Victim, add_case, check, check_equal

SOURCES = ["classes.c", "classes_descriptor.c", "classes_lock.c", "classes_process.c"]
LINUX_HEADERS = ["-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"]

# name: (compiler, flags).  None: a copy of the default build without symbols.
BUILDS = {
    "O0": ("cc", ["-O0"]),
    "O2": ("cc", ["-O2"]),
    "static": ("cc", ["-O1", "-static"]),
    "musl": ("musl-gcc", ["-O1", *LINUX_HEADERS]),
    "static musl": ("musl-gcc", ["-O1", "-static", *LINUX_HEADERS]),
    "stripped": None,
    "stripped libc": None,
}

# musl without unwind tables and without a name on the stack: both sides of a lock that a writer
# holds wait alike.
TOLD_LESS = {"static musl: rwlock-write-writer", "static musl: rwlock-read",
             "static musl: rwlock-read-timed"}

# Where the thread is when it is there, if not in a system call.
STATES = {"spin": "R", "stopped": "T", "traced": "t", "zombie-leader": "Z", "vfork": "D"}
NO_CALL = {"page-fault"}

_scratch = tempfile.mkdtemp(prefix="hangdump-classes-")


def build(name):
    """The path of the victim built so; made once."""
    path = os.path.join(_scratch, name.replace(" ", "-"))
    if os.path.exists(path):
        return path
    if BUILDS[name] is None:
        strip = hang.program("strip")
        subprocess.run([strip, "-o", path, hang.victim_path("classes")], check=True)
        if name == "stripped libc":
            strip_libc(path)
        return path
    compiler, flags = BUILDS[name]
    hang.compile_victim(compiler, ["-g", *flags], SOURCES, path)
    return path


def libc_of(path):
    for line in subprocess.run(["ldd", path], capture_output=True, text=True).stdout.splitlines():
        words = line.split()
        if words and words[0] == "libc.so.6":
            return words[2]
    raise Skip("no libc.so.6")


def strip_libc(path):
    """Makes the program at path run on a libc with no names but the dynamic symbols.

    No build id either, so that separate debug information is not found.
    """
    directory = path + ".lib"
    os.mkdir(directory)
    subprocess.run(
        [hang.program("objcopy"), "--strip-all", "--remove-section=.note.gnu.build-id",
         "--remove-section=.gnu_debuglink", libc_of(path), os.path.join(directory, "libc.so.6")],
        check=True,
    )


def environment_of(path):
    directory = path + ".lib"
    return {**os.environ, "LD_LIBRARY_PATH": directory} if os.path.isdir(directory) else None


def rows(path):
    listed = subprocess.run([path, "--list"], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in listed.stdout.splitlines()]


def wait_there(victim, name, pid, tid):
    if name in STATES:
        hang.wait_until(
            lambda: hang.state_of(pid, tid) == STATES[name],
            f"{name}: thread {tid} in state {STATES[name]}, not {hang.state_of(pid, tid)}",
        )
    elif name in NO_CALL:
        hang.wait_until(
            lambda: hang.read_file(f"/proc/{pid}/task/{tid}/syscall").startswith("-1 "),
            f"{name}: asleep outside of a call",
        )
    else:
        hang.wait_blocked(pid, tid)
        # Between "ready" and the wait there may be other short sleeps (a lock of libc's).
        seen = None
        for _ in range(3):
            now = hang.read_file(f"/proc/{pid}/task/{tid}/syscall")
            check(victim.alive(), f"{name} ended")
            if now == seen:
                break
            seen = now
            hang.wait_blocked(pid, tid)


def check_owner(wait, owner, others, pid, tid, told):
    """`owner` as classes.h has it."""
    state = wait["owner_state"] or "nobody"
    who = owner.removeprefix("maybe ")
    if who not in ("self", "other"):
        check_equal(state, owner, f"owner's state of {told}")
        check(wait["reach"] != "owners", f"an owner to reach: {told}")
        return
    check_equal(state, "alive", f"owner's state of {told}")
    check_equal(wait["owner_confidence"], "likely" if who != owner else "certain",
                f"confidence in the owner of {told}")
    check_equal(wait["reach"], "owners", f"reach of {told}")
    check_equal([(o["pid"], o["tid"]) for o in wait["owners"]],
                [(pid, tid if who == "self" else others[0])], f"owners of {told}")


def one(variant, executable, name, wait_class, kind, owner):
    path = executable()
    with Victim(name, name, executable=path, env=environment_of(path)) as victim:
        pid, tid = map(int, victim.ready())
        wait_there(victim, name, pid, tid)
        dump = hang.dump(pid)
        thread = hang.threads_of(dump)[tid]
        wait = thread["wait"]
        told = f"{wait}; stack {hang.functions_of(thread)}; errors {dump['errors']}"
        if f"{variant}: {name}" in TOLD_LESS and wait["class"] == "futex wait":
            wait_class = "futex wait"
        check_equal(wait["class"], wait_class, f"class of {told}")
        if kind != "-":
            check(wait["resource"], f"no resource: {told}")
            check_equal(wait["resource"]["kind"], kind, f"kind of resource of {told}")
        others = [t for t in hang.threads_of(dump) if t != tid]
        if owner != "-":
            check_owner(wait, owner, others, pid, tid, told)
        check(not wait["overdue"], f"overdue: {told}")
        if name == "cxx-join":
            check_equal(wait["resource"]["detail"], f"thread {others[0]}", f"who is joined: {told}")
    hang.wait_until(lambda: not hang.children_of_ours(), f"the end of all that {name} began")


def add_all(variant, path, make):
    for name, wait_class, kind, owner in rows(path):
        add_case(f"{variant}: {name}", one, variant, make, name, wait_class, kind, owner)


def nothing_to_build(name, reason):
    raise Skip(f"{name}: {reason}")


if __name__ == "__main__":
    classes = os.path.join(hang.BUILDDIR, "tests", "victims", "classes")
    if os.path.exists(classes):
        add_all("default", classes, lambda: classes)
        for build_name in BUILDS:
            try:
                built = build(build_name)
            except Skip as skip:
                add_case(build_name, nothing_to_build, build_name, str(skip))
                continue
            add_all(build_name, built, lambda built=built: built)
    else:
        add_case("the victims are built", hang.victim_path, "classes")
    cxx = os.path.join(hang.BUILDDIR, "tests", "victims", "classes_cxx")
    if os.path.exists(cxx):
        add_all("c++", cxx, lambda: cxx)
    try:
        hang.main()
    finally:
        shutil.rmtree(_scratch, ignore_errors=True)
