#!/usr/bin/env bats
# agent-run -m replay:FILE: a recorded run as a model, and as a test.

# shellcheck disable=SC2016 # the tools' own variables
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	city='{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'
	tool weather '["printf","%s","sunny in {city}"]' "$city"
	tool count '["wc","-c"]' '{"type":"object"}'
}

# tool NAME COMMAND PARAMETERS
tool() {
	printf '{"name":"%s","description":"d","parameters":%s,"command":%s}\n' "$1" "$3" "$2" >"$1.json"
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

# Two rounds of calls, reasoning, a call of the provider's own, an answer: into the log `run`.
record() {
	printf '%s\n' '{"thinking":"which é"}' '{"tool_name":"weather","tool_call_id":"a","args":{"city":"Köln"}}' \
		'{"tool_name":"count","tool_call_id":"b","args":{"id":12345678901234567890}}' >answer.1
	printf '%s\n' '{"event_type":"tool_call_end","data":{"tool_call_id":"s","tool_name":"web_search","args":{},"executed_by":"provider","result":"[1]"}}' \
		'{"text":"Once more. "}' '{"tool_name":"weather","tool_call_id":"c","args":{"city":"Bonn"}}' >answer.2
	printf '%s\n' '{"text":"It is "}' '{"text":"sunny."}' >answer.3
	agent-run -m "$(scripted)" -P 1 -s "be brief" -t weather.json -t count.json 'how is it?' </dev/null >run
}

fault() {
	jq -r 'select(.event_type == "error").data.error' "${1-again}"
}

strict() {
	local log=$1
	shift
	run --separate-stderr agent-run -m "replay:$log" -P 1 -o strict=true "$@" </dev/null
	printf '%s\n' "$output" >again
}

# What a run did, without what differs each time.
essence() {
	jq -c 'del(.timestamp, .run_id) | .data |= del(.duration_seconds, .time_to_first_chunk_seconds, .elapsed_seconds,
		.model, .provider, .message.model, .message.provider)' "$1"
}

# mismatch WORDS: the last run failed because of a difference, which it names.
mismatch() {
	assert_failure 1
	assert_equal "$(tail -1 again | jq -c '.data | [.status, .exit_status]')" '["error",1]'
	assert_equal "$(jq -c 'select(.event_type == "error" and .data.fatal).data | [.exception_type, .error, .fatal]' again)" \
		"$(jq -cn --arg e "$1" '["replay_mismatch", $e, true]')"
}

@test "a run of several rounds is replayed event for event" {
	record
	strict run -s 'be brief' -t weather.json -t count.json 'how is it?'
	assert_success
	assert_equal "$(essence again)" "$(essence run)"
}

@test "strict: another prompt, other instructions, other tools" {
	record
	strict run -s 'be brief' -t weather.json -t count.json 'how was it?'
	mismatch 'request 1 is not the one that run recorded: the prompt: expected "how is it?", got "how was it?"'
	strict run -t weather.json -t count.json 'how is it?'
	mismatch 'request 1 is not the one that run recorded: the instructions: expected "be brief", got none'
	strict run -s 'be brief' -t count.json -t weather.json 'how is it?'
	mismatch 'request 1 is not the one that run recorded: the tools: expected "weather, count", got "count, weather"'
	printf x >note.txt
	agent-run -m test -a note.txt hi </dev/null >attached
	strict attached -a note.txt hi
	assert_success
	printf y >note.txt
	strict attached -a note.txt hi
	mismatch 'request 1 is not the one that attached recorded: attachment 1 is not the recorded one'
	strict run -s 'be brief' -t weather.json -t count.json -a note.txt 'how is it?'
	mismatch 'request 1 is not the one that run recorded: attachments: expected 0, got 1'
}

@test "strict: a tool that gives something else, or fails, is a difference" {
	record
	tool weather '["printf","%s","rain in {city}"]' "$city"
	strict run -s 'be brief' -t weather.json -t count.json 'how is it?'
	mismatch 'request 2 is not the one that run recorded: the result of weather (a): expected "sunny in Köln", got "rain in Köln"'
	tool weather '["sh","-c","[ \"$1\" = Köln ] || exit 3; printf \"sunny in $1\"","-","{city}"]' "$city"
	strict run -s 'be brief' -t weather.json -t count.json 'how is it?'
	assert_failure 1
	assert_equal "$(fault | sed 's/, got .*//')" 'request 3 is not the one that run recorded: the result of weather (c): expected "sunny in Bonn"'
	strict run -s 'be brief' -t weather.json -t count.json --deny count 'how is it?'
	assert_failure 1
	assert_regex "$(fault)" '^request 2 .* the result of count \(b\): expected "27.n", got "The call was denied'
}

@test "strict: the first difference of long texts is shown" {
	tool long '["sh","-c","seq -s, 1 60; echo é€é"]' '{"type":"object"}'
	agent-run -m test -t long.json hi </dev/null >run
	tool long '["sh","-c","seq -s, 1 50; echo é€é"]' '{"type":"object"}'
	strict run -t long.json hi
	assert_failure 1
	assert_regex "$(fault)" ': expected \.\.\."44[0-9,]*,50,51,52.*", got \.\.\."44[0-9,]*,50.né€é.n"$'
}

@test "strict: corrected, retried and cut off responses are replayed" {
	echo '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}' >schema.json
	echo '{"text":"{\"n\":\"x\"}"}' >answer.1
	echo '{"text":"{\"n\":1}"}' >answer.2
	agent-run -m "$(scripted)" --schema schema.json hi </dev/null >run
	strict run --schema schema.json hi
	assert_success
	assert_equal "$(essence again)" "$(essence run)"
	echo '{"type":"object","properties":{"n":{"type":"string","minLength":2}},"required":["n"]}' >schema.json
	strict run --schema schema.json hi
	mismatch 'request 2 is not the one that run recorded: the correction of the answer: expected "/n: must be integer, not string", got "Your answer does not satisfy the JSON Schema that was asked for: /n: must have a"...'
	cat >flaky.sh <<-'EOF'
		cat >request
		echo '{"text":"half "}'
		[ -e tried ] || { touch tried; echo '{"event_type":"error","data":{"error":"off","exception_type":"network","retryable":true}}'; exit; }
		echo '{"text":"whole"}'
	EOF
	agent-run -m 'exec:sh flaky.sh' hi </dev/null >run
	assert_equal "$(jq -r .event_type run | grep -c llm_start)" 2
	strict run hi
	assert_success
	assert_equal "$(agent-text again)" 'half whole'
}

@test "strict: a wrap-up is replayed, and its limit is compared" {
	agent-run -m test -o calls=3 -t weather.json --max-iterations 2 --wrap-up hi </dev/null >run || true
	strict run -t weather.json --max-iterations 2 --wrap-up hi
	assert_failure 3
	assert_equal "$(essence again)" "$(essence run)"
	strict run -t weather.json --max-tool-calls 1 --wrap-up hi
	assert_failure 3
	assert_regex "$(fault)" '^request 3 is not the one that run recorded: '
}

@test "a log that is a pipe is read once: for an agent's model and for the lines of a batch" {
	agent-run -m test hi </dev/null >run
	mkfifo log
	echo '{"name":"a","model":"replay:log"}' >a.json
	timeout 10 cat run >log 3>&- &
	timeout 10 agent-run -A a.json hi </dev/null >again
	assert_equal "$(agent-text again)" "$(agent-text run)"
	printf '%s\n' '{"prompt":"hi","model":"replay:log"}' '{"prompt":"hi","model":"replay:log"}' >lines
	timeout 10 cat run >log 3>&- &
	timeout 10 agent-run --batch lines </dev/null >again
	assert_equal "$(jq -c 'select(.event_type == "agent_end").data.success' again)" $'true\ntrue'
}

@test "a prices file that is a pipe is an error, and is not waited for" {
	mkdir -p config/agent
	mkfifo config/agent/prices.json
	XDG_CONFIG_HOME=$PWD/config run -2 timeout 10 agent-run -m test hi </dev/null
	assert_output "agent-run: $PWD/config/agent/prices.json: is a pipe, not a file"
}

@test "an interrupted and resumed run replays as one run, and a replay can be resumed" {
	record
	whole=$(wc -l <run)
	answers=$(jq -c 'select(.event_type == "llm_end").data.message.content' run)
	for cut in $(seq 1 "$whole"); do
		head -n "$cut" run >log
		agent-run -m replay:run -o strict=true --resume log -t weather.json -t count.json </dev/null >out 2>messages ||
			{ echo "cut at line $cut"; cat messages; grep -q 'was interrupted' log || return 1; continue; }
		[ "$cut" -lt "$whole" ] || continue
		assert_equal "$cut $(tail -1 log | jq -c '.data | [.status, .output]')" "$cut [\"success\",\"It is sunny.\"]"
		# A tool that did not end was not run again, so it has another result now: such a log differs.
		if ! grep -q 'was interrupted' log; then
			strict log -s 'be brief' -t weather.json -t count.json 'how is it?'
			assert_success
			assert_equal "$cut $(jq -c 'select(.event_type == "llm_end").data.message.content' again)" "$cut $answers"
		fi
	done
}

@test "the run with the same prompt answers, else the first, or the named one" {
	agent-run -m test -o text=One -c talk first </dev/null >/dev/null
	agent-run -m test -o text=Two -c talk second </dev/null >/dev/null
	strict talk second
	assert_success
	assert_equal "$(agent-text again)" Two
	agent-run -m replay:talk third </dev/null >again
	assert_equal "$(agent-text again)" One
	strict talk third
	mismatch 'request 1 is not the one that talk recorded: the prompt: expected "first", got "third"'
	id=$(jq -r 'select(.data.prompt == "second").run_id' talk)
	agent-run -m replay:talk -o run="$id" third </dev/null >again
	assert_equal "$(agent-text again)" Two
	run -2 agent-run -m replay:talk -o run=nosuch third
	assert_equal "$(fault <(printf '%s' "$output"))" 'no run nosuch in talk'
	# A session, said again.
	strict talk -c new first
	assert_success
	strict talk -c new second
	assert_success
	assert_equal "$(agent-text new | paste -sd' ')" "$(agent-text talk | paste -sd' ')"
	printf '%s\n' second first second >prompts
	agent-run -m replay:talk -o strict=true --batch prompts -j 3 >again
	assert_equal "$(agent-collect again | jq -r '.output' | sort | paste -sd' ')" 'One Two Two'
}

@test "delay=recorded keeps the pauses of the recording, speed shortens them" {
	record
	# The second chunk of the last answer came 0.3 s after the first.
	sed -E 's/"timestamp":"[^"]*"/"timestamp":"2026-11-20T10:00:00.000000Z"/
		/"text":"sunny\."\}\}$/s/00\.000000Z/00.300000Z/' run >slow
	gap='[.[] | select(.event_type == "llm_chunk").timestamp[17:26] | tonumber] | .[-1] - .[-2] | if . < 0 then . + 60 else . end'
	strict slow -o delay=recorded -s 'be brief' -t weather.json -t count.json 'how is it?'
	assert_success
	assert_equal "$(jq -s "$gap | . >= 0.29" again)" true
	strict slow -o speed=100000 -s 'be brief' -t weather.json -t count.json 'how is it?'
	assert_success
	assert_equal "$(essence again)" "$(essence run)"
	strict slow -o delay=none -s 'be brief' -t weather.json -t count.json 'how is it?'
	assert_success
}

@test "invalid values of the options are refused" {
	record
	run -2 agent-run -m replay:run -o strict=yes hi
	assert_equal "$(fault <(printf '%s' "$output"))" '-o strict must be true or false, not "yes"'
	run -2 agent-run -m replay:run -o delay=3 hi
	assert_equal "$(fault <(printf '%s' "$output"))" '-o delay must be none or recorded, not 3'
}

@test "-o strict=true without the tools of the recording says how to give them" {
	echo '{"name":"look","command":["true"]}' >look.json
	agent-run -m test -t look.json x </dev/null >run.jsonl
	run agent-run -m replay:run.jsonl -o strict=true x </dev/null
	assert_output --partial 'the tools: expected \"look\", got \"\" (give them with --tool)'
}

@test "what is masked in the recording is compared as if it were masked" {
	export DB_PASSWORD=postgres
	echo '{"name":"look","command":["echo","a postgres"]}' >look.json
	agent-run -m test -t look.json -s 'you know postgres' 'first' </dev/null >run.jsonl
	agent-run -m test -t look.json -s 'you know postgres' 'tune postgres' </dev/null >>run.jsonl
	refute grep -q postgres run.jsonl
	run -0 agent-run -m replay:run.jsonl -o strict=true -t look.json -s 'you know postgres' 'tune postgres' </dev/null
	assert_equal "$(head -n 1 <<<"$output" | jq -r .data.prompt)" 'tune ***'
}
