#!/usr/bin/env bats
# agent-filter --from and --to: other agents' streams, and other vocabularies.

load helper

setup() {
	data=$BATS_TEST_DIRNAME/data/translate
	cd "$BATS_TEST_TMPDIR" || return
}

# Events without what differs from one time to the next: times, durations, and ids, which become r1, r2
# in the order of their first appearance.
plain() {
	sed -E 's/"timestamp":"[^"]*",//; s/_seconds":[0-9.e-]+/_seconds":0/g' | awk '
		{
			line = $0
			while (match(line, /run_id":"[^"]*"/)) {
				id = substr(line, RSTART + 9, RLENGTH - 10)
				if (!(id in known)) known[id] = "r" ++count
				line = substr(line, RSTART + RLENGTH)
			}
			for (id in known) gsub("run_id\":\"" id "\"", "run_id\":\"" known[id] "\"")
			print
		}'
}

# $1.jsonl as a stream of format $2 becomes $1.events; the status of its runs is $3 (0).
assert_events() {
	local status=0
	agent-filter --from "$2" "$data/$1.jsonl" >events || status=$?
	assert_equal "$status" "${3:-0}"
	plain <events >plain
	diff "$data/$1.events" plain
}

@test "--from claude: the lines of stream-json become events, numbers keep their digits" {
	assert_events claude claude
	run -0 agent-filter -t agent_end -m .data.duration_seconds events
	assert_output 8.722
}

@test "--from claude: partial messages are streamed, and nothing is repeated" {
	assert_events claude-partial claude
}

@test "--from claude: a retry discards the text of the failed attempt" {
	{
		head -n 5 "$data/claude-partial.jsonl"
		sed -n '17,26p' "$data/claude-partial.jsonl"
	} >log
	agent-filter --from claude log >events
	run -0 agent-filter -t 'llm_*' -m '[.event_type, .data.iteration, .data.attempt, .data.text, .data.http_status]' events
	assert_output '["llm_start",1,1,null,null]
["llm_chunk",null,null,"Let me ",null]
["llm_chunk",null,null,"count.",null]
["llm_retry",null,2,null,529]
["llm_start",1,2,null,null]
["llm_chunk",null,null,"Three lines.",null]
["llm_end",1,null,null,null]'
}

@test "--from claude: a subagent is a nested run" {
	assert_events claude-subagent claude
}

@test "--from claude: a limit has its status" {
	assert_events claude-max-turns claude 3
	run -3 agent-text events
	assert_output $'Working\nagent-text: Reached maximum number of turns (1)'
}

@test "--from claude: the other programs read the events" {
	run -0 bash -c "agent-filter --from claude $data/claude.jsonl | agent-text"
	assert_output "I'll list the files.

There are two files: a.md and b.md."
	run -0 bash -c "agent-filter --from claude $data/claude.jsonl | agent-tools -j | sed 's/_seconds\":[0-9.e-]*/_seconds\":0/; s/\"run_id.*//'"
	assert_output '{"tool_call_id":"toolu_01","tool_name":"Bash","args":{"command":"ls","id":1234567890123456789,"ratio":1.10,"big":1E400},"result":"a.md\nb.md","is_error":false,"duration_seconds":0,
{"tool_call_id":"toolu_02","tool_name":"Read","args":{"file_path":"/home/ann/notes/none.md"},"result":"File does not exist.","is_error":true,"duration_seconds":0,'
	run -0 bash -c "agent-filter --from claude $data/claude.jsonl | agent-collect --check '.total_cost_usd == 0.24722425 and .iterations == 2 and .usage.requests == 2' | jq -c '[.status, .output, .usage.input_tokens]'"
	assert_output '["success","There are two files: a.md and b.md.",2522]'
}

@test "--from codex: the items of a turn become messages and tool calls" {
	assert_events codex codex
	run -0 agent-text events
	assert_output "I'll write the file.

Done: docs/foo.md."
}

@test "--from codex: a turn that failed" {
	assert_events codex-failed codex 1
	run -1 agent-text events
	assert_output "agent-text: You've hit your usage limit."
}

@test "--from gemini: the events have the stream's times" {
	assert_events gemini gemini
	run -0 agent-tools events
	assert_output '-> run_shell_command {"command":"ls","id":1234567890123456789}
-> read_file {"file_path":"none"}
<- run_shell_command 0.50s ok: a.md
<- read_file 0.60s error: File not found: none'
	run -0 agent-filter -t tool_end,agent_end -m '[.timestamp, .data.duration_seconds]' events
	assert_output '["2025-10-10T12:00:02.500000Z",0.5]
["2025-10-10T12:00:02.601000Z",0.6]
["2025-10-10T12:00:05.000000Z",5]'
}

@test "--from gemini: a limit has its status, also as the first line" {
	assert_events gemini-failed gemini 3
	run -3 agent-text events
	head -n 1 "$data/gemini.jsonl" | agent-filter --own-status --from gemini >events
	run -0 plain <events
	assert_output '{"event_type":"agent_start","run_id":"r1","seq":0,"data":{"agent_name":"gemini","model":"gemini-2.5-pro","prompt":"","tools":[],"schema_version":1,"session_id":"3c0d9b1e-5e0b-4c80-9d67-11bb1b2ef001"}}'
}

@test "a stream that ends early has no agent_end, and readers report it" {
	head -n 4 "$data/claude.jsonl" >log
	run -4 --separate-stderr agent-filter --from claude log
	assert_regex "$stderr" "^agent-filter: the stream ends without agent_end of run [-0-9a-f]*; it was cut off$"
	run -4 agent-text <<<"$output"
	assert_output --partial "the stream ends without agent_end"
	run -0 --separate-stderr agent-filter --own-status -c -t agent_end --from claude log
	assert_output 0
}

@test "--from applies before selection, map and debounce" {
	run -0 agent-filter --from claude -t tool_start -N Bash -m .data.args.command "$data/claude.jsonl"
	assert_output '"ls"'
	run -0 bash -c "agent-filter --from claude -d 10 -t llm_chunk $data/claude-partial.jsonl | agent-filter -m .data.text"
	assert_output '"Let me count.Three lines."'
	run -0 agent-filter --from claude --sse -t tool_end -N Read "$data/claude.jsonl"
	assert_line --index 0 'event: tool_end'
	assert_line --index 1 --regexp '^id: [0-9a-f-]{36}:13$'
}

@test "--from with --follow ends when the run has ended" {
	run -0 timeout 60 agent-filter -f -c --from claude "$data/claude.jsonl"
	assert_output 19
}

@test "--from claude: several prompts in one session are several runs" {
	cat "$data/claude.jsonl" "$data/claude-max-turns.jsonl" >log
	run -3 agent-filter --from claude log
	echo "$output" >events
	run -3 agent-collect events
	run -0 jq -r -s 'group_by(.run_id)[] | [length, (map(.seq) == [range(length)])] | @tsv' events
	assert_output $'19\ttrue\n7\ttrue'
}

@test "lines that are not JSON objects are reported and skipped, also in streams of other agents" {
	sed '2i Loaded cached credentials.' "$data/claude.jsonl" >log
	run -1 --separate-stderr agent-filter -c --from claude log
	assert_output 19
	assert_equal "$stderr" "agent-filter: log:2: byte 1: a value is missing; the line is skipped"
	run -1 --separate-stderr agent-filter -c --strict --from claude log
	assert_output 1
}

@test "an input in another format than that of --from is refused with its likely format" {
	local format other
	echo '{"event_type":"agent_end","data":{"success":true}}' >agent-run.jsonl
	printf '%s\n' '{"type":"step_start","sessionID":"s"}' '' '{"type":"text","part":{"text":"hello"}}' >unknown
	for format in claude codex gemini; do
		for other in claude codex gemini agent-run; do
			[ "$format" != "$other" ] || continue
			[ "$other" = agent-run ] || cp "$data/$other.jsonl" .
			run -1 agent-filter --from $format $other.jsonl
			assert_output --regexp "^agent-filter: [0-9]+ lines? read, none is a $format event; this looks like $other\$"
		done
		run -1 agent-filter --from $format unknown
		assert_output "agent-filter: 2 lines read, none is a $format event"
		run -2 agent-filter -e --from $format unknown
		run -1 agent-filter --own-status --from $format unknown
		run -4 agent-filter --from $format /dev/null
		assert_output "agent-filter: the input has no events; the output of $format is expected, one JSON object per line"
	done
	head -n 1 "$data/claude-partial.jsonl" | sed s/init/hook_started/ >log
	run -1 agent-filter --from claude log
	assert_output "agent-filter: 1 line of claude read, but no run begins there"
}

@test "a JSON array in place of lines is refused in one sentence" {
	jq -s . "$data/claude.jsonl" >array.json
	jq -sc . "$data/claude.jsonl" >line.json
	for file in array.json line.json; do
		for command in "agent-filter --from claude" agent-filter agent-text agent-collect agent-tools; do
			# shellcheck disable=SC2086 # a program and its options
			run -1 $command $file
			assert_output "${command%% *}: $file is a JSON array, not one object per line; write its elements with jq -c '.[]'"
		done
	done
	run -2 agent-filter -e --from claude array.json
	run -0 bash -c "jq -c '.[]' array.json | agent-filter --from claude -c"
	assert_output 19
}

@test "lines of another format in between are reported and skipped" {
	sed '2r /dev/stdin' "$data/claude.jsonl" <<<'{"type":"item.started","item":{"type":"reasoning"}}' >log
	run -1 --separate-stderr agent-filter -c --from claude log
	assert_output 19
	assert_equal "$stderr" "agent-filter: log:3: the line is not a claude event; it is skipped"
}

@test "the readers name the format of an input that is not translated" {
	local program
	for program in agent-filter agent-text agent-tools agent-collect; do
		run -1 --separate-stderr $program "$data/codex.jsonl"
		assert_equal "$stderr" "$program: 18 lines read, none is an event of agent-run; this looks like codex, which agent-filter --from codex translates"
	done
	run -2 agent-run -m test --history "$data/codex.jsonl" --no-stdin hello
	assert_output "agent-run: $data/codex.jsonl: contains neither events nor an array of messages; this looks like codex, which agent-filter --from codex translates"
}

@test "a translation is a module: the user's own is found by its name" {
	mkdir -p config/agent/jq
	cat >config/agent/jq/from_my_own.jq <<'EOF'
def start: 0;
def step: {state: (.state + 1), events: [{event_type: "llm_chunk", data: {text: .event.say, n: (.state + 1), id: .event.id}}]};
def finish: {state, events: [{event_type: "agent_end", timestamp: "2026-01-02T03:04:05Z", data: {success: true, n: .state}}]};
EOF
	export XDG_CONFIG_HOME=$PWD/config
	printf '{"say":"a","id":12345678901234567890}\n{"say":"b","id":"\\ufdd012"}\n' >log
	agent-filter --from my-own log >events
	run -0 plain <events
	assert_output '{"event_type":"llm_chunk","run_id":"r1","seq":0,"data":{"text":"a","n":1,"id":12345678901234567890}}
{"event_type":"llm_chunk","run_id":"r1","seq":1,"data":{"text":"b","n":2,"id":"﷐12"}}
{"event_type":"agent_end","run_id":"r1","seq":2,"data":{"success":true,"n":2}}'
	run -0 agent-filter -t agent_end -m .timestamp events
	assert_output '"2026-01-02T03:04:05.000000Z"'
}

@test "a module that fails on a line skips only that line" {
	mkdir -p config/agent/jq
	cat >config/agent/jq/from_odd.jq <<'EOF'
def start: 0;
def step: if .event.bad then error("no") elif .event.none then empty elif .event.odd then {state, events: [1]}
	else {state: (.state + 1), events: [{event_type: "n", data: {n: (.state + 1)}}]} end;
def finish: {state, events: []};
EOF
	export XDG_CONFIG_HOME=$PWD/config
	printf '%s\n' '{}' '{"bad":1}' '{"none":1}' '{"odd":1}' '{}' >log
	run -1 --separate-stderr agent-filter --from odd -m .data.n log
	assert_output $'1\n2'
	assert_equal "$stderr" "agent-filter: log:2: --from odd: no; the line is skipped
agent-filter: log:3: --from odd: it yields nothing; the line is skipped
agent-filter: log:4: --from odd: it yields a value that is not an event with event_type and data; the line is skipped"
}

@test "an unknown format is refused with the list of known formats" {
	run -2 agent-filter --from nothing
	assert_output "agent-filter: --from: there is no format 'nothing'; the formats are claude, codex, gemini"
	run -2 agent-filter --from ../claude
	assert_output --partial "no format '../claude'"
	mkdir -p config/agent/jq
	echo 'def start: 0; def step: {' >config/agent/jq/from_broken.jq
	XDG_CONFIG_HOME=$PWD/config run -2 agent-filter --from broken
	assert_line --index 0 --partial 'agent-filter: --from broken: jq: error: syntax error'
}

# A stream of agent-run with a nested run, an error after which it continued, and output of a tool.
own_stream() {
	cat <<'EOF'
{"event_type":"agent_start","timestamp":"2026-11-20T22:49:01.000250Z","run_id":"aa","seq":0,"data":{"agent_name":"agent","model":"test","prompt":"hi","tools":["weather"],"schema_version":1}}
{"event_type":"llm_start","timestamp":"2026-11-20T22:49:01.001000Z","run_id":"aa","seq":1,"data":{"iteration":1,"model":"test","attempt":1}}
{"event_type":"thinking_chunk","timestamp":"2026-11-20T22:49:01.002000Z","run_id":"aa","seq":2,"data":{"text":"Hm."}}
{"event_type":"llm_chunk","timestamp":"2026-11-20T22:49:01.003000Z","run_id":"aa","seq":3,"data":{"text":"I "}}
{"event_type":"llm_chunk","timestamp":"2026-11-20T22:49:01.004000Z","run_id":"aa","seq":4,"data":{"text":"look."}}
{"event_type":"tool_call_start","timestamp":"2026-11-20T22:49:01.005000Z","run_id":"aa","seq":5,"data":{"tool_call_id":"c1","tool_name":"weather","index":0}}
{"event_type":"tool_call_chunk","timestamp":"2026-11-20T22:49:01.006000Z","run_id":"aa","seq":6,"data":{"tool_call_id":"c1","tool_name":"weather","args_delta":"{\"id\":12345678901234567890}"}}
{"event_type":"tool_call_end","timestamp":"2026-11-20T22:49:01.007000Z","run_id":"aa","seq":7,"data":{"tool_call_id":"c1","tool_name":"weather","args":{"id":12345678901234567890}}}
{"event_type":"tool_call_start","timestamp":"2026-11-20T22:49:01.007000Z","run_id":"aa","seq":8,"data":{"tool_call_id":"c2","tool_name":"ask","index":1}}
{"event_type":"tool_call_end","timestamp":"2026-11-20T22:49:01.007000Z","run_id":"aa","seq":9,"data":{"tool_call_id":"c2","tool_name":"ask","args":{"x":1.10}}}
{"event_type":"llm_end","timestamp":"2026-11-20T22:49:01.008000Z","run_id":"aa","seq":10,"data":{"iteration":1,"model":"test","finish_reason":"tool_calls","is_final":false,"usage":{"input_tokens":10,"output_tokens":5,"cached_input_tokens":4,"cache_write_tokens":null,"reasoning_tokens":2,"requests":1},"message":{"role":"assistant","content":[{"type":"thinking","text":"Hm."},{"type":"text","text":"I look."},{"type":"tool_call","tool_call_id":"c1","tool_name":"weather","args":{"id":12345678901234567890}},{"type":"tool_call","tool_call_id":"c2","tool_name":"ask","args":{"x":1.10}}]}}}
{"event_type":"error","timestamp":"2026-11-20T22:49:01.009000Z","run_id":"aa","seq":11,"data":{"error":"slow","exception_type":"network","fatal":false}}
{"event_type":"tool_start","timestamp":"2026-11-20T22:49:01.010000Z","run_id":"aa","seq":12,"data":{"tool_call_id":"c1","tool_name":"weather","args":{"id":12345678901234567890},"iteration":1}}
{"event_type":"agent_start","timestamp":"2026-11-20T22:49:01.011000Z","run_id":"bb","seq":0,"data":{"agent_name":"inner","parent_run_id":"aa"}}
{"event_type":"llm_chunk","timestamp":"2026-11-20T22:49:01.012000Z","run_id":"bb","seq":1,"data":{"text":"inner"}}
{"event_type":"agent_end","timestamp":"2026-11-20T22:49:01.013000Z","run_id":"bb","seq":2,"data":{"success":true,"status":"success","output":"inner"}}
{"event_type":"tool_end","timestamp":"2026-11-20T22:49:01.014000Z","run_id":"aa","seq":13,"data":{"tool_call_id":"c1","tool_name":"weather","result":"{\"t\":1.50}","result_json":{"t":1.50},"is_error":false,"duration_seconds":0.1}}
{"event_type":"tool_end","timestamp":"2026-11-20T22:49:01.015000Z","run_id":"aa","seq":14,"data":{"tool_call_id":"c2","tool_name":"ask","result":"nobody there","is_error":true,"duration_seconds":0.1}}
{"event_type":"llm_start","timestamp":"2026-11-20T22:49:01.016000Z","run_id":"aa","seq":15,"data":{"iteration":2,"model":"test","attempt":1}}
{"event_type":"llm_chunk","timestamp":"2026-11-20T22:49:01.017000Z","run_id":"aa","seq":16,"data":{"text":"Warm."}}
{"event_type":"llm_end","timestamp":"2026-11-20T22:49:01.018000Z","run_id":"aa","seq":17,"data":{"iteration":2,"model":"test","finish_reason":"stop","is_final":true,"usage":{"input_tokens":20,"output_tokens":2,"cached_input_tokens":null,"cache_write_tokens":null,"reasoning_tokens":null,"requests":1},"message":{"role":"assistant","content":[{"type":"text","text":"Warm."}]}}}
{"event_type":"agent_end","timestamp":"2026-11-20T22:49:01.019000Z","run_id":"aa","seq":18,"data":{"agent_name":"agent","success":true,"status":"success","exit_status":0,"output":"Warm.","finish_reason":"stop","usage":{"input_tokens":30,"output_tokens":7,"cached_input_tokens":4,"cache_write_tokens":null,"reasoning_tokens":2,"requests":2},"tool_calls":2}}
EOF
}

@test "--to ai-sdk: the chunks of a UI message stream" {
	own_stream >log
	run -0 agent-filter --to ai-sdk log
	assert_output '{"type":"start","messageId":"aa"}
{"type":"start-step"}
{"type":"reasoning-start","id":"reasoning-1"}
{"type":"reasoning-delta","id":"reasoning-1","delta":"Hm."}
{"type":"reasoning-end","id":"reasoning-1"}
{"type":"text-start","id":"text-2"}
{"type":"text-delta","id":"text-2","delta":"I "}
{"type":"text-delta","id":"text-2","delta":"look."}
{"type":"text-end","id":"text-2"}
{"type":"tool-input-start","toolCallId":"c1","toolName":"weather"}
{"type":"tool-input-delta","toolCallId":"c1","inputTextDelta":"{\"id\":12345678901234567890}"}
{"type":"tool-input-available","toolCallId":"c1","toolName":"weather","input":{"id":12345678901234567890}}
{"type":"tool-input-start","toolCallId":"c2","toolName":"ask"}
{"type":"tool-input-available","toolCallId":"c2","toolName":"ask","input":{"x":1.10}}
{"type":"tool-output-available","toolCallId":"c1","output":{"t":1.50}}
{"type":"tool-output-error","toolCallId":"c2","errorText":"nobody there"}
{"type":"finish-step"}
{"type":"start-step"}
{"type":"text-start","id":"text-3"}
{"type":"text-delta","id":"text-3","delta":"Warm."}
{"type":"text-end","id":"text-3"}
{"type":"finish-step"}
{"type":"finish"}'
}

@test "--to ai-sdk --sse: only data, [DONE] at the end; after -t and -d" {
	own_stream >log
	run -0 agent-filter -d 10 -t agent_start,llm_chunk,agent_end --to ai-sdk --sse log
	assert_output 'data: {"type":"start","messageId":"aa"}

data: {"type":"text-start","id":"text-1"}

data: {"type":"text-delta","id":"text-1","delta":"I look."}

data: {"type":"text-delta","id":"text-1","delta":"Warm."}

data: {"type":"text-end","id":"text-1"}

data: {"type":"finish"}

data: [DONE]'
}

@test "--to ai-sdk: a run that failed, one that was cancelled" {
	run -3 --separate-stderr agent-filter --from claude --to ai-sdk "$data/claude-max-turns.jsonl"
	assert_equal "$stderr" "agent-filter: Reached maximum number of turns (1)"
	assert_equal "$(tail -n 3 <<<"$output")" '{"type":"error","errorText":"Reached maximum number of turns (1)"}
{"type":"finish-step"}
{"type":"finish"}'
	echo '{"event_type":"agent_end","run_id":"a","data":{"success":false,"status":"cancelled"}}' >log
	run -1 --separate-stderr agent-filter --to ai-sdk log
	assert_output $'{"type":"abort"}\n{"type":"finish"}'
	echo '{"event_type":"agent_end","run_id":"a","data":{"success":false,"status":"timeout"}}' >log
	run -1 --separate-stderr agent-filter --to ai-sdk log
	assert_output "{\"type\":\"error\",\"errorText\":\"the run ended with status 'timeout'\"}
{\"type\":\"finish\"}"
}

@test "--to ag-ui: the events of the protocol; other events become CUSTOM" {
	own_stream >log
	agent-filter --to ag-ui log >out
	run -0 sed 's/,"timestamp":[0-9]*}$/}/' out
	assert_output '{"type":"RUN_STARTED","threadId":"aa","runId":"aa"}
{"type":"STEP_STARTED","stepName":"iteration 1"}
{"type":"REASONING_START","messageId":"aa:1"}
{"type":"REASONING_MESSAGE_START","messageId":"aa:1","role":"reasoning"}
{"type":"REASONING_MESSAGE_CONTENT","messageId":"aa:1","delta":"Hm."}
{"type":"REASONING_MESSAGE_END","messageId":"aa:1"}
{"type":"REASONING_END","messageId":"aa:1"}
{"type":"TEXT_MESSAGE_START","messageId":"aa:2","role":"assistant"}
{"type":"TEXT_MESSAGE_CONTENT","messageId":"aa:2","delta":"I "}
{"type":"TEXT_MESSAGE_CONTENT","messageId":"aa:2","delta":"look."}
{"type":"TEXT_MESSAGE_END","messageId":"aa:2"}
{"type":"TOOL_CALL_START","toolCallId":"c1","toolCallName":"weather"}
{"type":"TOOL_CALL_ARGS","toolCallId":"c1","delta":"{\"id\":12345678901234567890}"}
{"type":"TOOL_CALL_END","toolCallId":"c1"}
{"type":"TOOL_CALL_START","toolCallId":"c2","toolCallName":"ask"}
{"type":"TOOL_CALL_ARGS","toolCallId":"c2","delta":"{\"x\":1.10}"}
{"type":"TOOL_CALL_END","toolCallId":"c2"}
{"type":"STEP_FINISHED","stepName":"iteration 1"}
{"type":"CUSTOM","name":"error","value":{"error":"slow","exception_type":"network","fatal":false}}
{"type":"TOOL_CALL_RESULT","messageId":"result:c1","toolCallId":"c1","content":"{\"t\":1.50}","role":"tool"}
{"type":"TOOL_CALL_RESULT","messageId":"result:c2","toolCallId":"c2","content":"nobody there","role":"tool"}
{"type":"STEP_STARTED","stepName":"iteration 2"}
{"type":"TEXT_MESSAGE_START","messageId":"aa:3","role":"assistant"}
{"type":"TEXT_MESSAGE_CONTENT","messageId":"aa:3","delta":"Warm."}
{"type":"TEXT_MESSAGE_END","messageId":"aa:3"}
{"type":"STEP_FINISHED","stepName":"iteration 2"}
{"type":"RUN_FINISHED","threadId":"aa","runId":"aa","result":"Warm."}'
	run -0 tail -n 1 out
	assert_output --partial ',"timestamp":1795214941019}'
	run -0 bash -c "agent-filter --from gemini --to ag-ui $data/gemini-failed.jsonl 2>/dev/null | tail -n 1"
	assert_output '{"type":"RUN_ERROR","message":"Reached max session turns for this session.","code":"limit","timestamp":1760097605000}'
}

@test "--to pydantic-ai: the parts of each response, then the tools" {
	own_stream >log
	run -0 agent-filter --to pydantic-ai log
	assert_output '{"index":0,"part":{"content":"Hm.","part_kind":"thinking"},"event_kind":"part_start"}
{"index":0,"part":{"content":"Hm.","part_kind":"thinking"},"next_part_kind":"text","event_kind":"part_end"}
{"index":1,"part":{"content":"I ","part_kind":"text"},"previous_part_kind":"thinking","event_kind":"part_start"}
{"tool_name":null,"tool_call_id":null,"event_kind":"final_result"}
{"index":1,"delta":{"content_delta":"look.","part_delta_kind":"text"},"event_kind":"part_delta"}
{"index":1,"part":{"content":"I look.","part_kind":"text"},"next_part_kind":"tool-call","event_kind":"part_end"}
{"index":2,"part":{"tool_name":"weather","args":"","tool_call_id":"c1","part_kind":"tool-call"},"previous_part_kind":"text","event_kind":"part_start"}
{"index":2,"delta":{"args_delta":"{\"id\":12345678901234567890}","tool_call_id":"c1","part_delta_kind":"tool_call"},"event_kind":"part_delta"}
{"index":2,"part":{"tool_name":"weather","args":"{\"id\":12345678901234567890}","tool_call_id":"c1","part_kind":"tool-call"},"next_part_kind":"tool-call","event_kind":"part_end"}
{"index":3,"part":{"tool_name":"ask","args":"","tool_call_id":"c2","part_kind":"tool-call"},"previous_part_kind":"tool-call","event_kind":"part_start"}
{"index":3,"delta":{"args_delta":"{\"x\":1.10}","tool_call_id":"c2","part_delta_kind":"tool_call"},"event_kind":"part_delta"}
{"index":3,"part":{"tool_name":"ask","args":"{\"x\":1.10}","tool_call_id":"c2","part_kind":"tool-call"},"event_kind":"part_end"}
{"part":{"tool_name":"weather","args":{"id":12345678901234567890},"tool_call_id":"c1","part_kind":"tool-call"},"args_valid":true,"event_kind":"function_tool_call"}
{"part":{"tool_name":"weather","content":{"t":1.50},"tool_call_id":"c1","timestamp":"2026-11-20T22:49:01.014000Z","outcome":"success","part_kind":"tool-return"},"event_kind":"function_tool_result"}
{"part":{"tool_name":"ask","content":"nobody there","tool_call_id":"c2","timestamp":"2026-11-20T22:49:01.015000Z","outcome":"failed","part_kind":"tool-return"},"event_kind":"function_tool_result"}
{"index":0,"part":{"content":"Warm.","part_kind":"text"},"event_kind":"part_start"}
{"tool_name":null,"tool_call_id":null,"event_kind":"final_result"}
{"index":0,"part":{"content":"Warm.","part_kind":"text"},"event_kind":"part_end"}
{"result":{"output":"Warm."},"event_kind":"agent_run_result"}'
}

@test "--to pydantic-ai: pieces of arguments, a tool that starts before its response has ended" {
	run -0 bash -c "agent-filter --from claude --to pydantic-ai $data/claude-partial.jsonl | sed -n '5,9p'"
	assert_output '{"index":1,"part":{"tool_name":"Bash","args":"","tool_call_id":"toolu_11","part_kind":"tool-call"},"previous_part_kind":"text","event_kind":"part_start"}
{"index":1,"delta":{"args_delta":"{\"command\": \"wc","tool_call_id":"toolu_11","part_delta_kind":"tool_call"},"event_kind":"part_delta"}
{"index":1,"delta":{"args_delta":" a\", \"n\": 9007199254740993}","tool_call_id":"toolu_11","part_delta_kind":"tool_call"},"event_kind":"part_delta"}
{"index":1,"part":{"tool_name":"Bash","args":"{\"command\": \"wc a\", \"n\": 9007199254740993}","tool_call_id":"toolu_11","part_kind":"tool-call"},"event_kind":"part_end"}
{"part":{"tool_name":"Bash","args":{"command":"wc a","n":9007199254740993},"tool_call_id":"toolu_11","part_kind":"tool-call"},"args_valid":true,"event_kind":"function_tool_call"}'
}

@test "--to openai-agents: deltas, and items when a response is complete" {
	own_stream >log
	run -0 agent-filter --to openai-agents log
	assert_output '{"type":"agent_updated_stream_event","new_agent":{"name":"agent"}}
{"type":"raw_response_event","data":{"type":"response.reasoning_summary_text.delta","item_id":"rs_1_0","output_index":0,"summary_index":0,"delta":"Hm.","sequence_number":0}}
{"type":"raw_response_event","data":{"type":"response.output_text.delta","item_id":"msg_1_1","output_index":1,"content_index":0,"delta":"I ","logprobs":[],"sequence_number":1}}
{"type":"raw_response_event","data":{"type":"response.output_text.delta","item_id":"msg_1_1","output_index":1,"content_index":0,"delta":"look.","logprobs":[],"sequence_number":2}}
{"type":"raw_response_event","data":{"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","id":"fc_1_2","call_id":"c1","name":"weather","arguments":"","status":"in_progress"},"sequence_number":3}}
{"type":"raw_response_event","data":{"type":"response.function_call_arguments.delta","item_id":"fc_1_2","output_index":2,"delta":"{\"id\":12345678901234567890}","sequence_number":4}}
{"type":"raw_response_event","data":{"type":"response.output_item.added","output_index":3,"item":{"type":"function_call","id":"fc_1_3","call_id":"c2","name":"ask","arguments":"","status":"in_progress"},"sequence_number":5}}
{"type":"run_item_stream_event","name":"reasoning_item_created","item":{"type":"reasoning_item","agent":{"name":"agent"},"raw_item":{"type":"reasoning","id":"rs_1_0","summary":[{"type":"summary_text","text":"Hm."}]}}}
{"type":"run_item_stream_event","name":"message_output_created","item":{"type":"message_output_item","agent":{"name":"agent"},"raw_item":{"type":"message","id":"msg_1_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"I look.","annotations":[]}]}}}
{"type":"run_item_stream_event","name":"tool_called","item":{"type":"tool_call_item","agent":{"name":"agent"},"raw_item":{"type":"function_call","id":"fc_1_2","call_id":"c1","name":"weather","arguments":"{\"id\":12345678901234567890}","status":"completed"}}}
{"type":"run_item_stream_event","name":"tool_called","item":{"type":"tool_call_item","agent":{"name":"agent"},"raw_item":{"type":"function_call","id":"fc_1_3","call_id":"c2","name":"ask","arguments":"{\"x\":1.10}","status":"completed"}}}
{"type":"run_item_stream_event","name":"tool_output","item":{"type":"tool_call_output_item","agent":{"name":"agent"},"raw_item":{"type":"function_call_output","call_id":"c1","output":"{\"t\":1.50}"},"output":{"t":1.50}}}
{"type":"run_item_stream_event","name":"tool_output","item":{"type":"tool_call_output_item","agent":{"name":"agent"},"raw_item":{"type":"function_call_output","call_id":"c2","output":"nobody there"},"output":"nobody there"}}
{"type":"raw_response_event","data":{"type":"response.output_text.delta","item_id":"msg_2_0","output_index":0,"content_index":0,"delta":"Warm.","logprobs":[],"sequence_number":0}}
{"type":"run_item_stream_event","name":"message_output_created","item":{"type":"message_output_item","agent":{"name":"agent"},"raw_item":{"type":"message","id":"msg_2_0","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Warm.","annotations":[]}]}}}'
}

@test "--to openai-agents: a handoff" {
	cat >log <<'EOF'
{"event_type":"agent_start","run_id":"a","data":{"agent_name":"first"}}
{"event_type":"llm_end","run_id":"a","data":{"message":{"content":[{"type":"tool_call","tool_call_id":"c","tool_name":"transfer_to_second","args":{}}]}}}
{"event_type":"tool_start","run_id":"a","data":{"tool_call_id":"c","tool_name":"transfer_to_second","args":{}}}
{"event_type":"agent_updated","run_id":"a","data":{"agent_name":"second","previous_agent":"first","model":"test","tool_call_id":"c"}}
{"event_type":"agent_end","run_id":"a","data":{"success":true}}
EOF
	run -0 agent-filter --to openai-agents log
	assert_output '{"type":"agent_updated_stream_event","new_agent":{"name":"first"}}
{"type":"run_item_stream_event","name":"handoff_requested","item":{"type":"handoff_call_item","agent":{"name":"first"},"raw_item":{"type":"function_call","id":"fc_0","call_id":"c","name":"transfer_to_second","arguments":"{}","status":"completed"}}}
{"type":"run_item_stream_event","name":"handoff_occured","item":{"type":"handoff_output_item","agent":{"name":"first"},"raw_item":{"type":"function_call_output","call_id":"c","output":"{\"assistant\":\"second\"}"},"source_agent":{"name":"first"},"target_agent":{"name":"second"}}}
{"type":"agent_updated_stream_event","new_agent":{"name":"second"}}'
}

@test "--to refuses unknown formats; -m applies before it" {
	run -2 agent-filter --to nothing
	assert_output "agent-filter: --to: there is no format 'nothing'; the formats are ag-ui, ai-sdk, openai-agents, pydantic-ai"
	own_stream >log
	run -0 agent-filter -m 'select(.event_type == "llm_chunk") | .data.text |= ascii_upcase' --to ai-sdk log
	assert_line --index 1 '{"type":"text-delta","id":"text-1","delta":"I "}'
	assert_line --index 2 '{"type":"text-delta","id":"text-1","delta":"LOOK."}'
	run -0 agent-filter -c --to ai-sdk log
	assert_output 23
}
