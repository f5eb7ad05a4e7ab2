package recipe

// #cgo LDFLAGS: -pthread
// #include "bank.h"
import "C"

import "os"

func Transfer(from, to int, amount int64) {
	C.transfer(C.int(from), C.int(to), C.long(amount))
}

func Balance(account int) int64 {
	return int64(C.balance(C.int(account)))
}

func Meet(transfers int) {
	C.meet(C.int(transfers))
}

// Receive waits for money that nobody sends.
func Receive(from chan int64) int64 {
	if mark := os.Getenv("HANG_MARK"); mark != "" {
		os.WriteFile(mark, nil, 0o600)
	}
	return <-from
}
