#!/usr/bin/env python3
"""Every test script can be started as `make check` does it, and is one of its tests."""

import os
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def main():
    complaints = []
    count = 0
    for folder in ("tests/lint", "tests/live"):
        with open(os.path.join(TOP, folder, "local.mk"), encoding="utf-8") as file:
            listed = file.read().split()
        for name in sorted(os.listdir(os.path.join(TOP, folder))):
            path = f"{folder}/{name}"
            if not name.endswith(".py"):
                continue
            count += 1
            with open(os.path.join(TOP, path), encoding="utf-8") as file:
                if not file.readline().startswith("#!"):
                    complaints.append(f"{path} does not begin with #!")
            if not os.access(os.path.join(TOP, path), os.X_OK):
                complaints.append(f"{path} is not executable")
            if path not in listed:
                complaints.append(f"{path} is not in {folder}/local.mk")
    for complaint in complaints:
        print(complaint)
    print(f"{count} scripts, {len(complaints)} complaints")
    sys.exit(1 if complaints or not count else 0)


if __name__ == "__main__":
    main()
