#!/usr/bin/env python3
"""Hangs of real programs and other languages: classes, owners where something records them, and no
word too much.

What is not installed is skipped, with a word.  With HANGDUMP_TEST_REPORTS, the directory in which
the text of each report is kept.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import SRCDIR, Skip, Victim, add_case, case, check, check_equal
from saved import Saved
from verdict import (ACCUSATIONS, ANY, CHAIN, DEADLOCK, STUCK, Find, Row, Wait, children_of,
                     descendants_of, end_all, only_child, play, settle)

VICTIMS = os.path.join(SRCDIR, "tests", "victims")
_scratch = tempfile.mkdtemp(prefix="hangdump-real-")


def keep(name, *arguments):
    """The report, saved, is shown as it was; kept as text for whoever wants to read it."""
    directory = os.environ.get("HANGDUMP_TEST_REPORTS")
    with Saved() as saved:
        text, status = saved.capture(*arguments)
        check_equal(saved.check_shown(), status, "status of what is shown")
        if directory:
            with open(os.path.join(directory, f"{name}.txt"), "wb") as file:
                file.write(text)


# --- victims in other languages ----------------------------------------------------------------


def build(name, *command):
    """The path of the file that the command builds, made once; "{}" in it is the path."""
    path = os.path.join(_scratch, name)
    program = hang.program(command[0])
    with open(os.path.join(_scratch, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # cases run in several processes
        if not os.path.exists(path):
            made = subprocess.run([program, *(w.replace("{}", path) for w in command[1:])],
                                  capture_output=True, text=True, cwd=_scratch)
            if made.returncode:
                last = (made.stderr.strip().splitlines() or ["no reason"])[-1]
                raise Skip(f"{command[0]} cannot build it: {last}")
    return path


def rust():
    return build("verdicts-rust", "rustc", "-g", "-O", "--edition", "2021",
                 os.path.join(VICTIMS, "verdicts.rs"), "-o", "{}")


def go():
    return build("verdicts-go", "go", "build", "-o", "{}", os.path.join(VICTIMS, "verdicts.go"))


def c_program(name, *flags):
    sources = [os.path.join(VICTIMS, f"verdicts_{name}.c"), os.path.join(VICTIMS, "verdicts.c")]
    return build(f"verdicts-{name}", "cc", "-D_GNU_SOURCE", "-g", "-O1", *sources, "-pthread",
                 *flags, "-o", "{}")


def openmp():
    return c_program("openmp", "-fopenmp")


def glib():
    found = subprocess.run([hang.program("pkg-config"), "--cflags", "--libs", "glib-2.0"],
                           capture_output=True, text=True)
    if found.returncode:
        raise Skip("GLib's headers are not installed")
    return c_program("glib", *found.stdout.split())


def python():
    return sys.executable


def language(row, executable, *before):
    """One row: the program is built, or found, by executable()."""
    path = executable()
    env = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    play(row, lambda: Victim(row.name, *before, row.name, executable=path, env=env),
         seen=lambda roles, pids, options: keep(row.name, *options, *pids))


def two(wait_class, main="thread join", state="not recorded"):
    """Two threads in a circle of locks that do not say who has them."""
    return {"a": Wait(wait_class, "", state=state), "b": Wait(wait_class, "", state=state),
            "main": Wait(main, "a")}


NOBODY = Find(STUCK, "a b main")
RUST = [
    Row("rust-mutex", two("mutex lock"), [NOBODY]),
    Row("rust-rwlock", two("rwlock read"), [NOBODY]),
    Row("rust-condvar", two("cond wait", state=None), [NOBODY]),
    Row("rust-park", two("park", state=None), [NOBODY]),
    Row("rust-receive", {"a": Wait("channel receive", ""), "main": Wait("thread join", "a")},
        [Find(STUCK, "a main")]),
    Row("rust-send", {"a": Wait("channel send", ""), "main": Wait("thread join", "a")},
        [Find(STUCK, "a main")]),
    Row("rust-once", two("once wait", state=None), may={DEADLOCK: "likely", STUCK: ANY}),
    Row("rust-join", {"a": Wait("thread join", "b"), "b": Wait("mutex lock", "")},
        [Find(STUCK, "a b")]),
]
GO = [
    Row("go-cgo", {"a": Wait("mutex lock", "b", "right"), "b": Wait("mutex lock", "a", "left")},
        [Find(DEADLOCK, "a b")]),
]
OPENMP = [
    Row("openmp-lock", {"a": Wait("barrier wait", ""), "b": Wait("mutex lock", "")},
        may={STUCK: ANY}),
]
GLIB = [
    # A library without names, whose locks are not libc's.
    Row("glib-mutex", two(None, state=None), [NOBODY]),
    Row("glib-recursive", {"a": Wait("mutex lock", "b"), "b": Wait("mutex lock", "a"),
                           "main": Wait("thread join", "a")},
        [Find(DEADLOCK, "a b", "certain")]),
    Row("glib-rwlock", {"a": Wait("rwlock write", "b"), "b": Wait("rwlock write", "a"),
                        "main": Wait("thread join", "a")},
        [Find(DEADLOCK, "a b", "certain")]),
]
PYTHON = [
    Row("python-lock", {"a": Wait("mutex lock", ""), "b": Wait("mutex lock", ""),
                        "main": Wait("mutex lock", "")}, may={STUCK: ANY}),
    Row("python-rlock", {"a": Wait("mutex lock", "b"), "b": Wait("mutex lock", "a"),
                         "main": Wait("mutex lock", "")}, [Find(DEADLOCK, "a b", "likely")],
        rest=1.1),
    Row("python-gil", {"a": Wait("mutex lock", "b"), "b": Wait("gil wait", "a")},
        [Find(DEADLOCK, "a b", "likely")], not_asleep="b", tries=10),
]


@case
def java_monitors():
    java, javac = hang.program("java"), hang.program("javac")
    with tempfile.TemporaryDirectory(prefix="hangdump-java-") as directory:
        subprocess.run([javac, "-d", directory, os.path.join(VICTIMS, "Verdicts.java")],
                       check=True, timeout=300)
        with Victim("java", "-XX:TieredStopAtLevel=1", "-cp", directory, "Verdicts",
                    executable=java) as victim:
            victim.ready()
            # They look at their monitors once a second, and are not at rest then.
            dumps = []
            hang.wait_until(lambda: dumps.append(hang.dump(victim.pid)) or
                            any(f["kind"] == DEADLOCK for f in dumps[-1]["findings"]),
                            "the deadlock to be told")
            dump = dumps[-1]
            keep("java-monitors", victim.pid)
            named = {t["name"]: t for t in dump["processes"][0]["threads"]}
            for name in ("a", "b"):
                check_equal(named[name]["wait"]["class"], "monitor enter",
                            f"class of {hang.functions_of(named[name])[:8]}")
            tids = {named[name]["tid"] for name in ("a", "b")}
            check_equal([{t["tid"] for t in f["threads"]} for f in dump["findings"]
                         if f["kind"] == DEADLOCK], [tids], "who waits for whom")
            check_accusations(dump, {DEADLOCK: "likely"})


# --- programs that are not ours ----------------------------------------------------------------


def check_accusations(dump, may=None):
    for finding in dump["findings"]:
        kind, confidence = finding["kind"], finding["confidence"]
        check(kind not in ACCUSATIONS or may and kind in may and may[kind] in (ANY, confidence),
              f"a wrong finding: {finding}")


def thread_of(dump, pid):
    return hang.threads_of(dump, pid)[pid]


def owners_of(thread):
    return {(o["pid"], o["tid"] or o["pid"]) for o in thread["wait"]["owners"]}


def chain_of(dump, root, *waiters):
    """Is there one chain, with this root, and these behind it?"""
    for finding in dump["findings"]:
        pids = [t["pid"] for t in finding["threads"]]
        if finding["kind"] == CHAIN and pids[0] == root and set(waiters) <= set(pids):
            return True
    return False


@case
def a_pipeline_whose_reader_does_something_else():
    shell = hang.program("bash")
    with Victim("bash", "-c", "yes | sleep 100000; exit", executable=shell) as victim:
        hang.wait_until(lambda: len(children_of(victim.pid)) == 2, "both ends of the pipeline")

        def named(name):
            return [p for p in children_of(victim.pid)
                    if hang.read_file(f"/proc/{p}/comm").strip() == name]

        hang.wait_until(lambda: named("yes") and named("sleep"), "yes and sleep")
        writer, reader = named("yes")[0], named("sleep")[0]
        settle([(writer, writer), (reader, reader), (victim.pid, victim.pid)], 0.15)
        dump = hang.dump(victim.pid, "--tree")
        keep("shell-pipeline", "--tree", victim.pid)
        check_equal(thread_of(dump, writer)["wait"]["class"], "pipe write", "class of yes")
        check_equal(owners_of(thread_of(dump, writer)), {(reader, reader)}, "who must read")
        check_equal(thread_of(dump, victim.pid)["wait"]["class"], "child wait", "class of bash")
        check_accusations(dump)
        check(chain_of(dump, reader, writer), f"no chain behind sleep: {dump['findings']}")
    end_all()


@case
def a_shell_that_waits():
    with Victim("sh", "-c", "sleep 100000; true", executable=hang.program("sh")) as victim:
        child = only_child(victim.pid)
        hang.wait_until(lambda: hang.read_file(f"/proc/{child}/comm") == "sleep\n", "sleep")
        settle([(victim.pid, victim.pid), (child, child)], 0.15)
        dump = hang.dump(victim.pid, "--tree")
        keep("shell-sleep", "--tree", victim.pid)
        check_equal(owners_of(thread_of(dump, victim.pid)), {(child, child)}, "owner of sh's wait")
        check_accusations(dump)
    end_all()


@case
def subprocess_with_an_unread_pipe():
    """Python's classic: wait() for a child whose output nobody reads."""
    code = ("import subprocess\n"
            "child = subprocess.Popen(['yes'], stdout=subprocess.PIPE)\n"
            "print('ready', flush=True); child.wait()")
    with Victim("python", "-c", code, executable=sys.executable) as victim:
        victim.ready()
        child = only_child(victim.pid)
        settle([(child, child), (victim.pid, victim.pid)], 0.05)
        dump = hang.dump(victim.pid, "--tree")
        keep("python-subprocess", "--tree", victim.pid)
        found = [f for f in dump["findings"] if f["kind"] == DEADLOCK]
        check(len(found) == 1 and {t["pid"] for t in found[0]["threads"]} == {child, victim.pid},
              f"no deadlock of both: {dump['findings']}")
    end_all()


HOLDER = ("import fcntl, sys, time\n"
          "for path in sys.argv[1:]:\n"
          "    file = open(path, 'w'); fcntl.lockf(file, fcntl.LOCK_EX); keep = (file,)\n"
          "    sys.modules[path] = file\n"
          "print('ready', flush=True); time.sleep(1e5)")


def package_root(directory):
    """A root of its own for apt and dpkg; returns dpkg's part."""
    for path in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial",
                 "var/cache/apt/archives/partial", "var/log/apt", "var/lib/dpkg/updates",
                 "var/lib/dpkg/info", "var/lib/dpkg/triggers"):
        os.makedirs(os.path.join(directory, path))
    for path in ("var/lib/dpkg/status", "etc/apt/sources.list"):
        with open(os.path.join(directory, path), "w", encoding="utf-8"):
            pass
    return os.path.join(directory, "var/lib/dpkg")


@case
def dpkg_that_waits_for_a_lock():
    trigger = hang.program("dpkg-trigger")
    with tempfile.TemporaryDirectory(prefix="hangdump-dpkg-") as directory:
        admin = package_root(directory)
        lock = os.path.join(admin, "triggers/Lock")
        with Victim("holder", "-c", HOLDER, lock, executable=sys.executable) as holder:
            holder.ready()
            with Victim("dpkg-trigger", f"--admindir={admin}", "--by-package=a", "b",
                        executable=trigger) as victim:
                settle([(victim.pid, victim.pid)], 0.15)
                dump = hang.dump(victim.pid)
                keep("dpkg-lock", victim.pid)
                thread = thread_of(dump, victim.pid)
                check_equal(thread["wait"]["class"], "file lock", "class")
                check(thread["wait"]["resource"]["name"].endswith("triggers/Lock"), "which file")
                check_equal(owners_of(thread), {(holder.pid, holder.pid)}, "who has the lock")
                check_accusations(dump)
                text = hang.run_hangdump(victim.pid).text()
                check(str(holder.pid) in text, f"the report does not name {holder.pid}:\n{text}")


@case
def apt_that_waits_for_a_lock():
    """It does so by trying once a second: asleep, and nothing more can be said."""
    apt = hang.program("apt-get")
    with tempfile.TemporaryDirectory(prefix="hangdump-apt-") as directory:
        admin = package_root(directory)
        with Victim("holder", "-c", HOLDER, os.path.join(admin, "lock-frontend"),
                    executable=sys.executable) as holder:
            holder.ready()
            options = [f"Dir={directory}", f"Dir::State::status={admin}/status",
                       "DPkg::Lock::Timeout=-1"]
            with Victim("apt-get", *(f"-o{option}" for option in options), "check",
                        executable=apt) as victim:
                while str(holder.pid) not in victim.line():
                    pass
                hang.wait_blocked(victim.pid, victim.pid)
                dump = hang.dump(victim.pid)
                keep("apt-lock", victim.pid)
                check_equal(thread_of(dump, victim.pid)["wait"]["class"], "sleep", "class")
                check_accusations(dump)


class Postgres:
    """A server with a table of two rows, and sessions by psql."""

    def __init__(self, directory):
        programs = [os.path.dirname(os.path.realpath(hang.program("postgres"))), "/usr/bin"]
        self.path = os.pathsep.join([*programs, os.environ["PATH"]])
        self.directory = directory
        self.user = "postgres" if os.getuid() == 0 else None
        self.data = os.path.join(directory, "data")
        if self.user:
            shutil.chown(directory, self.user)
        made = self.run("initdb", "-D", self.data, "-A", "trust", "-U", "me", "--no-sync")
        if made.returncode:
            raise Skip(f"initdb: {made.stderr.strip().splitlines()[-1:]}")
        settings = {"deadlock_timeout": "1h", "listen_addresses": "", "fsync": "off",
                    "unix_socket_directories": directory, "autovacuum": "off"}
        words = [w for name, value in settings.items() for w in ("-c", f"{name}={value}")]
        self.sessions = []
        self.server = self.start("postgres", "-D", self.data, *words)
        hang.wait_until(lambda: self.query("SELECT 1") == "1", "the server's readiness")
        self.query("CREATE TABLE account AS SELECT * FROM generate_series(1, 2) AS id")

    def arguments(self, command):
        return {"args": [shutil.which(command[0], path=self.path) or command[0], *command[1:]],
                "user": self.user, "cwd": self.directory, "stderr": subprocess.PIPE, "text": True,
                "stdout": subprocess.PIPE}

    def run(self, *command):
        return subprocess.run(**self.arguments(command))

    def start(self, *command):
        arguments = self.arguments(command)
        arguments.update(stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        return subprocess.Popen(**arguments)

    def query(self, text):
        return self.run("psql", "-h", self.directory, "-U", "me", "-Atqc", text,
                        "postgres").stdout.strip()

    def session(self):
        psql = self.start("psql", "-h", self.directory, "-U", "me", "-Atq", "postgres")
        self.sessions.append(psql)
        self.say(psql, "SELECT pg_backend_pid();")
        return psql, int(psql.stdout.readline())

    @staticmethod
    def say(psql, text):
        psql.stdin.write(text + "\n")
        psql.stdin.flush()

    def end(self):
        for process in (*self.sessions, self.server):
            os.killpg(process.pid, signal.SIGKILL)
            for pid in descendants_of(process.pid):
                os.kill(pid, signal.SIGKILL)
            process.wait()
            process.stdin.close()
            process.stdout.close()


@case
def postgres_backends_that_wait_for_each_other():
    hang.program("psql")
    with tempfile.TemporaryDirectory(prefix="hangdump-postgres-") as directory:
        server = Postgres(directory)
        try:
            (one, first), (other, second) = server.session(), server.session()
            update = "UPDATE account SET id = id WHERE id = {} RETURNING id;"
            for psql, row in ((one, 1), (other, 2)):
                server.say(psql, f"BEGIN; {update.format(row)}")
                check_equal(psql.stdout.readline().strip(), str(row), "the row that it has")
            for psql, row in ((one, 2), (other, 1)):
                server.say(psql, update.format(row))
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            hang.wait_until(lambda: server.query(waiting) == "2", "both to wait")
            dump = hang.dump(server.server.pid, "--tree")
            keep("postgres-rows", "--tree", server.server.pid)
            for pid in (first, second):
                functions = hang.functions_of(thread_of(dump, pid))
                check("ProcSleep" in functions, f"where a backend waits for a lock: {functions}")
            # Whose the rows are is in the server's own tables, not in locks that we know.
            check_accusations(dump, {DEADLOCK: "likely"})
        finally:
            server.end()
    end_all()


if __name__ == "__main__":
    for executable, rows in ((rust, RUST), (go, GO), (openmp, OPENMP), (glib, GLIB)):
        for row in rows:
            add_case(row.name, language, row, executable)
    for row in PYTHON:
        add_case(row.name, language, row, python, os.path.join(VICTIMS, "verdicts_python.py"))
    try:
        hang.main(jobs=os.cpu_count() or 1)
    finally:
        shutil.rmtree(_scratch, ignore_errors=True)
