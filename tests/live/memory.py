#!/usr/bin/env python3
"""A dump reads nothing that it did not write, and gives back what it took: under valgrind."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hang
from hang import Skip, Victim, case, check

VALGRIND = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    # The helper processes end without giving anything back: that is their way of doing so.
    "--child-silent-after-fork=yes",
]


def under_valgrind(*arguments):
    if not shutil.which("valgrind"):
        raise Skip("there is no valgrind")
    if b"__asan_init" in open(hang.HANGDUMP, "rb").read():
        raise Skip("valgrind and AddressSanitizer exclude each other")
    with Victim("bank") as victim:
        victim.ready()
        done = subprocess.run(
            [*VALGRIND, hang.HANGDUMP, "--deadline=5m", *arguments, str(victim.pid)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600)
        check(done.returncode in (0, 1),
              f"status {done.returncode}: {done.stderr.decode(errors='replace')}")
        check(b"transfer-1" in done.stdout, f"no report: {done.stdout[:300]}")


@case
def text():
    under_valgrind("--verbose", "--kernel-stacks=always")


@case
def json():
    under_valgrind("--format=json", "--unwinder=libunwind")


@case
def nothing_stopped():
    under_valgrind("--no-stop")


if __name__ == "__main__":
    hang.main()
