#!/usr/bin/env bats
# agent-run with a reader that stops reading events. Timers, tools, signals and the other runs of a
# batch continue, the response of the model is not read, and a reader that continues gets all events.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir tools
	# Print lines of text without end.
	cat >flood.sh <<'EOF'
cat >/dev/null
exec yes '{"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}'
EOF
	# Call the tools named in `calls`, then answer "done".
	cat >calling.sh <<'EOF'
case $(cat) in
*'"role":"tool"'*) echo '{"text":"done"}' ;;
*)
	i=0
	for name in $(cat calls); do
		printf '{"event_type":"tool_call_start","data":{"tool_call_id":"c%d","tool_name":"%s","index":%d}}\n' $i $name $i
		i=$((i + 1))
	done ;;
esac
EOF
}

tool() {
	printf '{"name":"%s","description":"x","parameters":{"type":"object"},%s}\n' "$1" "$2" >"tools/$1.json"
}

# stalled OPTION...: start agent-run with a pipe as its output that is open and not read. Set `pid` and
# the descriptor `reader`.
stalled() {
	rm -f out
	mkfifo out
	agent-run --no-stdin "$@" hi </dev/null >out 2>messages 3>&- &
	pid=$!
	exec {reader}<out
}

# Read the rest into `events`, and set `status` to the exit status of agent-run.
read_on() {
	cat <&"$reader" >events
	exec {reader}<&-
	status=0
	wait "$pid" || status=$?
}

# of TYPE FILTER: print the output of a jq filter for the data of each event of TYPE, one a line.
of() {
	jq -rc --arg type "$1" "select(.event_type == \$type) | .data | $2" events
}

# logged PATTERN: wait until a line of the log matches.
logged() {
	until grep -q "$1" log 2>/dev/null; do sleep 0.02; done
}

# asleep PID: whether the process sleeps and has not run for 250 ms.
asleep() {
	local before
	before=$(awk '{print $14 + $15}' "/proc/$1/stat")
	sleep 0.25
	[ "$(awk '{print $3, $14 + $15}' "/proc/$1/stat")" = "S $before" ]
}

assert_everything() {
	assert_equal "$(jq -s 'map(.seq) == [range(length)]' events)" true
	assert_equal "$(tail -n 1 events | jq -r .event_type)" agent_end
}

@test "--timeout ends a run whose reader does not read" {
	stalled -m 'exec:sh flood.sh' --timeout 1 -l log
	logged '"agent_end"'
	assert_equal "$(tail -n 1 log | jq -c '.data | [.status, .exit_status]')" '["timeout",124]'
	kill -0 "$pid" # agent-run waits for its reader
	read_on
	assert_equal "$status" 124
	assert_everything
	cmp events log
}

@test "a tool times out while its output is not read, and its result has the output until then" {
	echo loud >calls
	tool loud '"timeout":1,"command":["sh","-c","yes loud | head -c 400000; exec sleep 60"]'
	stalled -m 'exec:sh calling.sh' -t tools --tool-output -l log
	logged '"tool_end"'
	read_on
	assert_equal "$status" 0
	assert_everything
	assert_equal "$(of tool_end '.result | test("timed out after 1 second")')" true
	assert_equal "$(of tool_chunk .text | head -n 1)" loud
}

@test "the end of a tool is logged while the reader does not read" {
	echo loud >calls
	tool loud '"command":["sh","-c","yes loud | head -c 300000"]'
	stalled -m 'exec:sh calling.sh' -t tools --tool-output -l log
	until [ -s log ] && [ "$(wc -c <log)" -gt 250000 ]; do sleep 0.02; done
	read_on
	assert_equal "$status" 0
	assert_everything
	assert_equal "$(jq -j 'select(.event_type == "tool_chunk") | .data.text' events | grep -c loud)" 60000
}

@test "--approval-timeout denies a call while the reader does not read" {
	echo loud asked >calls
	tool loud '"command":["sh","-c","exec yes loud"]'
	tool asked '"command":["true"]'
	stalled -m 'exec:sh calling.sh' -t tools --tool-output --timeout 20 -l log --ask asked \
		--approve-with 'until [ -s log ] && [ "$(wc -c <log)" -gt 200000 ]; do sleep 0.02; done; exec sleep 60' --approval-timeout 1
	logged '"tool_approval"'
	kill -TERM "$pid"
	read_on
	assert_equal "$status" 143
	assert_everything
	assert_equal "$(of tool_approval '[.decision, .by]')" '["denied","hook"]'
}

@test "--idle-timeout does not count the time in which the reader does not read" {
	export OPENAI_API_KEY=k
	start_server 'generate=20000'
	stalled -m openai-chat:m --base-url "$SERVER_URL/v1" --idle-timeout 0.5
	sleep 1.5
	read_on
	assert_equal "$status" 0
	assert_everything
	assert_equal "$(grep -c '"llm_chunk"' events)" 20000
	stalled -m 'exec:sh flood.sh' --idle-timeout 0.5 --timeout 1.5 -l log
	logged '"agent_end"'
	read_on
	assert_equal "$status" 124
	assert_equal "$(of error .error)" 'the run took longer than 1.5 seconds (--timeout)'
}

@test "the other runs of a batch continue while the reader does not read" {
	cat >model.sh <<'EOF'
request=$(cat)
case $request in
*flood*) until [ -e started ]; do sleep 0.02; done; yes '{"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}' | head -n 5000 ;;
*) echo "$request" | sh calling.sh ;;
esac
EOF
	echo slow >calls
	tool slow '"timeout":1,"command":["sh","-c","touch started; echo $$ >pid; exec sleep 60"]'
	printf 'one\nflood\n' >lines
	rm -f out
	mkfifo out
	agent-run -m 'exec:sh model.sh' -t tools --batch lines -l log </dev/null >out 2>messages 3>&- &
	pid=$!
	exec {reader}<out
	until [ -s pid ]; do sleep 0.02; done
	while kill -0 "$(cat pid)" 2>/dev/null; do sleep 0.02; done
	logged '"tool_end"'
	read_on
	assert_equal "$status" 0
	assert_equal "$(of tool_end '.result | test("timed out")')" true
	assert_equal "$(of agent_end .status)" "$(printf 'success\nsuccess')"
}

@test "no more lines of a batch start while the reader does not read, so memory stays flat" {
	yes line | head -n 3000 >lines
	rm -f out
	mkfifo out
	agent-run -m test --batch lines -l log </dev/null >out 2>messages 3>&- &
	pid=$!
	exec {reader}<out
	logged '"agent_end"'
	until asleep "$pid"; do sleep 0.02; done
	assert [ "$(wc -c <log)" -lt 600000 ]
	read_on
	assert_equal "$status" 0
	assert_equal "$(grep -c '"agent_end"' events)" 3000
}

@test "memory stays flat while a provider sends 100 MB and the reader does not read" {
	export OPENAI_API_KEY=k
	start_server 'generate=600000'
	stalled -m openai-chat:m --base-url "$SERVER_URL/v1"
	until asleep "$pid"; do sleep 0.02; done
	assert [ "$(awk '/VmHWM/ {print $2}' "/proc/$pid/status")" -lt 60000 ]
	kill -KILL "$pid"
	exec {reader}<&-
}

@test "a second SIGINT ends agent-run at once although the reader does not read" {
	local status=0
	stalled -m 'exec:sh flood.sh' -l log
	until [ -s log ] && [ "$(wc -c <log)" -gt 200000 ]; do sleep 0.02; done
	kill -INT "$pid"
	logged '"agent_end"'
	kill -INT "$pid"
	wait "$pid" || status=$?
	exec {reader}<&-
	assert_equal "$status" 130
}

@test "agent-run waits for its reader after the run; a signal ends the wait" {
	local status=0
	stalled -m test -o text="$(head -c 120000 /dev/zero | tr '\0' x)" -l log
	logged '"agent_end"'
	kill -TERM "$pid"
	wait "$pid" || status=$?
	exec {reader}<&-
	assert_equal "$status" 143
	assert_equal "$(tail -n 1 log | jq -r .data.status)" success
}

@test "a socket and a terminal as standard output get all events" {
	run -0 "$BUILD/server/terminal" --screen screen -- sh -c 'agent-run -m test -o chunks=5000 --no-stdin hi >&2'
	tr -d '\r' <screen >tty
	"$BUILD/server/socket" agent-run -m test -o chunks=5000 --no-stdin hi >socket
	for events in socket tty; do
		assert_equal "$(jq -s 'map(.seq) == [range(length)]' "$events")" true
		assert_equal "$(grep -c '"llm_chunk"' "$events")" 5000
	done
}

@test "standard output stays blocking for other processes that share it" {
	run -0 bash -c 'agent-run -m test -o chunks=20000 --no-stdin hi | { sleep 0.3; cat >/dev/null; }
		{ agent-run -m test --no-stdin hi; cat /proc/self/fdinfo/3 >description; } 3>&1 | cat >/dev/null'
	flags=$(awk '/^flags:/ {print $2}' description) # open(2) flags in octal
	assert [ $((0$flags & 04000)) -eq 0 ]            # O_NONBLOCK
}

# ---- the log ----

@test "a log that is a pipe gets all events, and before standard output" {
	rm -f log
	mkfifo log
	agent-run -m test -o chunks=5000 --no-stdin -l log hi >events 2>messages </dev/null 3>&- &
	pid=$!
	sleep 0.3
	cat log >copy
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 0
	cmp copy events
}

@test "a tool does not start before its tool_start is in a slow log" {
	mkfifo log
	echo one >calls
	tool one '"command":["touch","ran"]'
	cat >long.sh <<'EOF'
n=$(cat)
case $n in *'"role":"tool"'*) ;; *) printf '{"text":"%s"}\n' "$(head -c 100000 /dev/zero | tr '\0' x)" ;; esac
echo "$n" | sh calling.sh
EOF
	agent-run -m 'exec:sh long.sh' -t tools --no-stdin -l log hi >events 2>messages </dev/null 3>&- &
	pid=$!
	exec {reader}<>log
	until [ -s events ] && asleep "$pid"; do sleep 0.02; done
	assert [ ! -e ran ]
	cat <&"$reader" >copy &
	reading=$!
	wait "$pid"
	kill "$reading"
	exec {reader}<&-
	assert [ -e ran ]
	assert_everything
}

@test "if the reader of a log closes it, the log is reported as incomplete, with status 1" {
	run -1 bash -c 'agent-run -m test -o chunks=20000 --no-stdin -l >(head -n 1 >/dev/null) hi >/dev/null'
	assert_output --partial 'Broken pipe; the log is not complete'
}

@test "a session and the log of --resume must be regular files" {
	mkfifo pipe
	run -2 timeout 10 agent-run -m test --no-stdin --resume pipe
	assert_output 'agent-run: pipe: only a run in a regular file can be resumed'
	run -2 timeout 10 agent-run -m test --no-stdin --session pipe hi
	assert_output 'agent-run: pipe: a session must be a regular file'
	agent-run -m test --no-stdin --session /dev/null hi >events
	assert_everything
}

@test "the log of a batch can be a pipe" {
	printf 'a\nb\n' >lines
	agent-run -m test --batch lines -l >(cat >copy) >events
	until [ "$(wc -c <copy)" = "$(wc -c <events)" ]; do sleep 0.02; done
	cmp copy events
}
