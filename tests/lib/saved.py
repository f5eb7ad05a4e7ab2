"""A capture that is saved in both formats, and what `hangdump show` makes of it."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import hang
from hang import SRCDIR, check, check_equal


class Saved:
    """A directory of saved dumps."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="hangdump-show-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def capture(self, *arguments):
        """Both formats of one capture: their text and the exit status."""
        result = hang.run_hangdump("-o", self.path("a.json"), "-o", self.path("a.txt"), *arguments,
                                   limit=3 * hang.LIMIT)
        check(result.status in (0, 1), f"{result}")
        check_equal(result.out, b"", f"{result}: standard output")
        return self.read("a.txt"), result.status

    def check_shown(self, *looks):
        """What show makes of the JSON is what the capture has printed."""
        text, json_text = self.read("a.txt"), self.read("a.json")
        shown = hang.run_hangdump("show", *looks, self.path("a.json"))
        if shown.out != text:
            where = next(i for i, (a, b) in enumerate(zip(text + b"\0", shown.out + b"\1"))
                         if a != b)
            hang.fail(f"{shown}: differs at byte {where}: {text[where - 60:where + 60]!r} live, "
                      f"{shown.out[where - 60:where + 60]!r} shown")
        again = hang.run_hangdump("show", "--format=json", self.path("a.json"))
        check(again.out == json_text, f"{again}: the JSON is not the same")
        check_equal(again.status, shown.status, "status of text and JSON")
        check_schema(json_text)
        return shown.status


def check_schema(text):
    done = subprocess.run(
        [sys.executable, os.path.join(SRCDIR, "tests", "unit", "store", "validate.py"),
         os.path.join(SRCDIR, "src", "store", "hangdump.schema.json")],
        input=text, capture_output=True)
    check(done.returncode in (0, 77), f"not as the schema says: {done.stderr[:1000]!r}")
