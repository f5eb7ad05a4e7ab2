#!/usr/bin/env python3
"""Threads that run are looked at twice; who sleeps is left in peace, and nobody is waited for in vain."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import hang
from hang import Victim, case, check, check_equal, check_untraced

APART_NS = 200_000_000


def start(kind, count=1):
    victim = Victim("busy", kind, count)
    pid, *tids = [int(word) for word in victim.ready()]
    hang.wait_blocked(pid, pid)
    return victim, tids


def errors_about_it(dump):
    return [e["why"] for e in dump["errors"] if e["what"] == "second look"]


def common_function(thread):
    index = thread["second_look"]["same_from_frame"]
    return None if index is None else thread["frames"][index]["function"]


def check_figures(thread):
    """It never slept: what it did not run, it was ready to."""
    look = thread["second_look"]
    check(look is not None, f"thread {thread['tid']} was not looked at again")
    check(look["after_ns"] >= APART_NS, f"too soon: {look}")
    check(look["cpu_ns"] > 0, f"it did not run: {look}")
    busy = look["cpu_ns"] + look["run_delay_ns"]
    check(0.99 * look["after_ns"] <= busy <= look["after_ns"], f"times do not add up: {look}")


def meets(kind, function):
    victim, tids = start(kind)
    with victim:
        dump = hang.dump(victim.pid)
        threads = hang.threads_of(dump)
        check_equal(errors_about_it(dump), [], "errors")
        check_figures(threads[tids[0]])
        check_equal(common_function(threads[tids[0]]), function, "the innermost frame of both")
        check_equal(threads[victim.pid]["second_look"], None, "a look at a thread that sleeps")
        check_untraced(victim.pid)


hang.add_case("a thread in one function is met there", meets, "one", "burn_for_ever")
hang.add_case("leaf functions that vary lead to their loop", meets, "leaves", "loop_over_leaves")
hang.add_case("one function under two others leads to the loop", meets, "jobs", "loop_over_jobs")
hang.add_case("an inlined function is met in it", meets, "inlined", "burn_inlined")
hang.add_case("a stack deeper than is shown", meets, "deep", "burn_for_ever")


@case
def a_loop_that_yields():
    victim, tids = start("yield")
    with victim:
        thread = hang.threads_of(hang.dump(victim.pid))[tids[0]]
        check_figures(thread)
        index = thread["second_look"]["same_from_frame"]
        check(index is not None, "the looks have no frame in common")
        check("yield_for_ever" in hang.functions_of(thread)[index:], "the loop is not in both")


@case
def a_hundred_on_few_cpus():
    victim, tids = start("one", 100)
    with victim:
        dump = hang.dump(victim.pid, "--deadline=1m", limit=120)
        threads = hang.threads_of(dump)
        check_equal(errors_about_it(dump), [], "errors")
        for tid in tids:
            check_figures(threads[tid])
            check_equal(common_function(threads[tid]), "burn_for_ever", "the frame of both")
        check_untraced(victim.pid)


@case
def so_many_that_not_all_are_stopped_again():
    victim, tids = start("one", 260)
    with victim:
        dump = hang.dump(victim.pid, "--deadline=2m", limit=240)
        threads = hang.threads_of(dump)
        looked_at = [tid for tid in tids if threads[tid]["second_look"]]
        check_equal(looked_at, tids, "threads with figures")
        met = [tid for tid in tids if common_function(threads[tid])]
        check_equal(len(met), 256, "threads with a frame")
        check_equal(errors_about_it(dump), ["4 of 260 running threads were not stopped again"],
                    "errors")


def is_gone_by_then(kind):
    victim, tids = start(kind)
    with victim:
        dump = hang.dump(victim.pid)
        check_equal(hang.threads_of(dump)[tids[0]]["second_look"], None, "a look at what is gone")
        check_equal(errors_about_it(dump), [], "errors")
        if kind == "ends":
            check(victim.alive(), "the process ended")
            check_untraced(victim.pid)


hang.add_case("a thread that ends between the looks", is_gone_by_then, "ends")
hang.add_case("a process that ends between the looks", is_gone_by_then, "exits")


def voluntary(pid):
    return {tid: int(hang.status_field(pid, tid, "voluntary_ctxt_switches"))
            for tid in hang.tids_of(pid)}


@case
def stops_are_counted_and_those_who_sleep_have_but_one():
    victim, tids = start("one")
    with victim:
        before = voluntary(victim.pid)
        threads = hang.threads_of(hang.dump(victim.pid))
        hang.wait_blocked(victim.pid, victim.pid)
        after = voluntary(victim.pid)
        for tid, thread in threads.items():
            check_equal(after[tid] - before[tid], thread["own_stops"], f"stops of thread {tid}")
        check_equal(threads[tids[0]]["own_stops"], 2, "stops of the thread that runs")
        check_equal(threads[victim.pid]["own_stops"], 2, "the stop of the one that sleeps")


@case
def without_a_stop_there_are_figures():
    victim, tids = start("one")
    with victim:
        before = voluntary(victim.pid)
        dump = hang.dump(victim.pid, "--no-stop")
        check_equal(voluntary(victim.pid), before, "switches")
        thread = hang.threads_of(dump)[tids[0]]
        check_figures(thread)
        check_equal(thread["second_look"]["same_from_frame"], None, "a frame")
        check_equal(dump["processes"][0]["frozen_us"], 0, "frozen_us")


@case
def a_deadline_that_leaves_no_time_for_it():
    victim, tids = start("one")
    with victim:
        for left in reversed(range(20)):
            result = hang.run_hangdump("--format=json", "--deadline=450ms", victim.pid)
            # On a busy machine there may be no time for the first look either.
            if result.status == 1 and errors_about_it(result.json()):
                break
            check(left, f"{result}: never was there time for the first look, and none for it")
        dump = result.json()
        check_equal(hang.threads_of(dump)[tids[0]]["second_look"], None, "a second look")
        check_equal(errors_about_it(dump), ["the deadline left no time for it"], "errors")


@case
def where_nobody_runs_nobody_waits():
    with Victim("sleeper", "--threads=3") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 4)
        dump = hang.dump(victim.pid)
        check_equal(errors_about_it(dump), [], "errors")
        for thread in hang.threads_of(dump).values():
            check_equal(thread["second_look"], None, "a second look")


@case
def sleeps_between_are_not_interrupted():
    looks = 0
    victim, tids = start("restless", 12)
    with victim:
        for _ in range(12):
            threads = hang.threads_of(hang.dump(victim.pid))
            looks += sum(threads[tid]["second_look"] is not None for tid in tids)
            check_untraced(victim.pid)
        victim.process.stdin.close()
        check_equal(victim.line(), "eintr 0", "sleeps that failed")
    check(looks, "no thread was ever looked at again")


@case
def the_walk_by_ptrace_is_made_again():
    victim, tids = start("leaves")
    with victim:
        thread = hang.threads_of(hang.dump(victim.pid, "--unwinder=ptrace"))[tids[0]]
        check_figures(thread)
        check_equal(common_function(thread), "loop_over_leaves", "the innermost frame of both")


hang.main()
