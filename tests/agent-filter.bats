#!/usr/bin/env bats
# agent-filter: choose and change events.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cat >log <<'EOF'
{"event_type":"agent_updated","timestamp":"2026-11-20T22:49:01.000000Z","run_id":"aa11","seq":0,"data":{"agent_name":"a"}}
{"event_type":"llm_chunk","timestamp":"2026-11-20T22:49:01.000001Z","run_id":"aa11","seq":1,"data":{"text":"Hel"}}
{"event_type":"llm_chunk","timestamp":"2026-11-20T22:49:01.000002Z","run_id":"aa11","seq":2,"data":{"text":"lo\n\u00e9"}}
{"event_type":"tool_call_chunk","timestamp":"2026-11-20T22:49:01.000003Z","run_id":"aa11","seq":3,"data":{"tool_call_id":"c1","tool_name":"read","args_delta":"{\"a\":"}}
{"event_type":"tool_call_chunk","timestamp":"2026-11-20T22:49:01.000004Z","run_id":"aa11","seq":4,"data":{"tool_call_id":"c1","tool_name":"read","args_delta":"1}"}}
{"event_type":"tool_start","timestamp":"2026-11-20T22:49:01.000005Z","run_id":"aa11","seq":5,"data":{"tool_call_id":"c1","tool_name":"read","args":{"id":1234567890123456789,"x":1.10}}}
{"event_type":"tool_end","timestamp":"2026-11-20T22:49:01.000006Z","run_id":"aa11","seq":6,"data":{"tool_call_id":"c1","tool_name":"read","result":"r","is_error":true,"duration_seconds":2.5}}
{"event_type":"raw","timestamp":"2026-11-20T22:49:01.000007Z","run_id":"aa11","seq":7,"data":{"provider":"p","payload":{}}}
{"event_type":"llm_end","timestamp":"2026-11-20T22:49:01.000008Z","run_id":"bb22","seq":8,"data":{"message":{"content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}}}
{"event_type":"agent_end","timestamp":"2026-11-20T22:49:01.000009Z","run_id":"bb22","seq":9,"data":{"success":true,"output":"xy"}}
EOF
}

# Print the seq numbers of the printed events.
seqs() {
	agent-filter "$@" | jq -s -c 'map(.seq)'
}

@test "more than two faulty lines next to each other are reported as one message" {
	{ sed -n 1,2p log; printf 'a\n\nb\n'; sed -n 3p log; printf 'c\nd\ne\n'; sed -n '4,$p' log; } >damaged
	local reader
	for reader in agent-filter agent-text agent-tools agent-collect 'agent-run -m test x --history'; do
		run bash -c "$reader damaged 2>&1 >/dev/null | grep 'the line is skipped'"
		assert_output "${reader%% *}: damaged:3: byte 1: a value is missing; the line is skipped
${reader%% *}: damaged:5: byte 1: a value is missing; the line is skipped
${reader%% *}: damaged:7: byte 1: a value is missing; the line is skipped; likewise 2 more lines, up to line 9"
	done
	run bash -c 'agent-filter damaged damaged 2>&1 >/dev/null | grep -c likewise'
	assert_output 2
	run bash -c 'cat damaged | agent-filter --strict 2>&1 >/dev/null'
	assert_output 'agent-filter: standard input:3: byte 1: a value is missing; the line is skipped'
	run -1 --separate-stderr agent-filter -m 'if .seq == 2 then 1 else error("no") end' log
	assert_output 1
	assert_equal "$stderr" "agent-filter: log:1: --map: no
agent-filter: log:2: --map: no
agent-filter: log:4: --map: no; likewise $(($(wc -l <log) - 4)) more lines, up to line $(wc -l <log)"
}

@test "a type or a tool that the input does not have is reported" {
	run -0 agent-filter -t tool_edn log
	assert_output 'agent-filter: --type tool_edn: the input has no such type (did you mean tool_end?)'
	run -0 --separate-stderr agent-filter -c -T 'llm_chunks,raw,unlike*' log
	assert_equal "$stderr" 'agent-filter: --not-type llm_chunks: the input has no such type (did you mean llm_chunk?)'
	run -0 agent-filter -t tool_end -N reed log
	assert_output 'agent-filter: --name reed: the input has no such tool (did you mean read?)'
	echo '{"event_type":"later","data":{}}' >>log
	run -0 agent-filter -c -t later log
	assert_output 1
}

@test "without an option all lines pass byte for byte, also unknown types" {
	printf '%s\n' '{ "event_type" : "later", "new":[1.10, 1E400]}' '{"data":{}}' '{"event_type":"\u0078"}' >>log
	agent-filter log >out
	cmp log out
	agent-filter <log >out
	cmp log out
}

@test "-t keeps types, -T drops them: comma-separated globs" {
	assert_equal "$(seqs -t tool_start,tool_end log)" '[5,6]'
	assert_equal "$(seqs -t 'llm_*' log)" '[1,2,8]'
	assert_equal "$(seqs -t 'tool_*' -T '*_chunk' log)" '[5,6]'
	assert_equal "$(seqs --not-type '*_chunk,raw,agent_*' log)" '[5,6,8]'
	assert_equal "$(seqs -t nothing log)" '[]'
	assert_equal "$(seqs -t llm_end -t agent_end log)" '[8,9]'
	run agent-filter -t '' log
	assert_failure 2
	assert_output "agent-filter: --type needs at least one pattern, not ''"
	run -2 agent-filter -N 'a,b[' </dev/null
	assert_output "agent-filter: --name: the pattern 'b[' is malformed: the [ has no ]; write \\[ for a [ that stands for itself"
}

@test "types are found in any spelling of the envelope" {
	cat >log <<'EOF'
{"seq":0,"event_type":"a","data":{}}
 {"event_type": "a","seq":1}
{"data":{"event_type":"b"},"event_type":"\u0061","seq":2}
EOF
	assert_equal "$(seqs -t a log)" "[0,1,2]"
	assert_equal "$(seqs -t b log)" '[]'
}

@test "the first of repeated keys applies, in every spelling" {
	cat >log <<'EOF'
{"event_type":"a","event_type":"b","seq":0,"run_id":"x","run_id":"y"}
{ "event_type":"a","event_type":"b","seq":1,"run_id":"x","run_id":"y"}
EOF
	assert_equal "$(seqs -t a log)" '[0,1]'
	assert_equal "$(seqs -t b log)" '[]'
	assert_equal "$(seqs -r x log)" '[0,1]'
	run -2 agent-filter -r y log
}

@test "-i keeps finished things only" {
	assert_equal "$(seqs -i log)" '[0,5,6,8,9]'
}

@test "-N keeps the events of tools, -r those of runs" {
	assert_equal "$(seqs -N 're*' log)" '[3,4,5,6]'
	assert_equal "$(seqs -N write log)" '[]'
	assert_equal "$(seqs -r bb log)" '[8,9]'
	assert_equal "$(seqs -r b22 log)" '[8,9]'
	run -2 agent-filter -r b2 log
	assert_equal "$(seqs -r aa11 -t 'tool_*' -N read -i log)" '[5,6]'
}

@test "-s selects by a jq expression and passes lines byte for byte" {
	run agent-filter -s '.data.args.x == 1.1' log
	assert_success
	assert_output "$(sed -n 6p log)"
	assert_equal "$(seqs -s '.data.is_error' log)" '[6]'
	assert_equal "$(seqs --arg name read -s '.data.tool_name == $name' -i log)" '[5,6]'
	assert_equal "$(seqs --argjson limit 2 -s '(.data.duration_seconds // 0) > $limit and $ARGS.named.limit == 2' log)" '[6]'
}

@test "-m prints the values of the expression, one a line" {
	run agent-filter -t llm_end -m '.data.message.content[].text' log
	assert_output $'"x"\n"y"'
	run agent-filter -t tool_end -m '{name: .data.tool_name, s: .data.duration_seconds}, null' log
	assert_output $'{"name":"read","s":2.5}\nnull'
	run agent-filter -m empty log
	assert_output ""
}

@test "expressions import the shipped modules and the user's" {
	assert_equal "$(seqs -s 'import "agent" as a; a::is_error' log)" '[6]'
	assert_equal "$(seqs -s 'import "agent" as a; a::tool("read") and a::slower(2)' log)" '[6]'
	run agent-filter -i -m 'import "agent" as a; a::final_text' log
	assert_output '"xy"
"xy"'
	mkdir -p config/agent/jq
	echo 'def mine: .seq == 5;' >config/agent/jq/my.jq
	XDG_CONFIG_HOME=$PWD/config run agent-filter -s 'import "yours" as my; my::mine' log
	assert_failure 2
	assert_output --partial "jq: modules are in $PWD/config/agent/jq or "
	XDG_CONFIG_HOME=$PWD/config run agent-filter -s 'import "my" as my; my::mine' log
	assert_output "$(sed -n 6p log)"
}

@test "compile errors name the option; all expressions are reported" {
	run agent-filter -s '.a +' -s true -m '.b +' log
	assert_failure 2
	assert_line --regexp '^agent-filter: --select: jq: error: syntax error, unexpected'
	assert_line --regexp '^agent-filter: --map: jq: error: syntax error, unexpected'
	assert_line --partial 'jq: 1 compile error'
	for expression in "-s \$x" "-c"; do
		# shellcheck disable=SC2086 # an option and its value
		run agent-filter --argjson x '{' $expression log
		assert_failure 2
		assert_output 'agent-filter: the value of $x is not JSON'
	done
	run agent-filter -s . --arg name
	assert_failure 2
	assert_output 'agent-filter: --arg needs a name and a value'
}

@test "a run-time error names the line, and the next lines are processed" {
	run --separate-stderr agent-filter -t 'tool_*' -i -m '.data.duration_seconds + 1 | if . == 1 then error("none") else . end' log
	assert_failure 1
	assert_output 3.5
	assert_equal "$stderr" 'agent-filter: log:6: --map: none'
}

@test "debug and stderr in an expression write to standard error, input fails" {
	run --separate-stderr agent-filter -t tool_end -m '.seq | debug | stderr' log
	assert_success
	assert_output 6
	assert_equal "$stderr" '["DEBUG:",6]
6'
	run agent-filter -t tool_end -m '[inputs], first(inputs), (try input catch "none")' log
	assert_output $'[]\n"none"'
}

@test "halt ends the program, halt_error with its message and status" {
	run agent-filter -m '.seq | if . == 2 then halt else . end' log
	assert_success
	assert_output $'0\n1'
	run agent-filter -s 'if .seq == 2 then halt else .seq > 0 end' log
	assert_success
	assert_output "$(sed -n 2p log)"
	run --separate-stderr agent-filter -m '.seq | if . == 1 then "at \(.)\n" | halt_error(7) else . end' log
	assert_failure 7
	assert_output 0
	assert_equal "$stderr" "at 1"
	run --separate-stderr agent-filter -s '{"\u001b": 1} | halt_error' log
	assert_failure 5
	assert_equal "$stderr" '{"\u001b":1}'
}

@test "an event nested deeper than libjq accepts is reported and skipped" {
	{ printf '{"event_type":"x","data":'; printf '[%.0s' {1..500}; printf ']%.0s' {1..500}; printf '}\n'; } >deep
	cat deep log >both
	run --separate-stderr agent-filter -s '.seq == 9' both
	if [ "$status" -eq 0 ]; then # libjq 1.7 takes 10000 levels
		assert_equal "$stderr" ""
	else
		assert_equal "$status" 1
		assert_equal "$stderr" "agent-filter: both:1: --select: libjq cannot read it: Exceeds depth limit for parsing at line 1, column 280"
	fi
	assert_output "$(sed -n 10p log)"
}

@test "expressions without libjq: the message names the missing package" {
	# A library of another name in its place: the loader looks here first.
	mkdir lib
	echo nothing >lib/libjq.so.1
	LD_LIBRARY_PATH=$PWD/lib run agent-filter -s . log
	assert_failure 2
	assert_output --regexp '^agent-filter: jq expressions need libjq: install the package libjq1 \(.*libjq.so.1.*\)$'
	LD_LIBRARY_PATH=$PWD/lib run agent-filter -t tool_end log
	assert_success
}

@test "--validate reports each line that is no event, with the place of its fault, and drops it" {
	cat >lines <<-'END'
		{"event_type":"llm_chunk","data":{"text":"by hand"}}
		{"event_type":"llm_chunk","data":{"text":5}}
		{"event_type":"llm_chunk","seq":-1,"data":{"text":"a"}}
		{"event_type":"tool_end","data":{"tool_call_id":"a","tool_name":"b","result":"c","is_error":"no","duration_seconds":null}}
		{"event_type":"new_type","data":{"text":5}}
		{"event_type":"llm_chunk","data":{"text":"a","new_key":1},"new_key":2}
	END
	run -1 --separate-stderr agent-filter --validate lines
	assert_output "$(sed -n '1p;5,6p' lines)"
	assert_equal "$stderr" "agent-filter: lines:2: /data/text: must be string, not number; the line is skipped
agent-filter: lines:3: /seq: must be at least 0; the line is skipped
agent-filter: lines:4: /data/is_error: must be boolean, not string; the line is skipped"
	run -1 --separate-stderr agent-filter --validate -c -t new_type lines
	assert_output 1
	assert_equal "${#stderr_lines[@]}" 3
	run -1 --separate-stderr agent-filter --validate --strict lines
	assert_output "$(sed -n 1p lines)"
}

@test "--validate states the rules of agent-events(5) about several keys" {
	local usage='"usage":{"input_tokens":null,"output_tokens":null,"cached_input_tokens":null,"cache_write_tokens":null,"reasoning_tokens":null,"requests":null}'
	local end='"agent_name":"a","output":"","finish_reason":"stop","total_iterations":1,"total_tokens":null,"total_cost_usd":null,"tool_calls":0,"duration_seconds":null,'$usage
	local response='"iteration":1,"model":"m","finish_reason":"stop","is_final":true,"duration_seconds":null,'$usage
	local call='"type":"tool_call","tool_call_id":"c","tool_name":"t"'
	while IFS='|' read -r line fault; do
		run --separate-stderr agent-filter --own-status --validate <<<"$line"
		assert_equal "$line: $(grep skipped <<<"$stderr")" "$line: ${fault:+agent-filter: standard input:1: $fault; the line is skipped}"
	done <<-END
		{"data":{"text":"a"}}|required property "event_type" is missing
		{"event_type":"","data":{}}|/event_type: must have at least 1 character, not 0
		{"event_type":"x","timestamp":"2026-12-31T23:59:60.5Z","data":{}}
		{"event_type":"tool_chunk","data":{"tool_call_id":"c","tool_name":"t"}}|/data: required property "text" is missing
		{"event_type":"tool_chunk","data":{"tool_call_id":"c","tool_name":"t","progress":1,"total":2}}
		{"event_type":"tool_chunk","data":{"tool_call_id":"","tool_name":"t","text":""}}|/data/tool_call_id: must have at least 1 character, not 0
		{"event_type":"error","data":{"error":"e","exception_type":"x","http_status":0}}|/data/http_status: must be at least 100
		{"event_type":"agent_start","data":{"agent_name":"a","model":null,"prompt":"","tools":[],"schema_version":1,"parent_tool_call_id":"c"}}|/data: required property "parent_run_id" is missing
		{"event_type":"agent_end","data":{"success":true,"status":"success","exit_status":0,$end}}
		{"event_type":"agent_end","data":{"success":true,"status":"success","exit_status":1,$end}}|/data/exit_status: must be 0
		{"event_type":"agent_end","data":{"success":false,"status":"strange","exit_status":0,$end}}|/data/exit_status: must be at least 1
		{"event_type":"agent_end","data":{"success":true,"status":"limit","exit_status":0,$end}}|/data/success: must be false
		{"event_type":"agent_end","data":{"success":false,"status":"success","exit_status":1,$end}}|/data/success: must be true
		{"event_type":"agent_end","data":{"success":true,"status":"success","exit_status":0,"output_truncated":true,$end}}|/data: required property "output_in" is missing
		{"event_type":"llm_end","data":{"message":{"role":"user","content":[]},$response}}|/data/message/role: must be "assistant"
		{"event_type":"llm_end","data":{"message":{"role":"assistant","content":[{"text":"a"}]},$response}}|/data/message/content/0: required property "type" is missing
		{"event_type":"llm_end","data":{"message":{"role":"assistant","content":[{$call,"args":{"a":1},"invalid_args":"x"}]},$response}}|/data/message/content/0/args: must have at most 0 properties, not 1
		{"event_type":"llm_end","data":{"message":{"role":"assistant","content":[{$call,"args":{},"executed_by":"provider","result":""}]},$response}}|/data/message/content/0: required property "is_error" is missing
	END
	for time in 2026-13-01T00:00:00Z 2026-01-32T00:00:00Z 2026-01-01T24:00:00Z 2026-01-01T00:60:00Z 2026-01-01T00:00:00+01:00 2026-01-01; do
		run -1 agent-filter --validate -c <<<'{"event_type":"x","timestamp":"'$time'","data":{}}'
	done
}

@test "--validate accepts what agent-run writes, and every translation" {
	agent-run -m test -o text='hello' hi | agent-filter --validate -c
	for file in "$BATS_TEST_DIRNAME"/data/translate/*.jsonl; do
		name=$(basename "$file")
		agent-filter --from "${name%%[-.]*}" "$file" | agent-filter --validate --own-status >events
		assert_equal "$(agent-filter --from "${name%%[-.]*}" "$file" | wc -l)" "$(wc -l <events)"
	done
}

@test "--valid keeps the lines that satisfy a schema, with the other choices" {
	echo '{"required":["seq"],"properties":{"data":{"properties":{"tool_name":{"pattern":"^(?!w)"},"is_error":{"const":true}},"required":["tool_name"]}}}' >schema.json
	run agent-filter --valid schema.json log
	assert_success
	assert_equal "$(jq -sc 'map(.data.tool_name)' <<<"$output")" '["read","read","read","read"]'
	assert_equal "$(seqs --valid schema.json -t tool_end log)" '[6]'
	assert_equal "$(seqs --valid schema.json -s '.seq > 4' log)" '[5,6]'
	assert_equal "$(agent-filter --valid schema.json -t tool_end -m .data.tool_name log)" '"read"'
	echo '{"properties":{"seq":{"maximum":2.5}},"required":["seq"]}' >schema.json
	assert_equal "$(seqs --valid schema.json log)" "$(jq -sc 'map(.seq | select(. <= 2))' log)"
	run agent-filter --valid schema.json -t nothing -e log
	assert_failure 1
}

@test "an event satisfies every --select and every --valid; lists are joined" {
	assert_equal "$(seqs -s '.seq > 3' -s '.seq < 6' log)" '[4,5]'
	assert_equal "$(seqs -s '.seq < 6' -s '.seq > 3' log)" '[4,5]'
	echo '{"properties":{"seq":{"minimum":4}}}' >low.json
	echo '{"properties":{"seq":{"maximum":5}}}' >high.json
	assert_equal "$(seqs --valid low.json --valid high.json log)" '[4,5]'
	assert_equal "$(seqs --valid high.json --valid low.json -s '.seq > 4' log)" '[5]'
	assert_equal "$(seqs -r aa11 -r bb22 -t llm_end -t tool_end -T raw -T llm_end log)" '[6]'
}

@test "--valid with a line that is not JSON, or one that is too expensive to check" {
	echo '{"properties":{"data":{"properties":{"text":{"pattern":"^(a+)+$"}}}}}' >schema.json
	cat >lines <<-'EOF'
		{"event_type":"x","data":{"text":"aaa"}}
		no JSON
		{"event_type":"x","data":{"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}}
		{"event_type":"y","data":{}}
	EOF
	run --separate-stderr agent-filter --valid schema.json lines
	assert_failure 1
	assert_output "$(sed -n '1p;4p' lines)"
	assert_equal "$stderr" "agent-filter: lines:2: byte 1: unknown word; the line is skipped
agent-filter: lines:3: --valid: the schema is too expensive to check; the line is skipped"
}

@test "--valid reports the error of an invalid schema" {
	printf '{"type":"object",\n"properties":{"a":{"pattern":"^(?i)a"}}}\n' >schema.json
	run agent-filter --valid schema.json log
	assert_failure 2
	assert_output 'agent-filter: schema.json:2: the pattern "^(?i)a" is not valid: a group starts with (? and characters that ECMA-262 does not define'
	echo '[1,' >schema.json
	run agent-filter --valid schema.json log
	assert_failure 2
	assert_output 'agent-filter: schema.json:2: not JSON: unexpected end of text'
	echo '[]' >schema.json
	run agent-filter --valid schema.json log
	assert_failure 2
	assert_output 'agent-filter: schema.json:1: a JSON Schema is an object'
	run agent-filter --valid no.json log
	assert_failure 2
	assert_output 'agent-filter: no.json: No such file or directory'
}

@test "a pattern without PCRE2 is an error that names the missing library" {
	mkdir lib
	echo nothing >lib/libpcre2-8.so.0
	echo '{"propertyNames":{"pattern":"a"}}' >schema.json
	LD_LIBRARY_PATH=$PWD/lib run agent-filter --valid schema.json log
	assert_failure 2
	assert_output --regexp '^agent-filter: schema.json:1: patterns of a JSON Schema need PCRE2: install the package libpcre2-8-0 \(.*libpcre2-8.so.0.*\)$'
	echo '{"minProperties":1}' >schema.json
	LD_LIBRARY_PATH=$PWD/lib run agent-filter --valid schema.json log
	assert_success
}

@test "-d merges neighbouring chunks: the first timestamp, the last seq, the texts as written" {
	run agent-filter -d 10 -t '*_chunk' log
	assert_output '{"event_type":"llm_chunk","timestamp":"2026-11-20T22:49:01.000001Z","run_id":"aa11","seq":2,"data":{"text":"Hello\n\u00e9"}}
{"event_type":"tool_call_chunk","timestamp":"2026-11-20T22:49:01.000003Z","run_id":"aa11","seq":4,"data":{"tool_call_id":"c1","tool_name":"read","args_delta":"{\"a\":1}"}}'
}

@test "-d does not merge different runs or calls, and other events end a group" {
	cat >log <<'EOF'
{"event_type":"llm_chunk","run_id":"a","data":{"text":"1"}}
{"event_type":"llm_chunk","run_id":"b","data":{"text":"2"}}
{"event_type":"tool_chunk","run_id":"b","data":{"tool_call_id":"x","text":"3"}}
{"event_type":"tool_chunk","run_id":"b","data":{"tool_call_id":"y","text":"4"}}
{"event_type":"thinking_chunk","run_id":"b","data":{"text":"5"}}
{"event_type":"progress","run_id":"b","data":{}}
{"event_type":"thinking_chunk","run_id":"b","data":{"text":"6"}}
EOF
	agent-filter -d 10 log >out
	cmp log out
}

@test "-d loses nothing: chunks with other differences are not merged, keys and spellings are preserved" {
	cat >log <<'EOF'
{"event_type":"tool_chunk","run_id":"a","data":{"tool_call_id":"x","stream":"out","text":"1"}}
{"event_type":"tool_chunk","run_id":"a","data":{"tool_call_id":"x","stream":"err","text":"2"}}
{"event_type":"tool_chunk","run_id":"a","data":{"tool_call_id":"x","text":"3","stream":"err"}}
{"event_type":"llm_chunk","run_id":"a","host":"one","data":{"text":"4"}}
{"event_type":"llm_chunk","run_id":"a","host":"two","data":{"text":"5"}}
EOF
	agent-filter -d 10 log >out
	cmp log out
	cat >log <<'EOF'
{"seq":1,"data":{"text":"a","n":1.10},"host":[1E400],"run_id":"\u0061","event_type":"llm_chunk"}
{"seq":2,"data":{"text":"b","n":1.10},"host":[1E400],"run_id":"\u0061","event_type":"llm_chunk"}
EOF
	run agent-filter -d 10 log
	assert_output '{"seq":2,"data":{"text":"ab","n":1.10},"host":[1E400],"run_id":"\u0061","event_type":"llm_chunk"}'
}

@test "-d does not write lines that are too long" {
	yes '{"event_type":"llm_chunk","data":{"text":"'"$(printf '%01000d' 0)"'"}}' | head -3000 >log
	agent-filter -d 1000 log >out
	assert_equal "$(jq -j .data.text out | wc -c)" 3000000
	assert_equal "$(wc -l <out)" 3
}

@test "-d flushes by time" {
	mkfifo in
	agent-filter -d 0.1 in >out &
	exec 7>in
	sed -n 2p log >&7
	until [ -s out ]; do sleep 0.01; done
	sed -n 3p log >&7
	exec 7>&-
	wait $!
	assert_equal "$(jq -c .data.text out)" $'"Hel"\n"lo\\né"'
}

# ---- events that are made, numbered and redacted ----

# made EXPRESSION: the events that the functions of the module agent make.
made() {
	jq -nc -L "$AGENT_SHARE/jq" "import \"agent\" as a; $1"
}

@test "the module agent makes valid events, from which --renumber makes a stream" {
	made 'a::agent_start, a::agent_start("count"), a::llm_chunk("x"), a::tool_start("c"; "ls"; {}), a::tool_end("c"; "ls"; "r"),
		a::tool_end("c"; "ls"; "r"; true), a::progress(1; 2), a::progress(1; 2; 0.5), a::error("slow"),
		a::error("bad"; "auth"; true), a::agent_end, a::agent_end("three"), a::agent_end(""; "limit")' >events
	run -0 --separate-stderr agent-filter --own-status --validate -c events
	assert_output 13
	made 'a::agent_start("count"), a::tool_start("c"; "ls"; {path: "."}), a::tool_end("c"; "ls"; "a b c"), a::llm_chunk("thr"), a::llm_chunk("ee"),
		a::progress(1; 20), a::agent_end("three")' | agent-filter --renumber >stream
	run -0 agent-text --strict stream
	assert_output three
	run -0 agent-tools stream
	assert_output $'-> ls {"path":"."}\n<- ls 0.00s ok: a b c'
	run -0 agent-collect stream
	assert_equal "$(jq -c '[.status, .output, .duration_seconds < 10]' <<<"$output")" '["success","three",true]'
	assert_equal "$(jq -sc '[map(.seq), (map(.run_id) | unique | length), (.[0] | keys_unsorted)]' stream)" \
		'[[0,1,2,3,4,5,6],1,["event_type","timestamp","run_id","seq","data"]]'
	made 'a::agent_start, a::error("no key"; "auth"; true), a::agent_end(""; "error")' | agent-filter --renumber >stream || true
	run -1 agent-text stream
	assert_output "agent-text: no key"
	made 'a::agent_start, a::agent_end(""; "timeout")' >stream
	run -124 agent-text stream
}

@test "--renumber completes a made agent_end from the events of its run" {
	made 'a::agent_start("x"), a::llm_chunk("o"), a::llm_chunk("\"ne\n"), a::tool_start("c"; "ls"; {}), a::tool_end("c"; "ls"; "r"), a::progress(2; 100; 0.01), a::agent_end' |
		agent-filter --renumber >stream
	run -0 agent-filter --validate -c stream
	assert_output 7
	data() { agent-filter -t agent_end -m ".data | $1" "$2"; }
	assert_equal "$(data '[.output, .total_iterations, .total_tokens, .total_cost_usd, .tool_calls, .duration_seconds < 10]' stream)" '["o\"ne\n",2,100,0.01,1,true]'
	run -0 agent-collect -o text stream
	assert_output 'o"ne'
	# What it says stays.
	made 'a::agent_start("x"), a::llm_chunk("one"), a::progress(2; 100; 0.01), (a::agent_end("two") | .data.total_cost_usd = 0.5 | .data.total_tokens = 7)' |
		agent-filter --renumber >stream
	assert_equal "$(data '[.output, .total_tokens, .total_cost_usd]' stream)" '["two",7,0.5]'
	# The answer is the text of the last response, without discarded attempts.
	made 'a::agent_start("x"), a::llm_end("one"), a::llm_chunk("tw"), {event_type: "llm_retry", data: {attempt: 2, wait_seconds: 0, reason: "r", discard: true}},
		a::llm_chunk("three"), (a::llm_end("three"; 2) | .data.usage.input_tokens = 5), a::agent_end' | agent-filter --renumber >stream
	assert_equal "$(data '[.output, .total_iterations, .usage.input_tokens, .usage.output_tokens]' stream)" '["three",2,5,null]'
	# The end of a recorded run is not changed.
	{ event agent_start '{}' A; event llm_chunk '{"text":"rejected"}' A; event agent_end '{"output":"","success":false,"exit_status":5}' A; } | jq -c '.seq = input_line_number' >stream
	run -5 agent-filter --renumber stream
	assert_line --partial '"output":"",'
}

@test "a made llm_end is a response of the history" {
	made 'a::agent_start("x"), a::llm_end("one"), a::agent_end, a::agent_start("y"), a::llm_chunk("two"), a::agent_end,
		a::agent_start("z"), a::llm_end({role: "assistant", content: [{type: "tool_call", tool_call_id: "c", tool_name: "ls", args: {}}]}),
		a::tool_start("c"; "ls"; {}), a::tool_end("c"; "ls"; "r"), a::llm_chunk("thr"), a::agent_end(""; "error")' | agent-filter --renumber --own-status >stream
	run -0 --separate-stderr agent-filter --own-status --validate -c stream
	assert_output 12
	assert_equal "$(agent-filter --own-status -t llm_end -m '[.data.finish_reason, .data.is_final]' stream)" '["stop",true]
["tool_calls",false]'
	run -0 agent-run -m test --history stream --dry-run now
	assert_equal "$(jq -c '.messages[] | [.role, (.content[] | .text // .tool_name)]' <<<"$output")" '["user","x"]
["assistant","one"]
["user","y"]
["assistant","two"]
["user","z"]
["assistant","ls"]
["tool","ls"]
["assistant","thr\n\n[interrupted]"]
["user","now"]'
}

@test "the module agent makes valid events of the texts that --arg sets" {
	jq -nc -L "$AGENT_SHARE/jq" --arg n 7 --arg yes true --arg args '{"a":1.5}' 'import "agent" as a;
		a::llm_chunk(5), a::llm_chunk(null), a::tool_start(1; "ls"; $args), a::tool_end(1; "ls"; {a: [1]}; $yes),
		a::progress($n; $n; "0.5"), a::error($n; "auth"; $yes), a::agent_end({a: 1}; "strange"), a::agent_start(null)' >events
	run -0 --separate-stderr agent-filter --own-status --validate -c events
	assert_output 8
	assert_equal "$(jq -sc '[.[0].data.text, .[1].data.text, .[2].data.args, .[3].data.result, .[3].data.is_error, .[4].data.total_cost_usd,
		.[5].data.fatal, .[6].data.output]' events)" '["5","",{"a":1.5},"{\"a\":[1]}",true,0.5,true,"{\"a\":1}"]'
	for args in '"x"' '"[1]"' 5 null; do
		run -5 made "a::tool_start(\"c\"; \"ls\"; $args)"
		assert_output --partial 'args must be an object, not '
	done
}

@test "--renumber: each run has its seq, what is there stays, a run follows an agent_end" {
	cat >lines <<-'END'
		{"event_type":"agent_start","run_id":"a","seq":7,"timestamp":"2026-01-02T03:04:05Z","more":[1.10],"data":{"x":1.10}}
		{"event_type":"llm_chunk"}
		{"data":{"text":"b"},"event_type":"llm_chunk","run_id":"a"}
		{"event_type":"agent_end","data":{"success":true}}
		{"event_type":"llm_chunk","run_id":"","data":{}}
		{"event_type":"agent_end","run_id":"a","data":{"success":true}}
		{"event_type":"llm_chunk","data":[]}
		{"data":{}}
	END
	run -1 --separate-stderr agent-filter --renumber lines
	assert_equal "$stderr" "agent-filter: lines:7: --renumber: the value is not an event with event_type and data; it is skipped
agent-filter: lines:8: --renumber: the value is not an event with event_type and data; it is skipped"
	assert_line --index 0 '{"event_type":"agent_start","timestamp":"2026-01-02T03:04:05.000000Z","run_id":"a","seq":0,"more":[1.10],"data":{"x":1.10}}'
	assert_equal "$(jq -sc 'map(.run_id) as $ids | map([.seq, (.run_id as $id | $ids | index($id))])' <<<"$output")" \
		'[[0,0],[0,1],[1,0],[1,1],[0,4],[2,0]]'
	# An agent_start without a run_id begins a run, whatever became of the last one.
	printf '{"event_type":"%s"}\n' llm_chunk agent_start llm_chunk agent_start agent_end >starts
	run agent-filter --renumber starts
	assert_equal "$(jq -sc 'map(.run_id) as $ids | map([.seq, (.run_id as $id | $ids | index($id))])' <<<"$(grep ^{ <<<"$output")")" \
		'[[0,0],[0,1],[1,1],[0,3],[1,3]]'
	run -0 bash -c 'head -n 6 lines | agent-filter --renumber -T llm_chunk | agent-filter --strict -c'
	run -0 agent-filter -t raw -m '{event_type: "llm_chunk", data: {text: .data.provider}}' --renumber log
	assert_equal "$(jq -c '[.seq, .data]' <<<"$output")" '[0,{"text":"p"}]'
}

@test "--redact drops what users, models and tools wrote, and keeps the structure" {
	cat >lines <<-'END'
		{"event_type":"agent_start","run_id":"r","seq":0,"data":{"id":"line 1","agent_name":"a","model":"m","prompt":"SECRET","system":"SECRET","tools":["t"],"schema_version":1,"attachments":[{"type":"image","media_type":"image/png","data":"SECRET","name":"SECRET"},{"type":"text","text":"SECRET"}]}}
		{"event_type":"llm_retry","run_id":"r","seq":1,"data":{"attempt":2,"wait_seconds":0.50,"reason":"SECRET","discard":true}}
		{"event_type":"llm_chunk","run_id":"r","seq":2,"data":{"te\u0078t":"SECRET","text":"SECRET"}}
		{"event_type":"thinking_chunk","run_id":"r","seq":3,"data":{"text":""}}
		{"event_type":"tool_call_chunk","run_id":"r","seq":4,"data":{"tool_call_id":"c","tool_name":"t","args_delta":"SECRET"}}
		{"event_type":"tool_approval","run_id":"r","seq":5,"data":{"tool_call_id":"c","tool_name":"t","args":{"SECRET":["SECRET"]},"decision":"denied","by":"user","reason":"SECRET"}}
		{"event_type":"output_chunk","run_id":"r","seq":6,"data":{"output":[1,"SECRET"]}}
		{"event_type":"output_chunk","run_id":"r","seq":7,"data":{"output":4711}}
		{"event_type":"llm_end","run_id":"r","seq":8,"data":{"iteration":1,"model":"m","finish_reason":"stop","is_final":true,"duration_seconds":1.50,"usage":{"input_tokens":1,"output_tokens":2,"cached_input_tokens":null,"cache_write_tokens":null,"reasoning_tokens":null,"requests":1},"message":{"role":"assistant","provider":"p","content":[{"type":"text","text":"SECRET","provider_data":{"a":"SECRET"}},{"type":"tool_call","tool_call_id":"c","tool_name":"t","args":{"a":"SECRET"},"invalid_args":"SECRET","executed_by":"provider","result":"SECRET","is_error":false}]}}}
		{"event_type":"tool_end","run_id":"r","seq":9,"data":{"tool_call_id":"c","tool_name":"t","result":"SECRET","result_json":{"a":"SECRET"},"is_error":true,"duration_seconds":2,"exit_status":3}}
		{"event_type":"raw","run_id":"r","seq":10,"data":{"provider":"p","event":"e","payload":{"a":"SECRET"}}}
		{"event_type":"error","run_id":"r","seq":11,"data":{"error":"SECRET","exception_type":"auth","fatal":false,"http_status":401,"request_id":"q"}}
		{"event_type":"later","run_id":"r","seq":12,"data":{"new":"SECRET","more":{"id":"SECRET"},"n":5,"list":["SECRET",{"id":"SECRET"}]},"host":"SECRET"}
		{"event_type":"agent_end","run_id":"r","seq":13,"data":{"agent_name":"a","success":true,"status":"success","exit_status":0,"output":"SECRET","output_json":{"a":"SECRET"},"finish_reason":"stop","total_iterations":1,"total_tokens":3,"usage":{"input_tokens":1,"output_tokens":2,"cached_input_tokens":null,"cache_write_tokens":null,"reasoning_tokens":null,"requests":1},"total_cost_usd":null,"tool_calls":1,"duration_seconds":2.5}}
	END
	run -0 agent-filter --redact lines
	refute_output --partial SECRET
	refute_output --partial 4711
	echo "$output" >redacted
	assert_line --index 0 '{"event_type":"agent_start","run_id":"r","seq":0,"data":{"id":"line 1","agent_name":"a","model":"m","prompt":"[redacted]","system":"[redacted]","tools":["t"],"schema_version":1,"attachments":[{"type":"image","media_type":"image/png","data":"[redacted]","name":"[redacted]"},{"type":"text","text":"[redacted]"}]}}'
	assert_line --index 5 '{"event_type":"tool_approval","run_id":"r","seq":5,"data":{"tool_call_id":"c","tool_name":"t","args":{},"decision":"denied","by":"user","reason":"[redacted]"}}'
	assert_line --index 9 '{"event_type":"tool_end","run_id":"r","seq":9,"data":{"tool_call_id":"c","tool_name":"t","result":"[redacted]","result_json":{},"is_error":true,"duration_seconds":2,"exit_status":3}}'
	assert_line --index 12 '{"event_type":"later","run_id":"r","seq":12,"data":{"new":"[redacted]","more":{},"n":5,"list":["[redacted]",{}]},"host":"[redacted]"}'
	run -0 agent-filter --validate -c redacted
	assert_output 14
	assert_equal "$(agent-collect -o otlp redacted | md5sum)" "$(agent-collect -o otlp lines | sed 's/SECRET/[redacted]/g' | md5sum)"
	# An expression of -s sees the event, one of -m what is written.
	run -0 agent-filter --redact -s '.data.prompt == "SECRET"' -m .data.prompt lines
	assert_output '"[redacted]"'
	run -0 bash -c 'agent-filter --redact --ends -t nothing -m . lines | grep -c SECRET || true'
	assert_output 0
}

@test "--redact: names stay only if they are words, and messages do not quote errors" {
	for name in openai:gpt-5.1 qwen/qwen3-32b @cf/meta/llama mcp__files__read web_search image/svg+xml; do
		run -0 agent-filter --redact <<<'{"event_type":"tool_chunk","data":{"model":"'"$name"'","tools":["'"$name"'"]}}'
		assert_output '{"event_type":"tool_chunk","data":{"model":"'"$name"'","tools":["'"$name"'"]}}'
	done
	for name in './secret.sh' '/srv/secret' 'cat secret' 'a\\nb' 'geheim-é' '$(id)' "$(printf 'x%.0s' {1..129})"; do
		run -0 agent-filter --redact <<<'{"event_type":"tool_chunk","data":{"tool_name":"'"$name"'","tools":["a","'"$name"'"],"agent_name":"'"$name"'","tool_call_id":"'"$name"'"}}'
		assert_output '{"event_type":"tool_chunk","data":{"tool_name":"[redacted]","tools":["a","[redacted]"],"agent_name":"'"$name"'","tool_call_id":"'"$name"'"}}'
	done
	run -0 agent-filter --redact <<<'{"event_type":"agent_end","data":{"success":true,"exit_status":0,"output":"SECRET","output_truncated":true,"output_in":"llm_chunk"}}'
	assert_output '{"event_type":"agent_end","data":{"success":true,"exit_status":0,"output":"[redacted]","output_truncated":true,"output_in":"llm_chunk"}}'
	agent-run -m 'exec:echo SECRET >&2; exit 1' --retries 0 SECRET >failed 2>/dev/null || true
	run -1 bash -c 'agent-filter --redact failed 2>&1 >out'
	assert_output "agent-filter: the run ended with status 'error'"
	assert_equal "$(grep -c SECRET out)" 0
}

@test "--sse frames events and values for a browser" {
	run agent-filter -t agent_end --sse log
	assert_output "event: agent_end
id: bb22:9
data: $(tail -1 log)"
	run agent-filter -t agent_end -m .data.output --sse log
	assert_output 'data: "xy"'
}

@test "--sse names an error run_error, because browsers report a lost connection as error" {
	for program in agent-filter agent-text; do
		run -0 --separate-stderr $program --sse <<<'{"event_type":"error","seq":3,"data":{"error":"slow","exception_type":"network","fatal":false}}'
		assert_output 'event: run_error
id: 3
data: {"event_type":"error","seq":3,"data":{"error":"slow","exception_type":"network","fatal":false}}'
	done
}

@test "--keep-alive writes comments while nothing comes, and needs --sse" {
	for program in agent-filter agent-text; do
		run -0 bash -c "{ sed -n 10p log; sleep 1; sed -n 2p log; } | $program --sse --keep-alive 0.1"
		assert_line --index 0 "event: agent_end"
		assert_line --index 3 ": keep-alive"
		[ "$(grep -cx ': keep-alive' <<<"$output")" -ge 3 ]
		[ "$(grep -cx ': keep-alive' <<<"$output")" -le 10 ]
		assert_line "event: llm_chunk"
		run -0 bash -c "{ sleep 0.3; cat log; } | $program --sse --keep-alive 100ms"
		assert_line --index 0 ": keep-alive"
		run -0 $program --sse --keep-alive 15 log
		refute_line ": keep-alive"
		run -2 $program --keep-alive 15 log
		assert_output "$program: --keep-alive writes comments of --sse; add --sse"
	done
}

@test "-c counts, -e tells whether anything was printed" {
	run agent-filter -c -t 'llm_*' log
	assert_output 3
	run agent-filter -e -t llm_end log
	assert_success
	run agent-filter -e -t nothing log
	assert_failure 1
	assert_output ""
}

# ---- the exit status ----

# run_of ID STATUS [MORE]: the events of a run with this exit status; MORE is added to agent_start.
run_of() {
	local success=false
	[ "$2" -ne 0 ] || success=true
	printf '{"event_type":"agent_start","run_id":"%s","seq":0,"data":{"agent_name":"a"%s}}\n' "$1" "${3:-}"
	printf '{"event_type":"llm_chunk","run_id":"%s","seq":1,"data":{"text":"of %s"}}\n' "$1" "$1"
	[ "$2" -ne 1 ] || printf '{"event_type":"error","run_id":"%s","seq":2,"data":{"error":"bad key","exception_type":"auth","fatal":true}}\n' "$1"
	printf '{"event_type":"agent_end","run_id":"%s","seq":3,"data":{"success":%s,"status":"s%s","exit_status":%s,"output":"of %s"}}\n' \
		"$1" $success "$2" "$2" "$1"
}

@test "the status is that of the selected runs" {
	{ run_of good 0; run_of bad 3; run_of worse 6; } >runs
	for options in "" "-t agent_end" "-m .data.text" "-c" "--to ai-sdk" "--sse" "-t nothing"; do
		# shellcheck disable=SC2086 # the options are several words
		run agent-filter $options runs
		assert_failure 6
	done
	run agent-filter -r good runs
	assert_success
	run agent-filter -r good,bad runs
	assert_failure 3
	run --separate-stderr agent-filter --own-status runs
	assert_success
	{ run_of old 1; run_of new 0 ',"resumed_from":"old"'; } >runs
	run agent-filter runs
	assert_success
	{ run_of outer 0 | head -n 2; run_of inner 1 ',"parent_run_id":"outer"'; run_of outer 0 | tail -n 1; } >runs
	run agent-filter runs
	assert_success
	run agent-filter -r inner runs
	assert_failure 1
	run agent-filter -r inner -T agent_end runs
	assert_failure 1
	# The agent_end of a nested run names its parent, so that it does not count without its agent_start either.
	cat >inner.json <<-'END'
		{"name": "Inner", "instructions": "x", "tools": [{"name": "t", "description": "t", "command": ["true"]}], "limits": {"max_iterations": 1}}
	END
	cat >outer.json <<-'END'
		{"name": "Outer", "instructions": "x", "tools": [{"name": "ask", "description": "a", "agent": "inner.json"}]}
	END
	agent-run -m test -A outer.json --no-stdin hello >runs
	assert_equal "$(jq -sc 'map(select(.event_type == "agent_end") | .data | [.success, has("parent_run_id")])' runs)" '[[false,true],[true,false]]'
	run -0 bash -c 'agent-filter -t agent_end runs | agent-filter -c'
	assert_output 2
	run -0 bash -c 'agent-filter -t agent_end runs | agent-collect >/dev/null'
	run_of a 0 >repeated
	run agent-filter repeated repeated
	assert_success
}

@test "why a run failed is reported unless its agent_end is passed on" {
	{ run_of bad 1; run_of limit 3; } >runs
	for options in "-t llm_chunk" "-T agent_end" "-m .data.output" "-t agent_end -m .seq" "-c" "--sse" "--to ag-ui"; do
		# shellcheck disable=SC2086 # the options are several words
		run --separate-stderr agent-filter $options runs
		assert_failure 3
		assert_equal "$stderr" "agent-filter: bad key
agent-filter: run limit ended with status 's3'"
	done
	for options in "" "-t agent_end" "--ends -t tool_end" "-m ." "-m .data.more=1"; do
		# shellcheck disable=SC2086
		run --separate-stderr agent-filter $options runs
		assert_failure 3
		assert_equal "$stderr" ""
	done
	run -3 bash -c 'agent-filter runs >copy' # no reader will report it
	assert_line "agent-filter: bad key"
	run_of bad 1 | head -n 3 >runs
	run --separate-stderr agent-filter runs
	assert_failure 4
	assert_equal "$stderr" "agent-filter: bad key
agent-filter: the stream ends without agent_end of run bad; it was cut off"
}

@test "with -e the runs do not matter: 0 something was written, 1 nothing, 2 an error" {
	run_of bad 3 >runs
	run -0 --separate-stderr agent-filter -e -t llm_chunk runs
	assert_equal "$stderr" ""
	run -1 --separate-stderr agent-filter -e -t tool_end runs
	assert_equal "$stderr" ""
	run -1 agent-filter -e -t tool_end -c runs
	assert_output 0
	run -1 agent-filter -e --ends -t tool_end runs
	run -0 agent-filter -e --ends -t agent_end runs
	run -0 --separate-stderr bash -c 'head -n 2 runs | agent-filter -e'
	assert_equal "$stderr" ""
	run -1 agent-filter -e /dev/null
	assert_output ""
	echo torn >>runs
	run -2 agent-filter -e runs
	run -2 agent-filter -e -m '.data.text + 1' runs
	run -2 agent-filter -e nowhere
	run -2 agent-filter -e -s
	run -7 agent-filter -e -s '"" | halt_error(7)' runs
}

@test "--ends passes the ends of every selected run, also beside -m and -N" {
	{ run_of good 0; run_of bad 3; } >runs
	run -3 agent-filter --ends -t llm_chunk -m .data.text runs
	assert_output "$(run_of good 0 | head -n 1)
\"of good\"
$(run_of good 0 | tail -n 1)
$(run_of bad 3 | head -n 1)
\"of bad\"
$(run_of bad 3 | tail -n 1)"
	run -0 agent-filter --ends -r good -N none -T 'agent_*' -s false runs
	assert_output "$(run_of good 0 | sed -n '1p;3p')"
	run -3 agent-filter --ends -c -t llm_chunk runs
	assert_output --partial 6
	run -3 bash -c 'agent-filter --ends -i -d 0.1 runs | agent-filter --ends -t nothing | agent-text'
	assert_output --partial "run bad ended with status 's3'"
}

@test "a filter before a reader: what was selected is read, and no writer was killed" {
	run_of good 0 >runs
	run -0 --separate-stderr bash -c 'agent-filter -s .data.text runs | agent-text'
	assert_output "of good"
	assert_equal "$stderr" ""
	for reader in "agent-filter -c" agent-tools "agent-collect -o text" "agent-text -F" "agent-text -D"; do
		run -0 --separate-stderr bash -c "agent-filter -t llm_chunk runs | $reader"
		assert_equal "$stderr" ""
		run -4 --separate-stderr bash -c "agent-filter -T agent_end runs | $reader"
		run -0 --separate-stderr bash -c "agent-filter -T agent_end runs | $reader --own-status"
		assert_equal "$stderr" "${reader%% *}: the stream ends without agent_end of run good; it was cut off"
		# shellcheck disable=SC2086 # the reader and its option
		run -4 $reader /dev/null
		# shellcheck disable=SC2086
		run -4 $reader --own-status /dev/null
	done
}

@test "a malformed line is reported and skipped, and the status is 1; --strict stops there" {
	{ sed -n 1p log; echo '{"event_type":"agent_start",'; echo '[]'; sed -n 10p log; } >bad
	run --separate-stderr agent-filter bad
	assert_failure 1
	assert_output "$(sed -n '1p;10p' log)"
	assert_equal "$stderr" 'agent-filter: bad:2: byte 29: unexpected end of text; the line is skipped
agent-filter: bad:3: byte 1: not a JSON object; the line is skipped'
	run --separate-stderr agent-filter --strict bad
	assert_failure 1
	assert_output "$(sed -n 1p log)"
}

@test "only the envelope of a dropped line is checked" {
	printf '{"event_type":"raw","data":{nonsense}}\n' >>log
	run --separate-stderr agent-filter -t agent_end log
	assert_success
	assert_equal "$stderr" ""
}

@test "a NUL byte, a torn last line and a line over 16 MiB do no harm" {
	{ printf '{"event_type":"x","data":"a\0b"}\n'; sed -n 1p log; printf '{"event_type":"x","da'; } >bad
	run --separate-stderr agent-filter bad
	assert_failure 1
	assert_output "$(sed -n 1p log)"
	assert_equal "$(wc -l <<<"$stderr")" 2
	{ printf '{"event_type":"x","data":"'; head -c 17000000 /dev/zero | tr '\0' x; echo '"}'; sed -n 1p log; } >bad
	run --separate-stderr agent-filter bad
	assert_failure 1
	assert_output "$(sed -n 1p log)"
	assert_equal "$stderr" "agent-filter: bad:1: the line is longer than 16 MiB; it is skipped"
	{ printf '{"event_type":"x","data":"'; head -c 16000000 /dev/zero | tr '\0' x; echo '"}'; } >good
	agent-filter -t x good >out
	cmp good out
}

@test "the public JSON cases are accepted and refused inside an event" {
	# shellcheck disable=SC2016
	jq -r 'select(.expect != "either") | [.expect, .name, .input] | @tsv' "$BATS_TEST_DIRNAME/data/json/cases.jsonl" >cases
	while IFS=$'\t' read -r expect name input; do
		{ printf '{"event_type":"x","data":'; base64 -d <<<"$input"; printf '}\n'; } >line
		# A case with line breaks is no line; one that is not a value alone may be one inside.
		[ "$(wc -l <line)" -eq 1 ] || continue
		case $name in n_object_trailing_comment* | n_structure_object_with_trailing*) ;; esac
		status=0
		agent-filter -t x --strict line >out 2>/dev/null || status=$?
		if [ "$expect" = accept ]; then
			[ "$status" -eq 0 ] && cmp -s line out || echo "$name: refused"
		else
			[ "$status" -eq 1 ] && [ ! -s out ] || echo "$name: accepted"
		fi
	done <cases >wrong
	run cat wrong
	assert_output ""
}

@test "each line is written before more input is awaited" {
	mkfifo in
	agent-filter -t llm_chunk in >out &
	exec 7>in
	cat log >&7
	until [ "$(wc -l <out)" = 2 ]; do sleep 0.01; done
	exec 7>&-
	wait $!
}

@test "-f waits until every run in the file has ended" {
	sed -n 1p log >grow
	agent-filter -f -t agent_end grow >out &
	sed -n 2p log >>grow
	sed -n 10p log | sed s/bb22/aa11/ >>grow
	wait $!
	assert_equal "$(jq .seq out)" 9
}

@test "-f continues if another run starts after one that has ended" {
	{ sed -n 1p log; sed -n 10p log | sed s/bb22/aa11/; } >grow
	sed -n 1p log | sed s/aa11/cc33/ >>grow
	agent-filter -f -m '.run_id' grow >out &
	until [ "$(wc -l <out)" -eq 3 ]; do sleep 0.01; done
	sed -n 10p log | sed s/bb22/cc33/ >>grow
	wait $!
	assert_equal "$(cat out)" $'"aa11"\n"aa11"\n"cc33"\n"cc33"'
}

@test "-f loses nothing of a file that is replaced" {
	head -1 log >grow
	agent-filter -f grow >out &
	until [ -s out ]; do sleep 0.01; done
	mv grow old
	sed -n 2p log >>old
	sed -n 10p log | sed s/bb22/aa11/ >grow
	wait $!
	assert_equal "$(jq -s -c 'map(.seq)' out)" "[0,1,9]"
}

# has_read PID FILE BYTES: whether the process has read so much of the file.
has_read() {
	local fd
	for fd in "/proc/$1/fd/"*; do
		if [ "$fd" -ef "$2" ]; then
			grep -qsx "pos:[[:space:]]$3" "/proc/$1/fdinfo/${fd##*/}" && return
		fi
	done
	return 1
}

@test "-f reports a line that was cut off when the file was truncated" {
	{ head -1 log; sed -n 2p log | head -c 30; } >grow
	agent-filter -f grow >out 2>err &
	until has_read $! grow "$(wc -c <grow)"; do sleep 0.01; done
	: >grow
	until has_read $! grow 0; do sleep 0.01; done
	sed -n 10p log | sed s/bb22/aa11/ >>grow
	wait $! || status=$?
	assert_equal "$status" 1
	assert_equal "$(jq -s -c 'map(.seq)' out)" "[0,9]"
	assert_equal "$(cat err)" "agent-filter: grow:2: the line is cut off: the file was truncated; it is skipped"
}

@test "-f does not report missing or repeated events" {
	{ sed -n 1p log; sed -n 1p log; sed -n 9p log; sed -n 10p log | sed s/bb22/aa11/; sed -n 10p log; sed -n 10p log; } >some
	run --separate-stderr agent-filter -f some
	assert_success
	assert_output "$(cat some)"
	assert_equal "$stderr" ""
}

@test "control sequences are made visible on a terminal; --raw-control sends them" {
	printf '{"event_type":"x","data":{"a":"\302\233 \342\200\256 \177 é"}}\n' >log
	run script -qec 'agent-filter log' /dev/null </dev/null
	assert_output $'{"event_type":"x","data":{"a":"\\u009b \\u202e \\u007f é"}}\r'
	run script -qec "printf '{\"event_type\":\"x\",\r\"data\":{}}\\n' | agent-filter" /dev/null </dev/null
	assert_output $'{"event_type":"x", "data":{}}\r'
	run script -qec 'agent-filter --raw-control log' /dev/null </dev/null
	assert_output "$(cat log)"$'\r'
	run agent-filter log
	assert_output "$(cat log)"
}

@test "a closed pipe ends it quietly" {
	for _ in $(seq 12); do cat log log log log log log log log >>big; cat big >>big2; done
	run --separate-stderr bash -c 'agent-filter big2 | head -1'
	assert_output "$(head -1 log)"
	assert_equal "$stderr" ""
}

@test "a closed standard input is reported as closed" {
	run sh -c 'exec agent-filter <&-'
	assert_failure 2
	assert_output "agent-filter: standard input: Bad file descriptor"
}

@test "--help, --version and unknown options" {
	run agent-filter -h
	assert_success
	assert_line --index 0 "usage: agent-filter [options] [FILE ...]"
	run agent-filter --version
	assert_output --regexp '^agent-filter [0-9]+\.[0-9]+\.[0-9]+$'
	run agent-filter --nonsense
	assert_failure 2
	assert_output --partial "try 'agent-filter --help'"
}
