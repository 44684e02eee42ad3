# from_gemini: gemini -p --output-format stream-json
import "translate" as t;

def start: {};

# The prompt is on a line of its own after the first line.
def open_run($prompt):
	if t::is_open then .
	else
		.state.init as $init
		| t::run_start("gemini"; $init.model;
			{prompt: $prompt}
			+ if $init.session_id == null then {} else {session_id: $init.session_id} end)
	end;

def result_of:
	if .error.message != null then .error.message else .output | t::as_text end;

def status_of:
	if .status == "success" then "success"
	else {FatalTurnLimitedError: "limit", FatalCancellationError: "cancelled"}[.error.type // ""] // "error" end;

def result:
	.event as $e
	| ($e | status_of) as $status
	| t::message_close(null; null)
	| if $status == "success" then .
	elif $e.error.message != null then t::error_event($e.error.message; $e.error.type; true)
	elif .state.told == true then .
	else t::error_event("it failed"; null; true) end
	| $e.stats as $s
	| (if $s == null then null
		else t::usage($s.input_tokens | t::count; $s.output_tokens | t::count; $s.cached; null; null;
			t::run.iteration)
		end) as $usage
	| if $usage == null then . else t::progress($usage) end
	| t::run_end({status: $status, usage: $usage, total_tokens: $s.total_tokens,
		duration_seconds: (if $s.duration_ms == null then null else ($s.duration_ms | t::count) / 1000 end)})
	| .state = {runs};

def step:
	t::begin
	| t::at(.event.timestamp)
	| .event as $e
	| if $e.type == "init" then .state.init = $e
	elif $e.type == "message" and $e.role == "user" then
		if t::is_open then . else open_run($e.content | t::as_text) end
	elif $e.type == "message" then open_run("") | t::text($e.content)
	elif $e.type == "tool_use" then
		open_run("") | t::call($e.tool_id; $e.tool_name; $e.parameters // {})
	elif $e.type == "tool_result" then
		open_run("") | t::message_close(null; null)
		| t::call_end($e.tool_id; $e | result_of; $e.status == "error"; {})
	elif $e.type == "error" then
		open_run("")
		| .state.told = ($e.severity == "error")
		| t::error_event($e.message | t::as_text; $e.severity; false)
	elif $e.type == "result" then open_run("") | result
	else t::raw("gemini"; $e.type) end
	| t::done;

# The stream ended after its first line.
def finish:
	t::begin
	| if .state.init == null or t::is_open then . else t::at(.state.init.timestamp) | open_run("") end
	| t::done;
