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

# $1.jsonl as a stream of format $2 becomes $1.events.
assert_events() {
	agent-filter --from "$2" "$data/$1.jsonl" >events
	plain <events >plain
	diff "$data/$1.events" plain
}

@test "--from claude: the lines of stream-json become events, numbers keep their digits" {
	assert_events claude claude
	run -0 agent-filter -t agent_end -m .data.duration_seconds events
	assert_output 8.722
}

@test "--from claude: with partial messages the pieces are streamed and nothing comes twice" {
	assert_events claude-partial claude
}

@test "--from claude: a subagent is a nested run" {
	assert_events claude-subagent claude
}

@test "--from claude: a limit has its status" {
	assert_events claude-max-turns claude
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
	assert_events codex-failed codex
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

@test "--from gemini: a limit has its status, also when nothing came before it" {
	assert_events gemini-failed gemini
	run -3 agent-text events
	head -n 1 "$data/gemini.jsonl" | agent-filter --from gemini >events
	run -0 plain <events
	assert_output '{"event_type":"agent_start","run_id":"r1","seq":0,"data":{"agent_name":"gemini","model":"gemini-2.5-pro","prompt":"","tools":[],"schema_version":1,"session_id":"3c0d9b1e-5e0b-4c80-9d67-11bb1b2ef001"}}'
}

@test "a stream that ends early gives no agent_end: readers say so" {
	head -n 4 "$data/claude.jsonl" | agent-filter --from claude >events
	run -4 agent-text events
	assert_output --partial "the stream ended without agent_end"
	run -0 agent-filter -c -t agent_end events
	assert_output 0
}

@test "--from comes before the choosing, the map and the debounce" {
	run -0 agent-filter --from claude -t tool_start -N Bash -m .data.args.command "$data/claude.jsonl"
	assert_output '"ls"'
	run -0 bash -c "agent-filter --from claude -d 10 -t llm_chunk $data/claude-partial.jsonl | agent-filter -m .data.text"
	assert_output '"Let me count.Three lines."'
	run -0 agent-filter --from claude --sse -t tool_end -N Read "$data/claude.jsonl"
	assert_line --index 0 'event: tool_end'
	assert_line --index 1 'id: 13'
}

@test "lines that are no JSON objects are told and skipped, in other agents' streams as well" {
	sed '2i Loaded cached credentials.' "$data/claude.jsonl" >log
	run -1 --separate-stderr agent-filter -c --from claude log
	assert_output 19
	assert_equal "$stderr" "agent-filter: log:2: byte 1: a value is missing; the line is skipped"
	run -1 --separate-stderr agent-filter -c --strict --from claude log
	assert_output 1
}

@test "a translation is a module: the user's own is found by its name" {
	mkdir -p config/agent/jq
	cat >config/agent/jq/from_my_own.jq <<'EOF'
def start: 0;
def step: {state: (.state + 1), events: [{event_type: "llm_chunk", data: {text: .event.say, n: (.state + 1), id: .event.id}}]};
def finish: {state, events: [{event_type: "agent_end", timestamp: "2026-01-02T03:04:05Z", data: {n: .state}}]};
EOF
	export XDG_CONFIG_HOME=$PWD/config
	printf '{"say":"a","id":12345678901234567890}\n{"say":"b","id":"\\ufdd012"}\n' >log
	agent-filter --from my-own log >events
	run -0 plain <events
	assert_output '{"event_type":"llm_chunk","run_id":"r1","seq":0,"data":{"text":"a","n":1,"id":12345678901234567890}}
{"event_type":"llm_chunk","run_id":"r1","seq":1,"data":{"text":"b","n":2,"id":"﷐12"}}
{"event_type":"agent_end","run_id":"r1","seq":2,"data":{"n":2}}'
	run -0 agent-filter -t agent_end -m .timestamp events
	assert_output '"2026-01-02T03:04:05.000000Z"'
}

@test "a module that fails on a line costs that line only" {
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
agent-filter: log:4: --from odd: it gives what is no event with event_type and data; the line is skipped"
}

@test "an unknown format is refused with the list of those there are" {
	run -2 agent-filter --from nothing
	assert_output "agent-filter: --from takes the name of a format, not 'nothing'; there are: claude, codex, gemini"
	run -2 agent-filter --from ../claude
	assert_output --partial "not '../claude'"
	mkdir -p config/agent/jq
	echo 'def start: 0; def step: {' >config/agent/jq/from_broken.jq
	XDG_CONFIG_HOME=$PWD/config run -2 agent-filter --from broken
	assert_line --index 0 --partial 'jq: error: syntax error'
}
