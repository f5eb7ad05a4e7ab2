#!/usr/bin/env python3
"""Who holds what is waited for, where it takes more than one program of ours to see it.

Python is the victim: its interpreter lock, and libc's locks through ctypes.
"""

import glob
import os
import platform
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Skip, Victim, add_case, case, check, check_equal

FUTEX = {202, hang.RESTART_SYSCALL}

PRELUDE = """
import ctypes, mmap, os, signal, sys, threading
libc = ctypes.CDLL(None)
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
def call(function, *addresses):
    getattr(libc, function)(*[ctypes.c_void_p(a) for a in addresses])
def beside(function, *addresses):
    def run():
        say("ready", threading.get_native_id())
        call(function, *addresses)
    threading.Thread(target=run, daemon=True).start()
"""


def python_victim(script, python=sys.executable):
    return Victim("python", "-c", PRELUDE + script, executable=python)


def wait_of(dump, pid, tid):
    wait = hang.threads_of(dump, pid)[tid]["wait"]
    return wait, f"{wait}; errors {dump['errors']}"


def check_owner(wait, told, state, pid, tid, confidence):
    check_equal(wait["owner_state"], state, f"owner's state of {told}")
    check_equal(wait["owners"], [{"pid": pid, "tid": tid}], f"owners of {told}")
    check_equal(wait["owner_confidence"], confidence, f"confidence in the owner of {told}")


# --- the interpreter lock -----------------------------------------------------------------------

# A call that keeps the lock; the main thread then waits for it, 5 ms at a time.
GIL = """
say("ready", sys.version_info[1])
keeping = ctypes.PyDLL(None)
threading.Thread(target=keeping.pause).start()
"""


def interpreters():
    """{version: path} of what is installed."""
    found = {}
    names = ["python3"] + [f"python3.{minor}" for minor in range(7, 20)]
    paths = [shutil.which(name) for name in names]
    paths += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3")))
    paths += ["/usr/bin/python3"]
    for path in filter(None, paths):
        with open(path, "rb") as file:
            if file.read(4) == b"\x7fELF":
                found.setdefault(os.path.realpath(path), None)
    return list(found)


def interpreter_lock(python):
    with python_victim(GIL, python) as victim:
        minor = int(victim.ready()[0])
        if minor < 7:
            raise Skip(f"Python 3.{minor} keeps the holder elsewhere")
        hang.wait_until(lambda: len(hang.tids_of(victim.pid)) == 2, "two threads")
        holder = max(hang.tids_of(victim.pid))
        hang.wait_blocked(victim.pid, holder, {34})
        seen = []

        def caught():
            """A dump between two of its short waits shows it running."""
            seen[:] = wait_of(hang.dump(victim.pid), victim.pid, victim.pid)
            return seen[0]["class"] == "gil wait"

        try:
            hang.wait_until(caught, "")
        except hang.Failed:
            hang.fail(f"no wait for the interpreter lock: {seen}")
        wait, told = seen
        check_equal(wait["resource"]["kind"], "interpreter lock", f"kind of resource of {told}")
        check_owner(wait, told, "alive", victim.pid, holder, "likely")
        check_equal(wait["reach"], "owners", f"reach of {told}")


# --- more than one process ----------------------------------------------------------------------

FORKED = """
held = (ctypes.c_uint64 * 8)()
call("pthread_mutex_lock", ctypes.addressof(held))
child = os.fork()
if child == 0:
    libc.prctl(1, 9)
    say("ready", os.getpid())
    call("pthread_mutex_lock", ctypes.addressof(held))
signal.pause()
"""


@case
def a_lock_held_over_a_fork():
    with python_victim(FORKED) as victim:
        child = int(victim.ready()[0])
        hang.wait_blocked(child, child, FUTEX)
        result = hang.run_hangdump("--format=json", child, victim.pid)
        wait, told = wait_of(result.json(), child, child)
        check_owner(wait, told, "left by fork", victim.pid, victim.pid, "likely")
        check_equal(wait["reach"], "process", f"reach of {told}")


SHARED = """
shared = mmap.mmap(-1, 4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(shared))
attributes = ctypes.addressof((ctypes.c_uint64 * 8)())
call("pthread_mutexattr_init", attributes)
libc.pthread_mutexattr_setpshared(ctypes.c_void_p(attributes), 1)
call("pthread_mutex_init", address, attributes)
call("pthread_mutex_lock", address)
child = os.fork()
if child == 0:
    libc.prctl(1, 9)
    say("ready", os.getpid())
    call("pthread_mutex_lock", address)
signal.pause()
"""


@case
def a_lock_held_by_another_process():
    with python_victim(SHARED) as victim:
        child = int(victim.ready()[0])
        hang.wait_blocked(child, child, FUTEX)
        hang.wait_blocked(victim.pid, victim.pid, {34})
        result = hang.run_hangdump("--format=json", child, victim.pid)
        wait, told = wait_of(result.json(), child, child)
        nested = hang.status_field(child, child, "NSpid").split()[1:]
        check_owner(wait, told, "alive", victim.pid, victim.pid, "likely" if nested else "certain")
        check_equal(wait["reach"], "owners", f"reach of {told}")
        check("shared" in wait["resource"]["detail"], f"where it lies: {told}")


# --- wake-ups that never came -------------------------------------------------------------------


def overdue(script, wait_class):
    """The victim makes what it waits for free without a word to the kernel, when it is told to."""
    with python_victim(script + "say('done')\nsignal.pause()\n") as victim:
        tid = int(victim.ready()[0])
        hang.wait_blocked(victim.pid, tid, FUTEX)
        wait, told = wait_of(hang.dump(victim.pid), victim.pid, tid)
        check_equal(wait["class"], wait_class, f"class of {told}")
        check(not wait["overdue"], f"overdue too early: {told}")
        victim.send("go")
        victim.expect("done")
        hang.wait_blocked(victim.pid, victim.pid, {34})
        wait, told = wait_of(hang.dump(victim.pid), victim.pid, tid)
        check_equal(wait["class"], wait_class, f"class of {told}")
        check(wait["overdue"], f"not overdue: {told}")
        check_equal(wait["owner_state"], None, f"owner's state of {told}")


@case
def a_mutex_that_is_free():
    overdue("""
lock = (ctypes.c_uint64 * 8)()
call("pthread_mutex_lock", ctypes.addressof(lock))
beside("pthread_mutex_lock", ctypes.addressof(lock))
sys.stdin.readline()
ctypes.memset(ctypes.addressof(lock), 0, 16)
""", "mutex lock")


@case
def a_semaphore_that_was_posted():
    overdue("""
semaphore = (ctypes.c_uint64 * 4)()
beside("sem_wait", ctypes.addressof(semaphore))
sys.stdin.readline()
ctypes.c_uint32.from_address(ctypes.addressof(semaphore)).value = 1
""", "semaphore wait")


@case
def a_condition_that_was_signalled():
    """The first waiter is in group 1, whose signals begin at 0; libc 2.41 has them elsewhere."""
    name, version = platform.libc_ver()
    numbers = tuple(map(int, version.split("."))) if name == "glibc" else (0,)
    if not (2, 25) <= numbers <= (2, 37) and numbers < (2, 41):
        raise Skip(f"which layout has {name} {version}?")
    where, signal = (32, 1) if numbers >= (2, 41) else (40, 2)
    overdue(f"""
lock = (ctypes.c_uint64 * 8)()
cond = (ctypes.c_uint64 * 8)()
def wait():
    call("pthread_mutex_lock", ctypes.addressof(lock))
    say("ready", threading.get_native_id())
    call("pthread_cond_wait", ctypes.addressof(cond), ctypes.addressof(lock))
threading.Thread(target=wait, daemon=True).start()
sys.stdin.readline()
for group in range(2):
    ctypes.c_uint32.from_address(ctypes.addressof(cond) + {where} + 4 * group).value = {signal}
""", "cond wait")


if __name__ == "__main__":
    for found in interpreters():
        add_case(f"the interpreter lock of {found}", interpreter_lock, found)
    hang.main()
