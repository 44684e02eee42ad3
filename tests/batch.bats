#!/usr/bin/env bats
# agent-run --batch: many runs in one process, and the continuation of a batch.

load helper

setup() {
	export OPENAI_API_KEY=key-c0ffee-0123456789
	cd "$BATS_TEST_TMPDIR" || return
}

# The ids of a log's runs with what they ended with, sorted: "1:success 2:error".
ends() {
	jq -rs 'map({key: .run_id, value: .}) | group_by(.key) | map(map(.value) |
		(map(select(.event_type == "agent_start"))[0].data.id) + ":" +
		((map(select(.event_type == "agent_end"))[0].data.status) // "-")) | sort | join(" ")' "$1"
}

@test "a run for each line: text, or JSON with an id, a system prompt, a model" {
	cat >lines <<-'EOF'
		first line

		{"id": "b", "prompt": "second", "system": "Be brief."}
		{"id": 7, "prompt": "third", "model": "exec:jq -c '{text: .messages[-1].content[0].text}'"}
	EOF
	agent-run -m test --batch lines </dev/null >events
	assert_equal "$(data agent_start '"\(.id) \(.prompt) \(.system) \(.provider)"' events)" \
		"$(printf '%s\n' '1 first line null test' 'b second Be brief. test' '7 third null exec')"
	assert_equal "$(ends events)" '1:success 7:success b:success'
	assert_equal "$(agent-collect events | jq -r '[.id, .output] | join(": ")' | sort)" \
		"$(printf '%s\n' '1: This is the built-in test model. You said: first line' '7: third' 'b: This is the built-in test model. You said: second')"
}

@test "double braces around a name are text, and other braces stand for themselves" {
	echo '{"id": 1}' >lines
	agent-run -m test --batch lines '{{city}} {"a":{"b":1}} {id} {{id} {{}}' >events
	assert_equal "$(data agent_start .prompt)" '{city} {"a":{"b":1}} 1 {1 {{}}'
	echo '{"prompt": "{{id}} is {x}", "vars": {"x": 2}}' >lines
	agent-run -m test --batch lines '{{text}}' >events
	assert_equal "$(data agent_start .prompt)" '{text}

{id} is 2'
}

@test "the prompt has placeholders for the fields of a line" {
	printf '%s\n' '{"city": "Rome", "days": 1.10}' '{"city": "Bern", "vars": {"days": [2]}}' >lines
	agent-run -m test --batch lines 'The weather in {city} for {days} days, {not a place}?' </dev/null >events
	assert_equal "$(data agent_start .prompt events)" \
		"$(printf '%s\n' 'The weather in Rome for 1.10 days, {not a place}?' 'The weather in Bern for [2] days, {not a place}?')"
	printf 'a line\n' | agent-run -m test --batch - 'Say: {text}' >events
	assert_equal "$(data agent_start .prompt events)" 'Say: a line'
	printf 'a line\n' | agent-run -m test --batch - 'Say it.' >events
	assert_equal "$(data agent_start .prompt events)" "$(printf 'Say it.\n\na line')"
}

@test "a misspelt key is refused, data that fills no place is not, and a repeated id is reported" {
	echo '{"prompt": "x", "sytem": "Be brief."}' >lines
	run -2 agent-run -m test --batch lines
	assert_output 'agent-run: lines:1: unknown key "sytem" (did you mean system?)'
	run -0 --separate-stderr agent-run -m test --batch lines 'In {sytem}'
	printf '%s\n' '{"prompt": "x", "id": "a", "label": 3, "days": 2}' '{"prompt": "y", "id": "a"}' >lines
	run -0 --separate-stderr agent-run -m test --batch lines
	assert_equal "$stderr" 'agent-run: lines:2: the id a is that of line 1, too'
}

@test "a line that cannot be run is named before anything is sent" {
	start_server "say=hi"
	printf '%s\n' one '{"prompt": }' >lines
	run -2 agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines
	assert_output 'agent-run: lines:2: not JSON: a value is missing at byte 12'
	printf '%s\n' one '{"id": 1}' >lines
	run -2 agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines
	assert_output 'agent-run: lines:2: has no "prompt"'
	run -2 agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines 'In {city}?'
	assert_output 'agent-run: lines:1: the prompt contains the placeholder {city}, but the line has no "city"'
	printf '%s\n' '{"prompt": "x", "model": "nobody:m"}' >lines
	run -2 agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines
	assert_output --partial 'there is no provider nobody'
	printf '\n\n' >lines
	run -2 agent-run -m test --batch lines
	assert_output 'agent-run: lines: contains no line to run'
	assert_equal "$(wc -l <"$SERVER_LOG")" 0
}

@test "a byte order mark before the first line is skipped" {
	printf '\357\273\277{"prompt": "one", "id": "A"}\n' >lines
	agent-run -m test --batch lines </dev/null >events
	assert_equal "$(data agent_start '"\(.id) \(.prompt)"' events)" 'A one'
	printf '\357\273\277one\n' | agent-run -m test --batch - >events
	assert_equal "$(data agent_start .prompt events)" one
}

@test "a NUL in a line is refused, as a byte and as an escape" {
	printf '%s\n' one '{"prompt": "a\u0000b"}' >lines
	run -2 agent-run -m test --batch lines
	assert_output 'agent-run: lines:2: contains a NUL byte; is it a binary file?'
	printf 'a\0b\n' >lines
	run -2 agent-run -m test --batch lines
	assert_output 'agent-run: lines:1: contains a NUL byte; is it a binary file?'
	printf '%s\n' '{"prompt": "the escape \\u0000"}' >lines
	agent-run -m test --batch lines </dev/null >events
	assert_equal "$(data agent_start .prompt events)" 'the escape \u0000'
}

@test "at most --jobs runs at once" {
	seq 1 6 >lines
	agent-run -m test -o delay=0.02 --batch lines -j 2 </dev/null >events
	assert_equal "$(jq -rn '[foreach inputs as $e (0; if $e.event_type == "agent_start" then . + 1 elif $e.event_type == "agent_end" then . - 1 else . end)] | max' events)" 2
	assert_equal "$(ends events)" '1:success 2:success 3:success 4:success 5:success 6:success'
}

@test "a thousand streams at once over HTTP: all results right" {
	seq 1 1000 | sed 's/.*/{"id":"&","prompt":"number &"}/' >lines
	start_server "generate=20 delay=0.001"
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines -j 1000 </dev/null >events
	agent-collect events >results
	assert_equal "$(jq -r .status results | sort | uniq -c | xargs)" '1000 success'
	assert_equal "$(jq -r .output results | sort -u | wc -l)" 1
	assert_equal "$(jq -r .id results | sort -n | tail -1)" 1000
	assert_equal "$(jq -r .body.messages[0].content "$SERVER_LOG" | sort -u | wc -l)" 1000
}

@test "the same log again: succeeded lines are skipped, failed lines run again" {
	printf '%s\n' good bad ugly >lines
	start_server --strict "if-body=good say=fine" "if-body=ugly say=fine" \
		"if-body=bad status=400 type=application/json text='{\"error\":{\"message\":\"no\"}}'" \
		"if-body=bad say=better"
	run --separate-stderr -1 agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines --log log
	assert_equal "$stderr" 'agent-run: 1 of 3 runs failed; the same command with the same --log runs them again'
	assert_equal "$(ends log)" '1:success 2:error 3:success'
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines --log log </dev/null >again
	assert_equal "$(ends again)" '2:success'
	assert_equal "$(data agent_start .resumed_from again)" "$(jq -r 'select(.event_type == "agent_start" and .data.id == "2").run_id' log | head -1)"
	run -0 --separate-stderr agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines --log log </dev/null
	assert_output ''
	assert_equal "$stderr" 'agent-run: log: every line of the batch has succeeded already; nothing runs again'
	assert_equal "$(wc -l <"$SERVER_LOG")" 4
	echo changed >lines
	run -1 agent-run -m openai-chat:m --base-url "$SERVER_URL" --retries 0 --batch lines --log log
}

@test "a killed batch continues: interrupted runs keep their complete steps" {
	printf '{"name":"mark","description":"d","parameters":{"type":"object"},"command":["sh","-c","echo x >>marks; echo ok"]}\n' >mark.json
	seq 1 5 >lines
	agent-run -m test -t mark.json --batch lines -j 5 --log whole </dev/null >/dev/null
	assert_equal "$(wc -l <marks)" 5
	# Everything after the third tool_end is lost.
	awk '{print} /"event_type":"tool_end"/ && ++n == 3 {exit}' whole >log
	begun=$(grep -c '"event_type":"tool_start"' log)
	: >marks
	agent-run -m test -t mark.json --batch lines -j 5 --log log </dev/null >/dev/null
	assert_equal "$(wc -l <marks)" $((5 - begun))
	assert_equal "$(jq -r 'select(.event_type == "agent_end").data.status' log | sort | uniq -c | xargs)" '5 success'
}

@test "a line whose run --resume finished has succeeded" {
	echo '{"id": "a", "prompt": "one"}' >lines
	run -1 --separate-stderr agent-run -m 'exec:exit 3' --batch lines --log log </dev/null
	agent-run --resume log -m test </dev/null >/dev/null
	run -0 --separate-stderr agent-run -m test --batch lines --log log </dev/null
	assert_output ''
	assert_equal "$stderr" 'agent-run: log: every line of the batch has succeeded already; nothing runs again'
}

@test "a rate limit slows all runs down" {
	seq 1 4 >lines
	start_server "if-body=content status=429 header='retry-after-ms: 400' text=slow" "say=fine"
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines -j 1 --log log </dev/null >/dev/null
	assert_equal "$(ends log)" '1:success 2:success 3:success 4:success'
	start_server "wait=0.1 say=fine" "status=429 header='retry-after: 1' text=slow" "say=fine"
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --batch lines -j 3 </dev/null >events
	assert_equal "$(data llm_retry .http_status events)" 429
	# The run that began after the refusal was held back by it: it asked last or after the pause.
	assert_equal "$(jq -rs '(map(select(.event_type == "llm_retry"))[0].timestamp) as $t | [.[] | select(.event_type == "llm_start" and .timestamp > $t)] | length' events)" 2
}

@test "a signal stops every run, and each has its agent_end" {
	seq 1 20 >lines
	agent-run -m test -o delay=0.2 --batch lines -j 10 </dev/null >events 2>said &
	pid=$!
	until [ "$(grep -c llm_start events)" -eq 10 ]; do sleep 0.01; done
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	assert_equal "$status" 143
	assert_equal "$(jq -r 'select(.event_type == "agent_end").data.status' events | sort | uniq -c | xargs)" '10 cancelled'
	assert_equal "$(cat said)" 'agent-run: 0 done, 10 interrupted, 10 not started'
}

@test "an interrupted batch that was finished has one result a line, in every format" {
	printf '%s\n' '{"id": "a", "prompt": "1"}' '{"id": "b", "prompt": "2"}' '{"id": "c", "prompt": "3", "model": "exec:cat gate"}' >lines
	mkfifo gate
	agent-run -m test --batch lines --log log </dev/null >/dev/null 2>said &
	until [ "$(grep -c '"agent_end"' log 2>/dev/null)" = 2 ]; do sleep 0.01; done
	kill -TERM $!
	wait $! || true
	assert_equal "$(cat said)" 'agent-run: 2 done, 1 interrupted, 0 not started; the same command with the same --log goes on'
	rm gate
	echo '{"text": "three"}' >gate
	agent-run -m test --batch lines --log log </dev/null >/dev/null
	assert_equal "$(ends log)" 'a:success b:success c:cancelled c:success'
	run -0 --separate-stderr agent-collect --total --check .success log
	assert_equal "$(jq -rs 'map(.id // "total") | join(" ")' <<<"$output")" 'a b c total'
	assert_equal "$(jq -c 'select(.total) | [.runs, .succeeded, .failed, .incomplete]' <<<"$output")" '[3,3,0,0]'
	assert_equal "$(jq -c 'select(.id == "c") | [.output, .status]' <<<"$output")" '["three","success"]'
	assert_equal "$(agent-collect -o csv log | cut -d, -f3,7 | tr -d '\r' | xargs)" 'id,status a,success b,success c,success'
	assert_equal "$(agent-collect -o markdown log | grep -c '^## ')" 3
	assert_equal "$(agent-collect -o markdown log | grep '^| Id' | xargs)" '| Id | `a` | | Id | `b` | | Id | `c` |'
	assert_equal "$(agent-collect -o html log | grep -c 'class="run-data"')" 3
	assert_equal "$(agent-collect -o html log | grep -c '<noscript>.*: c: success')" 1
	assert_equal "$(agent-collect -o messages log | wc -l)" 3
	assert_equal "$(agent-collect -o text log | grep -c three)" 1
	# Until then, the interrupted run is a failure.
	sed '/"resumed_from"/,$d' log >before
	run -143 --separate-stderr agent-collect --check .success before
	assert_equal "$(jq -r .status <<<"$output" | xargs)" 'success success cancelled'
}

@test "a nested run that was interrupted with its parent does not count when this is resumed" {
	printf '%s\n' '{"event_type":"agent_start","run_id":"A","data":{}}' \
		'{"event_type":"agent_start","run_id":"N","data":{"parent_run_id":"A"}}' \
		'{"event_type":"agent_end","run_id":"N","data":{"success":false,"status":"cancelled"}}' \
		'{"event_type":"agent_start","run_id":"M","data":{"parent_run_id":"N"}}' \
		'{"event_type":"agent_end","run_id":"A","data":{"success":false,"status":"cancelled"}}' \
		'{"event_type":"agent_start","run_id":"B","data":{"resumed_from":"A"}}' \
		'{"event_type":"agent_end","run_id":"B","data":{"success":true}}' >log
	run -0 agent-collect --check .success log
	assert_equal "$(jq -r .run_id <<<"$output" | xargs)" B
	head -n 5 log >before
	run -1 --separate-stderr agent-collect before
	assert_equal "$(jq -r '.run_id + ":" + .status' <<<"$output" | xargs)" 'A:cancelled N:cancelled M:incomplete'
}

@test "ids of lines stand before the texts and calls of their runs" {
	printf '{"name":"t","description":"d","parameters":{"type":"object"},"command":["true"]}\n' >t.json
	printf '%s\n' '{"id": "one", "prompt": "1"}' '{"id": "two", "prompt": "2"}' >lines
	agent-run -m test -t t.json -o text=hi --batch lines -j 1 </dev/null >events
	assert_equal "$(agent-text --ids events)" $'==> one <==\nhi\n\n==> two <==\nhi'
	assert_equal "$(agent-text -D --ids events | jq -sj 'add')" $'==> one <==\nhi\n\n==> two <==\nhi'
	agent-run -m test -o text='{"a":1}' --batch lines -j 1 </dev/null | agent-text -p --ids >values
	assert_equal "$(jq -c 'select(.output.a == 1)' values)" $'{"id":"one","output":{"a":1}}\n{"id":"two","output":{"a":1}}'
	assert_equal "$(agent-tools -j events | jq -r .id | xargs)" 'one two'
	assert_equal "$(agent-tools --tsv events | cut -f 9 | xargs)" 'one two'
	assert_equal "$(agent-tools events | cut -d' ' -f 1 | xargs)" 'one one two two'
}

@test "contradictory options are reported" {
	run -2 agent-run -m test --batch x -c y
	assert_output 'agent-run: --session is for one run; --log continues a batch'
	run -2 agent-run -m test --batch nowhere
	assert_output 'agent-run: nowhere: No such file or directory'
}

@test "on a terminal a live line shows the progress, also while nothing happens, but not in a pipe" {
	printf '%s\n' '{"prompt": "a"}' '{"prompt": "b", "model": "exec:cat gate"}' >lines
	mkfifo gate
	script -qfc 'agent-run -m test --batch lines >events' screen </dev/null >/dev/null &
	until grep -q '1 of 2, 1 running, 1s' screen 2>/dev/null; do sleep 0.01; done
	echo '{"text": "done"}' >gate
	wait $!
	assert_equal "$(ends events)" '1:success 2:success'
	run grep -c $'\r1 of 2, 1 running, [0-9]*s\e\[K\r.*\r\e\[K\r*$' screen
	assert_output 1
	script -qfc 'agent-run -m test --batch lines | cat >events' screen </dev/null >/dev/null &
	echo '{"text": "done"}' >gate
	wait $!
	assert_equal "$(ends events)" '1:success 2:success'
	run grep 'of 2' screen
	assert_failure 1
}

@test "a log with runs nested thousands deep is read quickly" {
	echo hi >lines
	for i in {1..20000}; do
		echo '{"event_type":"agent_start","run_id":"r'$i'","data":{"prompt":"hi","parent_run_id":"r'$((i - 1))'"}}'
	done >log
	run timeout 10 agent-run -m test --batch lines --log log </dev/null
	assert_success
	assert_equal "$(grep -c '"event_type":"agent_end"' log)" 1
}

@test "a batch that was killed within a line of its log is clean when it is finished" {
	seq 1 3 >lines
	agent-run -m test --batch lines -j 1 -l whole >/dev/null
	for cut in 1 20 100; do
		n=$(grep -n agent_start whole | tail -n 1 | cut -d: -f1)
		{ head -n $((n + 3)) whole; sed -n "$((n + 4))p" whole | head -c $cut; } >log
		run -0 --separate-stderr agent-run -m test --batch lines -l log
		assert_regex "$stderr" "^agent-run: log:$((n + 4)): byte .*; the last line is cut off, and skipped$"
		for reader in agent-text agent-tools agent-collect agent-filter; do
			run -0 --separate-stderr "$reader" log
			[ "$reader" = agent-text ] || assert_equal "$stderr" ''
		done
	done
}

@test "a batch that goes on needs the tools of calls that have not started" {
	printf '{"name":"t","description":"d","parameters":{"type":"object"},"command":["true"]}' >t.json
	echo one >lines
	agent-run -m test --batch lines -t t.json -l whole >/dev/null
	head -n "$(grep -n llm_end whole | head -n 1 | cut -d: -f1)" whole >log
	run -2 --separate-stderr agent-run -m test --batch lines -l log
	assert_equal "${stderr_lines[0]}" 'agent-run: lines:1: log: its run has calls of tools that are not given; give --tool or --agent again: t'
	run -0 agent-run -m test --batch lines -t t.json -l log
	run -0 agent-text log
}

@test "a line whose prompt or id is masked in the log runs once" {
	export DB_PASSWORD=postgres
	printf '%s\n' 'tune postgres' '{"id":"postgres-2","prompt":"postgres"}' >lines
	run -0 agent-run -m test --batch lines -l log.jsonl
	refute_output --partial postgres
	run -0 --separate-stderr agent-run -m test --batch lines -l log.jsonl
	assert_equal "$output$stderr" 'agent-run: log.jsonl: every line of the batch has succeeded already; nothing runs again'
}

@test "an id or a model of a line that is no text is refused" {
	for key in id system model; do
		for value in true '["a"]' '{"a":1}'; do
			echo "{\"prompt\":\"x\",\"$key\":$value}" >lines
			run -2 agent-run -m test --batch lines
			assert_line --partial "agent-run: lines:1: \"$key\" must be a text"
		done
	done
	echo '{"prompt":"x","id":7,"system":null}' >lines
	assert_equal "$(agent-run -m test --batch lines | agent-collect | jq -c .id)" '"7"'
}
