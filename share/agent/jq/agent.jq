# agent: filters for the events of agent-events(5), and functions that make events.
#   agent-filter -s 'import "agent" as a; a::is_error'
#   jq -nc -L /usr/local/share/agent/jq 'import "agent" as a; a::llm_chunk("hello")' | agent-filter --renumber

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

# ---- events: their run_id, seq and timestamp come from agent-filter --renumber ----

def event($type; $data): {event_type: $type, data: $data};

# Values of other types, such as the texts that --arg sets, become what the event needs.
def as_text: if . == null then "" else tostring end;
def as_number: if type == "string" then tonumber else . end;
def as_flag: . == true or . == "true";
def as_object($what):
	. as $value
	| (if type == "string" then try fromjson catch null else . end)
	| if type == "object" then . else error("\($what) must be an object, not \($value)") end;

def agent_start($prompt):
	event("agent_start"; {agent_name: "agent", model: null, prompt: ($prompt | as_text), tools: [], schema_version: 1});
def agent_start: agent_start("");

def llm_chunk($text): event("llm_chunk"; {text: ($text | as_text)});

def no_usage:
	{input_tokens: null, output_tokens: null, cached_input_tokens: null, cache_write_tokens: null,
		reasoning_tokens: null, requests: null};

# $message: the text of the response, or a neutral message, in the form of agent-events(5).
def llm_end($message; $iteration):
	($message | if type == "object" then . else {role: "assistant", content: [{type: "text", text: as_text}]} end) as $whole
	| ([$whole.content[]? | select(.type == "tool_call")] | length > 0) as $calls
	| event("llm_end"; {iteration: ($iteration | as_number), model: null,
		finish_reason: (if $calls then "tool_calls" else "stop" end), is_final: ($calls | not),
		usage: no_usage, message: $whole, duration_seconds: null});
def llm_end($message): llm_end($message; 1);

def call($id; $name; $more): {tool_call_id: ($id | as_text), tool_name: ($name | as_text)} + $more;

def tool_start($id; $name; $args):
	event("tool_start"; call($id; $name; {args: ($args | as_object("args")), iteration: 1}));

def tool_end($id; $name; $result; $is_error):
	event("tool_end"; call($id; $name; {result: ($result | as_text), is_error: ($is_error | as_flag),
		duration_seconds: null}));
def tool_end($id; $name; $result): tool_end($id; $name; $result; false);

def progress($iteration; $total_tokens; $total_cost_usd):
	event("progress"; {iteration: ($iteration | as_number), total_tokens: ($total_tokens | as_number),
		total_cost_usd: ($total_cost_usd | as_number)});
def progress($iteration; $total_tokens): progress($iteration; $total_tokens; null);

def error($text; $type; $fatal):
	event("error"; {error: ($text | as_text), exception_type: ($type | as_text), fatal: ($fatal | as_flag)});
def error($text): error($text; "error"; false);

# agent-filter --renumber completes what is null, 0 or "" here from the events of the run.
# $status: "success", or another one of agent-events(5).
def agent_end($output; $status):
	event("agent_end"; {agent_name: "agent", success: ($status == "success"), status: ($status | as_text),
		exit_status: ({success: 0, limit: 3, invalid_output: 5, refused: 6, timeout: 124, cancelled: 130}[$status | as_text]
			// 1),
		output: ($output | as_text), finish_reason: (if $status == "success" then "stop" else "error" end),
		total_iterations: 1, total_tokens: null, total_cost_usd: null,
		usage: no_usage, tool_calls: 0, duration_seconds: null});
def agent_end($output): agent_end($output; "success");
def agent_end: agent_end("");
