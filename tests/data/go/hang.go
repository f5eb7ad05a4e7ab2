// Hangs in every way that Go has a word for.
package main

import (
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"
)

func exec(status chan<- int) {
	go func() {
		runtime.LockOSThread()
		go func() { status <- 1 }()
		select {}
	}()
}

type pool struct {
	mu sync.Mutex
	rw sync.RWMutex
	wg sync.WaitGroup
	c  *sync.Cond
}

func (p *pool) lock()      { p.mu.Lock() }
func (p *pool) rlock()     { p.rw.RLock() }
func (p *pool) wait()      { p.wg.Wait() }
func (p *pool) cond()      { p.c.L.Lock(); p.c.Wait() }
func generic[T any](c chan T) T { return <-c }
func deep(n int, c chan int) int {
	if n == 0 {
		return <-c
	}
	return deep(n-1, c) + 1
}

func main() {
	p := &pool{}
	p.c = sync.NewCond(&sync.Mutex{})
	p.mu.Lock()
	p.rw.Lock()
	p.wg.Add(1)
	status, never := make(chan int), make(chan int)
	for i := 0; i < 3; i++ {
		exec(status)
	}
	go p.lock()
	go p.rlock()
	go p.wait()
	go p.cond()
	go generic(never)
	go deep(150, never)
	go func() { var c chan int; <-c }()
	go func() { time.Sleep(time.Hour) }()
	go func() {
		select {
		case <-never:
		case status <- 2:
		}
	}()
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go l.Accept()
	r, _, _ := os.Pipe()
	var fds [2]int
	syscall.Pipe(fds[:])
	go func() { var b [1]byte; syscall.Read(fds[0], b[:]) }()
	go func() { var b [1]byte; r.Read(b[:]) }()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	time.Sleep(200 * time.Millisecond)
	switch os.Args[1] {
	case "pprof":
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	case "panic":
		panic("oh no\ngoroutine 7 [running]:")
	case "quit":
		syscall.Kill(os.Getpid(), syscall.SIGQUIT)
		time.Sleep(time.Hour)
	case "stack":
		b := make([]byte, 1<<20)
		os.Stderr.Write(b[:runtime.Stack(b, true)])
	}
}
