# The event loop as other systems build it: its unit test against every back end.
# shellcheck shell=bash disable=SC2154 # bats sets output
load helper

# passes_with FLAG...: the unit test, built with FLAG, passes to its last check.
passes_with() {
	# shellcheck disable=SC2086 # CC may be several words
	${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -DSHARE_DIR='""' -Wall -Wextra -Werror -Ilib "$@" \
		-o "$BATS_TEST_TMPDIR/loop" tests/unit/loop.c lib/loop/*.c lib/base/*.c
	run "$BATS_TEST_TMPDIR/loop"
	assert_success
	refute_output --partial 'not ok'
	assert_regex "$(tail -n 1 <<<"$output")" '^1\.\.[0-9]+$'
	assert [ "$(tail -n 1 <<<"$output" | tr -d .)" -ge 125 ] # 1..25 or more
}

@test "the loop works on poll" {
	passes_with -DLOOP_USE_POLL
}

@test "the loop works on poll and SIGCHLD" {
	passes_with -DLOOP_USE_POLL -DLOOP_NO_PIDFD
}

@test "the loop works on epoll and SIGCHLD" {
	passes_with -DLOOP_NO_PIDFD
}
