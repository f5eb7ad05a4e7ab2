#!/usr/bin/env python3
"""hangdump run, when the time is over: what it says, where, and that nobody can hold it up."""

import json
import os
import re
import resource
import select
import signal
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import case, check, check_equal

CI = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "CI", "JENKINS_URL", "TF_BUILD", "NO_COLOR",
      "CLICOLOR_FORCE")
SOON = "1"  # seconds: the victims are hung long before


def environment(**more):
    return {name: value for name, value in os.environ.items() if name not in CI} | more


class Scene:
    """A directory of our own, to write into."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="hangdump-report-")
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def files(self):
        return sorted(os.listdir(self.directory.name))

    def read(self, name):
        return hang.read_file(self.path(name))

    def json(self, name):
        return hang.check_dump(json.loads(self.read(name)))


def run(*arguments, env=None, status=124, **more):
    """hangdump run under SOON, to its end; nothing of the command may be left."""
    result = hang.run_hangdump("run", "-t", SOON, *arguments, env=env or environment(), **more)
    check_equal(result.status, status, f"{result}: status")
    check(not result.left_behind, f"{result}: left behind: {result.left_behind}")
    check(b"hangdump" not in result.out, f"{result}: standard output is not its own")
    return result


def bank():
    return hang.victim_path("bank")


class Running:
    """hangdump run in the background; its standard error as a pipe that we read, or do not."""

    def __init__(self, *arguments, stderr=subprocess.PIPE, env=None, preexec=None):
        self.process = subprocess.Popen(
            [hang.HANGDUMP, "run", *map(str, arguments)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr, bufsize=0, env=env or environment(), preexec_fn=preexec)
        words = self.process.stdout.readline().split()
        check(words[:1] == [b"ready"], f"the command said {words}")
        self.command = int(words[1])
        hang.wait_all_blocked(self.command)

    def lines_until(self, pattern):
        lines = []
        while not lines or not re.search(pattern, lines[-1]):
            line = self.process.stderr.readline().decode("utf-8", "replace")
            check(line, f"no {pattern!r} in {lines}")
            lines.append(line.rstrip("\n"))
        return lines

    def ask(self):
        """For a dump, until there is one: while one is being made, that is not heard."""

        def heard():
            self.process.send_signal(signal.SIGUSR1)
            return select.select([self.process.stderr], [], [], 1)[0]

        hang.wait_until(heard, "a dump that was asked for")

    def end(self):
        status = self.process.wait(hang.LIMIT)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        hang.wait_until(lambda: hang.state_of(self.command) in (None, "Z"), "the command to be gone")
        return status


# --- what it says -----------------------------------------------------------------------------


@case
def the_first_line_says_what_timed_out_and_the_last_where_the_file_is():
    with Scene() as scene:
        result = run("-o", scene.path("a.json"), bank())
        lines = result.errors().splitlines()
        check(re.fullmatch(rf"hangdump: {bank()}: timed out after 1 s; 1 process, 14 threads",
                           lines[0]), lines[0])
        check(lines[-1].startswith(f"hangdump: all of it is in {scene.path('a.json')}"), lines[-1])
        check("DEADLOCK: 2 threads wait for each other" in lines, f"{result}")
        check("move_money(...)" in lines, f"no stack of a suspect: {lines}")
        check(len(lines) < 100, f"{len(lines)} lines: Meson shows the last 100")
        check(len(result.err) <= 4096 + 400, f"{len(result.err)} bytes")
        dump = scene.json("a.json")
        check_equal(dump["occasion"], f"{bank()}: timed out after 1 s", "occasion")
        check_equal(stat.S_IMODE(os.stat(scene.path("a.json")).st_mode), 0o600, "mode")
        check_equal(dump["findings"][0]["kind"], "deadlock", "finding")


@case
def without_a_file_all_of_it_goes_to_standard_error():
    result = run(bank())
    lines = result.errors().splitlines()
    check(any("acceptor" in line for line in lines), f"the idle thread is missing: {lines}")
    check("DEADLOCK" in lines[-1], lines[-1])


@case
def the_bounds_are_kept_and_what_is_left_out_is_counted():
    for most in (600, 3000):
        result = run("--samples=1", f"--max-bytes={most}", bank())
        text = result.errors()
        check("DEADLOCK" in text, f"{most}: {text}")
        check("\nLeft out: " in text, f"{most}: {text}")
        check(len(result.err) <= most + 300, f"{most}: {len(result.err)} bytes")


@case
def two_processes_that_wait_for_each_other_are_a_deadlock():
    with Scene() as scene:
        result = run("-o", scene.path("a.json"), hang.victim_path("verdicts"), "child-full-pipe")
        text = result.errors()
        check(re.search(r"^DEADLOCK( \(likely\))?: 2 threads wait for each other$", text, re.M), text)
        check("2 processes, 2 threads" in text.splitlines()[0], text)
        check("fill_out(...)" in text and "wait_for_child(...)" in text, text)
        finding = scene.json("a.json")["findings"][0]
        check_equal(len({thread["pid"] for thread in finding["threads"]}), 2, "its processes")


@case
def what_is_stuck_is_told_from_what_is_slow():
    with Scene() as scene:
        run("-o", scene.path("stuck.json"), bank())
        dump = scene.json("stuck.json")
        check(dump["watched_ms"] >= 1000, f"watched for {dump['watched_ms']} ms")
        stuck = [t["progress"] for t in hang.threads_of(dump).values()
                 if t["wait"]["class"] == "mutex lock"]
        check_equal(set(stuck), {"stuck"}, "threads of the deadlock")
        slow = "import time\nwhile True: time.sleep(0.01)"
        result = run("-o", scene.path("slow.json"), sys.executable, "-c", slow)
        main = list(hang.threads_of(scene.json("slow.json")).values())[0]
        check(main["progress"] in ("cycling", "moved"), f"a slow program is {main['progress']}")
        check(", stuck]" not in result.errors(), f"{result}")


@case
def one_sample_tells_no_progress():
    with Scene() as scene:
        run("--samples=1", "-o", scene.path("a.json"), bank())
        dump = scene.json("a.json")
        check_equal(dump["watched_ms"], None, "watched_ms")
        check_equal({t["progress"] for t in hang.threads_of(dump).values()}, {None}, "progress")


@case
def a_big_tree_is_one_dump():
    with Scene() as scene:
        script = "for i in $(seq 40); do sleep 1000 & done; wait"
        result = run("-t", "5", "--samples=1", "-o", scene.path("a.json"), "sh", "-c", script)
        dump = scene.json("a.json")
        check_equal(len(dump["processes"]), 41, "processes")
        check("41 processes, 41 threads" in result.errors().splitlines()[0], f"{result}")
        check(len(result.err) < 5000, f"{len(result.err)} bytes")


@case
def the_environment_decides_about_colours():
    with Scene() as scene:
        file = scene.path("a.txt")
        plain = run("-o", file, bank())
        check(b"\33" not in plain.err, "colours in a file's worth of standard error")
        forced = run("-o", file, bank(), env=environment(CLICOLOR_FORCE="1"))
        check(b"\33[" in forced.err, "no colours although they were forced")
        none = run("-o", file, bank(), env=environment(CLICOLOR_FORCE="1", NO_COLOR="1"))
        check(b"\33" not in none.err, "colours in spite of NO_COLOR")
        for name in scene.files():
            check("\33" not in scene.read(name), f"colours in {name}")


# --- files ------------------------------------------------------------------------------------


@case
def no_file_is_ever_overwritten():
    with Scene() as scene:
        with open(scene.path("a.txt"), "w") as file:
            file.write("old")
        result = run("-o", scene.path("a.txt"), bank())
        check_equal(scene.files(), ["a-1.txt", "a.txt"], "files")
        check_equal(scene.read("a.txt"), "old", "the older file")
        check("a-1.txt" in result.errors().splitlines()[-1], f"{result}")
        check("DEADLOCK" in scene.read("a-1.txt"), "the new file")


@case
def the_template_is_filled_in_and_directories_are_made():
    with Scene() as scene:
        run("-o", scene.path("d/e/%e-%n-%%.txt"), bank())
        check_equal(os.listdir(scene.path("d/e")), ["bank-1-%.txt"], "files")


@case
def a_name_leads_nowhere_else():
    code = "import ctypes, time; ctypes.CDLL(None).prctl(15, b'../../evil'); time.sleep(1000)"
    with Scene() as scene:
        os.mkdir(scene.path("d"))
        run("-o", scene.path("d/%e.txt"), sys.executable, "-c", code)
        check_equal(scene.files(), ["d"], "files")
        check_equal(os.listdir(scene.path("d")), ["___.._evil.txt"], "files below")


@case
def a_bad_template_is_said_before_anything_runs():
    for output in ("a%x", "a%", "-"):
        result = hang.run_hangdump("run", "-o", output, "echo", "ran", env=environment())
        check_equal(result.status, 125, f"{result}")
        check_equal(result.out, b"", f"{result}: it ran")
        check(output in result.errors(), f"{result}")


def check_fails(result, why):
    text = result.errors()
    check(why in text, f"{result}: not {why!r}")
    check("DEADLOCK" in text, f"{result}: no report")
    check("acceptor" in text, f"{result}: what there is no file for is not all here")


@case
def a_place_that_cannot_be_written_costs_the_file_only():
    result = run("-o", "/proc/nowhere/a.json", bank())
    check_fails(result, "hangdump: /proc/nowhere/a.json: could not be written: ")
    check_fails(run("-o", "/dev/full", bank()), "No space left on device")


@case
def a_full_disk_costs_the_file_only():
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    with Scene() as scene:
        running = Running("-t", SOON, "-o", scene.path("a.json"), bank(), preexec=limit)
        text = running.process.stderr.read().decode()
        check_equal(running.end(), 124, "status")
        check("could not be written: File too large" in text, text)
        check("DEADLOCK" in text and "acceptor" in text, text)
        check_equal(scene.files(), [], "files")


# --- standard error that does not take it -------------------------------------------------------


@case
def a_closed_standard_error_changes_nothing():
    with Scene() as scene:
        running = Running("-t", SOON, "-o", scene.path("a.json"), bank(), stderr=None,
                          preexec=lambda: os.close(2))
        check_equal(running.end(), 124, "status")
        check_equal(scene.json("a.json")["findings"][0]["kind"], "deadlock", "finding")


@case
def a_full_standard_error_changes_nothing():
    with Scene() as scene, open("/dev/full", "w") as full:
        running = Running("-t", SOON, "-o", scene.path("a.json"), bank(), stderr=full)
        check_equal(running.end(), 124, "status")
        scene.json("a.json")


@case
def a_standard_error_whose_reader_is_gone_changes_nothing():
    with Scene() as scene:
        reader, writer = os.pipe()
        running = Running("-t", SOON, "-o", scene.path("a.json"), bank(), stderr=writer)
        os.close(reader)
        os.close(writer)
        check_equal(running.end(), 124, "status")
        scene.json("a.json")


def fill(fd):
    os.set_blocking(fd, False)
    try:
        while True:
            os.write(fd, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(fd, True)


@case
def a_standard_error_that_nobody_reads_holds_up_nothing():
    with Scene() as scene:
        reader, writer = os.pipe()
        fill(writer)
        running = Running("-t", SOON, "-o", scene.path("a.json"), bank(), stderr=writer)
        check_equal(running.end(), 124, "status")
        scene.json("a.json")
        check(os.get_blocking(writer), "the shared description has become non-blocking")
        os.close(reader)
        os.close(writer)


@case
def what_may_not_be_traced_is_said_and_ended_all_the_same():
    with hang.AsNobody() as nobody:
        result = run(os.path.join(nobody.directory, "sleeper"), "--undumpable",
                     preexec=nobody.become, cwd=nobody.directory)
    text = result.errors()
    check("no process could be dumped" in text.splitlines()[0], text)
    check("no permission" in text, text)
    check(re.search(r"^process \d+ \(sleeper\), 1 thread: asleep", text, re.M), text)


# --- signals --------------------------------------------------------------------------------


def ended_by(number):
    with Scene() as scene:
        running = Running("-o", scene.path("a.json"), bank())
        running.process.send_signal(number)
        lines = running.lines_until("^hangdump: all of it is in ")
        status = running.end()
        check_equal(status, -number, "status")
        check(re.search(rf"ended by {signal.Signals(number).name} after .*; from /proc alone:$",
                        lines[0]), lines[0])
        check(re.fullmatch(rf"process {running.command} \(bank\), 14 threads:", lines[1]), lines[1])
        check(re.fullmatch(r"  13 asleep in futex \(futex\w*\): .*", lines[2]), lines[2])
        check(any(line.startswith("DEADLOCK") for line in lines), f"{lines}")
        check_equal(scene.json("a.json")["watched_ms"], None, "there was no time for a second one")


for _signal in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    hang.add_case(f"a glance first, then a dump, when {_signal.name} ends us", ended_by, _signal)


@case
def usr1_dumps_and_goes_on():
    with Scene() as scene:
        running = Running("--samples=1", "-o", scene.path("%n.json"), bank())
        for number in (1, 2):
            running.ask()
            lines = running.lines_until("^hangdump: all of it is in ")
            check("asked for a dump after" in lines[0], lines[0])
            check(lines[-1].startswith(f"hangdump: all of it is in {scene.path(f'{number}.json')}"),
                  lines[-1])
            check(hang.state_of(running.command), "the command is gone")
        running.process.kill()
        running.process.wait()
        running.end()
        for name in ("1.json", "2.json"):
            check_equal(len(hang.threads_of(scene.json(name))), 14, f"threads in {name}")


# --- continuous integration --------------------------------------------------------------------

COMMANDS = ("error", "warning", "notice", "add-mask", "set-env", "set-output", "add-path", "debug",
            "group", "endgroup", "echo", "add-matcher", "stop-commands")


def commands_of(text):
    """What the runner of GitHub Actions would do: see ActionCommandManager.cs of actions/runner."""
    found, token = [], None
    for line in text.splitlines():
        known = set(COMMANDS) | ({token} if token else set())
        match = (re.match(r"\s*::([^\s:]*)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)", line)
                 or re.search(r"##\[([^\s\]]*)([^\]]*)\](.*)", line))
        if not match or match.group(1) not in known:
            continue
        if token:
            token = None if match.group(1) == token else token
        elif match.group(1) == "stop-commands":
            token = match.group(3)
        else:
            found.append((match.group(1), match.group(2), match.group(3)))
    check(token is None, f"commands stay stopped: {text}")
    return found


@case
def actions_get_one_annotation_and_a_summary():
    with Scene() as scene:
        with open(scene.path("summary"), "w") as file:
            file.write("before\n")
        env = environment(GITHUB_ACTIONS="true", CI="true",
                          GITHUB_STEP_SUMMARY=scene.path("summary"))
        result = run("-o", scene.path("a.json"), bank(), env=env)
        text = result.errors()
        (command, title, message), = commands_of(text)
        check_equal((command, title), ("error", "title=hangdump"), "annotation")
        check("timed out after 1 s%0ADEADLOCK: 2 threads" in message, message)
        check(scene.path("a.json") in message, message)
        check(f"\n[[ATTACHMENT|{scene.path('a.json')}]]\n" in text, text)
        check("all of it is in" in text.splitlines()[-1], text)
        summary = scene.read("summary")
        check(summary.startswith("before\n### hangdump"), summary)
        check("DEADLOCK" in summary and summary.endswith("\n```\n"), summary)


@case
def elsewhere_there_is_none_of_it():
    with Scene() as scene:
        env = environment(GITHUB_STEP_SUMMARY=scene.path("summary"))
        text = run("-o", scene.path("a.json"), bank(), env=env).errors()
        check("::" not in text and "ATTACHMENT" not in text, text)
        check_equal(scene.files(), ["a.json"], "files")


@case
def the_target_gives_no_commands():
    for name in (b"::error::pwned", b"##[error]pwned", b"::add-mask::a", b"##[endgroup]", b"\n::debug::x"):
        code = f"import ctypes, time; ctypes.CDLL(None).prctl(15, {name!r}); time.sleep(1000)"
        with Scene() as scene:
            env = environment(GITHUB_ACTIONS="true", CI="true")
            result = run("-o", scene.path("%e.txt"), sys.executable, "-c", code, "\n::error::word",
                         env=env)
            found = commands_of(result.errors())
            check_equal([command for command, _, _ in found], ["error"], f"{name}: {found}")
            check("pwned" not in found[0][1], f"{name}: {found}")


@case
def what_is_left_behind_gives_no_commands():
    """Its name is told when the command has ended by itself."""
    code = ("import ctypes, os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid(); ctypes.CDLL(None).prctl(15, b'##[error]pwned'); os.write(1, b'.')\n"
            "    os.close(1); os.close(2); time.sleep(1000)\n"
            "os.read(0, 1)")
    reader, writer = os.pipe()
    result = subprocess.run([hang.HANGDUMP, "run", "--leftovers=kill", sys.executable, "-c", code],
                            stdin=reader, stdout=writer, stderr=subprocess.PIPE,
                            env=environment(GITHUB_ACTIONS="true"), timeout=hang.LIMIT, check=False)
    os.close(reader)
    os.close(writer)
    text = result.stderr.decode()
    check("pwned" in text, f"it is not named: {text}")
    check_equal(commands_of(text), [], "commands")


@case
def a_summary_that_is_full_is_left_alone():
    with Scene() as scene:
        with open(scene.path("summary"), "w") as file:
            file.write("x" * (1024 * 1024 - 50))
        env = environment(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=scene.path("summary"))
        run(bank(), env=env)
        check_equal(os.path.getsize(scene.path("summary")), 1024 * 1024 - 50, "its size")


hang.main(jobs=2)
