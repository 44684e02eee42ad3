# to_ai_sdk: the UI message stream of the AI SDK (version 5 and later), which useChat reads. Send it with
# --sse, under the header "x-vercel-ai-ui-message-stream: v1".
#
# Events without an equivalent are left out: nested runs, errors after which the run continues, the
# output of tools.
# Text of a failed attempt (llm_retry) that was sent already cannot be taken back.
import "translate" as t;

def start: {sse, parts: 0, runs: {}};

def run: .state.runs[.id];
def emit($chunk): .events += [$chunk];

def close_part:
	if run.part == null then .
	else emit({type: "\(run.part)-end", id: run.part_id}) | .state.runs[.id].part = null end;

# $kind: text or reasoning.
def part($kind; $text):
	if ($text // "") == "" then .
	else
		if run.part == $kind then .
		else close_part
			| .state.parts += 1
			| "\($kind)-\(.state.parts)" as $part
			| .state.runs[.id] += {part: $kind, part_id: $part}
			| emit({type: "\($kind)-start", id: $part})
		end
		| emit({type: "\($kind)-delta", id: run.part_id, delta: $text})
	end;

def finish_step:
	close_part
	| if run.step == true then .state.runs[.id].step = false | emit({type: "finish-step"}) else . end;

def input_available($data):
	if run.calls[$data.tool_call_id] != null then .
	else close_part
		| .state.runs[.id].calls[$data.tool_call_id] = true
		| emit({type: "tool-input-available", toolCallId: $data.tool_call_id, toolName: $data.tool_name,
			input: $data.args})
	end;

def output($data):
	del(.state.runs[.id].calls[$data.tool_call_id])
	| if $data.is_error == true then
		emit({type: "tool-output-error", toolCallId: $data.tool_call_id, errorText: ($data.result // "")})
	else
		emit({type: "tool-output-available", toolCallId: $data.tool_call_id,
			output: (if $data | has("result_json") then $data.result_json else $data.result end)})
	end;

def end_run($data):
	finish_step
	| if $data.status == "cancelled" then emit({type: "abort"})
	elif $data.success == false and run.told != true then
		emit({type: "error", errorText: "the run ended with status '\($data.status)'"})
	else . end
	| emit({type: "finish"})
	| del(.state.runs[.id]);

def event($type; $data):
	if $type == "agent_start" then emit({type: "start", messageId: .id})
	elif $type == "llm_start" then
		finish_step | .state.runs[.id].step = true | emit({type: "start-step"})
	elif $type == "llm_chunk" then part("text"; $data.text)
	elif $type == "thinking_chunk" then part("reasoning"; $data.text)
	elif $type == "tool_call_start" then
		close_part
		| emit({type: "tool-input-start", toolCallId: $data.tool_call_id, toolName: $data.tool_name})
	elif $type == "tool_call_chunk" then
		emit({type: "tool-input-delta", toolCallId: $data.tool_call_id, inputTextDelta: $data.args_delta})
	elif $type == "tool_call_end" or $type == "tool_start" then input_available($data)
	elif $type == "tool_end" then output($data)
	elif $type == "llm_end" then close_part
	elif $type == "error" and $data.fatal == true then
		close_part | .state.runs[.id].told = true | emit({type: "error", errorText: $data.error})
	elif $type == "agent_end" then end_run($data)
	else . end;

def step: t::outer(event(.event.event_type // ""; .event.data));

def finish: {state, events: (if .state.sse then ["[DONE]"] else [] end)};
