# agent-run with Anthropic's Messages API: framing, failures, tool loops, pauses, requests.
# The recordings are real responses (SOURCE.txt names their sources).
# shellcheck shell=bash disable=SC2016 # single-quoted text is for jq or the server
load helper

recordings=tests/data/recordings/anthropic
secret=key-c0ffee-0123456789

setup() {
	unset ANTHROPIC_BASE_URL ANTHROPIC_AUTH_TOKEN ANTHROPIC_CUSTOM_HEADERS
	export ANTHROPIC_API_KEY=$secret
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -sf "$OLDPWD/tests" tests
}

ask() {
	local model=$1
	shift
	ANTHROPIC_BASE_URL=$SERVER_URL agent-run -m "$model" "$@" hi </dev/null >events 2>messages
}

# answer STOP_REASON BLOCK...: an answer of these blocks, whole ones, as a word for the server.
answer() {
	local reason=$1 block i=0
	shift
	printf "data='%s' " '{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","content":[],"usage":{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":30,"output_tokens":1}}}'
	for block; do
		printf "data='%s' data='%s' " "{\"type\":\"content_block_start\",\"index\":$i,\"content_block\":$block}" \
			"{\"type\":\"content_block_stop\",\"index\":$i}"
		i=$((i + 1))
	done
	printf "data='%s' data='%s'" "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"$reason\"},\"usage\":{\"output_tokens\":7}}" \
		'{"type":"message_stop"}'
}

# say TEXT: an answer that says it.
say() {
	answer end_turn "{\"type\":\"text\",\"text\":\"$1\"}"
}

error_body() {
	printf "type=application/json text='%s'" "{\"type\":\"error\",\"error\":{\"type\":\"$1\",\"message\":\"$2\"},\"request_id\":\"req_1\"}"
}

@test "anthropic: the text is the same however the stream is framed" {
	local how recording=$recordings/messages-oi-completion-streaming-with-extended-thinking-anthropic/01
	jq -j .text "$recording/expected.json" >want
	for how in '' chunk=1 chunk=7 'chunk=40 random=4' chunk=whole eol=lf eol=crlf 'eol=cr chunk=1' comments=yes space=no \
		split=yes ids=yes bom=yes last=open framing=close framing=length 'gzip=yes chunk=1'; do
		echo "sent with: $how"
		start_server "recording=$recording $how"
		ask anthropic:claude-sonnet-4-5
		agent-text -n events >got
		run cmp got want
		assert_success
		assert_equal "$(data llm_end .finish_reason)" stop
		assert_equal "$(data agent_end '[.status, .usage.input_tokens, .usage.output_tokens, .usage.reasoning_tokens]')" '["success",50,93,53]'
		stop_server
	done
}

@test "anthropic: the request and its headers" {
	start_server "$(say ok)"
	ANTHROPIC_CUSTOM_HEADERS=$'X-One: 1\nX-Two: 2' ask anthropic:claude-opus-5 -s 'Be brief.' -o betas=one-1,two-2 -o stop_sequences='["x"]' --effort low
	assert_equal "$(request 1 '[.method, .path, .headers."x-api-key", .headers.authorization, .headers."anthropic-version", .headers."anthropic-beta", .headers."x-one", .headers."x-two"]')" \
		"[\"POST\",\"/v1/messages\",\"$secret\",null,\"2023-06-01\",\"one-1,two-2\",\"1\",\"2\"]"
	assert_equal "$(request 1 .body)" '{"model":"claude-opus-5","max_tokens":128000,"stream":true,"system":"Be brief.","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"low"},"stop_sequences":["x"]}'
	assert_equal "$(agent-text events)" ok
	assert_equal "$(data agent_end '[.usage.input_tokens, .usage.cached_input_tokens, .usage.cache_write_tokens, .usage.output_tokens]')" '[60,30,20,7]'
}

@test "anthropic: a token instead of a key" {
	unset ANTHROPIC_API_KEY
	start_server "$(say ok)"
	ANTHROPIC_AUTH_TOKEN=$secret ask anthropic:claude-opus-5
	assert_equal "$(request 1 '[.headers."x-api-key", .headers.authorization]')" "[null,\"Bearer $secret\"]"
	run -2 ask anthropic:claude-opus-5
	assert_regex "$(cat messages)" 'ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN'
}

@test "anthropic: a tool loop over two rounds: signatures, bytes, both results in one message" {
	printf '%s\n' '{"name":"look","description":"Look","parameters":{"type":"object"},"command":["cat"]}' >look.json
	start_server "$(answer tool_use \
		'{"type":"thinking","thinking":"hm","signature":"EqEE+/=="}' \
		'{"type":"redacted_thinking","data":"Eqk/="}' \
		'{"type":"text","text":"Let me look."}' \
		'{"type":"tool_use","id":"toolu_1","name":"look","input":{"id": 1234567890123456789}}' \
		'{"type":"tool_use","id":"toolu_2","name":"look","input":{}}')" "$(say Seen.)"
	ask anthropic:claude-haiku-4-5 -t look.json
	assert_equal "$(request 2 '.body.messages | [.[].role]')" '["user","assistant","user"]'
	assert_equal "$(request 2 '.body.messages[1].content[:3]')" \
		'[{"type":"thinking","thinking":"hm","signature":"EqEE+/=="},{"type":"redacted_thinking","data":"Eqk/="},{"type":"text","text":"Let me look."}]'
	assert_equal "$(sed -n 2p "$SERVER_LOG" | grep -c '"id":"toolu_1","name":"look","input":{"id": 1234567890123456789}')" 1
	assert_equal "$(request 2 '.body.messages[2].content | [.[] | [.type, .tool_use_id]]')" '[["tool_result","toolu_1"],["tool_result","toolu_2"]]'
	assert_equal "$(request 2 '.body.messages[2].content[1]')" '{"type":"tool_result","tool_use_id":"toolu_2","content":"{}"}'
	assert_equal "$(agent-text events)" $'Let me look.\n\nSeen.'
	assert_equal "$(data llm_end .finish_reason | paste -sd' ')" 'tool_calls stop'
}

@test "anthropic: a recorded tool loop" {
	printf '%s\n' '{"name":"best_language_to_learn","description":"Best","parameters":{"type":"object"},"command":["echo","Ruby"]}' >best.json
	local r=$recordings/messages-rb-tools-tools-without-parameters-in-multi-turn-streaming
	start_server "recording=$r/01" "recording=$r/02"
	ask anthropic:claude-haiku-4-5-20251001 -t best.json
	assert_equal "$(data tool_end .result)" Ruby
	assert_equal "$(request 2 '.body.messages[1:] | map(.content[0] | del(.caller))')" \
		'[{"type":"tool_use","id":"toolu_01EcJNDtgucTvxugUxuGcJmF","name":"best_language_to_learn","input":{}},{"type":"tool_result","tool_use_id":"toolu_01EcJNDtgucTvxugUxuGcJmF","content":"Ruby\n"}]'
	agent-text -n events >got
	jq -j .text "$r/02/expected.json" >want
	run cmp got want
	assert_success
	assert_equal "$(data agent_end '[.usage.input_tokens, .usage.output_tokens]')" '[1212,208]'
}

@test "anthropic: hosted calls are reported and never run locally; a pause is continued" {
	local r=$recordings/messages-pai-pause-turn-web-search-streaming-vcr
	start_server "recording=$r/01" "recording=$r/02"
	ask anthropic:claude-sonnet-4-5 -o 'tools=[{"type":"web_search_20250305","name":"web_search"}]'
	assert_equal "$(request 1 .body.tools)" '[{"type":"web_search_20250305","name":"web_search"}]'
	assert_equal "$(request_count)" 2
	assert_equal "$(request 2 '.body.messages | [.[].role]')" '["user","assistant"]'
	assert_equal "$(request 2 '.body.messages[1].content | [.[0].type, .[-1].type, (map(select(.type == "web_search_tool_result")) | length)]')" \
		'["thinking","server_tool_use",10]'
	assert_equal "$(sed -n 's/^data: //p' "$r/01/response.sse" | jq -cn '[inputs | .content_block? // empty | select(.type == "web_search_tool_result")] | sort')" \
		"$(request 2 '.body.messages[1].content | map(select(.type == "web_search_tool_result")) | sort')"
	# A blank line stands where hosted calls stand between two texts, none where citations divide a text.
	jq -js 'map(select(.event_type == "llm_end").data.message.content | map(if .type == "text" then .text else null end)
		| reduce .[] as $part ({text: ""}; if $part == null then .gap = true
			elif .gap and .text != "" then {text: (.text + "\n\n" + $part)} else {text: (.text + $part)} end) | .text) | join("\n\n")' events >want
	agent-text -n events >got
	run cmp got want
	assert_success
	assert_equal "$(data tool_start .executed_by | sort | uniq -c | tr -s ' ')" ' 15 provider'
	assert_equal "$(data agent_end .status)" success
}

@test "anthropic: 429, 529 and an overloaded stream are tried again" {
	start_server "status=429 header='retry-after-ms: 1' $(error_body rate_limit_error 'slow down')" \
		"status=529 header='retry-after-ms: 1' $(error_body overloaded_error Overloaded)" \
		"event=error data='{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}'" "$(say ok)"
	ask anthropic:claude-opus-5 --retries 3
	assert_equal "$(agent-text events)" ok
	assert_equal "$(request_count)" 4
	assert_equal "$(data llm_retry '[.http_status, .reason]' | paste -sd' ')" \
		'[429,"anthropic answered HTTP 429: slow down"] [529,"anthropic answered HTTP 529: Overloaded"] [null,"anthropic reported an error: Overloaded"]'
}

@test "anthropic: a stream that breaks off, or holds two answers, is asked for again" {
	local recording=$recordings/messages-dd-595f439c/01
	start_server "recording=$recording cut=1500" \
		"data='{\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"content\":[]}}' data='{\"type\":\"message_start\",\"message\":{\"id\":\"b\",\"content\":[]}}'" \
		"$(say ok)"
	ask anthropic:claude-opus-5 --retries 3
	assert_equal "$(data llm_end '.message.content[].text')" ok
	assert_equal "$(request_count)" 3
	assert_regex "$(data llm_retry .reason | paste -sd' ')" 'broke off in the middle of its response.* began a second response in the middle of the first'
}

@test "anthropic: 401 names the variable, 400 says that the prompt is too long" {
	start_server "recording=$recordings/messages-http-401-invalid-x-api-key/01"
	run -1 ask anthropic:claude-haiku-4-5
	assert_equal "$(data error .error)" 'anthropic refused the key (HTTP 401: invalid x-api-key); check ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN'
	assert_equal "$(request_count)" 1
	start_server "recording=$recordings/messages-http-400-prompt-is-too-long-3333404-tokens-200/01"
	run -1 ask anthropic:claude-haiku-4-5
	assert_equal "$(data error .error)" 'anthropic answered HTTP 400: prompt is too long: 3333404 tokens > 200000 maximum'
}

@test "anthropic: a refusal ends the run with its explanation" {
	start_server "recording=$recordings/messages-vc-anthropic-refusal/01"
	run ask anthropic:claude-fable-5
	assert_equal "$(data agent_end .status)" refused
	assert_equal "$(data llm_end '[.finish_reason, .message.content[0].type]')" '["refusal","refusal"]'
	assert_regex "$(data llm_end '.message.content[0].text')" 'triggered restrictions on violative cyber content'
}

@test "anthropic: an answer cut at the limit" {
	start_server "recording=$recordings/messages-dd-595f439c/01"
	run ask anthropic:claude-sonnet-4-20250514 --max-tokens 100
	assert_equal "$(request 1 .body.max_tokens)" 100
	assert_equal "$(data llm_end .finish_reason)" length
	assert_equal "$(data agent_end .status)" limit
}

@test "anthropic: a schema, of a model that takes it and of one that is given a tool" {
	echo '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}' >schema.json
	start_server "$(say '{\"n\":1}')" "$(answer tool_use '{"type":"tool_use","id":"t","name":"give_answer","input":{"n":2}}')"
	ask anthropic:claude-opus-5 --schema schema.json
	assert_equal "$(request 1 .body.output_config.format.schema.additionalProperties)" false
	assert_equal "$(agent-text events)" '{"n":1}'
	ask anthropic:claude-3-5-haiku-latest --schema schema.json
	assert_equal "$(request 2 '.body | [.tools[0].name, .tools[0].input_schema.required, .tool_choice]')" '["give_answer",["n"],{"type":"any"}]'
	assert_equal "$(agent-text events)" '{"n":2}'
	assert_equal "$(data agent_end .status)" success
}

@test "anthropic: an image and a document" {
	printf '\x89PNG\r\n\x1a\nx' >i.png
	printf '%%PDF-1.7' >d.pdf
	start_server "$(say ok)"
	ask anthropic:claude-opus-5 -a i.png -a d.pdf
	assert_equal "$(request 1 '.body.messages[0].content')" \
		'[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgp4"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjc="},"title":"d.pdf"},{"type":"text","text":"hi"}]'
}

@test "anthropic: --list-models" {
	start_server "type=application/json text='{\"data\":[{\"type\":\"model\",\"id\":\"claude-x\",\"display_name\":\"Claude X\"}],\"has_more\":false}'"
	ANTHROPIC_BASE_URL=$SERVER_URL run agent-run --list-models anthropic
	assert_output -p 'anthropic:claude-x'
	assert_equal "$(request 1 '[.method, .path, .headers."x-api-key"]')" "[\"GET\",\"/v1/models?limit=1000\",\"$secret\"]"
}

@test "anthropic: the key appears nowhere in the output" {
	start_server "status=401 $(error_body authentication_error "invalid key $secret")"
	run -1 ask anthropic:claude-opus-5 --raw
	run grep -rl -- "$secret" events messages
	assert_failure
	ANTHROPIC_BASE_URL=http://127.0.0.1:9 run agent-run -m anthropic:claude-opus-5 --dry-run hi
	refute_output -p "$secret"
	assert_output -p 'x-api-key: ***'
}
