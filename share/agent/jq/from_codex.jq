# from_codex: codex exec --json
#
# A turn of a thread becomes a run. Codex does not report where a response of its model ends. This
# translation ends it at the end of a tool call and before the next message.
import "translate" as t;

def start: {};

def open_run:
	if t::is_open then .
	else t::run_start("codex"; null; if .state.thread_id == null then {} else {session_id: .state.thread_id} end)
	end;

# A text, parts of which may have been translated already.
def new_text($item):
	($item.text | t::as_text) as $text
	| (t::run.items[$item.id] // "") as $shown
	| .state.runs[.key].items[$item.id] = $text
	| if $text | startswith($shown) then .piece = $text[($shown | length):] else .piece = "" end;

def message($item):
	if (t::run.items[$item.id] // "") == "" and t::in_message
		and any(t::run.message.content[]; .type == "text") then t::message_close(null; null) else . end
	| new_text($item)
	| t::text(.piece);

# ---- tools: name, arguments, result of an item ----

def name_of:
	if .type == "mcp_tool_call" then "mcp__\(.server)__\(.tool)"
	elif .type == "collab_tool_call" then .tool | t::as_text
	else .type end;

def args_of:
	if .type == "command_execution" then {command}
	elif .type == "file_change" then {changes}
	elif .type == "mcp_tool_call" then
		.arguments | if type == "object" then . elif . == null then {} else {arguments: .} end
	elif .type == "web_search" then {query} + if .action == null then {} else {action} end
	else del(.id, .type, .status, .agents_states) end;

def result_of:
	if .type == "command_execution" then .aggregated_output | t::as_text
	elif .type == "file_change" then [.changes[]? | "\(.kind) \(.path)"] | join("\n")
	elif .error.message != null then .error.message
	elif .type == "mcp_tool_call" then
		[.result.content[]? | if .type == "text" then .text else t::json end] | join("\n")
	elif .type == "collab_tool_call" then .agents_states | t::as_text
	else "" end;

def is_failed: (.status | . == "failed" or . == "declined") or (.exit_code // 0) != 0;

def is_tool: .type | . == "command_execution" or . == "file_change" or . == "mcp_tool_call"
	or . == "web_search" or . == "collab_tool_call";

def call($item): t::call($item.id; $item | name_of; $item | args_of);

def tool($item; $is_over):
	if $is_over then
		call($item) | t::message_close(null; null)
		| t::call_end($item.id; $item | result_of; $item | is_failed;
			if $item.exit_code == null then {} else {exit_status: $item.exit_code} end)
	elif $item.type == "web_search" and ($item.query // "") == "" then .
	else call($item) end;

# ---- lines ----

def item($is_over):
	.event.item as $item
	| open_run
	| if $item.type == "agent_message" then message($item)
	elif $item.type == "reasoning" then new_text($item) | t::thinking(.piece)
	elif $item | is_tool then tool($item; $is_over)
	elif $item.type == "error" then
		if $is_over then t::error_event($item.message | t::as_text; "warning"; false) else . end
	else t::raw("codex"; .event.type) end;

def usage_of($u):
	if $u == null then null
	else t::usage($u.input_tokens | t::count; $u.output_tokens | t::count; $u.cached_input_tokens; null;
		$u.reasoning_output_tokens; t::run.iteration) end;

def end_turn($status):
	t::message_close(null; null)
	| usage_of(.event.usage) as $usage
	| if $usage == null then . else t::progress($usage) end
	| t::run_end({status: $status, usage: $usage});

def failed: t::error_event(.event.error.message | t::as_text; "turn.failed"; true) | end_turn("error");

def step:
	t::begin
	| .event.type as $type
	| if $type == "thread.started" then .state.thread_id = .event.thread_id
	elif $type == "turn.started" then open_run
	elif $type == "item.started" or $type == "item.updated" then item(false)
	elif $type == "item.completed" then item(true)
	elif $type == "turn.completed" then open_run | end_turn("success")
	elif $type == "turn.failed" then open_run | failed
	elif $type == "error" then open_run | t::error_event(.event.message | t::as_text; "error"; false)
	else t::raw("codex"; $type) end
	| t::done;

def finish: t::begin | t::done;
