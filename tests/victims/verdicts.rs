// Hangs that are made with Rust's standard library: `verdicts_rust NAME` says
// "ready ROLE=PID/TID ..." when all actors are about to wait; `--list` says the names.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;

extern "C" {
    fn gettid() -> i32;
}

static ACTORS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static EXPECTED: AtomicUsize = AtomicUsize::new(0);

fn stage(actors: usize) {
    EXPECTED.store(actors, Ordering::SeqCst);
}

fn arrive(role: &str) {
    let mut actors = ACTORS.lock().unwrap();
    actors.push(format!("{}={}/{}", role, std::process::id(), unsafe { gettid() }));
    if actors.len() == EXPECTED.load(Ordering::SeqCst) {
        println!("ready {}", actors.join(" "));
    }
}

static LEFT: Mutex<i32> = Mutex::new(0);
static RIGHT: Mutex<i32> = Mutex::new(0);
static LEFT_RW: RwLock<i32> = RwLock::new(0);
static RIGHT_RW: RwLock<i32> = RwLock::new(0);
static FIRST: Once = Once::new();
static SECOND: Once = Once::new();

/// Two threads with a part each; main joins the first.
fn two(a: impl FnOnce() + Send + 'static, b: impl FnOnce() + Send + 'static) {
    stage(3);
    let first = thread::spawn(a);
    thread::spawn(b);
    arrive("main");
    first.join().unwrap();
}

fn meet() -> &'static Barrier {
    Box::leak(Box::new(Barrier::new(2)))
}

fn mutex() {
    let both = meet();
    let part = |role: &'static str, own: &'static Mutex<i32>, other: &'static Mutex<i32>| {
        move || {
            let _own = own.lock().unwrap();
            both.wait();
            arrive(role);
            let _other = other.lock().unwrap();
        }
    };
    two(part("a", &LEFT, &RIGHT), part("b", &RIGHT, &LEFT));
}

fn rwlock() {
    let both = meet();
    let part = |role: &'static str, own: &'static RwLock<i32>, other: &'static RwLock<i32>| {
        move || {
            let _own = own.write().unwrap();
            both.wait();
            arrive(role);
            let _other = other.read().unwrap();
        }
    };
    two(part("a", &LEFT_RW, &RIGHT_RW), part("b", &RIGHT_RW, &LEFT_RW));
}

fn condvar() {
    static CHANGED: Condvar = Condvar::new();
    let part = |role: &'static str| {
        move || {
            let guard = LEFT.lock().unwrap();
            arrive(role);
            let _guard = CHANGED.wait(guard).unwrap();
        }
    };
    two(part("a"), part("b"));
}

fn park() {
    let part = |role: &'static str| {
        move || {
            arrive(role);
            loop {
                thread::park();
            }
        }
    };
    two(part("a"), part("b"));
}

/// Main keeps the sender alive, and waits for the receiver.
fn receive() {
    stage(2);
    let (_sender, receiver) = channel::<i32>();
    let a = thread::spawn(move || {
        arrive("a");
        let _ = receiver.recv();
    });
    arrive("main");
    a.join().unwrap();
}

/// A channel without room, whose receiver waits for the sender.
fn send() {
    stage(2);
    let (sender, _receiver) = sync_channel::<i32>(0);
    let a = thread::spawn(move || {
        arrive("a");
        let _ = sender.send(1);
    });
    arrive("main");
    a.join().unwrap();
}

fn once() {
    let both = meet();
    let part = |role: &'static str, own: &'static Once, other: &'static Once| {
        move || {
            own.call_once(|| {
                both.wait();
                arrive(role);
                other.call_once(|| {});
            })
        }
    };
    two(part("a", &FIRST, &SECOND), part("b", &SECOND, &FIRST));
}

/// The joiner has what the joined wants.
fn join() {
    stage(2);
    let _guard = LEFT.lock().unwrap();
    let b = thread::spawn(|| {
        arrive("b");
        let _guard = LEFT.lock().unwrap();
    });
    arrive("a");
    b.join().unwrap();
}

fn main() {
    let cases: [(&str, fn()); 8] = [
        ("rust-mutex", mutex),
        ("rust-rwlock", rwlock),
        ("rust-condvar", condvar),
        ("rust-park", park),
        ("rust-receive", receive),
        ("rust-send", send),
        ("rust-once", once),
        ("rust-join", join),
    ];
    let name = std::env::args().nth(1).unwrap_or_default();
    for (case, run) in cases {
        if name == "--list" {
            println!("{}", case);
        } else if name == case {
            run();
        }
    }
}
