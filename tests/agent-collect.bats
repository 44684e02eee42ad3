#!/usr/bin/env bats
# agent-collect: the result of each run.

load helper

setup() {
	DATA=$PWD/tests/data/collect
	cd "$BATS_TEST_TMPDIR" || return
}

# finished STATUS EXIT [RUN]: a run that ended so.
finished() {
	event agent_start '{"agent_name":"a","model":"m","prompt":"p","tools":[],"schema_version":1}' "${3-}"
	event agent_end "{\"success\":$([ "$2" = 0 ] && echo true || echo false),\"status\":\"$1\",\"exit_status\":$2,\"output\":\"x\"}" "${3-}"
}

# on_terminal COMMAND: its output on a terminal, with its exit status.
on_terminal() {
	script -qec "$1" /dev/null </dev/null
}

# ---- formats ----

@test "json: a run in one object, JSON from the model byte for byte" {
	run agent-collect "$DATA/run.jsonl"
	assert_success
	assert_output "$(cat "$DATA/run.json")"
	assert_output --partial '"args":{"id": 1234567890123456789,"x":1.10}'
}

@test "text: the final output" {
	run agent-collect -o text "$DATA/run.jsonl"
	assert_success
	assert_output 'The file has two lines.'
}

@test "markdown: a report for a job's summary" {
	run agent-collect --output=markdown "$DATA/run.jsonl"
	assert_success
	assert_output "$(cat "$DATA/run.md")"
}

@test "markdown: long texts are cut and marked" {
	{
		for i in $(seq 201); do
			event tool_start "{\"tool_call_id\":\"$i\",\"tool_name\":\"t\"}"
			event tool_end "{\"tool_call_id\":\"$i\",\"tool_name\":\"t\",\"result\":\"$(printf '%03000d' 0)\"}"
		done
		event agent_end "{\"success\":true,\"output\":\"$(printf '%0262145d' 0)\"}"
	} >log
	run bash -c "agent-collect -o markdown log | grep '^\*'"
	assert_line --index 0 '*1 more bytes are left out.*'
	assert_line --index 1 '*952 more bytes are left out.*'
	assert_line --index 201 '*1 more calls are left out.*'
}

@test "messages: the conversation, tool results in the order of the calls" {
	run agent-collect -o messages "$DATA/run.jsonl"
	assert_success
	assert_output "$(cat "$DATA/run.messages.json")"
	run jq -r '.[3].content[] | .tool_call_id + " " + .result' "$DATA/run.messages.json"
	assert_output $'call_1 first line\nsecond line\n\ncall_2 grep: no pattern'
}

@test "messages: a call without a result was interrupted, nested runs are left out" {
	head -10 "$DATA/run.jsonl" >cut.jsonl
	run --separate-stderr agent-collect -o messages cut.jsonl
	assert_failure 4
	assert_equal "$(jq -c '.[-1].content[0]' <<<"$output")" \
		'{"type":"tool_result","tool_call_id":"call_1","tool_name":"read_file","result":"The call was interrupted before it had a result.","is_error":true}'
	run --separate-stderr agent-collect -o messages "$DATA/nested.jsonl"
	assert_equal "${#lines[@]}" 1
	assert_equal "$(jq -r '.[0].content[0].text' <<<"$output")" 'Ask the helper'
}

@test "messages: events written by hand need no llm_end" {
	{ event agent_start '{"prompt":"Hi"}'; event llm_chunk '{"text":"Ho"}'; event agent_end '{"success":true}'; } >log
	run agent-collect -o messages log
	assert_output '[{"role":"user","content":[{"type":"text","text":"Hi"}]},{"role":"assistant","content":[{"type":"text","text":"Ho"}]}]'
}

@test "messages: the response of a run that was killed or cancelled is left out" {
	{ event agent_start '{"prompt":"Hi"}'; event llm_chunk '{"text":"Ho"}'; } >log
	run --separate-stderr agent-collect -o messages log
	assert_output '[{"role":"user","content":[{"type":"text","text":"Hi"}]}]'
	event agent_end '{"success":false,"output":"Ho"}' >>log
	run --separate-stderr agent-collect -o messages log
	assert_output '[{"role":"user","content":[{"type":"text","text":"Hi"}]}]'
}

@test "messages: attachments are included, and a hosted call contains its result" {
	run agent-collect -o messages "$DATA/hosted.jsonl"
	assert_success
	assert_equal "$(jq -c '.[0]' <<<"$output")" '{"role":"user","content":[{"type":"image","media_type":"image/png","name":"a</script>.png","data":"iVBORw0KGgo="},{"type":"text","text":"notes"},{"type":"text","text":"p"}]}'
	assert_equal "$(jq -c '.[1]' <<<"$output")" "$(jq -c 'select(.seq == 9) | .data.message' "$DATA/hosted.jsonl")"
	assert_equal "$(jq -c '.[2:] | map(.role)' <<<"$output")" '["tool","assistant"]'
	assert_equal "$(jq -c '.[2].content' <<<"$output")" '[{"type":"tool_result","tool_call_id":"h1","tool_name":"transfer_to_writer","result":"Transferred.","is_error":false}]'
}

@test "the answer is known without chunks in the stream" {
	agent-filter -i "$DATA/hosted.jsonl" | agent-filter -T agent_end >log
	run --separate-stderr agent-collect log
	assert_failure 4
	assert_equal "$(jq -c '[.agent_name, .model, .output]' <<<"$output")" '["writer","m2","{\"a\":1,\"b\":1.10}"]'
	agent-filter -T 'agent_end,*_chunk,llm_start' "$DATA/hosted.jsonl" >log
	run --separate-stderr agent-collect log
	assert_equal "$(jq -r .output <<<"$output")" '{"a":1,"b":1.10}'
}

@test "csv: a header line, CRLF, quotes where they are needed" {
	agent-collect -o csv "$DATA/run.jsonl" >out.csv
	assert cmp out.csv "$DATA/run.csv"
	event agent_end '{"success":true,"output":"a,\"b\"\nc"}' >log
	run bash -c 'agent-collect -o csv log | tail -n +2 | od -c -An | tr -s " \n" " "'
	assert_output ' , , , , , t r u e , s u c c e s s , , 0 , 0 , 0 , 0 , , , , , , 0 , , , , , , " a , " " b " " \n c " \r \n '
}

@test "csv: no field is a formula, and numbers stay numbers" {
	while IFS= read -r output && IFS= read -r field; do
		event agent_end "{\"success\":true,\"output\":$output}" >log
		assert_equal "$(agent-collect -o csv log | sed '1d; s/^,.*,0,,,,,,//; s/\r$//' | od -c -An | tr -d ' \n')" \
			"$(printf -- "$field\n" | od -c -An | tr -d ' \n')"
	done <<-'EOF'
		"=1+1"
		'=1+1
		"=HYPERLINK(\"http://x\",\"a\")"
		"'=HYPERLINK(""http://x"",""a"")"
		"+49"
		'+49
		"- one, - two"
		"'- one, - two"
		"@SUM(A1)"
		'@SUM(A1)
		"\t=1"
		'\t=1
		"\u200b=1"
		\xe2\x80\x8b=1
		"＝1"
		'＝1
		"-1.5"
		-1.5
		"-1e400"
		-1e400
		"-1-1"
		'-1-1
		"1=1"
		1=1
		"'"
		'
	EOF
	# Every text of a row, not only the answer.
	event agent_start '{"agent_name":"=a","model":"@m","provider":"p"}' >log
	run --separate-stderr agent-collect -o csv log
	assert_regex "${lines[1]}" "'=a,"
	assert_regex "${lines[1]}" "@m,"
}

@test "events: the result with every event as it was" {
	agent-collect -o events "$DATA/run.jsonl" >out.json
	run jq -c 'del(.events)' out.json
	assert_output "$(jq -c . "$DATA/run.json")"
	run bash -c "sed 's/.*\"events\":\[//; s/\]}\$//' out.json"
	assert_output "$(paste -sd, "$DATA/run.jsonl")"
}

@test "an unknown format is a usage error that names the formats" {
	run agent-collect -o yaml "$DATA/run.jsonl"
	assert_failure 2
	assert_output "agent-collect: --output: there is no format 'yaml'; the formats are json, text, markdown, html, messages, csv, events and otlp"
}

# ---- OpenTelemetry ----

@test "otlp: spans of the run, its responses and its tool calls" {
	run agent-collect -o otlp "$DATA/run.jsonl"
	assert_success
	assert_output "$(cat "$DATA/run.otlp.json")"
	run jq -r '.resourceSpans[].scopeSpans[].spans[] | [.name, .kind, .status.code, .startTimeUnixNano, .endTimeUnixNano] | @tsv' "$DATA/run.otlp.json"
	assert_output "invoke_agent reviewer	1		1795214400000000000	1795214403010000000
chat gpt-4o	3		1795214400001000000	1795214400700000000
chat gpt-4o	3		1795214401720000000	1795214403000000000
execute_tool read_file	1		1795214400710000000	1795214401710000000
execute_tool grep	1	2	1795214400720000000	1795214400750000000"
}

@test "otlp: ids are hexadecimal and unique, counts are strings, every span has a parent but one" {
	agent-collect -o otlp "$DATA/run.jsonl" >out.json
	run jq -c '[.resourceSpans[].scopeSpans[].spans[]]
		| [all(.traceId | test("^[0-9a-f]{32}$")), all(.spanId | test("^[0-9a-f]{16}$")),
		   (map(.spanId) | unique | length) == length, (map(.traceId) | unique | length),
		   (map(select(has("parentSpanId") | not)) | length),
		   ([.[].attributes[].value | select(has("intValue")) | .intValue | type] | unique)]' out.json
	assert_output '[true,true,true,1,1,["string"]]'
}

@test "otlp: providers have the names of the semantic conventions, the user's file is read" {
	export XDG_CONFIG_HOME=$PWD
	mkdir agent
	echo '{"lab": {"like": "vertex"}}' >agent/providers.json
	for provider in openai-chat bedrock lab mine; do
		jq -c --arg provider $provider 'if .data.provider then .data.provider = $provider else . end' "$DATA/run.jsonl" |
			agent-collect -o otlp |
			jq -r '[.. | objects | select(.key == "gen_ai.provider.name").value.stringValue] | unique[]'
	done >names
	assert_equal "$(tr '\n' ' ' <names)" 'openai aws.bedrock gcp.vertex_ai mine '
	echo '{' >agent/providers.json
	run --separate-stderr agent-collect -o otlp "$DATA/run.jsonl"
	assert_success
	assert_output "$(cat "$DATA/run.otlp.json")"
	assert_regex "$stderr" "agent/providers.json:2: not JSON"
	run --separate-stderr agent-collect -o json "$DATA/run.jsonl"
	assert_success
	assert_equal "$stderr" ""
}

@test "otlp: trace_parent gives the trace, a nested run is a child of its parent's call" {
	run --separate-stderr agent-collect -o otlp "$DATA/nested.jsonl"
	assert_failure 4
	assert_output "$(cat "$DATA/nested.otlp.json")"
	run jq -r '[.resourceSpans[].scopeSpans[].spans[]] as $all | $all[]
		| .traceId as $t | .parentSpanId as $p | [.name, $t, ([$all[] | select(.spanId == $p) | .name][0] // $p)] | @tsv' "$DATA/nested.otlp.json"
	assert_line "invoke_agent boss	4bf92f3577b34da6a3ce929d0e0e4736	00f067aa0ba902b7"
	assert_line "invoke_agent helper	4bf92f3577b34da6a3ce929d0e0e4736	execute_tool helper"
	assert_line "chat gpt-4o-mini	4bf92f3577b34da6a3ce929d0e0e4736	invoke_agent helper"
}

@test "otlp: runs nested thousands deep are written, each under the run around it" {
	for i in {1..5000}; do
		echo '{"event_type":"agent_start","timestamp":"2026-07-01T12:00:00.000Z","run_id":"r'$i'","seq":0,"data":{"agent_name":"a'$i'","parent_run_id":"r'$((i - 1))'"}}'
	done >log
	run bash -c 'ulimit -s 512; agent-collect -o otlp log >spans.json'
	assert_failure 4 # the parent of the first is not here
	run jq -r '[.resourceSpans[].scopeSpans[].spans[]] as $all | $all[] | select(.name == "invoke_agent a5000")
		| .parentSpanId as $p | $all[] | select(.spanId == $p) | .name' spans.json
	assert_output "invoke_agent a4999"
}

@test "otlp: a resumed run has a link to the earlier run, lone surrogates are replaced" {
	event agent_start '{"agent_name":"a\ud800","resumed_from":"01939aaa-0000-7000-8000-000000000001"}' R >log
	event agent_end '{"success":true}' R >>log
	run bash -c 'agent-collect -o otlp log | jq -c ".resourceSpans[].scopeSpans[].spans[] | [.name, .links]"'
	assert_output '["invoke_agent a�",[{"traceId":"01939aaa000070008000000000000001","spanId":"d40f737ea64f3920"}]]'
	assert_equal "$(jq -r '.resourceSpans[0].scopeSpans[0].spans[0].spanId' "$DATA/run.otlp.json")" d40f737ea64f3920
}

@test "otlp: a hosted tool is an extension; times beyond 64 bits of nanoseconds are clamped" {
	run bash -c 'agent-collect -o otlp "$1" | jq -c ".resourceSpans[].scopeSpans[].spans[] | select(.name | startswith(\"execute_tool\")) | [.name, (.attributes[] | select(.key == \"gen_ai.tool.type\") | .value.stringValue)]"' - "$DATA/hosted.jsonl"
	assert_output '["execute_tool web_search","extension"]
["execute_tool transfer_to_writer","function"]'
	echo '{"event_type":"agent_end","timestamp":"9999-12-31T23:59:59.999999Z","run_id":"r","data":{"success":true}}' >log
	run bash -c 'agent-collect -o otlp log | jq -r ".resourceSpans[].scopeSpans[].spans[].endTimeUnixNano"'
	assert_output 18446744073709551000
}

# ---- the page ----

# hash_of TAG: print the hash that the policy of the page must contain for its inline TAG.
hash_of() {
	local digest
	digest=$(perl -0777 -ne "print \$1 if m{<$1>(.*?)</$1>}s" "$AGENT_SHARE/report.html" | sha256sum | cut -c1-64)
	# shellcheck disable=SC2059 # the digest is the format
	printf "$(sed 's/../\\x&/g' <<<"$digest")" | base64
}

@test "html: the policy names the page's own style and script, and allows nothing else" {
	run grep -o "content=\"default-src[^\"]*\"" "$AGENT_SHARE/report.html"
	assert_output "content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-$(hash_of style)'; script-src 'sha256-$(hash_of script)'\""
}

@test "html: one page that loads nothing and escapes all text" {
	agent-collect -o html "$DATA/run.jsonl" >page.html
	run grep -Ec 'https?://|@import|url\(|<link|<img|<iframe' page.html
	assert_output 0
	run grep -Ec 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function' page.html
	assert_output 0
	run grep -c 'class="run-data"' page.html
	assert_output 1
}

# page_data FILE: the data of the runs of a page, a run a line.
page_data() {
	perl -ne 'print "$1\n" if m{^<script type="application/json" class="run-data">(.*)</script>$}' "$1"
}

@test "total: a failed run and the one that resumes it are one" {
	ends() {
		event agent_end '{"success":'$1',"exit_status":'$2',"output":"","total_iterations":'$3',"tool_calls":'$3',"total_cost_usd":0.5,"usage":{"input_tokens":'$4',"output_tokens":1,"requests":'$3'}}' "$5"
	}
	{
		event agent_start '{"prompt":"p"}' A
		ends false 1 2 10 A
		event agent_start '{"prompt":"q"}' B
		ends false 1 1 7 B
		event agent_start '{"prompt":"p","resumed_from":"A"}' C
		ends false 3 3 20 C
		event agent_start '{"prompt":"p","resumed_from":"C"}' D
		ends true 0 4 30 D
	} >log
	run -1 agent-collect --total log
	assert_equal "$(jq -c 'select(.total) | [.runs, .succeeded, .failed, .usage.input_tokens, .usage.requests, .iterations, .tool_calls, .total_cost_usd]' <<<"${lines[-1]}")" '[2,1,1,37,5,5,5,1]'
}

@test "html: conversation, time line and cost are in the page's data" {
	agent-collect -o html "$DATA/run.jsonl" >page.html
	run bash -c "$(declare -f page_data); page_data page.html | jq -c '.items[] | [.order, .kind, .start, .end, .seconds, .name, .total_cost]'"
	assert_output '[2,"request",1795214400001000,1795214400700000,0.699,null,0.0006]
[17,"error",1795214402000000,null,null,null,null]
[18,"llm_retry",1795214402000000,null,null,null,null]
[15,"request",1795214401720000,1795214403000000,1.28,null,0.0012]
[11,"tool",1795214400710000,1795214401710000,1,"read_file",null]
[12,"tool",1795214400720000,1795214400750000,0.03,"grep",null]'
	run bash -c "$(declare -f page_data); page_data page.html | jq -r '.items[5].args'"
	assert_output '{"id": 1234567890123456789,"x":1.10}'
}

@test "html: no text of a hostile log can end the data or become markup" {
	agent-collect -o html "$DATA/hostile.jsonl" >page.html || true
	page_data page.html >data.json
	run grep -c '[<>&]' data.json
	assert_output 0
	run bash -c 'LC_ALL=C grep -cP "[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]" page.html'
	assert_output 0
	run grep -oF '"prompt":"\u003c/script\u003e\u003cscript\u003edocument.title=\"OWNED\"\u003c/script\u003e' data.json
	assert_success
	run bash -c 'perl -0777 -ne "print \$& if m{<noscript>.*?</noscript>}s" page.html | grep -o "<[^>]*>" | tr -d "\n"'
	assert_output '<noscript><section class="run plain"><h2></h2><p></p><pre></pre></section></noscript>'
}

@test "html: several runs and their total on one page" {
	cat "$DATA/run.jsonl" "$DATA/nested.jsonl" >log
	agent-collect --total -o html log >page.html || true
	run bash -c "$(declare -f page_data); page_data page.html | jq -r .agent_name"
	assert_output $'reviewer\nhelper\nboss'
	run bash -c "perl -ne 'print \$1 if m{id=\"total-data\">(.*)</script>}' page.html | jq -c '[.total, .runs]'"
	assert_output '[true,3]'
}

@test "html and otlp: a response whose llm_end is missing is incomplete, and is not part of the next one" {
	{
		event agent_start '{"prompt":"p"}' A
		event llm_start '{"iteration":1,"model":"m1"}' A
		event llm_start '{"iteration":1,"model":"m1"}' A
		event llm_start '{"iteration":2,"model":"m2"}' A
		event llm_end '{"iteration":2,"model":"m2"}' A
		event agent_end '{"success":true}' A
	} >log
	agent-collect -o html log >page.html
	run bash -c "$(declare -f page_data); page_data page.html | jq -c '.items[] | [.order, .iteration, .complete]'"
	assert_output '[2,1,false]
[4,2,true]'
	run bash -c 'agent-collect -o otlp log | jq -c ".resourceSpans[].scopeSpans[].spans[] | [.name, .status.code]"'
	assert_output '["invoke_agent",null]
["chat m1",2]
["chat m2",null]'
}

@test "html: attachments are shown by name" {
	agent-collect -o html "$DATA/hosted.jsonl" >page.html
	run bash -c "$(declare -f page_data); page_data page.html | jq -c .attachments"
	assert_output '[{"type":"image","name":"a</script>.png","media_type":"image/png","text":null},{"type":"text","name":null,"media_type":null,"text":"notes"}]'
	run grep -c 'iVBORw0KGgo' page.html
	assert_output 0
}

# shown FILE: the text of the page as a browser shows it.
shown() {
	XDG_CONFIG_HOME=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR chromium --headless --no-sandbox --disable-gpu --user-data-dir="$BATS_TEST_TMPDIR/profile" --virtual-time-budget=5000 \
		--dump-dom "file://$PWD/$1" 2>/dev/null | perl -0777 -pe 's{<(script|style|noscript).*?</\1>}{}gs; s/<[^>]*>/ /g; s/\s+/ /g'
}

@test "html: a browser shows the conversation, and runs nothing of a hostile log" {
	command -v chromium >/dev/null || skip "there is no chromium"
	agent-collect -o html "$DATA/hosted.jsonl" >page.html
	run shown page.html
	assert_output --partial 'user with a&lt;/script&gt;.png, image/png with text p web_search {"query":"x"} 700 ms assistant m'
	assert_output --partial 'handed over to writer m2 assistant m2'
	assert_output --partial 'structured output JSON { "a": 1, "b": 1.10 }'
	event agent_start '{"agent_name":"</script><script>document.title=1</script>","prompt":"<img src=x onerror=document.body.remove()>"}' r >log
	event agent_end '{"success":true,"output":"</noscript><!-- \u202e"}' r >>log
	event agent_start '{"agent_name":"a","prompt":"\nWhat is the capital of France?\nAnd of Spain?"}' r2 >>log
	agent-collect -o html log >page.html || true
	run shown page.html
	assert_output --partial ' a What is the capital of France? '
	assert_output --partial '&lt;/script&gt;&lt;script&gt;document.title=1&lt;/script&gt; success'
	assert_output --partial 'user &lt;img src=x onerror=document.body.remove()&gt;'
	assert_output --partial 'answer &lt;/noscript&gt;&lt;!-- \u{202e}'
}

@test "html: a log without runs gives a page" {
	run bash -c 'agent-collect -o html </dev/null 2>/dev/null | tail -1'
	assert_output '</html>'
}

# ---- text from untrusted sources ----

@test "markdown: hostile text cannot leave its code span or fence" {
	run agent-collect -o markdown "$DATA/hostile.jsonl"
	assert_failure 1
	assert_output "$(cat "$DATA/hostile.md")"
	# Outside fences and code spans no text of the log is left.
	run bash -c "perl -0777 -pe 's/^(\`{3,}).*?^\1\$//msg; s/(\`+)(?!\`).*?(?<!\`)\1(?!\`)//g' $DATA/hostile.md | grep -c 'OWNED\"<\|<img\|<b>'"
	assert_output 0
}

@test "on a terminal control characters are shown, in JSON as JSON escapes" {
	event agent_end '{"success":true,"output":"\u001b[2J\u009b \u202e"}' >log
	printf '{"event_type":"x","data":{"a":"\x7f\xc2\x9b\xe2\x80\xae"}}\n' >>raw
	cat raw log >both
	run on_terminal 'agent-collect -o text log'
	assert_output $'\\x1b[2J\\u{9b} \\u{202e}\r'
	run on_terminal 'agent-collect -o events both | cat'
	assert_output --partial $'"a":"\x7f\u009b\u202e"'
	run on_terminal 'agent-collect -o events both'
	assert_output --partial '"a":"\u007f\u009b\u202e"'
	run on_terminal 'agent-collect --raw-control -o text log'
	assert_output $'\e[2J\u009b \u202e\r'
}

@test "messages about a log are safe for a terminal" {
	event tool_end '{"tool_call_id":"\u001b[2J\u202e","result":""}' >log
	run --separate-stderr agent-collect log
	assert_equal "${stderr_lines[0]}" "agent-collect: log:1: tool call '\\x1b[2J\\u{202e}' ends without having started; it is left out"
}

# ---- runs that are not whole ----

@test "a run without agent_end is incomplete: the answer so far, exit 4" {
	head -21 "$DATA/run.jsonl" >log
	run --separate-stderr agent-collect log
	assert_failure 4
	assert_equal "$(jq -c '[.success, .status, .output, .iterations, .usage.input_tokens, .usage.requests, .total_cost_usd, .ended, .duration_seconds]' <<<"$output")" \
		'[false,"incomplete","The file has two lines.",2,120,3,0.0006,null,2.9]'
	assert_equal "$stderr" 'agent-collect: the stream ends without agent_end of run 01939aaa-0000-7000-8000-000000000001; it was cut off'
}

@test "chunks that llm_retry discards are not part of the answer so far" {
	head -18 "$DATA/run.jsonl" >log
	assert_equal "$(agent-collect log | jq -c .output)" null
	head -16 "$DATA/run.jsonl" >log
	assert_equal "$(agent-collect log | jq -c .output)" '"Half an ans"'
	{ event llm_chunk '{"text":"a"}'; event llm_retry '{"discard":false}'; event llm_chunk '{"text":"b"}'; } >log
	assert_equal "$(agent-collect log | jq -c .output)" '"ab"'
}

@test "events written by hand need no run_id, seq, timestamp or agent_start" {
	{ event llm_chunk '{"text":"a"}'; event tool_start '{"tool_name":"t"}'; event tool_end '{"tool_name":"t","result":"r"}'; event agent_end '{"success":true}'; } >log
	run agent-collect log
	assert_success
	assert_output '{"run_id":null,"agent_name":null,"model":null,"success":true,"status":"success","output":"a","output_json":null,"finish_reason":null,"usage":{"input_tokens":null,"output_tokens":null,"cached_input_tokens":null,"cache_write_tokens":null,"reasoning_tokens":null,"requests":0},"total_cost_usd":null,"iterations":0,"tool_calls":[{"tool_call_id":null,"tool_name":"t","args":null,"result":"r","is_error":false,"duration_seconds":null,"iteration":null}],"tool_errors":0,"errors":[],"event_counts":{"agent_end":1,"llm_chunk":1,"tool_start":1,"tool_end":1},"started":null,"ended":null,"duration_seconds":null,"time_to_first_chunk_seconds":null}'
}

@test "a call that did not end has no result" {
	{ event tool_start '{"tool_call_id":"c","tool_name":"t","args":{}}'; } >log
	run agent-collect log
	assert_success # without agent_start, its agent_end is not expected
	assert_equal "$(jq -c '.tool_calls' <<<"$output")" \
		'[{"tool_call_id":"c","tool_name":"t","args":{},"result":null,"is_error":null,"duration_seconds":null,"iteration":null}]'
}

@test "unknown types are counted by name, and together beyond 64 names" {
	for i in $(seq 70); do event "x_$i" '{}'; done >log
	event agent_end '{"success":true}' >>log
	run bash -c 'agent-collect log | jq -c ".event_counts | [.x_1, .x_64, .x_65, .[\"(other)\"], .agent_end]"'
	assert_output '[1,1,null,6,1]'
}

# ---- exit status ----

@test "the exit status is that of the run" {
	local how exit
	while read -r how exit; do
		finished "$how" "$exit" >log
		run agent-collect log
		assert_equal "$(jq -r .status <<<"$output") $status" "$how $exit"
	done <<<'success 0
error 1
limit 3
invalid_output 5
refused 6
timeout 124
cancelled 130
cancelled 143'
}

@test "with several runs the highest exit status applies; nested runs do not count" {
	{ finished success 0 A; finished limit 3 B; finished error 1 C; } >log
	run agent-collect -o text log
	assert_failure 3
	{
		event agent_start '{"prompt":"p"}' A
		event agent_start '{"prompt":"p","parent_run_id":"A"}' B
		event agent_end '{"success":false,"exit_status":6,"output":"no"}' B
		event agent_end '{"success":true,"exit_status":0,"output":"yes"}' A
	} >log
	run agent-collect log
	assert_success
	assert_equal "$(jq -c '[.run_id, .parent_run_id, .output]' <<<"$output")" $'["B","A","no"]\n["A",null,"yes"]'
}

@test "wrong use is exit 2, before anything is read" {
	run agent-collect --pass
	assert_failure 2
	assert_output 'agent-collect: --pass needs --result FILE, as standard output is for the events'
	run agent-collect --pass --result -
	assert_failure 2
	run agent-collect --total -o text
	assert_failure 2
	assert_output "agent-collect: --total is not possible in the format 'text'"
	run agent-collect none
	assert_failure 2
	assert_output 'agent-collect: none: No such file or directory'
	run agent-collect -r none/file log
	assert_failure 2
	assert_output 'agent-collect: none/file: No such file or directory'
}

@test "--run collects one run, and --pass copies only this one" {
	agent-run -m test -o text=one -l log --no-stdin a >/dev/null
	agent-run -m test -o text=two -l log --no-stdin b >/dev/null
	run -0 agent-collect --run last -o text log
	assert_output two
	id=$(head -n 1 log | jq -r .run_id)
	run -0 agent-collect --run "$id" -o text log
	assert_output one
	agent-collect -p -r result --run "$id" log >copy
	assert_equal "$(jq -r .run_id copy | uniq)" "$id"
	assert_equal "$(jq -r .output result)" one
	echo kept >result
	run -2 --separate-stderr agent-collect -r result --run nothing log
	assert_equal "$stderr" "agent-collect: no run nothing in log"
	assert_equal "$(cat result)" kept
}

@test "--result is refused if it is the input, by whatever name, and the input is untouched" {
	cp "$DATA/run.jsonl" log
	ln log hard
	ln -s log soft
	run -2 agent-collect --result log log
	assert_output 'agent-collect: log: the input and --result are the same file; write to another one'
	run -2 agent-collect -r hard "$DATA/run.jsonl" log
	run -2 agent-collect -r log soft
	run -2 agent-collect -r soft - <log
	assert_output 'agent-collect: standard input: the input and --result are the same file; write to another one'
	run -2 agent-collect -r /dev/stdin <log
	run -2 agent-collect -r "$PWD/log" <log
	run -2 bash -c 'agent-collect -p -r copy log >copy'
	assert_output 'agent-collect: copy: standard output and --result are the same file; use only one of them'
	cmp log "$DATA/run.jsonl"
	echo 'an older and longer result' >result
	run -0 agent-collect -o text -r result log
	assert_equal "$(cat result)" "$(agent-collect -o text log)"
	run -0 bash -c 'agent-collect -o text -r /dev/stdout log >result && agent-collect -r /dev/null log'
	run -2 agent-collect -r '' log
	assert_output "agent-collect: --result needs a value that is not empty"
}

@test "--result replaces its file when the results are complete, whatever the status of the runs" {
	cp "$DATA/run.jsonl" log
	echo old >result
	chmod 640 result
	AGENT_SHARE=/nonexistent run -2 agent-collect -o html -r result log
	run -2 agent-collect -r result log missing
	run -4 agent-collect -r result - </dev/null
	run -1 agent-collect -r result - <<<'not an event'
	run -1 agent-collect -r result - <<<'[{"event_type":"agent_start"}]'
	run -1 agent-collect --strict -r result - < <(echo garbage; cat log)
	assert_equal "$(cat result)" old
	run -3 agent-collect -r result - <<<'{"event_type":"agent_end","data":{"success":false,"exit_status":3}}'
	assert_equal "$(jq .success result) $(stat -c %a result)" 'false 640'
	run -1 agent-collect --check false -o text -r result log
	assert_equal "$(cat result)" "$(agent-collect -o text log)"
	head -n 3 log >part
	run -4 agent-collect -o json -r result part
	assert_equal "$(jq -r .status result)" incomplete
	run -1 agent-collect -o text -r result - < <(echo garbage; cat log)
	assert_equal "$(cat result)" "$(agent-collect -o text log)"
	assert_equal "$(ls -A)" "$(printf '%s\n' log part result)"
}

@test "--result follows a log, and writes pipes and devices directly" {
	cp "$DATA/run.jsonl" log
	echo old >result
	run -0 agent-collect -f -p -r result -o text log
	assert_equal "$output" "$(cat log)"
	assert_equal "$(cat result)" "$(agent-collect -o text log)"
	echo old >result
	run -124 timeout 1 agent-collect --follow=forever -r result -o text log
	assert_equal "$(cat result)" "$(agent-collect -o text log)"
	mkfifo pipe
	cat pipe >copy &
	run -0 agent-collect -r pipe -o text log
	wait $!
	assert_equal "$(cat copy)" "$(agent-collect -o text log)"
}

@test "a failed write names the file or standard output" {
	run -1 agent-collect -r /dev/full "$DATA/run.jsonl"
	assert_output 'agent-collect: /dev/full: No space left on device'
	run -1 bash -c 'agent-collect "$0" >/dev/full' "$DATA/run.jsonl"
	assert_output 'agent-collect: standard output: No space left on device'
	echo old >result
	run -1 bash -c 'agent-collect -p -r result "$0" >/dev/full' "$DATA/run.jsonl"
	assert_output 'agent-collect: standard output: No space left on device'
	run -1 bash -c 'ulimit -f 1; trap "" XFSZ; seq 200 | sed "s/.*/{\"event_type\":\"agent_end\",\"run_id\":\"&\",\"data\":{}}/" | agent-collect -r result'
	assert_output 'agent-collect: result: File too large'
	assert_equal "$(cat result)" old
}

@test "no reader writes to a file that it reads" {
	cp "$DATA/run.jsonl" log
	for reader in agent-filter agent-text agent-tools agent-collect; do
		run -2 bash -c "$reader log >>log"
		assert_output "$reader: log: the input and standard output are the same file; write to another one"
		run -2 bash -c "$reader -f <log 1<>log"
	done
	cmp log "$DATA/run.jsonl"
}

# ---- malformed input ----

@test "a malformed line is reported and skipped, and the exit status is 1" {
	{ sed -n 1,5p "$DATA/run.jsonl"; echo '{"event_type":"llm_chunk","data":{"text":"x"}'; echo '[1]'; sed -n '6,$p' "$DATA/run.jsonl"; } >log
	run --separate-stderr agent-collect log
	assert_failure 1
	assert_output "$(cat "$DATA/run.json")"
	assert_equal "$stderr" 'agent-collect: log:6: byte 46: unexpected end of text; the line is skipped
agent-collect: log:7: byte 1: not a JSON object; the line is skipped'
	run --separate-stderr agent-collect --strict log
	assert_failure 1
	assert_output ''
	assert_equal "$stderr" 'agent-collect: log:6: byte 46: unexpected end of text; the line is skipped'
}

@test "NUL bytes make a line malformed" {
	{ printf '{"event_type":"llm_chunk","data":{"text":"a\0b"}}\n'; cat "$DATA/run.jsonl"; } >log
	run --separate-stderr agent-collect log
	assert_failure 1
	assert_equal "$stderr" 'agent-collect: log:1: byte 44: control character in a string; the line is skipped'
}

@test "a torn last line is reported as torn" {
	{ head -12 "$DATA/run.jsonl"; sed -n 13p "$DATA/run.jsonl" | head -c 80; } >log
	run --separate-stderr agent-collect log
	assert_failure 4
	assert_equal "$stderr" 'agent-collect: log:13: byte 81: unexpected end of text; the last line is cut off, and skipped
agent-collect: the stream ends without agent_end of run 01939aaa-0000-7000-8000-000000000001; it was cut off'
}

@test "a line of more than 16 MiB is skipped, one of 1 MB is not" {
	{ event llm_chunk "{\"text\":\"$(head -c 1000000 /dev/zero | tr '\0' a)\"}"; event agent_end '{"success":true}'; } >log
	assert_equal "$(agent-collect log | jq -r '.output | length')" 1000000
	{
		printf '{"event_type":"llm_chunk","data":{"text":"'
		head -c 17000000 /dev/zero | tr '\0' b
		printf '"}}\n'
		cat log
	} >long
	run --separate-stderr bash -c 'agent-collect long | jq -r ".output | length"; exit "${PIPESTATUS[0]}"'
	assert_failure 1
	assert_output 1000000
	assert_equal "$stderr" 'agent-collect: long:1: the line is longer than 16 MiB; it is skipped'
}

@test "repeated events are not counted" {
	sed '24p; 5p; 10p; 14p' "$DATA/run.jsonl" >log
	run --separate-stderr agent-collect log
	assert_success
	assert_output "$(cat "$DATA/run.json")"
	assert_equal "${#stderr_lines[@]}" 4
	assert_equal "${stderr_lines[0]}" "agent-collect: log:6: seq 4 of run '01939aaa-0000-7000-8000-000000000001' is repeated; the event and copies that follow it are ignored"
	assert_regex "${stderr_lines[3]}" "^agent-collect: log:28: seq [0-9]* of run '01939aaa-0000-7000-8000-000000000001' is repeated"
	run --separate-stderr agent-collect --strict log
	assert_failure 1
	assert_equal "${stderr_lines[0]}" "agent-collect: log:6: seq 4 of run '01939aaa-0000-7000-8000-000000000001' is repeated; the event is ignored"
}

@test "tool_end without tool_start and a second tool_start are reported and ignored" {
	{
		event tool_start '{"tool_call_id":"a","tool_name":"t"}'
		event tool_start '{"tool_call_id":"a","tool_name":"t"}'
		event tool_end '{"tool_call_id":"a","tool_name":"t","result":"1"}'
		event tool_end '{"tool_call_id":"a","tool_name":"t","result":"2"}'
		event agent_end '{"success":true}'
	} >log
	run --separate-stderr agent-collect log
	assert_failure 1
	assert_equal "$(jq -c '[.tool_calls[].result]' <<<"$output")" '["1"]'
	assert_equal "$stderr" "agent-collect: log:2: tool call 'a' starts a second time; the second start is ignored
agent-collect: log:4: tool call 'a' ends without having started; it is left out"
}

# ---- several runs ----

@test "interleaved logs of 100 runs give 100 right results" {
	local -a files=()
	for i in $(seq -w 100); do
		sed "s/000000000001/000000000$i/; s/two lines/$i lines/" "$DATA/run.jsonl" >"log.$i"
		files+=("log.$i")
	done
	paste -d '\n' "${files[@]}" >all
	agent-collect all | sort >got
	for i in $(seq -w 100); do
		sed "s/000000000001/000000000$i/; s/two lines/$i lines/" "$DATA/run.json"
	done | sort >want
	assert cmp got want
	assert_equal "$(wc -l <got)" 100
	run bash -c 'agent-collect --total all | tail -1'
	assert_output '{"total":true,"runs":100,"nested_runs":0,"succeeded":100,"failed":0,"incomplete":0,"usage":{"input_tokens":32000,"output_tokens":4000,"cached_input_tokens":19200,"cache_write_tokens":null,"reasoning_tokens":null,"requests":300},"total_cost_usd":0.12,"known_cost_usd":0.12,"unpriced_runs":0,"iterations":200,"tool_calls":200,"tool_errors":100,"errors":100,"duration_seconds":3.01,"run_seconds":301}'
}

@test "--total: also in CSV and Markdown; one unknown cost makes the sum unknown" {
	{ cat "$DATA/run.jsonl"; finished success 0 A; } >log
	run bash -c 'agent-collect --total log | tail -1 | jq -c "[.runs, .total_cost_usd, .known_cost_usd, .unpriced_runs, .usage.input_tokens]"'
	assert_output '[2,null,0.0012,1,320]'
	run bash -c 'agent-collect --total -o csv log | tail -1'
	assert_output $'total,,,,,true,,,2,2,1,1,320,40,192,,,3,,,,3.01,,\r'
	run bash -c 'agent-collect --total -o markdown log | tail -10'
	assert_output '## &#9989; Total

| | |
| --- | --- |
| Runs | 2: 2 succeeded, 0 failed, 0 incomplete |
| Duration | 3.01 s |
| Tokens | 320 in, 40 out, 192 from cache |
| Cost | unknown |
| Iterations | 2 |
| Tool calls | 2 (1 failed) |'
}

@test "--total: a run that used no tokens costs nothing" {
	{
		cat "$DATA/run.jsonl"
		event agent_start '{}' A
		event llm_start '{"iteration":1}' A
		event error '{"error":"refused","fatal":true}' A
		event agent_end '{"success":false,"exit_status":1,"usage":{"input_tokens":null,"requests":0},"total_cost_usd":null}' A
		event agent_start '{}' B
	} >log
	run bash -c 'agent-collect --total log 2>/dev/null | tail -1 | jq -c "[.runs, .total_cost_usd, .known_cost_usd, .unpriced_runs]"'
	assert_output '[3,0.0012,0.0012,0]'
	run bash -c 'agent-collect log 2>/dev/null | jq -c .total_cost_usd'
	assert_output $'0.0012\n0\n0'
	event llm_start '{"iteration":1}' B >>log
	run bash -c 'agent-collect --total log 2>/dev/null | tail -1 | jq -c "[.runs, .total_cost_usd, .known_cost_usd, .unpriced_runs]"'
	assert_output '[3,null,0.0012,1]'
}

@test "a run that received nothing costs 0, one whose response broke off has no known cost" {
	OPENAI_API_KEY=k run -1 agent-run --no-stdin --retries 0 -m openai:gpt-4o-mini --base-url http://127.0.0.1:1/v1 -l log hi
	assert_equal "$(tail -n 1 log | jq -c '.data | [.event_type, .total_cost_usd, .usage.requests]')" '[null,0,0]'
	run -1 --separate-stderr agent-collect --check '.total_cost_usd < 0.5' log
	assert_equal "$(jq -c '[.total_cost_usd, .tool_errors]' <<<"$output")|$stderr" '[0,0]|'
	for type in llm_chunk thinking_chunk tool_call_start; do
		{ event agent_start '{}' A; event llm_start '{"iteration":1}' A; event "$type" '{"text":"a"}' A
		  event agent_end '{"success":false,"exit_status":1,"usage":{"requests":0},"total_cost_usd":null}' A; } >log
		run bash -c 'agent-collect log 2>/dev/null | jq -c .total_cost_usd'
		assert_output null
	done
}

@test "--check: .tool_errors counts the calls that failed" {
	run -1 --separate-stderr agent-collect --check '.tool_errors == 0' "$DATA/run.jsonl"
	assert_equal "$(jq .tool_errors <<<"$output")|$stderr" "1|agent-collect: check failed: .tool_errors == 0 (value: false, .tool_errors is 1, run 01939aaa-0000-7000-8000-000000000001)"
}

@test "--own-status: every reader still exits with 1 for damaged lines and with 4 for no events" {
	head -n 3 "$DATA/run.jsonl" >killed
	event agent_end '{"success":false,"exit_status":3}' A >failed
	{ cat failed; echo garbage; } >damaged
	{ cat failed; printf '{"event_type":'; } >torn
	for reader in agent-collect agent-filter agent-text agent-tools; do
		run -0 "$reader" --own-status killed
		run -0 "$reader" --own-status failed
		run -1 "$reader" --own-status damaged
		run -1 "$reader" --own-status torn
		run -2 "$reader" --own-status failed missing
		run -4 "$reader" --own-status - </dev/null
	done
}

# ---- checks ----

@test "--check: null is not less than a number" {
	{ event agent_start '{}' A; event agent_end '{"success":true,"total_cost_usd":null,"duration_seconds":2}' A; } >log
	run -1 --separate-stderr agent-collect -o text --check '.total_cost_usd < 1' log
	assert_equal "$stderr" 'agent-collect: check failed: .total_cost_usd < 1 (error: null is compared by "<" or ">", .total_cost_usd is null, run A)'
	for check in '1 > .total_cost_usd' '.total_cost_usd | . <= 1' '[.total_cost_usd][0] >= 1 | not' '.usage.input_tokens < 5'; do
		run -1 agent-collect -o text --check "$check" log
	done
	run -0 agent-collect -o text --check '.total_cost_usd == null or .total_cost_usd < 1' --check '.duration_seconds <= 2' log
}

@test "--check: a condition that holds prints nothing" {
	run agent-collect -o text --check .success --check '.iterations == 2 and .usage.input_tokens < 500' "$DATA/run.jsonl"
	assert_success
	assert_output 'The file has two lines.'
}

@test "--check: every failed condition is reported with its value and the values of its paths" {
	run --separate-stderr agent-collect -o text --check '.total_cost_usd < 0.001' --check .success \
		--check '.errors[] | .fatal' --check '.nope | keys' --check empty "$DATA/run.jsonl"
	assert_failure 1
	assert_output 'The file has two lines.'
	local run='run 01939aaa-0000-7000-8000-000000000001'
	assert_equal "$stderr" "agent-collect: check failed: .total_cost_usd < 0.001 (value: false, .total_cost_usd is 0.0012, $run)
agent-collect: check failed: .errors[] | .fatal (value: false, .errors is [{\"error\":\"The provider is overloaded.\",\"exception_type\":\"ov... (1 element), $run)
agent-collect: check failed: .nope | keys (error: null (null) has no keys, .nope does not exist, $run)
agent-collect: check failed: empty (no value, $run)"
}

@test "--check: a key that results do not have fails the check" {
	run -1 --separate-stderr agent-collect -o text --check '.totl_cost_usd != 3' "$DATA/run.jsonl"
	assert_equal "$stderr" 'agent-collect: check failed: .totl_cost_usd != 3 (.totl_cost_usd does not exist, did you mean .total_cost_usd?, run 01939aaa-0000-7000-8000-000000000001)'
	run -1 --separate-stderr agent-collect -o text --check '.totl < 1' "$DATA/run.jsonl"
	assert_equal "$stderr" 'agent-collect: check failed: .totl < 1 (error: null is compared by "<" or ">", .totl does not exist, run 01939aaa-0000-7000-8000-000000000001)'
	# Other paths start at something else than the result.
	for check in '.tool_calls | all(.args != null)' 'all(.tool_calls[]; .nope == null)' '.parent_run_id == null' '.id == null' \
		'"a.b" == "a.b"' 'def f: .nope; .output | . != null' '.tool_calls[0].nope == null' '.tool_calls[] .nope == null' '. as $r | $r.nope == null'; do
		run -0 agent-collect -o text --check "$check" "$DATA/run.jsonl"
	done
}

@test "--check looks at every run, and does not make a worse status better" {
	{ finished success 0 A; finished limit 3 B; } >log
	run --separate-stderr agent-collect -o text --check '.status == "success"' log
	assert_failure 3
	assert_equal "$stderr" 'agent-collect: check failed: .status == "success" (value: false, .status is "limit", run B)'
}

@test "--check: the value of a hostile log is safe for a terminal" {
	run --separate-stderr agent-collect -o csv --check '.prompt, .output == ""' --check .output_json.x "$DATA/hostile.jsonl"
	run grep -cP '[\x00-\x08\x0b-\x1f\x7f]' <<<"$stderr"
	assert_output 0
}

@test "--check: an invalid jq expression is a usage error" {
	run agent-collect --check '.a &' "$DATA/run.jsonl"
	assert_failure 2
	assert_output --partial 'agent-collect: --check: .a &: '
	assert_equal "${#lines[@]}" 1
}

# ---- with agent-run ----

@test "agent-run --history goes on from -o messages" {
	echo '{"name":"now","description":"The time","parameters":{"type":"object"},"command":["echo","noon"]}' >now.json
	agent-run -m test -s 'Be brief.' -t now.json 'what time is it?' >first.jsonl
	agent-collect -o messages first.jsonl >messages.json
	run bash -c 'agent-run -m test --history - --dry-run "and now?" <messages.json | jq -c "[.system, (.messages | length), .messages[-1].content[0].text]"'
	assert_output '["Be brief.",5,"and now?"]'
	run bash -c 'agent-run -m test --history - --dry-run "and now?" <messages.json | jq -c ".messages[:-1]"'
	assert_output "$(jq -c '.[1:]' messages.json)"
}

@test "agent-run --history takes the messages of several runs as one conversation" {
	agent-run -m test -s 'Be brief.' -c log one >/dev/null
	agent-run -m test -s 'Be brief.' -c log two >/dev/null
	agent-collect -o messages log >messages.json
	assert_equal "$(wc -l <messages.json)" 2
	run bash -c 'agent-run -m test --history - --dry-run three <messages.json | jq -c "[.system, [.messages[].content[0].text]]"'
	assert_output '["Be brief.",["one","This is the built-in test model. You said: one","two","This is the built-in test model. You said: two","three"]]'
	run bash -c 'printf "[]\n\n[\n" | agent-run -m test --history - --dry-run x'
	assert_failure 2
	assert_output "agent-run: standard input:3: byte 2: unexpected end of text"
}

@test "otlp: a call has the span id that its tool received" {
	echo '{"name":"t","description":"Its trace","parameters":{"type":"object"},"command":["printenv","TRACEPARENT"]}' >t.json
	agent-run -m test -t t.json hello >log
	run agent-collect -o otlp log
	assert_equal "$(jq -r '.resourceSpans[].scopeSpans[].spans[] | select(.name == "execute_tool t") | "00-\(.traceId)-\(.spanId)-01"' <<<"$output")" \
		"$(agent-collect log | jq -r '.tool_calls[0].result')"
}

@test "an invalid TRACEPARENT starts a new trace, for tools and for the export" {
	echo '{"name":"t","description":"Its trace","parameters":{"type":"object"},"command":["printenv","TRACEPARENT"]}' >t.json
	for parent in "$(printf '%055d' 0)" "$(printf '%055d' 0 | tr 0 -)" "00-$(printf '%032d' 0)-b7ad6b7169203331-01"; do
		TRACEPARENT=$parent agent-run -m test -t t.json hello >log
		assert_equal "$(jq -r 'select(.event_type == "agent_start") | .data | has("trace_parent")' log)" false
		run_id=$(jq -r 'select(.event_type == "agent_start") | .run_id' log)
		assert_regex "$(agent-collect log | jq -r '.tool_calls[0].result')" "^00-${run_id//-/}-[0-9a-f]{16}-01$"
		assert_equal "$(agent-collect -o otlp log | jq -r '[.. | .traceId? // empty] | unique[]')" "${run_id//-/}"
	done
}

# ---- live ----

@test "a result is written when its run ends, not when the input does" {
	mkfifo in out
	agent-collect -o text <in >out &
	exec {to}>in {from}<out
	finished success 0 A >&"$to"
	read -r -t 10 line <&"$from"
	assert_equal "$line" x
	exec {to}>&- {from}<&-
	wait $!
}

@test "--follow reads appended events until every run has ended" {
	head -20 "$DATA/run.jsonl" >log
	agent-collect -f -o text log >out &
	sleep 0.2
	sed -n '21,$p' "$DATA/run.jsonl" >>log
	wait $!
	assert_equal "$(cat out)" 'The file has two lines.'
}

@test "--pass passes the events on byte for byte, --result takes the results" {
	{ head -3 "$DATA/run.jsonl"; echo 'not JSON'; sed -n '4,$p' "$DATA/run.jsonl"; } >log
	agent-collect -p -r result.json log >passed 2>/dev/null || true
	assert cmp passed "$DATA/run.jsonl"
	assert cmp result.json "$DATA/run.json"
	run bash -c 'agent-collect --pass --result=/dev/null "$0" | head -1' "$DATA/run.jsonl"
	assert_success
	assert_output "$(head -1 "$DATA/run.jsonl")"
}

@test "--status is ignored unless standard error is a terminal" {
	run --separate-stderr agent-collect --status -o text "$DATA/run.jsonl"
	assert_success
	assert_output 'The file has two lines.'
	assert_equal "$stderr" ''
}

@test "--status: the live line is removed at the end" {
	cat >slow <<-EOF
		head -12 $DATA/run.jsonl; sleep 0.3; sed -n '13,\$p' $DATA/run.jsonl
	EOF
	run on_terminal 'bash slow | agent-collect --status -o text'
	assert_success
	assert_output --partial $'\rrunning read_file, grep · iteration 1 · 150 tokens · $0.0006 · 0 s\e[K\r'
	# All but the answer has been taken off the screen again.
	[[ $output == *$'\r\e[KThe file has two lines.\r' ]]
}

@test "--status leaves no line behind when a signal ends it" {
	cat >waiting <<-EOF
		exec 3> >(agent-collect --status)
		head -12 $DATA/run.jsonl >&3
		sleep 0.3
		kill -TERM \$!
		wait \$!
		echo "status \$?"
	EOF
	run on_terminal 'bash waiting'
	assert_output --partial $'\r\e[Kstatus 143'
}

@test "--help and --version" {
	run agent-collect --help
	assert_success
	assert_line --index 0 'usage: agent-collect [options] [FILE ...]'
	run agent-collect -V
	assert_success
	assert_output --regexp '^agent-collect [0-9.]+$'
	run agent-collect --nonsense
	assert_failure 2
}

@test "the result of a run that was resumed has the model that finished it" {
	agent-run -m 'exec:false' --retries 0 -l log x </dev/null >/dev/null 2>&1 || true
	agent-run -m test --resume log </dev/null >/dev/null
	assert_equal "$(agent-collect log | jq -c '[.model, .status]')" '["test","success"]'
	assert_equal "$(agent-collect -o csv log | tail -n 1 | cut -d, -f5)" test
}

@test "the duration of a resumed run is that of its parts, not of the time between them" {
	{
		event agent_start '{"prompt":"p"}' A 00.0
		event llm_start '{"iteration":1}' A 03.0
		event agent_start '{"prompt":"p","resumed_from":"A"}' B 20.0
		event agent_end '{"success":false,"duration_seconds":2.5}' B 22.5
		event agent_start '{"prompt":"p","resumed_from":"B"}' C 50.0
		event agent_end '{"success":true}' C 51.0
	} >log
	assert_equal "$(agent-collect log | jq -c '[.run_id, .duration_seconds]')" '["C",6.5]'
}
