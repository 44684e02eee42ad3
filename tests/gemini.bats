# agent-run with Google's generateContent: framing, failures, tool loops, requests.
# The recordings are real responses (SOURCE.txt names their sources).
# shellcheck shell=bash disable=SC2016 # single-quoted text is for jq or the server
load helper

recordings=tests/data/recordings/gemini
secret=key-c0ffee-0123456789

setup() {
	unset GEMINI_API_KEY GOOGLE_GENERATIVE_AI_API_KEY GEMINI_BASE_URL GOOGLE_CLOUD_LOCATION GOOGLE_VERTEX_BASE_URL
	unset GOOGLE_OAUTH_ACCESS_TOKEN CLOUDSDK_AUTH_ACCESS_TOKEN GOOGLE_CLOUD_API_KEY GOOGLE_CLOUD_ACCESS_TOKEN GOOGLE_CLOUD_PROJECT
	export GOOGLE_API_KEY=$secret
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -sf "$OLDPWD/tests" tests
}

ask() {
	local model=$1
	shift
	GOOGLE_GEMINI_BASE_URL=$SERVER_URL agent-run -m "$model" "$@" hi </dev/null >events 2>messages
}

# answer REASON PART...: an answer of these parts, a chunk each, as a word for the server.
answer() {
	local reason=$1 part
	shift
	for part; do
		printf "data='%s' " "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[$part]}}],\"usageMetadata\":{\"promptTokenCount\":10}}"
	done
	printf "data='%s'" "{\"candidates\":[{\"finishReason\":\"$reason\",\"finishMessage\":\"why\"}],\"usageMetadata\":{\"promptTokenCount\":10,\"cachedContentTokenCount\":4,\"candidatesTokenCount\":5,\"thoughtsTokenCount\":2},\"responseId\":\"r1\"}"
}

# say TEXT: an answer that says it.
say() {
	answer STOP "{\"text\":\"$1\"}"
}

# error_body CODE STATUS MESSAGE [DETAILS]
error_body() {
	printf "type=application/json text='%s'" "{\"error\":{\"code\":$1,\"message\":\"$3\",\"status\":\"$2\",\"details\":[$4]}}"
}

@test "gemini: the text is the same however the stream is framed" {
	local how recording=$recordings/gen-oi-streaming-reasoning/01
	jq -j .text "$recording/expected.json" >want
	for how in '' chunk=1 chunk=7 'chunk=40 random=4' chunk=whole eol=lf eol=crlf 'eol=cr chunk=1' comments=yes space=no \
		split=yes ids=yes bom=yes last=open framing=close framing=length 'gzip=yes chunk=1'; do
		echo "sent with: $how"
		start_server "recording=$recording $how"
		ask gemini:gemini-3.5-flash
		agent-text -n events >got
		run cmp got want
		assert_success
		assert_equal "$(data llm_end .finish_reason)" stop
		assert_equal "$(data agent_end '[.status, .usage.input_tokens, .usage.output_tokens, .usage.reasoning_tokens]')" '["success",11,1416,713]'
		stop_server
	done
}

@test "gemini: the list of a server that does not know alt=sse" {
	local recording=$recordings/gen-llm-prompt-with-multiple-dogs/01
	start_server "recording=$recording" "recording=$recording chunk=1"
	jq -j .text "$recording/expected.json" >want
	for _ in 1 2; do
		ask gemini:gemini-3.6-flash
		agent-text -n events >got
		run cmp got want
		assert_success
	done
}

@test "gemini: the request and its headers" {
	start_server "$(say ok)"
	ask gemini:gemini-3-flash-preview -s 'Be brief.' --max-tokens 99 -o temperature=0.5 --effort low
	assert_equal "$(request 1 '[.method, .path, .headers."x-goog-api-key", .headers.authorization, .headers.accept]')" \
		"[\"POST\",\"/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse\",\"$secret\",null,\"text/event-stream\"]"
	assert_equal "$(request 1 .body)" '{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":99,"thinkingConfig":{"thinkingLevel":"LOW","includeThoughts":true},"temperature":0.5}}'
	assert_equal "$(agent-text events)" ok
	assert_equal "$(data agent_end '[.usage.input_tokens, .usage.cached_input_tokens, .usage.output_tokens, .usage.reasoning_tokens]')" '[10,4,7,2]'
}

@test "gemini: the environment variables of the key" {
	start_server "$(say ok)"
	GEMINI_API_KEY=other ask google:gemini-3-flash
	assert_equal "$(request 1 '.headers."x-goog-api-key"')" $secret
	unset GOOGLE_API_KEY
	GEMINI_API_KEY=other ask gemini:gemini-3-flash
	assert_equal "$(request 2 '.headers."x-goog-api-key"')" other
	run -2 ask gemini:gemini-3-flash
	assert_regex "$(cat messages)" 'GOOGLE_API_KEY or GEMINI_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY'
}

@test "vertex: a token from the environment, from gcloud, or an API key" {
	export GOOGLE_CLOUD_PROJECT=p1 GOOGLE_CLOUD_LOCATION=europe-west4
	start_server "$(say ok)"
	GOOGLE_CLOUD_ACCESS_TOKEN=ya29.token ask vertex:gemini-3-flash --base-url "$SERVER_URL"
	assert_equal "$(request 1 '[.path, .headers.authorization]')" \
		'["/v1/projects/p1/locations/europe-west4/publishers/google/models/gemini-3-flash:streamGenerateContent?alt=sse","Bearer ya29.token"]'
	GOOGLE_CLOUD_API_KEY=AQ.key ask vertex:gemini-3-flash --base-url "$SERVER_URL"
	assert_equal "$(request 2 '[.headers.authorization, .headers."x-goog-api-key"]')" '[null,"AQ.key"]'
	mkdir bin
	printf '#!/bin/sh\n[ "$*" = "auth print-access-token" ] && echo ya29.printed\n' >bin/gcloud
	chmod +x bin/gcloud
	PATH=$PWD/bin:$PATH ask vertex:gemini-3-flash --base-url "$SERVER_URL"
	assert_equal "$(request 3 .headers.authorization)" 'Bearer ya29.printed'
	printf '#!/bin/sh\nexit 1\n' >bin/gcloud
	PATH=$PWD/bin:$PATH run -2 ask vertex:gemini-3-flash
	assert_equal "$(cat messages)" 'agent-run: api_key_command of provider vertex exited with status 1; set GOOGLE_CLOUD_ACCESS_TOKEN or GOOGLE_OAUTH_ACCESS_TOKEN or CLOUDSDK_AUTH_ACCESS_TOKEN or GOOGLE_CLOUD_API_KEY instead'
	unset GOOGLE_CLOUD_PROJECT
	GOOGLE_CLOUD_ACCESS_TOKEN=ya29.token run -2 ask vertex:gemini-3-flash
	assert_regex "$(cat messages)" 'set GOOGLE_VERTEX_BASE_URL or GOOGLE_CLOUD_PROJECT'
}

@test "gemini: a tool loop over two rounds: thoughts, signatures, bytes, both results in one content" {
	printf '%s\n' '{"name":"look","description":"Look","parameters":{"type":"object"},"command":["cat"]}' >look.json
	start_server "$(answer STOP \
		'{"text":"hm","thought":true}' \
		'{"text":"Let me look."}' \
		'{"functionCall":{"name":"look","args":{"id": 1234567890123456789}},"thoughtSignature":"EqEE+/=="},{"functionCall":{"id":"x2","name":"look"}}')" \
		"$(answer STOP '{"text":"Seen."}' '{"text":"","thoughtSignature":"Ev8="}')" "$(say Again.)"
	ask gemini:gemini-3-flash -t look.json --session s
	assert_equal "$(request 1 .body.tools)" '[{"functionDeclarations":[{"name":"look","description":"Look","parametersJsonSchema":{"type":"object"}}]}]'
	assert_equal "$(request 2 '.body.contents | [.[].role]')" '["user","model","user"]'
	assert_equal "$(request 2 '.body.contents[1].parts | del(.[2])')" \
		'[{"text":"hm","thought":true},{"text":"Let me look."},{"functionCall":{"id":"x2","name":"look","args":{}}}]'
	assert_equal "$(sed -n 2p "$SERVER_LOG" | grep -c '{"functionCall":{"name":"look","args":{"id": 1234567890123456789}},"thoughtSignature":"EqEE+/=="}')" 1
	assert_equal "$(request 2 '.body.contents[2].parts | map(.functionResponse | [.id, .name, (.response | keys[0])])')" '[[null,"look","output"],["x2","look","output"]]'
	assert_equal "$(request 2 '.body.contents[2].parts[1].functionResponse.response.output')" '{}'
	assert_equal "$(agent-text events)" $'Let me look.\n\nSeen.'
	assert_equal "$(data llm_end .finish_reason | paste -sd' ')" 'tool_calls stop'
	ask gemini:gemini-3-flash -t look.json --session s
	assert_equal "$(request 3 '.body.contents[3:]')" \
		'[{"role":"model","parts":[{"text":"Seen."},{"text":"","thoughtSignature":"Ev8="}]},{"role":"user","parts":[{"text":"hi"}]}]'
}

@test "gemini: recorded tool loops, one with streamed arguments" {
	printf '%s\n' '{"name":"get_country","description":"C","parameters":{"type":"object"},"command":["echo","Mexico"]}' \
		>country.json
	printf '%s\n' '{"name":"getWeather","description":"W","parameters":{"type":"object"},"command":["cat"]}' >weather.json
	local r=$recordings/gen-pai-google-streaming-tool-call-thought-signature
	start_server "recording=$r/01" "recording=$r/02" "recording=$recordings/gen-vc-google-stream-tool-call-arguments/01 chunk=3" "$(say Done.)"
	ask gemini:gemini-3-pro-preview -t country.json
	assert_equal "$(data tool_end .result)" Mexico
	assert_equal "$(request 2 '.body.contents[1].parts[0].thoughtSignature')" \
		"$(sed -n 's/^data: //p' "$r/01/response.sse" | tr -d '\r' | jq -rn '[inputs | .candidates[0].content.parts[]?.thoughtSignature // empty][0]')"
	agent-text -n events >got
	jq -j .text "$r/02/expected.json" >want
	run cmp got want
	assert_success
	assert_equal "$(data agent_end '[.usage.input_tokens, .usage.output_tokens]')" '[286,220]'
	ask gemini:gemini-3.1-pro-preview -t weather.json
	assert_equal "$(data tool_start .args | paste -sd' ')" '{"location":"Boston"} {"location":"San Francisco"}'
	assert_equal "$(request 4 '.body.contents[1].parts | map([.functionCall.args.location, (.thoughtSignature | length) > 100])')" '[["Boston",true],["San Francisco",false]]'
}

@test "gemini: hosted calls are reported and never run locally" {
	local r=$recordings/gen-pai-code-execution-stream/01
	start_server "recording=$r" "recording=$recordings/gen-pai-google-model-web-search-tool-stream/01" "$(say ok)"
	ask gemini:gemini-3-flash-preview -o 'tools=[{"codeExecution":{}}]' --session s
	assert_equal "$(request 1 .body.tools)" '[{"codeExecution":{}}]'
	assert_equal "$(data tool_start '[.tool_name, .executed_by, .args.language]')" '["code_execution","provider","PYTHON"]'
	assert_equal "$(data tool_end '[.result, .is_error]')" '["-428330955.97745\n",false]'
	assert_equal "$(data agent_end .status)" success
	ask gemini:gemini-3-flash-preview --session s
	assert_equal "$(request 2 '.body.contents[1].parts | map(keys | join(" "))')" \
		'["executableCode thoughtSignature","codeExecutionResult","text","text thoughtSignature"]'
	assert_equal "$(request 2 '.body.contents[1].parts[:2]')" \
		"$(sed -n 's/^data: //p' "$r/response.sse" | tr -d '\r' | jq -cn '[inputs | .candidates[0].content.parts[] | select(.text | not)]')"
	assert_equal "$(data tool_start '[.tool_name, .executed_by, .args.queries[0]]')" '["google_search","provider","weather in San Francisco today"]'
}

@test "gemini: 429, 503 and an error behind the events are tried again" {
	start_server "status=429 $(error_body 429 RESOURCE_EXHAUSTED 'slow down' '{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"0.001s"}')" \
		"status=503 header='retry-after-ms: 1' $(error_body 503 UNAVAILABLE 'The model is overloaded.' '')" \
		"recording=tests/data/recordings/vertex/gen-fb-failure-error-mid-stream/01 chunk=1" "$(say ok)"
	ask gemini:gemini-3-flash --retries 3
	assert_equal "$(data llm_end '.message.content[].text')" ok
	assert_equal "$(request_count)" 4
	assert_equal "$(data llm_retry '[.http_status, .reason]' | paste -sd' ')" \
		'[429,"gemini answered HTTP 429: slow down"] [503,"gemini answered HTTP 503: The model is overloaded"] [499,"gemini reported an error: The operation was cancelled"]'
}

@test "gemini: a stream that breaks off is asked for again" {
	start_server "recording=$recordings/gen-oi-streaming-reasoning/01 cut=3000" \
		"recording=tests/data/recordings/vertex/gen-fb-success-quotes-escaped/01" "$(say ok)"
	ask gemini:gemini-3-flash --retries 3
	assert_equal "$(data llm_end '.message.content[].text')" ok
	assert_equal "$(request_count)" 3
	assert_regex "$(data llm_retry .reason | paste -sd' ')" 'broke off in the middle of its response.*broke off in the middle of its response'
}

@test "gemini: a malformed call is reported to the model, which tries again" {
	start_server "$(answer MALFORMED_FUNCTION_CALL '{"text":"I will"}')" "$(say ok)"
	ask gemini:gemini-2.5-flash
	assert_equal "$(request 2 '.body.contents | [.[-1].role, .[-1].parts[-1].text]')" \
		'["user","Your last tool call was refused: why\nTry again with one of the tools offered and arguments that match its schema."]'
	assert_equal "$(data llm_end '.message.content[].text')" ok
	assert_equal "$(data agent_end .status)" success
}

@test "gemini: a wrong key names the variable; a long prompt and an unknown model are not retried" {
	start_server "recording=tests/data/recordings/vertex/gen-fb-failure-api-key/01"
	run -1 ask gemini:gemini-3-flash
	assert_equal "$(data error .error)" 'gemini refused the key (HTTP 400: API key not valid. Please pass a valid API key); check GOOGLE_API_KEY or GEMINI_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY'
	assert_equal "$(request_count)" 1
	start_server "recording=tests/data/recordings/vertex/gen-http-400-the-input-token-count-1250074-exceeds/01"
	run -1 ask gemini:gemini-3-flash
	assert_equal "$(data error .error)" 'gemini answered HTTP 400: The input token count (1250074) exceeds the maximum number of tokens allowed (1048576)'
	start_server "recording=$recordings/gen-http-404-models-gemini-3-6-flahs-is-not-found-for/01"
	run -1 ask gemini:gemini-3.6-flahs
	assert_regex "$(data error .error)" 'models/gemini-3.6-flahs is not found'
	assert_equal "$(request_count)" 1
}

@test "gemini: a blocked prompt, a filtered answer, one cut at the limit" {
	start_server "recording=tests/data/recordings/vertex/gen-fb-failure-prompt-blocked-safety/01" \
		"recording=$recordings/gen-fb-failure-recitation-no-content/01" "$(answer MAX_TOKENS '{"text":"Once"}')"
	run ask gemini:gemini-2.0-flash
	assert_equal "$(data error .error)" 'gemini refused the prompt (blocked: SAFETY)'
	assert_equal "$(data agent_end .status)" refused
	run ask gemini:gemini-2.0-flash
	assert_equal "$(data llm_end '[.finish_reason, .message.content[0].text]')" '["content_filter","text1text2text3text4text5text6text7text8"]'
	assert_equal "$(data agent_end .status)" refused
	run ask gemini:gemini-2.0-flash
	assert_equal "$(data agent_end .status)" limit
}

@test "gemini: a schema, and a schema beside tools" {
	echo '{"type":"object","properties":{"n":{"const":1}},"required":["n"]}' >schema.json
	printf '%s\n' '{"name":"look","description":"Look","parameters":{"type":"object"},"command":["cat"]}' >look.json
	start_server "$(say '{\"n\":1}')"
	ask gemini:gemini-2.5-flash --schema schema.json
	assert_equal "$(request 1 .body.generationConfig)" '{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"n":{"enum":[1]}},"required":["n"]}}'
	assert_equal "$(agent-text events)" '{"n":1}'
	stop_server
	# Older models take no schema beside tools: one more tool takes the answer.
	start_server "$(answer STOP '{"text":"So: ","thoughtSignature":"s0"}' '{"functionCall":{"name":"give_answer","args":{"n":1}},"thoughtSignature":"s1"}')"
	ask gemini:gemini-2.5-flash --schema schema.json -t look.json
	assert_equal "$(request 1 '.body | [.generationConfig, (.tools[0].functionDeclarations | map(.name)), .systemInstruction.parts[0].text]')" \
		'[null,["look","give_answer"],"Give your final answer by calling give_answer, not in text."]'
	assert_equal "$(data agent_end '[.status, .finish_reason, .output, .output_json, .tool_calls]')" '["success","stop","{\"n\":1}",{"n":1},0]'
	# Nor do they take other tools beside the API's own.
	ask gemini:gemini-2.5-flash --schema schema.json -o 'tools=[{"google_search":{}}]' || true
	assert_equal "$(request 2 '.body | [(.tools | map(keys[])), (.systemInstruction.parts[0].text | test("JSON Schema"))]')" '[["google_search"],true]'
}

@test "gemini: an image and a document" {
	printf '\x89PNG\r\n\x1a\nx' >i.png
	printf '%%PDF-1.7' >d.pdf
	start_server "$(say ok)"
	ask gemini:gemini-3-flash -a i.png -a d.pdf
	assert_equal "$(request 1 '.body.contents[0].parts')" \
		'[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgp4"}},{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0xLjc="}},{"text":"hi"}]'
}

@test "gemini: --list-models" {
	start_server "type=application/json text='{\"models\":[{\"name\":\"models/gemini-x\",\"displayName\":\"Gemini X\",\"inputTokenLimit\":7,\"supportedGenerationMethods\":[\"generateContent\"]}]}'"
	GOOGLE_GEMINI_BASE_URL=$SERVER_URL run agent-run --list-models gemini
	assert_output -p 'gemini:gemini-x'
	assert_equal "$(request 1 '[.method, .path, .headers."x-goog-api-key"]')" "[\"GET\",\"/v1beta/models?pageSize=1000\",\"$secret\"]"
}

@test "gemini: the key appears nowhere in the output" {
	start_server "status=401 $(error_body 401 UNAUTHENTICATED "invalid key $secret" '')"
	run -1 ask gemini:gemini-3-flash --raw
	run grep -rl -- "$secret" events messages
	assert_failure
	GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9 run agent-run -m gemini:gemini-3-flash --dry-run hi
	refute_output -p "$secret"
	assert_output -p 'x-goog-api-key: ***'
}
