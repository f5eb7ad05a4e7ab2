// A Go program whose threads wait for each other in C: says "ready ROLE=PID/TID ..." when they are
// about to.
package main

/*
#include <pthread.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;

static void lock_left(void)
{
	pthread_mutex_lock(&left);
}

static void lock_right(void)
{
	pthread_mutex_lock(&right);
}
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
)

func main() {
	var both, ready sync.WaitGroup
	ids := make([]int, 2)
	part := func(i int, own, other func()) {
		runtime.LockOSThread()
		own()
		ids[i] = syscall.Gettid()
		both.Done()
		both.Wait()
		ready.Done()
		other()
	}
	both.Add(2)
	ready.Add(2)
	go part(0, func() { C.lock_left() }, func() { C.lock_right() })
	go part(1, func() { C.lock_right() }, func() { C.lock_left() })
	ready.Wait()
	fmt.Printf("ready a=%d/%d b=%d/%d\n", os.Getpid(), ids[0], os.Getpid(), ids[1])
	select {}
}
