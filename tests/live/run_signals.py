#!/usr/bin/env python3
"""Signals that are sent to hangdump run arrive at the command, and those that end it end in time."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
import run
from hang import add_case, case, check, check_equal
from run import FOREVER, Run

# Says which signals it gets, each in a line, and ends of "TERM INT HUP QUIT" as it is told.
CATCHER = r"""
import os, signal, sys, time
numbers = [int(n) for n in sys.argv[1].split(",")]
last = int(sys.argv[2])
read_end, write_end = os.pipe()
os.set_blocking(write_end, False)
signal.set_wakeup_fd(write_end)
for n in numbers:
    signal.signal(n, lambda *_: None)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
print("ready", flush=True)
while True:
    for n in os.read(read_end, 1):
        print(n, flush=True)
        if n == last:
            sys.exit(9)
"""


def catcher(numbers, last=0):
    return [sys.executable, "-c", CATCHER, ",".join(str(int(n)) for n in numbers), str(int(last))]


PASSED = [signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH, signal.SIGCONT, signal.SIGPROF,
          signal.SIGVTALRM, signal.SIGIO, signal.SIGPWR, signal.SIGXCPU, signal.SIGRTMIN,
          signal.SIGRTMIN + 5, signal.SIGRTMAX]


@case
def signals_that_end_nothing_are_passed_on():
    with Run(*catcher([*PASSED, signal.SIGTERM], signal.SIGTERM)) as running:
        check_equal(running.line(), "ready", "line")
        for number in PASSED:
            running.signal(number)
            check_equal(running.line(), str(int(number)), f"what {number} did")
        running.signal(signal.SIGTERM)
        check_equal(running.end(), 9, "status")


def alarms_of_the_kernel_are_passed_on(*options):
    """The time was set by whoever called exec: it is ours, and meant for the command."""

    def alarm():
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        # The command is given it as blocked, and takes it when it is ready.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        signal.setitimer(signal.ITIMER_REAL, 1)

    with Run(*options, *catcher([signal.SIGALRM], signal.SIGALRM), preexec=alarm) as running:
        check_equal(running.line(), "ready", "line")
        check_equal(running.line(), str(int(signal.SIGALRM)), "what the command got")
        check_equal(running.end(), 9, "status")


add_case("alarms of the kernel are passed on", alarms_of_the_kernel_are_passed_on)
add_case("alarms of the kernel are passed on: --foreground", alarms_of_the_kernel_are_passed_on,
         "--foreground")


def ending_signals_are_passed_on(number, options):
    with Run(*options, *catcher([number], number)) as running:
        check_equal(running.line(), "ready", "line")
        begun = time.monotonic()
        running.signal(number)
        check_equal(running.line(), str(int(number)), "what the command got")
        check(time.monotonic() - begun < 30, "it took that long")
        check_equal(running.end(), 9, "status")
        running.check_nobody_left()
        dumped = f"ended by {number.name} after" in running.errors()
        check_equal(dumped, "--on-signal=0" not in options, "is there a dump?")


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    add_case(f"{number.name} is passed on, after a dump", ending_signals_are_passed_on, number, [])
    add_case(f"{number.name} is passed on, without a dump", ending_signals_are_passed_on, number,
             ["--on-signal=0"])


def sent_twice(number):
    """As timeout(1) and make(1) do it: to their child, and then to the group that it is in."""
    with Run(*catcher([number], number)) as running:
        check_equal(running.line(), "ready", "line")
        begun = time.monotonic()
        running.signal(number)
        time.sleep(0.01)
        running.signal(number)
        if time.monotonic() - begun > 0.3:
            return False  # a busy machine: that is somebody who has waited for a while
        check_equal(running.line(), str(int(number)), "what the command got")
        check_equal(running.end(), 9, "status")
        said = running.errors()
        check("1 thread [" in said, f"there is no whole dump:\n{said}")
        return True


@case
def a_signal_that_comes_twice_at_once_is_one_wish():
    hang.wait_until(lambda: sent_twice(signal.SIGTERM), "two signals in a short time")


def the_caller_sees_the_signal(number):
    with Run("sh", "-c", f"ulimit -c 0; echo ready; exec sleep {FOREVER}") as running:
        check_equal(running.line(), "ready", "line")
        hang.wait_blocked(running.command(), running.command())
        running.signal(number)
        check_equal(running.end(), -number, "status")
        running.check_nobody_left()


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2,
               signal.SIGALRM):
    add_case(f"the caller sees that the command died of {number.name}", the_caller_sees_the_signal,
             number)


@case
def who_does_not_listen_is_killed():
    with Run("-k", "0.3", "sh", "-c", f"trap '' TERM; echo ready; sleep {FOREVER}; sleep {FOREVER}"
             ) as running:
        check_equal(running.line(), "ready", "line")
        running.signal(signal.SIGTERM)
        check_equal(running.end(), -signal.SIGKILL, "status")
        running.check_nobody_left()


@case
def a_dump_that_was_asked_for_ends_nothing():
    with Run(*catcher([signal.SIGUSR1, signal.SIGTERM], signal.SIGTERM)) as running:
        check_equal(running.line(), "ready", "line")
        running.signal(signal.SIGUSR1)
        said = b""
        while b"asked for a dump after" not in said:
            got = os.read(running.process.stderr.fileno(), 4096)
            check(got, f"it ended, saying {said!r}")
            said += got
        # It is told nothing of it, and is as well as before.
        running.signal(signal.SIGTERM)
        check_equal(running.line(), str(int(signal.SIGTERM)), "the first signal that it got")
        check_equal(running.end(), 9, "status")


@case
def signals_from_the_very_start_are_not_lost():
    """Whenever it comes, the command ends of it or never begins."""
    for pause in (0, 0.0005, 0.001, 0.002, 0.004, 0.008):
        for _ in range(3):
            with Run("sleep", FOREVER) as running:
                time.sleep(pause)
                running.signal(signal.SIGTERM)
                check_equal(running.end(), -signal.SIGTERM, f"status after {pause} s")
                running.check_nobody_left()


@case
def a_pid_that_is_used_again_is_left_alone():
    """The command's pid is its own until we end: its group is signalled, and nobody else's."""
    with Run("--leftovers=kill", "-k", "5", "sh", "-c",
             f"(trap '' TERM; echo $$; sleep {FOREVER}; sleep {FOREVER}) & wait $!; exit 0",
             stdin=subprocess.DEVNULL) as running:
        command = int(running.line())
        os.kill(command, signal.SIGKILL)
        # What it leaves behind has some seconds; all the while its id stays taken.
        hang.wait_until(lambda: hang.state_of(command) == "Z", "the zombie")
        check_equal(hang.state_of(command), "Z", "its state")
        running.end()
        running.check_nobody_left()


hang.main()
