package leak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func startAll(status chan int) {
	for i := 0; i < 3; i++ {
		go func() { status <- i }()
	}
}

func TestLeak(t *testing.T) {
	defer goleak.VerifyNone(t)
	startAll(make(chan int))
}

func TestHang(t *testing.T) {
	status := make(chan int)
	startAll(make(chan int))
	t.Run("inner", func(t *testing.T) { t.Log("about to wait"); time.Sleep(10 * time.Millisecond); <-status })
}
