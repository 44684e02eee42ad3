# from_claude: claude -p --output-format stream-json --verbose [--include-partial-messages]
import "translate" as t;

def start: {};

def usage_of($u):
	if $u == null then null
	else t::usage([$u.input_tokens, $u.cache_read_input_tokens, $u.cache_creation_input_tokens]
			| map(t::count) | add;
		$u.output_tokens | t::count; $u.cache_read_input_tokens; $u.cache_creation_input_tokens; null; 1) end;

def finish_of:
	{end_turn: "stop", stop_sequence: "stop", pause_turn: "stop", max_tokens: "length",
		model_context_window_exceeded: "length", tool_use: "tool_calls", refusal: "refusal"}[. // ""];

# Complete calls whose arguments were only streamed, because the line with the complete arguments is missing.
def complete_calls:
	reduce (t::run.calls | to_entries[] | select(.value.started == null)) as $call (.;
		t::call($call.key; $call.value.tool_name;
			($call.value.json | try fromjson catch {} | if type == "object" then . else {} end)));

def close:
	if t::in_message then
		complete_calls
		| t::message_close(t::run.message.finish | finish_of; usage_of(t::run.message.usage))
	else . end;

def close_all:
	reduce (.state.runs | keys_unsorted | sort_by(. == "") | .[]) as $key (.;
		.key = $key | close
		| if $key == "" then . else t::run_end({status: "success"}) end)
	| .key = "";

# ---- runs: the outer run, and a run for each subagent, identified by the id of the call that started it ----

def open_outer($model; data):
	if .state.runs[""] != null then . else .key = "" | t::run_start("claude"; $model; data) end;

def open_run($model):
	.key as $key
	| if t::is_open then .
	elif $key == "" or .state.runs[""] == null then open_outer($model; {})
	else
		([.state.runs[] | select(.calls[$key] != null)][0] // .state.runs[""]) as $parent
		| $parent.calls[$key].args as $args
		| t::run_start($args.subagent_type // "agent" | t::as_text; $model;
			{prompt: ($args.prompt | t::as_text), parent_run_id: $parent.run_id})
	end;

# ---- lines ----

def init:
	.key = "" | .event as $e
	| open_outer($e.model;
		{tools: ($e.tools // [])}
		+ if $e.session_id == null then {} else {session_id: $e.session_id} end);

def result_text:
	if type == "array" then [.[] | if .type == "text" then .text else t::json end] | join("\n")
	else t::as_text end;

def tool_result($block):
	if .state.runs[$block.tool_use_id] == null then .
	else .key as $key
		| .key = $block.tool_use_id | close
		| t::run_end({status: (if $block.is_error == true then "error" else "success" end)})
		| .key = $key
	end
	| t::call_end($block.tool_use_id; $block.content | result_text; $block.is_error == true; {});

def is_call: .type | . == "tool_use" or . == "server_tool_use" or . == "mcp_tool_use";

# A part of a message. Parts that were streamed are skipped.
def part($block; $streamed):
	if $block.type == "text" then if $streamed then . else t::text($block.text) end
	elif $block.type == "thinking" then if $streamed then . else t::thinking($block.thinking) end
	elif $block | is_call then
		t::call($block.id; $block.name; $block.input // {})
	elif $block.tool_use_id != null then tool_result($block)
	else . end;

def assistant:
	.event.message as $m
	| if t::in_message and t::run.message.id != $m.id then close else . end
	| (t::run.streamed != null and t::run.streamed == $m.id) as $streamed
	| if .event.error != null then
		t::error_event([$m.content[]?.text // empty] | join("\n"); .event.error; false)
	elif $streamed and all($m.content[]?; .type == "text" or .type == "thinking") then .
	else
		t::message_open($m.id; $m.model)
		| reduce $m.content[]? as $block (.; part($block; $streamed))
		| if $streamed then . else .state.runs[.key].message.usage = $m.usage end
		| if $m.stop_reason == null then . else .state.runs[.key].message.finish = $m.stop_reason end
		| if t::run.message.stopped == true then close else . end
	end;

# Messages to the model: only tool results are translated. The rest are prompts of the user or a subagent.
def user:
	[.event.message.content | arrays | .[] | select(.type == "tool_result")] as $results
	| if $results | length == 0 then .
	else open_run(null) | close | reduce $results[] as $block (.; tool_result($block)) end;

def stream_event:
	.event.event as $e
	| if $e.type == "message_start" then
		close | t::message_open($e.message.id; $e.message.model)
		| .state.runs[.key].streamed = $e.message.id
		| .state.runs[.key].message.usage = $e.message.usage
	elif t::in_message | not then .
	elif $e.type == "content_block_start" and ($e.content_block | is_call) then
		t::call_start($e.content_block.id; $e.content_block.name)
		| .state.runs[.key].message.blocks[$e.index | tostring] = $e.content_block.id
	elif $e.type == "content_block_delta" then
		if $e.delta.type == "text_delta" then t::text($e.delta.text)
		elif $e.delta.type == "thinking_delta" then t::thinking($e.delta.thinking)
		elif $e.delta.type == "input_json_delta" and t::run.message.blocks[$e.index | tostring] != null then
			t::call_chunk(t::run.message.blocks[$e.index | tostring]; $e.delta.partial_json)
		else . end
	elif $e.type == "message_delta" then
		.state.runs[.key].message.finish = $e.delta.stop_reason
		| .state.runs[.key].message.usage += ($e.usage // {} | with_entries(select(.value != null)))
	elif $e.type == "message_stop" then
		if any(t::run.calls[]; .started == null) then .state.runs[.key].message.stopped = true else close end
	else . end;

def retry:
	.event as $e
	| if t::is_open then
		t::retry(($e.attempt | t::count) + 1;
			{wait_seconds: (($e.retry_delay_ms | t::count) / 1000), reason: ($e.error | t::as_text)}
			+ if $e.error_status == null then {} else {http_status: $e.error_status} end)
	else . end;

def status_of:
	if .subtype == "success" and .is_error != true then
		if .stop_reason == "refusal" then "refused" else "success" end
	elif .subtype | . == "error_max_turns" or . == "error_max_budget_usd" then "limit"
	elif .subtype == "error_max_structured_output_retries" then "invalid_output"
	else "error" end;

def result:
	.event as $e
	| open_outer(null; {})
	| close_all
	| ($e | status_of) as $status
	| if $status == "success" or $status == "refused" then .
	else
		t::error_event(([$e.errors[]? | t::as_text] | if length > 0 then join("; ") else null end)
			// (if $e.result == "" then null else $e.result end) // $e.subtype; $e.subtype; true)
	end
	| usage_of($e.usage) as $usage
	| t::run_end({status: $status, output: $e.result, total_cost_usd: $e.total_cost_usd,
		usage: (if $usage == null then null else $usage + {requests: t::run.iteration} end),
		finish_reason: (if $status == "refused" then "refusal" else null end),
		duration_seconds: (if $e.duration_ms == null then null else ($e.duration_ms | t::count) / 1000 end)}
		+ if $e.structured_output == null then {} else {output_json: $e.structured_output} end);

def step:
	t::begin
	| .key = (.event.parent_tool_use_id // "")
	| .event.type as $type
	| if $type == "system" and .event.subtype == "init" then init
	elif $type == "system" and .event.subtype == "api_retry" then retry
	elif $type == "assistant" then open_run(.event.message.model) | assistant
	elif $type == "user" then user
	elif $type == "stream_event" then open_run(.event.event.message.model) | stream_event
	elif $type == "result" then result
	else .key = "" | t::raw("claude"; $type) end
	| t::done;

def finish: t::begin | t::done;
