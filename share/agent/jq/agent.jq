# agent: filters for the events of agent-events(5).
#   agent-filter -s 'import "agent" as a; a::is_error'

# The text that an event carries: a piece of a response, of reasoning, or of the output of a tool.
def text: .data.text // empty;

# Whether the event reports an error, a failed tool call, or the end of a run without success.
def is_error:
	.event_type == "error"
	or (.event_type == "tool_end" and .data.is_error == true)
	or (.event_type == "agent_end" and .data.success != true);

# Whether the event belongs to a call of this tool.
def tool($name): .data.tool_name? == $name;

# Whether the event ends something that took longer than $seconds.
def slower($seconds): (.data.duration_seconds? // 0) > $seconds;

# The text of a neutral message, in the form of llm_end.
def message_text: [.content[]? | select(.type == "text") | .text] | join("");

# The text of the answer that an llm_end or an agent_end completes.
def final_text:
	if .event_type == "llm_end" then .data.message | message_text
	elif .event_type == "agent_end" then .data.output
	else empty end;

# The tool calls of a neutral message: {tool_call_id, tool_name, args}.
def tool_calls: [.data.message.content[]? | select(.type == "tool_call") | del(.type)];
