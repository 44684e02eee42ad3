#!/usr/bin/env bats
# agent-run with a reader that stops reading events or messages. Timers, tools, signals and the other runs of a
# batch continue, the response of the model is not read, and a reader that continues gets everything.
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
	env --default-signal=INT agent-run --no-stdin "$@" hi </dev/null >out 2>messages 3>&- &
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
	assert_equal "$(data tool_end '.result | test("timed out after 1 second")')" true
	assert_equal "$(data tool_chunk .text | head -n 1)" loud
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
	assert_equal "$(data tool_approval '[.decision, .by]')" '["denied","hook"]'
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
	assert_equal "$(data error .error)" 'the run took longer than 1.5 seconds (--timeout)'
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
	assert_equal "$(data tool_end '.result | test("timed out")')" true
	assert_equal "$(data agent_end .status)" "$(printf 'success\nsuccess')"
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
	run -0 "$BUILD/server/terminal" --screen screen -- sh -c 'NO_COLOR=1 agent-run -m test -o chunks=5000 --no-stdin hi >&2'
	tr -d '\r' <screen | grep '^{' >tty
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

@test "a session, the log of --resume and the log of a batch must be regular files" {
	mkfifo pipe
	echo a >lines
	for file in pipe /dev/null /dev/full .; do
		run -2 timeout 10 agent-run -m test --no-stdin --resume $file
		assert_output "agent-run: $file: a log to resume must be a regular file"
		run -2 timeout 10 agent-run -m test --no-stdin --session $file hi
		assert_output "agent-run: $file: a session must be a regular file"
		run -2 timeout 10 agent-run -m test --batch lines -l $file
		assert_output "agent-run: $file: the log of a batch must be a regular file"
	done
	run -2 timeout 10 agent-run -m test --no-stdin --resume <(cat lines)
	assert_output --regexp '^agent-run: /dev/fd/[0-9]+: a log to resume must be a regular file$'
	run -2 timeout 10 agent-run -m test --batch lines -l >(cat >copy)
	assert_output --regexp '^agent-run: /dev/fd/[0-9]+: the log of a batch must be a regular file$'
}

@test "a log that is a pipe without a reader is refused, one whose reader has just started is not" {
	mkfifo pipe
	run -2 timeout 10 agent-run -m test --no-stdin -l pipe hi
	assert_output 'agent-run: pipe: no process reads this pipe; start its reader first'
	{ sleep 0.3; cat pipe >copy; } &
	agent-run -m test --no-stdin -l pipe hi >events
	wait $!
	cmp copy events
}

# ---- messages ----

# muted OPTION...: start agent-run with a full pipe that nobody reads as its standard error; descriptor 8
# reads it. Set `pid`.
muted() {
	mkfifo messages
	exec 7<>messages 8<messages
	dd if=/dev/zero of=messages bs=4096 oflag=nonblock 2>fill || true
	env --default-signal=INT agent-run --no-stdin "$@" </dev/null >events 2>messages 3>&- 7>&- 8<&- &
	pid=$!
	exec 7>&-
}

# Read the messages into `said`, and set `status` to the exit status of agent-run.
read_messages() {
	tr -d '\0' <&8 >said
	exec 8<&-
	status=0
	wait "$pid" || status=$?
}

# A batch of three lines: the first calls a tool; then the second ends, and the third cannot begin.
batch_with_a_message() {
	cat >model.sh <<'SH'
request=$(cat)
case $request in
*first*) echo "$request" | sh calling.sh ;;
*) until [ -s pid ]; do sleep 0.02; done; rm -f recorded; echo '{"text":"done"}' ;;
esac
SH
	echo slow >calls
	tool slow "$1\"command\":[\"sh\",\"-c\",\"echo \$\$ >pid; exec sleep 60\"]"
	agent-run -m test --no-stdin hi >recorded
	printf '%s\n' '{"prompt":"first"}' '{"prompt":"second"}' \
		'{"prompt":"third","model":"replay:recorded"}' >lines
	muted -m 'exec:sh model.sh' -t tools --batch lines -j 2 -l log
}

@test "--timeout ends a run and its tool while nobody reads standard error" {
	echo deaf >calls
	tool deaf '"command":["sh","-c","trap \"\" TERM; echo $$ >pid; while :; do sleep 0.1; done"]'
	muted -m 'exec:sh calling.sh' -t tools --timeout 1 -l log hi
	logged '"agent_end"'
	assert_equal "$(tail -n 1 log | jq -c '.data | [.status, .exit_status]')" '["timeout",124]'
	while kill -0 "$(cat pid)" 2>/dev/null; do sleep 0.02; done
	until asleep "$pid"; do sleep 0.02; done # agent-run waits for the reader of its message
	read_messages
	assert_equal "$status" 124
	assert_equal "$(cat said)" 'agent-run: the run took longer than 1 second (--timeout)'
	cmp events log
}

@test "the other runs of a batch continue while nobody reads standard error" {
	batch_with_a_message '"timeout":1,'
	logged '"tool_end"'
	logged '"text":"done"'
	read_messages
	assert_equal "$status" 2
	assert_equal "$(data tool_end '.result | test("timed out after 1 second")')" true
	assert_equal "$(data agent_end .status)" "$(printf 'success\nsuccess')"
	assert_equal "$(cat said)" 'agent-run: lines:3: recorded: No such file or directory
agent-run: 1 of 3 runs failed; the same command with the same --log runs them again'
}

@test "the first signal ends the runs of a batch while nobody reads standard error, and limits the wait" {
	local status=0
	batch_with_a_message ''
	until [ -s pid ] && asleep "$pid"; do sleep 0.02; done
	kill -TERM "$pid"
	logged '"cancelled"'
	wait "$pid" || status=$?
	exec 8<&-
	assert_equal "$status" 143
	run kill -0 "$(cat pid)"
	assert_failure
}

@test "after the run, a signal ends the wait for the reader of a message, a second one at once" {
	local status=0
	muted -m 'exec:exit 7' -l log hi
	logged '"agent_end"'
	until asleep "$pid"; do sleep 0.02; done
	kill -HUP "$pid"
	wait "$pid" || status=$?
	assert_equal "$status" 129
	assert_equal "$(tail -n 1 log | jq -r .data.status)" error
	rm messages
	muted -m 'exec:exit 7' hi
	until [ -s events ] && asleep "$pid"; do sleep 0.02; done
	kill -INT "$pid"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	exec 8<&-
	assert [ "$status" -eq 130 ] || [ "$status" -eq 143 ]
}

@test "a late reader of standard error gets every message of a batch, in order" {
	cat >model.sh <<'SH'
cat >/dev/null
rm -f "$recorded"
echo '{"text":"done"}'
SH
	export recorded=$(printf 'x%.0s' {1..150})
	agent-run -m test --no-stdin hi >"$recorded"
	{
		echo '{"prompt":"first"}'
		yes "{\"prompt\":\"again\",\"model\":\"replay:$recorded\"}" | head -n 3000
	} >lines
	muted -m 'exec:sh model.sh' --batch lines -j 1
	until [ -s events ] && asleep "$pid"; do sleep 0.02; done
	read_messages
	assert_equal "$status" 2
	for ((i = 2; i <= 3001; i++)); do
		echo "agent-run: lines:$i: $recorded: No such file or directory"
	done >wanted
	echo 'agent-run: 3000 of 3001 runs failed' >>wanted
	cmp said wanted
}

@test "a closed standard error does no harm" {
	run -1 agent-run -m 'exec:exit 7' --no-stdin -l log hi 2>&-
	assert_equal "$(tail -n 1 log | jq -r .data.status)" error
	run -1 bash -c 'agent-run -m "exec:sleep 0.2; exit 7" --no-stdin hi 2> >(exec true) >events'
	assert_everything
}

@test "a batch continues on a stopped terminal, which shows the messages later" {
	agent-run -m test --no-stdin hi >recorded
	echo '{"text":"a"}' >answer
	printf '%s\n' '{"prompt":"a","model":"exec:sleep 0.5; rm recorded; cat answer"}' \
		'{"prompt":"b","model":"replay:recorded"}' '{"prompt":"c"}' >lines
	cat >batch.sh <<'SH'
{
	until [ "$(grep -c '"agent_end"' events)" = 2 ]; do sleep 0.02; done
	stty -ixon <&2 # starts the output of a stopped terminal
	stty ixon <&2
} &
agent-run -m test --batch lines -j 1 >events
status=$?
wait
exit "$status"
SH
	# ^S
	run -2 timeout 60 "$BUILD/server/terminal" --screen screen '0 of 3' $'\023' -- sh batch.sh
	run grep -o 'agent-run: .*' screen
	assert_output $'agent-run: lines:2: recorded: No such file or directory\r\nagent-run: 1 of 3 runs failed\r'
}
