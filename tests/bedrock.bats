# agent-run with Bedrock's ConverseStream: framing, failures, tool loops, signatures, requests.
# The recordings are real responses (SOURCE.txt names their sources).
# shellcheck shell=bash disable=SC2016 # single-quoted text is for jq or the server
load helper

recordings=tests/data/recordings/bedrock
secret=key-c0ffee-0123456789
claude=bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0

setup() {
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_DEFAULT_REGION AWS_ENDPOINT_URL_BEDROCK_RUNTIME
	export AWS_BEARER_TOKEN_BEDROCK=$secret AWS_REGION=us-east-1
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -sf "$OLDPWD/tests" tests
}

ask() {
	local model=$1
	shift
	AWS_ENDPOINT_URL_BEDROCK_RUNTIME=$SERVER_URL agent-run -m "$model" "$@" hi </dev/null >events 2>messages
}

# u32 NUMBER: its four bytes, the highest first.
u32() {
	printf "\\x$(printf %02x $(($1 >> 24 & 255)))\\x$(printf %02x $(($1 >> 16 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))\\x$(printf %02x $(($1 & 255)))"
}

# crc FILE: its CRC-32, which gzip writes behind what it packs, the lowest byte first.
crc() {
	gzip -c "$1" | tail -c 8 | head -c 4 | od -An -tu4 --endian=little | while read -r sum; do u32 "$sum"; done
}

# header NAME VALUE: a header that is a string.
header() {
	printf "\\x$(printf %02x ${#1})%s\\x07\\x00\\x$(printf %02x ${#2})%s" "$1" "$2"
}

# message KIND NAME JSON: one message of a stream; KIND is "event" or "exception".
message() {
	{ header ":$1-type" "$2" && header :content-type application/json && header :message-type "$1"; } >headers
	{ u32 $((16 + $(wc -c <headers) + ${#3})) && u32 "$(wc -c <headers)"; } >prelude
	crc prelude >>prelude.crc
	{ cat prelude prelude.crc headers && printf %s "$3"; } >frame
	cat frame
	crc frame
	rm prelude.crc
}

# stream MESSAGES: let the server send the file stream.
stream() {
	echo "type=application/vnd.amazon.eventstream body=$BATS_TEST_TMPDIR/$1"
}

# say FILE TEXT STOP_REASON: a stream that says it.
say() {
	{
		message event messageStart '{"role":"assistant"}'
		message event contentBlockDelta "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"$2\"}}"
		message event contentBlockStop '{"contentBlockIndex":0}'
		message event messageStop "{\"stopReason\":\"$3\"}"
		message event metadata '{"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":15,"cacheReadInputTokens":20,"cacheWriteInputTokens":30},"metrics":{"latencyMs":1}}'
	} >"$1"
}

@test "bedrock: the text is the same however the stream is framed" {
	local how recording=$recordings/converse-lc-thinking-v0/01
	jq -j .text "$recording/expected.json" >want
	for how in '' chunk=1 chunk=7 'chunk=40 random=4' chunk=whole framing=close framing=length 'gzip=yes chunk=1'; do
		echo "sent with: $how"
		start_server "recording=$recording $how"
		ask "$claude"
		agent-text -n events >got
		run cmp got want
		assert_success
		assert_equal "$(data llm_end .finish_reason)" stop
		stop_server
	done
}

@test "bedrock: a response cut anywhere is complete or an error, never wrong" {
	local size cut answers=()
	say answer 'all of it' end_turn
	size=$(wc -c <answer)
	for ((cut = 1; cut < size; cut += 23)); do
		answers+=("$(stream answer) framing=close cut=$cut")
	done
	start_server "${answers[@]}"
	for cut in "${answers[@]}"; do
		ask "$claude" --retries 0 || true
		cat events
	done >all
	assert_equal "$(request_count)" ${#answers[@]}
	jq -cs 'group_by(.run_id)[] | (.[-1].data | [.status, .exit_status]) + if .[-1].data.success
		then [map(select(.event_type == "llm_chunk").data.text) | join("")] else map(select(.event_type == "error").data.error) end' all |
		sort -u >seen
	assert_equal "$(cat seen)" '["error",1,"bedrock answered HTTP 200, but sent nothing"]
["error",1,"bedrock broke off in the middle of its response"]
["success",0,"all of it"]'
}

@test "bedrock: the request and its headers" {
	say answer ok end_turn
	start_server "$(stream answer)"
	ask "$claude" -s 'Be brief.' --max-tokens 100 -o temperature=0.5 -o top_k=5
	assert_equal "$(request 1 '[.method, .path, .headers.authorization, .headers.accept, .headers."content-type"]')" \
		"[\"POST\",\"/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream\",\"Bearer $secret\",\"application/vnd.amazon.eventstream\",\"application/json\"]"
	assert_equal "$(request 1 .body)" '{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"Be brief."}],"inferenceConfig":{"maxTokens":100,"temperature":0.5},"additionalModelRequestFields":{"top_k":5}}'
	assert_equal "$(agent-text events)" ok
	assert_equal "$(data agent_end '[.usage.input_tokens, .usage.cached_input_tokens, .usage.cache_write_tokens, .usage.output_tokens]')" '[60,20,30,5]'
}

@test "bedrock: requests are signed without a bearer token, the session's token too" {
	unset AWS_BEARER_TOKEN_BEDROCK AWS_REGION
	export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI AWS_SESSION_TOKEN=tok/en AWS_DEFAULT_REGION=eu-west-3
	say answer ok end_turn
	start_server "$(stream answer)"
	ask bedrock:amazon.nova-lite-v1:0 -l log
	assert_equal "$(request 1 '.headers | .authorization | sub("[0-9]{8}/"; "DAY/") | sub("[0-9a-f]{64}"; "HASH")')" \
		'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/DAY/eu-west-3/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=HASH'
	assert_equal "$(request 1 '.headers."x-amz-security-token"')" tok/en
	# Compute the signature again from the received request. The path is escaped a second time.
	local moment day host text key part
	moment=$(request 1 '.headers."x-amz-date"')
	day=${moment%%T*}
	host=$(request 1 .headers.host)
	hash() { openssl dgst -sha256 -r | cut -d' ' -f1; }
	sign() { printf %s "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -r | cut -d' ' -f1; }
	text=$(printf '%s\n' POST /model/amazon.nova-lite-v1%253A0/converse-stream '' content-type:application/json "host:$host" "x-amz-date:$moment" \
		x-amz-security-token:tok/en '' 'content-type;host;x-amz-date;x-amz-security-token' "$(request 1 .body | tr -d '\n' | hash)")
	text=$(printf '%s\n' AWS4-HMAC-SHA256 "$moment" "$day/eu-west-3/bedrock/aws4_request" "$(printf %s "$text" | hash)")
	key=$(printf %s "AWS4$AWS_SECRET_ACCESS_KEY" | od -An -v -tx1 | tr -d ' \n')
	for part in "$day" eu-west-3 bedrock aws4_request; do key=$(sign "$key" "$part"); done
	assert_equal "$(request 1 '.headers.authorization | sub(".*Signature="; "")')" "$(sign "$key" "$text")"
	run grep -l -e wJalrXUtnFEMI -e tok/en events messages log
	assert_output ''
}

@test "bedrock: a tool loop over two rounds; no secret is in the tool's environment" {
	local recording=$recordings/converse-unary-parallel-can-handle-multiple-tool-calls-in-a-single
	export AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$secret AWS_ACCESS_KEY_ID=$secret
	start_server --strict "recording=$recording/01" "recording=$recording/02"
	printf '{"name":"dice_roll","description":"d","command":["sh","-c","env | grep -c %s"]}\n' "$secret" >dice.json
	ask bedrock:us.amazon.nova-2-lite-v1:0 -t dice.json
	assert_equal "$(request_count)" 2
	assert_equal "$(request 2 '[.body.messages[].role]')" '["user","assistant","user"]'
	assert_equal "$(request 2 '[.body.messages[1].content[] | .toolUse | select(.).toolUseId]')" \
		"$(request 2 '[.body.messages[2].content[].toolResult.toolUseId]')"
	assert_equal "$(data tool_end .result | sort -u | head -n 1)" 0
}

@test "bedrock: retryable exceptions in the stream are retried" {
	local what
	say answer 'all of it' end_turn
	for what in throttlingException internalServerException modelStreamErrorException serviceUnavailableException modelTimeoutException; do
		{
			message event messageStart '{"role":"assistant"}'
			message event contentBlockDelta '{"contentBlockIndex":0,"delta":{"text":"a part"}}'
			message exception "$what" '{"message":"Oh no."}'
		} >broken
		start_server --strict "$(stream broken)" "$(stream answer)"
		ask "$claude"
		assert_equal "$(data llm_retry '[.discard, .reason]')" '[true,"bedrock reported an error: Oh no"]'
		assert_equal "$(agent-text -n events 2>/dev/null | tail -n 1)" 'all of it'
		stop_server
	done
	{ message event messageStart '{"role":"assistant"}' && message exception validationException '{"message":"Oh no."}'; } >broken
	start_server --strict "$(stream broken)"
	run ask "$claude"
	assert_failure 1
	assert_equal "$(data error .error)" 'bedrock reported an error: Oh no'
}

@test "bedrock: a message whose checksum is wrong is not read" {
	say answer 'all of it' end_turn
	sed 's/all of it/all of IT/' answer >broken
	start_server --strict "$(stream broken)" "$(stream answer)"
	ask "$claude"
	assert_equal "$(data llm_retry .reason)" 'bedrock sent a damaged stream: the checksum of a message is wrong'
	assert_equal "$(agent-text -n events)" 'all of it'
}

@test "bedrock: 429 and 503 are tried again, 403 names the variable" {
	say answer ok end_turn
	start_server --strict "status=429 header='x-amzn-errortype: ThrottlingException' type=application/json text='{\"message\":\"Too many requests\"}'" \
		"status=503 type=application/json text='{\"message\":\"Unavailable\"}'" "$(stream answer)"
	ask "$claude"
	assert_equal "$(data llm_retry .http_status | paste -sd' ')" '429 503'
	stop_server
	start_server --strict "recording=$recordings/converse-http-403-the-security-token-included-in-the-reque/01"
	run ask "$claude"
	assert_failure 1
	assert_equal "$(data error .error)" 'bedrock refused the key (HTTP 403: The security token included in the request is invalid); check AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
}

@test "bedrock: a response stopped by a guardrail is a refusal" {
	say answer 'I may not.' guardrail_intervened
	start_server "$(stream answer)"
	run ask "$claude"
	assert_failure 6
	assert_equal "$(data agent_end '[.status, .finish_reason]')" '["refused","content_filter"]'
}

@test "bedrock: --dry-run shows no secret, and missing variables are named" {
	unset AWS_BEARER_TOKEN_BEDROCK
	run agent-run -n -m "$claude" hi
	assert_failure 2
	assert_output 'agent-run: provider bedrock needs a key; set AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
	export AWS_ACCESS_KEY_ID=$secret AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$secret
	agent-run -n -m "$claude" hi </dev/null >shown
	run grep -c "$secret" shown
	assert_output 0
	run sed -n '1p;s/^X-Amz-Date: .*/DATE/;/^DATE\|^X-Amz\|^Authorization/p' shown
	assert_output 'POST https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream
DATE
X-Amz-Security-Token: ***
Authorization: ***'
}

@test "bedrock: --list-models" {
	start_server "type=application/json text='{\"modelSummaries\":[{\"modelId\":\"amazon.nova-lite-v1:0\",\"modelName\":\"Nova Lite\",\"outputModalities\":[\"TEXT\"],\"responseStreamingSupported\":true},{\"modelId\":\"amazon.titan-embed\",\"outputModalities\":[\"EMBEDDING\"]},{\"modelId\":\"x.slow\",\"outputModalities\":[\"TEXT\"],\"responseStreamingSupported\":false}]}'"
	AWS_ENDPOINT_URL_BEDROCK_RUNTIME=$SERVER_URL run agent-run --list-models -m bedrock
	assert_success
	assert_output "$(printf 'bedrock:amazon.nova-lite-v1:0\t\tNova Lite')"
	assert_equal "$(request 1 '[.method, .path, .headers.authorization]')" "[\"GET\",\"/foundation-models\",\"Bearer $secret\"]"
}
