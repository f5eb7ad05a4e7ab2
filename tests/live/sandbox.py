#!/usr/bin/env python3
"""Where a container's filter refuses to copy memory, the same stacks come by slower ways."""

import ctypes
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hang
from hang import Victim, case, check, check_equal

PROCESS_VM_READV, PREAD64 = 310, 17
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, EPERM = 0x7FFF0000, 0x00050001
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06


def refuse(proc_mem):
    """Makes process_vm_readv fail with EPERM, from here on and in what is executed; with proc_mem
    also reads of /proc/PID/mem: of all files, only there are offsets so large."""

    def instruction(code, true, false, k):
        return struct.pack("HBBI", code, true, false, k)

    program = instruction(LOAD, 0, 0, 0)
    program += instruction(JUMP_IF_EQUAL, 0, 1, PROCESS_VM_READV) + instruction(RETURN, 0, 0, EPERM)
    if proc_mem:
        upper_half_of_the_offset = 16 + 3 * 8 + 4
        program += instruction(JUMP_IF_EQUAL, 0, 3, PREAD64)
        program += instruction(LOAD, 0, 0, upper_half_of_the_offset)
        program += instruction(JUMP_IF_EQUAL, 1, 0, 0) + instruction(RETURN, 0, 0, EPERM)
    program += instruction(RETURN, 0, 0, ALLOW)

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]

    libc = ctypes.CDLL(None)
    code = ctypes.create_string_buffer(program)
    whole = Filter(len(program) // 8, ctypes.addressof(code))
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(whole), 0, 0) != 0):
        os._exit(98)


def dump(pid, prepare=None):
    done = subprocess.run([hang.HANGDUMP, "--format=json", "--deadline=60s", str(pid)],
                          preexec_fn=prepare, capture_output=True,
                          timeout=2 * hang.LIMIT)
    check(done.returncode in (0, 1), f"status {done.returncode}: {done.stderr[:300]}")
    return json.loads(done.stdout)["processes"][0]


def stacks(process):
    return {thread["tid"]: [(frame["pc"], frame["function"]) for frame in thread["frames"]]
            for thread in process["threads"]}


def same_stacks(proc_mem):
    with Victim("bank") as victim:
        victim.ready()
        hang.wait_all_blocked(victim.pid, 14)
        free, sandboxed = dump(victim.pid), dump(victim.pid, lambda: refuse(proc_mem))
        for thread in sandboxed["threads"]:
            check(thread["complete"], f"{thread['tid']}: {thread['incomplete_because']}")
        check_equal(stacks(sandboxed), stacks(free), "the stacks")


@case
def without_process_vm_readv_memory_comes_from_proc():
    same_stacks(proc_mem=False)


@case
def without_any_copies_the_stacks_are_walked_while_held():
    same_stacks(proc_mem=True)


if __name__ == "__main__":
    hang.main()
