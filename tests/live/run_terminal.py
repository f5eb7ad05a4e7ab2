#!/usr/bin/env python3
"""hangdump run in a terminal: the foreground, Ctrl-C and Ctrl-Z, under a shell that knows jobs."""

import os
import pty
import re
import select
import signal
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
import run
from hang import case, check, check_equal, fail, wait_until

RUN = f"{hang.HANGDUMP} run --samples=1"
FOREVER = run.FOREVER
PROMPT = "PROMPT> "


class Terminal:
    """A program on a terminal of its own, of which it is the session's leader."""

    def __init__(self, *command):
        self.said = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN,
                           signal.SIGTTOU, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.environ["TERM"] = "dumb"
            os.execvp(command[0], command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in [*run.descendants(self.pid), self.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.close(self.fd)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass
        run.reap()

    def read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                self.said += os.read(self.fd, 65536).decode("utf-8", "replace")
            except OSError:
                return False
        return True

    def expect(self, pattern):
        """Waits until it has said this; what comes up to there is taken."""
        end = time.monotonic() + hang.LIMIT
        while True:
            found = re.search(pattern, self.said)
            if found:
                self.said = self.said[found.end():]
                return found
            if time.monotonic() > end or not self.read(0.1):
                tree = [(p, run.comm(p), hang.state_of(p), run.group(p))
                        for p in [self.pid, *run.descendants(self.pid)]]
                fail(f"it did not say {pattern!r} but {self.said[-500:]!r}; its processes {tree},"
                     f" in the foreground {os.tcgetpgrp(self.fd)}")

    def send(self, text):
        os.write(self.fd, text.encode())

    def status(self):
        end = time.monotonic() + hang.LIMIT
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            self.read(0.01)
        fail(f"it did not end; it said {self.said[-500:]!r}")


class Shell(Terminal):
    """An interactive shell, at its prompt."""

    def __init__(self):
        super().__init__(hang.program("bash"), "--norc", "--noprofile", "-i")
        # Without echo, what it says is what programs say.
        attributes = termios.tcgetattr(self.fd)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(self.fd, termios.TCSANOW, attributes)
        self.send(f"set +o emacs +o vi; stty -echo; PS1='{PROMPT}'; PS2=; set -b; echo be''gun\n")
        self.expect("begun")
        self.expect(PROMPT)

    def find(self, name, state=None):
        """The process of that name below the shell, once it is in that state."""

        def look():
            for pid in run.descendants(self.pid):
                if run.comm(pid) == name and (not state or hang.state_of(pid) == state):
                    return pid
            return None

        try:
            return wait_until(look, "")
        except hang.Failed:
            fail(f"no {name} in state {state}: "
                 f"{[(p, run.comm(p), hang.state_of(p)) for p in run.descendants(self.pid)]};"
                 f" it said {self.said!r}")

    def wait_running(self, name):
        """Once it has called exec and sleeps."""
        return self.find(name, "S")

    def reader(self):
        """The command that sleeps in the foreground, in a group of its own."""
        pid = os.tcgetpgrp(self.fd)
        call = hang.syscall_of(pid, pid)
        parent = hang.stat_fields(pid)
        return parent and run.comm(int(parent[1])) == "hangdump" and call and call[0] == 0

    def hangdumps(self, state):
        """Both of us in this state."""

        def look():
            ours = [p for p in run.descendants(self.pid) if run.comm(p) == "hangdump"]
            return [p for p in ours if hang.state_of(p) == state]

        return wait_until(look, f"a hangdump in state {state}")

    def check_status(self, status):
        self.expect(PROMPT)
        self.send("echo status=$?\n")
        check_equal(int(self.expect(r"status=(\d+)").group(1)), status, "the status")
        self.expect(PROMPT)

    def check_nobody_left(self):
        wait_until(lambda: not [p for p in run.descendants(self.pid) if run.is_alive(p)] or None,
                   "nobody below the shell")


@case
def the_command_reads_the_terminal():
    with Shell() as shell:
        shell.send(f"{RUN} sh -c 'echo ready; read line; echo got=$line; exit 3'\n")
        shell.expect("ready")
        shell.send("hello\n")
        shell.expect("got=hello")
        shell.check_status(3)


@case
def the_command_is_in_the_foreground_from_its_start():
    code = "import os; print(os.tcgetpgrp(0) == os.getpgrp() == os.getpid())"
    with Shell() as shell:
        shell.send(f"{RUN} {sys.executable} -c '{code}'\n")
        shell.expect("True")
        shell.check_status(0)


@case
def with_foreground_it_is_in_our_group():
    code = "import os; print(os.tcgetpgrp(0) == os.getpgrp() != os.getpid())"
    with Shell() as shell:
        shell.send(f"{RUN} --foreground {sys.executable} -c '{code}'\n")
        shell.expect("True")
        shell.check_status(0)


def ctrl_c(before, command, after, status):
    with Shell() as shell:
        shell.send(f"{before}{RUN} {command}{after}\n")
        shell.wait_running("sleep")
        shell.send("\x03")
        shell.check_status(status)
        shell.check_nobody_left()


for name, before, command, after, status in [
    ("alone", "", f"sleep {FOREVER}", "", 130),
    ("with --foreground", "", f"--foreground sleep {FOREVER}", "", 130),
    ("in a pipeline", "set -o pipefail; ", f"sleep {FOREVER}", " | cat", 130),
    ("in a script", "sh -c '", f"sleep {FOREVER}; echo not reached", "'", 130),
    ("of a command that catches it", "",
     f"sh -c 'trap \"exit 7\" INT; sleep {FOREVER} & wait; wait'", "", 7),
]:
    hang.add_case(f"Ctrl-C: {name}", ctrl_c, before, command, after, status)


def stop_and_go_on(before, options, after, lent=False):
    with Shell() as shell:
        line = "\\$line" if lent else "$line"
        shell.send(f"{before}{RUN} {options} sh -c 'echo ready; read line; echo got={line}; exit 5'"
                   f"{after}\n")
        shell.expect("ready")
        if lent:
            # SIGCONT, which comes with the terminal, would undo a stop.
            wait_until(lambda: shell.reader() or None, "a command that reads the terminal")
        shell.send("\x1a")
        shell.expect("Stopped")
        shell.expect(PROMPT)
        shell.hangdumps("T")
        # On a busy machine the command may still be on its way to its stop, and read what we type.
        wait_until(lambda: all(hang.state_of(pid) == "T" for pid in run.descendants(shell.pid)
                               if run.comm(pid) == "sh"), "that the command is stopped")
        shell.send("fg\n")
        shell.hangdumps("S")
        shell.send("hello\n")
        shell.expect("got=hello")
        shell.check_status(5)
        shell.check_nobody_left()


hang.add_case("Ctrl-Z and fg", stop_and_go_on, "", "", "")
hang.add_case("Ctrl-Z and fg: --foreground", stop_and_go_on, "", "--foreground", "")
hang.add_case("Ctrl-Z and fg: in a script", stop_and_go_on, "sh -c \"", "", "; exit \\$?\"",
              True)


@case
def stopped_time_does_not_count():
    with Shell() as shell:
        shell.send(f"{RUN} -t 5 sh -c 'echo ready; read line; exit 6'\n")
        shell.expect("ready")
        shell.send("\x1a")
        shell.expect("Stopped")
        shell.hangdumps("T")
        time.sleep(5)
        shell.send("fg\n")
        shell.send("hello\n")
        shell.check_status(6)


@case
def in_the_background_the_time_is_counted():
    with Shell() as shell:
        shell.send(f"{RUN} -t 5 sleep {FOREVER}\n")
        shell.wait_running("sleep")
        shell.send("\x1a")
        shell.expect("Stopped")
        shell.send("bg\n")
        shell.expect("timed out after")
        shell.send("wait %1; echo status=$?\n")
        check_equal(int(shell.expect(r"status=(\d+)").group(1)), 124, "the status")


@case
def a_job_in_the_background_that_wants_to_read_is_stopped():
    with Shell() as shell:
        shell.send(f"{RUN} sh -c 'read line; echo got=$line; exit 8' &\n")
        # bash says "Stopped (tty input)" for hangdump, as it would for the command.
        shell.expect("Stopped")
        shell.send("fg\n")
        shell.hangdumps("S")
        shell.send("hello\n")
        shell.expect("got=hello")
        shell.check_status(8)


@case
def the_terminal_is_lent_to_a_command_below_a_script():
    """make and its like stay in the foreground, until the command needs the terminal."""
    with Shell() as shell:
        shell.send(f"sh -c '{RUN} sh -c \"read line; echo got=\\$line\"; read line; echo "
                   "then=$line'\n")
        shell.hangdumps("S")
        shell.send("hello\n")
        shell.expect("got=hello")
        # The script has it back.
        shell.send("there\n")
        shell.expect("then=there")
        shell.check_status(0)


@case
def the_terminal_is_lent_to_who_changes_its_settings():
    with Shell() as shell:
        shell.send(f"sh -c '{RUN} stty cbreak; echo then=$?; stty -cbreak'\n")
        shell.expect("then=0")
        shell.check_status(0)


@case
def a_pager_beside_us_keeps_the_terminal():
    with Shell() as shell:
        shell.send(f"{RUN} sh -c 'echo one; sleep 0.2; echo two' | "
                   "sh -c 'read a; read b; read line </dev/tty; echo got=$a,$b,$line'\n")
        shell.send("three\n")
        shell.expect("got=one,two,three")
        shell.check_status(0)


@case
def a_time_limit_in_the_foreground_gives_the_terminal_back():
    with Shell() as shell:
        shell.send(f"{RUN} -t 0.5 cat\n")
        shell.check_status(124)
        shell.check_nobody_left()


@case
def the_first_process_of_a_terminal_gets_no_stuck_job():
    """Without a shell above: the session's leader is ourselves, and nobody could wake us."""
    with Terminal(*RUN.split(), "-t", "30", "sh", "-c",
                  "stty -echo; echo ready; read line; echo got=$line; exit 4") as terminal:
        terminal.expect("ready")
        terminal.send("\x1a")
        terminal.send("hello\n")
        terminal.expect("got=hello")
        check_equal(terminal.status(), 4, "status")


def a_terminal_that_hangs_up_ends_the_command(*options):
    with Terminal(*RUN.split(), *options, "sh", "-c",
                  f"echo ready; sleep {FOREVER}; :") as terminal:
        terminal.expect("ready")
        tree = run.descendants(terminal.pid)
        check(len(tree) >= 2, f"only {tree}")
        os.close(terminal.fd)
        terminal.fd = os.open("/dev/null", os.O_RDWR)
        wait_until(lambda: not [p for p in [terminal.pid, *tree] if run.is_alive(p)] or None,
                   "the end of everybody")


hang.add_case("a terminal that hangs up ends the command",
              a_terminal_that_hangs_up_ends_the_command)
hang.add_case("a terminal that hangs up ends the command: --foreground",
              a_terminal_that_hangs_up_ends_the_command, "--foreground")


@case
def who_wants_the_terminal_where_nobody_looks_after_us_is_not_left_stopped():
    """A group in the background whose shell has gone: the kernel does not even stop us."""
    script = ("import os, sys, time\n"
              "if os.fork() == 0:\n"
              "    os.setpgid(0, 0)\n"
              "    if os.fork() == 0:\n"
              "        while os.getppid() == os.getpgrp(): time.sleep(0.01)\n"
              "        print('begins', os.getpid(), flush=True)\n"
              "        os.execvp(sys.argv[1], sys.argv[1:])\n"
              "    os._exit(0)\n"
              f"time.sleep({FOREVER})")
    with Terminal(sys.executable, "-c", script, *RUN.split(), "cat", "/dev/tty") as terminal:
        pid = int(terminal.expect(r"begins (\d+)").group(1))
        wait_until(lambda: not run.is_alive(pid) or None, "the end of hangdump run")


@case
def a_job_in_the_background_of_another_pid_namespace_leaves_the_terminal_alone():
    """There our group has no number, and neither has that in the foreground."""
    unshare = hang.program("unshare")
    if os.geteuid() != 0:
        raise hang.Skip("needs root, to make a pid namespace")
    script = ("import os, signal, sys, time\n"
              "job = os.fork()\n"
              "if job == 0:\n"
              "    os.setpgid(0, 0)\n"
              "    os.execvp(sys.argv[1], sys.argv[1:])\n"
              "while os.getpgid(job) != job: time.sleep(0.01)\n"
              "_, status = os.waitpid(job, os.WUNTRACED)\n"
              "print('stopped', os.WIFSTOPPED(status), os.tcgetpgrp(0) == os.getpgrp(), flush=True)\n"
              "os.killpg(job, signal.SIGKILL)\n"
              f"time.sleep({FOREVER})")
    with Terminal(sys.executable, "-c", script, unshare, "-pf", "--mount-proc", *RUN.split(),
                  "sh", "-c", "read line </dev/tty") as terminal:
        terminal.expect("stopped True True")


hang.main()
