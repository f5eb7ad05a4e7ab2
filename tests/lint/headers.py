#!/usr/bin/env python3
"""Each header compiles alone: it includes what it uses."""

import os
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def main():
    src = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(TOP, "src")
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = shlex.split(os.environ.get("HANGDUMP_HEADER_FLAGS", ""))
    failed = count = 0
    with tempfile.TemporaryDirectory(prefix="hangdump-lint-") as scratch:
        unit = os.path.join(scratch, "unit.c")
        for directory, _, names in sorted(os.walk(src)):
            for name in sorted(names):
                if not name.endswith(".h"):
                    continue
                header = os.path.relpath(os.path.join(directory, name), src)
                # Twice: its guard works.
                with open(unit, "w", encoding="utf-8") as file:
                    file.write(f'#include "{header}"\n#include "{header}"\n')
                ran = subprocess.run(
                    [*compiler, "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra",
                     "-Werror", "-iquote", src, *flags, unit],
                    stderr=subprocess.PIPE, check=False)
                count += 1
                if ran.returncode:
                    failed += 1
                    print(f"{header} does not compile alone:\n{ran.stderr.decode()}")
    print(f"{count} headers, {failed} do not compile alone")
    sys.exit(1 if failed or not count else 0)


if __name__ == "__main__":
    main()
