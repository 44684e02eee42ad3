# agent-run with OpenAI's Responses: framing, failures, tool loops, hosted tools, requests.
# The recordings are real responses (SOURCE.txt names their sources).
# shellcheck shell=bash disable=SC2016 # single-quoted text is for jq or the server
load helper

recordings=tests/data/recordings
openai=$recordings/openai
secret=key-c0ffee-0123456789

setup() {
	unset OPENAI_BASE_URL OPENAI_ORG_ID OPENAI_PROJECT_ID OPENAI_CUSTOM_HEADERS AZURE_OPENAI_AD_TOKEN AZURE_OPENAI_BASE_URL
	export OPENAI_API_KEY=$secret
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -sf "$OLDPWD/tests" tests
}

ask() {
	local model=$1
	shift
	OPENAI_BASE_URL=$SERVER_URL/v1 agent-run -m "$model" "$@" hi </dev/null >events 2>messages
}

# answer EVENT...: an answer of these events, each `TYPE MEMBERS`, as a word for the server.
answer() {
	local event
	for event; do
		printf "event=response.%s data='{\"type\":\"response.%s\"%s}' " "${event%% *}" "${event%% *}" "${event#* }"
	done
}

done_item() {
	printf 'output_item.done ,"output_index":%s,"item":%s' "$1" "$2"
}

completed='completed ,"response":{"id":"resp_1","model":"gpt-5.4","status":"completed","output":[],"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":2}}}'

message() {
	printf '{"type":"message","id":"msg_1","role":"assistant","status":"completed","phase":"final_answer","content":[{"type":"output_text","text":"%s","annotations":[]}]}' "$1"
}

# say TEXT: an answer that says it.
say() {
	answer "output_text.delta ,\"output_index\":0,\"delta\":\"$1\"" "$(done_item 0 "$(message "$1")")" "$completed"
}

error_body() {
	printf "type=application/json text='%s'" "{\"error\":{\"message\":\"$1\",\"type\":\"$2\",\"param\":null,\"code\":null}}"
}

# same_text FOLDER: agent-text prints the text of the recording.
same_text() {
	jq -j .text "$1/expected.json" >want
	agent-text -n events >got
	cmp got want
}

@test "openai-responses: the text is the same however the stream is framed" {
	local how recording=$openai/responses-rb-with-extended-thinking-openai-gpt-5-4-streams-thinking/01
	for how in '' chunk=1 'chunk=40 random=4' chunk=whole eol=lf eol=crlf 'eol=cr chunk=7' comments=yes space=no \
		split=yes ids=yes bom=yes last=open framing=close framing=length 'gzip=yes chunk=7'; do
		echo "sent with: $how"
		start_server "recording=$recording $how"
		ask openai:gpt-5.4
		run same_text "$recording"
		assert_success
		assert_equal "$(data llm_end .finish_reason)" stop
		assert_equal "$(data agent_end '[.status, .usage.input_tokens, .usage.output_tokens, .usage.reasoning_tokens]')" \
			"$(jq -c '["success", .usage.in, .usage.out, .usage.reasoning]' "$recording/expected.json")"
		stop_server
	done
}

@test "openai-responses: comments, no event names and [DONE]: OpenRouter's" {
	local recording=$recordings/openrouter/responses-pai-openai-responses-raw-cot-stream-openrouter/01
	start_server "recording=$recording"
	OPENROUTER_API_KEY=$secret OPENROUTER_BASE_URL=$SERVER_URL/api/v1 \
		agent-run -m openrouter-responses:openai/gpt-oss-20b hi </dev/null >events
	assert_equal "$(request 1 '[.path, .headers.authorization, .body.model]')" "[\"/api/v1/responses\",\"Bearer $secret\",\"openai/gpt-oss-20b\"]"
	run same_text "$recording"
	assert_success
	assert_equal "$(data llm_end '.message.content | map([.type, .text])')" "$(jq -c '[["thinking", .reasoning], ["text", .text]]' "$recording/expected.json")"
}

@test "openai-responses: the request and its headers" {
	start_server "$(say ok)"
	OPENAI_CUSTOM_HEADERS=$'X-One: 1\nX-Two: 2' OPENAI_ORG_ID=org-1 ask openai:gpt-5.4 -s 'Be brief.' -o service_tier=flex --effort low --max-tokens 99
	assert_equal "$(request 1 '[.method, .path, .headers.authorization, .headers."openai-organization", .headers."openai-project", .headers."x-one", .headers."x-two", .headers."content-type", .headers.accept]')" \
		"[\"POST\",\"/v1/responses\",\"Bearer $secret\",\"org-1\",null,\"1\",\"2\",\"application/json\",\"text/event-stream\"]"
	assert_equal "$(request 1 .body)" '{"model":"gpt-5.4","stream":true,"store":false,"instructions":"Be brief.","input":[{"role":"user","content":"hi"}],"max_output_tokens":99,"include":["reasoning.encrypted_content"],"reasoning":{"summary":"auto","effort":"low"},"service_tier":"flex"}'
	assert_equal "$(agent-text events)" ok
	assert_equal "$(data agent_end '[.usage.input_tokens, .usage.cached_input_tokens, .usage.output_tokens, .usage.reasoning_tokens]')" '[10,4,7,2]'
}

@test "openai-responses: a tool loop over two rounds: reasoning, ids, bytes, a result for each call" {
	printf '%s\n' '{"name":"look","description":"Look","parameters":{"type":"object"},"command":["cat"]}' >look.json
	start_server "$(answer \
		'reasoning_summary_text.delta ,"output_index":0,"summary_index":0,"delta":"hm"' \
		"$(done_item 0 '{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"gA+/=="}')" \
		"$(done_item 1 '{"type":"function_call","id":"fc_1","call_id":"call_1","name":"look","arguments":"{\"id\": 1234567890123456789}"}')" \
		"$(done_item 2 '{"type":"function_call","id":"fc_2","call_id":"call_2","name":"look","arguments":"{}"}')" \
		"$completed")" "$(say Seen.)"
	ask openai:gpt-5.4 -t look.json
	assert_equal "$(request 1 .body.tools)" '[{"type":"function","name":"look","description":"Look","parameters":{"type":"object"},"strict":false}]'
	assert_equal "$(request 2 '.body.input[1]')" \
		'{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"gA+/=="}'
	assert_equal "$(sed -n 2p "$SERVER_LOG" | grep -cF '"arguments":"{\"id\": 1234567890123456789}"')" 1
	assert_equal "$(request 2 '.body.input[2:] | map([.type, .id, .call_id])')" \
		'[["function_call","fc_1","call_1"],["function_call","fc_2","call_2"],["function_call_output",null,"call_1"],["function_call_output",null,"call_2"]]'
	assert_equal "$(request 2 '.body.input[-1].output')" '{}'
	assert_equal "$(agent-text events)" Seen.
	assert_equal "$(data llm_end .finish_reason | paste -sd' ')" 'tool_calls stop'
}

@test "openai-responses: a recorded tool loop" {
	printf '%s\n' '{"name":"weather","description":"Weather","parameters":{"type":"object"},"command":["echo","15 C"]}' >weather.json
	local r=$openai/responses-rb-tools-tools-with-multi-turn-streaming-conversations
	start_server "recording=$r/01" "recording=$r/02"
	ask openai:gpt-5-nano -t weather.json
	assert_equal "$(data tool_end '.result')" '15 C'
	assert_equal "$(request 2 '.body.input[1].encrypted_content')" \
		"$(sed -n 's/^data: //p' "$r/01/response.sse" | jq -r 'select(.type == "response.output_item.done").item | select(.type == "reasoning").encrypted_content')"
	assert_equal "$(request 2 '.body.input[2:] | map([.type, .call_id])')" \
		'[["function_call","call_E9m0fralKLjUmND1MuTXjnqm"],["function_call_output","call_E9m0fralKLjUmND1MuTXjnqm"]]'
	run same_text "$r/02"
	assert_success
}

@test "openai-responses: call ids that repeat in every response" {
	printf '%s\n' '{"name":"f","description":"F","parameters":{"type":"object"},"command":["cat"]}' >f.json
	start_server "$(answer "$(done_item 0 '{"type":"function_call","call_id":"call_0","name":"f","arguments":"{\"n\":1}"}')" "$completed")" \
		"$(answer "$(done_item 0 '{"type":"function_call","call_id":"call_0","name":"f","arguments":"{\"n\":2}"}')" "$completed")" "$(say ok)"
	ask openai:gpt-5.4 -t f.json
	assert_equal "$(request 3 '.body.input | map(select(.type == "function_call").call_id) | unique | length')" 2
	assert_equal "$(request 3 '.body.input | (map(select(.type == "function_call").call_id) == map(select(.type == "function_call_output").call_id))')" true
	assert_equal "$(request 3 '.body.input | map(select(.type == "function_call_output").output)')" '["{\"n\":1}","{\"n\":2}"]'
}

@test "openai-responses: the text of a custom tool is its argument, and goes back as text" {
	printf '%s\n' '{"name":"write_sql","description":"SQL","parameters":{"type":"object"},"command":["jq","-r",".input"]}' >sql.json
	start_server "recording=$openai/responses-vc-openai-custom-tool/01" "$(say ok)"
	ask openai:gpt-5.2-codex -t sql.json
	assert_equal "$(data tool_start .args)" '{"input":"SELECT * FROM users WHERE age > 25"}'
	assert_equal "$(request 2 '.body.input[1:] | map([.type, .call_id, .input, .output])')" \
		'[["custom_tool_call","call_custom_sql_001","SELECT * FROM users WHERE age > 25",null],["custom_tool_call_output","call_custom_sql_001",null,"SELECT * FROM users WHERE age > 25\n"]]'
}

@test "openai-responses: hosted calls are reported and never run locally" {
	local r=$openai/responses-vc-openai-code-interpreter-tool/01
	start_server "recording=$r"
	ask openai:gpt-5-nano -o 'tools=[{"type":"code_interpreter","container":{"type":"auto"}}]' -o 'include=["code_interpreter_call.outputs"]'
	assert_equal "$(request 1 '[.body.tools, .body.include]')" \
		'[[{"type":"code_interpreter","container":{"type":"auto"}}],["reasoning.encrypted_content","code_interpreter_call.outputs"]]'
	assert_equal "$(request_count)" 1
	assert_equal "$(data tool_start '[.tool_name, .executed_by]' | sort | uniq -c | tr -s ' ')" ' 3 ["code_interpreter","provider"]'
	assert_equal "$(data tool_end .executed_by | sort | uniq -c | tr -s ' ')" ' 3 provider'
	assert_equal "$(data tool_start .args.code | head -c 6)" import
	run same_text "$r"
	assert_success
	assert_equal "$(data agent_end .status)" success
}

@test "openai-responses: a shell call for the client is not run, and its result says so" {
	start_server "recording=$openai/responses-vc-openai-local-shell-tool/01"
	run -1 ask openai:gpt-5-codex -o 'tools=[{"type":"local_shell"}]'
	assert_equal "$(data tool_end '[.tool_name, .executed_by, .is_error, .result]')" \
		'["local_shell","provider",true,"Not run: the provider leaves this tool to its client."]'
	assert_equal "$(data error .error)" 'openai ran its own tools, but gave no answer'
}

@test "openai-responses: 429, 503 and a failed response are tried again" {
	start_server "status=429 header='retry-after-ms: 1' $(error_body 'Rate limit reached' requests)" \
		"status=503 header='retry-after-ms: 1' $(error_body 'The server is overloaded' server_error)" \
		"$(answer 'failed ,"response":{"status":"failed","error":{"code":"server_error","message":"Try again."}}')" \
		"event=error data='{\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"Too fast\"}'" "$(say ok)"
	ask openai:gpt-5.4 --retries 4
	assert_equal "$(agent-text events)" ok
	assert_equal "$(request_count)" 5
	assert_equal "$(data llm_retry '[.http_status, .reason]' | paste -sd' ')" \
		'[429,"openai answered HTTP 429: Rate limit reached"] [503,"openai answered HTTP 503: The server is overloaded"] [null,"openai reported an error: Try again"] [null,"openai reported an error: Too fast"]'
}

@test "openai-responses: a stream that breaks off is requested again, and its text appears once" {
	local recording=$openai/responses-rb-with-extended-thinking-openai-gpt-5-4-streams-thinking/01
	start_server "recording=$recording cut=30000" "recording=$recording"
	ask openai:gpt-5.4 --retries 1
	assert_equal "$(request_count)" 2
	assert_regex "$(data llm_retry .reason)" '^openai broke off in the middle of its response'
	assert_equal "$(data llm_end '.message.content | map(select(.type == "text").text) | add')" "$(jq -r .text "$recording/expected.json")"
}

@test "openai-responses: an error and response.failed in a stream are one error, not tried again" {
	start_server "recording=$openai/responses-vc-openai-error/01"
	run -1 ask openai:gpt-5-nano
	assert_equal "$(request_count)" 1
	assert_equal "$(data error .error)" 'openai reported an error: You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors'
	assert_equal "$(data agent_end .status)" error
}

@test "openai-responses: an error after some text fails the run" {
	start_server "$(answer 'output_text.delta ,"output_index":0,"delta":"Half"') event=error data='{\"type\":\"error\",\"code\":\"invalid_prompt\",\"message\":\"Not that.\"}'"
	run -1 ask openai:gpt-5.4
	assert_equal "$(request_count)" 1
	assert_equal "$(data error .error)" 'openai reported an error: Not that'
}

@test "openai-responses: the error of 401 names the variable, the error of 400 has the text of the provider" {
	start_server "recording=$openai/responses-http-401-incorrect-api-key-provided-invalid-key/01"
	run -1 ask openai:gpt-5-nano
	assert_equal "$(request_count)" 1
	assert_regex "$(data error .error)" '^openai refused the key \(HTTP 401: Incorrect API key provided: .*\); check OPENAI_API_KEY$'
	start_server "recording=$openai/responses-http-400-the-requested-model-gpt-5-2-proo-does/01"
	run -1 ask openai:gpt-5.2-proo
	assert_regex "$(data error .error)" "The requested model 'gpt-5.2-proo' does not exist"
	unset OPENAI_API_KEY
	run -2 ask openai:gpt-5.4
	assert_regex "$(cat messages)" OPENAI_API_KEY
}

@test "openai-responses: the error for an organisation without summaries names the option" {
	start_server "status=400 $(error_body 'Your organization must be verified to generate reasoning summaries.' invalid_request_error)"
	run -1 ask openai:gpt-5.4
	assert_equal "$(data error .error)" "openai answered HTTP 400: Your organization must be verified to generate reasoning summaries; -o 'reasoning={\"summary\":null}' does not ask for them"
	start_server "$(say ok)"
	ask openai:gpt-5.4 -o 'reasoning={"summary":null}'
	assert_equal "$(request 1 '.body.reasoning')" '{}'
}

@test "openai-responses: an incomplete answer, a filtered one, a refusal" {
	start_server "recording=$openai/responses-dd-ee2423e6/01"
	run ask openai:gpt-4o --max-tokens 16
	assert_equal "$(data llm_end .finish_reason)" length
	assert_equal "$(data agent_end .status)" limit
	start_server "$(answer 'output_text.delta ,"output_index":0,"delta":"Half"' 'incomplete ,"response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}')"
	run ask openai:gpt-5.4
	assert_equal "$(data llm_end .finish_reason)" content_filter
	start_server "$(answer 'refusal.delta ,"output_index":0,"delta":"No."' "$completed")"
	run ask openai:gpt-5.4
	assert_equal "$(data llm_end '[.finish_reason, .message.content]')" '["refusal",[{"type":"refusal","text":"No."}]]'
	assert_equal "$(data agent_end .status)" refused
}

@test "openai-responses: a text that only the end of the response has arrives once" {
	start_server "$(answer "completed ,\"response\":{\"status\":\"completed\",\"output\":[$(message Late.)]}")"
	ask openai:gpt-5.4
	assert_equal "$(agent-text events)" Late.
	start_server "$(answer 'output_text.delta ,"output_index":0,"delta":"La"' "completed ,\"response\":{\"status\":\"completed\",\"output\":[$(message Late.)]}")"
	ask openai:gpt-5.4
	assert_equal "$(agent-text events)" Late.
}

@test "openai-responses: a whole document instead of a stream" {
	local r=$openai/responses-unary-parallel-can-use-parallel-tool-calls
	start_server "recording=$r/02"
	ask openai:gpt-5-nano -o stream=false
	assert_equal "$(request 1 .body.stream)" false
	run same_text "$r/02"
	assert_success
}

@test "openai-responses: a schema" {
	echo '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"],"additionalProperties":false}' >schema.json
	start_server "$(say '{\"n\":1}')"
	ask openai:gpt-5.4 --schema schema.json
	assert_equal "$(request 1 '.body.text.format | [.type, .name, .strict, .schema.required]')" '["json_schema","answer",true,["n"]]'
	assert_equal "$(agent-text events)" '{"n":1}'
	assert_equal "$(data agent_end .status)" success
}

@test "openai-responses: an image and a document" {
	printf '\x89PNG\r\n\x1a\nx' >i.png
	printf '%%PDF-1.7' >d.pdf
	start_server "$(say ok)"
	ask openai:gpt-5.4 -a i.png -a d.pdf
	assert_equal "$(request 1 '.body.input[0].content')" \
		'[{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgp4"},{"type":"input_file","filename":"d.pdf","file_data":"data:application/pdf;base64,JVBERi0xLjc="},{"type":"input_text","text":"hi"}]'
}

@test "openai-responses: Azure: the deployment's URL and its header" {
	local r=$recordings/azure/responses-rb-responses-protocol-dialects-with-azure-streams-response/01
	start_server "recording=$r"
	AZURE_OPENAI_ENDPOINT=$SERVER_URL/ AZURE_OPENAI_API_KEY=$secret \
		agent-run -m azure-responses:my-gpt-5-nano hi </dev/null >events
	assert_equal "$(request 1 '[.method, .path, .headers."api-key", .headers.authorization, .body.model, .body.include]')" \
		"[\"POST\",\"/openai/v1/responses\",\"$secret\",null,\"my-gpt-5-nano\",[\"reasoning.encrypted_content\"]]"
	run same_text "$r"
	assert_success
	AZURE_OPENAI_ENDPOINT=$SERVER_URL AZURE_OPENAI_API_KEY=other AZURE_OPENAI_AD_TOKEN=$secret \
		agent-run -m azure-responses:my-gpt-5-nano hi </dev/null >events
	assert_equal "$(request 2 '[.path, .headers."api-key", .headers.authorization]')" "[\"/openai/v1/responses\",null,\"Bearer $secret\"]"
}

@test "openai-responses: --list-models" {
	start_server "type=application/json text='{\"object\":\"list\",\"data\":[{\"id\":\"gpt-x\",\"object\":\"model\",\"created\":1}]}'"
	OPENAI_BASE_URL=$SERVER_URL/v1 run agent-run --list-models openai
	assert_success
	assert_output -p 'openai:gpt-x'
	assert_equal "$(request 1 '[.method, .path, .headers.authorization]')" "[\"GET\",\"/v1/models\",\"Bearer $secret\"]"
}

@test "openai-responses: the key appears nowhere in the output" {
	start_server "status=401 $(error_body "Incorrect API key provided: $secret" invalid_request_error)"
	run -1 ask openai:gpt-5.4 --raw
	run grep -rl -- "$secret" events messages
	assert_failure
	OPENAI_BASE_URL=http://127.0.0.1:9 run agent-run -m openai:gpt-5.4 --dry-run hi
	assert_success
	refute_output -p "$secret"
	assert_output -p 'Authorization: Bearer ***'
	assert_output -p '"include":["reasoning.encrypted_content"]'
}
