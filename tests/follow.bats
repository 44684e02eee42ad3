#!/usr/bin/env bats
# --follow: a reader waits for the end of the runs in a log.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# A log of a run that was killed.
killed() {
	agent-run -m test -o text='one two' --no-stdin first | head -n 4
}

# until_shown TEXT: wait until the file out has it.
until_shown() {
	until grep -q "$1" out; do sleep 0.05; done
}

@test "--follow waits for a file that does not exist yet" {
	agent-text -f log >out 2>err &
	until [ -s err ]; do sleep 0.01; done
	agent-run -m test -o text='an answer' --no-stdin -l log hi >/dev/null
	wait $!
	assert_equal "$(cat out)" 'an answer'
	assert_equal "$(cat err)" 'agent-text: log: does not exist yet; waiting for it'
}

@test "--follow does not wait for a file that cannot come to exist" {
	for reader in agent-text agent-tools agent-collect agent-filter; do
		run -2 timeout 20 "$reader" -f nowhere/log
		assert_output "$reader: nowhere/log: No such file or directory"
		run -2 timeout 20 "$reader" -f ''
		run -2 timeout 20 "$reader" -f=forever log
		assert_line "$reader: invalid option -- '=' (only --NAME=VALUE has a value after =)"
	done
}

@test "--follow goes on after a run that was killed, and ends when no process holds the log" {
	killed >log
	for reader in 'agent-text' 'agent-tools' 'agent-collect -o text' 'agent-filter -c'; do
		run -4 --separate-stderr timeout 60 $reader -f log
		assert_equal "$stderr" "${reader%% *}: the stream ends without agent_end of run $(jq -r .run_id log | head -1); it was cut off"
	done
	agent-text -f log >out 2>err &
	until_shown 'one '
	for i in 1 2 3; do
		agent-run -m test -o text="answer $i" --no-stdin -l log q >/dev/null
	done
	wait $! || assert_equal $? 4
	agent-text log >whole 2>err || true
	assert cmp out whole
	assert_equal "$(grep -c answer out)" 3
}

@test "--follow: a run is not over while a process has the log open for writing" {
	killed >part
	mkfifo gate
	{ cat part gate >log; } 3>&- &
	agent-text -f log >out &
	until_shown 'one '
	sleep 4 # longer than a log is waited for that no process holds
	kill -0 $!
	agent-run -m test -o text='another' --no-stdin q >gate
	until_shown another
	wait $! || assert_equal $? 4
}

@test "--follow=forever goes on after the end of all runs, and when the file is replaced" {
	agent-run -m test -o text='first' --no-stdin -l log q >/dev/null
	agent-text --follow=forever log >out 3>&- &
	until_shown first
	agent-run -m test -o text='second' --no-stdin -l log q >/dev/null
	until_shown second
	mv log log.1
	agent-run -m test -o text='third' --no-stdin -l log q >/dev/null
	until_shown third
	kill -0 $!
	kill $!
	wait $! || true
	run -2 agent-text --follow=never log
	assert_output "agent-text: --follow must have no value or =forever, not 'never'"
}
