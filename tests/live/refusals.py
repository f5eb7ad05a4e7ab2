#!/usr/bin/env python3
"""What hangdump says when it has nothing to show: one line, the reason, the right status."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import AsNobody, Skip, Victim, case, check, check_equal, check_one_error_line, check_untraced



def refused(words, status, *patterns):
    result = hang.run_hangdump(*words)
    check_one_error_line(result, status, *patterns)
    check_equal(result.out, b"", f"{result}: standard output")
    return result


for _word in ("abc", "12x", "", " 1", "1 ", "1e3", "0", "0x10", "+1", "1.5", "99999999999999999999",
              "2147483648", "4294967297", "\x1b[31m", "two\nlines"):
    hang.add_case(f"{_word!r} is not a process ID", refused, [_word], 2, "process ID")


def bad_usage(words):
    result = hang.run_hangdump(*words)
    check_equal(result.status, 2, f"{result}: exit status")
    lines = result.errors().splitlines()
    check(1 <= len(lines) <= 2 and lines[0].startswith("hangdump: "), f"{result}: its words")
    check_equal(result.out, b"", f"{result}: standard output")


for _words in ([], ["-5"], ["--no-such-option", "1"], ["--format=xml", "1"], ["--format=", "1"],
               ["--deadline=soon", "1"], ["--deadline=-1", "1"], ["--max-frames=-1", "1"],
               ["--max-frames=x", "1"], ["--unwinder=magic", "1"], ["--color=perhaps", "1"],
               ["--kernel-stacks=2", "1"], ["-o"], ["--tree"]):
    hang.add_case(f"`hangdump {' '.join(_words)}` is bad usage", bad_usage, _words)


@case
def help_and_version_are_no_errors():
    for words, pattern in ((["--help"], "Usage: hangdump"), (["--usage"], "Usage: hangdump"),
                           (["--version"], r"hangdump \d+\.\d+"), (["help"], "Usage: hangdump")):
        result = hang.run_hangdump(*words)
        check_equal((result.status, result.errors()), (0, ""), f"{result}")
        check(re.search(pattern, result.text()), f"{result}: does not print {pattern!r}")


@case
def a_process_that_is_gone():
    gone = subprocess.Popen(["true"])
    gone.wait()
    refused([gone.pid], 2, "no such process", rf"^hangdump: {gone.pid}: ")


@case
def a_pid_beyond_the_largest():
    largest = int(hang.read_file("/proc/sys/kernel/pid_max"))
    refused([largest + 1], 2, "no such process")


@case
def the_thread_id_of_another_thread():
    """It is not a process ID; whatever the answer, it is a plain one."""
    with Victim("sleeper", "--threads=1") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 2)
        tid = hang.tids_of(victim.pid)[1]
        result = hang.run_hangdump("--format=json", tid)
        if result.status == 2:
            check_one_error_line(result, 2)
        else:
            check_equal(sorted(hang.threads_of(result.json())), hang.tids_of(victim.pid), "threads")


@case
def a_kernel_thread():
    fields = hang.stat_fields(2)
    if not fields or not int(fields[6]) & 0x00200000:
        raise Skip("process 2 is no kernel thread here (a container)")
    refused([2], 2, "kernel thread", "^hangdump: 2: ")


@case
def a_zombie():
    with Victim("sleeper", "--zombie") as victim:
        _, child = victim.ready()
        check_equal(hang.state_of(int(child)), "Z", "state of the child")
        refused([child], 2, "zombie|has ended", rf"^hangdump: {child}: ")


@case
def itself():
    result = subprocess.run(["/bin/sh", "-c", f'exec "{hang.HANGDUMP}" $$'], capture_output=True,
                            timeout=hang.LIMIT)
    check_equal(result.returncode, 2, f"status; {result.stderr!r}")
    check(b"itself" in result.stderr, f"said {result.stderr!r}")


@case
def one_of_two_processes_is_gone():
    gone = subprocess.Popen(["true"])
    gone.wait()
    with Victim("sleeper") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 1)
        result = hang.run_hangdump("--format=json", victim.pid, gone.pid)
        check_one_error_line(result, 1, "no such process", rf"^hangdump: {gone.pid}: ")
        dump = result.json()
        check_equal([p["pid"] for p in dump["processes"]], [victim.pid], "processes")
        check_equal([(e["pid"], e["what"], e["why"]) for e in dump["errors"]],
                    [(gone.pid, "process", "no such process")], "errors in the report")
        quiet = hang.run_hangdump("-q", "--format=json", victim.pid, gone.pid)
        check_equal((quiet.status, quiet.errors()), (1, ""), "with -q: status, words")


# --- permission --------------------------------------------------------------------------------


@case
def another_users_process():
    with AsNobody() as nobody, Victim("sleeper") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 1)
        result = nobody.run(victim.pid)
        check_one_error_line(result, 2, "permission|not permitted", rf"^hangdump: {victim.pid}: ")
        check(len(result.errors().splitlines()) == 2, f"{result}: no advice")
        check_equal(result.out, b"", f"{result}: standard output")


@case
def ones_own_process_needs_no_root():
    with AsNobody() as nobody, nobody.sleeper() as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 1)
        result = nobody.run("--format=json", victim.pid)
        check(result.status in (0, 1), f"{result}")
        thread = hang.threads_of(result.json())[victim.pid]
        check_equal(thread["wait"]["class"], "signal wait", "wait class")
        check("wait_here" in hang.functions_of(thread), f"frames {hang.functions_of(thread)}")
        check_untraced(victim.pid)


@case
def a_set_user_id_program_is_not_called_another_users():
    """Its real user is ours: to run hangdump as that one is no advice."""
    with AsNobody() as nobody:
        path = os.path.join(nobody.directory, "sleeper")
        os.chown(path, 1, 1)
        os.chmod(path, 0o4755)
        with nobody.sleeper() as victim:
            victim.ready()
            if hang.status_field(victim.pid, victim.pid, "Uid").split()[1] != "1":
                raise Skip("the file system is mounted with nosuid")
            result = nobody.run(victim.pid)
            check_one_error_line(result, 2, "set-id", rf"^hangdump: {victim.pid}: ")
            check("as root" in result.errors(), f"{result}: its advice")


@case
def a_process_that_is_not_dumpable():
    with AsNobody() as nobody, nobody.sleeper("--undumpable") as victim:
        victim.ready()
        hang.wait_until(lambda: hang.state_of(victim.pid) == "S", "the victim asleep")
        result = nobody.run(victim.pid)
        check_one_error_line(result, 2, "permission|not permitted", rf"^hangdump: {victim.pid}: ")
        check(re.search("dumpable|credential", result.errors()), f"{result}: does not say why")
        # Root may.
        check(hang.run_hangdump(victim.pid).status in (0, 1), "refused to root")


@case
def an_init_of_root_to_nobody():
    with AsNobody() as nobody:
        check_one_error_line(nobody.run(1), 2, "permission|not permitted")


@case
def a_sandbox_of_our_own_that_forbids_ptrace():
    """As in a container with a strict filter: another reason, another advice."""
    program = (
        "import ctypes,os,struct,sys\n"
        "l=ctypes.CDLL(None)\n"
        "def i(c,t,f,k): return struct.pack('HBBI',c,t,f,k)\n"
        "b=i(0x20,0,0,0)+i(0x15,0,1,101)+i(6,0,0,0x50001)+i(6,0,0,0x7fff0000)\n"
        "s=ctypes.create_string_buffer(b)\n"
        "class P(ctypes.Structure): _fields_=[('n',ctypes.c_ushort),('f',ctypes.c_void_p)]\n"
        "p=P(4,ctypes.addressof(s))\n"
        "assert l.prctl(38,1,0,0,0)==0 and l.prctl(22,2,ctypes.byref(p))==0\n"
        "os.execv(sys.argv[1],sys.argv[1:])\n")
    with Victim("sleeper", "--threads=2") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 3)
        result = subprocess.run(
            [sys.executable, "-c", program, hang.HANGDUMP, "--format=json", str(victim.pid)],
            capture_output=True, timeout=hang.LIMIT)
        said = result.stderr.decode() + result.stdout.decode()
        check(result.returncode in (1, 2), f"status {result.returncode}: {said[:300]}")
        check(re.search("seccomp|sandbox|container|not permitted|permission", said),
              f"does not say why: {said[:500]}")


# --- output that cannot be written -------------------------------------------------------------


def to_closed(victim, *options, close=(1,)):
    def prepare():
        for fd in close:
            os.close(fd)

    return hang.run_hangdump(*options, victim.pid, stdout=None, preexec=prepare)


@case
def standard_output_is_closed():
    with Victim("sleeper") as victim:
        victim.ready()
        check_one_error_line(to_closed(victim), 2, "standard output")
        check_untraced(victim.pid)


@case
def standard_output_is_full():
    with Victim("sleeper") as victim, open("/dev/full", "wb") as full:
        victim.ready()
        for option in ("--format=text", "--format=json"):
            result = hang.run_hangdump(option, victim.pid, stdout=full)
            check_one_error_line(result, 2, "No space left", "standard output")
        check_untraced(victim.pid)


@case
def the_help_to_a_full_disk_is_no_success():
    with open("/dev/full", "wb") as full:
        result = hang.run_hangdump("--help", stdout=full)
        check(result.status != 0, f"{result}: the help was lost, and it says 0")


@case
def all_standard_streams_are_closed():
    with Victim("sleeper") as victim, tempfile.TemporaryDirectory() as directory:
        victim.ready()
        path = os.path.join(directory, "dump.json")
        result = to_closed(victim, "-o", path, close=(0, 1, 2))
        check(result.status in (0, 1), f"{result}")
        import json

        with open(path, encoding="utf-8") as file:
            hang.check_dump(json.load(file))


def unwritable(path, *patterns):
    with Victim("sleeper") as victim:
        victim.ready()
        result = hang.run_hangdump("-o", path, victim.pid)
        check_one_error_line(result, 2, *patterns)
        check_equal(result.out, b"", f"{result}: standard output")
        check_untraced(victim.pid)


hang.add_case("-o into a missing directory", unwritable, "/nonexistent/x.json",
              "No such file or directory", "/nonexistent/x.json")
hang.add_case("-o to a directory", unwritable, "/", "Is a directory|directory")
hang.add_case("-o to a full device", unwritable, "/dev/full", "No space left", "/dev/full")
hang.add_case("-o without a name", unwritable, "", "No such file|could not")
hang.add_case("-o to a name too long", unwritable, "x" * 300, "too long")


@case
def o_into_a_directory_of_somebody_else():
    with AsNobody() as nobody, nobody.sleeper() as victim:
        victim.ready()
        path = os.path.join(nobody.directory, "dump.json")
        check_one_error_line(nobody.run("-o", path, victim.pid), 2, "Permission denied")
        check(not os.path.exists(path), "it is there")


@case
def o_onto_a_disk_that_fills_up():
    """RLIMIT_FSIZE stands for it: the write fails half-way."""
    import resource

    with Victim("sleeper", "--threads=50") as victim, tempfile.TemporaryDirectory() as directory:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 51)
        path = os.path.join(directory, "dump.json")
        with open(path, "w") as file:
            file.write("old")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        result = subprocess.run([hang.HANGDUMP, "-o", path, str(victim.pid)], preexec_fn=limit,
                                stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        check(result.returncode == 2, f"status {result.returncode}: {result.stderr!r}")
        with open(path) as file:
            check_equal(file.read(), "old", "the file that was there")
        check_equal(os.listdir(directory), ["dump.json"], "files")


hang.main()
