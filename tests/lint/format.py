#!/usr/bin/env python3
"""The C files look as .clang-format says.  Skipped where clang-format is not installed, or is of
another version than the one whose habits the files follow."""

import os
import re
import shutil
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
VERSION = "14"


def find_clang_format():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path:
            said = subprocess.run([path, "--version"], capture_output=True, text=True,
                                  check=False).stdout
            if re.search(rf"version {VERSION}\.", said):
                return path
    print(f"SKIP: clang-format {VERSION} is not installed")
    sys.exit(77)


def main():
    clang_format = find_clang_format()
    files = []
    for top in sys.argv[1:] or [os.path.join(TOP, "src"), os.path.join(TOP, "tests")]:
        for directory, _, names in os.walk(top):
            files += [os.path.join(directory, n) for n in names if n.endswith((".c", ".h"))]
    ran = subprocess.run([clang_format, "--dry-run", "-Werror", "--style=file", *sorted(files)],
                         stderr=subprocess.PIPE, cwd=TOP, check=False)
    bad = sorted(set(re.findall(r"^(.+?):\d+:\d+: error", ran.stderr.decode(), re.M)))
    for path in bad:
        print(f"{os.path.relpath(path, TOP)}: run clang-format -i on it")
    print(f"{len(files)} files, {len(bad)} to be formatted")
    sys.exit(1 if ran.returncode or not files else 0)


if __name__ == "__main__":
    main()
