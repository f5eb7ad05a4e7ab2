"""Hangs of Python threads: says "ready ROLE=PID/TID ..." when all are about to wait."""

import ctypes
import os
import sys
import threading
import time

barrier = threading.Barrier(2)
ids = {}


def arrive(role, of):
    ids[role] = threading.get_native_id()
    if len(ids) == of:
        roles = " ".join(f"{name}={os.getpid()}/{tid}" for name, tid in ids.items())
        os.write(1, f"ready {roles}\n".encode())


def lock_cycle(kind):
    left, right = kind(), kind()

    def part(role, own, other):
        with own:
            barrier.wait()
            arrive(role, 3)
            with other:
                pass

    a = threading.Thread(target=part, args=("a", left, right))
    b = threading.Thread(target=part, args=("b", right, left))
    a.start()
    b.start()
    arrive("main", 3)
    a.join()


def gil():
    """One holds a lock of C's and wants the interpreter, the other the other way round."""
    mutex = ctypes.create_string_buffer(64)  # all zero: PTHREAD_MUTEX_INITIALIZER
    keeps = ctypes.PyDLL(None)  # whose calls keep the interpreter to themselves
    leaves = ctypes.CDLL(None)
    locked = threading.Event()

    def native():
        keeps.pthread_mutex_lock(mutex)
        arrive("b", 2)
        locked.set()
        while True:
            leaves.sched_yield()  # leaves the interpreter, and wants it back

    def python():
        locked.wait()
        arrive("a", 2)
        keeps.pthread_mutex_lock(mutex)

    threading.Thread(target=native).start()
    threading.Thread(target=python).start()
    while True:
        time.sleep(1000)


CASES = {
    "python-lock": lambda: lock_cycle(threading.Lock),
    "python-rlock": lambda: lock_cycle(threading.RLock),
    "python-gil": gil,
}

if __name__ == "__main__":
    CASES[sys.argv[1]]()
