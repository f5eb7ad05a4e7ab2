#!/usr/bin/env python3
"""Real programs, as they are installed here: hangdump and gdb see the same stacks.

What is not installed is skipped, with a word.  The bar is 99 % of gdb's named physical frames.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "compare"))
import hang
from compare_gdb import compare
from hang import Skip, case, check

BAR = 99.0


class Program:
    """A program that was started to be looked at; ended, with all its children, at the end."""

    def __init__(self, argv, stdin=subprocess.PIPE, env=None):
        self.scratch = tempfile.mkdtemp(prefix="hangdump-program-")
        self.process = subprocess.Popen(
            argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
            cwd=self.scratch, preexec_fn=self._prepare)
        self.pid = self.process.pid

    @staticmethod
    def _prepare():
        os.setsid()
        hang._die_with_parent()

    def wait_for(self, text):
        """Reads its output until that appears."""
        seen = b""
        end = hang.time.monotonic() + hang.LIMIT
        fd = self.process.stdout.fileno()
        os.set_blocking(fd, False)
        while text.encode() not in seen:
            try:
                got = os.read(fd, 65536)
            except BlockingIOError:
                got = None
                hang.time.sleep(0.01)
            if got == b"" or hang.time.monotonic() > end:
                hang.fail(f"it never said {text!r}, but {seen[-300:]!r}")
            seen += got or b""
        return seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if self.process.stdin:
            self.process.stdin.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


def at_rest(pid, threads=1):
    """At least so many threads, all asleep in a call, and so twice in a row."""

    def once():
        tids = hang.tids_of(pid)
        if len(tids) < threads or any(hang.state_of(pid, t) not in ("S", "T") for t in tids):
            return None
        return [(t, hang.syscall_of(pid, t), hang.status_field(pid, t, "voluntary_ctxt_switches"))
                for t in tids]

    def twice():
        first = once()
        if first is None:
            return False
        hang.time.sleep(0.05)
        return once() == first

    try:
        hang.wait_until(twice, "", 5)
    except hang.Failed:  # a program that ticks: what moves is left out of the comparison
        check(len(hang.tids_of(pid)) >= threads, f"fewer than {threads} threads")


def like_gdb(pid, threads=1, options=(), bar=BAR):
    at_rest(pid, threads)
    result = compare(pid, options)
    print(f"# {result.summary()}")
    for tid, text in result.differences[:10]:
        print(f"#   thread {tid}: {text}")
    check(not result.only_gdb, f"threads that hangdump does not have: {result.only_gdb}")
    check(result.compared, "no thread held still")
    check(result.named >= 2 * min(result.compared, threads), "gdb named next to nothing")
    check(result.percent() >= bar, f"{result.percent():.2f} % is less than {bar} %")


@case
def the_sleeping_one():
    with Program([hang.program("sleep"), "100000"]) as p:
        like_gdb(p.pid)


@case
def python_with_threads():
    code = (
        "import queue, select, socket, sqlite3, threading, time\n"
        "lock = threading.Lock(); lock.acquire()\n"
        "a, b = socket.socketpair()\n"
        "def pythons(n, end):\n"
        "    return pythons(n - 1, end) if n else end()\n"
        "ends = [lock.acquire, queue.Queue().get, lambda: time.sleep(1e5),\n"
        "        lambda: select.select([a], [], []), lambda: a.recv(1),\n"
        "        threading.Event().wait, threading.Condition(threading.Lock()).acquire,\n"
        "        lambda: sorted([2, 1], key=lambda _: time.sleep(1e5))]\n"
        "for end in ends:\n"
        "    threading.Thread(target=pythons, args=(10, end), daemon=True).start()\n"
        "print('started', flush=True)\n"
        "time.sleep(1e5)\n")
    with Program([sys.executable, "-c", code]) as p:
        p.wait_for("started")
        like_gdb(p.pid, 8)


@case
def system_python():
    path = "/usr/bin/python3"
    if not os.path.exists(path):
        raise Skip(f"there is no {path}")
    code = ("import threading, time\n"
            "for _ in range(4): threading.Thread(target=time.sleep, args=(1e5,)).start()\n"
            "print('started', flush=True); input()")
    with Program([path, "-c", code]) as p:
        p.wait_for("started")
        like_gdb(p.pid, 5)


@case
def node():
    code = "console.log('started'); setInterval(() => {}, 1e6)"
    with Program([hang.program("node"), "-e", code]) as p:
        p.wait_for("started")
        like_gdb(p.pid, 5)


JAVA = """
import java.util.concurrent.*;
public class Waits {
    static void go(int n, Runnable end) { if (n > 0) go(n - 1, end); else end.run(); }
    public static void main(String[] a) throws Exception {
        Object monitor = new Object();
        CountDownLatch latch = new CountDownLatch(1);
        Runnable[] ends = {
            () -> { try { Thread.sleep(100000000L); } catch (Exception e) { } },
            () -> { try { latch.await(); } catch (Exception e) { } },
            () -> { synchronized (monitor) { } },
            () -> { try { new LinkedBlockingQueue<Integer>().take(); } catch (Exception e) { } },
        };
        synchronized (monitor) {
            for (Runnable end : ends) { Thread t = new Thread(() -> go(10, end)); t.start(); }
            System.out.println("started");
            latch.await();
        }
    }
}
"""


@case
def java():
    java, javac = hang.program("java"), hang.program("javac")
    with tempfile.TemporaryDirectory(prefix="hangdump-java-") as directory:
        with open(os.path.join(directory, "Waits.java"), "w") as file:
            file.write(JAVA)
        subprocess.run([javac, "-d", directory, file.name], check=True, timeout=300)
        with Program([java, "-Xint", "-cp", directory, "Waits"]) as p:
            p.wait_for("started")
            like_gdb(p.pid, 10)


@case
def redis():
    server = hang.program("redis-server")
    with tempfile.TemporaryDirectory(prefix="hangdump-redis-") as directory:
        with Program([server, "--port", "0", "--unixsocket", f"{directory}/socket", "--dir",
                      directory, "--save", ""]) as p:
            p.wait_for("eady to accept")
            like_gdb(p.pid, 4)


@case
def bash_waiting_for_a_child():
    with Program([hang.program("bash"), "-c", "sleep 100000; true"]) as p:
        hang.wait_blocked(p.pid, p.pid, [61, 247])
        like_gdb(p.pid)


@case
def dash_reading():
    with Program([hang.program("dash"), "-c", "read line"]) as p:
        hang.wait_blocked(p.pid, p.pid, [0])
        like_gdb(p.pid)


@case
def gdb_at_its_prompt():
    with Program([hang.program("gdb"), "-q", "-nx"]) as p:
        p.wait_for("(gdb)")
        like_gdb(p.pid)


@case
def tmux_server():
    tmux = hang.program("tmux")
    with tempfile.TemporaryDirectory(prefix="hangdump-tmux-") as directory:
        socket = os.path.join(directory, "socket")
        subprocess.run([tmux, "-S", socket, "-f", "/dev/null", "new-session", "-d", "sleep 100000"],
                       check=True, timeout=hang.LIMIT)
        try:
            pid = int(subprocess.run([tmux, "-S", socket, "display-message", "-p", "#{pid}"],
                                     check=True, capture_output=True, timeout=hang.LIMIT).stdout)
            like_gdb(pid)
        finally:
            subprocess.run([tmux, "-S", socket, "kill-server"], check=False,
                           timeout=hang.LIMIT)


@case
def perl():
    with Program([hang.program("perl"), "-e", "sub f { my $n = shift; $n ? f($n - 1) : <STDIN> }"
                  " print \"started\\n\"; $| = 1; print ''; f(20)"]) as p:
        hang.wait_blocked(p.pid, p.pid, [0])
        like_gdb(p.pid)


@case
def a_pipeline_of_coreutils():
    with Program([hang.program("bash"), "-c", "cat | sort | uniq -c"]) as p:
        at_rest(p.pid)
        for child in hang.wait_until(lambda: _children(p.pid, 3), "three processes"):
            hang.wait_blocked(child, child, [0])
            like_gdb(child)


def _children(pid, count):
    found = [int(name) for name in os.listdir("/proc") if name.isdigit()
             and (hang.stat_fields(int(name)) or [0, 0])[1] == str(pid)]
    return found if len(found) == count else None


CXX = r"""
#include <condition_variable>
#include <cstdio>
#include <future>
#include <stdexcept>
#include <thread>
#include <ucontext.h>
#include <unistd.h>
#include <vector>
#define CALL __attribute__((noinline))
#define KEEP() asm volatile("" ::: "memory")
static std::mutex mutex;
static std::condition_variable never;
struct Waits { ~Waits() { std::unique_lock<std::mutex> held(mutex); never.wait(held); } };
CALL static void thrower(int n) { if (n) { thrower(n - 1); KEEP(); return; } throw std::runtime_error("x"); }
CALL static void unwinding() { try { Waits waits; thrower(5); } catch (...) { } }
CALL static void caught() { try { thrower(3); } catch (std::exception &) { try { thrower(2); } catch (...) { pause(); } } }
CALL static void future() { std::promise<int> promise; promise.get_future().wait(); }
template <class F> CALL void apply(F f) { f(); KEEP(); }
static ucontext_t from, coroutine;
CALL static void deep(int n) { if (n) deep(n - 1); else pause(); KEEP(); }
static void body() { deep(3); }
CALL static void switches() {
	static char stack[1 << 16];
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = sizeof(stack);
	coroutine.uc_link = &from;
	makecontext(&coroutine, body, 0);
	swapcontext(&from, &coroutine);
}
int main() {
	std::vector<std::thread> threads;
	threads.emplace_back(unwinding);
	threads.emplace_back(caught);
	threads.emplace_back(future);
	threads.emplace_back(switches);
	threads.emplace_back([] { apply([] { apply([] { pause(); }); }); });
	puts("started");
	fflush(stdout);
	for (auto &thread : threads) thread.join();
}
"""

RUST = r"""
use std::io::Write;
use std::sync::{mpsc, Arc, Condvar, Mutex};
use std::thread;
trait Shape { fn area(&self, n: u32); }
struct Square;
impl Shape for Square {
    #[inline(never)]
    fn area(&self, n: u32) {
        if n > 0 { self.area(n - 1) } else { thread::park() }
        std::hint::black_box(n);
    }
}
struct Parks;
impl Drop for Parks { fn drop(&mut self) { thread::park() } }
fn main() {
    let pair = Arc::new((Mutex::new(()), Condvar::new()));
    let same = pair.clone();
    let (_sender, receiver) = mpsc::channel::<i32>();
    let threads = vec![
        thread::spawn(move || { let held = same.0.lock().unwrap(); let _held = same.1.wait(held); }),
        thread::spawn(|| { let shape: Box<dyn Shape> = Box::new(Square); shape.area(5) }),
        thread::spawn(move || { let _ = receiver.recv(); }),
        thread::spawn(|| { let _ = std::panic::catch_unwind(|| { let _parks = Parks; panic!("x") }); }),
    ];
    println!("started");
    std::io::stdout().flush().unwrap();
    for thread in threads { thread.join().unwrap(); }
}
"""


def built(compiler, name, source, threads):
    with tempfile.TemporaryDirectory(prefix="hangdump-built-") as directory:
        path = os.path.join(directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        made = subprocess.run([*compiler, path, "-o", f"{directory}/program"], check=False,
                              capture_output=True, timeout=600)
        if made.returncode:
            raise Skip(f"{compiler[0]} does not build it: {made.stderr.decode()[-200:]}")
        with Program([f"{directory}/program"]) as p:
            p.wait_for("started")
            like_gdb(p.pid, threads)


for _level in ("-O0", "-O2"):
    hang.add_case(f"c++ with exceptions and coroutines {_level}", lambda level: built(
        [hang.program("c++"), "-std=c++17", "-g", level, "-pthread"], "main.cc", CXX, 6), _level)


@case
def rust():
    built([hang.program("rustc"), "-O", "-g"], "main.rs", RUST, 5)


@case
def ruby():
    code = ("q = Queue.new; m = Mutex.new; m.lock; $stdout.sync = true\n"
            "def deep(n, &b) n > 0 ? deep(n - 1, &b) : b.call end\n"
            "Thread.new { deep(10) { q.pop } }; Thread.new { deep(5) { m.lock } }\n"
            "f = Fiber.new { deep(3) { sleep 100000 } }; puts 'started'; f.resume")
    with Program([hang.program("ruby"), "-e", code]) as p:
        p.wait_for("started")
        like_gdb(p.pid, 3)


@case
def nginx():
    path = hang.program("nginx")
    with tempfile.TemporaryDirectory(prefix="hangdump-nginx-") as directory:
        with open(f"{directory}/conf", "w", encoding="utf-8") as file:
            file.write(f"daemon off; worker_processes 2; pid {directory}/pid;"
                       f" error_log {directory}/errors; events {{}} http {{ access_log off;"
                       f" server {{ listen unix:{directory}/socket; }} }}")
        with Program([path, "-e", f"{directory}/errors", "-c", f"{directory}/conf"]) as p:
            for pid in [p.pid, *hang.wait_until(lambda: _children(p.pid, 2), "two workers")]:
                like_gdb(pid)


@case
def the_crowd():
    path = os.path.join(hang.BUILDDIR, "tests", "bench", "crowd")
    with hang.Victim("crowd", 100, 20, executable=path) as victim:
        victim.ready()
        like_gdb(victim.pid, 102)


@case
def the_crowd_without_a_stop():
    path = os.path.join(hang.BUILDDIR, "tests", "bench", "crowd")
    with hang.Victim("crowd", 100, 20, executable=path) as victim:
        victim.ready()
        like_gdb(victim.pid, 102, ["--no-stop"])


hang.main()
