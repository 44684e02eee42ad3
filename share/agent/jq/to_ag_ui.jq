# to_ag_ui: the events of the Agent-User Interaction protocol (AG-UI). Send them with --sse.
#
# Events without an AG-UI equivalent become CUSTOM events with their event_type and data. Nested runs
# are left out.
import "translate" as t;

def start: {messages: 0, runs: {}};

def run: .state.runs[.id];

def emit($event): .events += [$event + if .ms == null then {} else {timestamp: .ms} end];

def close_part:
	run.message as $id
	| if run.part == null then .
	elif run.part == "text" then emit({type: "TEXT_MESSAGE_END", messageId: $id})
	else
		emit({type: "REASONING_MESSAGE_END", messageId: $id})
		| emit({type: "REASONING_END", messageId: $id})
	end
	| .state.runs[.id].part = null;

def open_part($kind):
	if run.part == $kind then .
	else close_part
		| .state.messages += 1
		| "\(.id):\(.state.messages)" as $id
		| .state.runs[.id] += {part: $kind, message: $id}
		| if $kind == "text" then emit({type: "TEXT_MESSAGE_START", messageId: $id, role: "assistant"})
		else emit({type: "REASONING_START", messageId: $id})
			| emit({type: "REASONING_MESSAGE_START", messageId: $id, role: "reasoning"}) end
	end;

def part($kind; $text):
	if ($text // "") == "" then .
	else open_part($kind)
		| emit({type: (if $kind == "text" then "TEXT_MESSAGE_CONTENT" else "REASONING_MESSAGE_CONTENT" end),
			messageId: run.message, delta: $text})
	end;

def end_step:
	close_part
	| if run.step == null then .
	else emit({type: "STEP_FINISHED", stepName: run.step}) | .state.runs[.id].step = null end;

def call_start($data):
	if run.calls[$data.tool_call_id] != null then .
	else close_part
		| .state.runs[.id].calls[$data.tool_call_id] = "open"
		| emit({type: "TOOL_CALL_START", toolCallId: $data.tool_call_id, toolCallName: $data.tool_name})
	end;

def call_args($id; $delta):
	if ($delta // "") == "" then .
	else
		.state.runs[.id].calls[$id] = "args"
		| emit({type: "TOOL_CALL_ARGS", toolCallId: $id, delta: $delta})
	end;

def call_end($data):
	$data.tool_call_id as $id
	| if run.calls[$id] == "ended" then .
	else call_start($data)
		| if run.calls[$id] == "open" then call_args($id; $data.args | t::json) else . end
		| .state.runs[.id].calls[$id] = "ended"
		| emit({type: "TOOL_CALL_END", toolCallId: $id})
	end;

def call_result($data):
	del(.state.runs[.id].calls[$data.tool_call_id])
	| emit({type: "TOOL_CALL_RESULT", messageId: "result:\($data.tool_call_id)", toolCallId: $data.tool_call_id,
		content: ($data.result | t::as_text), role: "tool"});

def run_ids: {threadId: run.thread, runId: .id};

def end_run($data):
	end_step
	| run_ids as $ids
	| if $data.success == false then
		emit({type: "RUN_ERROR", message: (run.error // "the run ended with status '\($data.status)'"),
			code: $data.status})
	else
		emit({type: "RUN_FINISHED"} + $ids
			+ {result: (if $data | has("output_json") then $data.output_json else $data.output end)})
	end
	| del(.state.runs[.id]);

def event($type; $data):
	if $type == "agent_start" then
		.state.runs[.id].thread = ($data.session_id // .id) | run_ids as $ids | emit({type: "RUN_STARTED"} + $ids)
	elif $type == "llm_start" then
		end_step
		| .state.runs[.id].step = "iteration \($data.iteration)"
		| emit({type: "STEP_STARTED", stepName: run.step})
	elif $type == "llm_chunk" then part("text"; $data.text)
	elif $type == "thinking_chunk" then part("reasoning"; $data.text)
	elif $type == "tool_call_start" then call_start($data)
	elif $type == "tool_call_chunk" then call_start($data) | call_args($data.tool_call_id; $data.args_delta)
	elif $type == "tool_call_end" or $type == "tool_start" then call_end($data)
	elif $type == "tool_end" then call_result($data)
	elif $type == "llm_end" then end_step
	elif $type == "agent_end" then end_run($data)
	elif $type == "error" and $data.fatal == true then .state.runs[.id].error = $data.error
	elif $type == "raw" then emit({type: "RAW", event: $data.payload, source: $data.provider})
	else emit({type: "CUSTOM", name: $type, value: $data}) end;

def step:
	.ms = (.event.timestamp
		| try ((.[:19] + "Z" | fromdateiso8601) * 1000 + ("0" + .[19:23] | tonumber * 1000)) catch null)
	| t::outer(event(.event.event_type // ""; .event.data));

def finish: {state, events: []};
