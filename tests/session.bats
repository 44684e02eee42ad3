#!/usr/bin/env bats
# agent-run with a log that goes on: --session, --resume, --history, --fsync.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	note once '["sh","-c","echo once >>calls; echo done"]'
	note again '["sh","-c","echo again >>calls; echo done"]' ',"idempotent":true'
}

# note NAME COMMAND [MEMBERS]: a tool that leaves a trace in the file calls.
note() {
	printf '{"name":"%s","description":"d","parameters":{"type":"object"},"command":%s%s}\n' "$1" "$2" "${3-}" >"$1.json"
}

# A model that answers call number N with the lines of the file answer.N.
scripted() {
	cat >model.sh <<-'EOF'
		cat >request
		n=$(($(grep -o '"role":"assistant"' request | wc -l) + 1))
		cat "answer.$n"
	EOF
	echo "exec:sh model.sh"
}

@test "a session continues the conversation in the same file" {
	agent-run -m test -c talk.jsonl 'one' </dev/null >/dev/null
	agent-run -m test --session talk.jsonl 'two' </dev/null >/dev/null
	agent-run -m "$(scripted)" -c talk.jsonl 'three' </dev/null >out || true
	assert_equal "$(jq -c '[.messages[].role]' request)" '["user","assistant","user","assistant","user"]'
	assert_equal "$(jq -c '[.messages[] | select(.role == "user").content[0].text]' request)" '["one","two","three"]'
	assert_equal "$(data agent_start .prompt talk.jsonl | paste -sd' ')" 'one two three'
}

@test "a session that is in use is not written by a second run" {
	mkfifo gate
	agent-run -m 'exec:cat gate' -c talk.jsonl 'first' </dev/null >/dev/null &
	until grep -q llm_start talk.jsonl 2>/dev/null; do sleep 0.01; done
	run -2 agent-run -m test -c talk.jsonl 'second'
	assert_output 'agent-run: talk.jsonl: another agent-run is writing to it; wait for it, or use another file'
	echo '{"text":"done"}' >gate
	wait
	assert_equal "$(data agent_start .prompt talk.jsonl)" first
	run -0 agent-run -m test -c talk.jsonl 'second'
}

@test "several runs can write one log at once, and each of them is complete" {
	local i pids=()
	for i in 1 2 3 4 5 6; do
		agent-run -m test -o chunks=500 -l log.jsonl "run $i" </dev/null >"out.$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	for i in 1 2 3 4 5 6; do
		jq -c --arg id "$(jq -rs '.[0].run_id' "out.$i")" 'select(.run_id == $id)' log.jsonl | cmp - <(jq -c . "out.$i")
	done
	assert_equal "$(wc -l <log.jsonl)" "$(cat out.? | wc -l)"
	assert_equal "$(agent-collect log.jsonl | jq -c '[.success, .iterations]' | sort -u)" '[true,1]'
}

@test "a file cannot be a log of some runs and a session of another at the same time" {
	mkfifo gate
	agent-run -m 'exec:cat gate' -l log.jsonl 'first' </dev/null >/dev/null &
	until grep -q llm_start log.jsonl 2>/dev/null; do sleep 0.01; done
	run -2 agent-run -m test -c log.jsonl 'second'
	assert_output 'agent-run: log.jsonl: another agent-run is writing to it; wait for it, or use another file'
	run -2 agent-run -m test --resume log.jsonl
	run -0 agent-run -m test -l log.jsonl 'third'
	echo '{"text":"done"}' >gate
	wait
	agent-run -m 'exec:cat gate' -c log.jsonl 'fourth' </dev/null >/dev/null &
	until [ "$(grep -c llm_start log.jsonl)" = 3 ]; do sleep 0.01; done
	run -2 agent-run -m test -l log.jsonl 'fifth'
	assert_output 'agent-run: log.jsonl: another agent-run is writing to it; wait for it, or use another file'
	echo '{"text":"done"}' >gate
	wait
	assert_equal "$(data agent_start .prompt log.jsonl | paste -sd' ')" 'first third fourth'
}

@test "contradictory options are reported" {
	run -2 agent-run -m test -c a --history b x
	assert_output 'agent-run: --session and --history both give the earlier messages; use only one'
	run -2 agent-run -m test -c a --log b x
	assert_output 'agent-run: --session appends the events to its file, so --log is not allowed'
	run -2 agent-run -m test --fsync x
	assert_output 'agent-run: --fsync needs a log: add --log or --session'
	run -2 agent-run --resume a x
	assert_output --partial -- '--resume continues the prompt of the earlier run'
	run -2 agent-run --resume nowhere
	assert_output 'agent-run: nowhere: No such file or directory'
}

@test "a torn last line is dropped with a message, a complete line without a newline is kept" {
	agent-run -m test -c talk.jsonl 'one' </dev/null >/dev/null
	printf '{"event_type":"llm_ch' >>talk.jsonl
	run --separate-stderr agent-run -m test -c talk.jsonl 'two' </dev/null
	assert_success
	assert_equal "$stderr" 'agent-run: talk.jsonl: the last line is incomplete; its 21 bytes are removed'
	truncate -s -1 talk.jsonl
	run --separate-stderr agent-run -m test -c talk.jsonl 'three' </dev/null
	assert_equal "$stderr" ''
	agent-filter --strict -c -t agent_start talk.jsonl >count
	assert_equal "$(cat count)" 3
}

@test "--dry-run and a mistake neither create a session nor change one" {
	run -0 agent-run -m test -n -c new.jsonl 'one' </dev/null
	run -2 agent-run -m test -c new.jsonl </dev/null
	run -2 agent-run -m nobody:x -c new.jsonl 'one' </dev/null
	assert [ ! -e new.jsonl ]
	agent-run -m test 'one' </dev/null | head -n 4 >torn.jsonl
	printf '{"event_type":"llm_ch' >>torn.jsonl
	chmod a-w torn.jsonl
	cp torn.jsonl before
	for option in --resume -c; do
		run --separate-stderr agent-run -m test -n "$option" torn.jsonl </dev/null
		assert_equal "${stderr_lines[0]}" 'agent-run: torn.jsonl: the last line is incomplete; its 21 bytes are ignored'
		cmp torn.jsonl before
	done
}

@test "logs and sessions are for their owner only" {
	umask 022
	agent-run -m test -c talk.jsonl 'one' </dev/null >/dev/null
	agent-run -m test -l log.jsonl 'one' </dev/null >/dev/null
	assert_equal "$(stat -c %a talk.jsonl log.jsonl)" $'600\n600'
}

@test "--fsync writes the same log" {
	agent-run -m test --fsync --log log 'one' </dev/null >out
	cmp out log
}

# ---- --resume ----

# Two rounds of calls with traces, whole in the file whole.
two_rounds() {
	printf '%s\n' '{"text":"First. "}' '{"tool_call_id":"a","tool_name":"once","args":{}}' \
		'{"tool_call_id":"b","tool_name":"again","args":{}}' >answer.1
	printf '%s\n' '{"tool_call_id":"c","tool_name":"once","args":{"n":1.10}}' >answer.2
	printf '%s\n' '{"text":"All done."}' >answer.3
	agent-run -m "$(scripted)" -t once.json -t again.json -P 1 --log whole 'go' </dev/null >/dev/null
}

# How many lines of the log of TYPE there are for a call of the tool NAME.
count_of() {
	jq -c "select(.event_type == \"$1\" and .data.tool_name == \"$2\")" "$3" | wc -l
}

@test "--resume after a cut at any place: the answer is right, and no ended call runs twice" {
	two_rounds
	size=$(stat -c %s whole)
	first=$(head -1 whole | wc -c)
	for i in $(seq 1 60); do
		cut=$((first + (size - first) * i / 60))
		head -c "$cut" whole >log
		# What the log shows has happened.
		sed '$!b;/}}$/!d' log | sed -nE '/"event_type":"tool_start"/s/.*"tool_name":"([^"]*)".*/\1/p' >calls
		begun=$(grep -c once calls || true)
		agent-run -m "$(scripted)" --resume log -t once.json -t again.json -P 1 >out 2>messages </dev/null ||
			{ echo "cut at $cut"; cat messages; return 1; }
		if grep -q 'nothing to resume' messages; then
			continue
		fi
		# A call of "once" that has begun never begins again; each runs once.
		assert_equal "$cut $(grep -c once calls)" "$cut 2"
		assert_equal "$cut $(jq -cs 'def once($type): map(select(.event_type == $type and .data.tool_name == "once").data.tool_call_id);
			(.[-1] | [.event_type, .data.status, .data.output]) + [(once("tool_end") | length), (once("tool_start") | length == (unique | length))]' log)" \
			"$cut [\"agent_end\",\"success\",\"All done.\",2,true]"
		agent-filter --strict log >/dev/null
		[ "$begun" -le 2 ]
	done
}

@test "--resume names the earlier run and continues its counts" {
	two_rounds
	sed '/"iteration":2,"model"/,$d' whole >log
	agent-run -m "$(scripted)" --resume log -t once.json -t again.json >out </dev/null
	assert_equal "$(data agent_start .resumed_from out)" "$(head -1 log | jq -r .run_id)"
	assert_equal "$(data agent_start '[.prompt, .agent_name]' out)" '["go","agent"]'
	assert_equal "$(data agent_end '[.total_iterations, .tool_calls]' out)" '[3,3]'
	assert_equal "$(jq -r .seq out | paste -sd' ')" "$(seq 0 $(($(wc -l <out) - 1)) | paste -sd' ')"
}

@test "--resume: a started call is reported as interrupted, or runs again if it is idempotent" {
	two_rounds
	sed '/"event_type":"tool_end"/,$d' whole >log
	agent-run -m "$(scripted)" --resume log -t once.json -t again.json >out </dev/null
	assert_equal "$(data tool_end '[.tool_call_id, .is_error]' out | head -1)" '["a",true]'
	assert_equal "$(data tool_end .result out | head -1)" \
		'The call was interrupted: this program was stopped while it ran. Whether it had an effect is not known.'
	sed '/"tool_call_id":"b","tool_name":"again","result"/,$d' whole >log
	agent-run -m "$(scripted)" --resume log -t once.json -t again.json >out </dev/null
	assert_equal "$(data tool_start .tool_call_id out | paste -sd' ')" 'b c'
	assert_equal "$(data tool_end '[.tool_call_id, .is_error]' out | head -1)" '["b",false]'
}

@test "--resume asks again about a call that waited for its approval when the run was stopped" {
	local pid
	note once '["sh","-c","echo once >>calls; echo done"]' ',"approval":true'
	printf '%s\n' '#!/bin/sh' 'cat >/dev/null; touch asked; exec sleep 30' >slow
	chmod +x slow
	agent-run -m test -t once.json --approve-with ./slow -l log --no-stdin go >out &
	pid=$!
	until [ -e asked ]; do sleep 0.01; done
	kill -TERM "$pid"
	wait "$pid" || true
	assert_equal "$(data tool_end .result log)" ''
	assert_equal "$(data agent_end .status log)" cancelled
	run -0 agent-run -m test -t once.json --approve-with 'cat >/dev/null; touch again' --resume log
	assert_exists again
	assert_equal "$(cat calls)" once
	assert_equal "$(data tool_end .result log)" 'done'
}

@test "the text of an interrupted response is part of the conversation that goes on" {
	local pid
	printf '%s\n' '{"text":"one "}' '{"text":"two"}' >head
	mkfifo gate
	agent-run -m 'exec:cat >/dev/null; cat head; cat gate' -c talk --no-stdin first >out &
	pid=$!
	until grep -q '"two"' out; do sleep 0.01; done
	kill -TERM "$pid"
	wait "$pid" || true
	cp talk log
	for option in '-c talk' '--history log'; do
		# shellcheck disable=SC2086 # an option and its value
		agent-run -m 'exec:cat' $option --dry-run --no-stdin 'go on' >request
		assert_equal "$(tail -n 1 request | jq -c '[.messages[] | [.role, .content[0].text]]')" \
			'[["user","first"],["assistant","one two\n\n[interrupted]"],["user","go on"]]'
	done
	agent-run -m 'exec:cat >request; echo "{\"text\":\"three\"}"' --resume log --no-stdin >out
	assert_equal "$(jq -c '[.messages[].role]' request)" '["user"]'
	assert_equal "$(data agent_end .output log | tail -1)" 'three'
}

@test "the text of an attempt that was discarded is not part of the conversation" {
	printf '%s\n' '{"event_type":"agent_start","run_id":"a","data":{"prompt":"p"}}' \
		'{"event_type":"llm_start","run_id":"a","data":{"iteration":1}}' \
		'{"event_type":"llm_chunk","run_id":"a","data":{"text":"wrong"}}' \
		'{"event_type":"llm_retry","run_id":"a","data":{"attempt":2,"discard":true}}' \
		'{"event_type":"llm_chunk","run_id":"a","data":{"text":"right"}}' >log
	agent-run -m 'exec:cat' --history log --dry-run --no-stdin 'go on' >request
	assert_equal "$(tail -n 1 request | jq -c '[.messages[1].content[].text]')" '["right\n\n[interrupted]"]'
}

@test "--resume uses the model of the run, and repeats a failed request" {
	two_rounds
	mv answer.3 later
	printf '%s\n' '{"event_type":"error","data":{"error":"no","exception_type":"server","fatal":true}}' >answer.3
	sed '/"iteration":3,"model"/,$d' whole >log
	run -1 agent-run --resume log -t once.json -t again.json
	mv later answer.3
	run -0 agent-run --resume log -t once.json -t again.json
	assert_equal "$(tail -1 log | jq -r .data.output)" 'All done.'
	run --separate-stderr -0 agent-run --resume log
	assert_equal "$stderr" 'agent-run: log: its last run is complete; there is nothing to resume'
	assert_equal "$output" ''
}

@test "the readers treat a run and its continuation as one run" {
	two_rounds
	sed '/"tool_call_id":"c","tool_name":"once","result"/,$d' whole >log
	run -4 agent-text log
	agent-run -m "$(scripted)" --resume log -t once.json -t again.json >/dev/null </dev/null
	run --separate-stderr -0 agent-text log
	assert_equal "$stderr" ''
	assert_equal "$output" "$(printf 'First. \n\nAll done.')"
	run --separate-stderr -0 agent-collect log
	assert_equal "$stderr" ''
	assert_equal "$(jq -c '[.run_id, .status, .iterations, (.tool_calls | map(.tool_call_id)), .output]' <<<"$output")" \
		"[\"$(tail -1 log | jq -r .run_id)\",\"success\",3,[\"a\",\"b\",\"c\"],\"All done.\"]"
	run --separate-stderr -0 agent-tools --json log
	assert_equal "$stderr" ''
	assert_equal "$(jq -r .tool_call_id <<<"$output" | paste -sd' ')" 'a b c'
}

@test "the readers: a failed run that was resumed successfully has succeeded" {
	printf '%s\n' '{"event_type":"error","data":{"error":"no","exception_type":"server","fatal":true}}' >answer.1
	run -1 agent-run -m "$(scripted)" --log log go
	run -1 agent-text log
	echo '{"text":"yes"}' >answer.1
	agent-run --resume log >/dev/null
	for reader in agent-text agent-tools agent-collect; do
		run -0 "$reader" log
	done
}

# in_all_readers STATUS FILE: every reader exits with STATUS; what agent-text says is in `stderr`.
in_all_readers() {
	local reader
	for reader in agent-tools agent-collect agent-filter agent-text; do
		run -"$1" --separate-stderr "$reader" "$2"
	done
}

@test "the readers: an event of a torn line is lost, unless its run is resumed" {
	agent-run -m test -l log one </dev/null >/dev/null
	truncate -s -200 log
	cp log torn
	agent-run -m test -l log two </dev/null >/dev/null
	in_all_readers 4 log
	assert_regex "$stderr" "^agent-text: log:[0-9]+: byte [0-9]+: unexpected end of text; the line is skipped
agent-text: the stream ends without agent_end of run [-0-9a-f]*; it was cut off$"
	{ cat torn && echo; } >log
	agent-run -m test --resume log </dev/null >/dev/null
	in_all_readers 0 log
	# A chunk of a complete run.
	agent-run -m test x </dev/null >whole
	sed '/llm_chunk/s/}}$//' whole >log
	run -1 agent-text log
	run -1 agent-collect log
}

@test "the readers: a torn agent_start is no loss if its line of the batch runs again" {
	seq 1 3 >lines
	agent-run -m test --batch lines -j 1 -l whole </dev/null >/dev/null
	start=$(grep -n agent_start whole | tail -n 1 | cut -d: -f1)
	for size in 230 160; do
		{ head -n $((start - 1)) whole; sed -n "${start}p" whole | head -c $size; } >log
		run -0 --separate-stderr agent-run -m test --batch lines -j 1 -l log
		assert_regex "$stderr" "^agent-run: log:$start: byte [0-9]+: unexpected end of text; the last line is cut off, and skipped$"
		in_all_readers 0 log
		assert_equal "$(agent-collect log 2>/dev/null | jq -r .id | xargs)" '1 2 3'
	done
	head -n $((start - 1)) whole >log
	sed -n "${start}p" whole | head -c 230 >>log
	in_all_readers 1 log
	# The run itself goes on, between those of other lines.
	agent-run -m test --batch lines -j 3 -l side </dev/null >/dev/null
	{ sed -n 1p side | head -c 160; echo; tail -n +2 side; } >log
	in_all_readers 1 log
}

@test "a log whose end is there twice is read once" {
	agent-run -m test -t once.json -l whole one </dev/null >/dev/null
	agent-run -m test -c whole two </dev/null >/dev/null
	agent-run -m test -n --history whole three </dev/null >want
	for part in "$(wc -l <whole)" 12 1; do
		{ cat whole; tail -n "$part" whole; } >log
		in_all_readers 0 log
		assert_equal "$(agent-text log 2>/dev/null)" "$(agent-text whole)"
		assert_equal "$(agent-collect log 2>/dev/null)" "$(agent-collect whole)"
		n=$(($(wc -l <whole) + 1))
		assert_regex "$(agent-text log 2>&1 >/dev/null)" "^agent-text: log:$n: seq [0-9]* of run '[-0-9a-f]*' is repeated; the event and copies that follow it are ignored$"
		run -0 --separate-stderr agent-run -m test -n --history log three
		assert_equal "$output" "$(cat want)"
		assert_regex "$stderr" "^agent-run: log:$n: seq "
	done
	# It begins in the middle of a line.
	{ cat whole; tail -c 1400 whole; } >log
	in_all_readers 0 log
	# A run that was resumed, and one that was killed within its answer.
	{ head -n 20 whole; sed -n 17,20p whole; } >log
	run -0 --separate-stderr agent-run -m test --resume log
	cat log log >twice
	in_all_readers 0 twice
	assert_equal "$(agent-collect twice 2>/dev/null)" "$(agent-collect log 2>/dev/null)"
	assert_equal "$(agent-run -m test -n --history twice three </dev/null 2>/dev/null)" "$(agent-run -m test -n --history log three </dev/null 2>/dev/null)"
	run -0 --separate-stderr agent-run -m replay:twice one
	assert_line --partial '"status":"success"'
}

@test "an event behind a torn line of a type that a reader does not need is not overlooked" {
	agent-run -m test -t once.json -l whole one </dev/null >/dev/null
	line=$(grep -n '"progress"' whole | head -n 1 | cut -d: -f1)
	for end in '' '\0\0\0'; do
		{ head -n "$line" whole | head -c -40; printf '%b' "$end"; tail -n +$((line + 1)) whole; } >log
		in_all_readers 1 log
		assert_regex "$stderr" "^agent-text: log:$line: .*; only the event at the end of the line is read$"
		run -1 --separate-stderr agent-tools -j log
		assert_output "$(agent-tools -j whole)"
	done
}

@test "NUL bytes in a log: the event behind them is read, and a gap is noticed" {
	agent-run -m test -o text='one two three' x </dev/null >whole
	n=$(grep -n '"llm_chunk"' whole | tail -n 1 | cut -d: -f1)
	{ head -n $((n - 1)) whole; head -c 4096 /dev/zero; tail -n +$n whole; head -c 5 /dev/zero; } >log
	in_all_readers 0 log
	assert_output 'one two three'
	assert_equal "$stderr" "agent-text: log:$n: 4096 NUL bytes are skipped
agent-text: log:$(($(wc -l <whole) + 1)): 5 NUL bytes are skipped"
	assert_equal "$(agent-filter log 2>/dev/null | cksum)" "$(cksum <whole)"
	# A part of the event before, too.
	{ head -n $((n - 1)) whole; printf '{"event_type":"llm_chu'; head -c 9 /dev/zero; tail -n +$n whole; } >log
	run -1 --separate-stderr agent-text log
	assert_output 'one two three'
	assert_equal "$stderr" "agent-text: log:$n: byte 23: control character in a string; only the event at the end of the line is read"
	{ head -n $((n - 1)) whole; head -c 4096 /dev/zero; tail -n +$((n + 1)) whole; } >log
	in_all_readers 1 log
	assert_output 'one two '
	# agent-run goes on with it.
	run -0 --separate-stderr agent-run -m test -c log next
	assert_equal "$stderr" "agent-run: log:$n: 4096 NUL bytes are skipped"
	run -0 --separate-stderr agent-run -m replay:log x
	assert_line --index 0 --partial agent_start
	assert_equal "$stderr" "agent-run: log:$n: 4096 NUL bytes are skipped"
}

@test "NUL bytes over an agent_start: the next event of its run shows the loss" {
	agent-run -m test x </dev/null >whole
	agent-run -m test y </dev/null >second
	nuls() { head -c "$(head -n 1 "$1" | wc -c)" /dev/zero; tail -n +2 "$1"; }
	nuls whole >log
	in_all_readers 1 log
	assert_output 'This is the built-in test model. You said: x'
	{ cat whole && nuls second; } >log
	in_all_readers 1 log
	# Over the first two lines, and with an event of another run behind them.
	{ nuls second | head -n 1; cat whole; nuls second | tail -n +2; } >log
	in_all_readers 1 log
	{ head -n 3 whole && nuls second | head -n 1; tail -n +4 whole; tail -n +2 second; } >log
	in_all_readers 1 log
	# A run that begins after the NUL bytes, and a part of a log without any, have lost nothing.
	{ head -c 99 /dev/zero; cat whole second; } >log
	in_all_readers 0 log
	tail -n +2 whole >log
	in_all_readers 0 log
	# A run that resumes it makes up for it.
	id=$(jq -r .run_id second | head -n 1)
	{ nuls second | head -n 4; jq -c "if .event_type == \"agent_start\" then .data.resumed_from = \"$id\" else . end" whole; } >log
	in_all_readers 0 log
}

@test "a run in a log with a damaged line is resumed, unless a needed response is lost" {
	agent-run -m test -t once.json -l log one </dev/null >/dev/null
	rm calls
	n=$(grep -n '"llm_end"' log | head -n 1 | cut -d: -f1)
	head -n $(($(grep -n '"tool_start"' log | cut -d: -f1))) log >cut
	sed "${n}s/.*/{\"event_type\":\"llm_/" cut >torn
	run -2 agent-run -m test -t once.json --resume torn
	assert_line --partial "agent-run: torn:$n: a response is lost whose tools were called; run "
	assert_not_exist calls
	agent-run -m test -l torn two </dev/null >/dev/null
	head -n -2 torn >torn2
	run -0 --separate-stderr agent-run -m test --resume torn2
	assert_regex "$stderr" "^agent-run: torn2:$n: byte .*; the line is skipped$"
}

@test "agent-text reports that an incomplete response is requested again" {
	two_rounds
	head -3 whole >log
	agent-run -m "$(scripted)" --resume log -t once.json -t again.json >/dev/null </dev/null
	run --separate-stderr -0 agent-text log
	assert_equal "$stderr" 'agent-text: the response starts again (the run was resumed)'
	assert_equal "$output" "$(printf 'First. \n\nFirst. \n\nAll done.')"
	assert_equal "$(agent-text -F log)" 'All done.'
}

@test "--history accepts messages of Chat Completions with calls and results" {
	cat >messages.json <<-'EOF'
		[{"role":"system","content":"Be brief."},
		 {"role":"user","content":[{"type":"text","text":"hi"}]},
		 {"role":"assistant","content":null,"tool_calls":[
		   {"id":"x","type":"function","function":{"name":"f","arguments":"{\"n\": 1.10}"}},
		   {"id":"y","type":"function","function":{"name":"g","arguments":"oops"}}]},
		 {"role":"tool","tool_call_id":"x","content":"1"},
		 {"role":"tool","tool_call_id":"y","content":"2"},
		 {"role":"assistant","content":"done"}]
	EOF
	echo '{"text":"ok"}' >answer.3
	agent-run -m "$(scripted)" --history messages.json 'and now?' </dev/null >out
	assert_equal "$(jq -c '[.system, (.messages[].role)]' request)" '["Be brief.","user","assistant","tool","assistant","user"]'
	assert_equal "$(grep -o '"args":{[^}]*}' request | head -1)" '"args":{"n":1.10}'
	assert_equal "$(jq -c '.messages[1].content[1].invalid_args, [.messages[2].content[] | [.tool_name, .result]]' request | paste -sd' ')" \
		'"oops" [["f","1"],["g","2"]]'
}

@test "call ids are unique in a session if the server sends none" {
	start_server --loop \
		"type=application/x-ndjson text='{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"now\",\"arguments\":{}}}]},\"done\":true}'" \
		"type=application/x-ndjson text='{\"message\":{\"content\":\"noon\"},\"done\":true}'"
	echo '{"name":"now","description":"The time.","command":["echo","12:00"]}' >now.json
	agent-run -m ollama:m --base-url "$SERVER_URL" -t now.json -c session when </dev/null >one
	agent-run -m ollama:m --base-url "$SERVER_URL" -t now.json -c session 'and now' </dev/null >two
	run jq -r 'select(.event_type == "tool_start").data.tool_call_id' one two
	assert_output $'call_1\ncall_2'
}

@test "--resume without the tools of the run names them" {
	echo '{"name":"look","command":["true"]}' >look.json
	agent-run -m test -t look.json x </dev/null >run.jsonl
	sed '/"tool_start"/,$d' run.jsonl >cut.jsonl
	cp cut.jsonl before
	run -2 agent-run --resume cut.jsonl </dev/null
	assert_output 'agent-run: cut.jsonl: its run has calls of tools that are not given; give --tool or --agent again: look'
	cmp cut.jsonl before
	agent-run --resume cut.jsonl -t look.json </dev/null >/dev/null
}

@test "a run whose agent_start is lost is not resumed, nor is one that is nested in another taken for it" {
	agent-run -m test -l log one </dev/null >/dev/null
	agent-run -m test -l log two </dev/null | head -n 3 >/dev/null || true
	n=$(grep -n agent_start log | tail -n 1 | cut -d: -f1)
	sed "${n}s/.\{90\}$//; \$d" log >torn
	run -2 agent-run -m test --resume torn
	assert_line "agent-run: torn:$n: the agent_start of the last run is lost, so that it cannot be resumed"
	printf '{"name":"Inner","description":"d","instructions":"inner"}' >inner.json
	printf '{"name":"Outer","tools":[{"name":"ask","description":"d","agent":"inner.json"}]}' >outer.json
	agent-run -m test -A outer.json -l nested one </dev/null >/dev/null
	n=$(grep -n agent_start nested | tail -n 1 | cut -d: -f1)
	sed "${n}s/.\{90\}$//" nested >torn
	agent-run -m test -n --history nested two </dev/null >want
	run -0 --separate-stderr agent-run -m test -n --history torn two
	assert_output "$(cat want)"
	assert_regex "$stderr" "^agent-run: torn:$n: byte [0-9]*: .*; the line is skipped$"
}

@test "--resume names the tools that the run had and that are not given" {
	agent-run -m test -t once.json -t again.json -l log one </dev/null >/dev/null
	head -n -1 log >cut
	run -0 --separate-stderr agent-run -m test -t again.json --resume cut
	assert_equal "$stderr" 'agent-run: cut: its run had tools that are not given (--tool, --agent): once'
	head -n -1 log >cut
	run -0 --separate-stderr agent-run -m test -t once.json -t again.json --resume cut
	assert_equal "$stderr" ''
}

@test "a file that is no event log is not appended to" {
	printf 'my notes\n' >notes
	printf '{"name":"x"}\n' >package.json
	printf '[{"role":"user","content":"hello"}]\n' >messages.json
	printf '{\n  "event_type": 1\n}\n' >pretty.json
	sha256sum notes package.json messages.json pretty.json >sums
	echo one >lines
	for file in notes package.json messages.json pretty.json; do
		for batch in '' '--batch lines'; do
			# shellcheck disable=SC2086
			run -2 --separate-stderr agent-run -m test $batch -l "$file" ${batch:-one}
			assert_equal "$stderr" "agent-run: $file: is no event log, so that events are not appended to it"
		done
		run -2 agent-run -m test -c "$file" two
	done
	run -2 --separate-stderr agent-run -m test -c messages.json two
	assert_equal "$stderr" 'agent-run: messages.json: is an array, not an event log; --history reads messages'
	run -2 --separate-stderr agent-run -m test --resume messages.json
	assert_equal "$stderr" 'agent-run: messages.json: is an array, not an event log; --history reads messages'
	sha256sum -c --quiet sums
	# What a crash left of a log is one.
	for text in '' '{' '{"event_type":"agent_st' '{"event_type":"agent_start","timestamp":"2026'; do
		printf '%s' "$text" >log
		run -0 agent-run -m test -l log two
	done
	head -c 4096 /dev/zero >log
	run -0 agent-run -m test -l log two
	run -0 agent-run -m test -l log three
	: >log
	run -2 --separate-stderr agent-run -m test --resume log
	assert_equal "$stderr" 'agent-run: log: is empty; there is no run to resume'
	printf '{"event_type":"agent_st' >log
	run -2 --separate-stderr agent-run -m test --resume log
	assert_equal "$stderr" 'agent-run: log: its only line is incomplete; there is no run to resume'
}

@test "a killed run of a session does not count when a later run continues the conversation" {
	agent-run -m test -c talk --no-stdin one >/dev/null
	mkfifo gate
	agent-run -m 'exec:cat gate' -c talk --no-stdin two >/dev/null &
	until grep -q two talk; do sleep 0.01; done
	kill -KILL $!
	wait $! || true
	: >gate
	in_all_readers 4 talk
	cp talk torn
	agent-run -m test -c talk --no-stdin three >/dev/null
	in_all_readers 0 talk
	assert_equal "$(data agent_start .continues talk | tail -n 1)" "$(jq -r 'select(.data.prompt == "two").run_id' talk)"
	assert_equal "$(agent-collect talk | jq -r .status | sort | xargs)" 'incomplete success success'
	timeout 5 agent-text -f talk >/dev/null
	# So does a line that was torn when it was killed.
	{ cat torn; echo '{"event_type":"llm_ch'; } >talk
	agent-run -m test -c talk --no-stdin three >/dev/null 2>&1
	in_all_readers 0 talk
	# Runs of a log do not continue each other.
	agent-run -m test -l torn --no-stdin three >/dev/null
	in_all_readers 4 torn
}

@test "the readers: a torn line in the middle of a log is reported, whether or not its event matters" {
	note t '["echo","done"]'
	agent-run -m test -t t.json --no-stdin go >whole
	for n in $(seq 3 $(($(wc -l <whole) - 1))); do
		sed "${n}s/.\$//" whole >log
		for reader in agent-text agent-tools 'agent-filter -t agent_end' agent-collect; do
			# shellcheck disable=SC2086 # with its options
			run -1 --separate-stderr $reader log
			assert_regex "$stderr" "^${reader%% *}: log:$n: byte [0-9]*: unexpected end of text; the line is skipped"
		done
	done
}
