# agent: what one asks of the events of agent-events(5).
#   agent-filter -s 'import "agent" as a; a::is_error'

# The text that an event brings: a piece of the answer, of the reasoning, of what a tool printed.
def text: .data.text // empty;

# Whether something went wrong: an error, a failed tool call, a run without success.
def is_error:
	.event_type == "error"
	or (.event_type == "tool_end" and .data.is_error == true)
	or (.event_type == "agent_end" and .data.success != true);

# Whether the event belongs to a call of this tool.
def tool($name): .data.tool_name? == $name;

# Whether the event ends something that took longer than this many seconds.
def slower($seconds): (.data.duration_seconds? // 0) > $seconds;

# The text of a neutral message, as llm_end has it.
def message_text: [.content[]? | select(.type == "text") | .text] | join("");

# The text of the answer that an llm_end or an agent_end completes.
def final_text:
	if .event_type == "llm_end" then .data.message | message_text
	elif .event_type == "agent_end" then .data.output
	else empty end;

# The tool calls of a neutral message: {tool_call_id, tool_name, args}.
def tool_calls: [.data.message.content[]? | select(.type == "tool_call") | del(.type)];
