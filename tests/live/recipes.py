#!/usr/bin/env python3
"""One line of configuration per test runner, as hangdump-run(1) gives it, in real projects.

Every runner is given a test that hangs: the log has to name the function and the deadlock, the
runner has to see a failure, and nothing may be left of the test.  And tests that pass, fail and
skip: what the runner makes of them may not change by a byte.

The limit of a hanging test has to be longer than the test needs to reach its hang.  How long that
is depends on the machine, so the test leaves a mark; without it a longer limit is tried.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hang
from hang import Skip, case, check, check_equal, fail, wait_until

RECIPES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recipes")
LIMITS = (2, 10, 40)  # of hanging tests, seconds
LONG = 300            # of tests that end by themselves
CFLAGS = ("-g", "-pthread")


def environment(**more):
    """Ours, without what `make check` and a CI job around us say to runners."""
    drop = re.compile(r"MAKE|MFLAGS|AM_|GITHUB_|CI$|CC$|CARGO|GO(FLAGS)?$|LOG_|TEST|VERBOSE|PYTEST")
    found = {name: value for name, value in os.environ.items() if not drop.match(name)}
    found["PATH"] = f"{os.path.dirname(hang.HANGDUMP)}:{found['PATH']}"
    # Where Go and others keep what they have built.
    found.setdefault("HOME", tempfile.gettempdir())
    return {**found, **more}


class Ran:
    def __init__(self, command, status, log):
        self.command = command
        self.status = status
        self.log = log

    def __str__(self):
        return f"{self.command}: status {self.status}\n{self.log[-6000:]}"


class Project:
    """A project of tests/live/recipes in a directory of its own, with the sources of the bank."""

    def __init__(self, name=None):
        self.directory = tempfile.mkdtemp(prefix="hangdump-recipe-")
        self.mark = os.path.join(self.directory, "hang.mark")
        for source in ("bank", name):
            if source:
                shutil.copytree(os.path.join(RECIPES, source), self.directory, dirs_exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def read(self, *names):
        return hang.read_file(self.path(*names))

    def start(self, *command, log=None, **env):
        """Starts a command, both output streams in one file."""
        return subprocess.Popen(
            command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=environment(**env), preexec_fn=hang._die_with_parent, start_new_session=True)

    def run(self, *command, limit=2 * hang.LIMIT, meanwhile=None, **env):
        """Runs it to its end, and sees that nothing is left of what it started."""
        before = hang.children_of_ours()
        with tempfile.TemporaryFile() as log:
            process = self.start(*command, log=log, **env)
            if meanwhile:
                meanwhile(process)
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                status = None
            with contextlib.suppress(hang.Failed):
                wait_until(lambda: not hang.children_of_ours() - before, "", 10)
            left = hang.children_of_ours() - before
            log.seek(0)
            ran = Ran(command, status, log.read().decode("utf-8", "replace"))
        check(status is not None, f"not within {limit:g} s: {ran}")
        check(not left, f"left behind: {left}: {ran}")
        return ran

    def build(self, *command, **env):
        ran = self.run(*command, limit=10 * hang.LIMIT, **env)
        check(ran.status == 0, f"the project does not build: {ran}")

    def compile(self, *names):
        """The bank's programs, for runners that do not build."""
        for name in names:
            self.build("cc", *CFLAGS, f"{name}.c", "bank.c", "-o", name)

    def hangs(self, start, function=r"^transfer\(", finding="DEADLOCK"):
        """Runs start(limit) until the test was given the time to hang, and reads the log."""
        for limit in LIMITS:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.mark)
            ran = start(limit)
            if os.path.exists(self.mark):
                break
        else:
            fail(f"the test did not get so far within {LIMITS[-1]} s: {ran}")
        check(ran.status not in (0, None), f"no failure: {ran}")
        check_log(ran, ran.log, function, finding)
        return ran

    def marked(self, *command, **env):
        return self.run(*command, HANG_MARK=self.mark, **env)


def check_log(ran, log, function, finding):
    check(re.search(function, log, re.M), f"the log does not name {function}: {ran}")
    check(re.search(finding, log, re.M), f"the log does not say {finding}: {ran}")


def wrapper(limit):
    return f"hangdump run -t {limit} --"


def runner_ends_it(says, project, *command, **env):
    """Its own limit comes first, and leaves little time or none: nothing may be left all the same."""
    ran = project.run(*command, **env)
    check(ran.status != 0 and says in ran.log, f"no timeout for the runner: {ran}")


def without_times(text):
    return re.sub(r"\d+\.\d+ ?s|\d+ms", "TIME", text)


def same(plain, wrapped, what):
    """Fails with the first difference rather than with two logs."""
    if plain == wrapped:
        return
    if isinstance(plain, dict) and isinstance(wrapped, dict) and plain.keys() == wrapped.keys():
        for key in plain:
            check_equal(wrapped[key], plain[key], f"{what}, {key}, under the wrapper")
    check_equal(wrapped, plain, f"{what}, under the wrapper")


# --- automake ---------------------------------------------------------------------------------


@contextlib.contextmanager
def automake():
    hang.program("autoreconf")
    with Project("automake") as project:
        project.build("autoreconf", "-fi")
        project.build("./configure", "-q")
        project.build("make", "-s", "check", "TESTS=")
        yield project


def automake_words(limit):
    flags = f"run -t {limit} --"
    return ("LOG_COMPILER=hangdump", f"LOG_FLAGS={flags}",
            "TAP_LOG_COMPILER=hangdump", f"TAP_LOG_FLAGS={flags}")


@case
def automake_all():
    with automake() as project:
        def start(limit):
            ran = project.marked("make", "check", "VERBOSE=1", "TESTS=passes hangs",
                                 *automake_words(limit))
            check("FAIL hangs (exit status: 124)" in ran.log, f"another status: {ran}")
            return ran

        project.hangs(start)

        def outcome(*words):
            ran = project.run("make", "check", "TESTS=passes fails skips counts.tap", *words)
            files = [f"{name}.{kind}" for name in ("passes", "fails", "skips", "counts")
                     for kind in ("log", "trs")]
            return {"summary": re.findall(r"^[#A-Z].*: .*", ran.log, re.M), "status": ran.status,
                    **{name: project.read(name) for name in files}}

        plain = outcome()
        check("SKIP: skips" in plain["summary"] and "FAIL: fails" in plain["summary"]
              and "SKIP: counts.tap 2 - from a closed account # SKIP none is closed"
              in plain["summary"], f"not as expected: {plain}")
        same(plain, outcome(*automake_words(LONG)), "automake")


# --- CTest ------------------------------------------------------------------------------------


def cmake_version():
    hang.program("ctest")
    said = subprocess.run([hang.program("cmake"), "--version"], capture_output=True, text=True)
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", said.stdout).groups()))


def need_cmake(*version):
    if cmake_version() < version:
        raise Skip("cmake %d.%d is older than %d.%d" % (cmake_version() + version))


def ctest_variant(variable):
    with Project("ctest") as project:
        build = project.path("build")

        def configure(limit=None):
            words = f"hangdump;run;-t;{limit};--" if limit else ""
            project.build("cmake", "-S", ".", "-B", build, f"-D{variable}={words}")
            project.build("cmake", "--build", build)

        def start(limit):
            configure(limit)
            return project.marked("ctest", "--test-dir", build, "--output-on-failure", "-R",
                                  "hangs|passes")

        ran = project.hangs(start)
        check(re.search(r"hangs .*\*\*\*Failed", ran.log), f"no failure of that test: {ran}")

        def outcome(limit=None):
            configure(limit)
            ran = project.run("ctest", "--test-dir", build, "-E", "hangs", "--output-junit",
                              "junit.xml")
            tests = xml.etree.ElementTree.parse(project.path("build", "junit.xml")).getroot()
            return {"status": ran.status,
                    **{test.get("name"): (test.get("status"), test.findtext("system-out"))
                       for test in tests.iter("testcase")}}

        plain = outcome()
        check_equal([plain[name][0] for name in ("passes", "fails", "skips")],
                    ["run", "fail", "notrun"], "what CTest says")
        same(plain, outcome(LONG), "CTest")
        runner_ends_it("***Timeout", project, "ctest", "--test-dir", build, "-R", "hangs",
                       "--timeout", "2")


@case
def ctest_emulator():
    cmake_version()
    ctest_variant("CMAKE_CROSSCOMPILING_EMULATOR")


@case
def ctest_launcher():
    need_cmake(3, 29)
    ctest_variant("CMAKE_TEST_LAUNCHER")


@case
def ctest_ends_it_with_a_signal():
    need_cmake(3, 27)
    with Project("ctest") as project:
        with open(project.path("CMakeLists.txt"), "a", encoding="utf-8") as file:
            file.write("set_tests_properties(hangs PROPERTIES TIMEOUT_SIGNAL_NAME SIGTERM"
                       " TIMEOUT_SIGNAL_GRACE_PERIOD 60)\n")
        project.build("cmake", "-S", ".", "-B", "build",
                      "-DCMAKE_CROSSCOMPILING_EMULATOR=hangdump;run;-t;0;--")
        project.build("cmake", "--build", "build")
        ran = project.hangs(lambda limit: project.marked(
            "ctest", "--test-dir", "build", "--output-on-failure", "-R", "hangs", "--timeout",
            str(limit)))
        check("***Timeout" in ran.log, f"CTest does not say that it was the time: {ran}")


# --- Meson ------------------------------------------------------------------------------------


@contextlib.contextmanager
def meson():
    hang.program("meson")
    hang.program("ninja")
    with Project("meson") as project:
        project.build("meson", "setup", "build")
        project.build("ninja", "-C", "build")
        yield project


@case
def meson_all():
    with meson() as project:
        ran = project.hangs(lambda limit: project.marked(
            "meson", "test", "-C", "build", "--print-errorlogs", "--wrapper", wrapper(limit),
            "passes", "hangs"))
        check("exit status 124" in ran.log, f"another status: {ran}")

        def outcome(*words):
            ran = project.run("meson", "test", "-C", "build", *words, "passes", "counts", "fails",
                              "skips")
            tests = map(json.loads, project.read("build", "meson-logs", f"testlog{logs(words)}.json")
                        .splitlines())
            return {"status": ran.status,
                    **{test["name"]: [test.get(key) for key in
                                      ("result", "returncode", "stdout", "stderr")]
                       for test in tests}}

        def logs(words):
            return "-hangdump" if words else ""

        plain = outcome()
        check_equal([plain[f"{name}"][0] for name in ("passes", "counts", "fails", "skips")],
                    ["OK", "OK", "FAIL", "SKIP"], "what Meson says")
        same(plain, outcome("--wrapper", wrapper(LONG)), "Meson")

        half_a_second = ("meson", "test", "-C", "build", "-t", "0.05", "--wrapper", wrapper(LONG),
                         "hangs")
        runner_ends_it("TIMEOUT", project, *half_a_second)


# --- Go ---------------------------------------------------------------------------------------


@case
def go_test():
    hang.program("go")
    with Project("go") as project:
        for name in ("hangs", "passes", "fails", "skips"):
            os.unlink(project.path(f"{name}.c"))  # each would be a main of the package
        project.build("go", "test", "-c", "-o", "/dev/null")

        def start(test, *options):
            return lambda limit: project.marked(
                "go", "test", "-count=1", "-run", test, "-ldflags=-s=false -w=false", "-exec",
                " ".join(("hangdump run -t", str(limit), *options, "--")))

        project.hangs(start("TestHangs"))
        # What has no thread is for Go's own runtime to tell, which it does when it gets a SIGQUIT.
        project.hangs(start("TestReceives", "-s QUIT"), r"^recipe\.Receive\(",
                      r"^goroutine \d+ .*\[chan receive\]:")

        def outcome(*words):
            ran = project.run("go", "test", "-count=1", "-v", "-run", "Passes|Fails|Skips", *words)
            return {"status": ran.status, "output": without_times(ran.log)}

        plain = outcome()
        check(all(word in plain["output"] for word in ("--- PASS", "--- FAIL", "--- SKIP")),
              f"not as expected: {plain}")
        same(plain, outcome("-exec", wrapper(LONG)), "go test")


# --- Rust -------------------------------------------------------------------------------------

# Rust's locks do not record who has them: no circle can be seen, only where they wait.
STUCK = r"\[mutex lock\b"
RUST_TRANSFER = r"recipe::Bank::transfer"


@contextlib.contextmanager
def cargo():
    hang.program("cargo")
    with Project("cargo") as project:
        project.build("cargo", "test", "--no-run", "--offline")
        yield project


@case
def cargo_test():
    runner = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER"
    with cargo() as project:
        ran = project.hangs(
            lambda limit: project.marked("cargo", "test", "--offline", "--lib", "hangs",
                                         **{runner: wrapper(limit)}),
            RUST_TRANSFER, STUCK)
        check("exit status: 124" in ran.log, f"another status: {ran}")

        def outcome(**env):
            ran = project.run("cargo", "test", "--offline", "--lib", "--", "--test-threads=1",
                              "--skip", "hangs", **env)
            output = re.sub(r"\(\d+\) panicked", "panicked", ran.log)  # with the thread's id
            return {"status": ran.status, "output": without_times(output)}

        plain = outcome()
        check("2 passed; 1 failed; 1 ignored" in plain["output"], f"not as expected: {plain}")
        same(plain, outcome(**{runner: wrapper(LONG)}), "cargo test")


NEXTEST = """
experimental = ["wrapper-scripts"]

[scripts.wrapper.hangdump]
command = "hangdump run -t {limit} --"

[[profile.default.scripts]]
filter = "all()"
run-wrapper = "hangdump"

[profile.default]
slow-timeout = {{ period = "{period}s", terminate-after = 1, grace-period = "60s" }}
"""


@case
def nextest():
    hang.program("cargo-nextest")
    with cargo() as project:
        def run(limit, period, *words, **env):
            with open(project.path("nextest.toml"), "w", encoding="utf-8") as file:
                file.write(NEXTEST.format(limit=limit, period=period))
            return project.run("cargo", "nextest", "run", "--offline", "--no-fail-fast",
                               "--config-file", "nextest.toml", *words, **env)

        def hangs(*limits):
            return run(*limits, "hangs", HANG_MARK=project.mark)

        project.hangs(lambda limit: hangs(limit, LONG), RUST_TRANSFER, STUCK)
        # nextest's own limit first.
        project.hangs(lambda limit: hangs(0, limit), RUST_TRANSFER, STUCK)

        others = "not test(hangs)"
        ran = run(LONG, LONG, "-E", others)
        check(ran.status == 100 and "2 passed, 1 failed" in ran.log, f"not as without: {ran}")
        listed = project.run("cargo", "nextest", "list", "--offline", "--config-file",
                             "nextest.toml")
        check("tests::passes" in listed.log, f"no list: {listed}")


# --- Python -----------------------------------------------------------------------------------


@contextlib.contextmanager
def python(*module):
    if subprocess.run([sys.executable, "-c", f"import {module[0]}"], capture_output=True).returncode:
        raise Skip(f"{module[0]} is not installed")
    with Project("python") as project:
        project.build("cc", *CFLAGS, "-shared", "-fPIC", "bank.c", "-o", "libbank.so")
        yield project


def python_runner(project, words, choose, skipped):
    def wrapped(limit, *options):
        return ("hangdump", "run", "-t", str(limit), *options, "--")

    ran = project.hangs(lambda limit: project.marked(*wrapped(limit), *words, *choose("hangs")))
    check_equal(ran.status, 124, "the status")
    # Which of Python's functions it was, Python tells when it is told to.
    project.hangs(lambda limit: project.marked(
        *wrapped(limit, "-s", "ABRT"), *words, *choose("hangs"), PYTHONFAULTHANDLER="1"),
        r"line \d+ in test_hangs$", "DEADLOCK")

    def outcome(*before):
        ran = project.run(*before, *words, *choose("passes", "fails", "skips"))
        return {"status": ran.status, "output": without_times(ran.log)}

    plain = outcome()
    check(plain["status"] == 1 and skipped in plain["output"], f"not as expected: {plain}")
    same(plain, outcome(*wrapped(LONG)), words[2])


@case
def pytest():
    with python("pytest") as project:
        python_runner(project, (sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
                      lambda *names: ("-k", " or ".join(names)), "1 skipped")


@case
def unittest():
    with python("unittest") as project:
        python_runner(project, (sys.executable, "-m", "unittest", "-v"),
                      lambda *names: [f"test_bank.BankTest.test_{name}" for name in names],
                      "skipped=1")


# --- runners of programs ----------------------------------------------------------------------


@case
def bats():
    hang.program("bats")
    with Project("bats") as project:
        project.compile("hangs", "passes", "skips")
        ran = project.hangs(lambda limit: project.marked("bats", "--tap", "hangs.bats",
                                                         WRAPPER=wrapper(limit)),
                            r"^# transfer\(")
        check("not ok 1 hangs" in ran.log, f"no failure of that test: {ran}")

        def outcome(words):
            ran = project.run("bats", "--tap", "passes.bats", WRAPPER=words)
            return {"status": ran.status, "output": ran.log}

        plain = outcome("")
        check("ok 2 skips # skip no branch nearby" in plain["output"], f"not as expected: {plain}")
        same(plain, outcome(wrapper(LONG)), "bats")


@case
def parallel():
    hang.program("parallel")
    with Project() as project:
        project.compile("hangs", "passes", "fails")

        def run(*words):
            ran = project.marked("parallel", "--will-cite", "--joblog", "jobs", *words)
            jobs = [line.split("\t") for line in project.read("jobs").splitlines()[1:]]
            return ran, {job[8].split()[-1]: job[6:8] for job in jobs}

        def start(limit):
            ran, jobs = run(f"{wrapper(limit)} {{}}", ":::", "./passes", "./hangs")
            check_equal(jobs, {"./passes": ["0", "0"], "./hangs": ["124", "0"]}, "the statuses")
            return ran

        project.hangs(start)
        # Its own limit first: told to be patient, it waits for the dump.
        project.hangs(lambda limit: run("--timeout", str(limit), "--termseq", "TERM,60000,KILL",
                                        f"{wrapper(0)} {{}}", ":::", "./hangs")[0])

        def outcome(*words):
            ran, jobs = run("-k", *words, ":::", "./passes", "./fails")
            return {"status": ran.status, "output": ran.log, **jobs}

        plain = outcome()
        check_equal(plain["./fails"], ["3", "0"], "the status of a failure")
        same(plain, outcome(f"{wrapper(LONG)} {{}}"), "parallel")


@case
def prove():
    hang.program("prove")
    with Project() as project:
        project.compile("hangs", "passes", "fails")

        ran = project.hangs(lambda limit: project.marked("prove", "--exec", wrapper(limit),
                                                         "./hangs", "./passes"))
        check("Wstat: 31744" in ran.log, f"another status than 124: {ran}")

        def outcome(words):
            ran = project.run("prove", "-v", "--merge", "--exec", words, "./passes", "./fails")
            return {"status": ran.status, "output": re.sub(r"^Files=.*", "", ran.log, flags=re.M)}

        plain = outcome("")
        check("ok 2 - from a closed account # SKIP" in plain["output"] and plain["status"] == 1,
              f"not as expected: {plain}")
        same(plain, outcome(wrapper(LONG)), "prove")


@case
def lit():
    # Debian has it among LLVM's build tools.
    program = next((path for path in (shutil.which("lit"), shutil.which("llvm-lit"),
                                      "/usr/lib/llvm-14/build/utils/lit/lit.py")
                    if path and os.path.exists(path)), None)
    if not program:
        raise Skip("lit is not installed")
    with Project("lit") as project:
        project.compile("hangs", "passes", "fails")

        def run(words, *names):
            ran = project.marked(program, "-v", "--output", "results.json", "-D", f"run={words}",
                                 *(f"{name}.test" for name in names))
            results = {test["name"]: test["code"]
                       for test in json.loads(project.read("results.json"))["tests"]}
            return ran, {"status": ran.status, **results}

        ran = project.hangs(lambda limit: run(wrapper(limit), "hangs", "passes")[0],
                            r"transfer\(")
        check("FAIL: recipe :: hangs.test" in ran.log, f"no failure of that test: {ran}")
        plain = run("", "passes", "fails")[1]
        check_equal(plain["recipe :: fails.test"], "FAIL", "what lit says")
        same(plain, run(wrapper(LONG), "passes", "fails")[1], "lit")


# --- continuous integration -------------------------------------------------------------------


@contextlib.contextmanager
def step(shell, script):
    """A project with a step as a CI service makes one of the lines of its configuration."""
    with Project() as project:
        project.compile("hangs")
        with open(project.path("step.sh"), "w", encoding="utf-8") as file:
            file.write(script)
        summary = project.path("summary.md")
        open(summary, "w").close()

        def run(limit, **more):
            return project.marked(*shell, "step.sh", LIMIT=str(limit), **more)

        yield project, run


def github(script='exec hangdump run -t "$LIMIT" -- ./hangs\n'):
    return step(("bash", "--noprofile", "--norc", "-e", "-o", "pipefail"), script)


def github_words(project):
    return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": project.path("summary.md")}


@case
def github_limit():
    with github() as (project, run):
        ran = project.hangs(lambda limit: run(limit, **github_words(project)))
        check_equal(ran.status, 124, "the status")
        check_equal(len(re.findall(r"^::error ", ran.log, re.M)), 1, "annotations")
        check("transfer" in project.read("summary.md"), "the summary does not name the function")


@case
def github_cancels():
    """The runner's own times: SIGINT to the step's first process, after 7.5 s SIGTERM, after 2.5
    more SIGKILL."""
    def cancel(project, process):
        wait_until(lambda: os.path.exists(project.mark), "the test reaches its hang")
        for number, seconds in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5)):
            os.kill(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                return
        process.kill()

    with github() as (project, run):
        project.hangs(lambda limit: run(LONG, meanwhile=lambda process: cancel(project, process),
                                        **github_words(project)))


@case
def github_kills_at_once():
    def kill(project, process):
        wait_until(lambda: os.path.exists(project.mark), "the test reaches its hang")
        process.kill()

    with github() as (project, run):
        ran = run(LONG, meanwhile=lambda process: kill(project, process))
        check_equal(ran.status, -signal.SIGKILL, "the status")


@case
def gitlab():
    """A job's script is the input of a shell; what ends a job signals the group."""
    def cancel(project, process):
        wait_until(lambda: os.path.exists(project.mark), "the test reaches its hang")
        os.killpg(process.pid, signal.SIGTERM)

    with step(("bash", "-e"), 'hangdump run -t "$LIMIT" -- ./hangs\necho not reached\n') as (
            project, run):
        ran = project.hangs(run)
        check_equal(ran.status, 124, "the status")
        check("not reached" not in ran.log, f"the job went on: {ran}")
        project.hangs(lambda limit: run(LONG, meanwhile=lambda process: cancel(project, process)))


if __name__ == "__main__":
    # Most of the time is spent waiting for limits to expire.
    hang.main(jobs=2 * (os.cpu_count() or 1), once=True)
