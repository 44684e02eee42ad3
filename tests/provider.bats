# agent-run with a provider over HTTP: unusual framings, failures, and where the key must not appear.
# The recordings are responses of real providers; SOURCE.txt names their sources.
# shellcheck shell=bash disable=SC2016 # single-quoted text is for jq or the server
load helper

recordings=tests/data/recordings
secret=key-c0ffee-0123456789

setup() {
	local name
	for name in OPENAI ANTHROPIC GEMINI GROQ OPENROUTER PERPLEXITY DASHSCOPE; do
		export "${name}_API_KEY=$secret"
	done
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -sf "$OLDPWD/tests" tests
}

# ask MODEL [OPTION...]: run against the server; the events go to the file events, messages to the
# file messages. Returns the exit status.
ask() {
	local model=$1
	shift
	agent-run -m "$model" --base-url "$SERVER_URL" "$@" hi </dev/null >events 2>messages
}

types() {
	jq -r .event_type events | uniq | paste -sd' '
}

# assert_text_of RECORDING [STATUS]: the text of the run is byte for byte that of the recording, and the
# run ended with STATUS.
assert_text_of() {
	agent-text -n events >text 2>/dev/null || assert_equal $? "${2:-0}"
	jq -j .text "$1/expected.json" >expected
	run cmp text expected
	assert_success
}

# replay MODEL RECORDING HOW...: a recording that is sent in each of these ways yields the same text.
replay() {
	local model=$1 recording=$2 how answers=()
	shift 2
	for how in "$@"; do
		answers+=("recording=$recording $how")
	done
	start_server "${answers[@]}"
	jq -j .text "$recording/expected.json" >expected
	for how in "$@"; do
		echo "sent with: $how"
		ask "$model"
		agent-text -n events >text
		cmp text expected
		grep -q '"event_type":"agent_end".*"status":"success"' events
	done
	assert_equal "$(request_count)" $# # none was asked for twice
}

# ---- framing ----

framings=('' 'chunk=1' 'chunk=7' 'chunk=11 random=3' 'chunk=40 random=4 delay=0.0001' 'chunk=whole'
	'eol=crlf' 'eol=cr' 'eol=crlf chunk=1' 'eol=cr chunk=1' 'comments=yes' 'space=no' 'split=yes'
	'ids=yes' 'bom=yes' 'bom=yes chunk=1' 'last=open' 'framing=close' 'framing=length' 'gzip=yes'
	'gzip=yes chunk=1' "early='103 Early Hints'"
	'eol=crlf comments=yes space=no split=yes ids=yes bom=yes last=open chunk=5 random=6')

@test "openai-chat: the text is the same however the stream is framed" {
	replay openai-chat:m $recordings/alibaba/chat-vc-alibaba-text/01 "${framings[@]}"
}

@test "openai-chat: a stream with CRLF, without [DONE], with usage in every chunk (Perplexity)" {
	replay perplexity:sonar $recordings/perplexity/chat-rb-streaming-responses-perplexity-sonar-supports-streaming/01 "${framings[@]}"
}

# ---- errors inside a stream ----

@test "the error in a field named error ends the run (llama.cpp)" {
	local recording=$recordings/gpustack/chat-rb-with-extended-thinking-gpustack-qwen3-streams-thinking/01
	start_server "recording=$recording"
	run -1 ask openai-chat:qwen3 --retries 0
	assert_text_of $recording 1
	assert_equal "$(data agent_end .status)" error
	assert_equal "$(data error .error | grep -c 'failed to decode, try again, increasing context size or reducing parallel')" 1
}

@test "the error in an event named error ends the run (Groq)" {
	start_server "recording=$recordings/groq/chat-pai-tool-use-failed-error-streaming-with-text/01"
	run -1 ask groq:gpt-oss --retries 0
	assert_equal "$(data error .error | grep -c 'Tool choice is required, but model did not call a tool')" 1
	assert_equal "$(data agent_end .status)" error
}

@test "an error next to choices ends the run (OpenRouter)" {
	start_server "recording=$recordings/openrouter/chat-pai-openrouter-stream-error/01"
	run -1 ask openrouter:minimax --retries 0
	assert_equal "$(data error .error | grep -c 'Token limit reached')" 1
}

# ---- responses that are not streams ----

@test "a complete JSON response instead of a stream is accepted" {
	start_server "type=application/json text='{\"id\":\"x\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"all at once\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}'"
	ask openai-chat:m
	assert_equal "$(agent-text events)" 'all at once'
	assert_equal "$(data agent_end '[.usage.input_tokens, .usage.output_tokens]')" '[3,4]'
}

@test "an error as JSON with status 200 is an error" {
	start_server "type=application/json text='{\"error\":{\"message\":\"the model is asleep\",\"code\":\"asleep\"}}'"
	run -1 ask openai-chat:m --retries 0
	assert_equal "$(data error .error | grep -c 'the model is asleep')" 1
}

@test "a web page instead of a response is an error that names the status" {
	start_server "status=502 type=text/html text='<html><body>Bad Gateway</body></html>'"
	run -1 ask openai-chat:m --retries 0
	assert_equal "$(data error .http_status)" 502
}

@test "an empty response is an error" {
	start_server "type=text/event-stream text="
	run -1 ask openai-chat:m --retries 0
	assert_equal "$(data agent_end .success)" false
}

@test "a response without content is reported as such" {
	local how
	for how in 'type=text/event-stream text=' 'status=204 text=' "type=text/event-stream text=': ping\\n\\n'"; do
		start_server "$how"
		run -1 ask openai-chat:m --retries 0
		assert_equal "$(data error .error | grep -c 'but sent nothing$')" 1
		stop_server
	done
}

# ---- responses without an answer ----

# chunks MODEL EVENT...: an answer of the server with these events, for the protocol of MODEL.
chunks() {
	local type=text/event-stream before='data: ' after='\n\n' text= event
	case $1 in ollama:*) type=application/x-ndjson before='' after='\n' ;; esac
	for event in "${@:2}"; do
		text+=$before$event$after
	done
	echo "type=$type text='$text'"
}

@test "a response without an answer is asked for again, and then fails the run" {
	local chat='{"choices":[{"index":0,"delta":' stop=',"finish_reason":"stop"}]}'
	local nothing='its response has no text and no tool call' thinking='gave no answer: its response has only thinking'
	local item='{"type":"response.output_item.done","output_index":0,"item":{"id":"r","type":"reasoning","summary":[{"type":"summary_text","text":"Hm."}]}}'
	local cases=(
		"openai-chat:m|answered nothing: $nothing|$chat{\"content\":\"\"}$stop|[DONE]"
		"openai-chat:m|answered nothing: $nothing|$chat{\"content\":\" \\\\n\"}$stop|[DONE]"
		"openai-chat:m|answered nothing: $nothing|[DONE]"
		"openai-chat:m|$thinking|$chat{\"reasoning_content\":\"Hm.\"}$stop"
		"openai-chat:m|ended its response for a tool call, but made none|$chat{\"content\":\"I look.\"},\"finish_reason\":\"tool_calls\"}]}"
		"openai-chat:m|answered nothing: $nothing (finish reason: because)|$chat{},\"finish_reason\":\"because\"}]}"
		"openai:m|$thinking|$item|{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[]}}"
		'anthropic:m|ended its response for a tool call, but made none|{"type":"message_start","message":{"id":"m","content":[{"type":"text","text":"I look."}]}}|{"type":"message_delta","delta":{"stop_reason":"tool_use"}}|{"type":"message_stop"}'
		"gemini:m|answered nothing: $nothing|{\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":\"STOP\"}]}"
		"ollama:m|answered nothing: $nothing (finish reason: load)|{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"load\"}"
		"ollama:m|$thinking|{\"message\":{\"content\":\"\",\"thinking\":\"Hm.\"},\"done\":true,\"done_reason\":\"stop\"}"
	)
	local one model fault events
	for one in "${cases[@]}"; do
		echo "$one"
		IFS='|' read -ra events <<<"$one"
		model=${events[0]} fault=${events[1]}
		start_server "$(chunks "${events[0]}" "${events[@]:2}")"
		run -1 ask "$model" --retries 1
		assert_equal "$(request_count)" 2
		assert_equal "$(data error '[.exception_type, .error]')" "[\"empty_response\",\"${model%:*} $fault\"]"
		assert_equal "$(data agent_end .status)" error
		grep -q "${fault%% (*}" messages
		stop_server
	done
}

@test "the retry of a response without an answer can succeed, and its tokens count" {
	start_server "$(chunks c: '{"choices":[{"index":0,"delta":{"reasoning":"Hm."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":7}}')" \
		"$(chunks c: '{"choices":[{"index":0,"delta":{"content":"Yes."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1}}')"
	ask openai-chat:m
	assert_equal "$(data llm_retry '[.discard, .reason]')" '[true,"openai-chat gave no answer: its response has only thinking"]'
	assert_equal "$(data agent_end '[.output, .usage.input_tokens, .usage.output_tokens, .usage.requests]')" '["Yes.",10,8,2]'
}

@test "after a response without an answer the next model of the list is asked" {
	start_server "say="
	ask openai-chat:m,test --retries 0
	assert_equal "$(data llm_retry '[.model, .reason]')" '["test","openai-chat answered nothing: its response has no text and no tool call"]'
	assert_equal "$(data agent_end .status)" success
}

@test "what the tools of the provider did is not done twice for an answer that is missing" {
	start_server "$(chunks c: '{"type":"message_start","message":{"id":"m","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"s","content":[]}],"stop_reason":"end_turn"}}' '{"type":"message_stop"}')"
	run -1 ask anthropic:m
	assert_equal "$(request_count)" 1
	assert_equal "$(data error '[.exception_type, .error]')" '["empty_response","anthropic ran its own tools, but gave no answer"]'
}

@test "an image is an answer" {
	start_server "$(chunks c: '{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]},"finishReason":"STOP"}]}')"
	ask gemini:m
	assert_equal "$(data agent_end .status)" success
}

@test "the provider's reason is kept if it is unknown or contradicts the response" {
	local reason
	for reason in '"because"' '"stop"' '"MAX_TOKENS"'; do
		start_server "$(chunks c: "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":$reason}]}")"
		ask openai-chat:m || true
		data llm_end '[.finish_reason, .provider_finish_reason]' >>reasons
		stop_server
	done
	start_server "$(chunks c: '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}')" "say=done"
	ask openai-chat:m
	data llm_end '[.finish_reason, .provider_finish_reason]' >>reasons
	assert_equal "$(paste -sd' ' reasons)" '["stop","because"] ["stop",null] ["length",null] ["tool_calls","stop"] ["stop",null]'
}

# ---- members of wrong types ----

# answer PIECE...: a stream of Chat Completions with these members of deltas; the last reason is stop.
answer() {
	local piece text=
	for piece in "$@"; do
		text+="data: {\"choices\":[{\"index\":0,\"delta\":{$piece},\"finish_reason\":null}]}"$'\n\n'
	done
	printf '%s' "$text" 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}' $'\n\ndata: [DONE]\n\n'
}

@test "a piece of a wrong type is not left out: the request is repeated, then the run fails" {
	answer '"content":"You must "' '"content":["NOT "]' '"content":"press it."' >wrong.txt
	answer '"content":"Leave it."' >right.txt
	start_server "type=text/event-stream body=wrong.txt" "type=text/event-stream body=right.txt"
	ask openai-chat:m
	assert_equal "$(data agent_end .output)" 'Leave it.'
	assert_equal "$(data llm_retry '[.reason, .discard]')" '["openai-chat sent a response in which \"content[]\" is of the type string instead of object",true]'
	stop_server
	start_server "type=text/event-stream body=wrong.txt"
	run -1 ask openai-chat:m --retries 0
	assert_equal "$(data error .exception_type)" invalid_response
}

@test "a byte order mark before a JSON response is skipped" {
	local chunk
	for chunk in whole 1; do
		start_server "type=application/json chunk=$chunk text='\\xEF\\xBB\\xBF{\"choices\":[{\"index\":0,\"message\":{\"content\":\"all at once\"},\"finish_reason\":\"stop\"}]}'"
		ask openai-chat:m
		assert_equal "$(agent-text events)" 'all at once'
		stop_server
	done
}

@test "a response cut at any byte, without a length, is complete or an error, never wrong" {
	local recording=$recordings/mistral/chat-oi-synchronous-streaming-chat-completions-with-tool-call-r/01 size at answers=()
	size=$(wc -c <"$recording/response.sse")
	for ((at = 190; at <= size; at += 3)); do
		answers+=("recording=$recording framing=close cut=$at")
	done
	start_server "${answers[@]}"
	for at in "${answers[@]}"; do
		ask openai-chat:m --retries 0 --max-iterations 1 || true
		cat events
	done >all
	assert_equal "$(request_count)" ${#answers[@]}
	jq -rs 'def data($name; value): map(select(.event_type == $name).data | value | if type == "string" then . else tojson end) | join("\n");
		group_by(.run_id)[] | "\(data("error"; .exception_type)) \(data("error"; .error)) \(data("tool_call_end"; .args))"' all | sort -u >seen
	assert_equal "$(cat seen)" 'limit no answer after 1 model response (--max-iterations) {"city":"San Francisco"}
stream_truncated openai-chat broke off in the middle of its response '
}

@test "a web page is quoted without its tags, styles and scripts" {
	start_server "status=404 type=text/html text='<html><style>a{b}</style><h1>404 Not Found</h1><hr>nginx</html>'"
	run -1 ask openai-chat:m
	assert_equal "$(data error .error)" 'openai-chat answered HTTP 404: 404 Not Found nginx'
}

@test "a redirect is not followed, and the error names its target" {
	start_server "status=302 header='Location: http://127.0.0.1:1/x' text="
	run -1 ask openai-chat:m
	assert_equal "$(data error .error)" 'openai-chat answered HTTP 302, a redirect to http://127.0.0.1:1/x, which is not followed; is the base URL right?'
	start_server "status=308 text="
	run -1 ask openai-chat:m
	assert_equal "$(data error .error)" 'openai-chat answered HTTP 308, a redirect, which is not followed; is the base URL right?'
}

# ---- retries ----

@test "after 429 the request is repeated when Retry-After has passed" {
	start_server "status=429 header='Retry-After: 1' type=application/json text='{\"error\":{\"message\":\"slow down\"}}'" "say='Hello there'"
	ask openai-chat:m
	assert_equal "$(agent-text events)" 'Hello there'
	assert_equal "$(data llm_retry '[.attempt, .http_status, .discard, .wait_seconds >= 1, .wait_seconds < 3]')" '[2,429,false,true,true]'
	assert_equal "$(request_count)" 2
	assert_equal "$(request 1 .body)" "$(request 2 .body)"
}

@test "a Retry-After that is neither decimal seconds nor a date is ignored" {
	for value in 0x10 1e-7 soon 60s -1 ''; do
		start_server "status=503 header='Retry-After: $value' type=application/json text='{\"error\":{\"message\":\"busy\"}}'" "say=Hello"
		ask openai-chat:m
		assert_equal "$value $(data llm_retry '.wait_seconds > 0.3 and .wait_seconds <= 0.5')" "$value true"
		stop_server
	done
}

@test "an attempt without a connection is no request in usage" {
	start_server "status=503 text=busy" "say=Hello"
	ask openai-chat:m
	assert_equal "$(data llm_end .usage.requests) $(data agent_end .usage.requests)" '2 2'
	stop_server
	url=$SERVER_URL
	start_server "say=Hello"
	mkdir -p config/agent
	echo '{"gone":{"protocol":"openai-chat","base_url":"'"$url"'"},"here":{"protocol":"openai-chat","base_url":"'"$SERVER_URL"'"}}' >config/agent/providers.json
	XDG_CONFIG_HOME=$PWD/config agent-run -m gone:m,here:m --retries 1 hello </dev/null >events 2>messages
	assert_equal "$(data llm_retry .attempt | paste -sd' ')" '2 3'
	assert_equal "$(data llm_end .usage.requests) $(data agent_end .usage.requests)" '1 1'
}

@test "requests that were sent are counted, whatever became of them" {
	start_server "status=401 text=no"
	run -1 ask openai-chat:m
	assert_equal "$(data agent_end .usage.requests)" 1
	start_server "status=503 text=busy"
	run -1 ask openai-chat:m --retries 2
	assert_equal "$(data agent_end .usage.requests)" 3
	start_server "hang=head"
	run -124 ask openai-chat:m --timeout 0.3
	assert_equal "$(data agent_end '[.usage.requests, .total_cost_usd]')" '[1,0]'
	start_server "say='Once upon a time' hang=400"
	run -124 ask openai-chat:m --timeout 0.3
	assert_equal "$(data agent_end .usage.requests)" 1
	stop_server
	run -1 ask openai-chat:m --retries 1
	assert_equal "$(data agent_end .usage.requests)" 0
	start_server "status=500 text=oops" "say=Hello"
	run -1 ask openai-chat:m --retries 0 -l log
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --resume log --no-stdin >events
	assert_equal "$(data agent_end .usage.requests)" 2
}

@test "a mistake in the user's providers.json is an error with every model" {
	mkdir -p config/agent
	echo '{"lab":{"key_evn":"LAB"}}' >config/agent/providers.json
	for model in test 'exec:echo {\"text\":\"a\"}' groq:m; do
		XDG_CONFIG_HOME=$PWD/config run -2 agent-run -m "$model" --no-stdin hi
		assert_regex "$output" 'agent/providers.json:1: unknown key "key_evn" \(did you mean key_env\?\)'
	done
	while IFS='|' read -r entry message; do
		echo "{\"lab\":{\"protocol\":\"openai-chat\",\"base_url\":\"http://127.0.0.1:1\",\"key_optional\":true,$entry}}" >config/agent/providers.json
		XDG_CONFIG_HOME=$PWD/config run -2 agent-run -n -m lab:m --no-stdin hi
		assert_output --partial "$message"
	done <<-'EOF'
		"quirks":{"schema":"jsonschema"}|agent/providers.json:1: "schema" must be "json_schema", "json_object", "words", "tool", true or false
		"quirks":{"schema":{"m*":"tol"}}|agent/providers.json:1: "schema" must be
		"quirks":{"tool_choice":"anny"}|agent/providers.json:1: "tool_choice" must be "any" or false
		"headers":{"X-A":5}|agent/providers.json:1: the value of "X-A" must be a string
		"when_set":{"HOME":{"query":{"v":true}}}|agent/providers.json:1: the value of "v" must be a string
		"quirks":{"max_tokens":5}|provider lab: the quirk "max_tokens" must be the name of a parameter, such as "max_completion_tokens", not 5; --max-tokens sets the number
	EOF
}

@test "tools do not get the variables with keys of the registry, whatever their names" {
	mkdir -p config/agent
	echo '{"lab":{"key_env":"LAB"}}' >config/agent/providers.json
	printf '{"name":"show","command":["sh","-c","env | grep -E '\''^(LAB|AWS_BEARER)'\''; true"]}\n' >show.json
	XDG_CONFIG_HOME=$PWD/config LAB=of-the-lab AWS_BEARER_TOKEN_BEDROCK=of-bedrock agent-run -m test -t show.json --no-stdin hi >events
	assert_equal "$(data tool_end .result)" ''
}

@test "retry-after-ms takes precedence over Retry-After" {
	start_server "status=429 header='retry-after: 60' header='retry-after-ms: 20' text=wait" "say=ok"
	ask openai-chat:m
	assert_equal "$(agent-text events)" ok
	assert_equal "$(data llm_retry '.wait_seconds < 1')" true
}

@test "a requested wait that is too long is an error that names the wait" {
	start_server "status=429 header='Retry-After: 3600' type=application/json text='{\"error\":{\"message\":\"slow down\"}}'" "say=no"
	run -1 ask openai-chat:m
	assert_equal "$(request_count)" 1
	assert_equal "$(data error '[.error, .retry_after_seconds]')" '["openai-chat answered HTTP 429: slow down; it asks to wait 3600 seconds",3600]'
}

@test "503 is retried --retries times" {
	start_server "status=503 header='retry-after-ms: 1' text='overloaded'" "status=503 header='retry-after-ms: 1' text='overloaded'" "say=ok"
	ask openai-chat:m --retries 2
	assert_equal "$(agent-text events)" ok
	assert_equal "$(data llm_start .attempt | paste -sd' ')" '1 2 3'
	start_server "status=503 header='retry-after-ms: 1' text='overloaded'"
	run -1 ask openai-chat:m --retries 2
	assert_equal "$(request_count)" 3
	assert_equal "$(data agent_end '[.success, .status, .exit_status]')" '[false,"error",1]'
	assert_equal "$(data error '[.http_status, .fatal]' | tail -1)" '[503,true]'
}

@test "an interrupted stream is requested again, and its chunks are discarded" {
	local how
	for how in 'cut=400' 'cut=400 end=rst' 'cut=400 end=chunk-header' 'cut=400 length=9999' 'framing=length cut=300'; do
		echo "broken by: $how"
		start_server "say='Once upon a time' $how" "say='The whole answer'"
		ask openai-chat:m
		assert_equal "$(data llm_retry .discard)" true
		assert_equal "$(data agent_end .output)" 'The whole answer'
		assert_equal "$(agent-text -F events)" 'The whole answer'
		assert_equal "$(request_count)" 2
		assert_equal "$(jq -s 'map(.seq) == [range(length)]' events)" true
		stop_server
	done
}

@test "a stream without its final event is requested again" {
	start_server "data='{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"}}]}'" "say=whole"
	ask openai-chat:m
	assert_equal "$(data agent_end .output)" whole
}

@test "a request with status 400 is not repeated" {
	start_server "status=400 type=application/json text='{\"error\":{\"message\":\"max_tokens is too large\",\"code\":\"bad_value\"}}'"
	run -1 ask openai-chat:m
	assert_equal "$(request_count)" 1
	assert_equal "$(data error '[.http_status, .provider_code, .retryable, .fatal]')" '[400,"bad_value",false,true]'
	assert_equal "$(data error .error | grep -c 'max_tokens is too large')" 1
}

@test "401 names the variable that holds the key" {
	start_server "status=401 type=application/json text='{\"error\":{\"message\":\"Incorrect API key provided: $secret.\"}}'"
	run -1 ask openai-chat:m
	assert_equal "$(request_count)" 1
	assert_equal "$(data error .http_status)" 401
	assert_equal "$(data error .error | grep -c OPENAI_API_KEY)" 1
	assert_equal "$(data error .error | grep -c "$secret")" 0
}

@test "a 403 that is not about the key does not blame the key" {
	start_server "status=403 type=application/json text='{\"error\":{\"message\":\"Country not supported\"}}'"
	run -1 ask openai-chat:m
	assert_equal "$(data error .error)" 'openai-chat refused access (HTTP 403: Country not supported); check OPENAI_API_KEY'
}

@test "a part of the key in a provider error is masked" {
	start_server "status=401 type=application/json text='{\"error\":{\"message\":\"Bad key ${secret:0:12} or ${secret:9}, see help\"}}'"
	run -1 ask openai-chat:m
	assert_equal "$(data error .error)" 'openai-chat refused the key (HTTP 401: Bad key *** or ***, see help); check OPENAI_API_KEY'
}

@test "a base URL without a scheme is refused, because the key would be sent unencrypted" {
	local url
	for url in 127.0.0.1:1 'http://' 'https:///v1' 'http://127.0.0.1:1/a b' ftp://127.0.0.1/ file:///etc/passwd; do
		run -2 agent-run -m openai-chat:m --base-url "$url" --no-stdin hi
		assert_output "agent-run: the base URL of openai-chat is not https://HOST/PATH or http://HOST/PATH: '$url'"
	done
}

@test "a missing key is named, and nothing is sent" {
	unset GROQ_API_KEY
	start_server "say=hi"
	run -2 ask groq:m
	assert_file_contains messages GROQ_API_KEY
	assert_equal "$(request_count)" 0
}

@test "a refused connection is an error after its retries" {
	start_server "say=hi"
	stop_server
	run -1 ask openai-chat:m --retries 1
	assert_equal "$(data llm_start .attempt | paste -sd' ')" '1 2'
	assert_equal "$(data error '.error | test("connect|refused"; "i")' | tail -1)" true
	assert_equal "$(data agent_end .status)" error
}

@test "a fallback model is used when the first model fails permanently" {
	start_server "status=400 text=no if-body=first" "say=ok if-body=second"
	ask openai-chat:first,openai-chat:second
	assert_equal "$(agent-text events)" ok
	assert_equal "$(data llm_start .model | paste -sd' ')" 'first second'
	assert_equal "$(cat messages)" 'agent-run: openai-chat:first failed: openai-chat answered HTTP 400: no; openai-chat:second is used instead'
}

@test "a fallback model is reported once in a batch" {
	start_server "status=400 text=no if-body=first"
	printf '%s\n' one two three >lines
	OPENAI_BASE_URL=$SERVER_URL agent-run -m openai-chat:first,test --batch lines >events 2>messages
	assert_equal "$(data agent_end .success | paste -sd' ') $(grep -c 'test is used instead' messages)" 'true true true 1'
	assert_equal "$(wc -l <messages)" 1
}

# ---- time limits ----

@test "--idle-timeout ends a stream that stops sending" {
	start_server "say='Once upon a time' hang=400"
	run -124 ask openai-chat:m --idle-timeout 0.3 --retries 0
	assert_equal "$(data agent_end '[.success, .status, .exit_status]')" '[false,"timeout",124]'
}

@test "--idle-timeout ends a stream of pings" {
	start_server "chunk=event delay=0.1 type=text/event-stream text='data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n$(printf ': ping\\n\\n%.0s' {1..50})'"
	run -124 ask openai-chat:m --idle-timeout 500ms --retries 0
	assert_equal "$(data error .error)" 'openai-chat sent nothing but keep-alives for 0.5 seconds (--idle-timeout)'
}

@test "--idle-timeout ends a program that prints empty pieces" {
	for line in '{"text":""}' '{"event_type":"llm_chunk","data":{"text":"","part":1}}' ''; do
		printf 'while :; do echo %s; sleep 0.1; done\n' "'$line'" >model.sh
		agent-run -m 'exec:sh model.sh' --no-stdin --idle-timeout 0.5 --timeout 10 --retries 0 hi >events && status=0 || status=$?
		assert_equal "$status" 124
		assert_regex "$(data error .error)" 'has printed nothing for 0.5 seconds'
	done
	# A line that is written slowly is output.
	cat >model.sh <<-'EOF'
		head -c 2000 /dev/zero | tr '\0' ' '
		for i in 1 2 3 4 5 6; do sleep 0.2; printf ' '; done
		echo '{"text":"late"}'
	EOF
	agent-run -m 'exec:sh model.sh' --no-stdin --idle-timeout 0.5 --retries 0 hi >events
	assert_equal "$(agent-text events)" late
}

@test "an error body without an end does not hold the run" {
	start_server "status=500 text=oops hang=4"
	run -1 ask openai-chat:m --retries 0
	assert_equal "$(data error '[.error, .http_status]')" '["openai-chat answered HTTP 500: oops",500]'
}

@test "--idle-timeout ends a request without a response" {
	start_server "hang=head"
	run -124 ask openai-chat:m --idle-timeout 0.3 --retries 0
	assert_equal "$(data agent_end .status)" timeout
}

@test "--timeout ends a run that does not end by itself" {
	start_server "generate=100000 delay=0.01"
	run -124 ask openai-chat:m --timeout 0.3
	assert_equal "$(data agent_end .status)" timeout
	assert_equal "$(types)" 'agent_start llm_start llm_chunk error agent_end'
}

@test "--timeout names the wait that it ends" {
	start_server "status=429 header='Retry-After: 60' text=later"
	run -124 ask openai-chat:m --timeout 0.5
	assert_equal "$(data error .error)" 'the run took longer than 0.5 seconds (--timeout) and was waiting to send a request again (openai-chat answered HTTP 429: later)'
	start_server "status=429 header='Retry-After: 60' text=later"
	printf '%s\n' one two >lines
	OPENAI_BASE_URL=$SERVER_URL run -124 agent-run -m openai-chat:m --batch lines -j 1 --timeout 0.5 -l log
	assert_equal "$(jq -r 'select(.event_type == "error").data.error' log | tail -n 1)" 'the run took longer than 0.5 seconds (--timeout) and was waiting for the end of a rate limit'
}

# ---- output ----

# begin MODEL [OPTION...]: start a run in the background with its events in the file events, and wait
# until the run has received something. Sets run_pid.
begin() {
	local model=$1
	shift
	env --default-signal=INT agent-run -m "$model" --base-url "$SERVER_URL" "$@" hi </dev/null >events 2>messages 3>&- &
	run_pid=$!
	until grep -q llm_chunk events; do
		kill -0 "$run_pid" || return 1
		sleep 0.01
	done
}

@test "an event is written when it arrives, not when the response is complete" {
	start_server "say='one two three' hang=200"
	begin openai-chat:m
	assert_equal "$(data llm_chunk .text)" 'one '
	kill "$run_pid"
	wait "$run_pid" || assert_equal $? 143
}

@test "what a server repeats of a key and a proxy of its password is masked" {
	unset no_proxy NO_PROXY
	start_server "status=401 header='x-request-id: sk-repeated-1234567' type=application/json text='{\"error\":{\"message\":\"no\"}}'"
	OPENAI_API_KEY=sk-repeated-1234567 run agent-run -m openai-chat:m --base-url "$SERVER_URL" hi
	assert_failure 1
	refute_output --partial repeated
	all_proxy='socks9://user:pw@127.0.0.1:1' run agent-run -m openai-chat:m --base-url http://x.invalid/v1 --retries 0 hi
	refute_output --partial 'user:pw'
	assert_output --partial 'socks9://***127.0.0.1'
}

@test "secrets of headers and URLs are masked in events, dry runs and lists, in every spelling" {
	mkdir -p config/agent
	cat >config/agent/providers.json <<EOF
{"vault": {"base_url": "http://bob:pass%2Fword@127.0.0.1:\${PORT}/v1/\${PATH_TOKEN}", "key_env": "VAULT_KEY",
 "headers": {"X-Gateway": "a1b2c3d4e5f6/a7b8", "Cookie": "session=cookie-value", "X-Title": "the answer"},
 "query": {"sig": "signature/of it", "api-version": "2024-10-21"}}}
EOF
	body='{"error":{"message":"k\\u0065y-of-the\\/vault a1b2c3d4e5f6%2fa7b8 cookie-value signature%2Fof+it pass/word cGFzcy93b3Jk path-value the answer 2024-10-21"}}'
	start_server "status=400 type=application/json text='$body'"
	export XDG_CONFIG_HOME=$PWD/config VAULT_KEY=key-of-the/vault PATH_TOKEN=path-value PORT
	run -1 --separate-stderr agent-run -m vault:m --raw hi
	assert_equal "$(jq -r 'select(.event_type == "error").data.error' <<<"$output")" \
		'vault answered HTTP 400: *** *** *** *** *** *** *** the answer 2024-10-21'
	for option in "-n -m vault:m hi" "--list-models -m vault:m" --list-providers "-m vault:m --raw hi"; do
		# shellcheck disable=SC2086 # words
		run agent-run $option
		refute_output --regexp 'the.*/vault|a7b8|cookie-v|signature|word|cGFz|path-value'
	done
	run -0 agent-run -n -m vault:m hi
	assert_line 'POST http://***@127.0.0.1:'"$PORT"'/v1/***/chat/completions?sig=***&api-version=2024-10-21'
	assert_line 'X-Title: the answer'
	for url in htp://bob:pass@h/v1 bob:pass@h/v1 http:/bob:pass@h/v1; do
		run -2 agent-run -m openai-chat:m --base-url "$url" hi
		refute_output --partial pass
	done
	all_proxy='http://user:pass/word@127.0.0.1:1' run -1 agent-run -m openai-chat:m --base-url http://x.invalid/v1 --retries 0 hi
	refute_output --partial pass
}

@test "SIGINT during a stream cancels the run with agent_end and status 130" {
	local status=0
	start_server "say='one two three' hang=200"
	begin openai-chat:m
	kill -INT "$run_pid"
	wait "$run_pid" || status=$?
	assert_equal "$status" 130
	assert_equal "$(data agent_end '[.success, .status, .exit_status]')" '[false,"cancelled",130]'
	assert_equal "$(jq -s 'map(.seq) == [range(length)]' events)" true
}

# until_still: wait until the log stops growing because the pipe to the reader is full.
until_still() {
	local before=-1 size=0
	until [ "$size" -gt 0 ] && [ "$size" = "$before" ]; do
		before=$size
		sleep 0.5
		[ ! -e log ] || size=$(wc -c <log)
	done
}

@test "after SIGTERM a slow reader gets agent_end, and the status is 143" {
	local status=0 pid
	start_server "generate=200000"
	mkfifo out
	agent-run -m openai-chat:m --base-url "$SERVER_URL" -l log hi </dev/null >out 2>messages 3>&- &
	pid=$!
	exec {reader}<out
	until_still
	kill -TERM "$pid"
	cat <&"$reader" >events
	exec {reader}<&-
	wait "$pid" || status=$?
	assert_equal "$status" 143
	assert_equal "$(tail -n 1 events | jq -r '[.event_type, .data.status] | join(" ")')" 'agent_end cancelled'
	run cmp events log
	assert_success
}

@test "after SIGTERM without a reader the log has agent_end, and the status is 143" {
	local status=0 pid
	start_server "generate=200000"
	mkfifo out
	agent-run -m openai-chat:m --base-url "$SERVER_URL" -l log hi </dev/null >out 2>messages 3>&- &
	pid=$!
	exec {reader}<out
	until_still
	kill -TERM "$pid"
	wait "$pid" || status=$?
	exec {reader}<&-
	assert_equal "$status" 143
	assert_equal "$(tail -n 1 log | jq -r '[.event_type, .data.status] | join(" ")')" 'agent_end cancelled'
}

@test "a slow reader gets all events" {
	start_server "generate=20000"
	agent-run -m openai-chat:m --base-url "$SERVER_URL" hi </dev/null 2>messages | { sleep 0.5; cat; } >events
	assert_equal "$(grep -c '"event_type":"llm_chunk"' events)" 20000
	assert_equal "$(jq -s 'map(.seq) == [range(length)]' events)" true
	assert_equal "$(data agent_end '.output | length')" 100000
}

@test "a reader that closes the pipe ends the run without a message" {
	start_server "generate=100000 delay=0.001"
	agent-run -m openai-chat:m --base-url "$SERVER_URL" hi </dev/null 2>messages | head -n 3 >events
	assert_equal "$(jq -r .event_type events | paste -sd' ')" 'agent_start llm_start llm_chunk'
	assert_equal "$(cat messages)" ''
}

@test "--raw carries every provider event byte for byte" {
	local recording=$recordings/alibaba/chat-vc-alibaba-text/01
	start_server "recording=$recording chunk=100 random=5"
	ask openai-chat:m --raw
	grep -o '"payload":.*' events | sed 's/^"payload":\(.*\)}}$/\1/' >payloads
	sed -n 's/^data: //p' $recording/response.sse | grep -v '^\[DONE\]$' >sent
	run cmp sent <(grep '^{' payloads)
	assert_success
}

# ---- requests ----

@test "the request is as the protocol requires" {
	start_server "say=hi"
	ask openai-chat:m -s 'Be brief.' -o temperature=0.2
	assert_equal "$(request 1 .path)" /chat/completions
	assert_equal "$(request 1 '.headers | [.authorization, ."content-type"]')" "[\"Bearer $secret\",\"application/json\"]"
	assert_equal "$(request 1 '.body | [.model, .stream, .stream_options.include_usage, .temperature, .messages]')" \
		'["m",true,true,0.2,[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}]]'
}

@test "--attach: an image and a text precede the prompt in the request and the log" {
	printf '\x89PNG\r\n\x1a\nx' >i.png
	echo 'one line' >notes.txt
	start_server "say=hi"
	ask openai-chat:m -a i.png --attach notes.txt -l log
	assert_equal "$(request 1 '.body.messages[0].content')" \
		'[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgp4"}},{"type":"text","text":"notes.txt:\n\none line\n\n\nhi"}]'
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --history log 'and now?' </dev/null >again
	assert_equal "$(request 2 '.body.messages[0].content[0].type, .body.messages[2].content')" "$(printf 'image_url\nand now?')"
}

@test "--attach: an attachment that the model does not accept is reported before anything is sent" {
	printf '%%PDF-1.7' >d.pdf
	start_server "say=hi"
	run -2 ask groq:m -a d.pdf
	assert_equal "$(cat messages)" 'agent-run: groq:m does not accept a message part of type file (application/pdf)'
	assert_equal "$(wc -l <"$SERVER_LOG")" 0
	run -2 agent-run -m openai-chat:m -a nowhere.png hi
	assert_output 'agent-run: nowhere.png: No such file or directory'
	head -c 100 /dev/urandom | tr '\0' x >junk.bin
	printf '\0\xff' >>junk.bin
	run -2 agent-run -m openai-chat:m -a junk.bin hi
	assert_output 'agent-run: junk.bin: is neither an image (PNG, JPEG, GIF, WebP) nor a PDF document nor UTF-8 text'
}

@test "--schema is part of the request, and the answer is JSON in the events" {
	echo '{"type":"object","properties":{"n":{"type":"number"}}}' >schema.json
	start_server "say='{\"n\": 1.10}'"
	ask openai-chat:m --schema schema.json
	assert_equal "$(request 1 .body.response_format.json_schema.schema.type)" object
	assert_equal "$(grep -o '"output_json":{[^}]*}' events)" '"output_json":{"n": 1.10}'
	printf '{\n"type" "object"}' >schema.json
	run -2 ask openai-chat:m --schema schema.json
	assert_equal "$(cat messages)" "agent-run: schema.json:2: not JSON: ':' is missing"
}

@test "--list-models requests the list from the provider" {
	start_server "type=application/json text='{\"data\":[{\"id\":\"a/b\",\"name\":\"A B\",\"context_length\":128000},{\"id\":\"c\"}]}'"
	run -0 agent-run --list-models -m openrouter --base-url "$SERVER_URL"
	assert_output "$(printf 'openrouter:a/b\t128000\tA B\nopenrouter:c\t\t')"
	assert_equal "$(request 1 '[.method, .path, .headers.authorization]')" "[\"GET\",\"/models\",\"Bearer $secret\"]"
}

@test "--list-models lists the models of every provider whose key is set, even if AGENT_MODEL is set" {
	start_server "type=application/json text='{\"data\":[{\"id\":\"c\"}]}'"
	AGENT_MODEL=test run -0 agent-run --list-models --base-url "$SERVER_URL"
	assert_line "$(printf 'openrouter:c\t\t')"
	assert_line "$(printf 'groq:c\t\t')"
}

@test "--list-models reports errors without the key" {
	start_server "status=401 type=application/json text='{\"error\":{\"message\":\"bad key $secret\"}}'"
	run -1 agent-run --list-models -m openrouter:x --base-url "$SERVER_URL"
	assert_output --partial OPENROUTER_API_KEY
	refute_output --partial "$secret"
	unset OPENROUTER_API_KEY
	run -2 agent-run --list-models -m openrouter
	assert_output --partial OPENROUTER_API_KEY
}

@test "the result of a tool is in the next request, on the same connection" {
	printf '%s\n' '{"name":"look","description":"Look","parameters":{"type":"object"},"command":["cat"]}' >look.json
	start_server "tool='look {\"id\":1234567890123456789}'" "say='Seen.'"
	ask openai-chat:m -t look.json
	assert_equal "$(request 2 '[.connection, .body.messages[1].tool_calls[0].function.arguments]')" '[1,"{\"id\":1234567890123456789}"]'
	assert_equal "$(sed -n 2p "$SERVER_LOG" | jq -c '.body.messages[2]')" '{"role":"tool","tool_call_id":"call_1_1","content":"{\"id\":1234567890123456789}"}'
	assert_equal "$(agent-text events)" 'Seen.'
}

@test "the key appears only in the request" {
	printf '%s\n' '{"name":"look","description":"Look","parameters":{"type":"object"},"command":["env"]}' >look.json
	start_server "tool=look" "status=500 header='retry-after-ms: 1' text='$secret'" \
		"status=401 type=application/json text='{\"error\":{\"message\":\"bad key $secret\",\"code\":\"$secret\"}}'"
	run -1 ask openai-chat:m -t look.json --raw --tool-output --log log
	assert_equal "$(data tool_end '.result | test("AGENT_TOOL_NAME=look")')" true
	assert_equal "$(request 1 .headers.authorization)" "Bearer $secret"
	agent-run -m openai-chat:m --base-url "$SERVER_URL" --dry-run hi >dry 2>dry-messages </dev/null
	assert_file_contains dry '"messages"'
	run grep -l -e "$secret" events messages log dry dry-messages
	assert_failure
	assert_output ''
}

@test "an api_key_command that hangs is stopped after --timeout, and nothing is sent" {
	mkdir -p config/agent
	echo '{"vault":{"base_url":"http://127.0.0.1:9/v1","api_key_command":["sh","-c","echo $$ >asked; exec sleep 60"]}}' >config/agent/providers.json
	XDG_CONFIG_HOME=$PWD/config run -2 timeout 20 agent-run -m vault:m --timeout 0.5 --no-stdin hi
	assert_output 'agent-run: api_key_command of provider vault printed no key within 0.5 seconds'
	run ! kill -0 "$(cat asked)"
	echo '{"vault":{"base_url":"http://127.0.0.1:9/v1","api_key_command":"sleep 60 & echo $! >asked; wait"}}' >config/agent/providers.json
	XDG_CONFIG_HOME=$PWD/config run -2 timeout 20 agent-run -m vault:m --timeout 0.5 --no-stdin hi
	assert_equal "$(ps -o stat= -p "$(cat asked)" | grep -v Z)" ''
}

@test "an api_key_command runs once for all lines of a batch" {
	start_server "say=hi"
	mkdir -p config/agent
	echo '{"vault":{"base_url":"'"$SERVER_URL"'","api_key_command":["sh","-c","echo asked >>asked; echo secret-of-the-vault"]}}' >config/agent/providers.json
	printf '{"prompt":"%s","model":"vault:%s"}\n' a x b y c x >lines
	XDG_CONFIG_HOME=$PWD/config agent-run --batch lines </dev/null >events
	assert_equal "$(cat asked)" asked
	assert_equal "$(request 3 .headers.authorization)" 'Bearer secret-of-the-vault'
}
