package recipe

import "testing"

func TestPasses(t *testing.T) {
	Transfer(0, 1, 10)
	if Balance(1) != 110 {
		t.Fail()
	}
}

func TestFails(t *testing.T) {
	t.Fatal("money from nowhere")
}

func TestSkips(t *testing.T) {
	t.Skip("no branch nearby")
}

func TestHangs(t *testing.T) {
	Meet(2)
	go Transfer(0, 1, 10)
	Transfer(1, 0, 10)
}

func TestReceives(t *testing.T) {
	Receive(make(chan int64))
}
