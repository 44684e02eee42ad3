#!/usr/bin/env bats
# agent-run: limits of a run, its last answer at one, and conversations that are too long.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir tools config config/agent
	printf '{"name":"look","command":["printf","seen"]}\n' >tools/look.json
	# A dollar for a thousand tokens.
	echo '{"exec":{"*":{"input":1000,"output":1000}}}' >config/agent/prices.json
	export XDG_CONFIG_HOME=$PWD/config
	: >usage
}

# model CALLS: a model that calls look CALLS times in every answer as long as it may, and says
# "so far" when it may not or CALLS is 0; `usage` holds what it counts, "INPUT OUTPUT". The requests it gets are
# request.1, request.2, ...
model() {
	echo "$1" >calls
	cat >model.sh <<'EOF'
n=$(($(ls request.* 2>/dev/null | wc -l) + 1))
cat >request.$n
if [ "$(jq -r .tool_choice request.$n)" = none ] || [ "$(cat calls)" -eq 0 ]; then
	echo '{"event_type":"llm_chunk","data":{"text":"so far"}}'
else
	i=0
	while [ $i -lt "$(cat calls)" ]; do
		echo '{"event_type":"tool_call_start","data":{"tool_call_id":"c'$n$i'","tool_name":"look","index":'$i'}}'
		i=$((i + 1))
	done
fi
read -r input output <usage || exit 0
echo '{"event_type":"llm_end","data":{"usage":{"input_tokens":'$input',"output_tokens":'$output'}}}'
EOF
	rm -f request.*
}

# ask OPTION...: agent-run with that model; events in `events`.
ask() {
	agent-run -m 'exec:sh model.sh' -t tools "$@" hello </dev/null 2>messages >events
}

requests() {
	find . -name 'request.*' | wc -l | tr -d ' '
}

# Every call of an answer has one tool_start and one tool_end.
assert_all_answered() {
	assert_equal "$(data llm_end '.message.content[] | select(.type == "tool_call") | .tool_call_id')" "$(data tool_end .tool_call_id | sort)"
	assert_equal "$(data tool_start .tool_call_id | sort)" "$(data tool_end .tool_call_id | sort)"
}

@test "tool calls beyond the limit are not started, and answered" {
	model 3
	run -3 ask --max-tool-calls 2
	assert_equal "$(data tool_end '[.tool_call_id, .result] | join(" ")' | sort)" 'c10 seen
c11 seen
c12 The call was not run: the limit of 2 tool calls is reached (--max-tool-calls).'
	assert_equal "$(data agent_end '[.status, .exit_status, .tool_calls, .total_iterations]')" '["limit",3,2,1]'
	assert_equal "$(data error .error)" 'the model asked for more than 2 tool calls (--max-tool-calls)'
	assert_all_answered
	model 1
	run -3 ask --max-tool-calls 2
	assert_equal "$(data agent_end '[.status, .exit_status, .tool_calls, .total_iterations]')" '["limit",3,2,3]'
	assert_equal "$(requests)" 3
	model 1
	run -3 ask --max-tool-calls 1
	assert_equal "$(data error .error)" 'the model asked for more than 1 tool call (--max-tool-calls)'
}

@test "as many tool calls as the limit are fine" {
	agent-run -m test -t tools --max-tool-calls 1 hello >events
	assert_equal "$(data agent_end '[.status, .tool_calls]')" '["success",1]'
}

@test "--wrap-up: after too many calls a last answer without tools, and still status 3" {
	model 3
	run -3 ask --max-tool-calls 2 --wrap-up
	assert_equal "$(requests)" 2
	assert_equal "$(jq -c '[.tool_choice, (.messages | map(.role))]' request.2)" '["none",["user","assistant","tool","user"]]'
	assert_equal "$(jq -r '.messages[-1].content[0].text' request.2)" 'A limit of this run is reached: the model asked for more than 2 tool calls (--max-tool-calls). No tool can be called any more, and this is your last answer. Give the best answer you can from what you have: what is done, what was found, and what is missing.'
	assert_equal "$(data agent_end '[.success, .status, .exit_status, .output, .finish_reason]')" '[false,"limit",3,"so far","stop"]'
	assert_equal "$(data error '[.error, .exception_type, .fatal]')" '["the model asked for more than 2 tool calls (--max-tool-calls)","limit",true]'
	assert_all_answered
}

@test "--wrap-up: one response more than --max-iterations" {
	model 1
	run -3 ask --max-iterations 2 --wrap-up
	assert_equal "$(data agent_end '[.status, .exit_status, .output, .total_iterations]')" '["limit",3,"so far",3]'
	assert_equal "$(data error .error)" 'no answer after 2 model responses (--max-iterations)'
	assert_all_answered
}

@test "--wrap-up: calls of the last answer are answered, and do not run" {
	printf '{"name":"look","command":["sh","-c","echo ran | tee -a ran"]}\n' >tools/look.json
	model 1
	sed -i 's/= none/= never/' model.sh
	run -3 ask --max-iterations 1 --wrap-up
	assert_equal "$(cat ran)" ran
	assert_equal "$(requests)" 2
	assert_equal "$(data tool_end .result)" $'ran\n\nThe call was not run: no answer after 1 model response (--max-iterations).'
	assert_all_answered
}

@test "responses without counts of tokens reach --max-total-tokens and --max-cost by estimates" {
	cat >endless.sh <<-'E'
		cat >/dev/null
		echo '{"text":"1234567890123456789012345678901234567890","tool_name":"look","args":{}}'
	E
	agent-run -m 'exec:sh endless.sh' -t tools --max-total-tokens 2000 hello </dev/null 2>messages >events && status=0 || status=$?
	assert_equal "$status $(data agent_end '[.status, .total_tokens, .total_cost_usd]')" '3 ["limit",null,null]'
	assert_regex "$(data error .error)" '^the run used [0-9]+ (tokens, the limit is|of) 2000 '
	assert [ "$(data agent_end .total_iterations)" -gt 3 ]
	assert [ "$(data agent_end .total_iterations)" -lt 20 ]
	mkdir -p config/agent
	echo '{"exec":{"*":{"input":10,"output":10}}}' >config/agent/prices.json
	XDG_CONFIG_HOME=$PWD/config agent-run -m 'exec:sh endless.sh' -t tools --max-cost 0.02 hello </dev/null 2>messages >events && status=0 || status=$?
	assert_equal "$status $(data agent_end '[.status, .total_cost_usd]')" '3 ["limit",null]'
	assert_regex "$(data error .error)" '^the run cost 0\.0[12][0-9]* (USD|of)'
}

@test "--wrap-up when there is an answer in time changes nothing" {
	agent-run -m test -t tools --max-iterations 2 --max-tool-calls 1 --max-total-tokens 100000 --wrap-up hello >events
	assert_equal "$(data agent_end '[.status, .total_iterations]')" '["success",2]'
}

@test "a failed --wrap-up request still ends with the limit" {
	model 1
	sed -i 's/echo .*"so far".*/echo no >\&2; exit 1/' model.sh
	run -3 ask --max-iterations 1 --wrap-up --retries 0
	assert_equal "$(data agent_end '[.status, .exit_status]')" '["limit",3]'
}

@test "--wrap-up with a schema: the last answer need not satisfy it" {
	echo '{"type":"object"}' >schema.json
	model 1
	run -3 ask --max-iterations 1 --wrap-up --schema schema.json
	assert_equal "$(data agent_end '[.status, .exit_status, .output]')" '["limit",3,"so far"]'
	assert_equal "$(requests)" 2
}

@test "--max-total-tokens: a request that cannot fit is not sent" {
	model 1
	run -3 ask --max-total-tokens 10
	assert_equal "$(requests)" 0
	assert_equal "$(data error .error)" 'the first request, of about 16 tokens, is too long for the limit of 10 tokens (--max-total-tokens)'
	echo '100 50' >usage
	run -3 ask --max-total-tokens 400
	assert_equal "$(requests)" 2
	assert_equal "$(data error .error)" 'the run used 300 of 400 tokens, too many for another request of about 106 (--max-total-tokens)'
	assert_equal "$(data agent_end '[.status, .exit_status, .total_tokens]')" '["limit",3,300]'
	assert_equal "$(data llm_end .usage.input_tokens)" $'100\n100'
}

@test "--max-total-tokens: calls of an answer after which nothing fits do not run" {
	model 1
	echo '900 200' >usage
	run -3 ask --max-total-tokens 1000
	assert_equal "$(data error .error)" 'the run used 1100 tokens, the limit is 1000 (--max-total-tokens)'
	assert_equal "$(data tool_start .tool_name)" ''
}

@test "--max-total-tokens limits the answer to the remaining tokens" {
	model 1
	echo '100 50' >usage
	run -3 ask --max-total-tokens 400
	assert_equal "$(jq -c .max_tokens request.1)" 384
	assert_equal "$(jq -c .max_tokens request.2)" 138
	model 1
	run -3 ask --max-total-tokens 400 --max-tokens 200
	assert_equal "$(jq -c .max_tokens request.1)" 200
	assert_equal "$(jq -c .max_tokens request.2)" 138
	model 1
	run -3 ask --max-total-tokens 1000000 --max-iterations 1
	assert_equal "$(jq -c .max_tokens request.1)" null
}

@test "an answer that was cut by the limit says so" {
	start_server "say='half an ans' finish=length"
	OPENAI_API_KEY=k run -3 agent-run -m openai-chat:m --base-url "$SERVER_URL" --max-total-tokens 100 --no-stdin hello
	assert_line --partial '"error":"the answer was cut where the limit of the run is (--max-total-tokens, --max-cost)"'
	assert_equal "$(request 1 .body.max_completion_tokens)" 94
}

# calls FINISH ARGS...: a model that calls look once for each ARGS, the arguments as text, and ends with
# the reason FINISH; after results it answers.
calls() {
	jq -nc --arg finish "$1" '$ARGS.positional | to_entries[] | {event_type: "tool_call_start", data: {tool_call_id: "c\(.key)", tool_name: "look"}},
		{event_type: "tool_call_chunk", data: {tool_call_id: "c\(.key)", tool_name: "look", args_delta: .value}}' --args "${@:2}" >calls
	echo '{"event_type":"llm_end","data":{"finish_reason":"'"$1"'"}}' >>calls
	printf 'cat >request.$$; if grep -q tool_result request.$$; then echo %s; else cat calls; fi\n' "'{\"text\":\"done\"}'" >model.sh
	rm -f request.*
}

@test "a tool call that the output limit cuts is a limit, after one request" {
	local args
	for args in '{"city":"Os' '' '{}'; do
		calls length '{"city":"Rome"}' "$args"
		run -3 ask
		assert_equal "$(requests)" 1
		assert_equal "$(data tool_start .tool_call_id)" ''
		assert_equal "$(data llm_end '[.finish_reason, .is_final]')" '["length",true]'
		assert_equal "$(data error '[.exception_type, .error]')" '["length","the answer was cut at the model'"'"'s token limit (raise --max-tokens)"]'
		assert_equal "$(data agent_end '[.status, .exit_status]')" '["limit",3]'
		mv events recorded
		run -3 agent-run -m replay:recorded -o strict=true -t tools --no-stdin hello
		assert_line --partial '"exception_type":"length"'
	done
}

@test "calls that are complete before the output limit run" {
	calls length '{"city":"Rome"}'
	ask
	assert_equal "$(data tool_end .result)" seen
	assert_equal "$(data agent_end .output)" "done"
}

@test "a log of a run that went on after a cut call is replayed as it was" {
	calls tool_calls '{"city":"Os'
	ask
	sed 's/"finish_reason":"tool_calls"/"finish_reason":"length"/' events >recorded
	agent-run -m replay:recorded -o strict=true -t tools --no-stdin hello >events
	assert_equal "$(data agent_end '[.status, .output]')" '["success","done"]'
}

@test "--wrap-up after an answer that was cut by the limit" {
	start_server "say='half an ans' finish=length" "say='so far'"
	OPENAI_API_KEY=k run -3 --separate-stderr agent-run -m openai-chat:m --base-url "$SERVER_URL" --max-total-tokens 1000 --wrap-up --no-stdin hello
	assert_equal "$(request 2 '.body.messages | map(.role)')" '["user","assistant","user"]'
	assert_regex "$(request 2 '.body.messages[2].content')" '^"?A limit of this run is reached: the answer was cut where the limit of the run is \(--max-total-tokens, --max-cost\)\. '
	assert_equal "$(tail -n 1 <<<"$output" | jq -c '.data | [.status, .exit_status, .output]')" '["limit",3,"so far"]'
	assert_equal "$(request_count)" 2
}

@test "--wrap-up keeps room for the last request, and the limit" {
	model 1
	echo '100 50' >usage
	run -3 ask --max-total-tokens 800 --wrap-up
	assert_equal "$(data agent_end '[.status, .exit_status, .output, .total_tokens, .total_iterations]')" '["limit",3,"so far",750,5]'
	assert_equal "$(data tool_end .result | tail -n 2)" 'seen
The call was not run: the run used 600 of 800 tokens, too many for another request of about 106 (--max-total-tokens).'
	assert_equal "$(jq -c '.max_tokens <= 200' request.5)" true
	assert_all_answered
}

@test "--wrap-up: calls that wait when the tokens are used up are answered without being run" {
	model 2
	echo '100 450' >usage
	run -3 ask --max-total-tokens 800 --wrap-up
	assert_equal "$(data tool_end .result | sort -u)" 'The call was not run: the run used 550 of 800 tokens, too many for another request of about 108 (--max-total-tokens).'
	assert_equal "$(jq -c '.messages | map(.role)' request.2)" '["user","assistant","tool","user"]'
	assert_equal "$(data agent_end .output)" 'so far'
	assert_all_answered
}

@test "--max-cost: a request that would cost too much is not sent" {
	model 1
	run -3 ask --max-cost 0.01
	assert_equal "$(requests)" 0
	assert_equal "$(data error .error)" 'the first request, of about 16 tokens, is too expensive for the limit of 0.01 USD (--max-cost)'
	run -3 ask --max-cost 1e-7
	assert_equal "$(data error .error)" 'the first request, of about 16 tokens, is too expensive for the limit of 0.0000001 USD (--max-cost)'
	echo '100 50' >usage
	run -3 ask --max-cost 0.4
	assert_equal "$(requests)" 2
	assert_equal "$(data agent_end '[.status, .exit_status, .total_cost_usd]')" '["limit",3,0.3]'
	assert_equal "$(data error .error)" 'the run cost 0.3 of 0.4 USD, too much for another request of about 106 tokens (--max-cost)'
	assert_equal "$(jq -c .max_tokens request.2)" 138
	model 1
	run -3 ask --max-cost 0.15
	assert_equal "$(data error .error)" 'the run cost 0.15 USD, the limit is 0.15 (--max-cost)'
	assert_equal "$(data tool_start .tool_name)" ''
}

@test "a misspelt key in the user's prices is an error before anything is sent" {
	printf '{"exec":{"*":{"input":1,\n"otput":2}}}' >config/agent/prices.json
	model 1
	run -2 ask
	assert_equal "$(cat messages)" "agent-run: $XDG_CONFIG_HOME/agent/prices.json:2: unknown key \"otput\" (did you mean output?); the keys are input, output, cache_read, cache_write, reasoning, above, tiers, context, max_output"
	assert [ ! -e request.1 ]
}

@test "--max-cost refuses models without a price before anything is sent" {
	export OPENAI_API_KEY=k
	refused() {
		run -2 agent-run --max-cost 0.01 "$@" hello </dev/null
		assert_line "agent-run: the price of openai:house-7b is not known, so --max-cost cannot limit its cost: add it to prices.json, see agent-providers(5), or allow it with --unpriced allow"
	}
	refused -m openai:house-7b
	refused -m openai:gpt-5.1,openai:house-7b
	refused -m openai:house-7b --unpriced refuse
	echo '{"name":"helper","model":"openai:house-7b"}' >helper.json
	echo '{"name":"boss","model":"test","tools":[{"name":"ask","agent":"helper.json"}]}' >boss.json
	refused -A boss.json
	echo '{"name":"boss","model":"test","handoffs":["helper.json"]}' >boss.json
	refused -A boss.json
	echo '{"name":"boss","model":"openai:house-7b","limits":{"max_cost":1}}' >boss.json
	run -2 agent-run -A boss.json hello </dev/null
	echo '{"prompt":"a","model":"openai:house-7b"}' >batch
	refused -m test --batch batch
	run -2 agent-run -m test --max-cost 1 --unpriced maybe hello
	assert_output "agent-run: --unpriced must be allow or refuse, not 'maybe'"
}

@test "--unpriced allow counts responses without a price as 0; built-in models cost 0" {
	export OPENAI_API_KEY=k
	start_server "say=one"
	agent-run -m openai-chat:house-7b --base-url "$SERVER_URL" --max-cost 0.01 hello </dev/null 2>messages >events
	assert_equal "$(data agent_end '[.success, .total_cost_usd]')" '[true,0]'
	assert_equal "$(cat messages)" 'agent-run: openai-chat:house-7b has no price; it runs on this machine and counts as 0 for --max-cost'
	agent-run -m openai-chat:house-7b --base-url "$SERVER_URL" --max-cost 0.01 --unpriced allow hello </dev/null 2>messages >events
	assert_equal "$(cat messages)" ''
	rm config/agent/prices.json
	model 1
	echo '100 50' >usage
	run -3 ask --max-cost 0.01 --max-iterations 3
	assert_equal "$(requests) $(data agent_end .total_cost_usd)" '3 0'
	agent-run -m test --max-cost 0.01 hello </dev/null 2>messages >events
	assert_equal "$(data agent_end .total_cost_usd) $(cat messages)" '0 '
}

@test "a replay costs what was recorded" {
	model 1
	echo '100 50' >usage
	run -3 ask --max-iterations 2
	mv events log
	agent-run -m replay:log -t tools --max-iterations 2 hello </dev/null >events || true
	assert_equal "$(data agent_end .total_cost_usd)" 0.3
	agent-run -m replay:log -t tools --max-cost 0.2 hello </dev/null >events || true
	assert_equal "$(data agent_end .status)" limit
}

# ---- conversations that are too long ----

# history: three turns, of which the second has calls, about 1000 tokens each.
history() {
	local long
	long=$(printf 'x%.0s' {1..1300})
	jq -nc --arg x "$long" '[
		{role: "system", content: "be kind"},
		{role: "user", content: ("one " + $x)}, {role: "assistant", content: ("1 " + $x + $x)},
		{role: "user", content: "two"},
		{role: "assistant", content: null, tool_calls: [{id: "a", type: "function", function: {name: "look", arguments: "{}"}}]},
		{role: "tool", tool_call_id: "a", content: ("a " + $x + $x + $x)},
		{role: "assistant", content: "2"},
		{role: "user", content: "three"}, {role: "assistant", content: ("3 " + $x + $x + $x)}]' >history.json
}

# What is sent: the first word of each text, and the results.
sent() {
	jq -r '[.messages[].content[] | (.text // .result // .tool_name) | split(" ")[0]] | join(" ")' "$1"
}

@test "--max-history-tokens leaves out the oldest whole turns, and keeps the instructions" {
	history
	model 0
	ask --history history.json
	assert_equal "$(sent request.1)" 'one 1 two look a 2 three 3 hello'
	assert_equal "$(data llm_start .dropped_messages)" null
	model 0
	ask --history history.json --max-history-tokens 3100
	assert_equal "$(sent request.1)" 'one 1 two look a 2 three 3 hello'
	model 0
	ask --history history.json --max-history-tokens 2900
	assert_equal "$(sent request.1)" 'two look a 2 three 3 hello'
	assert_equal "$(data llm_start .dropped_messages)" 2
	assert_equal "$(jq -r .system request.1)" 'be kind'
	model 0
	ask --history history.json --max-history-tokens 1900
	assert_equal "$(sent request.1)" 'three 3 hello'
	model 0
	ask --history history.json --max-history-tokens 1
	assert_equal "$(sent request.1)" 'hello'
	assert_equal "$(data agent_end .status)" success
}

@test "--max-history-tokens leaves out old rounds of a long run, never a call without its result" {
	printf '{"name":"look","command":["sh","-c","echo $AGENT_TOOL_CALL_ID; head -c 4000 /dev/zero | tr \\"\\\\0\\" x"]}\n' >tools/look.json
	model 2
	run -3 ask --max-history-tokens 5000 --max-iterations 5
	assert_equal "$(data llm_start .dropped_messages)" 'null
null
null
2
4'
	assert_equal "$(jq -c '.messages | map(.role)' request.5)" '["user","assistant","tool","assistant","tool"]'
	assert_equal "$(jq -c '[.messages[].content[] | select(.type == "tool_call").tool_call_id]' request.5)" '["c30","c31","c40","c41"]'
	assert_equal "$(jq -c '[.messages[].content[] | select(.type == "tool_result").tool_call_id]' request.5)" '["c30","c31","c40","c41"]'
	assert_equal "$(jq -r '.messages[0].content[0].text' request.5)" hello
}

@test "--max-history-tokens goes by the provider's count when that is more" {
	printf '{"name":"look","command":["sh","-c","head -c 4000 /dev/zero | tr \\"\\\\0\\" x"]}\n' >tools/look.json
	model 1
	echo '3000 10' >usage
	run -3 ask --max-history-tokens 5000 --max-iterations 4
	assert_equal "$(data llm_start .dropped_messages)" 'null
null
2
4'
}

@test "--dry-run shows what --max-history-tokens leaves" {
	history
	agent-run -m test --history history.json --max-history-tokens 1900 --dry-run hello >request.1
	assert_equal "$(sent request.1)" 'three 3 hello'
}

# ---- calls that lead nowhere ----

note='[This call was made 2 times with the same arguments and the same result. Do not repeat it: do something else, or answer with what you have.]'

@test "--max-repeats: a call that is repeated is told to the model once, then it is a limit" {
	model 1
	run -3 ask --max-repeats 2
	assert_equal "$(data tool_end .result)" "seen
seen
$note
seen
seen"
	assert_equal "$(requests)" 4
	assert_equal "$(jq -r '.messages[-1].content[0].result' request.3)" "seen
$note"
	assert_equal "$(data error '[.exception_type, .error]')" '["limit","the model made the same call of look 4 times with the same result (--max-repeats)"]'
	assert_equal "$(data agent_end '[.status, .exit_status]')" '["limit",3]'
	assert_all_answered
	model 1
	run -3 ask --max-repeats 2 --wrap-up
	assert_equal "$(data agent_end .output)" 'so far'
}

@test "--max-repeats is off by default, and counts only equal calls with equal results" {
	model 1
	run -3 ask --max-iterations 12
	assert_equal "$(data tool_end .result | sort -u)" seen
	# The result changes, or the arguments; the same arguments may be written in another way.
	printf '{"name":"look","command":["sh","-c","echo >>n; grep -c ^ n"]}\n' >tools/look.json
	model 1
	run -3 ask --max-repeats 1 --max-iterations 6
	assert_equal "$(data tool_end .result | tail -n 2)" '6
[This call was made 1 time with the same arguments and the same result. Do not repeat it: do something else, or answer with what you have.]'
	printf '{"name":"look","command":["printf","seen"]}\n' >tools/look.json
	# shellcheck disable=SC2016
	echo 'cat >/dev/null; n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n
		case $((n % 3)) in 0) a={\"a\":1,\"b\":2} ;; 1) a={\"b\":2.0,\"a\":1} ;; 2) a={\"a\":$n} ;; esac
		printf "%s\n" "{\"tool_name\":\"look\",\"args\":$a}"' >model.sh
	rm -f n
	run -3 ask --max-repeats 2
	assert_equal "$(data llm_start .iteration | tail -n 1)" 5
}

@test "--max-repeats: a tool that polls is exempt, and agent files have the limit" {
	model 1
	printf '{"name":"look","command":["printf","seen"],"poll":true}\n' >tools/look.json
	run -3 ask --max-repeats 2 --max-iterations 9
	assert_equal "$(requests)" 9
	printf '{"name":"a","model":"exec:sh model.sh","tools":[{"name":"look","command":["printf","seen"]}],"limits":{"max_repeats":1,"max_iterations":9}}\n' >a.json
	model 1
	run -3 agent-run -A a.json --no-stdin hello
	assert_equal "$(requests)" 2
	model 1
	run -3 agent-run -A a.json --max-repeats 0 --no-stdin hello
	assert_equal "$(requests)" 9
	run -2 agent-run -m test --max-repeats -1 hello
	assert_output "agent-run: --max-repeats must be a whole number of at least 0, such as 8, not '-1'"
}

@test "calls that cannot be run count against --output-retries, for each tool" {
	local schema='{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'
	jq -nc --argjson schema "$schema" '{name: "weather", parameters: $schema, command: ["true"]}' >tools/weather.json
	# say CALL...: a model that always makes these calls.
	say() {
		printf '%s\n' "$@" >calls
		echo 'cat >request.$$; cat calls' >model.sh
		rm -f request.*
	}
	local bad='{"tool_name":"weather","args":{"town":1}}' good='{"tool_name":"look","args":{}}'
	say "$bad"
	run -1 ask --output-retries 2
	assert_equal "$(requests)" 3
	assert_equal "$(data error '[.exception_type, .error]')" '["invalid_response","the model wrote invalid arguments for the tool weather 3 times in a row (--output-retries)"]'
	assert_equal "$(data agent_end .status)" error
	assert_all_answered
	run -1 ask --output-retries 0
	assert_equal "$(requests)" 4
	# Other tools that run make no difference, nor does a second faulty call of the response.
	say "$bad" "$good" "$bad"
	run -1 ask
	assert_equal "$(requests)" 3
	# Tools that do not exist are one, whatever their names are.
	# shellcheck disable=SC2016
	echo 'cat >request.$$; echo "{\"tool_name\":\"no$$\",\"args\":{}}"' >model.sh
	rm -f request.*
	run -1 ask
	assert_equal "$(requests)" 3
	assert_equal "$(data error .error)" 'the model called a tool that does not exist 3 times in a row (--output-retries)'
}

@test "a call that runs begins a new count of those that cannot" {
	local schema='{"type":"object","required":["city"]}'
	jq -nc --argjson schema "$schema" '{name: "weather", parameters: $schema, command: ["true"]}' >tools/weather.json
	# shellcheck disable=SC2016
	echo 'n=$(ls request.* 2>/dev/null | wc -l); cat >request.$n
		[ $((n % 3)) = 2 ] && a={\"city\":1} || a={}; echo "{\"tool_name\":\"weather\",\"args\":$a}"' >model.sh
	run -3 ask --max-iterations 9
	assert_equal "$(requests)" 9
}

@test "durations and counts have units on the command line and in files" {
	echo '{"name":"late","command":["sleep","30"],"idle_timeout":"200ms"}' >tools/late.json
	agent-run -m test -t tools/late.json -o delay=.01 --max-iterations 1k --timeout 1m hello \
		</dev/null >events
	assert_equal "$(data tool_end .result)" 'stopped after 0.2 seconds without output'
	run -124 agent-run -m test -o delay=5s --timeout 100ms hello
	echo '{"name":"a","model":"test","options":{"delay":"5s"},"limits":{"timeout":".1s"}}' >a.json
	run -124 agent-run -A a.json hello
	run -2 agent-run -m test --timeout 5x hello
	assert_output "agent-run: --timeout must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s, not '5x'"
	run -2 agent-run -m test -j 1.5 hello
	assert_output "agent-run: --jobs must be a whole number of at least 1, such as 8, not '1.5'"
}

@test "a timeout of 0 is no limit, on the command line and in files" {
	echo '{"name":"a","model":"test","options":{"delay":0.1},"limits":{"timeout":"100ms"}}' >a.json
	run agent-run -A a.json --timeout 0 hello
	assert_success
	echo '{"name":"a","model":"test","limits":{"timeout":0}}' >a.json
	run agent-run -A a.json hello
	assert_success
	echo '{"name":"nap","command":["sleep","0.3"],"timeout":0}' >tools/nap.json
	agent-run -m test -t tools/nap.json --tool-timeout 0.1 hello </dev/null >events
	assert_equal "$(data tool_end .is_error)" false
}

@test "a number without a leading zero is a number" {
	assert_equal "$(agent-run -m test -o temperature=.4 -o top_p=-.5 -o user=.x --dry-run hello | jq -c .options)" \
		'{"temperature":0.4,"top_p":-0.5,"user":".x"}'
}

@test "limits are numbers" {
	run -2 agent-run -m test --max-history-tokens 0 hello
	assert_output "agent-run: --max-history-tokens must be a whole number of at least 1, such as 50, 10k or 1.5M, not '0'"
	run -2 agent-run -m test --approval-timeout soon hello
	assert_output "agent-run: --approval-timeout must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s, not 'soon'"
}
