# to_openai_agents: the stream events of the OpenAI Agents SDK, as Runner.run_streamed yields them, in JSON:
# agent_updated_stream_event, raw_response_event with the deltas of a response, run_item_stream_event.
#
# An object with the agent's name stands for an agent. As in the SDK, the items of a response follow
# when the response is complete, and the outputs of its tools when all of them have ended. Nested runs
# are left out.
import "translate" as t;

def start: {runs: {}};

def run: .state.runs[.id];
def emit($event): .events += [$event];

def agent: {name: run.agent};

# A delta of a response; $data has no sequence number.
def delta($type; $data):
	(run.number // 0) as $number
	| .state.runs[.id].number = $number + 1
	| emit({type: "raw_response_event", data: ({type: $type} + $data + {sequence_number: $number})});

def item($name; $item):
	agent as $agent
	| emit({type: "run_item_stream_event", name: $name, item: ({type: $item.type, agent: $agent} + $item)});

# ---- the parts of a response: $key tells one from the next, .ids has what each is called ----

def part($key; $prefix):
	if run.part == $key then .
	else (if run.index == null then 0 else run.index + 1 end) as $index
		| .state.runs[.id] += {part: $key, index: $index}
		| .state.runs[.id].ids[$key] = "\($prefix)_\(run.iteration // 0)_\($index)"
	end;

def text($text):
	if ($text // "") == "" then .
	else part("text"; "msg")
		| delta("response.output_text.delta";
			{item_id: run.ids.text, output_index: run.index, content_index: 0, delta: $text, logprobs: []})
	end;

def thinking($text):
	if ($text // "") == "" then .
	else part("thinking"; "rs")
		| delta("response.reasoning_summary_text.delta";
			{item_id: run.ids.thinking, output_index: run.index, summary_index: 0, delta: $text})
	end;

def call_start($data):
	part($data.tool_call_id; "fc")
	| delta("response.output_item.added"; {output_index: run.index,
		item: {type: "function_call", id: run.ids[$data.tool_call_id], call_id: $data.tool_call_id,
			name: $data.tool_name, arguments: "", status: "in_progress"}});

def call_delta($data):
	part($data.tool_call_id; "fc")
	| delta("response.function_call_arguments.delta";
		{item_id: run.ids[$data.tool_call_id], output_index: run.index, delta: $data.args_delta});

# ---- items ----

def is_handoff: .tool_name | t::as_text | startswith("transfer_to_");

def id_of($key; $prefix): run.ids[$key] // "\($prefix)_\(run.iteration // 0)";

def function_call($part):
	{type: "function_call", id: id_of($part.tool_call_id; "fc"), call_id: $part.tool_call_id,
		name: $part.tool_name, arguments: ($part.args | t::json), status: "completed"};

def reasoning($parts):
	reduce ($parts[] | select(.type == "thinking")) as $part (.;
		item("reasoning_item_created"; {type: "reasoning_item", raw_item: {type: "reasoning",
			id: id_of("thinking"; "rs"), summary: [{type: "summary_text", text: $part.text}]}}));

def calls($parts):
	reduce ($parts[] | select(.type == "tool_call")) as $part (.;
		function_call($part) as $call
		| if $part | is_handoff then item("handoff_requested"; {type: "handoff_call_item", raw_item: $call})
		else .state.runs[.id].waiting[$part.tool_call_id] = true
			| item("tool_called"; {type: "tool_call_item", raw_item: $call}) end);

def message($parts):
	[$parts[] | select(.type == "text") | .text] as $texts
	| if $texts | length == 0 then .
	else item("message_output_created"; {type: "message_output_item",
		raw_item: {type: "message", id: id_of("text"; "msg"), role: "assistant", status: "completed",
			content: [$texts[] | {type: "output_text", text: ., annotations: []}]}})
	end;

def response($data):
	($data.message.content // []) as $parts
	| reasoning($parts) | message($parts) | calls($parts);

# ---- tools ----

def all_outputs:
	reduce run.outputs[]? as $output (.; item("tool_output"; $output))
	| .state.runs[.id].outputs = [];

def tool_end($data):
	{type: "tool_call_output_item",
		raw_item: {type: "function_call_output", call_id: $data.tool_call_id, output: ($data.result | t::as_text)},
		output: (if $data | has("result_json") then $data.result_json else $data.result end)} as $output
	| del(.state.runs[.id].waiting[$data.tool_call_id])
	| .state.runs[.id].outputs += [$output]
	| if run.waiting | length == 0 then all_outputs else . end;

def handoff($data):
	{type: "handoff_output_item",
		raw_item: {type: "function_call_output", call_id: $data.tool_call_id,
			output: ({assistant: $data.agent_name} | t::json)},
		source_agent: {name: $data.previous_agent}, target_agent: {name: $data.agent_name}} as $output
	| item("handoff_occured"; $output)
	| .state.runs[.id].agent = $data.agent_name;

def updated: agent as $agent | emit({type: "agent_updated_stream_event", new_agent: $agent});

def event($type; $data):
	if $type == "agent_start" then .state.runs[.id] = {agent: $data.agent_name} | updated
	elif $type == "agent_updated" then handoff($data) | updated
	elif $type == "llm_start" then
		all_outputs | .state.runs[.id] += {part: null, index: null, ids: {}, number: 0, iteration: $data.iteration}
	elif $type == "llm_chunk" then text($data.text)
	elif $type == "thinking_chunk" then thinking($data.text)
	elif $type == "tool_call_start" then call_start($data)
	elif $type == "tool_call_chunk" then call_delta($data)
	elif $type == "llm_end" then response($data)
	elif $type == "tool_end" then if $data | is_handoff then . else tool_end($data) end
	elif $type == "agent_end" then all_outputs | del(.state.runs[.id])
	else . end;

def step: t::outer(event(.event.event_type // ""; .event.data));

def finish: {state, events: []};
