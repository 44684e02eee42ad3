#!/usr/bin/env bats
# agent-run --agent: definitions in files, handing over, agents as tools.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p requests
	# Answers request number N of the agent whose instructions are NAME with the file NAME.N; the
	# requests are requests/NAME.N.
	cat >model.sh <<-'EOF'
		cat >"requests/new.$$"
		name=$(sed -nE 's/^\{"model":"([^"\\]|\\.)*","system":"([^"\\]*).*/\2/p' "requests/new.$$")
		name=${name:-none}
		n=1
		while ! ln "requests/new.$$" "requests/$name.$n" 2>/dev/null; do n=$((n + 1)); done
		rm "requests/new.$$"
		cat "$name.$n"
	EOF
	export AGENT_MODEL='exec:sh model.sh'
}

# agent NAME [MEMBERS]: a definition in NAME.json, whose instructions are its name.
agent() {
	printf '{"name":"%s","instructions":"%s"%s}\n' "$1" "$1" "${2:+,$2}" >"$1.json"
}

# says NAME.N TEXT, calls NAME.N TOOL ARGS [TOOL ARGS ...]: what an agent answers.
says() {
	jq -cn --arg text "$2" '{event_type:"llm_chunk",data:{text:$text}}' >"$1"
}

calls() {
	local file=$1 i=0
	shift
	while [ $# -gt 0 ]; do
		jq -cn --arg id "$file-$i" --arg name "$1" --arg args "$2" --argjson i $i \
			'{event_type:"tool_call_start",data:{tool_call_id:$id,tool_name:$name,index:$i}},
			{event_type:"tool_call_chunk",data:{tool_call_id:$id,tool_name:$name,args_delta:$args}}'
		i=$((i + 1))
		shift 2
	done >"$file"
}

# messages NAME.N: print the transcript of a request as roles and texts.
messages() {
	jq -rc '.messages[] | .role + ": " + ([.content[] | .text // .tool_name] | join(" "))' "requests/$1"
}

@test "a file defines the agent; the command line overrides it" {
	mkdir -p home/tools
	printf '{"name":"look","command":["printf","seen"]}\n' >home/tools/look.json
	echo 'be brief' >home/how.md
	cat >home/a.json <<-'EOF'
		{"name": "Reader", "model": "exec:sh model.sh", "instructions": "@how.md", "tools": ["tools/look.json"],
		 "options": {"temperature": 0.5, "top_p": 1}, "effort": "low", "max_tokens": 77, "tool_choice": "look", "output_schema": {"type": "integer"}}
	EOF
	unset AGENT_MODEL
	echo '{"event_type":"llm_chunk","data":{"text":"7"}}' >'be brief.1'
	cp 'be brief.1' other.1
	agent-run -A home/a.json 'go' </dev/null >events
	assert_equal "$(data agent_start '[.agent_name, .tools[], .system]')" '["Reader","look","be brief\n"]'
	assert_equal "$(data agent_end '[.agent_name, .output_json]')" '["Reader",7]'
	assert_equal "$(jq -c '[.options.temperature, .options.top_p, .effort, .max_tokens, .tool_choice, .schema, .tools[].name]' requests/be*)" \
		'[0.5,1,"low",77,"look",{"type":"integer"},"look"]'
	agent-run -A home/a.json -s other -o temperature=1 --effort high --max-tokens 5 --tool-choice auto -t list_dir 'go' </dev/null >events
	assert_equal "$(jq -c '[.options.temperature, .effort, .max_tokens, .tool_choice, [.tools[].name]]' requests/other.1)" \
		'[1,"high",5,"auto",["look","list_dir"]]'
}

@test "a handoff: the new agent's instructions, tools and model from then on, and back" {
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	agent front '"handoffs":["Big Band.json"]'
	agent 'Big Band' '"description":"Plays.","tools":["look.json"],"handoffs":["front.json"]'
	calls front.1 transfer_to_big_band '{"reason":"they want music"}'
	calls 'Big Band.1' look '{}'
	calls 'Big Band.2' transfer_to_front '{}'
	says front.2 'bye'
	agent-run -A front.json 'hello' </dev/null | tee events | agent-text >text
	assert_equal "$(cat text)" bye
	assert_equal "$(data agent_updated '[.agent_name, .previous_agent, .model, .reason, .tools[]]')" \
		$'["Big Band","front","sh model.sh","they want music","look","transfer_to_front"]\n["front","Big Band","sh model.sh",null,"transfer_to_big_band"]'
	assert_equal "$(data agent_end '[.agent_name, .total_iterations, .tool_calls]')" '["front",4,3]'
	assert_equal "$(data tool_end .result)" $'{"assistant": "Big Band"}\nseen\n{"assistant": "front"}'
	assert_equal "$(jq -c '.tools[] | [.name, .description]' requests/front.1)" \
		'["transfer_to_big_band","Handoff to the Big Band agent to handle the request. Plays."]'
	assert_equal "$(messages 'front.2')" "user: hello
assistant: transfer_to_big_band
tool: transfer_to_big_band
assistant: look
tool: look
assistant: transfer_to_front
tool: transfer_to_front"
}

@test "other agents of the command line can be handed to by the first" {
	agent a
	agent b
	agent c
	calls a.1 transfer_to_c '{}'
	says c.1 'done'
	agent-run -A a.json -A b.json -A c.json 'x' </dev/null >events
	assert_equal "$(data agent_start '.tools | join(" ")')" 'transfer_to_b transfer_to_c'
	assert_equal "$(jq -c '[.tools[]?.name]' requests/c.1)" '[]'
}

@test "the first of several handoffs applies, and other calls of the response run before it" {
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	agent a '"handoffs":["b.json","c.json"],"tools":["look.json"]'
	agent b
	agent c
	calls a.1 transfer_to_b '{}' transfer_to_c '{}' look '{}'
	says b.1 'done'
	agent-run -A a.json 'x' </dev/null >events
	assert_equal "$(data agent_updated .agent_name)" b
	assert_equal "$(data tool_end '[.tool_name, .is_error, .result]' | sort)" '["look",false,"seen"]
["transfer_to_b",false,"{\"assistant\": \"b\"}"]
["transfer_to_c",true,"Multiple handoffs detected, ignoring this one."]'
}

@test "handoff_input sets how much of the conversation the new agent sees" {
	agent a '"handoffs":["b.json"]'
	for input in all last none; do
		rm -rf requests
		mkdir requests
		agent b '"handoff_input":"'$input'"'
		calls a.1 transfer_to_b '{"reason":"it is yours"}'
		says b.1 'done'
		agent-run -A a.json --history <(echo '[{"role":"user","content":"one"},{"role":"assistant","content":"two"}]') 'three' </dev/null >events
		assert_equal "$(data agent_updated .handoff_input)" "$input"
		messages b.1 >"$input"
	done
	assert_equal "$(cat all)" "user: one
assistant: two
user: three
assistant: transfer_to_b
tool: transfer_to_b"
	assert_equal "$(cat last)" "user: three
user: The agent a handed over to you: it is yours"
	assert_equal "$(cat none)" "user: The agent a handed over to you: it is yours"
	# Who hands over decides where the other says nothing.
	rm -rf requests
	mkdir requests
	agent a '"handoffs":["b.json"],"handoff_input":"last"'
	agent b
	calls a.1 transfer_to_b '{}'
	agent-run -A a.json 'three' </dev/null >events
	assert_equal "$(messages b.1)" "user: three"
}

@test "a run that was cut at any event around a handoff goes on as the right agent" {
	agent a '"handoffs":["b.json"]'
	agent b '"handoff_input":"last"'
	calls a.1 transfer_to_b '{"reason":"r"}'
	says b.1 'done'
	agent-run -A a.json 'x' </dev/null >whole
	for lines in $(seq 2 $(($(wc -l <whole) - 1))); do
		rm -rf requests
		mkdir requests
		# What was asked before the cut is not asked again.
		if head -n "$lines" whole | grep -q '"llm_end".*transfer_to_b'; then touch requests/a.1; fi
		if head -n "$lines" whole | grep -q '"llm_end".*done'; then touch requests/b.1; fi
		head -n "$lines" whole >log
		run -0 agent-run -A a.json --resume log </dev/null
		cp log events
		assert_equal "$(data agent_updated '[.agent_name, .previous_agent]' | tail -1)" '["b","a"]'
		assert_equal "$(data agent_end '[.agent_name, .output, .tool_calls, .total_iterations]')" '["b","done",1,2]'
		if [ -s requests/b.1 ]; then
			assert_equal "$(messages b.1)" $'user: x\nuser: The agent a handed over to you: r'
		fi
		assert_equal "$(agent-text -F log 2>/dev/null)" 'done'
	done
	head -n 10 whole >log
	agent c
	run -2 agent-run -A c.json --resume log </dev/null
	assert_output 'agent-run: log: the run was handed over to the agent b; give its file with --agent'
}

@test "an agent is a tool: a nested run in the same stream, whose usage is its parent's too" {
	agent boss '"tools":[{"name":"ask_helper","description":"Asks","agent":"helper.json"}]'
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	agent helper '"tools":["look.json"]'
	calls boss.1 ask_helper '{"prompt":"find it"}'
	calls helper.1 look '{}'
	says helper.2 'found'
	says boss.2 'all done'
	for file in boss.1 helper.1 helper.2 boss.2; do
		echo '{"event_type":"llm_end","data":{"usage":{"input_tokens":10,"output_tokens":1}}}' >>$file
	done
	agent-run -A boss.json 'x' </dev/null | tee events | agent-text >text
	assert_equal "$(cat text)" 'all done'
	parent=$(jq -r 'select(.event_type == "agent_start" and .data.parent_run_id == null) | .run_id' events)
	assert_equal "$(data agent_start 'select(.parent_run_id != null) | [.agent_name, .prompt, .parent_run_id, .parent_tool_call_id]')" \
		"[\"helper\",\"find it\",\"$parent\",\"boss.1-0\"]"
	assert_equal "$(data agent_end '[.agent_name, .total_iterations, .tool_calls, .total_tokens, .usage.requests]')" \
		$'["helper",2,1,22,2]\n["boss",2,1,44,4]'
	assert_equal "$(data tool_end 'select(.tool_name == "ask_helper") | [.result, .is_error]')" '["found",false]'
	assert_equal "$(jq -c '.tools' requests/boss.1)" \
		'[{"name":"ask_helper","description":"Asks","parameters":{"type":"object","properties":{"prompt":{"type":"string","description":"What the agent is to do, with all it needs to know"}},"required":["prompt"],"additionalProperties":false}}]'
	for run in $(jq -r .run_id events | sort -u); do
		assert_equal "$(jq -c --arg r "$run" 'select(.run_id == $r) | .seq' events)" "$(seq 0 $(($(grep -c "\"run_id\":\"$run\"" events) - 1)))"
	done
	assert_equal "$(agent-collect --total events | tail -1 | jq -c '[.usage.input_tokens, .usage.requests, .tool_calls]')" '[40,4,2]'
}

@test "an agent that fails, or takes other arguments, is a tool like any other" {
	agent boss '"tools":[{"name":"two","description":"d","agent":"helper.json","parameters":{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}}}}]'
	agent helper '"limits":{"max_iterations":1},"tools":["list_dir"]'
	calls boss.1 two '{"a":1234567890123456789, "b":"x"}'
	calls helper.1 list_dir '{}'
	says boss.2 'well'
	agent-run -A boss.json 'x' </dev/null >events
	assert_equal "$(jq -r '.messages[0].content[0].text' requests/helper.1)" '{"a":1234567890123456789,"b":"x"}'
	assert_equal "$(data tool_end 'select(.tool_name == "two") | [.is_error, .result]')" \
		'[true,"The agent helper failed: no answer after 1 model response (--max-iterations)"]'
	assert_equal "$(data agent_end '[.agent_name, .status]')" $'["helper","limit"]\n["boss","success"]'
}

@test "the sentences about an answer that a nested run did not finish are those of older logs" {
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json"}]'
	agent helper
	calls boss.1 ask '{"prompt":"p"}' ask '{"prompt":"p"}' ask '{"prompt":"p"}'
	local reasons=(length content_filter error)
	for n in 1 2 3; do
		printf '{"event_type":"llm_end","data":{"finish_reason":"%s"}}\n' "${reasons[n - 1]}" >helper.$n
	done
	says boss.2 'well'
	agent-run -A boss.json -P 1 'x' </dev/null >events
	# A strict replay compares them.
	assert_equal "$(data tool_end .result)" "The agent helper failed: the answer was cut at the model's token limit (raise --max-tokens)
The agent helper failed: a content filter stopped the answer
The agent helper failed: the model ended its answer with an error"
}

@test "nesting ends at eight runs" {
	agent deep '"tools":[{"name":"deeper","description":"d","agent":"deep.json"}]'
	for n in 1 2 3 4 5 6 7 8; do calls deep.$n deeper '{"prompt":"go"}'; done
	for n in 9 10 11 12 13 14 15 16; do says deep.$n "back $n"; done
	agent-run -A deep.json 'x' </dev/null >events
	assert_equal "$(jq -r .run_id events | sort -u | wc -l)" 8
	assert_equal "$(data tool_end '.result' | head -1)" 'Agents may be nested 8 deep, not deeper.'
	assert_equal "$(data agent_end .output | tail -1)" 'back 16'
}

@test "a parent's limits reach into nested runs" {
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json"}],"limits":{"max_tool_calls":2}'
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	agent helper '"tools":["look.json"]'
	calls boss.1 ask '{"prompt":"p"}'
	calls helper.1 look '{}' look '{}'
	says boss.2 'well'
	agent-run -A boss.json 'x' </dev/null >events
	assert_equal "$(data tool_end '[.tool_name, .is_error]' | head -2 | sort)" $'["look",false]\n["look",true]'
	assert_equal "$(data agent_end '[.agent_name, .status, .tool_calls]' | head -1)" '["helper","limit",1]'
	rm -rf requests
	mkdir requests
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json"}]'
	calls helper.1 look '{}'
	says helper.2 never
	echo '{"event_type":"llm_end","data":{"usage":{"input_tokens":5000,"output_tokens":1}}}' >>helper.1
	run -3 agent-run -A boss.json --max-total-tokens 5000 'x' </dev/null
	printf '%s\n' "$output" | grep '^{' >events
	assert_equal "$(data agent_end '[.agent_name, .status]')" $'["helper","limit"]\n["boss","limit"]'
	assert [ ! -e requests/helper.2 ]
}

@test "a signal, a timeout and a closed pipe end nested runs, and their processes" {
	printf '{"name":"wait","command":["sh","-c","echo $$ >pid; exec sleep 1000"]}\n' >wait.json
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json"}]'
	agent helper '"tools":["wait.json"]'
	calls boss.1 ask '{"prompt":"p"}'
	calls helper.1 wait '{}'
	run -124 agent-run -A boss.json --timeout 1 'x' </dev/null
	run -1 kill -0 "$(cat pid)"
	for signal in INT TERM; do
		rm -rf requests pid
		mkdir requests
		(
			trap - INT
			exec agent-run -A boss.json 'x' </dev/null >events 2>/dev/null
		) &
		until [ -s pid ]; do sleep 0.01; done
		kill -s $signal $!
		wait $! || status=$?
		assert_equal "$status" "$((128 + $(kill -l $signal)))"
		run -1 kill -0 "$(cat pid)"
		assert_equal "$(data agent_end '[.agent_name, .status]')" $'["helper","cancelled"]\n["boss","cancelled"]'
		assert_equal "$(data tool_end '[.tool_name, .result]')" $'["wait","The call was cancelled."]\n["ask","The call was cancelled."]'
	done
	rm -rf requests pid
	mkdir requests
	agent-run -A boss.json 'x' </dev/null | sed -n '/"tool_start".*"wait"/q'
	run -1 kill -0 "$(cat pid)"
}

@test "an error in a definition is reported with file, line and remedy before anything is sent" {
	echo '{"name":"other","instructions":"x"}' >other.json
	mistake() {
		printf '%s' "$1" >bad.json
		run -2 agent-run -A bad.json 'x' </dev/null
		assert_output "agent-run: $2"
	}
	mistake '{"name":"a","colour":1}' 'bad.json:1: unknown key "colour"; the keys are name, description, model, instructions, tools, mcp, handoffs, handoff_input, output_schema, options, limits, $schema, effort, max_tokens, tool_choice'
	mistake $'{"name":"a",\n"limits":{"max_turns":1}}' 'bad.json:2: unknown key "max_turns"; the keys are max_iterations, max_total_tokens, max_tool_calls, max_repeats, max_cost, timeout'
	mistake $'{"name":"a",\n"limits":{"max_cost":"1"}}' 'bad.json:2: "max_cost" must be a number above 0'
	mistake '{"name":"a","limits":{"max_token":1}}' 'bad.json:1: unknown key "max_token" (did you mean max_cost?); the keys are max_iterations, max_total_tokens, max_tool_calls, max_repeats, max_cost, timeout'
	mistake $'{"name":"a","model":"test",\n"model":"openai:x"}' 'bad.json:2: the key "model" is there twice: leave one out'
	mistake $'{"name":"a","tools":[\n{"name":"x","command":["true"],"timout":1}]}' 'bad.json:2: unknown key "timout" (did you mean timeout?); the keys are name, description, parameters, inputSchema, command, agent, timeout, idle_timeout, env, env_only, approval, idempotent, poll, $schema, title, icons, annotations, outputSchema, execution, strict, _meta'
	mistake '{"instructions":"a"}' 'bad.json:1: the agent has no "name": add one'
	mistake '[]' 'bad.json:1: an agent is a JSON object with a "name"'
	mistake $'{"name":\n}' 'bad.json:2: not JSON: a value is missing'
	mistake $'{"name":"a","handoffs":[\n"none.json"]}' 'bad.json:2: none.json: No such file or directory'
	mistake $'{"name":"a","tools":[{"name":"b",\n"agent":"none.json"}]}' 'bad.json:2: none.json: No such file or directory'
	mistake $'{"name":"a",\n"max_tokens":"9b"}' 'bad.json:2: "max_tokens" must be a whole number of at least 1, such as 50, 10k or 1.5M'
	mistake $'{"name":"a",\n"max_tokens":1.5}' 'bad.json:2: "max_tokens" must be a whole number of at least 1, such as 50, 10k or 1.5M'
	mistake $'{"name":"a",\n"limits":{"timeout":"5 m"}}' 'bad.json:2: "timeout" must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s'
	mistake $'{"name":"a",\n"model":"anthropik:x"}' "bad.json:2: $(agent-run -m anthropik:x x </dev/null 2>&1 | sed 's/^agent-run: //')"
	mistake '{"name":"a","handoffs":["bad.json"]}' 'bad.json: an agent cannot hand over to itself'
	mistake $'{"name":"a","tools":[\n{"name":"x"}]}' 'bad.json:2: the manifest has no "command": add one, such as ["./program", "{name}"]'
	run -2 agent-run -m test -t other.json x </dev/null
	assert_output 'agent-run: other.json:1: this is the file of an agent: give it with --agent, or as the "agent" of a tool'
	mistake '{"name":"a","instructions":"@none.md"}' 'bad.json:1: none.md: No such file or directory'
	mistake '{"name":"a","output_schema":7}' 'bad.json:1: "output_schema" must be a JSON Schema (an object) or its file'
	mistake $'{"name":"a",\n"tool_choice":"nothing"}' 'bad.json:2: "tool_choice": nothing: the agent has no such tool; add it to "tools"'
	mistake $'{"name":"a",\n"tool_choice":"required"}' 'bad.json:2: "tool_choice": required needs a tool; add one to "tools"'
	echo '{"name":"b","tool_choice":"nothing"}' >b.json
	mistake '{"name":"a","handoffs":["b.json"]}' 'b.json:1: "tool_choice": nothing: the agent has no such tool; add it to "tools"'
	mistake '{"name":"a","tools":[{"name":"x","agent":"b.json"}]}' 'b.json:1: "tool_choice": nothing: the agent has no such tool; add it to "tools"'
	mistake '{"name":"a","handoff_input":"some"}' 'bad.json:1: "handoff_input" must be all, last or none'
	mistake '{"name":"a","model":"openai:x","mcp":{}}' 'bad.json:1: "mcp": this version knows no MCP servers; leave it out, or give the tools as manifests'
	echo '{"name":"a"}' >other.json
	mistake '{"name":"a","handoffs":["other.json"]}' 'other.json: the name "a" is used by bad.json: rename one of them'
}

@test "a missing key of a later agent is reported before anything is sent" {
	agent a '"handoffs":["b.json"]'
	agent b '"model":"anthropic:claude-sonnet-4-5"'
	run -2 --separate-stderr env -u ANTHROPIC_API_KEY agent-run -A a.json 'x' </dev/null
	assert_equal "$output" ''
	assert_regex "$stderr" 'ANTHROPIC_API_KEY'
	assert [ ! -e requests/a.1 ]
}

# asked N: print the part of a request that a recording and the sent request have in common.
asked() {
	jq -cS '{instructions, tools: [.tools[]? | .name],
		input: [.input[] | if .type == "function_call" then {call_id, name, arguments: (.arguments | fromjson)}
			elif .type == "function_call_output" then {call_id, output}
			else [.role, (.content | if type == "array" then map(.text) | join("") else . end)] end]}'
}

# handoff RECORDING PROMPT: serve the recorded responses of a handoff, and compare the requests.
handoff() {
	local rounds=("$RECORDINGS/$1"/0?) i
	start_server "${rounds[@]/#/recording=}"
	OPENAI_API_KEY=key-c0ffee agent-run -m openai:gpt-4o --base-url "$SERVER_URL/v1" -A front.json "$2" </dev/null >events
	assert_equal "$(request_count)" ${#rounds[@]}
	for ((i = 0; i < ${#rounds[@]}; i++)); do
		assert_equal "$(request $((i + 1)) .body | asked)" "$(asked <"${rounds[i]}/request.json")"
	done
	assert_equal "$(agent-text -n events)" "$(jq -r .text "${rounds[-1]}/expected.json")"
}

@test "recorded conversations with a handoff are reproduced" {
	unset AGENT_MODEL OPENAI_BASE_URL
	RECORDINGS=$BATS_TEST_DIRNAME/data/recordings/openai
	cat >front.json <<-'EOF'
		{"name": "Conductor", "handoffs": ["composer.json"],
		 "instructions": "You coordinate musical performances. When users ask for composition, hand off to the Symphony Composer."}
	EOF
	cat >composer.json <<-'EOF'
		{"name": "Symphony Composer", "instructions": "You compose and arrange symphonic music pieces using your composition tools.",
		 "tools": [{"name": "compose_music", "description": "Compose music in the specified style and key.",
		  "parameters": {"type": "object", "properties": {"style": {"type": "string"}, "key": {"type": "string"}}, "required": ["style", "key"]},
		  "command": ["printf", "Composed a beautiful %s piece in %s major", "{style}", "{key}"]}]}
	EOF
	handoff responses-tl-music-composer-handoff-hierarchy 'Can you create a new symphony in D major?'
	assert_equal "$(data agent_updated '[.previous_agent, .agent_name]')" '["Conductor","Symphony Composer"]'
	cat >front.json <<-'EOF'
		{"name": "Router", "instructions": "You handle general requests and route data processing tasks to the Analytics Agent.", "handoffs": ["analytics.json"]}
	EOF
	step() {
		printf '{"name":"%s","description":"d","command":["printf","%s: %%s","{%s}"],"parameters":{"type":"object","properties":{"%s":{"type":"string"}}}}' "$1" "$2" "$3" "$3"
	}
	printf '{"name":"Analytics Agent","instructions":"You are a data analytics specialist. Use your tools to analyze data, process results, and generate reports.","tools":[%s,%s,%s]}' \
		"$(step analyze_data 'Analyzed data patterns for' data_request)" "$(step process_results 'Processed results' analysis_data)" \
		"$(step generate_report 'Generated report' processed_data)" >analytics.json
	handoff responses-tl-router-analytics-complete-workflow 'Can you analyze the sales data from last quarter and generate a report?'
}

@test "the key of a model that several agents name is asked for once" {
	start_server say=fine
	mkdir -p config/agent
	echo '{"vault":{"protocol":"openai-chat","base_url":"'"$SERVER_URL"'","api_key_command":["sh","-c","echo asked >>asked; echo sk-secret"]}}' \
		>config/agent/providers.json
	agent a '"model":"vault:m","handoffs":["b.json"]'
	agent b '"model":"vault:m"'
	XDG_CONFIG_HOME=$PWD/config agent-run -A a.json hello </dev/null | agent-text >said
	assert_equal "$(cat asked)" asked
	assert_equal "$(cat said)" fine
}

@test "the schema of definitions accepts what agent-run accepts" {
	jq -r '.properties | keys[]' "$AGENT_SHARE/agent.schema.json" | sort >keys
	echo '{"name":"a","x":1}' >bad.json
	run -2 agent-run -A bad.json x </dev/null
	sed 's/.*the keys are //; s/, /\n/g' <<<"$output" | sort >read
	diff keys read
	jq -r '.properties.limits.properties | keys[]' "$AGENT_SHARE/agent.schema.json" | sort >keys
	echo '{"name":"a","limits":{"x":1}}' >bad.json
	run -2 agent-run -A bad.json x </dev/null
	sed 's/.*the keys are //; s/, /\n/g' <<<"$output" | sort | diff keys -
	jq -r '.properties.tools.items.anyOf[1].properties | keys[]' "$AGENT_SHARE/agent.schema.json" | sort >keys
	echo '{"name":"a","tools":[{"name":"b","x":1}]}' >bad.json
	run -2 agent-run -A bad.json x </dev/null
	sed 's/.*the keys are //; s/, /\n/g' <<<"$output" | sort | diff keys -
}

@test "the limits of a resumed run count the usage of the earlier run and of nested runs" {
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	agent boss '"tools":[{"name":"ask","description":"d","agent":"mid.json"}]'
	agent mid '"tools":[{"name":"ask","description":"d","agent":"low.json"},"look.json"]'
	agent low
	calls boss.1 ask '{"prompt":"p"}'
	calls mid.1 ask '{"prompt":"q"}' look '{}'
	says low.1 'deep'
	says mid.2 'found'
	says boss.2 'done'
	for file in boss.1 mid.1 low.1 mid.2 boss.2; do
		echo '{"event_type":"llm_end","data":{"usage":{"input_tokens":10,"output_tokens":1,"cost_usd":0.5}}}' >>$file
	done
	agent-run -A boss.json 'x' </dev/null >whole
	for at in $(grep -n '"tool_end".*"tool_name":"ask"' whole | sed 's/:.*//'); do
		rm -rf requests
		mkdir requests
		touch requests/boss.1
		head -n "$at" whole >log
		asked=$(grep -c '"llm_end"' log)
		agent-run -A boss.json --resume log </dev/null >events
		assert_equal "$(data agent_end '[.agent_name, .total_tokens, .usage.requests, .total_cost_usd]')" "[\"boss\",$((asked * 11 + 11)),$((asked + 1)),$(jq -n "($asked + 1) / 2")]"
	done
	# look was called, and both that ask.
	calls boss.2 ask '{"prompt":"again"}'
	rm -rf requests
	mkdir requests
	touch requests/boss.1
	grep -v '"agent_name":"boss","success"' whole | sed '/"tool_end".*"result":"found"/q' >log
	run -3 agent-run -A boss.json --max-tool-calls 3 --resume log </dev/null
	assert_regex "$output" 'the model asked for more than 3 tool calls'

}

@test "a resumed agent gets its earlier messages and none of other agents" {
	agent a '"handoffs":["b.json"]'
	echo '{"name":"b","handoffs":["a.json"]}' >b.json
	calls a.1 transfer_to_b '{}'
	calls none.1 transfer_to_a '{}'
	says a.2 'back'
	agent-run -A a.json 'x' </dev/null >whole
	rm -rf requests
	mkdir requests
	touch requests/a.1
	sed '/"agent_updated"/q' whole >log
	agent-run -A a.json --resume log </dev/null >events
	assert_equal "$(jq -c .system requests/none.1 requests/a.2)" $'null\n"a"'
	assert_equal "$(data agent_start .system)" null
	# Instructions of a history are those of the agent that starts.
	echo '{"name":"a","handoffs":["b.json"]}' >a.json
	agent b '"handoffs":["a.json"]'
	rm -rf requests
	mkdir requests
	calls old.1 transfer_to_b '{}'
	calls b.1 transfer_to_a '{}'
	says old.2 'back'
	agent-run -A a.json --history <(echo '[{"role":"system","content":"old"}]') 'x' </dev/null >whole
	jq -s -e '.[-1].data.success' whole
	for at in $(seq "$(grep -n '"agent_updated"' whole | sed 's/:.*//;q')" $(($(wc -l <whole) - 1))); do
		rm -rf requests
		mkdir requests
		touch requests/old.1
		if head -n "$at" whole | grep -q '"llm_end".*transfer_to_a'; then touch requests/b.1; fi
		if head -n "$at" whole | grep -q '"llm_end".*back'; then touch requests/old.2; fi
		head -n "$at" whole >log
		agent-run -A a.json --resume log </dev/null >events
		assert_equal "$(data agent_end .output)" back
	done
}

@test "a forced call is forced once for each agent, in a resumed run as well" {
	agent a '"handoffs":["b.json"],"tool_choice":"required"'
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	agent b '"tools":["look.json"],"tool_choice":"look"'
	calls a.1 transfer_to_b '{}'
	calls b.1 look '{}'
	says b.2 'done'
	agent-run -A a.json 'x' </dev/null >whole
	assert_equal "$(jq -c .tool_choice requests/a.1 requests/b.1 requests/b.2)" $'"required"\n"look"\nnull'
	rm -rf requests
	mkdir requests
	touch requests/a.1
	sed '/"agent_updated"/q' whole >log
	agent-run -A a.json --resume log </dev/null >events
	assert_equal "$(jq -c .tool_choice requests/b.1 requests/b.2)" $'"look"\nnull'
}

@test "a nested agent with an output schema: its result is JSON and nothing else" {
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json"}]'
	agent helper '"output_schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}'
	calls boss.1 ask '{"prompt":"p"}'
	says helper.1 '{"n": "x"}'
	says helper.2 $'```json\n{"n": 12345678901234567890}\n```'
	says boss.2 'done'
	agent-run -A boss.json 'x' </dev/null >events
	assert_equal "$(jq -c 'select(.event_type == "tool_end").data | [.tool_name, .is_error]' events)" '["ask",false]'
	assert_regex "$(grep '"tool_end"' events)" '"result":"\{\\"n\\": 12345678901234567890\}".*"result_json":\{"n": 12345678901234567890\}'
	assert_equal "$(data output_chunk 'keys' | sort -u)" '["output"]'
	assert_equal "$(data error .error)" 'the answer does not satisfy the schema: /n: must be integer, not string'
	says helper.1 'no'
	for n in 2 3; do cp helper.1 helper.$n; done
	rm -rf requests
	mkdir requests
	agent-run -A boss.json 'x' </dev/null >events
	assert_equal "$(data tool_end '[.is_error, .result]')" \
		$'[true,"The agent helper failed: the answer does not satisfy the schema: it is not JSON: unknown word at byte 1\\n\\nIts last words were:\\nno"]'
	assert_equal "$(data agent_end '[.agent_name, .status, .exit_status]')" $'["helper","invalid_output",5]\n["boss","success",0]'
}

@test "the output schema is that of the agent which answers" {
	agent a '"handoffs":["b.json"],"output_schema":{"type":"integer"}'
	agent b '"output_schema":{"type":"string","minLength":3}'
	calls a.1 transfer_to_b '{}'
	says b.1 '"x"'
	says b.2 '"xyz"'
	agent-run -A a.json 'x' </dev/null >events
	assert_equal "$(data agent_end '[.agent_name, .output_json]')" '["b","xyz"]'
	assert_equal "$(data error .error)" 'the answer does not satisfy the schema: must have at least 3 characters, not 1'
	assert_equal "$(jq -c .schema requests/a.1 requests/b.1)" $'{"type":"integer"}\n{"type":"string","minLength":3}'
}

@test "a batch whose lines override the agent, resumed around a handoff" {
	agent a '"handoffs":["b.json"],"model":"exec:false"'
	agent b '"handoffs":["a.json"]'
	calls mine.1 transfer_to_b '{}'
	calls b.1 transfer_to_a '{}'
	says mine.2 'done'
	echo '{"id":"one","prompt":"x","system":"mine","model":"exec:sh model.sh"}' >lines
	agent-run -A a.json --batch lines -l whole </dev/null >/dev/null
	assert_equal "$(jq -c 'select(.event_type == "agent_end").data.output' whole)" '"done"'
	for at in $(seq 1 $(($(wc -l <whole) - 1))); do
		rm -rf requests
		mkdir requests
		head -n "$at" whole >log
		if grep -q '"llm_end".*transfer_to_b' log; then touch requests/mine.1; fi
		if grep -q '"llm_end".*transfer_to_a' log; then touch requests/b.1; fi
		if grep -q '"llm_end".*done' log; then touch requests/mine.2; fi
		agent-run -A a.json --batch lines -l log </dev/null >events
		assert_equal "$(data agent_end '[.agent_name, .output, .tool_calls]')" '["a","done",2]'
		[ "$at" -eq 1 ] || assert_equal "$(data agent_start .resumed_from)" "$(jq -r .run_id whole | sed q)"
	done
}

@test "a batch of agents with nested runs, resumed: a nested run belongs to no line" {
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json","idempotent":true}]'
	agent helper
	calls boss.1 ask '{"prompt":"x"}'
	says helper.1 'found'
	says boss.2 'done'
	for file in boss.1 helper.1 boss.2; do
		echo '{"event_type":"llm_end","data":{"usage":{"input_tokens":10,"output_tokens":1}}}' >>$file
	done
	echo '{"id":"","prompt":"x"}' >lines
	agent-run -A boss.json --batch lines -l whole </dev/null >/dev/null
	rm -rf requests
	mkdir requests
	touch requests/boss.1
	sed '/"agent_end"/q' whole >log
	cp helper.1 helper.2
	agent-run -A boss.json --batch lines -l log </dev/null >events
	assert_equal "$(data agent_end '[.agent_name, .output, .total_tokens]')" '["helper","found",11]
["boss","done",44]'
}

# A model that answers by how many results it has seen: NAME.RESULTS.
by_results() {
	cat >model.sh <<-'EOF'
		cat >"request.$$"
		name=$(sed -E 's/.*"system":"([^"\\]*).*/\1/' "request.$$").$(grep -o '"role":"tool"' "request.$$" | wc -l)
		rm "request.$$"
		cat "$name"
	EOF
}

@test "a run that was cut at any event, also in nested runs, is finished, and readers treat it as one run" {
	by_results
	printf '{"name":"look","command":["sh","-c","echo $AGENT_RUN_ID >>ran; echo seen"]}\n' >look.json
	agent boss '"tools":[{"name":"again","description":"d","agent":"helper.json","idempotent":true},{"name":"once","description":"d","agent":"helper.json"}]'
	agent helper '"tools":["look.json"],"handoffs":["other.json"]'
	agent other
	calls boss.0 again '{"prompt":"a"}' once '{"prompt":"b"}'
	calls helper.0 look '{}'
	calls helper.1 transfer_to_other '{}'
	says boss.1 'all done'
	says other.2 'found'
	agent-run -A boss.json 'x' </dev/null >whole
	whole=$(wc -l <whole)
	for at in $(seq 1 $((whole - 1))); do
		head -n "$at" whole >log
		rm -f ran
		sed -nE '/"tool_start"/s/.*"tool_name":"(again|once)".*/\1/p' log >begun
		sed -nE '/"tool_end"/s/.*"tool_name":"(again|once)".*/\1/p' log >ended
		agent-run -A boss.json --resume log </dev/null >events
		result=found error=false runs=2
		if grep -q once begun && ! grep -q once ended; then
			result='The call was interrupted: this program was stopped while it ran. Whether it had an effect is not known.'
			error=true
			runs=1
		fi
		# What runs again is what had not ended.
		[ "$runs" = 1 ] || runs=$((2 - $(wc -l <ended)))
		if grep -q again ended && [ "$error" = true ]; then runs=0; fi
		assert_equal "$([ ! -e ran ] || wc -l <ran)" "$([ $runs -eq 0 ] || echo $runs)"
		run -0 --separate-stderr agent-text --strict -F log
		assert_output 'all done'
		assert_equal "$(agent-tools --strict log | grep -c '^<- ')" 2
		agent-collect --strict --total log >total
		agent-collect -o messages log >messages
		agent-collect -o otlp log >trace
		# Usage is that of all responses, including those before the cut; every span has a parent in the file.
		assert_equal "$(jq -cn --slurpfile log log --slurpfile events events --slurpfile total total --slurpfile messages messages --slurpfile trace trace '
			def ended($name): $log | map(select(.event_type == "tool_end" and .data.tool_name == $name).data | "\(.is_error) \(.result)") | unique | join(",");
			[$trace | .. | .spans? // empty | .[]] as $spans | ($spans | map(.spanId)) as $ids
			| ($events | map(select(.event_type == "agent_end" and .data.agent_name == "boss").data)
			   | map(.status, .output, .tool_calls, .usage.requests)),
			  [$log | group_by(.run_id)[] | select(map(.seq) != [range(length)])[0].run_id],
			  ended("once"), ended("again"), $total[-1].usage.requests, ($messages[0] | map(.role)),
			  ($spans | map(select(.parentSpanId and (.parentSpanId | IN($ids[]) | not)).name))')" \
			"[\"success\",\"all done\",2,$(grep -c '"llm_end"' log)]
[]
\"$error $result\"
\"false found\"
$(grep -c '"llm_end"' log)
[\"system\",\"user\",\"assistant\",\"tool\",\"assistant\"]
[]"
	done
}

@test "eight nested runs at once" {
	by_results
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json"}]'
	agent helper
	args=()
	for n in 1 2 3 4 5 6 7 8 9; do args+=(ask "{\"prompt\":\"$n\"}"); done
	calls boss.0 "${args[@]}"
	says boss.1 'done'
	cat >model.sh.helper <<-'EOF'
		request=$(cat)
		case $request in
		*'"system":"helper"'*)
			touch "at.$$"
			n=0
			while [ "$n" -lt 2000 ] && [ ! -e full ]; do
				[ "$(ls at.* | wc -l)" -lt 8 ] || touch full
				n=$((n + 1))
				sleep 0.01
			done
			[ -e full ] || exit 1
			printf '%s\n' "$request" | jq -c '{text: .messages[0].content[0].text}' ;;
		*) printf '%s\n' "$request" | sh model.sh ;;
		esac
	EOF
	agent-run -m 'exec:sh model.sh.helper' -A boss.json 'x' </dev/null >events
	assert_equal "$(data tool_end .result | sort | tr -d '\n')" 123456789
	# The ninth waited for one of the eight.
	assert_equal "$(jq -rs 'reduce .[] as $e ({now: 0, most: 0}; if $e.event_type == "tool_start" then .now += 1 elif $e.event_type == "tool_end" then .now -= 1 else . end | .most = ([.most, .now] | max)) | .most' events)" 8
	assert_equal "$(jq -r 'select(.event_type == "agent_end" and .data.agent_name == "boss").data.usage.requests' events)" 11
}

@test "--wrap-up: a nested run at its parent's limit gives a final answer, and the parent continues" {
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json"}]'
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	agent helper '"tools":["look.json"]'
	calls boss.1 ask '{"prompt":"p"}'
	calls helper.1 look '{}' look '{}'
	says helper.2 'half of it'
	says boss.2 'what there is'
	agent-run -A boss.json --max-tool-calls 2 --wrap-up 'x' </dev/null >events
	assert_equal "$(data agent_end '[.agent_name, .status, .output]')" '["helper","limit","half of it"]
["boss","success","what there is"]'
	assert_regex "$(data tool_end 'select(.tool_name == "ask") | .result' | tr '\n' ' ')" '^The agent helper failed: .*Its last words were: half of it'
}

@test "fallbacks of an agent that is handed to" {
	agent a '"handoffs":["b.json"]'
	start_server "status=500 text=no"
	export OPENAI_API_KEY=k OPENAI_BASE_URL=$SERVER_URL
	agent b '"model":"openai-chat:m,exec:sh model.sh"'
	calls a.1 transfer_to_b '{}'
	says b.1 'done'
	agent-run -A a.json --retries 0 'x' </dev/null >events
	assert_equal "$(data llm_retry .model)" 'sh model.sh'
	assert_equal "$(data agent_end '[.agent_name, .output]')" '["b","done"]'
}

@test "the time of a nested run: its file's, or that of the tool" {
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json","timeout":0.3}]'
	printf '{"name":"wait","command":["sh","-c","echo $$ >pid; exec sleep 1000"]}\n' >wait.json
	agent helper '"tools":["wait.json"],"limits":{"timeout":1000}'
	calls boss.1 ask '{"prompt":"p"}'
	calls helper.1 wait '{}'
	says boss.2 'well'
	agent-run -A boss.json 'x' </dev/null >events
	assert_equal "$(data agent_end '[.agent_name, .status]')" $'["helper","timeout"]\n["boss","success"]'
	run -1 kill -0 "$(cat pid)"
	assert_regex "$(data tool_end 'select(.tool_name == "ask") | .result')" '^The agent helper failed: the run took longer than 0.3 seconds'
}

@test "a session after a handoff: the first agent starts the next turn with the whole conversation" {
	agent a '"handoffs":["b.json"]'
	agent b
	calls a.1 transfer_to_b '{}'
	says b.1 'from b'
	says a.2 'from a'
	agent-run -A a.json -c talk 'one' </dev/null >/dev/null
	agent-run -A a.json -c talk 'two' </dev/null >events
	assert_equal "$(data agent_end '[.agent_name, .output]')" '["a","from a"]'
	assert_equal "$(messages a.2)" 'user: one
assistant: transfer_to_b
tool: transfer_to_b
assistant: from b
user: two'
}

@test "a recording of handoffs and nested runs answers again, strictly" {
	by_results
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	agent boss '"tools":[{"name":"ask","description":"d","agent":"helper.json"}],"handoffs":["other.json"]'
	agent helper '"tools":["look.json"],"output_schema":{"type":"integer"}'
	agent other '"handoff_input":"last"'
	calls boss.0 ask '{"prompt":"a"}'
	calls boss.1 transfer_to_other '{}'
	calls helper.0 look '{}'
	says helper.1 '7'
	says other.0 'done'
	agent-run -A boss.json 'x' </dev/null >whole
	agent-run -A boss.json -m replay:whole -o strict=true 'x' </dev/null >events
	assert_equal "$(data agent_end '[.agent_name, .status, .output]')" '["helper","success","7"]
["other","success","done"]'
	run -1 --separate-stderr agent-run -A boss.json -m replay:whole -o strict=true 'y' </dev/null
}

@test "-o overrides the option of an agent's file, also for the test model" {
	echo '{"name":"a","model":"test","options":{"text":"file"}}' >a.json
	agent-run -A a.json hi </dev/null >events
	assert_equal "$(agent-text events)" file
	agent-run -A a.json -o text=line hi </dev/null >events
	assert_equal "$(agent-text events)" line
}
