@test "passes" {
	run $WRAPPER ./passes
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 1..2 ]
}

@test "skips" {
	run $WRAPPER ./skips
	[ "$status" -ne 77 ] || skip "$output"
}
