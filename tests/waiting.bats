#!/usr/bin/env bats
# agent-run: what it waits for is said on standard error, once, and the time limit includes the wait for
# standard input.
# shellcheck shell=bash
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export OPENAI_API_KEY=k
	unset NO_COLOR
	export TERM=xterm
}

# at_terminal COMMAND: run it with a terminal as standard error; what was on the terminal goes to `screen`.
at_terminal() {
	timeout 60 "$BUILD/server/terminal" --screen screen -- sh -c "$1"
}

limited="status=429 header='Retry-After: 1' type=application/json text='{\"error\":{\"message\":\"slow down\"}}'"

@test "a wait for a rate limit is said at once on a terminal, faintly, and once" {
	start_server "$limited" "say=Hello"
	at_terminal "agent-run -m openai-chat:m --base-url $SERVER_URL --no-stdin hi >events"
	assert_equal "$(grep -o $'\e\\[2m.*' screen | tr -d '\r')" $'\e[2magent-run: rate limited, again in 1.0 s, 1 of 4\e[0m'
	start_server "status=503 text=busy" "status=500 type=application/json text='{\"error\":{\"message\":\"oops\\\\u001b[31m\"}}'" "say=Hello"
	NO_COLOR=1 at_terminal "agent-run -m openai-chat:m --base-url $SERVER_URL --no-stdin --retries 2 hi >events"
	assert_equal "$(grep -o 'agent-run: .*' screen | sed 's/in [0-9.]* s/in N s/' | tr -d '\r')" \
		'agent-run: overloaded, again in N s, 1 of 2
agent-run: openai-chat answered HTTP 500: oops\x1b[31m, again in N s, 2 of 2'
}

@test "elsewhere a wait is said when it has lasted 10 seconds" {
	start_server "${limited/: 1/: 12}" "say=Hello"
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --no-stdin hi >events 2>messages
	assert_equal "$(cat messages)" 'agent-run: rate limited, again in 2.0 s, 1 of 4'
	start_server "$limited" "say=Hello"
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --no-stdin hi >events 2>messages
	assert_equal "$(cat messages)" ''
}

@test "one run of a batch reports a rate limit for all" {
	start_server "$limited" "$limited" "$limited" "say=Hello"
	printf '%s\n' one two three >lines
	at_terminal "agent-run -m openai-chat:m --base-url $SERVER_URL --batch lines >events"
	assert_equal "$(data agent_end .success | paste -sd' ')" 'true true true'
	assert_equal "$(data llm_retry .http_status | wc -l) $(grep -c 'agent-run: [123]: rate limited, again in' screen)" '3 1'
}

@test "the wait for standard input is said after 2 seconds, at a terminal too" {
	mkfifo pipe
	exec 8<>pipe
	timeout 20 agent-run -m test --timeout 2.5 'the prompt' <&8 >events 2>messages || status=$?
	assert_equal "$status" 124
	assert_equal "$(head -n 1 messages)" 'agent-run: waiting for standard input; --no-stdin does not read it'
	assert_equal "$(data agent_start .prompt) $(data error .error) $(data agent_end '[.status, .exit_status]')" \
		'the prompt the run took longer than 2.5 seconds (--timeout) ["timeout",124]'
	exec 8<&-
	at_terminal "sleep 2.5 | agent-run -m test hi >events"
	assert_equal "$(grep -c 'waiting for standard input' screen)" 1
	at_terminal "echo quick | agent-run -m test hi >events"
	assert_equal "$(cat screen)" ''
	run -0 timeout 60 "$BUILD/server/terminal" --screen screen 'reading standard input until ^D' $'hello\n\x04' -- sh -c 'agent-run -m test - >events'
	assert_equal "$(data agent_start .prompt)" hello
}

@test "--timeout ends the wait for a history, an attachment or a prompt, but not for a batch" {
	mkfifo pipe
	exec 8<>pipe
	for option in '--history -' '-a -' '-'; do
		# shellcheck disable=SC2086
		run -124 timeout 20 agent-run -m test --timeout 0.2 $option hi <&8
	done
	exec 8<&-
	(sleep 1; echo one) | agent-run -m test --timeout 0.5 --batch - >events
	assert_equal "$(data agent_end .status)" success
}

@test "a signal during the wait for standard input ends the run in order" {
	mkfifo pipe
	exec 8<>pipe
	agent-run -m test 'the prompt' <&8 >events 2>messages &
	sleep 0.5
	kill -TERM $!
	wait $! || status=$?
	assert_equal "$status" 143
	assert_equal "$(data agent_end '[.status, .exit_status]')" '["cancelled",143]'
	agent-run -m test --batch - <&8 >events 2>messages &
	sleep 0.5
	kill -TERM $!
	status=0
	wait $! || status=$?
	assert_equal "$status $(cat events messages)" '143 '
}

@test "a signal that also ends the writer of standard input ends the run, whichever is seen first" {
	mkfifo pipe
	for option in - --batch=-; do
		exec 8<>pipe
		agent-run -m test "$option" <pipe 8>&- >events 2>messages &
		sleep 0.5
		kill -STOP $!
		kill -TERM $!
		exec 8>&-
		kill -CONT $!
		status=0
		wait $! || status=$?
		assert_equal "$status $(grep -c prompt messages)" '143 0'
	done
}

@test "the time of a nested run counts from its own start" {
	echo '{"name":"helper","model":"test","limits":{"timeout":0.5}}' >helper.json
	echo '{"name":"boss","model":"test","tools":[{"name":"ask","agent":"helper.json"}]}' >boss.json
	(sleep 0.7; echo hi) | agent-run -A boss.json >events
	assert_equal "$(data agent_end .status | paste -sd' ')" 'success success'
}

@test "the wait for a program that approves is said" {
	echo '{"name":"look","command":["true"]}' >look.json
	at_terminal "agent-run -m test -t look.json --ask look --approve-with 'sleep 2.5' --no-stdin hi >events"
	assert_equal "$(grep -o 'agent-run: .*' screen | sed $'s/\e\\[0m//' | tr -d '\r')" \
		'agent-run: waiting for an approval of look, by --approve-with'
}
