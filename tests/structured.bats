#!/usr/bin/env bats
# agent-run --schema: answers that are JSON, while they are written and when they are complete.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	echo '{"type":"object","properties":{"n":{"type":"integer"},"list":{"type":"array","items":{"type":"string"}}},"required":["n"]}' >schema.json
}

# A model that answers call number N with the text of the file answer.N, in pieces of 4 bytes.
scripted() {
	cat >model.sh <<-'EOF'
		cat >"request.$(($(ls request.* 2>/dev/null | wc -l) + 1))"
		n=$(ls request.* | wc -l)
		fold -w 4 "answer.$n" | jq -Rc '{text: .}'
	EOF
	echo "exec:sh model.sh"
}

@test "the answer grows as JSON: a line when it changes, the last one the whole" {
	printf '{"n": 12345678901234567890, "list": ["one", "two"]}' >answer.1
	agent-run -m "$(scripted)" --schema schema.json hi </dev/null >events
	run agent-text --partial events
	assert_output - <<-'EOF'
		{}
		{"n":12345678901234567890}
		{"n":12345678901234567890,"list":["on"]}
		{"n":12345678901234567890,"list":["one"]}
		{"n":12345678901234567890,"list":["one","two"]}
	EOF
	assert_equal "$(grep -o '"output_json":{[^}]*}' events)" '"output_json":{"n": 12345678901234567890, "list": ["one", "two"]}'
	assert_equal "$(agent-text events)" "$(cat answer.1)"
}

@test "the test model answers with a value that satisfies the schema" {
	agent-run -m test --schema schema.json hi </dev/null >events
	assert_equal "$(data agent_end .output_json)" '{"n":0}'
}

@test "an invalid answer is corrected: the model gets the errors" {
	echo '{"n":"x","list":[1]}' >answer.1
	echo 'Sorry: {"n":1}' >answer.2
	printf '{"n":1}' >answer.3
	agent-run -m "$(scripted)" --schema schema.json hi </dev/null >events
	assert_equal "$(data agent_end '[.status, .output, .output_json, .total_iterations]')" '["success","{\"n\":1}",{"n":1},3]'
	assert_equal "$(data error '[.exception_type, .fatal, .error]' | head -1)" \
		'["invalid_output",false,"the answer does not satisfy the schema: /n: must be integer, not string; /list/0: must be string, not number"]'
	assert_equal "$(jq -c '[.messages[].role]' request.3)" '["user","assistant","user","assistant","user"]'
	assert_equal "$(jq -r '.messages[-1].content[0].text' request.2)" \
		'Your answer does not satisfy the JSON Schema that was asked for: /n: must be integer, not string; /list/0: must be string, not number. Answer again with the corrected JSON value and nothing else.'
	assert_equal "$(data llm_end .is_final | paste -sd' ')" 'false false true'
	assert_equal "$(jq -c .schema.required request.1)" '["n"]'
}

@test "a correction is part of the history, also of a run that is resumed after it" {
	echo '{"n":"x"}' >answer.1
	printf '{"n":1}' >answer.2
	agent-run -m "$(scripted)" --schema schema.json hi </dev/null >events
	jq -c '.messages' request.2 >asked
	rm request.2
	sed '/"event_type":"error"/q' events >cut
	agent-run -m "$(scripted)" --schema schema.json --resume cut </dev/null >out
	assert_equal "$(jq -c '.messages | map(del(.model, .provider))' request.2)" "$(jq -c 'map(del(.model, .provider))' asked)"
	assert_equal "$(data agent_end .output_json out)" '{"n":1}'
	printf '{"n":2}' >answer.3
	agent-run -m "$(scripted)" --schema schema.json --history events again </dev/null >out
	assert_equal "$(jq -c '[.messages[].role]' request.3)" '["user","assistant","user","assistant","user"]'
}

@test "an answer that stays invalid ends the run with status 5" {
	for i in 1 2 3; do echo '{"n":"x"}' >answer.$i; done
	status=0
	agent-run -m "$(scripted)" --schema schema.json hi </dev/null >events 2>messages || status=$?
	assert_equal "$status" 5
	assert_equal "$(cat messages)" 'agent-run: the answer does not satisfy the schema: /n: must be integer, not string'
	assert_equal "$(data agent_end .status)" invalid_output
	run -5 agent-text events
	rm request.*
	agent-run -m "$(scripted)" --output-retries 0 --schema schema.json hi </dev/null >events 2>/dev/null || true
	assert_equal "$(data agent_end '[.status, .total_iterations]')" '["invalid_output",1]'
}

@test "a code fence around the answer is removed" {
	printf '```json\n{"n": 1}\n```\n' >text
	agent-run -m test -o text="$(cat text)" --schema schema.json hi </dev/null >events
	assert_equal "$(grep -o '"output_json":{[^}]*}' events)" '"output_json":{"n": 1}'
}

@test "an answer that was cut off is a limit, not invalid output" {
	printf '%s\n' '{"text":"{\"n\":"}' '{"event_type":"llm_end","data":{"finish_reason":"length"}}' >cut
	run -3 agent-run -m 'exec:cat cut' --schema schema.json hi
}

# Where the provider takes no schema, a tool takes the answer.
person='{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}'

@test "an output tool: forced if it is alone; its arguments are the answer, and the events show no call" {
	echo "$person" >person.json
	start_server "tool='give_answer {\"n\": \"12345678901234567890\"}' finish=stop" "tool='give_answer {\"n\": 12345678901234567890}'"
	DEEPSEEK_API_KEY=k DEEPSEEK_BASE_URL=$SERVER_URL agent-run -m deepseek:deepseek-chat --schema person.json hi </dev/null >events
	assert_equal "$(request 1 '.body | [.response_format, .tool_choice.function.name, (.tools[0].function | .name, .parameters)]')" \
		"[null,\"give_answer\",\"give_answer\",$person]"
	assert_equal "$(request 2 '[.body.messages[] | [.role, .content]]')" \
		'[["user","hi"],["assistant","{\"n\": \"12345678901234567890\"}"],["user","Your answer does not satisfy the JSON Schema that was asked for: /n: must be integer, not string. Answer again with the corrected JSON value and nothing else."]]'
	assert_regex "$(grep '"agent_end"' events)" '"output":"\{\\"n\\": 12345678901234567890\}","output_json":\{"n": 12345678901234567890\}'
	assert_equal "$(data agent_end '[.status, .finish_reason, .tool_calls, .total_iterations]')" '["success","stop",0,2]'
	assert_equal "$(grep -c '"event_type":"tool_' events)" 0
	assert_equal "$(agent-text --partial events | tail -1)" '{"n":12345678901234567890}'
	assert_equal "$(agent-text -F events)" '{"n": 12345678901234567890}'
}

@test "an output tool with other tools: they run, and text between calls is not part of the answer" {
	echo "$person" >person.json
	printf '{"name":"look","command":["printf","seen"]}\n' >look.json
	start_server "say='Let me see.' tool='look {}'" "say='Here it is:' tool='give_answer {\"n\":1}'"
	DEEPSEEK_API_KEY=k DEEPSEEK_BASE_URL=$SERVER_URL agent-run -m deepseek:deepseek-chat -t look.json --schema person.json hi </dev/null >events
	assert_equal "$(request 1 '.body | [.tool_choice, [.tools[].function.name], .messages[0].content]')" \
		'[null,["look","give_answer"],"Give your final answer by calling give_answer, not in text."]'
	assert_equal "$(data tool_end '[.tool_name, .result]')" '["look","seen"]'
	assert_equal "$(data agent_end '[.output, .output_json, .tool_calls]')" '["{\"n\":1}",{"n":1},1]'
	assert_equal "$(data thinking_chunk .text | tr -d '\n')" 'Here it is:'
	assert_equal "$(request_count)" 2
}

@test "an output tool for models of Bedrock that accept no schema" {
	echo "$person" >person.json
	export AWS_BEARER_TOKEN_BEDROCK=k AWS_REGION=us-east-1
	for model in anthropic.claude-3-5-haiku-v1:0 amazon.nova-lite-v1:0; do
		agent-run -n -m "bedrock:$model" --schema person.json hi </dev/null >shown
		assert_equal "$(tail -1 shown | jq -c '.toolConfig | [.tools[].toolSpec.name, .toolChoice.tool.name]')" '["give_answer","give_answer"]'
	done
	agent-run -n -m bedrock:meta.llama3-1-8b-instruct-v1:0 --schema person.json hi </dev/null >shown
	assert_equal "$(tail -1 shown | jq -c '[.toolConfig, (.system[0].text | test("JSON Schema"))]')" '[null,true]'
}

@test "a pattern of the schema holds, also with look-ahead" {
	echo '{"type":"object","properties":{"x":{"type":"string","pattern":"^(?!foo)"}},"required":["x"]}' >schema.json
	run --separate-stderr agent-run -m test -o text='{"x":"fo"}' --schema schema.json hi </dev/null
	assert_success
	run --separate-stderr agent-run -m test -o text='{"x":"foobar"}' --schema schema.json --output-retries 0 hi </dev/null
	assert_failure 5
	assert_equal "$(data error .error <(echo "$output"))" 'the answer does not satisfy the schema: /x: does not match the pattern ^(?!foo)'
}

@test "an answer that is too expensive to check is invalid" {
	echo '{"items":{"pattern":"^(a+)+$"}}' >schema.json
	run --separate-stderr agent-run -m test -o text="[\"$(printf 'a%.0s' {1..60})!\"]" --schema schema.json --output-retries 0 hi </dev/null
	assert_failure 5
	assert_equal "$(data error .error <(echo "$output"))" 'the answer does not satisfy the schema: the schema is too expensive to check'
}

@test "an invalid pattern is an error at the start, in any place of the schema" {
	echo '{"$defs":{"x":{"patternProperties":{"a++":true}}}}' >schema.json
	run agent-run -m test --schema schema.json hi </dev/null
	assert_failure 2
	assert_output 'agent-run: schema.json:1: the pattern "a++" is not valid: a quantifier has nothing to repeat'
	printf '{"name":"look","command":["true"],\n"parameters":{"type":"object","properties":{"p":{"pattern":"(?<a>x)\\\\k<b>"}}}}\n' >look.json
	run agent-run -m test -t look.json hi </dev/null
	assert_failure 2
	assert_output 'agent-run: look.json:2: the pattern "(?<a>x)\k<b>" is not valid: reference to non-existent subpattern'
	printf '{"name":"a","model":"test",\n"output_schema":{"pattern":"\\\\Z"}}\n' >a.json
	run agent-run -A a.json hi </dev/null
	assert_failure 2
	assert_output 'agent-run: a.json:2: the pattern "\Z" is not valid: the escape \Z means nothing here'
	echo '{"name":"a","model":"test","output_schema":"schema.json"}' >a.json
	run agent-run -A a.json hi </dev/null
	assert_failure 2
	assert_output 'agent-run: schema.json:1: the pattern "a++" is not valid: a quantifier has nothing to repeat'
}

@test "an invalid schema is an error at the start, wherever it is given" {
	printf '{"type":"object",\n"properties":{"n":{"type":"strin"}}}\n' >schema.json
	local types='"type" must be null, boolean, number, integer, string, array or object, or an array of these'
	run -2 agent-run -m test --schema schema.json hi </dev/null
	assert_output "agent-run: schema.json:2: $types"
	run -2 agent-filter --valid schema.json </dev/null
	assert_output "agent-filter: schema.json:2: $types"
	printf '{"name":"look","command":["true"],\n"parameters":{"type":"object","required":\n"a"}}\n' >look.json
	run -2 agent-run -m test -t look.json hi </dev/null
	assert_output 'agent-run: look.json:3: "required" must be an array of strings'
	printf '{"name":"a","model":"test",\n"output_schema":{"type":"objekt"}}\n' >a.json
	run -2 agent-run -A a.json hi </dev/null
	assert_output "agent-run: a.json:2: $types"
	echo '{"name":"a","model":"test","output_schema":"schema.json"}' >a.json
	run -2 agent-run -A a.json hi </dev/null
	assert_output "agent-run: schema.json:2: $types"
}

@test "arguments that are too expensive to check, or break a pattern, are refused" {
	cat >model.sh <<-'EOF'
		if grep -q '"role":"tool"'; then echo '{"text":"done"}'; exit; fi
		call() { printf '{"event_type":"tool_call_start","data":{"tool_call_id":"%s","tool_name":"look","index":%d}}\n{"event_type":"tool_call_end","data":{"tool_call_id":"%s","tool_name":"look","args":%s}}\n' "$1" "$2" "$1" "$3"; }
		call a 0 "{\"p\":\"$(printf 'a%.0s' $(seq 60))!\"}"
		call b 1 '{"q":"../x"}'
		call c 2 '{"q":"x"}'
	EOF
	echo '{"name":"look","command":["echo","seen"],"parameters":{"type":"object","properties":{"p":{"pattern":"^(a+)+$"},"q":{"pattern":"^(?!.*\\.\\.)"}}}}' >look.json
	agent-run -m 'exec:sh model.sh' -t look.json hi </dev/null >events
	run data tool_end '.tool_call_id + " " + .result'
	assert_line "a The arguments do not satisfy the tool's schema: the schema is too expensive to check. Fix the errors and try again."
	assert_line "b The arguments do not satisfy the tool's schema: /q: does not match the pattern ^(?!.*\\.\\.). Fix the errors and try again."
	assert_line "c seen"
}
