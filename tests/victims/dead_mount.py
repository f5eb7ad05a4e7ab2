"""A file system that does not answer: `dead_mount.py DIRECTORY` mounts it there.

It lets a file be opened, and then keeps whoever reads it or asks for its size waiting.  Says
"ready READER OTHER": one child that reads that file, and one, younger, that reads a pipe.  The end
of this process is the end of the file system.
"""

import ctypes
import os
import signal
import struct
import sys
import threading

LOOKUP, FORGET, GETATTR, OPEN, READ, INIT, INTERRUPT = 1, 2, 3, 14, 15, 26, 36
ROOT, FILE = 1, 2
libc = ctypes.CDLL(None, use_errno=True)


def attributes(node):
    mode = 0o40755 if node == ROOT else 0o100644
    return struct.pack("<6Q10I", node, 4096, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, node):
    """What is said to a request; None: nothing, ever.  A number: an error."""
    if opcode == INIT:
        return struct.pack("<4I2H2I2H8I", 7, 31, 4096, 0, 0, 0, 4096, 1, 0, 0, *[0] * 8)
    if opcode == LOOKUP:
        return struct.pack("<4Q2I", FILE, 0, 0, 0, 0, 0) + attributes(FILE)
    if opcode == GETATTR and node == ROOT:
        return struct.pack("<Q2I", 0, 0, 0) + attributes(ROOT)
    if opcode == OPEN:
        return struct.pack("<Q2I", 1, 1, 0)  # direct I/O
    if opcode in (GETATTR, READ, FORGET, INTERRUPT):
        return None
    return 38  # ENOSYS


def serve(fd):
    while True:
        request = os.read(fd, 1 << 20)
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        reply = answer(opcode, node)
        if isinstance(reply, int):
            os.write(fd, struct.pack("<IiQ", 16, -reply, unique))
        elif reply is not None:
            os.write(fd, struct.pack("<IiQ", 16 + len(reply), 0, unique) + reply)


def child(read, *not_mine):
    pid = os.fork()
    if pid == 0:
        libc.prctl(1, signal.SIGKILL)
        for fd in not_mine:
            os.close(fd)
        try:
            read()
        finally:
            os._exit(0)
    return pid


def main():
    fuse = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fuse},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
    if libc.mount(b"hangdump-test", sys.argv[1].encode(), b"fuse", 0, options) != 0:
        print(f"unsupported: mount: {os.strerror(ctypes.get_errno())}", flush=True)
        return
    threading.Thread(target=serve, args=(fuse,), daemon=True).start()
    path = os.path.join(sys.argv[1], "file")
    read_end, write_end = os.pipe()
    # Not a file of this process: its end would have to wait for itself.
    reader = child(lambda: os.read(os.open(path, os.O_RDONLY), 1), fuse)
    other = child(lambda: os.read(read_end, 1), fuse, write_end)
    print("ready", reader, other, flush=True)
    signal.pause()


main()
