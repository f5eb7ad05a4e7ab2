#!/usr/bin/env python3
"""Does hangdump see the stacks that gdb sees?

	compare_gdb.py [--min PERCENT] [--verbose] PID...

Dumps a process with hangdump, with gdb, and with hangdump again, and compares the walk frame by
frame.  A frame of gdb's counts when it is

  named      gdb knows its function; a pc without a name is often gdb's guess
  physical   not inlined, and not deduced from a tail call: a caller that has left the stack, which
             no walk can see
  still      both dumps of hangdump have the thread at the same pc: a thread that moved in between
             cannot be compared

and hangdump agrees when it has the same pc at the same place of the same walk, with the same
function: the same start address, or the same name once the aliases of the C library are set aside.
Inlined frames that both know are counted apart, and so are frames that only hangdump has (gdb
stops early where the debug information does), and what gdb has outside of a frame in anonymous
memory, generated code, and hangdump does not: gdb guesses there.
"""

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hang

# Runs inside of gdb: every frame of every thread, as one line of JSON.
GDB_SCRIPT = r"""
import gdb, json, re
kinds = {gdb.NORMAL_FRAME: "normal", gdb.INLINE_FRAME: "inline", gdb.TAILCALL_FRAME: "tail call",
         gdb.SIGTRAMP_FRAME: "signal"}
starts = {}
def start_of(pc):
    if pc not in starts:
        try:
            said = gdb.execute("info symbol 0x%x" % pc, to_string=True)
            found = re.match(r"(.+?)(?: \+ (\d+))? in section", said)
            starts[pc] = pc - int(found.group(2) or 0) if found else None
        except gdb.error:
            starts[pc] = None
    return starts[pc]
threads = {}
for thread in gdb.selected_inferior().threads():
    frames = []
    end = ""
    try:
        thread.switch()
        frame = gdb.newest_frame()
        while frame is not None and len(frames) < 2000:
            exact = not frames or frames[-1]["kind"] == "signal"
            pc = frame.pc()
            frames.append({"kind": kinds.get(frame.type(), "other"), "pc": pc,
                           "name": frame.name(), "start": start_of(pc if exact else pc - 1)})
            end = gdb.frame_stop_reason_string(frame.unwind_stop_reason())
            frame = frame.older()
    except gdb.error as error:
        end = str(error)
    threads[thread.ptid[1]] = {"frames": frames, "end": end}
print("THREADS " + json.dumps(threads))
"""


def gdb_threads(pid):
    """{tid: {frames, end}}; raises Skip when there is no gdb that can."""
    gdb = hang.program("gdb")
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(GDB_SCRIPT)
        script.flush()
        ran = subprocess.run(
            [gdb, "-batch", "-nx", "-iex", "set debuginfod enabled off",
             "-iex", "set auto-load off", "-ex", "set backtrace past-main on",
             "-ex", "set backtrace past-entry on", "-p", str(pid), "-x", script.name],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    for line in ran.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("THREADS "):
            return {int(tid): t for tid, t in json.loads(line[8:]).items()}
    said = ran.stderr.decode("utf-8", "replace")
    if "Python" in said:
        raise hang.Skip("this gdb has no Python")
    hang.fail(f"gdb said nothing of {pid}: {said[-500:]}")


def physical(frames):
    """hangdump's frames of the walk, with numbers for pcs."""
    walk = []
    for frame in frames:
        if frame["kind"] == "kernel" or frame.get("inlined"):
            continue
        pc = int(frame["pc"], 16)
        offset = frame.get("offset")
        walk.append({"pc": pc, "name": frame.get("function"),
                     "start": pc - offset if offset is not None else None,
                     "found_by": frame["found_by"]})
    return walk


def inlined_names(frames):
    return [plain_name(f.get("function")) for f in frames if f.get("inlined")]


def plain_name(name):
    """Without what demanglers, symbol versions and the C library's aliases add."""
    if not name:
        return None
    name = re.sub(r"@.*$", "", name)
    name = re.sub(r"\.(constprop|isra|part|cold|lto_priv|llvm)\b.*$", "", name)
    name = name.replace("(anonymous namespace)", "{anon}").replace("operator()", "operator{}")
    # Template arguments and parameters are written in many ways.
    while True:
        less = re.sub(r"<[^<>]*>|\([^()]*\)(?:\s*const)?", "", name)
        if less == name:
            break
        name = less
    name = re.sub(r"\[abi:[^]]*\]|\[clone[^]]*\]", "", name).strip()
    name = name.split(" ")[-1]  # a return type
    return re.sub(r"^(__GI_+|__libc_|__new_|___+|__|_IO_|_)+", "", name) or name


def same_function(ours, theirs):
    if ours["start"] is not None and ours["start"] == theirs["start"]:
        return True
    return plain_name(ours["name"]) == plain_name(theirs["name"])


class Comparison:
    def __init__(self, pid):
        self.pid = pid
        self.only_ours = []  # tids
        self.only_gdb = []
        self.moved = []
        self.compared = 0
        self.named = 0  # gdb's named physical frames in threads that held still
        self.agreed = 0
        self.extra = 0  # frames that only hangdump has
        self.guesses = 0  # named frames of gdb's outside of generated code, not here
        self.tail_calls = 0
        self.gdb_inlined = 0
        self.our_inlined = 0
        self.same_inlined = 0
        self.differences = []  # (tid, text)

    def percent(self):
        return 100.0 * self.agreed / self.named if self.named else 0.0

    def summary(self):
        return (
            f"{self.compared} threads compared ({len(self.moved)} moved meanwhile), "
            f"{self.agreed} of {self.named} named physical frames of gdb's agree "
            f"({self.percent():.2f} %); {self.extra} frames only hangdump has,"
            f" {self.guesses} are guesses of gdb's; inlined:"
            f" {self.gdb_inlined} in gdb, {self.our_inlined} here, {self.same_inlined} the same;"
            f" {self.tail_calls} of gdb's frames are left tail calls"
        )

    def compare_thread(self, tid, ours, theirs, anonymous):
        walk = physical(ours["frames"])
        kinds = [f["kind"] for f in theirs["frames"]]
        self.tail_calls += kinds.count("tail call")
        gdb_inlined = [plain_name(f["name"]) for f in theirs["frames"] if f["kind"] == "inline"]
        our_inlined = inlined_names(ours["frames"])
        self.gdb_inlined += len(gdb_inlined)
        self.our_inlined += len(our_inlined)
        self.same_inlined += sum(
            block.size for block in difflib.SequenceMatcher(
                None, our_inlined, gdb_inlined, False).get_matching_blocks())
        their_walk = [f for f in theirs["frames"] if f["kind"] in ("normal", "signal", "other")]
        # "past-entry" ends in frames at pc 0, which are no frames.
        while their_walk and their_walk[-1]["pc"] == 0:
            their_walk.pop()
        self.compared += 1
        matcher = difflib.SequenceMatcher(None, [f["pc"] for f in walk],
                                          [f["pc"] for f in their_walk], False)
        matched = set()
        for block in matcher.get_matching_blocks():
            for i in range(block.size):
                matched.add(block.b + i)
                self._judge(tid, block.b + i, walk[block.a + i], their_walk[block.b + i])
        guessed = False
        for i, frame in enumerate(their_walk):
            guessed = guessed or any(start <= frame["pc"] < end for start, end in anonymous)
            if i not in matched and frame["name"] and guessed:
                self.guesses += 1
            elif i not in matched and frame["name"]:
                self.named += 1
                self.differences.append(
                    (tid, f"#{i} {frame['pc']:#x} {frame['name']}: hangdump lacks it"
                          f" (it has {[f['name'] for f in walk]};"
                          f" {ours.get('incomplete_because') or 'complete'})"))
        self.extra += len(walk) - len(matched)

    def _judge(self, tid, index, ours, theirs):
        if not theirs["name"] or theirs["kind"] == "signal":
            return
        self.named += 1
        if same_function(ours, theirs):
            self.agreed += 1
        else:
            self.differences.append(
                (tid, f"#{index} {theirs['pc']:#x}: hangdump says {ours['name']}"
                      f" ({ours['found_by']}), gdb {theirs['name']}"))


def anonymous_code(pid):
    """Executable mappings without a file: [(start, end)]."""
    found = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) ..x. \S+ \S+ 0\s*$",
                       hang.read_file(f"/proc/{pid}/maps"), re.M)
    return [(int(start, 16), int(end, 16)) for start, end in found]


def walk_of(thread):
    return [f["pc"] for f in physical(thread["frames"])]


def compare(pid, options=()):
    """Compares; raises Skip when there is no gdb."""
    hang.program("gdb")
    first = hang.threads_of(hang.dump(pid, *options))
    theirs = gdb_threads(pid)
    again = hang.threads_of(hang.dump(pid, *options))
    anonymous = anonymous_code(pid)
    result = Comparison(pid)
    lasting = set(first) & set(again)
    result.only_ours = sorted(lasting - set(theirs))
    result.only_gdb = sorted(set(theirs) - (set(first) | set(again)))
    for tid in sorted(lasting & set(theirs)):
        # The innermost pc alone: should the walks differ below it, that is for the comparison.
        if walk_of(first[tid])[:1] != walk_of(again[tid])[:1] or _on_the_move(first[tid]):
            result.moved.append(tid)
            continue
        frames = theirs[tid]["frames"]
        if frames and walk_of(first[tid])[:1] != [frames[0]["pc"]] and \
                again[tid]["switches"] != first[tid]["switches"] and \
                not _blocked_alike(first[tid], again[tid]):
            result.moved.append(tid)
            continue
        result.compare_thread(tid, first[tid], theirs[tid], anonymous)
    return result


def _on_the_move(thread):
    return thread["wait"]["class"] in ("running",)


def _blocked_alike(a, b):
    return a["wait"]["class"] == b["wait"]["class"] and walk_of(a) == walk_of(b)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--min", type=float, default=None, metavar="PERCENT",
                        help="fail below that many percent of named frames")
    parser.add_argument("--verbose", action="store_true", help="every difference")
    parser.add_argument("--option", action="append", default=[], help="passed on to hangdump")
    parser.add_argument("pids", type=int, nargs="+", metavar="PID")
    arguments = parser.parse_args()
    status = 0
    for pid in arguments.pids:
        try:
            result = compare(pid, arguments.option)
        except hang.Skip as reason:
            print(f"{pid}: {reason}")
            sys.exit(77)
        print(f"{pid}: {result.summary()}")
        for tid in result.only_ours:
            print(f"  thread {tid}: gdb does not have it")
        for tid in result.only_gdb:
            print(f"  thread {tid}: hangdump does not have it")
        shown = result.differences if arguments.verbose else result.differences[:20]
        for tid, text in shown:
            print(f"  thread {tid}: {text}")
        if len(shown) < len(result.differences):
            print(f"  ... {len(result.differences) - len(shown)} more (--verbose)")
        if result.only_gdb or (arguments.min is not None and result.percent() < arguments.min):
            status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
