#!/usr/bin/env python3
"""hangdump run keeps the contract of timeout(1), and what of it has once been broken elsewhere.

Where timeout(1) is the reference it is asked, on the same command.
"""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
import run
from hang import Skip, add_case, case, check, check_equal
from run import FOREVER, Run

SELF = "$$"


# --- statuses ---------------------------------------------------------------------------------

# What is run; options of both; the status as subprocess has it, negative for a signal.
STATUSES = [
    ("success", [], ["true"], 0),
    ("failure", [], ["false"], 1),
    ("a skipped test", [], ["sh", "-c", "exit 77"], 77),
    ("the largest status", [], ["sh", "-c", "exit 255"], 255),
    ("not found", [], ["/nonexistent/program"], 127),
    ("not found in PATH", [], ["hangdump-no-such-program"], 127),
    ("not executable", [], ["/etc/passwd"], 126),
    ("a directory", [], ["/"], 126),
    ("TERM", [], ["sh", "-c", "kill -TERM $$"], -signal.SIGTERM),
    ("KILL", [], ["sh", "-c", "kill -KILL $$"], -signal.SIGKILL),
    ("SEGV", [], ["sh", "-c", "kill -SEGV $$"], -signal.SIGSEGV),
    ("a real-time signal", [], ["sh", "-c", "kill -40 $$"], -40),
    ("within the limit", ["{limit}" + FOREVER], ["sh", "-c", "exit 3"], 3),
    ("TERM within the limit", ["{limit}" + FOREVER], ["sh", "-c", "kill -TERM $$"],
     -signal.SIGTERM),
    ("no limit", ["{limit}0"], ["sh", "-c", "exit 4"], 4),
    ("timed out", ["{limit}0.1"], ["sleep", FOREVER], 124),
    ("timed out, status preserved", ["--preserve-status", "{limit}0.1"], ["sleep", FOREVER],
     128 + signal.SIGTERM),
    ("timed out with INT, status preserved", ["--preserve-status", "-s", "INT", "{limit}0.1"],
     ["sleep", FOREVER], 128 + signal.SIGINT),
    ("timed out, caught", ["{limit}0.1"],
     ["sh", "-c", f"trap 'exit 5' TERM; sleep {FOREVER} & wait"], 124),
    ("timed out, caught, status preserved", ["--preserve-status", "{limit}1"],
     ["sh", "-c", f"trap 'exit 5' TERM; sleep {FOREVER} & wait"], 5),
    ("timed out with HUP", ["-sHUP", "{limit}0.1"], ["sleep", FOREVER], 124),
    ("timed out with number 1", ["-s1", "{limit}0.1"], ["sleep", FOREVER], 124),
    ("foreground", ["--foreground", "{limit}0.1"], ["sleep", FOREVER], 124),
    ("bad duration", ["{limit}4x"], ["true"], 125),
    ("bad signal", ["-s", "nonesuch", "{limit}4"], ["true"], 125),
    ("bad option", ["--no-such-option", "{limit}4"], ["true"], 125),
    ("options of the command", ["{limit}" + FOREVER], ["sh", "-c", "exit $#", "x", "-t", "--help"],
     2),
]


def timeout_command(options, command):
    """The same for timeout(1), whose limit is an operand."""
    limit = next((o[len("{limit}"):] for o in options if o.startswith("{limit}")), "0")
    return [hang.program("timeout"), *[o for o in options if not o.startswith("{limit}")], limit,
            *command]


def statuses_agree(options, command, status):
    ours = run.run(*[o.replace("{limit}", "-t") for o in options], "--", *command)
    check_equal(ours.process.returncode, status, f"status; it says {ours.errors()!r}")
    check_equal(ours.out, b"", "standard output")
    theirs = subprocess.run(timeout_command(options, command), stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, check=False).returncode
    check_equal(theirs, status, "the status of timeout(1)")


for name, options, command, status in STATUSES:
    add_case(f"status: {name}", statuses_agree, options, command, status)


@case
def killed_is_137():
    """timeout(1) before 9.2 killed itself along with the command."""
    for options in (["-s", "KILL", "-t", "0.1"], ["-t", "1", "-k", "0.1"]):
        ended = run.run(*options, "sh", "-c", f"trap '' TERM; sleep {FOREVER}; sleep {FOREVER}")
        check_equal(ended.process.returncode, 137, f"{options}")


@case
def no_command_is_a_failure_of_ours():
    check_equal(run.run().process.returncode, 125, "status")
    check_equal(run.run("-t", "1").process.returncode, 125, "status")


@case
def a_command_that_cannot_be_run_is_told_in_one_line():
    ended = run.run("/nonexistent/program")
    check_equal(ended.errors().splitlines(),
                ["hangdump: /nonexistent/program: could not be run: No such file or directory"],
                "standard error")


@case
def help_is_ours_only_before_the_command():
    ended = run.run("--help")
    check_equal(ended.process.returncode, 0, "status")
    check(b"Usage: hangdump run" in ended.out, f"it says {ended.out[:100]!r}")
    ended = run.run("echo", "--help", "-t", "x")
    check_equal(ended.out, b"--help -t x\n", "the command's words")
    ended = run.run("--", "echo", "--", "-k")
    check_equal(ended.out, b"-- -k\n", "the command's words")


@case
def a_script_without_its_first_line_is_run():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "script")
        with open(path, "w", encoding="utf-8") as file:
            file.write("exit 9\n")
        os.chmod(path, 0o755)
        check_equal(run.run(path).process.returncode, 9, "status")


# --- durations --------------------------------------------------------------------------------


@case
def durations_have_units():
    for word in ("0.05", "50ms", "0.05s", "0.001m", "0.00002h", "1e-6d"):
        check_equal(run.run("-t", word, "sleep", FOREVER).process.returncode, 124, word)
    for word in ("5m30s", "1h", "1d", "9999999d"):
        check_equal(run.run("-t", word, "true").process.returncode, 0, word)
    for word in ("", "-1", "1x", "x", "1m30", "inf", "nan", "0x10"):
        check_equal(run.run(f"--timeout={word}", "true").process.returncode, 125, repr(word))


@case
def it_never_sleeps_less_than_asked():
    for _ in range(10):
        begun = time.monotonic()
        check_equal(run.run("-t", "0.05", "sleep", FOREVER).process.returncode, 124, "status")
        seconds = time.monotonic() - begun
        check(seconds >= 0.05, f"it was ended after {seconds} s")


@case
def a_dump_that_cannot_be_made_is_said_to_be_missing():
    """There are no more processes to be had, and so no thread to make it in."""
    bomb = f"while (defined(my $child = fork)) {{ last unless $child }} sleep {FOREVER}"
    own_user = 54321  # whose processes are all counted

    def become():
        resource.setrlimit(resource.RLIMIT_NPROC, (40, 40))
        os.setgroups([])
        os.setgid(own_user)
        os.setuid(own_user)

    with hang.AsNobody():
        ended = run.run("-t", "2", hang.program("perl"), "-e", bomb, program=hang.HANGDUMP,
                        preexec=become)
    check_equal(ended.process.returncode, 124, "status")
    check("hangdump: dump: there is none: no thread" in ended.errors(), ended.errors())


@case
def the_limit_of_the_runner_comes_from_the_environment():
    none = ("", "0", "1000")

    def limit_of(value, *options):
        """As its report says it; None when there is none that soon."""
        ended = run.run("--timeout-env=LIMIT", *options, "sleep", "1" if value in none else FOREVER,
                        env={**os.environ, "LIMIT": value})
        status = ended.process.returncode
        found = re.search(r"timed out after ([^:;]*)[:;]", ended.errors())
        check_equal(status, 124 if found else 0, f"status; it says {ended.errors()!r}")
        return found.group(1) if found else None

    check_equal(limit_of("0.6", "--margin=0.25"), "350 ms", "0.6 s less 0.25 s")
    check_equal(limit_of("0.6", "--margin=10s"), "300 ms", "half of what is less than the margin")
    check_equal(limit_of("1000", "--margin=10s"), None, "much time")
    check_equal(limit_of("2000", "-t", "0.1"), "100 ms", "the shorter limit counts")
    check_equal(limit_of("0.1", "--margin=0", "-t", "1000"), "100 ms", "the shorter limit counts")
    check_equal(limit_of(""), None, "no limit")
    check_equal(limit_of("0"), None, "no limit")
    check_equal(run.run("--timeout-env=LIMIT", "true", env={**os.environ, "LIMIT": "soon"})
                .process.returncode, 125, "no duration")


# --- what the command is given ----------------------------------------------------------------


def signal_sets(*options, preexec=None):
    """{"SigBlk": number, "SigIgn": ...} of the command, and of one without us."""

    def parse(text):
        return {line.split(":")[0]: int(line.split(":")[1], 16) for line in text.splitlines()}

    command = ["grep", "-E", "^Sig(Blk|Ign|Cgt):", "/proc/self/status"]
    ours = run.run(*options, *command, preexec=preexec)
    theirs = subprocess.run(command, stdout=subprocess.PIPE, preexec_fn=preexec, check=True)
    ours, theirs = parse(ours.out.decode()), parse(theirs.stdout.decode())
    # As timeout(1) does, so that the terminal can be lent to a command that wants it.
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        theirs["SigIgn"] &= ~(1 << number - 1)
    return ours, theirs


def given(block=(), ignore=()):
    """For preexec_fn: exactly these blocked and ignored."""

    def prepare():
        for number in range(1, 65):
            if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
                signal.signal(number, signal.SIG_IGN if number in ignore else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, block)

    return prepare


@case
def signals_are_given_as_they_were():
    for block, ignore in [
        ([], []),
        ([signal.SIGCHLD, signal.SIGALRM], []),
        ([signal.SIGTERM, signal.SIGTTOU, signal.SIGPIPE, signal.SIGCONT, 40], []),
        ([], [signal.SIGCHLD]),
        ([], [signal.SIGINT, signal.SIGQUIT]),
        ([], [signal.SIGHUP]),
        ([], [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP]),
        ([signal.SIGUSR1], [signal.SIGALRM, signal.SIGUSR1, signal.SIGTERM]),
    ]:
        for options in ([], ["--foreground"], ["-t", FOREVER]):
            ours, theirs = signal_sets(*options, preexec=given(block, ignore))
            check_equal(ours, theirs, f"blocked {block}, ignored {ignore}, {options}")


@case
def blocked_and_ignored_signals_do_not_keep_us_from_our_work():
    for block, ignore in [
        ([signal.SIGCHLD], []),
        ([signal.SIGALRM], []),
        ([], [signal.SIGCHLD]),
        ([], [signal.SIGALRM]),
        (range(1, 32), []),
    ]:
        prepare = given(block, ignore)
        what = f"blocked {block}, ignored {ignore}"
        ended = run.run("-t", FOREVER, "sh", "-c", "exit 6", preexec=prepare)
        check_equal(ended.process.returncode, 6, what)
        # Where the command is given TERM as blocked, it cannot end of it.
        ended = run.run("-t", "0.1", "-k", "0.1", "sleep", FOREVER, preexec=prepare)
        check_equal(ended.process.returncode, 137 if signal.SIGTERM in block else 124, what)


@case
def a_signal_that_is_ignored_from_the_start_stays_so():
    """Jobs that a shell without job control has put into the background ignore INT and QUIT."""
    with Run("-t", FOREVER, "sh", "-c", "echo begun; read line; exit 7", stdin=subprocess.PIPE,
             preexec=given(ignore=[signal.SIGINT, signal.SIGHUP])) as running:
        check_equal(running.line(), "begun", "line")
        running.signal(signal.SIGINT)
        running.signal(signal.SIGHUP)
        running.process.stdin.write(b"\n")
        check_equal(running.end(), 7, "status")


@case
def the_command_leads_a_group_of_its_own_in_our_session():
    ended = run.run(sys.executable, "-c",
                    "import os; print(os.getpid(), os.getpgrp(), os.getsid(0), os.getppid())")
    pid, group, session, _ = map(int, ended.out.split())
    check_equal(group, pid, "its group")
    check_equal(session, os.getsid(0), "its session")
    ended = run.run("--foreground", sys.executable, "-c", "import os; print(os.getpgrp())")
    check_equal(int(ended.out), os.getpgrp(), "its group with --foreground")


@case
def descriptors_are_the_commands_alone():
    read_end, write_end = os.pipe()
    with Run("sh", "-c", f"ls -l /proc/self/fd; exec >&- {write_end}>&- <&-; sleep {FOREVER}",
             stdin=subprocess.PIPE, pass_fds=(write_end,)) as running:
        os.close(write_end)
        seen = running.process.stdout.read().decode()
        check(f" {write_end} -> " in seen, f"the command has not got descriptor {write_end}: {seen}")
        # Ended by the command's close, though we and it live on.
        check_equal(os.read(read_end, 1), b"", "the pipe's end")
        check(run.is_alive(running.command()), "the command has ended")
        for pid in (running.pid, running.supervisor()):
            links = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
            strange = {fd: to for fd, to in links.items() if fd != "2" and to != "/dev/null" and
                       not to.startswith(("socket:", "anon_inode:", "pipe:"))}
            check_equal(strange, {}, f"descriptors of {pid}")
            check(len(links) <= 10, f"{pid} holds {links}")
        # Nobody reads what is written to the command's standard input any more.
        try:
            for _ in range(2):
                running.process.stdin.write(b"x" * 100000)
                running.process.stdin.flush()
            hang.fail("its standard input is still open")
        except BrokenPipeError:
            pass
    os.close(read_end)


@case
def closed_streams_stay_closed():
    for fd in (0, 1, 2):
        ended = run.run("sh", "-c", f"test -e /proc/self/fd/{fd}", preexec=lambda: os.close(fd))
        check_equal(ended.process.returncode, 1, f"is descriptor {fd} closed?")
    for closed in ([0, 1, 2], [1], [2]):
        with Run("-t", "0.1", "sleep", FOREVER,
                 preexec=lambda: [os.close(fd) for fd in closed]) as running:
            check_equal(running.end(), 124, f"status with {closed} closed")


@case
def streams_pass_byte_for_byte():
    data = os.urandom(1 << 20) * 32
    with Run("-t", FOREVER, "cat", stdin=subprocess.PIPE) as running:
        out, _ = running.process.communicate(data, timeout=hang.LIMIT)
        check_equal(running.process.returncode, 0, "status")
        check(out == data, f"{len(out)} bytes of {len(data)}, or others")


@case
def the_terminating_line_goes_to_standard_error_only():
    ended = run.run("-v", "-t", "1", "-k", "0.1", "sh", "-c",
                    f"trap '' TERM; sleep {FOREVER}; sleep {FOREVER}")
    said = [l for l in ended.errors().splitlines() if "sending signal" in l]
    check_equal(said, ["hangdump: sending signal TERM to command 'sh'",
                       "hangdump: sending signal KILL to command 'sh'"], "standard error")
    check_equal(ended.out, b"", "standard output")


# --- bad streams ------------------------------------------------------------------------------


def full_pipe():
    """A pipe into which nothing more can be written, and that nobody reads."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while True:
            os.write(write_end, b"x" * 65536)
    except BlockingIOError:
        pass
    try:
        while True:
            os.write(write_end, b"x")
    except BlockingIOError:
        pass
    os.set_blocking(write_end, True)
    return read_end, write_end


@case
def a_standard_error_that_nobody_reads_does_not_keep_it():
    read_end, write_end = full_pipe()
    with Run("-v", "-t", "0.1", "--deadline=1s", "sleep", FOREVER, stderr=write_end) as running:
        check_equal(running.end(), 124, "status")
        running.check_nobody_left()
    # What outlives the command is told there, too.
    with Run("--leftovers=kill", "sh", "-c", f"sleep {FOREVER} & exit 5",
             stderr=write_end) as running:
        check_equal(running.end(), 5, "status")
        running.check_nobody_left()
    os.close(read_end)
    os.close(write_end)


@case
def a_broken_or_full_standard_error_changes_no_status():
    read_end, write_end = os.pipe()
    os.close(read_end)
    full = os.open("/dev/full", os.O_WRONLY)
    for stream in (write_end, full):
        with Run("-v", "-t", "0.1", "sleep", FOREVER, stderr=stream) as running:
            check_equal(running.end(), 124, "status")
            running.check_nobody_left()
        with Run("sh", "-c", f"sleep 3 & exit 5", stderr=stream) as running:
            check_equal(running.end(), 5, "status")
    os.close(write_end)
    os.close(full)


@case
def no_core_of_ours_is_left():
    with tempfile.TemporaryDirectory() as directory:
        def prepare():
            os.chdir(directory)
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.RLIM_INFINITY))

        ended = run.run("sh", "-c", "ulimit -c unlimited 2>/dev/null; exec sh -c 'kill -SEGV $$'",
                        preexec=prepare)
        check_equal(ended.process.returncode, -signal.SIGSEGV, "status")
        cores = [f for f in os.listdir(directory) if f"{ended.pid}" in f]
        check_equal(cores, [], "cores of hangdump")


# --- where we are -----------------------------------------------------------------------------


@case
def children_from_before_are_not_ours():
    """A shell that has started something, and then becomes hangdump."""
    with Run("-c", f"sleep {FOREVER} & echo $!; exec {hang.HANGDUMP} run --samples=1 -t 0.2 sleep {FOREVER}",
             program=hang.program("sh"), words=()) as running:
        other = int(running.line())
        check_equal(running.process.wait(hang.LIMIT), 124, "status")
        check(run.is_alive(other), "a child of ours that has nothing to do with it was ended")
        os.kill(other, signal.SIGKILL)


@case
def process_1_of_a_container_runs_a_command():
    unshare = hang.program("unshare")
    probe = subprocess.run([unshare, "--pid", "--fork", "--mount-proc", "true"],
                           stderr=subprocess.DEVNULL, check=False)
    if probe.returncode != 0:
        raise Skip("no pid namespace can be made here")

    def inside(*arguments):
        with Run("--pid", "--fork", "--mount-proc", hang.HANGDUMP, "run", "--samples=1",
                 *arguments,
                 program=unshare, words=()) as running:
            return running.end()

    check_equal(inside("sh", "-c", "exit 3"), 3, "status")
    check_equal(inside("-t", "0.2", "sleep", FOREVER), 124, "status when timed out")
    check_equal(inside("-t", "0.2", "-s", "KILL", "sleep", FOREVER), 137, "status when killed")
    with Run("--pid", "--fork", hang.HANGDUMP, "run", "true", program=unshare,
             words=()) as running:
        check_equal(running.end(), 125, "status with the /proc of another namespace")
        check("another pid namespace" in running.errors(), running.errors())
    # Process 1 cannot die of a signal of its own.
    check_equal(inside("sh", "-c", "kill -TERM $$"), 128 + signal.SIGTERM, "status")


hang.main()
