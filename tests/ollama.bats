# agent-run against Ollama's own protocol: framing, failures, a tool loop, what -o means.
# shellcheck shell=bash disable=SC2016 # single-quoted text is for jq or the server
load helper

recordings=tests/data/recordings/ollama
secret=key-c0ffee-0123456789

setup() {
	unset OLLAMA_HOST OLLAMA_BASE_URL
	export OLLAMA_API_KEY=$secret
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -sf "$OLDPWD/tests" tests
}

ask() {
	local model=$1
	shift
	OLLAMA_HOST=$SERVER_URL agent-run -m "$model" "$@" hi </dev/null >events 2>messages
}

# lines LINE...: an answer of these lines, as a word for the server.
lines() {
	local IFS=$'\n'
	printf '%s\n' "$*" >"$BATS_TEST_TMPDIR/answer.ndjson"
	printf "type=application/x-ndjson body='%s'" "$BATS_TEST_TMPDIR/answer.ndjson"
}

# say TEXT: an answer that says it in one line.
say() {
	printf "type=application/x-ndjson text='%s'" \
		"{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"$1\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":3,\"eval_count\":4}\\n"
}

@test "ollama: the text is the same however the stream is framed" {
	local how
	for how in '' chunk=1 chunk=7 'chunk=40 random=4' chunk=whole framing=close framing=length gzip=yes 'gzip=yes chunk=1'; do
		echo "sent with: $how"
		start_server "recording=$recordings/api-oi-async-chat-stream/01 $how"
		ask ollama:qwen3
		agent-text -n events >text
		assert_equal "$(cat text)" $'1\n2\n3\n4\n5'
		assert_equal "$(data llm_end .finish_reason)" stop
		assert_equal "$(data agent_end '[.usage.input_tokens, .usage.output_tokens]')" '[21,889]'
		stop_server
	done
}

@test "ollama: reasoning is separate from text" {
	start_server "recording=$recordings/api-oi-async-chat-stream/01"
	ask ollama:qwen3
	jq -j .reasoning tests/data/recordings/ollama/api-oi-async-chat-stream/01/expected.json >want
	jq -j 'select(.event_type == "llm_end").data.message.content[] | select(.type == "thinking").text' events >got
	run cmp got want
	assert_success
}

@test "ollama: a whole JSON answer in place of a stream is an answer" {
	start_server "recording=$recordings/api-unary-chat-with-callable-tool/01" "$(say five)"
	printf '%s\n' '{"name":"add_two_numbers","description":"Add","parameters":{"type":"object"},"command":["sh","-c","jq .a+.b"]}' >add.json
	ask ollama:qwen3 -t add.json
	assert_equal "$(data tool_end .result)" 5
	assert_equal "$(agent-text events)" five
}

@test "ollama: a tool loop over two rounds" {
	printf '%s\n' '{"name":"look","description":"Look","parameters":{"type":"object"},"command":["cat"]}' >look.json
	start_server "$(lines '{"message":{"content":"","thinking":"hm"},"done":false}' \
		'{"message":{"content":"","tool_calls":[{"function":{"name":"look","arguments":{"id":1234567890123456789}}},{"function":{"name":"look","arguments":{}}}]},"done":false}' \
		'{"message":{"content":""},"done":true,"done_reason":"stop"}')" "$(say Seen.)"
	ask ollama:m -t look.json -s 'Be brief.' -o num_ctx=8192 -o keep_alive='"1h"'
	assert_equal "$(request 1 '[.path, .headers."content-type", .headers.authorization]')" "[\"/api/chat\",\"application/json\",\"Bearer $secret\"]"
	assert_equal "$(request 1 '.body | [.model, .stream, .options, .keep_alive, .messages]')" \
		'["m",true,{"num_ctx":8192},"1h",[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}]]'
	assert_equal "$(sed -n 2p "$SERVER_LOG" | grep -c '"arguments":{"id":1234567890123456789}')" 1
	assert_equal "$(request 2 '.body.messages[2] | [.thinking, (.tool_calls | length), .tool_calls[0].id]')" '["hm",2,null]'
	assert_equal "$(request 2 '.body.messages[4]')" '{"role":"tool","content":"{}","tool_name":"look"}'
	assert_equal "$(agent-text events)" Seen.
	assert_equal "$(data llm_end .finish_reason | paste -sd' ')" 'tool_calls stop'
}

@test "ollama: a model that was not pulled: the message says how to get it" {
	start_server "recording=$recordings/api-http-404-model-nonexistent-model-latest-not-fou/01"
	run -1 ask ollama:nonexistent-model:latest
	assert_equal "$(data error '[.error, .http_status]')" \
		"[\"ollama answered HTTP 404: model 'nonexistent-model:latest' not found; get it with: ollama pull nonexistent-model:latest\",404]"
	assert_equal "$(request_count)" 1
}

@test "ollama: 401 names the variable" {
	start_server "status=401 type=application/json text='{\"error\":\"unauthorized\",\"signin_url\":\"https://x\"}'"
	run -1 ask ollama:m
	assert_equal "$(data error .error)" 'ollama refused the key (HTTP 401: unauthorized); check OLLAMA_API_KEY'
	unset OLLAMA_API_KEY
	run -1 ask ollama:m
	assert_equal "$(data error .error)" 'ollama requires a key (HTTP 401: unauthorized); set OLLAMA_API_KEY'
}

@test "ollama: 429 and 503 are tried again" {
	start_server "status=429 header='retry-after-ms: 1' type=application/json text='{\"error\":\"too many requests\"}'" \
		"status=503 header='retry-after-ms: 1' type=application/json text='{\"error\":\"server busy, please try again.\"}'" "$(say ok)"
	ask ollama:m
	assert_equal "$(agent-text events)" ok
	assert_equal "$(request_count)" 3
}

@test "ollama: a stream that breaks off, or says that it failed, is asked for again" {
	start_server "recording=$recordings/api-oi-async-chat-stream/01 cut=5000" \
		"$(lines '{"message":{"content":"half"},"done":false}' '{"error":"llama runner process no longer running"}')" \
		"type=application/x-ndjson text='{\"message\":{\"content\":\"ok\"},\"done\":true}'"
	ask ollama:m --retries 3
	assert_equal "$(data llm_end '.message.content[].text')" ok
	assert_equal "$(request_count)" 3
}

@test "ollama: an image is sent with the text, a document is refused" {
	printf '\x89PNG\r\n\x1a\nx' >i.png
	printf '%%PDF-1.7' >d.pdf
	start_server "$(say ok)"
	ask ollama:m -a i.png
	assert_equal "$(request 1 '.body.messages[0]')" '{"role":"user","content":"hi","images":["iVBORw0KGgp4"]}'
	run -2 ask ollama:m -a d.pdf
	assert_equal "$(cat messages)" 'agent-run: ollama:m does not accept a message part of type file (application/pdf)'
}

@test "ollama: --list-models" {
	start_server "type=application/json text='{\"models\":[{\"name\":\"qwen3:8b\",\"model\":\"qwen3:8b\",\"size\":1},{\"name\":\"b\"}]}'"
	OLLAMA_HOST=127.0.0.1:$PORT run -0 agent-run --list-models -m ollama
	assert_output "$(printf 'ollama:qwen3:8b\t\t\nollama:b\t\t')"
	assert_equal "$(request 1 '[.method, .path]')" '["GET","/api/tags"]'
}

@test "--list-models shows control characters of a server on a terminal" {
	start_server "type=application/json text='{\"models\":[{\"name\":\"a\\u009b2Jb\",\"size\":1}]}'"
	OLLAMA_HOST=127.0.0.1:$PORT run -0 script -qec 'agent-run --list-models -m ollama' /dev/null </dev/null
	assert_output "$(printf 'ollama:a\\u{9b}2Jb\t\t\r')"
}

@test "ollama-openai: the other dialect of the same server" {
	start_server "say=hello"
	ask ollama-openai:m
	assert_equal "$(request 1 .path)" /v1/chat/completions
	assert_equal "$(agent-text events)" hello
}

@test "ollama: the key appears only in the request" {
	printf '%s\n' '{"name":"look","description":"Look","parameters":{"type":"object"},"command":["env"]}' >look.json
	start_server "type=application/x-ndjson text='{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"look\",\"arguments\":{}}}]},\"done\":true}'" \
		"status=401 type=application/json text='{\"error\":\"bad key $secret\"}'"
	run -1 ask ollama:m -t look.json --raw --tool-output --log log
	assert_equal "$(data tool_end '.result | test("AGENT_TOOL_NAME=look")')" true
	assert_equal "$(request 1 .headers.authorization)" "Bearer $secret"
	OLLAMA_HOST=$SERVER_URL agent-run -m ollama:m --dry-run hi >dry 2>dry-messages </dev/null
	assert_file_contains dry '"messages"'
	run grep -l -e "$secret" events messages log dry dry-messages
	assert_failure
	assert_output ''
}
