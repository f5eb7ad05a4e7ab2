@test "hangs" {
	run $WRAPPER ./hangs
	echo "$output"
	[ "$status" -eq 0 ]
}
