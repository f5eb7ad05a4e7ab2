#!/usr/bin/env python3
"""-o FILE: whole or not at all, for its owner only, in the form that its name tells."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Skip, Victim, case, check, check_equal


class Scene:
    """A directory to write into and a process to dump."""

    def __init__(self, threads=3):
        self.directory = tempfile.TemporaryDirectory(prefix="hangdump-output-")
        self.victim = Victim("sleeper", f"--threads={threads}")
        self.victim.ready()
        hang.wait_all_blocked(self.victim.pid, threads + 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.victim.kill()
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def files(self):
        return sorted(os.listdir(self.directory.name))

    def write(self, name, *options, **more):
        result = hang.run_hangdump(*options, "-o", self.path(name), self.victim.pid, **more)
        check(result.status in (0, 1), f"{result}")
        check_equal(result.out, b"", f"{result}: standard output")
        with open(self.path(name), "rb") as file:
            return file.read()


def is_json(content):
    return hang.check_dump(json.loads(content))


def is_text(content):
    check(content.startswith(b"hangdump: process "), f"not a text report: {content[:100]!r}")


@case
def the_suffix_tells_the_format():
    with Scene() as scene:
        is_json(scene.write("a.json"))
        is_text(scene.write("a.txt"))
        is_text(scene.write("a"))
        is_text(scene.write("json"))
        is_text(scene.write("b.json", "--format=text"))
        is_json(scene.write("b.txt", "--format=json"))
        check_equal(scene.files(), ["a", "a.json", "a.txt", "b.json", "b.txt", "json"], "files")


@case
def only_its_owner_may_read_it():
    for mask in (0o000, 0o022, 0o077):
        with Scene() as scene:
            before = os.umask(mask)
            try:
                scene.write("a.json")
            finally:
                os.umask(before)
            mode = stat.S_IMODE(os.stat(scene.path("a.json")).st_mode)
            check_equal(oct(mode), oct(0o600), f"mode under umask {oct(mask)}")


@case
def an_older_file_is_replaced_as_a_whole():
    with Scene() as scene:
        with open(scene.path("a.json"), "w") as file:
            file.write("x" * 1000000)
        os.chmod(scene.path("a.json"), 0o644)
        reader = open(scene.path("a.json"))
        is_json(scene.write("a.json"))
        check_equal(len(reader.read()), 1000000, "what an earlier reader sees")
        reader.close()
        check_equal(oct(stat.S_IMODE(os.stat(scene.path("a.json")).st_mode)), oct(0o600), "mode")
        check_equal(scene.files(), ["a.json"], "files")


@case
def an_older_file_stays_when_there_is_nothing_to_write():
    with Scene() as scene:
        with open(scene.path("a.json"), "w") as file:
            file.write("old")
        gone = subprocess.Popen(["true"])
        gone.wait()
        result = hang.run_hangdump("-o", scene.path("a.json"), gone.pid)
        check_equal(result.status, 2, f"{result}")
        with open(scene.path("a.json")) as file:
            check_equal(file.read(), "old", "the older file")
        result = hang.run_hangdump("-o", scene.path("b.json"), gone.pid)
        check_equal(result.status, 2, f"{result}")
        check_equal(scene.files(), ["a.json"], "files")


@case
def a_symbolic_link_stays_one():
    with Scene() as scene:
        os.mkdir(scene.path("d"))
        with open(scene.path("d/target.json"), "w") as file:
            file.write("old")
        os.symlink("d/target.json", scene.path("link.json"))
        is_json(scene.write("link.json"))
        check(os.path.islink(scene.path("link.json")), "the link is a link no more")
        check_equal(os.listdir(scene.path("d")), ["target.json"], "files behind the link")


@case
def a_device_is_written_to_and_never_replaced():
    if os.geteuid() != 0:
        raise Skip("needs root, to make a device")
    with Scene() as scene:
        try:
            os.mknod(scene.path("null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            raise Skip("may not make a device here")
        try:
            scene.write("null")
        except PermissionError:
            raise Skip("devices do not work on this file system")
        check(stat.S_ISCHR(os.stat(scene.path("null")).st_mode), "the device is gone")
        check_equal(scene.files(), ["null"], "files")


@case
def a_fifo_is_written_to():
    with Scene() as scene:
        os.mkfifo(scene.path("pipe.json"))
        reader = subprocess.Popen(["cat", scene.path("pipe.json")], stdout=subprocess.PIPE)
        hang.wait_until(lambda: (hang.syscall_of(reader.pid, reader.pid) or [0])[0] == 257,
                        "cat to open the FIFO")
        result = hang.run_hangdump("-o", scene.path("pipe.json"), scene.victim.pid)
        check(result.status in (0, 1), f"{result}")
        is_json(reader.communicate(timeout=hang.LIMIT)[0])
        check(stat.S_ISFIFO(os.stat(scene.path("pipe.json")).st_mode), "the FIFO is gone")


@case
def a_fifo_without_a_reader_is_no_place_to_hang():
    with Scene() as scene:
        os.mkfifo(scene.path("pipe.json"))
        result = hang.run_hangdump("-o", scene.path("pipe.json"), scene.victim.pid, limit=30)
        hang.check_one_error_line(result, 2, "pipe.json")


def killed_while_writing(number):
    rng = random.Random(5)
    with Scene(threads=200) as scene:
        # One that met a busy moment would make most of the others end in time.
        whole = min(hang.run_hangdump("-o", scene.path("first.json"), scene.victim.pid).seconds
                    for _ in range(3))
        os.unlink(scene.path("first.json"))
        caught = 0
        for turn in range(60):
            path = scene.path("a.json")
            with open(path, "w") as file:
                file.write("old")
            process = subprocess.Popen([hang.HANGDUMP, "-o", path, str(scene.victim.pid)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       # nohup(1) may be above us
                                       preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)
                                       if number != signal.SIGKILL else None)
            time.sleep(rng.uniform(0, whole * 1.1))
            process.send_signal(number)
            caught += process.wait() == -number
            with open(path) as file:
                content = file.read()
            if content != "old":
                is_json(content)
            left = [name for name in scene.files() if name != "a.json"]
            if number == signal.SIGKILL:  # nobody can clean up after that; it must not harm
                for name in left:
                    os.unlink(scene.path(name))
                left = []
            check(not left, f"turn {turn}: left behind {left}")
        check(caught >= 10, f"only {caught} of 60 were killed before their end")


for _signal in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    hang.add_case(f"killed by {_signal.name}: old or whole", killed_while_writing, _signal)


@case
def two_at_once_do_not_mix():
    with Scene(threads=100) as scene:
        path = scene.path("a.json")
        processes = [subprocess.Popen([hang.HANGDUMP, "-o", path, str(scene.victim.pid)])
                     for _ in range(4)]
        for process in processes:
            # The one that comes second finds the process traced, and says so.
            check(process.wait(hang.LIMIT) in (0, 1, 2), f"status {process.returncode}")
        with open(path) as file:
            is_json(file.read())
        check_equal(scene.files(), ["a.json"], "files")


hang.main()
