#!/usr/bin/env bats
# What --resume, and the same batch again, make of a run, by the way in which it ended.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	echo go >lines
	echo '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}' >schema.json
	echo '{"name":"checked","output_schema":"schema.json"}' >checked.json
	echo '{"name":"t","description":"d","parameters":{"type":"object"},"command":["echo","done"]}' >t.json
	echo '{"name":"lone","description":"d","parameters":{"type":"object"},"command":["sh","-c","echo x >>calls; cat gate"]}' >lone.json
	sed 's/"lone"/"again"/; s/cat gate/[ -e calls.2 ] || cat gate; echo over/; s/}$/,"idempotent":true}/' lone.json >again.json
	# It answers with the file answer.N, N - 1 the number of results in the request, else with "answer".
	cat >model.sh <<-'END'
		cat >request
		echo x >>asked
		file=answer.$(($(jq '[.messages[] | select(.role == "tool").content[]] | length' request) + 1))
		[ -e "$file" ] || file=answer
		cat "$file"
	END
}

# What readers say of a log that is not in order.
faults='a second|without|skipped'

model=(-m 'exec:sh model.sh')

# answers LINE...: what the model answers from now on; answers_to N LINE...: if the request has N results.
answers() { rm -f answer answer.*; printf '%s\n' "$@" >answer; }
answers_to() { local n=$1; shift; printf '%s\n' "$@" >"answer.$((n + 1))"; }

# call ID [TOOL]
call() { printf '{"tool_call_id":"%s","tool_name":"%s","args":{}}' "$1" "${2-t}"; }

# first STATUS ARGUMENT...: a run, and the same as a batch, end with STATUS.
first() {
	local status=$1
	shift
	rm -f log batch
	run -"$status" agent-run "${model[@]}" "$@" -l log --no-stdin go
	run -"$status" agent-run "${model[@]}" "$@" --batch lines -l batch --no-stdin
	: >asked
}

# then STATUS OUTPUT REQUESTS ARGUMENT...: when they go on, they end with STATUS and OUTPUT, after REQUESTS to
# the model. The readers of the log agree, and the run is one.
then_() {
	local status=$1 text=$2 requests=$3 log reader
	shift 3
	cp log log.before
	cp batch batch.before
	run -"$status" agent-run "${model[@]}" "$@" --resume log --no-stdin
	run -"$status" agent-run "${model[@]}" "$@" --batch lines -l batch --no-stdin
	assert_equal "$(wc -l <asked)" $((2 * requests))
	for log in log batch; do
		for reader in agent-text agent-tools agent-filter agent-collect; do
			run -"$status" --separate-stderr "$reader" "$log"
			refute_regex "$stderr" "$faults"
		done
		assert_equal "$(jq -r '"\(.status != "success") \(.output)"' <<<"$output")" "$([ "$status" = 0 ] && echo false || echo true) $text"
		[ "$status" -ne 0 ] || assert_equal "$(agent-text -F "$log" 2>/dev/null)" "$text"
		assert_equal "$(agent-tools -j "$log" 2>/dev/null | jq -r .tool_call_id | sort | uniq -d)" ''
	done
	: >asked
}

# The row goes on from the same logs with other arguments.
anew() { mv log.before log; mv batch.before batch; }

@test "resume: an answer that does not satisfy the schema is corrected" {
	for schema in '--schema schema.json' '-A checked.json'; do
		# shellcheck disable=SC2086 # an option and its value
		set -- $schema
		answers '{"text":"{}"}'
		first 5 "$@" --output-retries 0
		then_ 5 '{}' 1 "$@" --output-retries 0
		anew
		then_ 5 '{}' 2 "$@" --output-retries 1
		answers '{"text":"{\"n\":1}"}'
		then_ 0 '{"n":1}' 1 "$@" --output-retries 0
		assert_equal "$(jq -r '.messages[-1].content[0].text' request)" 'Your answer does not satisfy the JSON Schema that was asked for: required property "n" is missing. Answer again with the corrected JSON value and nothing else.'
		run -0 agent-run "${model[@]}" "$@" --resume log --no-stdin
		assert_output 'agent-run: log: its last run is complete; there is nothing to resume'
	done
	# A run that was killed before its answer was checked.
	answers '{"text":"{}"}'
	first 5 --schema schema.json --output-retries 0
	sed -i '/"event_type":"error"/,$d' log batch
	answers '{"text":"{\"n\":1}"}'
	then_ 0 '{"n":1}' 1 --schema schema.json
}

@test "resume: the schema must be given again" {
	answers '{"text":"{}"}'
	first 5 --schema schema.json --output-retries 0
	run -2 agent-run "${model[@]}" --resume log --no-stdin
	assert_output 'agent-run: log: the answer of its run must satisfy a schema; give --schema or --agent again'
	run -2 --separate-stderr agent-run "${model[@]}" --batch lines -l batch --no-stdin
	assert_equal "${stderr_lines[0]}" 'agent-run: lines:1: batch: the answer of its run must satisfy a schema; give --schema or --agent again'
}

@test "resume: a limit that is still reached ends the run again, a higher one lets it go on" {
	local wrap
	for wrap in '' --wrap-up; do
		answers '{"text":"the rest"}'
		answers_to 0 "$(call a)"
		first 3 -t t.json --max-iterations 1 $wrap
		then_ 3 "${wrap:+the rest}" 0 -t t.json --max-iterations 1 $wrap
		anew
		assert_equal "$(data error .error log | sort -u)" 'no answer after 1 model response (--max-iterations)'
		answers '{"text":"all"}'
		then_ 0 all 1 -t t.json --max-iterations 2 $wrap
		assert_equal "$(jq -c '[.messages[].role]' request)" '["user","assistant","tool"]'

		answers '{"text":"the rest"}'
		answers_to 0 "$(call a)" "$(call b)"
		first 3 -t t.json --max-tool-calls 1 $wrap
		then_ 3 "${wrap:+the rest}" 0 -t t.json --max-tool-calls 1 $wrap
		anew
		assert_equal "$(data error .error log | sort -u)" 'the model asked for more than 1 tool call (--max-tool-calls)'
		answers_to 2 "$(call c)"
		answers_to 3 '{"text":"all"}'
		then_ 0 all 2 -t t.json --max-tool-calls 2 $wrap
		assert_equal "$(data agent_end .tool_calls log | tail -n 1)" 2

		answers '{"text":"the rest"}'
		answers_to 0 "$(call a)" '{"usage":{"input_tokens":900,"output_tokens":100}}'
		first 3 -t t.json --max-total-tokens 1000 $wrap
		then_ 3 '' 0 -t t.json --max-total-tokens 1000 $wrap
		anew
		answers '{"text":"all"}'
		then_ 0 all 1 -t t.json --max-total-tokens 100k $wrap
		assert_equal "$(data agent_end .usage.input_tokens log | tail -n 1)" 900
	done
}

@test "resume: a wrap-up that was killed after its answer is no success" {
	answers '{"text":"the rest"}'
	answers_to 0 "$(call a)"
	first 3 -t t.json --max-iterations 1 --wrap-up
	sed -i '/"event_type":"error"/,$d' log batch
	then_ 3 'the rest' 0 -t t.json --max-iterations 1
}

@test "resume: a response that was cut, refused, filtered or failed is requested again" {
	local row end
	for row in length:3 refusal:6 content_filter:6 error:1; do
		end=${row%:*}
		answers '{"text":"half"}' "{\"finish_reason\":\"$end\"}"
		first "${row#*:}"
		then_ "${row#*:}" half 1
		answers '{"text":"whole"}'
		then_ 0 whole 1 --max-iterations 1
		assert_equal "$(jq -c '[.messages[].role]' request)" '["user"]'
		assert_equal "$(data agent_end '[.total_iterations, .usage.requests]' log | tail -n 1)" '[1,3]'
		# It is no part of the conversation, of messages, or of a replay.
		agent-run "${model[@]}" -c log --no-stdin --dry-run next | tail -n 1 | jq -c '[.messages[].role]' >roles
		assert_equal "$(cat roles)" '["user","assistant","user"]'
		assert_equal "$(agent-collect -o messages log | jq -c 'map(.role)')" '["user","assistant"]'
		run -0 agent-run -m replay:log -o strict=true --no-stdin go
		assert_equal "$(jq -r 'select(.event_type == "agent_end").data.output' <<<"$output")" whole
	done
}

@test "resume: a response that failed is requested again" {
	answers '{"text":""}' # empty
	first 1 --retries 0
	then_ 1 '' 1 --retries 0
	answers '{"event_type":"error","data":{"error":"no","exception_type":"server"}}'
	then_ 1 '' 1 --retries 0
	answers '{"text":"all"}'
	then_ 0 all 1
	# Calls that cannot run, too often.
	answers '{"tool_call_id":"a","tool_name":"nothing","args":{}}'
	first 1 -t t.json --output-retries 0
	answers '{"text":"all"}'
	then_ 0 all 1 -t t.json --output-retries 0
	# The same call with the same result.
	answers "$(call a)"
	first 3 -t t.json --max-repeats 1
	answers '{"text":"all"}'
	then_ 0 all 1 -t t.json --max-repeats 1
}

@test "resume: the same after a handoff" {
	echo '{"name":"boss","handoffs":["helper.json"]}' >boss.json
	echo '{"name":"helper","output_schema":"schema.json"}' >helper.json
	answers '{"text":"{}"}'
	answers_to 0 '{"tool_call_id":"h","tool_name":"transfer_to_helper","args":{}}'
	first 5 -A boss.json --output-retries 0
	answers '{"text":"{\"n\":2}"}' '{"finish_reason":"length"}'
	then_ 3 '{"n":2}' 1 -A boss.json --output-retries 0
	answers '{"text":"{\"n\":2}"}'
	then_ 0 '{"n":2}' 1 -A boss.json --output-retries 0
}

# stopped SIGNAL|timeout STATUS TOOL: a run that is stopped while its tool TOOL runs, in "log".
stopped() {
	local pid status=0 limit=()
	rm -f log calls gate
	mkfifo gate
	[ "$1" != timeout ] || limit=(--timeout 0.5)
	answers_to 0 "$(call a "$3")"
	agent-run "${model[@]}" -t "$3.json" "${limit[@]}" -l log --no-stdin go >out 2>/dev/null &
	pid=$!
	until [ -e calls ]; do sleep 0.01; done
	[ "$1" = timeout ] || kill -"$1" $pid
	wait $pid || status=$?
	[ "$1" != KILL ] || : >gate
	assert_equal "$status" "$2"
}

@test "resume: a call that was stopped with its run counts as interrupted, whatever stopped it" {
	local how ends reader
	answers '{"text":"all"}'
	for how in TERM:143 HUP:129 KILL:137 timeout:124; do
		ends=${how#*:} how=${how%:*}
		rm -f calls.2
		stopped "$how" "$ends" again
		touch calls.2
		agent-run "${model[@]}" -t again.json --resume log --no-stdin >new
		assert_equal "$(wc -l <calls)" 2
		assert_equal "$(jq -c '.messages[-1].content[0] | [.result, .is_error]' request)" '["over\n",false]'
		for reader in 'agent-tools -j' 'agent-collect --check .success'; do
			run -0 --separate-stderr $reader log
			refute_regex "$stderr" "$faults"
			assert_equal "$(jq -c '(.tool_calls // [.])[] | [.result, .is_error]' <<<"$output")" '["over\n",false]'
		done
		run -0 --separate-stderr agent-tools log
		assert_equal "$(sed 's/[0-9.]*s ok/ok/' <<<"$output")" $'-> again {}\n<- again ok: over'
		assert_equal "$(agent-tools -s log | awk '{print $1, $2, $3}')" $'tool calls errors\nagain 1 0'
		assert_equal "$(agent-collect log | jq .tool_errors)" 0

		stopped "$how" "$ends" lone
		agent-run "${model[@]}" -t lone.json --resume log --no-stdin >new
		assert_equal "$(wc -l <calls)" 1
		assert_regex "$(jq -c '.messages[-1].content[0] | [.result, .is_error]' request)" '^\["The call was interrupted: this program was .*",true\]$'
		for log in log new; do
			run -0 --separate-stderr agent-tools -j "$log"
			refute_regex "$stderr" "$faults"
			assert_equal "$(jq -r '.tool_call_id + " " + .result[:24]' <<<"$output")" 'a The call was interrupted'
			run -0 --separate-stderr agent-collect --strict "$log"
			refute_regex "$stderr" "$faults"
			assert_equal "$(jq -c '[.tool_errors, (.tool_calls[] | .tool_call_id, .result[:24])]' <<<"$output")" '[1,"a","The call was interrupted"]'
			for form in text markdown html csv otlp events messages; do
				run -0 agent-collect -o $form "$log"
			done
		done
		assert_equal "$(agent-collect -o messages log | jq -r '.[2].content[0].result[:24]')" 'The call was interrupted'
	done
}

@test "the readers show a call that was stopped with its run, if no other run resumes it" {
	stopped TERM 143 lone
	run -143 --separate-stderr agent-tools log
	assert_equal "$(sed 's/[0-9.]*s error/error/' <<<"$output")" $'-> lone {}\n<- lone error: The call was cancelled.'
	assert_equal "$(agent-tools -j log 2>/dev/null | jq -c '[.tool_call_id, .result, .is_error]')" '["a","The call was cancelled.",true]'
	assert_equal "$(agent-collect log | jq -c '[.tool_errors, .tool_calls[0].result]')" '[1,"The call was cancelled."]'
}
