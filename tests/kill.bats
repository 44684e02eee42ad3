#!/usr/bin/env bats
# agent-run is killed (SIGKILL) at random moments and resumed: nothing is lost, nothing runs twice.
# KILLS is the number of kills (default 20), KILL_SEED the seed of their moments.

# shellcheck disable=SC2016 # jq variables begin with "$"
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	tool once ''
	tool again ',"idempotent":true'
	record >recording
}

# tool NAME MEMBERS: a tool that writes its call id to the file "calls" when it starts, and takes 30 ms.
tool() {
	printf '{"name":"%s","description":"d","parameters":{"type":"object"},"command":["sh","-c","%s"]%s}\n' "$1" \
		'echo \"$AGENT_TOOL_CALL_ID\" >>calls; echo a; sleep 0.03; echo \"done $AGENT_TOOL_CALL_ID\"' "$2" >"$1.json"
}

# Record a run of three rounds with two calls each and text in pieces, an event every 4 ms.
record() {
	jq -nc 'def event($type; $data): {event_type: $type, data: $data};
		[event("agent_start"; {agent_name: "agent", model: "m", prompt: "go", tools: ["once", "again"], schema_version: 1}),
		 (range(1; 5) as $i
		  | event("llm_start"; {iteration: $i, model: "m", attempt: 1}),
		    (range(0; 4) as $n | event("llm_chunk"; {text: "\($i).\($n) "})),
		    (select($i < 4)
		     | ("once", "again") as $name | ($name[:1] + ($i | tostring)) as $id
		     | event("tool_call_start"; {tool_call_id: $id, tool_name: $name, index: 0}),
		       event("tool_call_chunk"; {tool_call_id: $id, tool_name: $name, args_delta: "{\"n\":"}),
		       event("tool_call_chunk"; {tool_call_id: $id, tool_name: $name, args_delta: "\($i)}"})),
		    event("llm_end"; {iteration: $i, model: "m", finish_reason: "stop", is_final: ($i == 4), usage: {input_tokens: 1, output_tokens: 1}, message: {role: "assistant", content: []}}))]
		| to_entries[]
		| {event_type: .value.event_type,
		   timestamp: "2026-11-20T10:00:00.\(1000000 + .key * 4000 | tostring[1:])Z", run_id: "r", seq: .key, data: .value.data}'
}

options=(-m replay:recording -o delay=recorded -t once.json -t again.json)

# killed MICROSECONDS ARGUMENT...: run with these arguments and kill the run after this time. Fails if
# the run ended before.
killed() {
	local after=$1 pid status=0
	shift
	agent-run "${options[@]}" "$@" </dev/null >/dev/null 2>>messages 3>&- &
	pid=$!
	sleep "$(printf '%d.%06d' $((after / 1000000)) $((after % 1000000)))"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || status=$?
	[ "$status" -eq 137 ]
}

# Print the faults of the finished log.
faults() {
	jq -rs --rawfile calls calls '
		($calls | split("\n") | map(select(. != ""))) as $begun
		| . as $events
		| (group_by(.run_id)[] | select(map(.seq) != [range(length)]) | "a run with holes in seq"),
		  (map(select(.event_type == "agent_start")) | .[0], (.[1:][] | select(.data.resumed_from == null)) | select(.data.resumed_from == null)
		   | select(.run_id != $events[0].run_id) | "a run that resumes none"),
		  (select(.[-1].event_type != "agent_end" or .[-1].data.status != "success") | "no success"),
		  (select(.[-1].data.output != "4.0 4.1 4.2 4.3 ") | "output: \(.[-1].data.output)"),
		  (select(.[-1].data | [.total_iterations, .tool_calls] != [4, 6]) | "counts: \(.[-1].data | [.total_iterations, .tool_calls])"),
		  (select(map(select(.event_type == "llm_end").data.iteration) != [1, 2, 3, 4]) | "a response is missing or twice"),
		  (("o1", "a1", "o2", "a2", "o3", "a3") as $id
		   | map(select(.data.tool_call_id == $id and (.event_type == "tool_start" or .event_type == "tool_end"))) as $seen
		   | ($begun | map(select(. == $id)) | length) as $times
		   | ($seen | map(select(.event_type == "tool_start")) | length) as $starts
		   | (select($seen[-1].event_type != "tool_end" or ($seen[:-1] | any(.event_type == "tool_end"))) | "\($id): it does not end just once, or ran again after it had"),
		     (select($times > $starts) | "\($id): ran \($times) times with \($starts) tool_start events"),
		     (select(($id | startswith("o")) and $times > 1) | "\($id): ran \($times) times"),
		     (select($seen[-1].data.is_error == false and ($times < 1 or $seen[-1].data.result != "a\ndone \($id)\n")) | "\($id): result \($seen[-1].data.result)"),
		     (select($seen[-1].data.is_error and ($id | startswith("a"))) | "\($id): was not run again"),
		     (select($seen[-1].data.is_error and $starts < 1) | "\($id): interrupted before it began"))' log
}

@test "--resume finishes a run that was killed at a random moment" {
	local kills=${KILLS:-20} seed=${KILL_SEED:-$$} done=0 runs=0 interrupted=0
	echo "# SIGKILL: KILLS=$kills KILL_SEED=$seed" >&3
	RANDOM=$seed
	# The duration of a complete run, within which the moments lie.
	begun=$(date +%s%N)
	agent-run "${options[@]}" go </dev/null >whole
	lasts=$((($(date +%s%N) - begun) / 1000))
	while [ "$done" -lt "$kills" ]; do
		rm -f log calls messages
		: >calls
		runs=$((runs + 1))
		arguments=(-c log go)
		# Kill each run up to three times.
		while [ "$done" -lt "$kills" ] && killed $(((RANDOM * 32768 + RANDOM) % lasts)) "${arguments[@]}"; do
			done=$((done + 1))
			[ -s log ] && arguments=(--resume log)
			[ $((RANDOM % 3)) -gt 0 ] || break
		done
		[ "$(tail -1 log 2>/dev/null | jq -r .event_type 2>/dev/null)" = agent_end ] ||
			agent-run "${options[@]}" "${arguments[@]}" </dev/null >/dev/null 2>>messages || { cat messages; return 1; }
		interrupted=$((interrupted + $(grep -c 'was interrupted: this program' log || true)))
		run faults
		[ "$status" -eq 0 ] && [ -z "$output" ] || { echo "$output"; cat messages log calls; return 1; }
		assert_equal "$(agent-text --strict -F log)" '4.0 4.1 4.2 4.3 '
		assert_equal "$(agent-collect -o messages log | jq -c 'map(.role)')" \
			'["user","assistant","tool","assistant","tool","assistant","tool","assistant"]'
	done
	echo "# SIGKILL: $done kills in $runs runs, $interrupted calls interrupted" >&3
}

# Two agents as tools (one of them idempotent) with a handoff inside, and a handoff of the run itself to
# an agent with a tool. The response of the model is the file AGENT.N for a request with N results.
agents() {
	local text='{event_type:"llm_chunk",data:{text:$text}}'
	cat >model.sh <<-'EOF'
		request=$(cat)
		name=$(jq -r '"\(.system).\([.messages[] | select(.role == "tool")] | length)"' <<END
		$request
		END
		)
		sleep 0.02
		cat "$name"
	EOF
	ask() {
		jq -cn --arg id "$1" --arg name "$2" --arg args "$3" '{event_type:"tool_call_start",data:{tool_call_id:$id,tool_name:$name,index:0}},
			{event_type:"tool_call_chunk",data:{tool_call_id:$id,tool_name:$name,args_delta:$args}}'
	}
	{ ask n1 rare '{"prompt":"a"}'; ask n2 often '{"prompt":"b"}'; } >boss.0
	ask h1 transfer_to_finisher '{}' >boss.1
	ask o1 once '{}' >finisher.2
	jq -cn --arg text 'all done' "$text" >finisher.3
	ask l1 once '{}' >helper.0
	ask h2 transfer_to_other '{}' >helper.1
	jq -cn --arg text found "$text" >other.2
	cat >boss.json <<-'EOF'
		{"name":"boss","instructions":"boss","handoffs":["finisher.json"],"tools":[
		 {"name":"rare","description":"d","agent":"helper.json"},{"name":"often","description":"d","agent":"helper.json","idempotent":true}]}
	EOF
	echo '{"name":"helper","instructions":"helper","tools":["once.json"],"handoffs":["other.json"]}' >helper.json
	echo '{"name":"other","instructions":"other"}' >other.json
	echo '{"name":"finisher","instructions":"finisher","tools":["once.json"]}' >finisher.json
	options=(-m 'exec:sh model.sh' -A boss.json)
}

nested_faults() {
	jq -rs --rawfile calls calls '
		($calls | split("\n") | map(select(. != ""))) as $begun
		| def starts($id): map(select(.event_type == "tool_start" and .data.tool_call_id == $id));
		  def ends($id): map(select(.event_type == "tool_end" and .data.tool_call_id == $id));
		  def nested($id): map(select(.event_type == "agent_start" and .data.parent_tool_call_id == $id));
		. as $events
		| (group_by(.run_id)[] | select(map(.seq) != [range(length)]) | "a run with holes in seq"),
		  (select(.[-1].event_type != "agent_end" or .[-1].data.status != "success" or .[-1].data.output != "all done" or .[-1].data.agent_name != "finisher") | "the end: \(.[-1].data)"),
		  (select(.[-1].data.tool_calls != 4) | "\(.[-1].data.tool_calls) tool calls"),
		  (select(.[-1].data.usage.requests != (map(select(.event_type == "llm_end")) | length)) | "usage: \(.[-1].data.usage)"),
		  (("n1", "n2", "h1", "o1") as $id | select(ends($id) | length != 1) | "\($id): ended \(ends($id) | length) times"),
		  (select(nested("n1") | length > 1) | "n1 ran \(nested("n1") | length) times"),
		  (select(ends("n1")[0].data | (.is_error | not) and .result != "found") | "n1: \(ends("n1")[0].data)"),
		  (select(ends("n2")[0].data | .is_error or .result != "found") | "n2: \(ends("n2")[0].data)"),
		  (index(ends("n2")[0]) as $over | select(.[$over:] | nested("n2") | length > 0) | "n2 ran after it had ended"),
		  (select($begun | map(select(. == "o1")) | length > 1) | "o1 ran twice"),
		  (select(($begun | map(select(. == "l1")) | length) > (starts("l1") | length)) | "l1 ran without a tool_start"),
		  (select(map(select(.event_type == "agent_updated" and .data.agent_name == "finisher")) | length != 1) | "not one handoff")' log
}

@test "--resume finishes a run with nested runs and handoffs that was killed at a random moment" {
	local kills=${KILLS:-10} seed=${KILL_SEED:-$$} done=0 runs=0
	echo "# SIGKILL: KILLS=$kills KILL_SEED=$seed" >&3
	RANDOM=$seed
	agents
	begun=$(date +%s%N)
	agent-run "${options[@]}" go </dev/null >whole
	lasts=$((($(date +%s%N) - begun) / 1000))
	while [ "$done" -lt "$kills" ]; do
		rm -f log calls messages
		: >calls
		runs=$((runs + 1))
		arguments=(-c log go)
		while [ "$done" -lt "$kills" ] && killed $(((RANDOM * 32768 + RANDOM) % lasts)) "${arguments[@]}"; do
			done=$((done + 1))
			[ -s log ] && arguments=(--resume log)
			[ $((RANDOM % 3)) -gt 0 ] || break
		done
		[ "$(tail -1 log 2>/dev/null | jq -r 'select(.data.agent_name == "finisher").event_type' 2>/dev/null)" = agent_end ] ||
			agent-run "${options[@]}" "${arguments[@]}" </dev/null >/dev/null 2>>messages || { cat messages; return 1; }
		run nested_faults
		[ "$status" -eq 0 ] && [ -z "$output" ] || { echo "$output"; cat messages log calls; return 1; }
		assert_equal "$(agent-text --strict -F log)" 'all done'
		agent-collect --strict log >/dev/null
		assert_equal "$(agent-tools --strict log | grep -c '^<- ')" 4
	done
	echo "# SIGKILL: $done kills in $runs runs" >&3
}
