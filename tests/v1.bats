#!/usr/bin/env bats
# Logs, sessions and batches of the first round (tests/data/v1, see README there): every later version
# reads, continues, resumes and replays them with the same results, which are kept in "expected".
# V1_WRITE=yes writes these files instead; that is right only with the programs of the first round.

load helper

setup() {
	data=$PWD/tests/data/v1
	cp -R "$data/tools" "$data/agents" "$data/files" "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return
	unset AGENT_MODEL OPENAI_BASE_URL ANTHROPIC_BASE_URL GOOGLE_GEMINI_BASE_URL OLLAMA_BASE_URL AWS_ENDPOINT_URL_BEDROCK_RUNTIME
	export OPENAI_API_KEY=k ANTHROPIC_API_KEY=k GOOGLE_API_KEY=k AWS_BEARER_TOKEN_BEDROCK=k AWS_REGION=us-east-1
}

# One model of each protocol.
models='openai-chat:gpt-4o openai:gpt-5.4 anthropic:claude-sonnet-4-5 gemini:gemini-3-flash
	bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0 ollama:qwen3'

# compare KIND FILTER NAME...: for each of these logs, the output of the function KIND, through FILTER, is as
# stored.
compare() {
	local kind=$1 filter=$2 name
	shift 2
	for name; do
		echo "=== $name"
		"$kind" "$name"
	done | "$filter" >"$kind.now"
	if [ -n "${V1_WRITE-}" ]; then
		mkdir -p "$data/expected"
		cp "$kind.now" "$data/expected/$kind"
	fi
	diff -u "$data/expected/$kind" "$kind.now"
}

# The names of all logs.
logs() {
	(cd "$data" && printf '%s\n' *.jsonl | sed 's/\.jsonl$//')
}

# result COMMAND...: what it prints on standard output, and its exit status.
result() {
	local status=0
	echo "== $*"
	"$@" </dev/null 2>/dev/null || status=$?
	echo "== status $status"
}

# Events and results without what differs every time: times, ids of runs, sentences of errors. The sums make jq 1.7
# round numbers as jq 1.6 does.
essence() {
	sed 's/The call was interrupted:[^"]*/The call was interrupted./g' | jq -Rrc '(fromjson? // null) as $event
		| if $event == null then .
		  elif $event.event_type == "llm_chunk" or $event.event_type == "progress" then empty
		  else $event | del(.timestamp, .run_id, .parent_run_id, .seq, .started, .ended, .duration_seconds, .time_to_first_chunk_seconds,
				.tool_calls[]?.duration_seconds, .errors[]?.error)
			| if .data then .data |= del(.duration_seconds, .time_to_first_chunk_seconds, .resumed_from, .parent_run_id, .wait_seconds,
				.error, .model, .provider, .message.model, .message.provider) else . end
			| (.. | numbers) |= . + 0 | tojson end'
}

readers() {
	cp "$data/$1.jsonl" log
	result agent-text log
	result agent-text --thinking --nested log
	result agent-text --final log
	result agent-tools log
	result agent-tools --summary log
	result agent-tools --json log
	result agent-collect log
	result agent-collect --total log
	result agent-collect --output messages log
	result agent-filter --strict --own-status log |
		cmp - <(echo '== agent-filter --strict --own-status log'; cat log; echo '== status 0') >/dev/null &&
		echo 'agent-filter --strict: all lines'
	return 0
}

# The requests that continue a log.
requests() {
	local model
	for model in $models; do
		echo "== $model"
		agent-run -m "$model" --dry-run "$@" </dev/null 2>/dev/null || echo "== status $?"
	done
}

# The bodies of requests. How long a response may be is a matter of the model, not of the log.
bodies() {
	sed -n 's/"max_tokens":[0-9]*,//; /^[{=]/p'
}

continue_history() {
	requests --history "$data/$1.jsonl" 'and then?'
}

continue_session() {
	cp "$data/$1.jsonl" log
	requests --session log 'and then?'
}

resume_request() {
	cp "$data/$1.jsonl" log
	requests --resume log
}

resume() {
	local status=0 arguments=()
	cp "$data/$1.jsonl" log
	rm -f requests
	case $1 in
	*nested) arguments=(--resume log -A agents/boss.json) ;;
	*handoff) arguments=(--resume log -A agents/away.json) ;;
	batch*) arguments=(--batch files/cities -j 1 --log log 'The weather in {city}?') ;;
	*) arguments=(--resume log -t tools/weather.json -t tools/again.json -t tools/hangs.json) ;;
	esac
	agent-run -m 'exec:tee -a requests >/dev/null; echo "{\"text\": \"Done.\"}"' -P 1 "${arguments[@]}" </dev/null 2>/dev/null || status=$?
	echo "== status $status"
	[ ! -e requests ] || cat requests
	agent-collect log || true
}

replay() {
	local line status=0 arguments=()
	line=$(grep "^$1	" "$data/arguments")
	IFS=$'\t' read -ra arguments <<<"$line"
	cp "$data/$1.jsonl" log
	agent-run -m replay:log -o strict=true -P 1 "${arguments[@]:2}" </dev/null 2>/dev/null || status=$?
	echo "== status $status"
}

@test "old logs: the readers give the same" {
	mapfile -t names < <(logs)
	compare readers cat "${names[@]}"
}

@test "old logs: --history sends the same in every protocol" {
	compare continue_history bodies tools parallel failed-calls approval nested handoff handoff-last structured structured-by-tool \
		retry-discard attachments thinking-{anthropic,redacted,responses,xai,openrouter,bedrock,bedrock-redacted,ollama} \
		signature-gemini parallel-{anthropic,bedrock,responses} hosted-{search,code}-{gemini,responses} hosted-{search,mcp}-anthropic \
		citations-bedrock batch resumed resumed-nested resumed-handoff killed-tool killed-nested torn cancelled limit-wrap-up
}

@test "old sessions: -c sends the same in every protocol" {
	compare continue_session bodies session-{anthropic,bedrock,chat,failed,gemini,mixed,responses,test} torn-session window
}

@test "old logs: --resume sends the same in every protocol" {
	compare resume_request bodies killed-{handoff,idempotent,nested,response,tool} torn cancelled timeout failed failed-after-call \
		limit-iterations resumed
}

@test "old logs: --resume and --batch go on in the same way" {
	compare resume essence killed-{handoff,idempotent,nested,response,tool} torn cancelled timeout failed failed-after-call \
		limit-iterations resumed batch-half
}

@test "old logs: a strict replay has the same results" {
	mapfile -t names < <(cut -f 1 "$data/arguments" | grep -v '^limit-wrap-up$')
	compare replay essence "${names[@]}"
}
