#!/usr/bin/env python3
"""A dump does its target no harm.

Blocked calls stay blocked and end as they would have, signals arrive, sandboxes hold, job control
stays as it was; whatever becomes of hangdump.
"""

import ctypes
import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Skip, Victim, case, check, check_equal, check_untraced, fail

EINTR = errno.EINTR

# What each call of tests/victims/blocking returns when it is properly ended.  For calls that end
# by a signal, the errno; for those that had moved a part before they slept, what POSIX allows.
CALLS = {
    "read-pipe": 1, "readv-pipe": 1, "write-pipe": 1, "splice": 1, "open-fifo": 0,
    "poll": 1, "poll-timed": 1, "ppoll": 1, "select": 1, "pselect": 1,
    "epoll_wait": 1, "epoll_wait-timed": 1, "epoll_pwait": 1, "epoll_pwait2": 1,
    "read-eventfd": 1, "read-timerfd": 1, "read-signalfd": signal.SIGUSR2, "read-inotify": 1,
    "flock": 0, "fcntl-ofd-setlkw": 0, "fcntl-setlkw": 0,
    "io_getevents": 1, "io_getevents-timed": 1, "io_pgetevents": 1,
    "io_uring_enter": 0, "io_uring_enter-timed": 0,
    "recv-unix": 1, "recv-udp": 1, "recv-tcp": 1, "recv-tcp-timeo": 1, "recv-timeo": 1,
    "read-timeo": 1, "readv-timeo": 1, "recvmsg-timeo": 1, "recvmmsg-timeo": 1,
    "send": 1, "send-timeo": 1, "write-timeo": 1, "sendmsg-timeo": 1,
    "accept": 0, "accept-timeo": 0, "accept4-timeo": 0, "connect": 0, "connect-timeo": 0,
    "futex": 0, "futex-timed": 0, "futex-bitset": 0, "futex-lock_pi": 0,
    "pthread_mutex_lock": 0, "pthread_cond_wait": 1, "sem_wait": 0, "sem_timedwait": 0,
    "semop": 0, "semtimedop": 0, "msgrcv": 1, "msgsnd": 0,
    "mq_receive": 1, "mq_timedreceive": 1,
    "sigwaitinfo": signal.SIGUSR2, "sigtimedwait": signal.SIGUSR2,
    "waitpid": 0, "waitid": 0,
}
ENDED_BY_SIGNAL = ("pause", "sigsuspend")
# A stop ends these with a short count, which nobody can hide.
PARTIAL = {"write-pipe-more": (65536, 200000), "recv-waitall": (3, 8)}
# The kernel counts their relative timeout anew after a stop; see the manual.
ENDS = ("ends-poll", "ends-ppoll", "ends-select", "ends-nanosleep", "ends-clock_nanosleep",
        "ends-futex", "ends-sem_timedwait")
RETURNED = r"returned (\S+) (-?\d+) errno=(\d+) handled=(\d+) elapsed_ms=(\d+)"


def start(*arguments):
    victim = Victim("blocking", *arguments)
    name, tid = victim.ready()
    hang.wait_blocked(victim.pid, int(tid))
    return victim, int(tid)


def returned(victim):
    name, value, error, handled, elapsed = victim.expect(RETURNED).groups()
    return int(value), int(error), int(handled), int(elapsed)


def stays_blocked(name, options):
    """Dumped twice, because a stop changes what the next dump sees of some calls."""
    victim, tid = start(name)
    with victim:
        for _ in range(2):
            dump = hang.dump(victim.pid, *options)
            thread = hang.threads_of(dump)[tid]
            check(thread["wait"]["class"] != "running", f"a blocked thread is reported running")
            check_untraced(victim.pid)
            hang.wait_blocked(victim.pid, tid)
        victim.send("feed")
        value, error, handled, _ = returned(victim)
        if name in ENDED_BY_SIGNAL:
            check_equal((value, error, handled), (-1, EINTR, 1), "the end by a signal")
        elif name in PARTIAL:
            check(value in PARTIAL[name], f"returned {value}, errno {error}")
        else:
            check_equal((value, error, handled), (CALLS[name], 0, 0), "value, errno, signals")


for _name in [*CALLS, *ENDED_BY_SIGNAL, *PARTIAL]:
    hang.add_case(f"{_name} stays blocked", stays_blocked, _name, [])
for _name in [*CALLS, *ENDED_BY_SIGNAL, *PARTIAL]:
    hang.add_case(f"{_name} stays blocked, no stop", stays_blocked, _name, ["--no-stop"])
for _name in ("epoll_wait", "semop", "poll", "recv-timeo", "io_uring_enter"):
    hang.add_case(f"{_name} stays blocked, ptrace unwinder", stays_blocked, _name,
                  ["--unwinder=ptrace"])


def ends_in_time(name):
    """Dumped again and again: if each dump began its time anew, it would not end."""
    victim = Victim("blocking", name)
    with victim:
        _, tid = victim.ready()
        end = time.monotonic() + hang.LIMIT
        dumps = 0
        while not (lines := victim.said()):
            check(time.monotonic() < end, f"{name} did not end within {hang.LIMIT} s of dumps")
            hang.dump(victim.pid)
            dumps += 1
        check(len(lines) == 1 and lines[0].startswith(f"returned {name} "), f"said {lines}")
        elapsed = int(lines[0].rsplit("=", 1)[1])
        check(elapsed >= 2000, f"ended too early: {lines[0]}")
        check("errno=4 " not in lines[0], f"was interrupted: {lines[0]}")
        check(dumps, "no dump fell into its time")


for _name in ENDS:
    hang.add_case(f"{_name[5:]} keeps its timeout", ends_in_time, _name)


def survives_sandbox(name):
    """Whose filter kills for restart_syscall, which a plain stop would cause."""
    victim, tid = start("--forbid-restart", name)
    with victim:
        for _ in range(3):
            hang.dump(victim.pid)
            check_untraced(victim.pid)
            check(victim.alive(), f"killed by its sandbox: {victim.process.returncode}")
            hang.wait_blocked(victim.pid, tid)
        victim.send("feed")
        value, error, _, _ = returned(victim)
        check_equal((value, error), (CALLS[name], 0), "value, errno")


for _name in ("poll-timed", "poll", "futex-timed", "futex-bitset", "sem_timedwait", "epoll_wait",
              "read-pipe"):
    hang.add_case(f"{_name} in a sandbox survives", survives_sandbox, _name)


@case
def who_is_in_many_groups_survives_its_sandbox():
    """Its status file has 9 KB before it comes to the filter."""
    if os.getuid() != 0:
        raise Skip("not root")
    before = os.getgroups()
    os.setgroups(range(1100000000, 1100000700))
    try:
        survives_sandbox("poll-timed")
    finally:
        os.setgroups(before)


class Dumps:
    """Dumps again and again in the background."""

    def __init__(self, pid, *options):
        self.pid = pid
        self.options = options
        self.count = 0
        self.trouble = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set():
            process = subprocess.run(
                [hang.HANGDUMP, "--format=json", *self.options, str(self.pid)],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            self.count += 1
            if process.returncode not in (0, 1):
                self.trouble = process.stderr.decode("utf-8", "replace")
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        self.thread.join()
        if kind is None and self.trouble is not None:
            fail(f"a dump failed: {self.trouble!r}")


def held(pid, tid):
    return hang.state_of(pid, tid) == "t"


def signal_during_stop(name):
    """A genuine signal in the very time when the thread is held: handler runs, EINTR comes."""
    wanted, least, hits, sent = 12, 3, 0, 0
    victim, tid = start("--again", name)
    libc = ctypes.CDLL(None)
    with victim, Dumps(victim.pid) as dumps:
        end = time.monotonic() + 3 * hang.LIMIT
        while hits < wanted:
            while not held(victim.pid, tid):
                if time.monotonic() > end and hits >= least:
                    return  # a busy machine: each of those did what it must
                if time.monotonic() > end or dumps.trouble is not None:
                    fail(f"held at a signal only {hits} times in {dumps.count} dumps")
            check(libc.syscall(234, victim.pid, tid, int(signal.SIGUSR1)) == 0, "tgkill")
            hits += held(victim.pid, tid)
            sent += 1
            value, error, handled, _ = returned(victim)
            check_equal((value, error, handled), (-1, EINTR, sent), "value, errno, handler runs")
            victim.ready()
            hang.wait_until(lambda: not held(victim.pid, tid) and
                            hang.syscall_of(victim.pid, tid), "blocked anew")
        check(not victim.said(), "returned without a signal")


for _name in ("epoll_wait", "semop", "recv-timeo", "io_uring_enter", "sem_wait", "poll-timed",
              "msgrcv"):
    hang.add_case(f"{_name} takes a signal while held", signal_during_stop, _name)


@case
def no_signal_of_a_storm_is_lost():
    count = 20000
    libc = ctypes.CDLL(None, use_errno=True)
    rng = random.Random(1)
    with Victim("signals", count) as victim:
        pid, *tids = [int(w) for w in victim.ready()]
        with Dumps(pid) as dumps:
            for value in range(count):
                if value % 50 == 0:  # spread over many dumps
                    time.sleep(0.002)
                while True:
                    if value % 2:
                        sent = _queue(libc, pid, rng.choice(tids), value)
                    else:
                        sent = libc.sigqueue(pid, int(signal.SIGRTMIN), ctypes.c_void_p(value))
                    if sent == 0:
                        break
                    check_equal(ctypes.get_errno(), errno.EAGAIN, "errno of sigqueue")
                    time.sleep(0.001)
            try:
                report = victim.line()
            except hang.Failed:
                victim.send("report")
                report = victim.line()
        check_equal(report, f"received {count} missing 0 twice 0", "what arrived")
        check(dumps.count, "no dump during the storm")
        check_untraced(pid)


class _SigInfo(ctypes.Structure):
    _fields_ = [("signo", ctypes.c_int), ("errno", ctypes.c_int), ("code", ctypes.c_int),
                ("pad", ctypes.c_int), ("pid", ctypes.c_int), ("uid", ctypes.c_uint),
                ("value", ctypes.c_void_p), ("rest", ctypes.c_char * 96)]


def _queue(libc, pid, tid, value):
    """sigqueue for one thread."""
    info = _SigInfo(int(signal.SIGRTMIN), 0, -1, 0, os.getpid(), os.getuid(), value)
    return libc.syscall(297, pid, tid, int(signal.SIGRTMIN), ctypes.byref(info))


def no_call_is_interrupted(pick):
    """Threads that are slow to stop have been woken all the same: letting go of them then would
    show them an EINTR."""
    crowd = os.path.join(hang.BUILDDIR, "tests", "bench", "crowd")
    threads, prepare = pick()
    with Victim("crowd", threads, 10, executable=crowd) as victim:
        _, heartbeat, _ = victim.ready()
        blocked = [t for t in hang.tids_of(victim.pid) if t != int(heartbeat)]
        check_equal(len(blocked), threads + 1, "threads")
        hang.wait_until(lambda: all(hang.state_of(victim.pid, t) == "S" for t in blocked),
                        "all of them asleep")
        victim.send("begin")
        victim.expect("begun")
        prepare(victim)
        for _ in range(8):
            hang.dump(victim.pid, "--deadline=2m", limit=300)
            check_untraced(victim.pid)
        for tid in blocked:  # whoever was woken has been on a CPU since, and counted
            hang.wait_until(lambda t=tid: hang.state_of(victim.pid, t) == "S", "asleep again")
        victim.send("end")
        eintr = victim.expect(r"gap \d+ eintr (\d+)").group(1)
        check_equal(int(eintr), 0, "calls that failed with EINTR")


def many_threads():
    return 3000, lambda victim: None


def starved_threads():
    """On one CPU, which others keep busy, at the lowest priority there is."""

    def starve(victim):
        cpu = {min(os.sched_getaffinity(0))}
        for tid in hang.tids_of(victim.pid):
            os.sched_setaffinity(tid, cpu)
            if os.sched_getscheduler(tid) == os.SCHED_OTHER:
                os.sched_setscheduler(tid, os.SCHED_IDLE, os.sched_param(0))
        hog = Victim("spin", 4)
        hog.ready()
        for tid in hang.tids_of(hog.pid):
            os.sched_setaffinity(tid, cpu)

    return 400, starve


hang.add_case("many threads see no EINTR", no_call_is_interrupted, many_threads)
hang.add_case("starved threads see no EINTR", no_call_is_interrupted, starved_threads)


@case
def a_stopped_process_stays_stopped_and_continues():
    with Victim("sleeper", "--threads=5") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 6)
        os.kill(victim.pid, signal.SIGSTOP)

        def stopped():
            return all(hang.state_of(victim.pid, t) == "T" for t in hang.tids_of(victim.pid))

        hang.wait_until(stopped, "all threads stopped")
        # Taken now, so that a second report would be one that hangdump has caused.
        os.waitid(os.P_PID, victim.pid, os.WSTOPPED)
        for _ in range(3):
            dump = hang.dump(victim.pid)
            classes = {t["wait"]["class"] for t in hang.threads_of(dump).values()}
            check_equal(classes, {"stopped"}, "wait classes")
            check_untraced(victim.pid, stopped=True)
            hang.wait_until(stopped, "all threads stopped after the dump", 10)
            check(os.waitid(os.P_PID, victim.pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG) is None,
                  "the dump caused a stop or continue report to the parent")
        os.kill(victim.pid, signal.SIGCONT)
        hang.wait_all_blocked(victim.pid, 6)


@case
def its_parent_sees_no_stop():
    with Victim("sleeper", "--threads=5") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 6)
        for _ in range(5):
            hang.dump(victim.pid)
            check(os.waitid(os.P_PID, victim.pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG) is None,
                  "the parent was told of a stop")


def killed_half_way(number, stdout=subprocess.DEVNULL):
    """hangdump dies at a random moment: every thread runs on, untraced, and nothing is left."""
    rng = random.Random(7)
    with Victim("sleeper", "--threads=60") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 61)
        # One that met a busy moment would make most of the others end in time.
        whole = min(hang.run_hangdump("--format=json", victim.pid).seconds for _ in range(3))
        caught = 0
        before = hang.children_of_ours()
        for _ in range(60):
            process = subprocess.Popen([hang.HANGDUMP, str(victim.pid)], stdout=stdout,
                                       stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, whole))
            process.send_signal(number)
            caught += process.wait() == -number
            check_untraced(victim.pid)
        check(caught >= 10, f"only {caught} of 60 were killed before their end")
        hang.wait_until(lambda: not hang.children_of_ours() - before,
                        f"the end of what hangdump left: {hang.children_of_ours() - before}", 15)
        hang.wait_all_blocked(victim.pid, 61)
        threads = hang.threads_of(hang.dump(victim.pid))
        check_equal(len(threads), 61, "threads")


for _signal in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
    hang.add_case(f"hangdump ended by {_signal.name} lets go", killed_half_way, _signal)


@case
def a_helper_killed_half_way_is_survived():
    """Whatever process does the tracing: when it is killed, hangdump says so or copes."""
    with Victim("sleeper", "--threads=200") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 201)
        killed = 0
        end = time.monotonic() + hang.LIMIT
        for _ in range(40):
            process = subprocess.Popen([hang.HANGDUMP, "--format=json", str(victim.pid)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            while process.poll() is None and time.monotonic() < end:
                tracer = hang.tracer_of(victim.pid, victim.pid)
                if tracer and tracer not in hang.tids_of(process.pid):
                    try:
                        os.kill(tracer, signal.SIGKILL)
                        killed += 1
                    except ProcessLookupError:
                        pass
                    break
            try:
                _, err = process.communicate(timeout=hang.LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                fail("hangdump waits for ever for its killed helper")
            check(process.returncode in (0, 1, 2), f"status {process.returncode}: {err!r}")
            check(process.returncode != 2 or err.startswith(b"hangdump: "), f"said {err!r}")
            check_untraced(victim.pid)
            if killed >= 10:
                break
        if not killed:
            raise Skip("no helper process was ever seen tracing")
        hang.wait_all_blocked(victim.pid, 201)


@case
def a_closed_pipe_on_standard_output_is_no_trouble_to_the_target():
    with Victim("sleeper", "--threads=60") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 61)
        for _ in range(5):
            reader, writer = os.pipe()
            os.close(reader)
            hang.run_hangdump(victim.pid, stdout=writer)
            os.close(writer)
            check_untraced(victim.pid)


@case
def nothing_of_it_is_left():
    with Victim("sleeper", "--threads=20", "--child") as victim:
        _, child = victim.ready()
        hang.wait_all_blocked(victim.pid, 21)
        for options in ([], ["--no-stop"], ["--tree"], ["--unwinder=ptrace"]):
            for _ in range(3):
                result = hang.run_hangdump(*options, victim.pid)
                check(result.status in (0, 1), f"{result}")
                check(not result.left_behind, f"{result}: left {result.left_behind}")
                check_untraced(victim.pid)
                check_untraced(int(child))


@case
def no_stop_costs_no_context_switch():
    with Victim("sleeper", "--threads=20") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 21)

        def switches():
            return [(hang.status_field(victim.pid, t, "voluntary_ctxt_switches"),
                     hang.status_field(victim.pid, t, "nonvoluntary_ctxt_switches"))
                    for t in hang.tids_of(victim.pid)]

        before = switches()
        dump = hang.dump(victim.pid, "--no-stop")
        check_equal(switches(), before, "context switches")
        check_equal(dump["processes"][0]["frozen_us"], 0, "frozen_us")
        for thread in hang.threads_of(dump).values():
            check_equal(thread["own_stops"], 0, "own_stops")


hang.main()
