#!/usr/bin/env python3
"""Two dumps of one run, of two runs, several samples in one call, and leaks."""

import json
import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Victim, case, check, check_equal, run_hangdump

def name_of(pid, tid):
    return hang.read_file(f"/proc/{pid}/task/{tid}/comm").strip()


def start(*arguments):
    victim = Victim("progress", *arguments)
    victim.ready()
    victim.sleeps = None
    settle(victim)
    return victim


def settle(victim):
    """Until all but the one that spins sleep, the poller in its poll."""

    def settled():
        for tid in hang.tids_of(victim.pid):
            try:
                name = name_of(victim.pid, tid)
            except OSError:
                return False
            call = hang.syscall_of(victim.pid, tid)
            if name in ("progress",) and tid != victim.pid:
                return False
            if name != "spinning" and (hang.state_of(victim.pid, tid) != "S" or not call):
                return False
        return True

    hang.wait_until(settled, "all threads of progress where they belong")


def tell(victim, command):
    victim.send(command)
    victim.expect("done")
    settle(victim)


class Again(Exception):
    """A dump that met the poller awake: its stops would show in the next one."""


def on_progress(function):
    """A case on a victim of its own, anew where a dump came at a bad moment."""

    def run():
        for _ in range(10):
            victim = start()
            try:
                return function(victim)
            except Again:
                victim.kill()
        hang.fail("the poller was never met asleep")

    run.__name__ = function.__name__
    return case(run)


def sleeps_of(victim):
    tid = next(t for t in hang.tids_of(victim.pid) if name_of(victim.pid, t) == "cycling")
    return int(hang.status_field(victim.pid, tid, "voluntary_ctxt_switches"))


def save(victim, name):
    """A dump in a file, at least two turns of the poller after the one before."""
    path = os.path.join(victim.scratch, name)
    if victim.sleeps is not None:
        hang.wait_until(lambda: sleeps_of(victim) >= victim.sleeps + 2, "two turns of the poller")
    settle(victim)
    result = run_hangdump("-o", path, victim.pid)
    check(result.status in (0, 1), f"{result}")
    with open(path, encoding="utf-8") as file:
        dump = hang.check_dump(json.load(file))
    waits = {t["name"]: t["wait"]["class"] for t in hang.threads_of(dump).values()}
    if waits["cycling"] != "sleep" or waits["spinning"] != "running":
        raise Again
    victim.sleeps = sleeps_of(victim)
    return path


def diff(*arguments, statuses=(0, 1)):
    result = run_hangdump("diff", "--format=json", *arguments)
    check(result.status in statuses, f"{result}: status not in {statuses}")
    check(not result.left_behind, f"{result}: processes left behind: {result.left_behind}")
    found = json.loads(result.out)
    check_equal(found["format"], "hangdump-diff", "format")
    check_equal(found["version"], 1, "version")
    check_schema(result.out)
    found["status"] = result.status
    return found


def check_schema(text):
    tool = os.path.join(hang.SRCDIR, "tests", "unit", "store", "validate.py")
    schema = os.path.join(hang.SRCDIR, "src", "store", "hangdump-diff.schema.json")
    ran = subprocess.run([sys.executable, tool, schema], input=text, capture_output=True,
                         check=False)
    check(ran.returncode in (0, 77), f"not by its schema: {ran.stderr.decode()[:1000]}")


def words(found):
    """{thread name: word}"""
    return {t["name"]: word for word, threads in found["threads"].items() for t in threads}


@on_progress
def each_word_is_said_of_its_thread(victim):
    old = save(victim, "old.json")
    tell(victim, "move")
    new = save(victim, "new.json")
    found = diff(old, new, statuses=(1,))
    check_equal(found["mode"], "same run", "mode")
    got = words(found)
    main = got.pop("progress")
    check(main in ("cycling", "moved"), f"the main thread, which has run: {main}")
    check_equal(
        got,
        {"stuck": "stuck", "cycling": "cycling", "spinning": "spinning", "moving": "moved",
         "newborn": "new", "leaving": "gone", "writing": "stuck"},
        "words",
    )
    text = run_hangdump("diff", "--color=never", old, new).text()
    order = [text.index(f'1 {word}: ') for word in ("new", "stuck", "cycling", "spinning")]
    check_equal(order, sorted(order), "the order of the groups")
    stat = run_hangdump("diff", "--stat", old, new).text()
    check("0 ->     1     +1  [semaphore wait] newborn: 1 new" in stat, f"--stat: {stat}")
    check("[semaphore wait] wait_for_ever: 1 stuck" in stat, f"--stat: {stat}")


@on_progress
def nothing_moves_in_a_hang(victim):
    for _ in range(10):
        old = save(victim, "old.json")
        new = save(victim, "new.json")
        found = diff(old, new)
        got = words(found)
        if got["cycling"] == "cycling":
            break  # it was met awake otherwise, and has moved
    check_equal(found["status"], 0, "status")
    check_equal(got.pop("cycling"), "cycling", "the poller")
    check_equal(got.pop("spinning"), "spinning", "the spinner")
    # Were our own stops counted, these would be cycling.
    check_equal(set(got.values()), {"stuck"}, f"the others: {got}")
    check_equal(run_hangdump("diff", "--fail-on=stuck", old, new).status, 1, "--fail-on=stuck")
    check_equal(run_hangdump("diff", "--fail-on=new,gone", old, new).status, 0, "--fail-on=new")
    check_equal(run_hangdump("diff", "--fail-on=spinning", old, new).status, 1,
                "--fail-on=spinning")


@on_progress
def who_runs_unseen_is_unknown(victim):
    """Somebody else traces it: what runs shows no stack, what sleeps all the while is stuck still."""
    old = save(victim, "old.json")
    with Victim("tracer", victim.pid) as tracer:
        tracer.ready()
        found = diff(old, victim.pid)
    check_equal(found["status"], 1, "status")
    got = words(found)
    check_equal(got["spinning"], "unknown", "what runs")
    check_equal(got["stuck"], "stuck", "what slept from the one to the other")
    why = [t["why"] for t in found["threads"]["unknown"] if t["name"] == "spinning"]
    check_equal(why, ["unreadable in one dump"], "why")


@on_progress
def a_live_process_is_compared_with_itself(victim):
    found = diff("--interval=300ms", victim.pid, victim.pid)
    check(found["apart_ns"] >= 300_000_000, f"apart: {found['apart_ns']}")
    check_equal(words(found)["stuck"], "stuck", "what is stuck")
    check_equal(words(found)["spinning"], "spinning", "what spins")


@on_progress
def one_dump_does_not_differ_from_itself(victim):
    old = save(victim, "old.json")
    found = diff(old, old, statuses=(0,))
    check_equal({w for w, t in found["threads"].items() if t}, {"unknown"}, "words")
    text = run_hangdump("diff", old, old).text()
    check("No time has passed" in text, f"does not say that it is one dump: {text[:500]}")


@on_progress
def swapped_dumps_warn(victim):
    old = save(victim, "old.json")
    tell(victim, "move")
    new = save(victim, "new.json")
    result = run_hangdump("diff", new, old)
    check("are they swapped?" in result.errors(), f"{result}: no warning")
    found = diff(new, old)
    check_equal(found["swapped"], True, "swapped")
    check_equal(words(found)["newborn"], "gone", "who is in the first only")
    check_equal(words(found)["leaving"], "new", "who is in the second only")
    check_equal(words(found)["stuck"], "stuck", "who is in both")


@on_progress
def exec_is_told(victim):
    old = save(victim, "old.json")
    victim.send("exec")
    victim.ready()
    settle(victim)
    found = diff(old, save(victim, "new.json"), statuses=(1,))
    check_equal(found["execed"], [victim.pid], "execed")
    check_equal([t["tid"] for t in found["threads"]["moved"]], [victim.pid], "moved")
    check_equal(len(found["threads"]["gone"]), 6, "those that exec has ended")
    check_equal(len(found["threads"]["new"]), 6, "those that came after")


def bank(path=None):
    victim = Victim("bank", executable=path)
    victim.ready()
    hang.wait_all_blocked(victim.pid, 14)
    saved = os.path.join(victim.scratch, "bank.json")
    result = run_hangdump("-o", saved, victim.pid)
    check(result.status in (0, 1), f"{result}")
    with open(saved, encoding="utf-8") as file:
        dump = json.load(file)
    mutexes = {t["wait"]["resource"]["address"] for t in hang.threads_of(dump).values()
               if t["wait"]["class"] == "mutex lock"}
    return victim, saved, mutexes


def two_runs_are_equal(path, addresses_differ):
    first, old, mutexes = bank(path)
    for attempt in range(20):  # address randomisation may choose the same twice
        second, new, others = bank(path)
        if not addresses_differ or not mutexes & others:
            break
        second.kill()
    else:
        raise hang.Skip("addresses are not randomised here")
    found = diff(old, new, statuses=(0,))
    check_equal(found["mode"], "other run", "mode")
    check_equal({k: len(v) for k, v in found["findings"].items()},
                {"persisting": 1, "new": 0, "resolved": 0}, "findings")
    check_equal(found["findings"]["persisting"][0]["kind"], "deadlock", "finding")
    check(all(g["before"] == g["after"] for g in found["groups"]), "groups differ")
    check_equal(sum(g["after"] for g in found["groups"]), 14, "threads in groups")
    return first, second, old, new


@case
def two_runs_of_one_deadlock_are_equal():
    two_runs_are_equal(None, addresses_differ=True)


@case
def two_runs_of_a_program_at_fixed_addresses_are_equal():
    victim = Victim("sleeper")  # for its directory only
    path = os.path.join(victim.scratch, "bank")
    compiler = shlex.split(os.environ.get("CC") or "cc")
    subprocess.run([*compiler, "-g", "-O1", "-no-pie", "-pthread", "-o", path,
                    os.path.join(hang.SRCDIR, "tests", "victims", "bank.c")], check=True)
    two_runs_are_equal(path, addresses_differ=False)


@on_progress
def a_hang_differs_from_a_run_without(victim):
    old = save(victim, "old.json")
    other, new, _ = bank()
    found = diff(old, new, statuses=(1,))
    check_equal(found["mode"], "other run", "mode")
    check_equal(len(found["findings"]["new"]), 1, "new findings")
    check_equal(words(found), {}, "threads of another run")
    check(any(g["before"] == 0 and g["after"] == 10 for g in found["groups"]), "the tellers")


def leaks(*arguments, statuses):
    found = diff("--leaks", *arguments, statuses=statuses)
    return sorted(t["name"] for leak in found["leaks"] for t in leak["threads"]), found


@on_progress
def three_senders_leak_and_nothing_else(victim):
    before = save(victim, "before.json")
    check_equal(leaks(before, victim.pid, statuses=(0,))[0], [], "leaks of nothing")
    tell(victim, "move")  # moved and replaced threads are no leak, a new one is
    check_equal(leaks(before, victim.pid, statuses=(1,))[0], ["newborn"], "leaks")
    before = save(victim, "moved.json")
    tell(victim, "leak")
    names, found = leaks(before, victim.pid, statuses=(1,))
    check_equal(names, ["sender"] * 3, "leaks")
    check_equal(len(found["leaks"]), 1, "groups")
    group = found["groups"][found["leaks"][0]["group"]]
    check_equal(group["place"], "send_exit_status", "where they are stuck")
    check_equal((group["before"], group["after"]), (0, 3), "how many")
    text = run_hangdump("diff", "--leaks", "--color=never", before, victim.pid)
    check_equal(text.status, 1, "status of the text")
    check("LEAKED: 3 threads in 1 group" in text.text(), f"{text.text()[:600]}")
    check("wait_for_ever" not in text.text(), "what has not leaked is shown")
    after = save(victim, "after.json")
    check_equal(leaks(before, after, statuses=(1,))[0], ["sender"] * 3, "leaks of two files")


@on_progress
def what_is_allowed_or_ignored_is_no_leak(victim):
    before = save(victim, "before.json")
    tell(victim, "leak")
    after = save(victim, "after.json")
    leaks("--allow=3", before, after, statuses=(0,))
    leaks("--allow=2", before, after, statuses=(1,))
    path = os.path.join(victim.scratch, "ignore")
    for pattern in ("function:send_exit_*", "top:send_exit_status", "name:send*",
                    "module:progress", f"module:*/tests/*/progress"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"# known\n\n  {pattern}  \n")
        leaks(f"--ignore={path}", "--strict", before, after, statuses=(0,))
    with open(path, "w", encoding="utf-8") as file:
        file.write("name:send*\ntop:nowhere\n")
    leaks(f"--ignore={path}", before, after, statuses=(0,))
    result = run_hangdump("diff", "--leaks", "--strict", f"--ignore={path}", before, after)
    check_equal(result.status, 1, "status with a pattern that matches nothing")
    check_equal(result.errors().splitlines(), ["hangdump: top:nowhere: matches no thread"],
                "complaints")
    with open(path, "w", encoding="utf-8") as file:
        file.write("sender\n")
    hang.check_one_error_line(
        run_hangdump("diff", "--leaks", f"--ignore={path}", before, after), 2, "line 1")


@case
def built_in_patterns_can_be_seen_and_switched_off():
    result = run_hangdump("diff", "--print-default-ignores")
    check_equal(result.status, 0, f"{result}")
    check("name:jemalloc_bg_thd" in result.text().splitlines(), result.text())
    victim = start("gmain")
    before = os.path.join(victim.scratch, "before.json")
    run_hangdump("-o", before, victim.pid)
    tell(victim, "leak")
    leaks(before, victim.pid, statuses=(0,))
    check_equal(leaks("--no-default-ignores", before, victim.pid, statuses=(1,))[0], ["gmain"] * 3,
                "leaks without the list")


@case
def options_that_would_check_nothing_are_refused():
    for option, word in (("--fail-on=", "--fail-on"), ("--fail-on=leak", "--leaks"),
                         ("--strict", "--leaks"), ("--allow=3", "--leaks"),
                         ("--grace=1s", "--leaks")):
        result = run_hangdump("diff", option, os.devnull, os.devnull)
        check_equal(result.status, 2, f"{result}: status")
        check(word in result.errors().splitlines()[0], f"{result}: does not name {word}")


@on_progress
def who_ends_within_the_grace_has_not_leaked(victim):
    before = save(victim, "before.json")
    tell(victim, "linger")
    names, found = leaks("--grace=300ms", before, victim.pid, statuses=(1,))
    check_equal(names, ["lingering"], "leaks after a short grace")
    check_equal(words(found)["stuck"], "stuck", "what sleeps through the looks of the grace")
    check_equal(leaks(before, victim.pid, statuses=(1,))[0], ["lingering"], "leaks")
    with subprocess.Popen([hang.HANGDUMP, "diff", "--leaks", f"--grace={hang.LIMIT:g}s", before,
                           str(victim.pid)], stdout=subprocess.PIPE) as waiting:
        tell(victim, "end")
        out, _ = waiting.communicate(timeout=hang.LIMIT)
    check_equal(waiting.returncode, 0, f"status; it said {out.decode()[:500]}")
    hang.check_untraced(victim.pid)


@on_progress
def samples_say_what_threads_do(victim):
    for attempt in range(10):
        found = hang.dump(victim.pid, "--samples=3", "--interval=500ms")
        got = {t["name"]: t["progress"] for t in hang.threads_of(found).values()}
        if got["cycling"] == "cycling":
            break  # it was met awake otherwise, and has moved
    check_equal(got, {"progress": "stuck", "stuck": "stuck", "cycling": "cycling",
                      "spinning": "spinning", "moving": "stuck", "leaving": "stuck",
                      "writing": "stuck"}, "words")
    check(found["watched_ms"] >= 1000, f"watched for {found['watched_ms']} ms")
    since = {t["name"]: t["wait"]["since_ms"] for t in hang.threads_of(found).values()}
    check(since["stuck"] >= 1000, f"our own stops count as the end of a wait: {since}")
    for group in found["groups"]:
        check_equal(sum(group["progress"].values()), len(group["tids"]), "words of a group")
    text = run_hangdump("--samples=2", "--interval=100ms", "--color=never", victim.pid).text()
    check("\nwatched for " in text, f"the header: {text[:300]}")
    check('1 thread [semaphore wait, stuck]' in text, f"the stuck one: {text}")
    hang.check_untraced(victim.pid)


@case
def who_was_stopped_has_not_run():
    """It goes from its own stop into ours and back, which is no progress."""
    with Victim("bash", "-c", "kill -STOP $$; exit", executable=hang.program("bash")) as victim:
        hang.wait_until(lambda: hang.state_of(victim.pid) == "T", "its stop")
        found = hang.dump(victim.pid, "--samples=3", "--interval=100ms")
        thread = hang.threads_of(found)[victim.pid]
        check_equal((thread["wait"]["class"], thread["progress"], thread["steady"]),
                    ("stopped", "stuck", True), "class, progress, steady")
        check_equal(hang.state_of(victim.pid), "T", "state")


@on_progress
def one_sample_says_nothing_of_progress(victim):
    found = hang.dump(victim.pid)
    check_equal(found["watched_ms"], None, "watched")
    check_equal({t["progress"] for t in hang.threads_of(found).values()}, {None}, "progress")


@on_progress
def trouble_is_two(victim):
    old = save(victim, "old.json")
    nowhere = os.path.join(victim.scratch, "nowhere.json")
    hang.check_one_error_line(run_hangdump("diff", old, nowhere), 2, "nowhere.json")
    hang.check_one_error_line(run_hangdump("diff", nowhere, old), 2, "nowhere.json")
    hang.check_one_error_line(run_hangdump("diff", old, 2 ** 22 - 3), 2, "no such process")
    check_equal(run_hangdump("diff", old).status, 2, "status with one dump")
    check_equal(run_hangdump("diff", old, old, old).status, 2, "status with three")
    check_equal(run_hangdump("diff", "--fail-on=nonsense", old, old).status, 2, "status")
    # A file with the name of a process's number is that file.
    number = os.path.join(victim.scratch, str(victim.pid))
    os.rename(old, number)
    result = run_hangdump("diff", victim.pid, victim.pid, cwd=victim.scratch)
    check("No time has passed" in result.text(), f"{result}: {result.text()[:300]}")


if __name__ == "__main__":
    hang.main(jobs=2)
