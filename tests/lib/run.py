"""What the tests of `hangdump run` share: it in the background, and who is left when it has ended.

Test programs are subreapers (hang.main()), so that whatever escapes from a tree becomes a child of
the test and can be seen.
"""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import hang
from hang import fail

# Long enough to be no limit in a test, and short enough to leave nothing behind for ever.
FOREVER = "300"


def reap():
    """Takes the status of what has ended and was left to us."""
    for pid in children(os.getpid()):
        if pid not in _running and hang.state_of(pid) == "Z":
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


_running = {}


class Run:
    """hangdump run ARGUMENTS in the background; its output is read when it has ended."""

    def __init__(self, *arguments, preexec=None, stdin=subprocess.DEVNULL, stdout=None,
                 stderr=None, env=None, program=hang.HANGDUMP, pass_fds=(),
                 words=("run", "--samples=1")):
        self.before = hang.children_of_ours()
        self.arguments = arguments
        self.stdout = stdout if stdout is not None else subprocess.PIPE
        self.process = subprocess.Popen(
            [program, *words, *map(str, arguments)],
            stdin=stdin,
            stdout=self.stdout,
            stderr=stderr if stderr is not None else subprocess.PIPE,
            preexec_fn=preexec,
            env=env,
            pass_fds=pass_fds,
        )
        self.pid = self.process.pid
        _running[self.pid] = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in [*self.family(), self.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        _running.pop(self.pid, None)
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)
        reap()

    def supervisor(self):
        """Our helper: the child of hangdump that has the same program."""

        def find():
            for pid in children(self.pid):
                if comm(pid) == "hangdump" and group(pid) == pid:
                    return pid
            return None

        return hang.wait_until(find, "the supervisor")

    def command(self):
        """The command, once it has called exec."""
        supervisor = self.supervisor()

        def find():
            for pid in children(supervisor):
                if os.path.realpath(f"/proc/{pid}/exe") != os.path.realpath(hang.HANGDUMP):
                    return pid
            return None

        return hang.wait_until(find, "the command")

    def family(self):
        return descendants(self.pid)

    def line(self):
        """The next line of its standard output."""
        return self.process.stdout.readline().decode("utf-8", "replace").rstrip("\n")

    def signal(self, number):
        os.kill(self.pid, number)

    def end(self, limit=None):
        """Its status, as Popen has it: negative for a signal."""
        try:
            self.out, self.err = self.process.communicate(timeout=limit or hang.LIMIT)
        except subprocess.TimeoutExpired:
            fail(f"hangdump run {self.arguments} did not end; its tree: "
                 f"{[(p, comm(p), hang.state_of(p)) for p in [self.pid, *self.family()][:20]]}")
        return self.process.returncode

    def errors(self):
        return (self.err or b"").decode("utf-8", "replace")

    def left(self):
        return hang.children_of_ours() - self.before - {self.pid}

    def check_nobody_left(self):
        hang.wait_until(lambda: not self.left() or None,
                        f"the end of everybody: {[(p, comm(p)) for p in self.left()]}", 10)


def children(pid):
    found = []
    for tid in hang.tids_of(pid):
        try:
            found += [int(w) for w in hang.read_file(f"/proc/{pid}/task/{tid}/children").split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def descendants(pid):
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def comm(pid):
    try:
        return hang.read_file(f"/proc/{pid}/comm").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


def group(pid):
    fields = hang.stat_fields(pid)
    return int(fields[2]) if fields else None


def is_alive(pid):
    return hang.state_of(pid) not in (None, "Z", "X")


def run(*arguments, **more):
    """Runs it to its end; nobody may be left."""
    with Run(*arguments, **more) as running:
        running.end()
        running.check_nobody_left()
        return running
