"""What the whole-program tests share: victims, waiting on the kernel's word, running hangdump.

A victim announces itself on standard output; then the kernel is asked, through /proc, until its
threads really are where they should be.  No sleep decides a result: everything waits for a
condition, with a limit that only a broken machine reaches and that fails loudly.

A test script is a list of functions marked with @case, and ends with `main()`.  It prints TAP and
exits with 0, with 1 when a case failed, with 77 when every case was skipped.
"""

import atexit
import ctypes
import json
import multiprocessing.connection
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

LIMIT = float(os.environ.get("HANGDUMP_TEST_LIMIT", "60"))  # seconds, for any one condition
SRCDIR = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILDDIR = os.path.abspath(os.environ.get("HANGDUMP_BUILDDIR", os.getcwd()))
HANGDUMP = os.path.abspath(os.environ.get("HANGDUMP", os.path.join(BUILDDIR, "hangdump")))
SANITIZED = os.environ.get("HANGDUMP_SANITIZERS") == "yes"

RESTART_SYSCALL = 219  # what some calls look like after somebody's stop

_libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class Failed(AssertionError):
    pass


class Skip(Exception):
    pass


def fail(text):
    raise Failed(text)


def check(condition, text):
    if not condition:
        fail(text)


def check_equal(got, wanted, what):
    if got != wanted:
        fail(f"{what}: got {got!r}, wanted {wanted!r}")


# --- what the kernel says ---------------------------------------------------------------------


def read_file(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "replace")


def tids_of(pid):
    try:
        return sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return []


def stat_fields(pid, tid=None):
    """The fields of stat after the name; [0] is the state.  None when there is no such thread."""
    try:
        text = read_file(f"/proc/{pid}/task/{tid or pid}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2 :].split()


def state_of(pid, tid=None):
    fields = stat_fields(pid, tid)
    return fields[0] if fields else None


def status_field(pid, tid, name):
    try:
        text = read_file(f"/proc/{pid}/task/{tid}/status")
    except (FileNotFoundError, ProcessLookupError):
        return None
    found = re.search(rf"^{name}:\s*(.*)$", text, re.M)
    return found.group(1) if found else None


def syscall_of(pid, tid):
    """(number, [arguments]) of a thread asleep in a system call, or None."""
    try:
        words = read_file(f"/proc/{pid}/task/{tid}/syscall").split()
    except (OSError, ProcessLookupError):
        return None
    if not words or words[0] in ("running", "-1"):
        return None
    return int(words[0]), [int(w, 16) for w in words[1:7]]


def tracer_of(pid, tid):
    return int(status_field(pid, tid, "TracerPid") or 0)


def wait_until(condition, what, limit=None):
    """The first true value of condition(); fails after the limit, saying what was waited for."""
    limit = LIMIT if limit is None else limit
    end = time.monotonic() + limit
    pause = 0.0005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            fail(f"not within {limit:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def wait_blocked(pid, tid, numbers=None, state="S"):
    """Waits until the thread sleeps: in one of these system calls, where they are given."""

    def blocked():
        if state_of(pid, tid) != state:
            return False
        call = syscall_of(pid, tid)
        if numbers is None:
            return call is not None
        return call is not None and call[0] in numbers

    def now():
        return f"state {state_of(pid, tid)}, syscall {syscall_of(pid, tid)}"

    try:
        wait_until(blocked, "")
    except Failed:
        fail(f"thread {tid} did not block ({numbers or 'any call'}) within {LIMIT:g} s: {now()}")


def wait_all_blocked(pid, count=None):
    """Waits until the process has count threads (where given) and all of them sleep in a call."""

    def blocked():
        tids = tids_of(pid)
        if count is not None and len(tids) != count:
            return False
        return tids and all(state_of(pid, t) == "S" and syscall_of(pid, t) for t in tids)

    wait_until(blocked, f"{count or 'all'} threads of {pid} asleep in a system call")


def children_of_ours():
    """Living processes whose parent we are; the subreaper inherits what others leave behind."""
    mine = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = stat_fields(int(name))
            if fields and int(fields[1]) == os.getpid() and fields[0] != "Z":
                mine.add(int(name))
    return mine - {victim.pid for victim in _victims}


# --- victims ----------------------------------------------------------------------------------

_victims = []


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


class Victim:
    """A process that waits to be dumped.  Killed at the end of the case, whatever happens."""

    def __init__(self, name, *arguments, argv0=None, cwd=None, env=None, executable=None):
        self.path = executable or victim_path(name)
        self.scratch = None
        if cwd is None:
            cwd = self.scratch = tempfile.mkdtemp(prefix="hangdump-victim-")
        self.name = name
        self.transcript = []
        self._rest = b""
        self._lines = []
        self.process = subprocess.Popen(
            [argv0 or self.path, *[a if isinstance(a, bytes) else str(a) for a in arguments]],
            executable=self.path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=cwd,
            env=env,
            preexec_fn=_die_with_parent,
        )
        self.pid = self.process.pid
        self._output = self.process.stdout.fileno()
        os.set_blocking(self._output, False)
        _victims.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _take(self, limit):
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            if not selector.select(limit):
                return False
        got = os.read(self._output, 65536)
        if not got:
            fail(
                f"{self.name} ended (status {self.process.poll()}) while a line was expected;"
                f" it said {self.transcript[-5:]}"
            )
        *lines, self._rest = (self._rest + got).split(b"\n")
        self._lines += [line.decode("utf-8", "replace") for line in lines]
        return True

    def line(self, limit=None):
        """The next line that the victim says."""
        limit = LIMIT if limit is None else limit
        end = time.monotonic() + limit
        while not self._lines:
            left = end - time.monotonic()
            if left <= 0 or not self._take(left):
                if time.monotonic() >= end:
                    fail(f"{self.name} said nothing for {limit:g} s after {self.transcript[-5:]}")
        line = self._lines.pop(0)
        self.transcript.append(line)
        return line

    def said(self):
        """What it has said by now and nobody has read, without waiting."""
        while True:
            try:
                if not self._take(0):
                    break
            except (BlockingIOError, Failed):
                break
        lines, self._lines = self._lines, []
        self.transcript += lines
        return lines

    def expect(self, pattern, limit=None):
        """The match of the next line, which has to look like that."""
        line = self.line(limit)
        found = re.fullmatch(pattern, line)
        if not found:
            fail(f"{self.name} said {line!r}, expected {pattern!r}")
        return found

    def ready(self, *keys):
        """Reads the line `ready WORD...`; returns its words."""
        words = self.line().split()
        if words[:1] == ["unsupported"] or words[:1] == ["unsupported:"]:
            raise Skip(" ".join(words))
        if words[:1] != ["ready"]:
            fail(f"{self.name} said {' '.join(words)!r} instead of being ready")
        return words[1:]

    def send(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if self in _victims:
            _victims.remove(self)


def kill_victims():
    for victim in list(_victims):
        victim.kill()


atexit.register(kill_victims)


def victim_path(name):
    path = os.path.join(BUILDDIR, "tests", "victims", name)
    if not os.path.exists(path):
        fail(f"there is no victim {path}: build it with `make check TESTS=`")
    return path


def program(name):
    """The path of an installed program; skips the case when there is none."""
    path = shutil.which(name)
    if not path:
        raise Skip(f"{name} is not installed")
    return path


def compile_victim(compiler, flags, sources, path):
    """Builds tests/victims/SOURCES otherwise than `make` does.

    Skips the case where that cannot be done at all; sources that do not compile fail it.
    """
    command = [program(compiler), "-D_GNU_SOURCE", *flags, "-pthread", "-o", path]
    sources = [os.path.join(SRCDIR, "tests", "victims", source) for source in sources]
    made = subprocess.run([*command, *sources], capture_output=True, text=True)
    if not made.returncode:
        return
    plain = subprocess.run([*command, "-x", "c", "-"], capture_output=True, text=True,
                           input="#include <pthread.h>\n#include <linux/futex.h>\n"
                                 "int main(void) { return pthread_join(pthread_self(), 0); }")
    if plain.returncode:
        raise Skip(f"{compiler} {' '.join(flags)} builds nothing: {plain.stderr.strip()[-200:]}")
    fail(f"{compiler} cannot build {path}: {made.stderr}")


# --- hangdump ---------------------------------------------------------------------------------


class Result:
    def __init__(self, arguments, status, out, err, seconds, usage, left_behind):
        self.arguments = arguments
        self.status = status
        self.out = out
        self.err = err
        self.seconds = seconds
        self.usage = usage
        self.left_behind = left_behind

    def text(self):
        return self.out.decode("utf-8", "replace")

    def errors(self):
        return self.err.decode("utf-8", "replace")

    def json(self):
        try:
            dump = json.loads(self.out.decode("utf-8"))
        except ValueError as error:
            fail(f"{self}: not JSON: {error}: {self.out[:300]!r}")
        return check_dump(dump)

    def __str__(self):
        return (
            f"hangdump {' '.join(map(str, self.arguments))}: status {self.status},"
            f" {self.seconds:.2f} s, stderr {self.errors()[:500]!r}"
        )


def run_hangdump(*arguments, stdout=subprocess.PIPE, limit=None, preexec=None, env=None, cwd=None,
                 stdin=subprocess.DEVNULL):
    """Runs it to its end.  That it does not end within the limit is a failure, never a hang."""
    limit = LIMIT if limit is None else limit
    before = children_of_ours()
    out = tempfile.TemporaryFile()
    err = tempfile.TemporaryFile()

    def prepare():
        _die_with_parent()
        if preexec:
            preexec()

    begun = time.monotonic()
    process = subprocess.Popen(
        [HANGDUMP, *map(str, arguments)],
        stdin=stdin,
        stdout=out if stdout == subprocess.PIPE else stdout,
        stderr=err,
        env=env,
        cwd=cwd,
        preexec_fn=prepare,
    )
    usage = _wait4(process, begun + limit)
    seconds = time.monotonic() - begun
    if usage is None:
        where = [f"{t}: {state_of(process.pid, t)} {syscall_of(process.pid, t)}"
                 for t in tids_of(process.pid)]
        process.kill()
        process.wait()
        fail(f"hangdump {arguments} did not end within {limit:g} s; its threads: {where}")
    left = left_behind(before | {process.pid})
    out.seek(0)
    err.seek(0)
    result = Result(arguments, process.returncode, out.read(), err.read(), seconds, usage, left)
    out.close()
    err.close()
    return result


def left_behind(known):
    """Other children of ours that live on; what was killed may take a moment to be gone."""
    end = time.monotonic() + 5
    while True:
        left = children_of_ours() - known
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.01)


def _wait4(process, end):
    """Waits, taking the resource usage too; None when the time is over."""
    pause = 0.0005
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > end:
            return None
        time.sleep(pause)
        pause = min(pause * 1.2, 0.01)


NOBODY = 65534


class AsNobody:
    """hangdump and victims where nobody can run them."""

    def __enter__(self):
        global HANGDUMP
        if os.geteuid() != 0:
            raise Skip("needs root, to become another user")
        self.directory = tempfile.mkdtemp(prefix="hangdump-nobody-")
        os.chmod(self.directory, 0o755)
        for path in (HANGDUMP, victim_path("sleeper")):
            shutil.copy(path, self.directory)
            os.chmod(os.path.join(self.directory, os.path.basename(path)), 0o755)
        self.saved = HANGDUMP
        HANGDUMP = os.path.join(self.directory, os.path.basename(HANGDUMP))
        return self

    def __exit__(self, *_):
        global HANGDUMP
        HANGDUMP = self.saved
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def become():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    def run(self, *arguments, **more):
        return run_hangdump(*arguments, preexec=self.become, cwd=self.directory, **more)

    def sleeper(self, *arguments):
        """A sleeper that belongs to nobody."""
        return Victim(
            "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
            os.path.join(self.directory, "sleeper"), *arguments, executable=program("setpriv"))


def dump(pid, *options, statuses=(0, 1), **more):
    """The JSON dump of a process, checked for what every dump has to hold."""
    result = run_hangdump("--format=json", *options, pid, **more)
    check(result.status in statuses, f"{result}: status not in {statuses}")
    check(not result.left_behind, f"{result}: processes left behind: {result.left_behind}")
    found = result.json()
    found["result"] = result
    return found


FOUND_BY = {"registers", "cfi", "frame pointer", "scan", "inline", "kernel"}


def check_dump(d):
    """What the contract promises of every dump."""
    check_equal(d.get("format"), "hangdump", "format")
    check_equal(d.get("version"), 1, "version")
    for key in ("generator", "taken_at", "clock", "host", "processes", "groups", "findings",
                "errors"):
        check(key in d, f"the dump lacks {key!r}")
    for process in d["processes"]:
        for key in ("pid", "ppid", "name", "command", "start_time", "frozen_us", "threads",
                    "modules"):
            check(key in process, f"a process lacks {key!r}")
        tids = [t["tid"] for t in process["threads"]]
        check(len(tids) == len(set(tids)), f"a thread is there twice: {sorted(tids)}")
        grouped = [t for g in d["groups"] if g["pid"] == process["pid"] for t in g.get("tids", [])]
        check_equal(sorted(grouped), sorted(tids), "the threads in groups")
        for thread in process["threads"]:
            check("class" in thread["wait"], f"thread {thread['tid']} has no wait class")
            check(
                thread["complete"] or thread.get("incomplete_because"),
                f"thread {thread['tid']}: not complete, and no reason",
            )
            for frame in thread["frames"]:
                check(frame["found_by"] in FOUND_BY, f"found_by {frame['found_by']!r}")
    for error in d["errors"]:
        check(error.get("what") and error.get("why"), f"an error without words: {error}")
    return d


def threads_of(d, pid=None):
    """{tid: thread} of one process of the dump."""
    for process in d["processes"]:
        if pid is None or process["pid"] == pid:
            return {t["tid"]: t for t in process["threads"]}
    fail(f"process {pid} is not in the dump: {[p['pid'] for p in d['processes']]}")


def functions_of(thread):
    return [f.get("function") for f in thread["frames"]]


def check_untraced(pid, stopped=False):
    """Nobody traces it any more, and no thread is left in a stop."""

    def free():
        for tid in tids_of(pid):
            if tracer_of(pid, tid) or state_of(pid, tid) in ("t",):
                return False
            if not stopped and state_of(pid, tid) == "T":
                return False
        return True

    try:
        wait_until(free, "", 10)
    except Failed:
        left = {t: (state_of(pid, t), tracer_of(pid, t)) for t in tids_of(pid)}
        fail(f"process {pid} is still stopped or traced: {left}")


def check_one_error_line(result, status, *patterns):
    """The contract of a refusal: its status, one line that says it, at most one of advice."""
    check_equal(result.status, status, f"{result}: exit status")
    lines = result.errors().splitlines()
    check(1 <= len(lines) <= 2, f"{result}: {len(lines)} lines on standard error")
    check(re.match(r"hangdump: [^:]+: .+", lines[0]), f"{result}: not `hangdump: what: why`")
    for pattern in patterns:
        check(re.search(pattern, result.errors()), f"{result}: does not say {pattern!r}")


# --- cases ------------------------------------------------------------------------------------

_cases = []


def case(function):
    _cases.append((function.__name__.replace("_", " "), function))
    return function


def add_case(name, function, *arguments):
    _cases.append((name, lambda: function(*arguments)))


def _run_case(number, name, function):
    """Runs one; its lines, and whether it passed, failed or was skipped."""
    begun = time.monotonic()
    lines, word, note = [], "ok", ""
    try:
        function()
        result = "passed"
    except Skip as reason:
        note, result = f" # SKIP {reason}", "skipped"
    except Exception as error:  # whatever it is, the other cases run
        word, result = "not ok", "failed"
        text = str(error) if isinstance(error, Failed) else traceback.format_exc()
        lines = [f"# {line}" for line in text.splitlines()]
    finally:
        kill_victims()
    lines.append(f"{word} {number} - {name}{note} ({time.monotonic() - begun:.1f} s)")
    return lines, result


def _work(chosen, taken, results):
    """A worker: takes the next case and sends its lines and result, until there is none."""
    _die_with_parent()
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    while True:
        with taken.get_lock():
            number = taken.value
            taken.value += 1
        if number >= len(chosen):
            return
        results.send(_run_case(number + 1, *chosen[number]))


def _run_all(chosen, jobs):
    """The results of the cases, as they come."""
    if jobs == 1:
        for number, (name, function) in enumerate(chosen, 1):
            yield _run_case(number, name, function)
        return
    fork = multiprocessing.get_context("fork")
    taken = fork.Value("i", 0)
    readers = []
    for _ in range(jobs):
        reader, writer = fork.Pipe(duplex=False)
        fork.Process(target=_work, args=(chosen, taken, writer), daemon=True).start()
        writer.close()
        readers.append(reader)
    while readers:
        for reader in multiprocessing.connection.wait(readers):
            try:
                yield reader.recv()
            except EOFError:
                readers.remove(reader)


def main(jobs=1, once=False):
    """Runs the cases; words on the command line choose those whose names hold one of them.

    With more jobs than one, that many cases run at a time, each in a process of its own.  What is
    slow, and tells nothing new under sanitizers, runs once: not in such a build.
    """
    if not os.access(HANGDUMP, os.X_OK):
        print(f"1..0 # SKIP there is no {HANGDUMP}")
        sys.exit(77)
    if once and SANITIZED:
        print("1..0 # SKIP this one runs in the build without sanitizers only")
        sys.exit(77)
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    words = sys.argv[1:]
    chosen = [c for c in _cases if not words or any(w in c[0] for w in words)]
    print(f"1..{len(chosen)}", flush=True)
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for lines, result in _run_all(chosen, jobs):
        count[result] += 1
        print("\n".join(lines), flush=True)
    print(f"# {', '.join(f'{number} {word}' for word, number in count.items())}")
    if sum(count.values()) != len(chosen):
        print("# a worker ended before its cases did")
        sys.exit(1)
    sys.exit(1 if count["failed"] else 77 if count["skipped"] == len(chosen) else 0)
