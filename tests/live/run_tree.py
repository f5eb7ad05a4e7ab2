#!/usr/bin/env python3
"""hangdump run ends the whole tree, wherever its processes have gone, whoever ends hangdump."""

import ctypes
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
import run
from hang import add_case, case, check, check_equal, wait_until
from run import FOREVER, Run

PTRACE_SEIZE = 0x4206
FORKER = hang.victim_path("forker")

# Prints the pid of a process that has left its parent, its group and its session.
DAEMON = r"""
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(300)
    os._exit(0)
os.wait()
"""


def shell(*commands):
    return ["sh", "-c", "; ".join(commands)]


def python(*lines):
    return [sys.executable, "-c", "\n".join(lines)]


def check_gone(running, pids):
    wait_until(lambda: not any(run.is_alive(pid) for pid in pids) or None,
               f"the end of {[(p, run.comm(p)) for p in pids if run.is_alive(p)]}")
    running.check_nobody_left()


# --- after the limit --------------------------------------------------------------------------


def ended_in_time(command, options=(), statuses=(124,)):
    # Who is deaf to TERM has to be so before it comes.
    limit = "0.3" if 124 in statuses else "1"
    ended = run.run("-t", limit, "-k", "0.3", "--deadline=1s", *options, *command)
    check(ended.process.returncode in statuses,
          f"status {ended.process.returncode}; it says {ended.errors()!r}")
    check("still there" not in ended.errors(), f"it says {ended.errors()!r}")


for name, command, statuses in [
    ("children in the background", shell(f"sleep {FOREVER} & sleep {FOREVER} & wait"), [124]),
    ("a pipeline", shell(f"sleep {FOREVER} | sleep {FOREVER} | sleep {FOREVER}"), [124]),
    ("a daemon", python(DAEMON, "time.sleep(300)"), [124]),
    ("own groups", python("import os, time", "for _ in range(5):", "  if os.fork() == 0:",
                          "    os.setpgid(0, 0)", "    time.sleep(300)", "time.sleep(300)"), [124]),
    ("own sessions", python("import os, time", "for _ in range(5):", "  if os.fork() == 0:",
                            "    os.setsid()", "    time.sleep(300)", "time.sleep(300)"), [124]),
    ("a command with a group of its own",
     ["setsid", "--wait", "sh", "-c", f"sleep {FOREVER} & sleep {FOREVER}"], [124]),
    ("a command that has left its group",
     python("import os, time", "child = os.fork()", "if child == 0: time.sleep(300)",
            "os.setpgid(child, child)", "os.setpgid(0, child)", "time.sleep(300)"), [124]),
    ("nobody listens to TERM",
     shell("trap '' TERM", f"sleep {FOREVER} & sleep {FOREVER}; sleep {FOREVER}"), [137]),
    ("a daemon that does not listen to TERM",
     python("import signal", "signal.signal(signal.SIGTERM, signal.SIG_IGN)", DAEMON,
            "signal.signal(signal.SIGTERM, signal.SIG_DFL)", "time.sleep(300)"), [124, 137]),
    ("a stopped command", shell("kill -STOP $$", f"sleep {FOREVER}"), [124]),
    ("a stopped child", shell(f"sleep {FOREVER} & kill -STOP $!; wait"), [124]),
    ("a stopped command that does not listen",
     shell("trap '' TERM", "kill -STOP $$", f"sleep {FOREVER}; sleep {FOREVER}"), [137]),
    ("a leader that has ended",
     python("import ctypes, threading, time", "threading.Thread(target=time.sleep, args=(300,))"
            ".start()", "ctypes.CDLL(None).pthread_exit(None)"), [124]),
    ("a child blocked in vfork",
     python("import os, time", "os.posix_spawn('/bin/sleep', ['sleep', '300'], {})",
            "time.sleep(300)"), [124]),
    ("a child that nobody waits for", shell("sleep 0.01 & exec sleep 300"), [124]),
]:
    add_case(f"timed out: {name}", ended_in_time, command, (), statuses)

for kind in ("bomb", "hop", "hop-session", "parent"):
    # The command may get no CPU within the grace, among all that get the signal.
    add_case(f"timed out: forks while it is ended: {kind}", ended_in_time, [FORKER, kind], (),
             [124, 137])
    add_case(f"timed out: forks, deaf to TERM: {kind}", ended_in_time,
             [FORKER, kind, "ignore-term"], (), [137])

add_case("killed: forks while it is ended", ended_in_time, [FORKER, "hop"], ["-s", "KILL"], [137])
add_case("foreground: children too are ended", ended_in_time,
         shell(f"sleep {FOREVER} & sleep {FOREVER}"), ["--foreground"])


@case
def without_a_grace_nobody_is_killed():
    """-k 0, and a command that takes its time after TERM."""
    command = shell("trap 'sleep 0.5; exit 0' TERM", "echo ready", f"sleep {FOREVER} & wait $!")
    ended = run.run("-t", "1", "-k", "0", "--preserve-status", *command)
    check_equal(ended.process.returncode, 0, "status")


@case
def everybody_gets_the_signal_once():
    """So that a handler is not disturbed by a second one."""
    code = [
        "import os, signal, sys, time",
        "count = 0",
        "def handler(*_):",
        "  global count",
        "  count += 1",
        "signal.signal(signal.SIGTERM, handler)",
        "other = os.fork()",
        "if other == 0: os.setsid()",
        "while count == 0: time.sleep(0.01)",
        "time.sleep(0.3)",
        "os.write(1, b'%d\\n' % count)",
        "if other: os.wait()",
    ]
    ended = run.run("-t", "2", "-k", "30", *python(*code))
    check_equal(sorted(ended.out.split()), [b"1", b"1"], "signals that they got")


def trace(pid):
    """A process that attaches to another, as debuggers do, and lives until it is killed."""
    tracer = os.fork()
    if tracer == 0:
        ctypes.CDLL(None).ptrace(PTRACE_SEIZE, pid, None, None)
        signal.pause()
        os._exit(1)
    return tracer


@case
def a_debugger_is_respected():
    with Run("-t", "1.5", "sleep", FOREVER) as running:
        command = running.command()
        tracer = trace(command)
        try:
            wait_until(lambda: hang.tracer_of(command, command) == tracer, "it to attach")
            # The time begins anew, each time that it is over.
            said = b""
            while said.count(b"is debugging the command\n") < 2:
                got = os.read(running.process.stderr.fileno(), 4096)
                check(got, f"hangdump has ended; it said {said!r}")
                said += got
            check(run.is_alive(command), "the command was ended under a debugger")
            check(f"process {tracer} (".encode() in said, f"it said {said!r}")
        finally:
            os.kill(tracer, signal.SIGKILL)
            os.waitpid(tracer, 0)
        check_equal(running.end(), 124, "status")
        running.check_nobody_left()


@case
def a_tracer_inside_the_tree_is_no_debugger():
    strace = hang.program("strace")
    ended = run.run("-t", "0.5", strace, "-f", "-qq", "-o", "/dev/null", "sleep", FOREVER)
    check_equal(ended.process.returncode, 124, "status")


# --- after a normal end -----------------------------------------------------------------------


@case
def leftovers_are_named_and_live_on():
    with Run("sh", "-c", f"sleep {FOREVER} >/dev/null 2>&1 & echo $!; exit 5") as running:
        left = int(running.line())
        check_equal(running.end(), 5, "status")
        check(run.is_alive(left), "it was ended")
        check_equal(running.errors(), f"hangdump: sh: left 1 process behind: {left} (sleep)\n",
                    "standard error")


@case
def leftovers_may_be_ignored():
    with Run("--leftovers=ignore", "sh", "-c",
             f"sleep {FOREVER} >/dev/null 2>&1 & echo $!; exit 5") as running:
        left = int(running.line())
        check_equal(running.end(), 5, "status")
        check(run.is_alive(left), "it was ended")
        check_equal(running.errors(), "", "standard error")


def leftovers_are_ended(how, status, wanted):
    ended = run.run(f"--leftovers={how}", "-k", "0.3", *python(
        "import signal", DAEMON, "if os.fork() == 0:",
        "  signal.signal(signal.SIGTERM, signal.SIG_IGN)", "  time.sleep(300)",
        "time.sleep(0.2)", f"os._exit({status})"))
    check_equal(ended.process.returncode, wanted, f"status; it says {ended.errors()!r}")
    check("left 2 processes behind, to be ended now: " in ended.errors(), ended.errors())


add_case("leftovers are ended", leftovers_are_ended, "kill", 0, 0)
add_case("leftovers are ended, the status stays", leftovers_are_ended, "kill", 5, 5)
add_case("leftovers are a failure", leftovers_are_ended, "fail", 0, 1)
add_case("leftovers are a failure, the status stays", leftovers_are_ended, "fail", 5, 5)


@case
def what_is_about_to_end_is_no_leftover():
    for _ in range(5):
        ended = run.run("--leftovers=fail", "sh", "-c", "sleep 0.02 & exit 0")
        check_equal(ended.process.returncode, 0, f"status; it says {ended.errors()!r}")


# --- somebody ends us -------------------------------------------------------------------------

TREE = python(DAEMON, "if os.fork() == 0: time.sleep(300)", "time.sleep(300)")


class Outer:
    """A runner: hangdump in a group of its own, with a tree under it that has a daemon."""

    def __init__(self, *options, command=None):
        self.running = Run(*options, *(command or TREE), preexec=os.setsid)

    def __enter__(self):
        self.running.__enter__()
        self.daemon = int(self.running.line())
        self.tree = [self.running.command()]
        self.tree = wait_until(self.whole_tree, "the whole tree")
        return self

    def whole_tree(self):
        tree = run.descendants(self.running.supervisor())
        return tree if len(tree) == 3 and self.daemon in tree else None

    def __exit__(self, *arguments):
        self.running.__exit__(*arguments)

    def check_all_gone(self):
        check_gone(self.running, [self.running.pid, *self.tree])


@case
def killed_we_take_the_tree_along():
    with Outer() as outer:
        outer.running.signal(signal.SIGKILL)
        outer.check_all_gone()


@case
def killed_with_our_group_we_take_the_tree_along():
    with Outer() as outer:
        os.killpg(outer.running.pid, signal.SIGKILL)
        outer.check_all_gone()


def have_no_child():
    try:
        for _ in range(1000):
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
    except ChildProcessError:
        return True
    return None


def killed_while_it_forks(end):
    """Orphans become ours: nobody is left when we have no child any more."""
    with Run(FORKER, "hop-session", preexec=os.setsid) as running:
        check_equal(running.line(), "ready", "forker")
        end(running)
        wait_until(have_no_child, "the end of all that fork")


add_case("killed: forks all the while", killed_while_it_forks,
         lambda running: running.signal(signal.SIGKILL))
add_case("a supervisor that is killed: forks all the while", killed_while_it_forks,
         lambda running: os.kill(running.supervisor(), signal.SIGKILL))


@case
def a_supervisor_that_is_killed_takes_the_tree_along():
    with Outer() as outer:
        os.kill(outer.running.supervisor(), signal.SIGKILL)
        check_equal(outer.running.end(), 125, "status")
        check("hangdump's own failure" in outer.running.errors(), outer.running.errors())
        outer.check_all_gone()


@case
def both_killed_the_command_at_least_goes_along():
    with Outer() as outer:
        # As pkill does it: one after the other, with nothing in between.
        command, supervisor = outer.running.command(), outer.running.supervisor()
        os.kill(outer.running.pid, signal.SIGSTOP)
        os.kill(supervisor, signal.SIGKILL)
        os.kill(outer.running.pid, signal.SIGKILL)
        wait_until(lambda: not run.is_alive(command), "the end of the command")


@case
def a_supervisor_that_is_stopped_is_woken():
    with Outer("-t", "5") as outer:
        os.kill(outer.running.supervisor(), signal.SIGSTOP)
        check_equal(outer.running.end(), 124, "status")
        check("timed out after" in outer.running.errors(), outer.running.errors())
        outer.check_all_gone()


@case
def the_end_of_the_command_is_seen_though_the_supervisor_is_stopped():
    with Run("sh", "-c", "echo ready; read line; exit 9", stdin=subprocess.PIPE) as running:
        check_equal(running.line(), "ready", "line")
        os.kill(running.supervisor(), signal.SIGSTOP)
        running.process.stdin.write(b"\n")
        check_equal(running.end(), 9, "status")
        running.check_nobody_left()


def before_it_tells_of_the_command(script, status):
    """A command may run before its parent does; strace lets the parent come late for certain."""
    calls = "clone,clone3,fork,vfork"
    options = os.environ.get("ASAN_OPTIONS", "")
    with Run("sh", "-c", script, program=hang.program("strace"),
             words=("-f", "-qq", "-b", "execve", "-o", "/dev/null", "-e", f"trace={calls}",
                    "-e", f"inject={calls}:delay_exit=300000", hang.HANGDUMP, "run"),
             # It cannot look for leaks while somebody traces it.
             env={**os.environ, "ASAN_OPTIONS": f"{options}:detect_leaks=0"}) as running:
        check_equal(running.end(), status, "status")
        running.check_nobody_left()


add_case("a supervisor that is stopped before it tells of the command is woken",
         before_it_tells_of_the_command, "kill -STOP $PPID; exit 9", 9)
add_case("a supervisor that is killed before it tells of the command takes the tree along",
         before_it_tells_of_the_command,
         f"setsid sleep {FOREVER} & sleep {FOREVER} & kill -KILL $PPID; sleep {FOREVER}", 125)


@case
def what_children_of_our_caller_leave_is_none_of_the_tree():
    """Who called exec may have left us children, and they may leave us theirs."""
    read_end, write_end = os.pipe()
    script = (f"(read go <&{read_end}; sleep {FOREVER} & echo $!) & "
              f'exec "$@" {read_end}<&-')
    with Run("-c", script, "sh", hang.HANGDUMP, "run", "sh", "-c", f"echo ready; sleep {FOREVER}",
             program="bash", words=(), pass_fds=(read_end,)) as running:
        os.close(read_end)
        check_equal(running.line(), "ready", "line")
        supervisor = running.supervisor()
        os.write(write_end, b"go\n")
        bystander = int(running.line())
        wait_until(lambda: set(run.children(running.pid)) == {supervisor, bystander} or None,
                   "its adoption, and the end of who left it")
        # By then we have seen that end, and with it whom it has left.
        hang.wait_blocked(running.pid, running.pid)
        os.kill(supervisor, signal.SIGKILL)
        wait_until(lambda: not run.is_alive(running.pid) or None, "the end of hangdump run")
        check(run.is_alive(bystander), "it was killed, too")
        os.kill(bystander, signal.SIGKILL)
    os.close(write_end)


def ended_by(number, to_group):
    with Outer("-k", "1") as outer:
        if to_group:
            os.killpg(outer.running.pid, number)
        else:
            outer.running.signal(number)
        check_equal(outer.running.end(), -number, "status")
        outer.check_all_gone()


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    add_case(f"ended by {number.name}", ended_by, number, False)
    add_case(f"ended by {number.name} to our group", ended_by, number, True)


@case
def terminated_and_killed_a_moment_later():
    """What Meson does, with half a second in between, and others with less."""
    for pause in (0, 0.01, 0.1, 0.5):
        with Outer() as outer:
            os.killpg(outer.running.pid, signal.SIGTERM)
            time.sleep(pause)
            try:
                os.killpg(outer.running.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            outer.check_all_gone()


@case
def stopped_and_killed():
    """What CTest does: STOP to all that it finds, then KILL."""
    with Outer() as outer:
        pids = [outer.running.pid, *outer.running.family()]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass  # it went along with those before it
        outer.check_all_gone()


# A runner without job control: its group has no parent in the session.  One of them is stopped.
SESSION = r"""
import os, signal, subprocess, sys
def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]
signal.signal(signal.SIGHUP, lambda *_: print("SIGHUP"))
stopped = subprocess.Popen(["sleep", "300"])
stopped.send_signal(signal.SIGSTOP)
os.waitpid(stopped.pid, os.WUNTRACED)
status = subprocess.call(sys.argv[1:], stderr=subprocess.DEVNULL)
print(status, state(stopped.pid))
stopped.kill()
"""


def the_runners_group_is_left_alone(words, status, **more):
    with Run("-c", SESSION, hang.HANGDUMP, "run", *words, program=sys.executable, words=(),
             preexec=os.setsid, **more) as running:
        check_equal(running.end(), 0, f"status of the runner, which says {running.errors()!r}")
        check_equal(running.out.decode().split(), [str(status), "T"], "status, and who was stopped")
        running.check_nobody_left()


for name, words, status in [
    ("of the command", ["sh", "-c", "exit 3"], 3),
    ("of the command, which leaves somebody",
     ["--leftovers=kill", "sh", "-c", f"sleep {FOREVER} & exit 3"], 3),
    ("at the limit", ["-t", "0.3", "sleep", FOREVER], 124),
    ("of the supervisor", ["sh", "-c", f"kill -KILL $PPID; sleep {FOREVER}"], 125),
]:
    for options in ([], ["--foreground"]):
        add_case(" ".join(["the end", name, "is no matter of the runner's group", *options]),
                 the_runners_group_is_left_alone, [*options, *words], status)


@case
def nobody_holds_the_runners_pipes():
    """Whoever reads our output to its end is not kept waiting, though we are killed."""
    read_end, write_end = os.pipe()
    with Run(*TREE, preexec=os.setsid, stdout=write_end, stderr=write_end,
             pass_fds=(write_end,)) as running:
        os.close(write_end)
        os.read(read_end, 100)
        running.command()
        os.killpg(running.pid, signal.SIGKILL)
        while os.read(read_end, 100):
            pass
        running.check_nobody_left()
    os.close(read_end)


# --- idle -------------------------------------------------------------------------------------


@case
def idle_means_that_nothing_happens():
    ended = run.run("--idle-timeout=0.5", "sleep", FOREVER)
    check_equal(ended.process.returncode, 124, "status")


@case
def output_and_work_are_progress():
    """Each for longer than the idle time, and with steps much shorter than it."""
    for what in ("echo x", "echo x >/dev/null", "n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done"):
        ended = run.run("--idle-timeout=2", "sh", "-c",
                        f"for i in 1 2 3 4 5 6 7 8 9 10 11 12; do {what}; sleep 0.2; done; exit 3")
        check_equal(ended.process.returncode, 3, f"{what}: status")


@case
def a_process_that_only_polls_is_idle():
    ended = run.run("--idle-timeout=1", *python(
        "import select, time", "while True: select.select([], [], [], 0.05)"))
    check_equal(ended.process.returncode, 124, "status")


def has_pidfd(pid):
    fds = f"/proc/{pid}/fd"
    try:
        return any("pidfd" in os.readlink(f"{fds}/{fd}") for fd in os.listdir(fds))
    except FileNotFoundError:
        return False  # one was closed meanwhile


@case
def waiting_costs_nothing():
    with Run("-t", FOREVER, "sh", "-c", "echo ready; read line", stdin=subprocess.PIPE) as running:
        check_equal(running.line(), "ready", "line")
        both = [running.pid, running.supervisor()]

        def switches():
            return [hang.status_field(pid, pid, "voluntary_ctxt_switches") for pid in both]

        # The command may run before we have been told of it.
        wait_until(lambda: has_pidfd(running.pid) or None, "that the command is watched")
        for pid in both:
            hang.wait_blocked(pid, pid)
        before = switches()
        time.sleep(1)
        check_equal(switches(), before, "times that they have woken up")
        running.process.stdin.write(b"\n")
        check_equal(running.end(), 0, "status")


hang.main()
