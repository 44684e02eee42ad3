#!/usr/bin/env bats
# agent-text: the text of runs, as it arrives, in their order.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

start() { event agent_start '{"agent_name":"a","model":"m","prompt":"p","tools":[],"schema_version":1}' "${1-}"; }
chunk() { event llm_chunk "{\"text\":\"$1\"}" "${2-}"; }
end() { event agent_end '{"success":true,"status":"success","exit_status":0,"output":"'"${1-}"'"}' "${2-}"; }

answer() {
	start
	chunk 'Hello, '
	chunk 'world.'
	end 'Hello, world.'
}

@test "the answer is shown with a newline at its end" {
	answer >log
	run --separate-stderr bash -c 'agent-text log | od -c -An | tr -s " "'
	assert_output " H e l l o , w o r l d . \n"
	run agent-text log
	assert_success
}

@test "-n adds no newline, and one that is there is not doubled" {
	answer >log
	run bash -c 'agent-text -n log; echo "|"'
	assert_output "Hello, world.|"
	{ start; chunk 'line\n'; end; } >log
	run bash -c 'agent-text log; echo "|"'
	assert_output $'line\n|'
}

@test "it reads standard input, -, and several files" {
	answer >log
	assert_equal "$(agent-text <log)" "Hello, world."
	assert_equal "$(agent-text - <log)" "Hello, world."
	run agent-text log log
	assert_output $'Hello, world.\n\nHello, world.'
	run agent-text none
	assert_failure 2
	assert_output "agent-text: none: No such file or directory"
}

@test "a blank line separates the texts of two iterations" {
	{
		start
		event llm_start '{"iteration":1}'
		chunk 'Let me look.'
		event llm_end '{"iteration":1}'
		event tool_start '{"tool_call_id":"c","tool_name":"t","args":{}}'
		event tool_end '{"tool_call_id":"c","tool_name":"t","result":"r","is_error":false}'
		event llm_start '{"iteration":2}'
		chunk 'Found it.'
		event llm_end '{"iteration":2}'
		end 'Found it.'
	} >log
	run agent-text log
	assert_output $'Let me look.\n\nFound it.'
	run agent-text -F log
	assert_output 'Found it.'
	run agent-text -S log
	assert_output $'"Let me look."\n"Let me look.\\n\\nFound it."'
}

@test "-D shows each piece, -S the whole so far, as JSON strings" {
	answer >log
	run agent-text -D log
	assert_output $'"Hello, "\n"world."'
	run agent-text --snapshots log
	assert_output $'"Hello, "\n"Hello, world."'
}

@test "-d groups what arrives within its time, and flushes at the end" {
	answer >log
	run agent-text -D -d 10 log
	assert_output '"Hello, world."'
	{ start; chunk a; event llm_start '{}'; chunk b; end; } >log
	run agent-text -D -d 10 log
	assert_output $'"a"\n"\\n\\nb"'
	run bash -c '{ cat log | head -2; sleep 0.5; tail -3 log; } | agent-text -D -d 0.1'
	assert_output $'"a"\n"\\n\\nb"'
	run agent-text -d x log
	assert_failure 2
	assert_output "agent-text: --debounce must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s, not 'x'"
}

@test "-d: a group is shown when its time is over, however fast more arrives" {
	{
		start
		yes "$(chunk x)" | head -100000
	} >log
	agent-text -D -d 0.000001 log >out || true
	[ "$(wc -l <out)" -gt 1 ]
	assert_equal "$(jq -j . out | wc -c)" 100000
}

@test "memory does not grow with a file's length" {
	{
		start
		yes "$(chunk "$(printf '%0100000d' 0)")" | head -2000
	} >log
	limit=65536
	case $BUILD in */sanitize) limit=unlimited ;; esac # the sanitizers' own memory
	for option in -n -D --sse; do
		# shellcheck disable=SC2016 # $1 is of the inner shell
		run --separate-stderr bash -c 'ulimit -d '$limit'; agent-text "$1" log | wc -c; exit "${PIPESTATUS[0]}"' - "$option"
		assert_failure 4
		[ "${lines[0]}" -ge 200000000 ]
	done
}

@test "-p shows the JSON value completed so far, the final one last" {
	{
		start
		chunk '{\"city\": \"Ber'
		chunk 'lin\", \"n\": 1'
		chunk '234567890123456789}'
		event agent_end '{"success":true,"exit_status":0,"output":"{\"city\": \"Berlin\", \"n\": 1234567890123456789}"}'
	} >log
	run agent-text -p log
	assert_output '{"city":"Ber"}
{"city":"Berlin"}
{"city":"Berlin","n":1234567890123456789}'
	{
		start
		event output_chunk '{"output":{"a":[]}}'
		event output_chunk '{"output":{"a":[1.10]}}'
		event agent_end '{"success":true,"exit_status":0,"output":"","output_json":{"a":[1.10,2]}}'
	} >log
	run agent-text -p log
	assert_output '{"a":[]}
{"a":[1.10]}
{"a":[1.10,2]}'
}

@test "-T shows the reasoning too, parted from the answer" {
	{ start; event thinking_chunk '{"text":"Hm, "}'; event thinking_chunk '{"text":"so."}'; chunk 'Yes.'; end; } >log
	run agent-text log
	assert_output "Yes."
	run agent-text -T log
	assert_output $'Hm, so.\n\nYes.'
	run agent-text -T --color=always log
	assert_output $'\e[2mHm, so.\e[0m\n\nYes.'
}

@test "--sse frames every event for a browser" {
	{
		echo '{"event_type":"llm_chunk","run_id":"r","seq":4,"data":{"text":"a\nb"}}'
		event agent_end '{"success":true,"exit_status":0}' r
	} >log
	run agent-text --sse log
	assert_output 'event: llm_chunk
id: r:4
data: {"event_type":"llm_chunk","run_id":"r","seq":4,"data":{"text":"a\nb"}}

event: agent_end
data: {"event_type":"agent_end","run_id":"r","data":{"success":true,"exit_status":0}}'
}

@test "it exits with the run's status, and says why the run failed" {
	{
		start
		chunk 'So far'
		event error '{"error":"groq refused the key; check GROQ_API_KEY","exception_type":"auth","fatal":true}'
		event agent_end '{"success":false,"status":"error","exit_status":1,"output":""}'
	} >log
	run --separate-stderr agent-text log
	assert_failure 1
	assert_output "So far"
	assert_equal "$stderr" "agent-text: groq refused the key; check GROQ_API_KEY"
	for status in 3 6 124 130; do
		{ start; event agent_end "{\"success\":false,\"status\":\"limit\",\"exit_status\":$status}"; } >log
		run agent-text log
		assert_failure "$status"
		assert_output "agent-text: the run ended with status 'limit'"
	done
}

@test "--strict stops at a malformed line with status 1, in all readers" {
	{ start && chunk one && echo garbage && answer; } >log
	for reader in agent-text agent-tools agent-collect agent-filter; do
		run -1 --separate-stderr "$reader" --strict log
		assert_equal "$stderr" "$reader: log:3: byte 1: a value is missing; the line is skipped"
	done
}

@test "a stream without agent_end is incomplete: status 4" {
	{ start; chunk 'Hel'; } >log
	run --separate-stderr agent-text log
	assert_failure 4
	assert_output "Hel"
	assert_equal "$stderr" "agent-text: the stream ends without agent_end; it was cut off"
	run agent-text /dev/null
	assert_failure 4
	assert_output "agent-text: the input has no events; the output of agent-run is expected, one JSON object per line"
	for reader in agent-text agent-tools agent-filter agent-collect; do # the program before them says why
		run bash -c "agent-run --nonsense | $reader; exit \${PIPESTATUS[1]}"
		assert_failure 4
		assert_output $'agent-run: unrecognized option \'--nonsense\'\ntry \'agent-run --help\''
	done
}

# named WANT ID: what --run ID selects from the file log, also on a pipe.
named() {
	run -0 --separate-stderr agent-text -F -r "$2" log
	assert_output "$1"
	run -0 --separate-stderr agent-text -F -r "$2" < <(cat log)
	assert_output "$1"
}

@test "--run takes an exact id, a batch id, a beginning or an end" {
	for run in 'aa-1 x1' 'aa-2 aa' 'bb-1 x3' 'cc-aa x4'; do
		event agent_start '{"agent_name":"a","prompt":"p","id":"'"${run#* }"'"}' "${run% *}"
		end "of ${run% *}" "${run% *}"
	done >log
	named 'of aa-1' aa-1
	named 'of bb-1' x3
	named 'of bb-1' b
	named 'of cc-aa' '-aa'
	run -0 agent-text -F -r aa log # a batch id goes before the beginning and the end of ids
	assert_output "of aa-2"
	run -2 --separate-stderr agent-text -r aa- log
	assert_output ""
	assert_equal "$stderr" "agent-text: --run aa-: 2 runs match; give more of the id of one:
  aa-1  id x1  p
  aa-2  id aa  p"
	run -2 --separate-stderr agent-text -F -r aa- < <(cat log)
	assert_output $'of aa-1\n\nof aa-2'
	assert_equal "$(grep -c 'aa-[12]  id' <<<"$stderr")" 2
	run -0 agent-text -F -r x1,x3 log
	assert_output $'of aa-1\n\nof bb-1'
}

@test "--run last is the run that started last, on a pipe too" {
	for run in r1 r2; do start $run && end "of $run" $run; done >log
	event agent_start '{"prompt":"p","parent_run_id":"r2"}' r3 >>log
	for how in "agent-text -r last log" "agent-text -r last <log" "cat log | agent-text -r last"; do
		run -0 bash -c "$how"
		assert_output "of r2"
	done
	assert_equal "$(agent-filter -r last log | jq -r .run_id | uniq)" r2
	assert_equal "$(agent-collect --run last log | jq -r .run_id)" r2
	mkfifo pipe
	cat log >pipe &
	run -0 agent-text -r last pipe
	assert_output "of r2"
}

@test "--run: a run and the run that resumes it are one, and a nested run is another" {
	{ start r1 && event agent_end '{"success":false,"exit_status":1}' r1; } >log
	event agent_start '{"prompt":"p","resumed_from":"r1"}' r2 >>log
	event agent_start '{"prompt":"p","parent_run_id":"r2"}' r2-nested >>log
	{ end inner r2-nested && end outer r2; } >>log
	named outer r1
	named outer r
	named outer last
	run -0 agent-text --nested -r nested log
	assert_output inner
}

@test "a run that --run does not find is reported: status 2" {
	{ start && chunk 'Hello' && end; } >log
	for reader in "agent-text -r" "agent-tools -r" "agent-filter -r" "agent-collect --run"; do
		run -2 $reader nothing log
		assert_output "${reader% *}: no run nothing in log"
		run -2 bash -c "cat log | $reader nothing"
		assert_output "${reader% *}: no run nothing in standard input"
	done
	run -4 agent-text -r nothing </dev/null
	assert_output --partial "agent-text: the input has no events"
	echo '{"event_type":"llm' >>log
	run -2 agent-text -r nothing log
	assert_output "agent-text: no run nothing in log"
}

@test "--run last reads pipes to their end, also those that are named" {
	{ start r1 && end one r1 && start r2 && end two r2; } >log
	mkfifo fifo
	for reader in 'agent-text -r' 'agent-tools -r' 'agent-filter -m .data.output -t agent_end -r' 'agent-collect -o text --run'; do
		run -0 --separate-stderr $reader last log
		want=$output
		run -0 --separate-stderr bash -c "cat log | $reader last"
		assert_output "$want"
		run -0 --separate-stderr bash -c "$reader last <(head -n 2 log) <(tail -n +3 log)"
		assert_output "$want"
		cat log >fifo &
		run -0 --separate-stderr $reader last fifo
		assert_output "$want"
	done
	mkdir folder
	run -2 agent-text -r last folder
	assert_output 'agent-text: folder: is a directory'
}

@test "--ids writes an id in one line" {
	{ event agent_start '{"prompt":"p","id":"two\nlines"}' r1 && chunk x r1 && end x r1; } >log
	run -0 agent-text --ids log
	assert_output '==> two\nlines <==
x'
}

@test "--run with --follow waits for the run" {
	start r1 >log
	agent-text -f -r r2 log >text &
	pid=$!
	{ end one r1 && start r2 && end two r2; } >>log
	wait $pid
	assert_equal "$(cat text)" two
}

@test "malformed lines are reported by file and line and skipped, and the status is 1" {
	{ start; echo 'not json'; chunk ok; echo '[1]'; end; } >log
	run --separate-stderr agent-text log
	assert_failure 1
	assert_output ok
	assert_equal "$stderr" "agent-text: log:2: byte 1: unknown word; the line is skipped
agent-text: log:4: byte 1: not a JSON object; the line is skipped"
	run --separate-stderr agent-text --strict log
	assert_failure
	assert_output ""
}

@test "a NUL byte, a torn last line and a line over 16 MiB do no harm" {
	{ start; printf '{"event_type":"llm_chunk","data":{"text":"a\0b"}}\n'; chunk ok; end; printf '{"event_type":"llm_ch'; } >log
	run --separate-stderr agent-text log
	assert_failure 1
	assert_output ok
	assert_equal "$(grep -c skipped <<<"$stderr")" 2
	{ start; printf '{"event_type":"llm_chunk","data":{"text":"'; head -c 17000000 /dev/zero | tr '\0' x; echo '"}}'; chunk ok; end; } >log
	run --separate-stderr agent-text log
	assert_failure 1
	assert_output ok
	assert_equal "$stderr" "agent-text: log:2: the line is longer than 16 MiB; it is skipped"
}

@test "repeated events are reported and ignored" {
	{
		start r | sed 's/"data"/"seq":0,"data"/'
		echo '{"event_type":"llm_chunk","run_id":"r","seq":1,"data":{"text":"once"}}'
		echo '{"event_type":"llm_chunk","run_id":"r","seq":1,"data":{"text":"once"}}'
		echo '{"event_type":"agent_end","run_id":"r","seq":2,"data":{"success":true,"exit_status":0}}'
		echo '{"event_type":"agent_end","run_id":"r","seq":3,"data":{"success":false,"exit_status":1}}'
	} >log
	run --separate-stderr agent-text log
	assert_failure 1
	assert_output once
	assert_equal "$stderr" "agent-text: log:3: seq 1 of run 'r' is repeated; the event is ignored
agent-text: log:5: a second agent_end of run 'r'; it is ignored"
}

@test "missing events are reported only with --strict, because filters leave events out" {
	{
		echo '{"event_type":"llm_chunk","run_id":"r","seq":3,"data":{"text":"x"}}'
		echo '{"event_type":"agent_end","run_id":"r","seq":9,"data":{"success":true,"exit_status":0}}'
	} >log
	run agent-text log
	assert_success
	assert_output x
	run --separate-stderr agent-text --strict log
	assert_failure 1
	assert_line x
	assert_equal "$stderr" "agent-text: log:1: 3 events of run 'r' are missing before seq 3
agent-text: log:2: 5 events of run 'r' are missing before seq 9"
}

@test "overlapping runs are shown one after the other, in the order in which they started" {
	{
		start a; start b
		chunk 'a1 ' a; chunk 'b1 ' b; chunk 'a2' a; chunk 'b2' b
		end '' b; start c; chunk 'c1' c; end '' a; chunk ' c2' c; end '' c
	} >log
	run agent-text log
	assert_success
	assert_output $'a1 a2\n\nb1 b2\n\nc1 c2'
	run agent-text -D log
	assert_output $'"a1 "\n"a2"\n"\\n\\nb1 "\n"b2"\n"\\n\\nc1"\n" c2"'
	run agent-text -r b log
	assert_output 'b1 b2'
}

@test "with several runs the highest exit status applies" {
	{ start a; end '' a; start b; event agent_end '{"success":false,"status":"limit","exit_status":3}' b; start c; end '' c; } >log
	run agent-text log
	assert_failure 3
	run agent-text -r c log
	assert_success
}

@test "nested runs are shown only with --nested, and do not decide the status" {
	{
		start a
		chunk 'outer ' a
		event agent_start '{"parent_run_id":"a"}' n
		chunk 'inner' n
		event agent_end '{"success":false,"status":"error","exit_status":1}' n
		chunk 'again' a
		end '' a
	} >log
	run agent-text log
	assert_success
	assert_output 'outer again'
	run --separate-stderr agent-text --nested log
	assert_success
	assert_output $'outer \n\ninner\n\nagain'
}

@test "a discarded response starts again" {
	{
		start
		chunk 'Hal'
		event llm_retry '{"attempt":2,"wait_seconds":0,"reason":"the stream broke off","discard":true}'
		chunk 'Hello'
		event llm_end '{}'
		end 'Hello'
	} >log
	run --separate-stderr agent-text log
	assert_output $'Hal\n\nHello'
	assert_equal "$stderr" "agent-text: the response starts again (the stream broke off)"
	run --separate-stderr agent-text -S log
	assert_output $'"Hal"\nnull\n"Hello"'
	run --separate-stderr agent-text -D log
	assert_output $'"Hal"\nnull\n"Hello"'
	assert_equal "$stderr" ""
	run --separate-stderr agent-text -F log
	assert_output 'Hello'
}

@test "after a null, -D and -S repeat the text that stays" {
	{
		start
		chunk 'Let me look.'
		event llm_end '{"is_final":false}'
		event llm_start '{"iteration":2}'
		chunk 'Fou'
		event llm_retry '{"reason":"it broke off","discard":true}'
		event llm_start '{"iteration":2}'
		chunk 'Found it.'
		event llm_end '{}'
		end 'Found it.'
	} >log
	run agent-text -D log
	assert_output '"Let me look."
"\n\nFou"
null
"Let me look."
"\n\nFound it."'
	run agent-text -S log
	assert_output '"Let me look."
"Let me look.\n\nFou"
null
"Let me look."
"Let me look.\n\nFound it."'
}

# With a schema: a rejected answer, and the one that was accepted.
corrected() {
	event agent_start '{"agent_name":"a","output_schema":true}'
	event llm_start '{"iteration":1}'
	chunk '{\"n\":'
	chunk '\"x\"}'
	event llm_end '{"is_final":false}'
	event error '{"error":"the answer does not satisfy the schema","fatal":false}'
	event llm_start '{"iteration":2}'
	chunk '{\"n\":'
	chunk '1}'
	event llm_end '{"is_final":true}'
}

@test "with a schema the text is the accepted answer, and a rejected one is taken back" {
	{ corrected; end '{\"n\":1}'; } >log
	run -0 agent-text log
	assert_output '{"n":1}'
	run -0 agent-text -F log
	assert_output '{"n":1}'
	run -0 agent-text -D log
	assert_output $'"{\\"n\\":"\n"\\"x\\"}"\nnull\n"{\\"n\\":"\n"1}"'
	run -0 agent-text -S log
	assert_output $'"{\\"n\\":"\n"{\\"n\\":\\"x\\"}"\nnull\n"{\\"n\\":"\n"{\\"n\\":1}"'
	run -0 agent-text -p log
	assert_output $'{}\n{"n":"x"}\n{}\n{"n":1}'
}

@test "with a schema nothing is written of a run whose answer was not accepted" {
	{ corrected; event agent_end '{"success":false,"status":"invalid_output","exit_status":5,"output":"{\"n\":1}"}'; } >log
	for form in -n -F; do
		run -5 --separate-stderr agent-text $form log
		assert_output ''
	done
	run -5 --separate-stderr agent-text -D log
	assert_equal "${lines[-1]}" null
	run -5 --separate-stderr agent-text -S log
	assert_equal "${lines[-1]}" null
	corrected >log
	run -4 --separate-stderr agent-text log
	assert_output ''
}

@test "with a schema the text between tool calls and a code fence are no part of the answer" {
	{
		event agent_start '{"agent_name":"a","output_schema":true}'
		chunk 'Let me look.'
		event llm_end '{"is_final":false}'
		event llm_start '{"iteration":2}'
		chunk '```json\n{\"n\":1}\n```'
		event llm_end '{"is_final":true}'
		event agent_end '{"success":true,"exit_status":0,"output":"```json\n{\"n\":1}\n```","output_json":{"n":1}}'
	} >log
	run -0 agent-text log
	assert_output '{"n":1}'
	run -0 agent-text -F log
	assert_output '{"n":1}'
	run -0 agent-text -D log
	assert_equal "${lines[-2]}${lines[-1]}" 'null"{\"n\":1}"'
}

@test "the agent that takes over decides whether the text is an accepted answer" {
	{
		start
		chunk 'I ask a colleague.'
		event llm_end '{"is_final":false}'
		event agent_updated '{"agent_name":"b","output_schema":true}'
		event llm_start '{"iteration":2}'
		chunk 'no JSON'
		event llm_end '{"is_final":false}'
		event llm_start '{"iteration":3}'
		chunk '{}'
		event llm_end '{"is_final":true}'
		end '{}'
	} >log
	run -0 agent-text log
	assert_output $'I ask a colleague.\n\n{}'
	run -0 agent-text -S log
	assert_equal "${lines[-1]}" '"I ask a colleague.\n\n{}"'
}

@test "-p: a value comes once, is never followed by a smaller one, and an answer that is no JSON fails" {
	{
		start
		event llm_start '{}'
		chunk '{\"t\": \"A '
		event output_chunk '{"output":{"t":"A "}}'
		chunk 'B\"}'
		event output_chunk '{"output":{"t":"A B"}}'
		end '{\"t\": \"A B\"}'
	} >log
	run -0 agent-text -p log
	assert_output $'{"t":"A "}\n{"t":"A B"}'
	run -0 agent-text -p -d 10 log
	assert_output '{"t":"A B"}'
	for text in '0 1 2' '[1] is the first footnote' 'Hello' '"Yes" she said' 'true or false' ''; do
		text=${text//'"'/'\"'}
		{ start; for word in $text; do chunk "$word "; done; end "$text"; } >log
		run -1 --separate-stderr agent-text -p log
		assert_output ''
		assert_equal "$stderr" 'agent-text: the answer is not JSON, so that --partial has no value'
	done
	{ start; chunk 4; chunk 2; end 42; } >log
	run -0 agent-text -p log
	assert_output 42
}

# joined: the strings of -D, or the last line of -S, after the last null, as one, below the name of their log.
joined() {
	jq -nrj 'foreach (inputs, {}) as $line ({}; if $line | type == "object" then {out: .text, text: "\n\($line.log)\n"}
		elif $line == null then {text: (.text / "\n" | .[:2] | join("\n") + "\n")}
		else {text: (.text + $line)} end; .out // empty)'
}

@test "every log: the pieces of -D, the last line of -S and plain text are the same" {
	local log options logs=() taken_back=0
	for log in "$BATS_TEST_DIRNAME"/data/{v1,collect,replay}/*.jsonl "$BATS_TEST_DIRNAME"/data/translate/*.events; do
		logs+=("$log")
	done
	# shellcheck disable=SC2086 # the options are words
	for options in '' '-T --nested'; do
		rm -f deltas snapshots plain
		for log in "${logs[@]}"; do
			printf '{"log":"%s"}\n' "$log" | tee -a deltas >>snapshots
			agent-text $options -D "$log" 2>/dev/null >pieces || true
			cat pieces >>deltas
			agent-text $options -S "$log" 2>/dev/null | tail -n 1 >>snapshots || true
			printf '\n%s\n' "$log" >>plain
			if grep -qx null pieces; then # plain text that is written cannot be taken back
				(printf '{"log":"%s"}\n' "$log"; cat pieces) | joined | tail -n +3 >>plain
				taken_back=$((taken_back + 1))
			else
				agent-text $options -n "$log" 2>/dev/null >>plain || true
			fi
		done
		cmp <(joined <deltas) plain
		cmp <(joined <snapshots) plain
	done
	assert [ $taken_back -lt 20 ]
}

# in_pieces SEED FILE: write the file in pieces of random lengths.
in_pieces() {
	LC_ALL=C awk -v seed="$1" 'BEGIN { srand(seed); RS = "\001" }
		{ for (; length($0) > 0; $0 = substr($0, n + 1)) { n = 1 + int(rand() * 500); printf "%s", substr($0, 1, n); fflush() } }
	' "$2"
}

@test "random streams: -D, -S, --result and a filter in front give the same text, however the bytes arrive" {
	local seed options form
	for seed in {1..12}; do
		awk -v seed="$seed" -f "$BATS_TEST_DIRNAME/random_events.awk" >log
		for options in '' '-T --ids' '--nested -T -d 0.001'; do
			# shellcheck disable=SC2086 # the options are words
			{
				agent-text $options -n --result text log
				in_pieces "$seed" log | agent-text $options -D >deltas
				agent-text $options -S log >snapshots
				agent-filter --ends -i log | agent-text $options -D >items
				agent-filter -d 0.001 log | agent-text $options -n --result merged
			}
			for form in deltas items; do
				jq -nrj 'reduce inputs as $line (""; if $line == null then "" else . + $line end)' $form >joined
				# Of a run that broke off, agent-filter -i drops the beginning of a response.
				[ $form = items ] && grep -q resumed_from log ||
					cmp joined text || fail "seed $seed, options '$options', $form"
			done
			jq -nrj 'last(inputs) // ""' snapshots >joined
			cmp joined text || fail "seed $seed, options '$options', -S"
			cmp merged text || fail "seed $seed, options '$options', agent-filter -d"
		done
	done
}

@test "a file or a run without a name is an error" {
	run -2 agent-text --result '' </dev/null
	assert_output "agent-text: --result needs a value that is not empty"
	run -2 agent-filter --valid '' </dev/null
	assert_output "agent-filter: --valid needs a value that is not empty"
	local reader ids
	for reader in agent-text agent-tools agent-filter; do
		for ids in '' ' , '; do
			run -2 "$reader" -r "$ids" </dev/null
			assert_output "$reader: --run needs at least one id, not '$ids'"
		done
	done
}

@test "--result replaces a file when the run has succeeded, and leaves nothing behind otherwise" {
	answer >log
	umask 027
	run -0 agent-text --result out log
	assert_output ''
	assert_equal "$(cat out) $(stat -c %a out)" 'Hello, world. 640'
	chmod 604 out
	run -0 agent-text -F -n --result out <log
	assert_equal "$(cat out; stat -c %a out)" 'Hello, world.604'
	{ start; chunk 'Half'; event agent_end '{"success":false,"status":"limit","exit_status":3}'; } >failed
	run -3 agent-text --result out failed
	run -0 agent-text --own-status --result new failed
	run -4 agent-text --result new <<<"$(start; chunk Half)"
	run -4 --separate-stderr agent-text --result new <<<"$(chunk Half)"
	assert_equal "$stderr" 'agent-text: new is not written: no agent_end says that the run succeeded'
	{ answer; echo broken; } >malformed
	run -1 agent-text --result new malformed
	{ start; chunk Half; sleep 5; } | agent-text --result new &
	sleep 0.3
	kill -KILL $!
	assert_equal "$(cat out)" 'Hello, world.'
	assert_not_exist new
	assert_equal "$(ls -A | grep -v stderr | paste -sd' ')" 'failed log malformed out'
}

@test "--result has no text that was discarded, --ids and thinking survive a null" {
	{
		event agent_start '{"prompt":"p","id":"a"}'
		chunk 'Let me look.'
		event llm_end '{"is_final":false}'
		event llm_start '{"iteration":2}'
		chunk 'Hal'
		event llm_retry '{"reason":"it broke off","discard":true}'
		chunk 'Hello'
		event llm_end '{"is_final":true}'
		end 'Hello'
	} >log
	run -0 --separate-stderr agent-text --result out log
	assert_equal "$stderr" ''
	assert_equal "$(cat out)" $'Let me look.\n\nHello'
	# More than what is written at once.
	{ start b && chunk "$(printf '%070000d' 0)" b && event llm_retry '{"discard":true}' b && chunk x b && end x b; } >long
	run -0 agent-text -n --result out long log
	assert_equal "$(cat out)" $'x\n\nLet me look.\n\nHello'
	{ event agent_start '{"prompt":"p","id":"a"}' && chunk Hal && event llm_retry '{"discard":true}' && chunk x && end x; } >log
	run -0 agent-text -D --ids log
	assert_output $'"==> a <==\\nHal"\nnull\n"==> a <==\\nx"'
	{
		event agent_start '{"output_schema":true}'
		event thinking_chunk '{"text":"a number?"}'
		event llm_end '{"is_final":false}'
		event llm_start '{}'
		event thinking_chunk '{"text":"yes"}'
		chunk 'x'
		event llm_end '{"is_final":false}'
		event llm_start '{}'
		chunk '1'
		event llm_end '{"is_final":true}'
		end 1
	} >log
	run -0 agent-text -T log
	assert_output $'a number?\n\nyes\n\n1'
	run -0 agent-text -T -S log
	assert_equal "${lines[-1]}" '"a number?\n\nyes\n\n1"'
}

@test "--result writes through a link, into a pipe and to standard output" {
	answer >log
	mkdir folder
	ln -s folder/out link
	echo old >folder/out
	run -0 agent-text --result link log
	assert [ -L link ]
	assert_equal "$(cat folder/out)" 'Hello, world.'
	mkfifo pipe
	cat pipe >copy &
	run -0 agent-text --result pipe log
	wait
	assert_equal "$(cat copy)" 'Hello, world.'
	assert [ -p pipe ]
	for name in - /dev/stdout /dev/fd/1; do
		{ echo before; agent-text --result $name log; } >copy
		assert_equal "$(cat copy)" $'before\nHello, world.'
	done
	run -0 agent-text --result /dev/null log
	assert [ -c /dev/null ]
}

@test "--result reports a file that cannot be written before anything is read" {
	answer >log
	run -2 agent-text --result none/out </dev/null
	assert_output 'agent-text: none/out: No such file or directory'
	run -2 agent-text --result . </dev/null
	assert_output 'agent-text: .: is a directory'
	for input in log -; do
		run -2 agent-text --result log $input <log
		assert_output --partial 'the input and --result are the same file; write to another one'
	done
	assert [ -s log ]
	run -1 agent-text --result /dev/full log
	assert_output 'agent-text: /dev/full: No space left on device'
}

@test "nested runs are shown where they stand, one at a time, before what their parent says of them" {
	{
		start a
		chunk 'I ask two.' a
		event llm_end '{}' a
		event agent_start '{"parent_run_id":"a"}' n
		event agent_start '{"parent_run_id":"a"}' m
		chunk 'n1 ' n
		chunk 'm1 ' m
		event agent_start '{"parent_run_id":"n"}' inner
		chunk 'deep' inner
		chunk 'm2' m
		end '' m
		end '' inner
		chunk 'n2' n
		end '' n
		chunk 'Both said so.' a
		end '' a
		start b
		event agent_start '{"parent_run_id":"b"}' k
		chunk 'killed' k
		event agent_end '{"success":false,"status":"error","exit_status":1}' b
		start c
		chunk last c
		end '' c
	} >log
	run -1 --separate-stderr agent-text --nested log
	assert_output $'I ask two.\n\nn1 \n\ndeep\n\nn2\n\nm1 m2\n\nBoth said so.\n\nkilled\n\nlast'
	run -1 --separate-stderr agent-text --nested -D log
	assert_equal "$(jq -sj add <<<"$output")" "$(agent-text --nested -n log 2>/dev/null)"
}

@test "control characters are shown, not sent, on a terminal; a pipe gets them unchanged" {
	{ start; chunk '\u001b[31mred\u0007 \u009b \u202e'; end; } >log
	run bash -c 'agent-text log | od -An -tx1 | tr -d " \n"'
	assert_output 1b5b33316d7265640720c29b20e280ae0a
	run script -qec 'agent-text log' /dev/null </dev/null
	assert_output --partial '\x1b[31mred\x07 \u{9b} \u{202e}'
	run script -qec 'agent-text --raw-control log' /dev/null </dev/null
	assert_output --partial $'\e[31mred'
	run script -qec 'agent-text -D log' /dev/null </dev/null
	assert_output $'"\\u001b[31mred\\u0007 \\u009b \\u202e"\r'
	run script -qec 'agent-text -S log' /dev/null </dev/null
	assert_output $'"\\u001b[31mred\\u0007 \\u009b \\u202e"\r'
	printf '{"event_type":"x","data":{"a":"\302\233\342\200\256"}}\n' >other
	run script -qec 'agent-text --sse other' /dev/null </dev/null
	assert_line --index 1 $'data: {"event_type":"x","data":{"a":"\\u009b\\u202e"}}\r'
	{ start; event output_chunk '{"output":["‮"]}'; end; } >partial
	run script -qec 'agent-text -p partial' /dev/null </dev/null
	assert_output $'["\\u202e"]\r'
}

@test "each piece is written before more input is awaited" {
	mkfifo in
	agent-text in >out &
	exec 7>in
	{ start; chunk 'first'; } >&7
	until [ "$(cat out)" = first ]; do sleep 0.01; done
	{ chunk ' second'; end; } >&7
	exec 7>&-
	wait $!
	assert_equal "$(cat out)" "first second"
}

@test "-f waits until every run in the file has ended" {
	{ start; chunk 'one '; } >log
	agent-text -f log >out &
	until [ "$(cat out)" = "one " ]; do sleep 0.01; done
	{ chunk 'two'; end; } >>log
	wait $!
	assert_equal "$(cat out)" "one two"
}

@test "a closed pipe ends it quietly" {
	{ start; yes "$(chunk 'line\n')" | head -n 20000; end; } >log
	run --separate-stderr bash -c 'agent-text log | head -1'
	assert_output line
	assert_equal "$stderr" ""
}

@test "--help, --version and unknown options" {
	run --separate-stderr agent-text --help
	assert_success
	assert_line --index 0 "usage: agent-text [options] [FILE ...]"
	run agent-text -V
	assert_output --regexp '^agent-text [0-9]+\.[0-9]+\.[0-9]+$'
	run agent-text --nonsense
	assert_failure 2
	assert_output --partial "try 'agent-text --help'"
}

@test "a stream without chunks, as written by agent-filter -i, gives the answer" {
	cat >items <<'EOF'
{"event_type":"agent_start","run_id":"r","seq":0,"data":{"agent_name":"a"}}
{"event_type":"llm_end","run_id":"r","seq":5,"data":{"message":{"role":"assistant","content":[{"type":"thinking","text":"hm"},{"type":"text","text":"I look."},{"type":"tool_call","tool_call_id":"c","tool_name":"t","args":{}}]}}}
{"event_type":"llm_end","run_id":"r","seq":9,"data":{"message":{"role":"assistant","content":[{"type":"text","text":"It is "},{"type":"text","text":"so."}]}}}
{"event_type":"agent_end","run_id":"r","seq":10,"data":{"success":true,"status":"success","exit_status":0,"output":"It is so."}}
EOF
	run agent-text items
	assert_success
	assert_output "I look.

It is so."
	run agent-text -T items
	assert_output "hm

I look.

It is so."
	run agent-text -F items
	assert_output "It is so."
	run agent-text -S items
	assert_output '"I look."
"I look.\n\nIt is "
"I look.\n\nIt is so."'
	sed -n '1p;4p' items >end
	run agent-text end
	assert_success
	assert_output "It is so."
	run agent-text -D end
	assert_output '"It is so."'
}

@test "foreign events without a run_id do not form a run" {
	{ echo '{"event_type":"note","data":{}}'; echo '{}'; cat <<'EOF'
{"event_type":"agent_start","run_id":"r","seq":0,"data":{"agent_name":"a"}}
{"event_type":"llm_chunk","run_id":"r","seq":1,"data":{"text":"hi"}}
{"event_type":"agent_end","run_id":"r","seq":2,"data":{"success":true,"status":"success","exit_status":0,"output":"hi"}}
EOF
	} >log
	run agent-text log
	assert_success
	assert_output hi
	run agent-text -f log
	assert_success
	run agent-tools log
	assert_success
	run agent-collect log
	assert_success
	assert_equal "$(jq -c '[.run_id, .output]' <<<"$output")" '["r","hi"]'
	run agent-text --strict <<<'{"event_type":"note","data":{}}'
	assert_success
	assert_output ""
}

@test "blank lines, a byte order mark and a seq out of range are accepted" {
	printf '\xef\xbb\xbf{"event_type":"agent_start","run_id":"r","seq":0,"data":{}}\r\n\r\n \t\n{"event_type":"llm_chunk","run_id":"r","seq":99999999999999999999,"data":{"text":"h"}}\n{"event_type":"llm_chunk","run_id":"r","seq":9223372036854775807,"data":{"text":"i"}}\n{"event_type":"agent_end","run_id":"r","seq":1,"data":{"success":true}}\n  ' >log
	run agent-text log
	assert_success
	assert_output hi
	run agent-filter -c log
	assert_success
	assert_output 4
	run agent-collect log
	assert_success
}

@test "forms of the output exclude each other" {
	run -2 agent-text -D -S </dev/null
	assert_output 'agent-text: --deltas and --snapshots exclude each other; give one'
	run agent-text -D -D </dev/null
	refute_output --partial exclude
}

@test "programs on one terminal: a status line leaves the text, and a message begins a line of its own" {
	run env TERM=xterm script -qec 'stty cols 80; agent-run -m test -o delay=0.2 -o text="one two three four" --no-stdin hi |
		agent-collect --status -p -r /dev/null | agent-text' /dev/null </dev/null
	assert_success
	assert_output --partial $'one two three four\r'
	{ start; chunk 'one '; } >first
	{ chunk two; end; } >second
	cat >both <<-'EOF'
		stty cols 30
		mkfifo in
		agent-text in &
		exec 7>in
		cat first >&7
		sleep 0.5
		agent-tools none
		cat second >&7
		exec 7>&-
		wait
	EOF
	run script -qec 'bash both' /dev/null </dev/null
	assert_output "$(printf 'one %30s\ragent-tools: none: No such file or directory\r\ntwo\r' '')"
}

@test "programs on one terminal: a line below a live line goes below the text that has replaced it" {
	cat >both <<-EOF
		stty cols 30
		mkfifo calls texts
		agent-tools calls & exec 7>calls
		agent-text texts & exec 8>texts
		echo '$(event tool_start '{"tool_call_id":"c","tool_name":"t","args":{}}')' >&7
		sleep 0.5
		echo '$(chunk 'one ')' >&8
		sleep 0.3
		echo '$(event tool_end '{"tool_call_id":"c","tool_name":"t","result":"r"}')' >&7
		sleep 0.3
		echo '$(end)' >&8
		exec 7>&- 8>&-
		wait
	EOF
	run env TERM=xterm NO_COLOR=1 script -qec 'bash both' /dev/null </dev/null
	assert_output --regexp $'\r\\.\\. t [0-9.]+s\e\\[K\r\r\e\\[Kone {31}\r<- t .*ok: r\r'
}

@test "on a terminal the line ends with the response, and the text goes on below" {
	{
		start
		chunk one
		event llm_end '{}'
		event llm_start '{}'
		chunk two
		end
	} >log
	run script -qec 'agent-text log' /dev/null </dev/null
	assert_output $'one\r\n\r\ntwo\r'
}

@test "the text blocks of a response are separate, unless a sentence goes on in the next" {
	cat >model <<-'EOF'
		{"thinking":"Hm."}
		{"event_type":"llm_chunk","data":{"text":"I "}}
		{"event_type":"llm_chunk","data":{"text":"search."}}
		{"tool_name":"web_search","args":{},"executed_by":"provider","result":"r"}
		{"event_type":"llm_chunk","data":{"text":"It is 21","part":3}}
		{"event_type":"llm_chunk","data":{"text":" degrees.","part":4}}
		{"event_type":"llm_chunk","data":{"text":"\nAnd ","part":5}}
		{"event_type":"llm_chunk","data":{"text":"dry.","part":5}}
		{"event_type":"llm_chunk","data":{"text":"Bring water.","part":6}}
	EOF
	agent-run -m 'exec:cat model' --no-stdin hi >log
	assert_equal "$(jq -c 'select(.event_type == "llm_chunk").data.part' log | paste -sd' ')" '1 1 3 4 5 5 6'
	assert_equal "$(jq -c 'select(.event_type == "llm_end").data.message.content | map(.type)' log)" \
		'["thinking","text","tool_call","text","text","text","text"]'
	run -0 agent-text log
	assert_output $'I search.\n\nIt is 21 degrees.\nAnd dry.\n\nBring water.'
	assert_equal "$(agent-text -S log | tail -n 1 | jq -r .)" "$output"
	assert_equal "$(agent-filter -T llm_chunk log | agent-text)" "$output"
	agent-run -m replay:log --no-stdin hi >again
	assert_equal "$(agent-text again)" "$output"
	agent-run -m 'exec:cat model' --no-stdin --debounce 10 hi >log
	assert_equal "$(agent-text log)" "$output"
	assert_equal "$(jq -c 'select(.event_type == "llm_chunk").data.text' log | wc -l)" 5
}

@test "a complete response is not taken back when its run is resumed" {
	{
		event agent_start '{"prompt":"p"}' r1 && chunk 'one ' r1 && chunk two r1
		event llm_end '{"is_final":true,"message":{"content":[{"type":"text","text":"one two"}]}}' r1
		event agent_start '{"prompt":"p","resumed_from":"r1"}' r2
		event agent_end '{"success":true,"exit_status":0,"output":"one two"}' r2
	} >log
	run -0 --separate-stderr agent-text log
	assert_output 'one two'
	assert_equal "$stderr" ''
	run -0 --separate-stderr agent-text -D log
	assert_output '"one "
"two"'
	run -0 --separate-stderr agent-text -S log
	assert_output '"one "
"one two"'
	# Also if its text is held back, because another run is printed.
	{ start r0 && chunk zero r0 && cat log && end zero r0; } >both
	run -0 --separate-stderr agent-text both
	assert_output 'zero

one two'
}

@test "a response that was cut is taken back when its run is resumed" {
	agent-run -m test --max-tokens 3 --no-stdin 'hello there' -l log >/dev/null || [ $? -eq 3 ]
	agent-run --resume log --max-tokens 1000 >/dev/null
	text='This is the built-in test model. You said: hello there'
	run -0 --separate-stderr agent-text -S log
	assert_equal "$(tail -n 1 <<<"$output")" "\"$text\""
	run -0 --separate-stderr agent-text -D log
	assert_equal "$(jq -rs '.[rindex(null) + 1:] | add' <<<"$output")" "$text"
	run -0 --separate-stderr agent-text --result result log
	assert_equal "$(cat result)" "$text"
	# Text of another run that lies in between stays.
	{ sed '/agent_end/q' log && start r0 && chunk zero r0 && end zero r0 && sed '1,/agent_end/d' log; } >both
	run -0 --separate-stderr agent-text --result result both
	assert_equal "$(grep . result)" $'This is the \nzero\n'"$text"
}
