#!/usr/bin/env python3
"""Rooms include what the design lets them, and nothing else: the arrows are one corridor.

Every room may include base and model.  What else each may, is the table below.  Also: no circle
between headers, own header first, and no room reaches into another by a relative path.
"""

import os
import re
import sys

SRC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")

READER = {"capture/reader.h", "capture/memory.h"}
EVERYBODY = {"base", "model"}

# What a room may include beside its own headers, base and model: rooms, or single headers.
ROOMS = {
    "base": set(),
    "model": set(),
    "capture": set(),
    "objects": READER,
    "unwind": READER | {"objects/objects.h"},
    "symbolize": READER | {"objects/objects.h"},
    "classify": READER,
    "analyse": set(),
    "group": set(),
    "store": set(),
    "diff": set(),
    # Texts are read in the words in which they were written.
    "parse": {"render/words.h"},
    "render": set(),
    "launch": set(),
    # The one place that knows the order of the stages: their one header each.
    "pipeline": READER | {f"{room}/{room}.h" for room in
                          ("capture", "objects", "unwind", "symbolize", "classify", "analyse",
                           "group", "diff")} | {"symbolize/answers.h"},
    "cli": {f"{room}/{room}.h" for room in
            ("pipeline", "store", "parse", "group", "render", "launch", "diff")} |
           {"pipeline/samples.h", "symbolize/answers.h"},
}
# Below model there is only base, below base nothing of ours.
LOW = {"base": set(), "model": {"base"}}
# Found by includes without a room: what configure makes.
GENERATED = {"config.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def sources(src):
    for directory, _, names in os.walk(src):
        for name in sorted(names):
            if name.endswith((".c", ".h", ".inc")):
                path = os.path.join(directory, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, src), without_comments(file.read())


def may_include(room, header):
    target = header.split("/")[0]
    if target == room:
        return True
    if target in LOW.get(room, EVERYBODY):
        return True
    return target in ROOMS[room] or header in ROOMS[room]


def check_file(path, text, headers, complaints):
    room = path.split("/")[0] if "/" in path else None
    includes = INCLUDE.findall(text)
    ours = [name for form, name in includes if form == '"']
    if room is not None and room not in ROOMS:
        complaints.append(f"{path}: {room} is no room that tests/lint/includes.py knows")
        return
    for name in ours:
        if name in GENERATED:
            continue
        if "/" not in name or name.startswith("."):
            complaints.append(f"{path}: includes \"{name}\" without its room")
        elif name not in headers:
            complaints.append(f"{path}: includes \"{name}\", which is not in src/")
        elif room is None:
            if name != "cli/cli.h":
                complaints.append(f"{path}: may include cli/cli.h only, not {name}")
        elif not may_include(room, name):
            complaints.append(f"{path}: {room} may not include {name}")
    own = path[:-2] + ".h"
    if path.endswith(".c") and own in headers and own in ours:
        first = next(name for _, name in includes if name not in GENERATED)
        if first != own:
            complaints.append(f"{path}: its own header comes after {first}")


def find_circles(graph, complaints):
    done, path = set(), []

    def visit(node):
        if node in path:
            complaints.append("a circle: " + " -> ".join(path[path.index(node):] + [node]))
            return
        if node in done:
            return
        path.append(node)
        for following in sorted(graph.get(node, ())):
            visit(following)
        path.pop()
        done.add(node)

    for node in sorted(graph):
        visit(node)


def main():
    src = sys.argv[1] if len(sys.argv) > 1 else SRC
    files = dict(sources(src))
    headers = {path for path in files if path.endswith(".h")}
    complaints = []
    rooms = {}
    for path, text in files.items():
        check_file(path, text, headers, complaints)
        if "/" in path:
            room = path.split("/")[0]
            for form, name in INCLUDE.findall(text):
                if form == '"' and "/" in name and name.split("/")[0] != room:
                    rooms.setdefault(room, set()).add(name.split("/")[0])
    find_circles({path: {name for form, name in INCLUDE.findall(files[path]) if name in headers}
                  for path in headers}, complaints)
    find_circles(rooms, complaints)
    for complaint in complaints:
        print(complaint)
    if not files:
        sys.exit(f"no sources under {src}")
    print(f"{len(files)} files, {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
