#!/usr/bin/env python3
"""Where only an ancestor may attach, a thread of its does: the core of the other tests in that way,
which HANGDUMP_ATTACH=thread forces, and Yama's scope 1 itself where there is one."""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hang
from hang import Skip, Victim, case, check, check_equal, check_one_error_line

HERE = os.path.dirname(os.path.abspath(__file__))
CAP_SYS_PTRACE = 19


def by_thread(script, words):
    """Its cases that are named so."""
    # A leak checker looks for the threads that were ended, and says that it could not stop them.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    done = subprocess.run([sys.executable, os.path.join(HERE, script), *words],
                          env={**os.environ, "HANGDUMP_ATTACH": "thread", "ASAN_OPTIONS": options},
                          capture_output=True, timeout=10 * hang.LIMIT)
    said = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
    if done.returncode == 77:
        raise Skip(said.splitlines()[-1])
    ran = re.findall(r"^ok \d+ - (.*)$", said, re.M)
    check_equal(done.returncode, 0, f"status of {script} {words}; it said {said[-2000:]}")
    check(len(ran) >= len(words), f"{script} {words} ran only {ran}")


for _script, *_words in (
        ("classes.py", "O2: mutex", "O2: flock", "O2: epoll", "O2: traced", "O2: page-fault"),
        ("no_harm.py", "epoll_wait stays blocked", "semop stays blocked", "semop takes a signal"),
        ("no_harm.py", "a stopped process", "its parent sees no stop", "nothing of it is left"),
        ("no_harm.py", "ended by SIGKILL"),
        ("never_hangs.py", "a vfork parent", "pages that never come", "a deadline of"),
        ("never_hangs.py", "storm of threads", "storm of execs", "zombie leader")):
    hang.add_case(f"by a thread: {_words[0]}", by_thread, _script, _words)


# --- Yama --------------------------------------------------------------------------------------


def under_yama():
    """Skips where an ordinary user may attach to all that is theirs, or we are none."""
    try:
        scope = int(hang.read_file("/proc/sys/kernel/yama/ptrace_scope"))
    except FileNotFoundError:
        raise Skip("this kernel has no Yama") from None
    if scope != 1:
        raise Skip(f"kernel.yama.ptrace_scope is {scope}, not 1")
    if int(hang.status_field(os.getpid(), os.getpid(), "CapEff"), 16) >> CAP_SYS_PTRACE & 1:
        raise Skip("CAP_SYS_PTRACE may attach to everybody")


@case
def a_sibling_is_refused_and_told_what_to_do():
    under_yama()
    with Victim("sleeper") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 1)
        for options in ([], ["--no-stop"]):
            result = hang.run_hangdump(*options, victim.pid)
            check_one_error_line(result, 2, "ptrace_scope is 1", "'hangdump run', or .* sudo")
            check_equal(result.out, b"", f"{result}: standard output")


@case
def what_it_has_started_is_dumped_without_privilege():
    under_yama()
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "bank.json")
        done = subprocess.run(
            [hang.HANGDUMP, "run", "--timeout=3", "--kill-after=1", "-o", path, "--",
             hang.victim_path("bank")], capture_output=True, timeout=2 * hang.LIMIT)
        check_equal(done.returncode, 124, f"status; it said {done.stderr!r}")
        dump = hang.check_dump(hang.json.loads(hang.read_file(path)))
    found = [(f["kind"], f["confidence"]) for f in dump["findings"]]
    check(("deadlock", "certain") in found, f"findings {found}; errors {dump['errors']}")
    for thread in hang.threads_of(dump).values():
        check(thread["complete"], f"{thread['tid']}: {thread['incomplete_because']}")


hang.main()
