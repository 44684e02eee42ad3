# to_pydantic_ai: the stream events of pydantic-ai (version 2), as run_stream_events yields them, in JSON.
# Fields that are null are left out, as are nested runs and events without an equivalent.
import "translate" as t;

def start: {runs: {}};

def run: .state.runs[.id];
def emit($event): .events += [$event];

# The part of a response that is being written: kind, index, and the part so far.
def end_part($next):
	if run.part == null then .
	else emit({index: run.index, part: run.part}
			+ (if $next == null then {} else {next_part_kind: $next} end) + {event_kind: "part_end"})
		| .state.runs[.id].previous = run.part.part_kind
		| .state.runs[.id].part = null
	end;

def start_part($part):
	end_part($part.part_kind)
	| (if run.index == null then 0 else run.index + 1 end) as $index
	| run.previous as $previous
	| .state.runs[.id] += {part: $part, index: $index}
	| emit({index: $index, part: $part}
		+ (if $previous == null then {} else {previous_part_kind: $previous} end) + {event_kind: "part_start"});

def final_result:
	if run.final == true then .
	else .state.runs[.id].final = true
		| emit({tool_name: null, tool_call_id: null, event_kind: "final_result"}) end;

def text($kind; $text):
	if ($text // "") == "" then .
	elif run.part.part_kind == $kind then
		.state.runs[.id].part.content += $text
		| emit({index: run.index, delta: {content_delta: $text, part_delta_kind: $kind}, event_kind: "part_delta"})
	else start_part({content: $text, part_kind: $kind})
		| if $kind == "text" then final_result else . end
	end;

def call_start($data):
	start_part({tool_name: $data.tool_name, args: "", tool_call_id: $data.tool_call_id, part_kind: "tool-call"});

def call_delta($data; $delta):
	if run.part.tool_call_id != $data.tool_call_id then call_start($data) else . end
	| if ($delta // "") == "" then .
	else .state.runs[.id].part.args += $delta
		| emit({index: run.index,
			delta: {args_delta: $delta, tool_call_id: $data.tool_call_id, part_delta_kind: "tool_call"},
			event_kind: "part_delta"})
	end;

# Arguments that were not streamed.
def call_whole($data):
	if run.part.tool_call_id == $data.tool_call_id and run.part.args == "" then
		call_delta($data; $data.args | t::json)
	else . end;

def tool_call($data):
	if run.part.tool_call_id == $data.tool_call_id then end_part(null) else . end
	| {tool_name: $data.tool_name, args: $data.args, tool_call_id: $data.tool_call_id,
		part_kind: "tool-call"} as $part
	| emit({part: $part, args_valid: true, event_kind: "function_tool_call"});

def tool_result($data):
	({tool_name: $data.tool_name,
		content: (if $data | has("result_json") then $data.result_json else $data.result end),
		tool_call_id: $data.tool_call_id}
		+ (if .event.timestamp == null then {} else {timestamp: .event.timestamp} end)
		+ {outcome: (if $data.is_error == true then "failed" else "success" end), part_kind: "tool-return"}) as $part
	| emit({part: $part, event_kind: "function_tool_result"});

def end_run($data):
	end_part(null)
	| if $data.success == true then
		emit({result: {output: (if $data | has("output_json") then $data.output_json else $data.output end)},
			event_kind: "agent_run_result"})
	else . end
	| del(.state.runs[.id]);

def event($type; $data):
	if $type == "llm_start" then end_part(null) | .state.runs[.id] = {}
	elif $type == "llm_chunk" then text("text"; $data.text)
	elif $type == "thinking_chunk" then text("thinking"; $data.text)
	elif $type == "tool_call_start" then call_start($data)
	elif $type == "tool_call_chunk" then call_delta($data; $data.args_delta)
	elif $type == "tool_call_end" then call_whole($data)
	elif $type == "llm_end" then end_part(null)
	elif $type == "tool_start" then tool_call($data)
	elif $type == "tool_end" then tool_result($data)
	elif $type == "agent_end" then end_run($data)
	else . end;

def step: t::outer(event(.event.event_type // ""; .event.data));

def finish: {state, events: []};
