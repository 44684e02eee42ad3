# translate: functions for the modules of agent-filter --from and --to; see agent-filter(1).
#
# A step works on a context: its input (.state, .event, .time, .run_id) and the .events that it has
# produced so far.

# ---- --to: vocabularies without nested runs ----

# The step for an event, with the id of its run in .id, unless it is a nested run.
def outer(event):
	.events = []
	| .id = (.event.run_id // "" | tostring)
	| if .event.event_type == "agent_start" and .event.data.parent_run_id != null then
		.state.nested[.id] = true
	else . end
	| if (.state.nested // {})[.id] != true then event
	elif .event.event_type == "agent_end" then del(.state.nested[.id])
	else . end
	| {state, events};

# ---- --from: .key identifies a run of the stream ("": the outer run). For each open run,
# .state.runs[.key] holds the data for its agent_end and for the end of its current message. ----

def begin: .events = [] | .key = "" | .state.runs //= {};

# Use the time of the source: RFC 3339 with Z.
def at($timestamp):
	if ($timestamp | type) != "string" then .
	else .stamp = $timestamp
		| .time = (($timestamp
			| try ((.[:19] + "Z" | fromdateiso8601) + ("0" + .[19:-1] | tonumber)) catch null) // .time)
	end;

def done: {state, events};

def now_rounded: . * 1000000 | round | . / 1000000;

# An event of the current run. `data` is made from the context.
def emit($type; data):
	data as $data
	| .events += [{event_type: $type, timestamp: .stamp, run_id: .state.runs[.key].run_id, data: $data}];

def run: .state.runs[.key];
def is_open: run != null;
def in_message: is_open and run.message != null;

# The number that agent-filter passed to jq as a text, rounded as jq does, for calculations.
def number:
	if type == "string" and startswith("\ufdd0") then .[1:] | try tonumber catch null
	elif type == "number" then .
	else null end;

def count: number // 0;

# JSON text, with the numbers in such texts unchanged.
def json:
	tojson | split("\"\ufdd0")
	| .[0] + ([.[1:][] | split("\"") | .[0] + (.[1:] | join("\""))] | join(""));

# The text of a value: the value itself if it is a text, else its JSON.
def as_text: if type == "string" then . elif . == null then "" else json end;

# The seconds since `$since`.
def seconds_since($since): if $since == null then null else .time - $since | now_rounded end;

# ---- a run ----

# `data` can add to the data of agent_start or change it.
def run_start($name; $model; data):
	data as $data
	| .run_id as $id
	| .state.runs[.key] = {run_id: $id, name: $name, model: $model, started: .time, iteration: 0,
		calls: {}, count: 0, input: 0, output: 0, text: "", finish: null, message: null}
	| emit("agent_start";
		{agent_name: $name, model: $model, prompt: "", tools: [], schema_version: 1} + $data);

# ---- a message of the model: its first part opens it, the event after it closes it ----

def message_open($id; $model):
	if in_message then .
	else .state.runs[.key].iteration += 1
		| .state.runs[.key].message = {id: $id, model: ($model // run.model), started: .time, content: [],
			finish: null, usage: null, streamed: false, blocks: {}}
		| emit("llm_start"; {iteration: run.iteration, model: run.message.model, attempt: (run.attempt // 1)})
	end;

def add_part($part):
	run.message.content as $content
	| if $part.type != "tool_call" and ($content | length) > 0 and $content[-1].type == $part.type then
		.state.runs[.key].message.content[-1].text += $part.text
	else
		.state.runs[.key].message.content += [$part]
	end;

def text($piece):
	($piece | as_text) as $text
	| if $text == "" then .
	else message_open(null; null) | add_part({type: "text", text: $text}) | emit("llm_chunk"; {text: $text}) end;

def thinking($piece):
	($piece | as_text) as $text
	| if $text == "" then .
	else message_open(null; null) | add_part({type: "thinking", text: $text})
		| emit("thinking_chunk"; {text: $text}) end;

def call_start($id; $name):
	if run.calls[$id] != null then .
	else message_open(null; null)
		| (run.message.calls // 0) as $index
		| .state.runs[.key].message.calls = $index + 1
		| .state.runs[.key].calls[$id] = {tool_name: $name, json: ""}
		| emit("tool_call_start"; {tool_call_id: $id, tool_name: $name, index: $index})
	end;

def call_chunk($id; $delta):
	if ($delta // "") == "" then .
	else .state.runs[.key].calls[$id].json += $delta
		| emit("tool_call_chunk"; {tool_call_id: $id, tool_name: run.calls[$id].tool_name, args_delta: $delta})
	end;

# The call is complete and the tool starts to run. Done only once per call.
def call($id; $name; $args):
	if run.calls[$id].started != null then .
	else call_start($id; $name)
		| add_part({type: "tool_call", tool_call_id: $id, tool_name: $name, args: $args})
		| .state.runs[.key].calls[$id] = {tool_name: $name, args: $args, started: .time, iteration: run.iteration}
		| .state.runs[.key].count += 1
		| emit("tool_call_end"; {tool_call_id: $id, tool_name: $name, args: $args})
		| emit("tool_start"; {tool_call_id: $id, tool_name: $name, args: $args, iteration: run.iteration})
	end;

def call_end($id; $result; $is_error; $more):
	run.calls[$id] as $call
	| del(.state.runs[.key].calls[$id])
	| seconds_since($call.started) as $seconds
	| emit("tool_end"; {tool_call_id: $id, tool_name: ($call.tool_name // ""), result: $result,
		is_error: $is_error, duration_seconds: $seconds} + $more);

def usage($input; $output; $cached; $written; $reasoning; $requests):
	{input_tokens: $input, output_tokens: $output, cached_input_tokens: $cached,
		cache_write_tokens: $written, reasoning_tokens: $reasoning, requests: $requests};

# The usage of the run so far.
def progress($usage):
	seconds_since(run.started) as $elapsed
	| emit("progress"; {iteration: run.iteration, total_tokens: ($usage.input_tokens + $usage.output_tokens),
		total_cost_usd: null, input_tokens: $usage.input_tokens, output_tokens: $usage.output_tokens,
		elapsed_seconds: $elapsed});

# $usage: the usage of the message; null: unknown.
def message_close($finish; $usage):
	if in_message | not then .
	else run.message as $m
		| ([$m.content[] | select(.type == "tool_call")] | length > 0) as $calls
		| ($finish // (if $calls then "tool_calls" else "stop" end)) as $finish
		| seconds_since($m.started) as $seconds
		| .state.runs[.key] += {message: null, attempt: 1}
		| .state.runs[.key].finish = $finish
		| .state.runs[.key].text = ([$m.content[] | select(.type == "text") | .text] | join(""))
		| emit("llm_end"; {iteration: run.iteration, model: $m.model, finish_reason: $finish,
			is_final: ($finish != "tool_calls"), usage: ($usage // usage(null; null; null; null; null; 1)),
			message: {role: "assistant", content: $m.content}, duration_seconds: $seconds}
			+ (if $m.id == null then {} else {response_id: $m.id} end))
		| if $usage == null then .
		else .state.runs[.key].input += ($usage.input_tokens // 0)
			| .state.runs[.key].output += ($usage.output_tokens // 0)
			| progress({input_tokens: run.input, output_tokens: run.output})
		end
	end;

# The request is sent again: discard the response so far.
def retry($attempt; $data):
	if in_message then
		.state.runs[.key].iteration -= 1
		| .state.runs[.key].calls |= with_entries(select(.value.started != null))
		| .state.runs[.key].message = null
	else . end
	| .state.runs[.key].attempt = $attempt
	| emit("llm_retry"; {attempt: $attempt} + $data + {discard: true});

def error_event($text; $type; $fatal):
	emit("error"; {error: $text, exception_type: ($type // "error"), fatal: $fatal});

# Pass on lines without an equivalent unchanged.
def raw($provider; $name):
	if is_open then emit("raw"; {provider: $provider, event: $name, payload: .event}) else . end;

def exit_status:
	{success: 0, error: 1, limit: 3, invalid_output: 5, refused: 6, timeout: 124, cancelled: 130}[.] // 1;

# $result: status, and what is known of output, output_json, finish_reason, usage, total_tokens,
# total_cost_usd, duration_seconds.
def run_end($result):
	run as $run
	| ($result.status == "success") as $success
	| seconds_since($run.started) as $elapsed
	| ($result.usage // usage($run.input; $run.output; null; null; null; $run.iteration)) as $usage
	| emit("agent_end"; {agent_name: $run.name, success: $success, status: $result.status,
		exit_status: ($result.status | exit_status), output: ($result.output // $run.text),
		finish_reason: ($result.finish_reason // (if $success then $run.finish // "stop" else "error" end)),
		total_iterations: $run.iteration,
		total_tokens: ($result.total_tokens // (($usage.input_tokens // 0) + ($usage.output_tokens // 0))),
		total_cost_usd: $result.total_cost_usd, usage: $usage, tool_calls: $run.count,
		duration_seconds: ($result.duration_seconds // $elapsed)}
		+ (if $result | has("output_json") then {output_json: $result.output_json} else {} end))
	| del(.state.runs[.key]);
