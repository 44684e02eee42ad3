#!/usr/bin/env bats
# agent-tools: the tool calls of runs, as they happen.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

start() { event agent_start "{\"agent_name\":\"a\"${2-}}" "${1-}"; }
# call ID NAME ARGS [RUN], result ID NAME SECONDS TEXT [RUN], failure ID NAME SECONDS TEXT
call() { event tool_start "{\"tool_call_id\":\"$1\",\"tool_name\":\"$2\",\"args\":$3,\"iteration\":1}" "${4-}"; }
result() { event tool_end "{\"tool_call_id\":\"$1\",\"tool_name\":\"$2\",\"result\":\"$4\",\"is_error\":false,\"duration_seconds\":$3}" "${5-}"; }
failure() { event tool_end "{\"tool_call_id\":\"$1\",\"tool_name\":\"$2\",\"result\":\"$4\",\"is_error\":true,\"duration_seconds\":$3}" "${5-}"; }
end() { event agent_end '{"success":true,"status":"success","exit_status":0}' "${1-}"; }

two_calls() {
	start r
	call c1 read_file '{"path":"a.txt"}' r
	result c1 read_file 0.52 'first line\nsecond line' r
	call c2 shell '{"command":"false"}' r
	failure c2 shell 0.011 'exit status 1' r
	end r
}

@test "a line when a call starts, and one when it ends" {
	two_calls >log
	run agent-tools log
	assert_success
	assert_output '-> read_file {"path":"a.txt"}
<- read_file 0.52s ok: first line
-> shell {"command":"false"}
<- shell 0.01s error: exit status 1'
	assert_equal "$(agent-tools <log)" "$output"
	assert_equal "$(agent-tools - <log)" "$output"
}

@test "the first line of the result that is not empty is shown, other values as JSON, nothing for none" {
	{
		start
		call a t '{}'; result a t 1 '\n  \t\r\n  found\r\nmore'
		call b t '{}'; event tool_end '{"tool_call_id":"b","tool_name":"t","result":{"n": 1.10},"duration_seconds":1}'
		call c t '{}'; result c t 1 ''
		call d t '{}'; event tool_end '{"tool_call_id":"d","tool_name":"t","result":null,"duration_seconds":1}'
		end
	} >log
	run agent-tools log
	assert_output '-> t {}
<- t 1.00s ok:   found
-> t {}
<- t 1.00s ok: {"n":1.10}
-> t {}
<- t 1.00s ok
-> t {}
<- t 1.00s ok'
}

@test "calls of one tool that run at the same time are numbered" {
	{
		start
		call a t '{"n":1}'; call b t '{"n":2}'; call c other '{}'
		result b t 1 two; call d t '{"n":3}'; result a t 2 one; result d t 1 three; result c other 9 ok
		call e t '{"n":4}'; result e t 1 four
		end
	} >log
	run agent-tools log
	assert_output '-> t {"n":1}
-> t#2 {"n":2}
-> other {}
<- t#2 1.00s ok: two
-> t#2 {"n":3}
<- t#1 2.00s ok: one
<- t#2 1.00s ok: three
<- other 9.00s ok: ok
-> t {"n":4}
<- t 1.00s ok: four'
}

@test "-a shows the arguments while the model writes them" {
	delta() { event tool_call_chunk "{\"tool_call_id\":\"$1\",\"tool_name\":\"$2\",\"args_delta\":\"$3\"}"; }
	{
		start
		event tool_call_start '{"tool_call_id":"a","tool_name":"t","index":0}'
		delta a t '{\"n\":'; delta a t '\n  12}'
		event tool_call_end '{"tool_call_id":"a","tool_name":"t","args":{"n":12}}'
		delta b t '{\"n\"'; delta c u '{'; delta b t ':3}'
		call a t '{"n":12}'; call b t '{"n":3}'; call c u '{}'
		result a t 1 x; result b t 1 y; result c u 1 z
		end
	} >log
	run agent-tools -a log
	assert_output '.. t {"n":   12}
.. t#2 {"n"
.. u {
.. t#2 :3}
-> t#1 {"n":12}
-> t#2 {"n":3}
-> u {}
<- t#1 1.00s ok: x
<- t#2 1.00s ok: y
<- u 1.00s ok: z'
}

@test "-a drops the arguments that a retry discards" {
	{
		start
		event tool_call_chunk '{"tool_call_id":"a","tool_name":"t","args_delta":"{\"n\":1"}'
		event llm_retry '{"attempt":2,"discard":true}'
		event tool_call_chunk '{"tool_call_id":"b","tool_name":"t","args_delta":"{\"n\":2}"}'
		call b t '{"n":2}'; result b t 1 x
		end
	} >log
	run agent-tools -a log
	assert_success
	assert_output '.. t {"n":1
.. t {"n":2}
-> t {"n":2}
<- t 1.00s ok: x'
}

@test "-j writes an object a completed call, arguments and result byte for byte" {
	{
		start r
		call c1 get '{"id": 1234567890123456789, "x": 1.10, "s": "\u00e9\/"}' r
		result c1 get 0.25 'caf\u00e9\n' r
		event tool_end '{"tool_call_id":"c2","tool_name":"lone","result":[1, 2],"is_error":true}' r
		end r
	} >log
	run --separate-stderr agent-tools -j log
	assert_failure 1
	assert_output '{"tool_call_id":"c1","tool_name":"get","args":{"id": 1234567890123456789, "x": 1.10, "s": "\u00e9\/"},"result":"caf\u00e9\n","is_error":false,"duration_seconds":0.25,"run_id":"r","iteration":1}
{"tool_call_id":"c2","tool_name":"lone","args":null,"result":[1, 2],"is_error":true,"duration_seconds":null,"run_id":"r","iteration":null}'
	assert_equal "$stderr" 'agent-tools: log:4: a tool_end of call "c2" without its tool_start'
}

@test "--tsv writes the same as tab-separated values, escaped" {
	{
		start r
		call c1 get '{"s":"a\tb\\c"}' r
		result c1 get 0.25 'one\ttwo\nthree\\four\r' r
		end r
	} >log
	run agent-tools --tsv log
	assert_output 'c1	get	{"s":"a\\tb\\\\c"}	one\ttwo\nthree\\four\r	false	0.25	r	1	'
}

@test "-s counts calls, errors and times of each tool" {
	{
		start
		call 1 a '{}'; result 1 a 0.1 x
		call 2 a '{}'; result 2 a 0.2 x
		call 3 a '{}'; failure 3 a 0.6 x
		call 4 longer_name '{}'; result 4 longer_name 3725 x
		end
	} >log
	run agent-tools -s log
	assert_success
	assert_output 'tool           calls   errors    total     mean      p50      p95      max
longer_name        1        0    1h02m    1h02m    1h02m    1h02m    1h02m
a                  3        1    0.90s    0.30s    0.20s    0.60s    0.60s
all                4        1    1h02m'
	run agent-tools -s -j -N a log
	assert_output '{"tool_name":"a","calls":3,"errors":1,"unfinished":0,"total_seconds":0.9,"mean_seconds":0.3,"p50_seconds":0.2,"p95_seconds":0.6,"max_seconds":0.6}'
	run agent-tools -s --tsv -N a log
	assert_output 'a	3	1	0	0.9	0.3	0.2	0.6	0.6'
	run agent-tools -s -e log
	assert_output 'tool    calls   errors    total     mean      p50      p95      max
a           1        1    0.60s    0.60s    0.60s    0.60s    0.60s'
}

@test "-s computes quantiles of many calls within 1 percent" {
	awk 'BEGIN {
		print "{\"event_type\":\"agent_start\",\"data\":{}}"
		for (i = 1; i <= 5000; i++)
			printf "{\"event_type\":\"tool_end\",\"data\":{\"tool_call_id\":\"%d\",\"tool_name\":\"t\",\"duration_seconds\":%.3f}}\n",
				i, (i * 7919 % 5000) / 1000
		print "{\"event_type\":\"agent_end\",\"data\":{\"success\":true}}"
	}' </dev/null | sed 1d >log
	run agent-tools -s -j log
	assert_success
	run jq -c '[.calls, .max_seconds, (.mean_seconds * 1000 | round), (.p50_seconds / 2.499 - 1 | fabs) < 0.01,
		(.p95_seconds / 4.749 - 1 | fabs) < 0.01]' <<<"$output"
	assert_output '[5000,4.999,2500,true,true]'
}

@test "calls that never ended are shown as such, and not counted" {
	{ start r; call a shell '{}' r; call b shell '{}' r; result b shell 1 x r; call c get '{}' r; end r; } >log
	run agent-tools log
	assert_success
	assert_output '-> shell {}
-> shell#2 {}
<- shell#2 1.00s ok: x
-> get {}
<- shell#1 never ended
<- get never ended'
	run agent-tools -s log
	assert_output 'tool     calls   errors    total     mean      p50      p95      max  unfinished
shell        1        0    1.00s    1.00s    1.00s    1.00s    1.00s           1
get          0        0        -        -        -        -        -           1
all          1        0    1.00s                                               2'
	run --separate-stderr agent-tools -j log
	assert_output '{"tool_call_id":"b","tool_name":"shell","args":{},"result":"x","is_error":false,"duration_seconds":1,"run_id":"r","iteration":1}'
	assert_equal "$stderr" 'agent-tools: a call of shell never ended
agent-tools: a call of get never ended'
	for options in '' -j; do # a selection by a filter
		run -0 bash -c "agent-filter -t tool_start -N get log | agent-tools $options"
		assert_output "$([ "$options" = -j ] || echo '-> get {}')"
	done
	head -2 log >torn
	run --separate-stderr agent-tools torn
	assert_failure 4
	assert_output '-> shell {}
<- shell never ended'
	assert_equal "$stderr" "agent-tools: the stream ends without agent_end of run r; it was cut off"
}

@test "-N chooses by name, -e what failed, -r a run" {
	two_calls >log
	run agent-tools -N 'read_*,nothing' log
	assert_output '-> read_file {"path":"a.txt"}
<- read_file 0.52s ok: first line'
	run -2 agent-tools -N ',' log
	assert_output "agent-tools: --name needs at least one pattern, not ','"
	run agent-tools -N nothing -N 's?ell' -j log
	assert_output '{"tool_call_id":"c2","tool_name":"shell","args":{"command":"false"},"result":"exit status 1","is_error":true,"duration_seconds":0.011,"run_id":"r","iteration":1}'
	run agent-tools -e log
	assert_output '-> shell {"command":"false"}
<- shell 0.01s error: exit status 1'
	{ start run-a; start run-b; call 1 t '{"r":"a"}' run-a; call 1 t '{"r":"b"}' run-b; result 1 t 1 a run-a; result 1 t 1 b run-b; end run-a; end run-b; } >log
	run agent-tools -r b log
	assert_success
	assert_output '-> t {"r":"b"}
<- t 1.00s ok: b'
}

@test "calls of several runs carry a short run id" {
	local a=01939f2e-0000-7000-8000-0000000a1b2c b=01939f2e-0000-7000-8000-0000000d3e4f
	{ start $a; call 1 t '{}' $a; start $b; call 1 t '{}' $b; result 1 t 1 x $a; result 1 t 2 y $b; end $a; end $b; } >log
	run agent-tools log
	assert_output '-> t {}
0d3e4f -> t {}
0a1b2c <- t 1.00s ok: x
0d3e4f <- t 2.00s ok: y'
}

@test "a run that ended before another one started does not overlap with it" {
	local a=01939f2e-0000-7000-8000-0000000a1b2c b=01939f2e-0000-7000-8000-0000000d3e4f
	for run in $a $b; do
		start $run
		call 1 t '{}' $run
		result 1 t 1 x $run
		end $run
	done >log
	run -0 agent-tools log
	assert_output '-> t {}
<- t 1.00s ok: x
-> t {}
<- t 1.00s ok: x'
	# Once two runs have overlapped, the lines of both are marked to their ends.
	{ start $a; start $b; call 1 t '{}' $b; result 1 t 1 x $b; end $b; call 1 t '{}' $a; result 1 t 1 x $a; end $a; } >log
	run -0 agent-tools log
	assert_output '0d3e4f -> t {}
0d3e4f <- t 1.00s ok: x
0a1b2c -> t {}
0a1b2c <- t 1.00s ok: x'
}

@test "--name: a name that no tool of the input has is reported" {
	two_calls >log
	run -0 --separate-stderr agent-tools -N 'shel,read_file,x*' log
	assert_output '-> read_file {"path":"a.txt"}
<- read_file 0.52s ok: first line'
	assert_equal "$stderr" 'agent-tools: --name shel: the input has no such tool (did you mean shell?)'
	# A tool that the agent has, but that was not called
	{ start r ',"tools":["weather"]'; end r; } >log
	run -0 agent-tools -N weather log
	assert_output ''
	run -0 agent-tools -j -N wether log
	assert_output 'agent-tools: --name wether: the input has no such tool (did you mean weather?)'
}

@test "calls of a nested run are indented, and its end does not decide the status" {
	{
		start r
		call 1 researcher '{}' r
		start n ',"parent_run_id":"r"'
		call 1 search '{"q":"x"}' n
		result 1 search 1 found n
		start m ',"parent_run_id":"n"'
		call 1 deep '{}' m
		result 1 deep 1 ok m
		event agent_end '{"success":false,"status":"error","exit_status":1}' m
		event agent_end '{"success":false,"status":"error","exit_status":1}' n
		result 1 researcher 2 done r
		end r
	} >log
	run --separate-stderr agent-tools log
	assert_success
	assert_output '-> researcher {}
  -> search {"q":"x"}
  <- search 1.00s ok: found
m     -> deep {}
m     <- deep 1.00s ok: ok
<- researcher 2.00s ok: done'
	assert_equal "$stderr" ""
}

@test "a run that was interrupted and resumed is one run: its call that runs again is one call" {
	{
		start r1
		call 1 read '{}' r1; result 1 read 1 x r1
		call 2 shell '{"command":"make"}' r1
		start r2 ',"resumed_from":"r1"'
		call 2 shell '{"command":"make"}' r2; result 2 shell 3 ok r2
		end r2
	} >log
	run agent-tools log
	assert_success
	assert_output '-> read {}
<- read 1.00s ok: x
-> shell {"command":"make"}
<- shell 3.00s ok: ok'
	run agent-tools -s -j log
	assert_success
	assert_line --index 0 '{"tool_name":"shell","calls":1,"errors":0,"unfinished":0,"total_seconds":3,"mean_seconds":3,"p50_seconds":3,"p95_seconds":3,"max_seconds":3}'
	{ start r3; event agent_end '{"success":false,"status":"error","exit_status":1}' r3; start r4 ',"resumed_from":"r3"'; end r4; } >log
	run --separate-stderr agent-tools log
	assert_success
}

@test "a hosted call is shown like other calls" {
	{
		start
		event tool_start '{"tool_call_id":"s","tool_name":"web_search","args":{"query":"x"},"iteration":1,"executed_by":"provider"}'
		result s web_search 0.7 found
		end
	} >log
	run agent-tools log
	assert_success
	assert_output '-> web_search {"query":"x"}
<- web_search 0.70s ok: found'
}

@test "the calls of a hundred interleaved runs are kept apart" {
	{
		for i in $(seq 100); do start "run-$i"; done
		for i in $(seq 100); do call c t "{\"i\":$i}" "run-$i"; done
		for i in $(seq 100 -1 1); do result c t 1 "$i" "run-$i"; done
		for i in $(seq 100); do end "run-$i"; done
	} >log
	run agent-tools -j log
	assert_success
	assert_equal "$(jq -s -c '[length, all(.[]; (.args.i | tostring) == .result and .run_id == "run-" + .result)]' <<<"$output")" '[100,true]'
}

@test "a denied call is shown" {
	{
		start
		event tool_approval '{"tool_call_id":"1","tool_name":"shell","args":{},"decision":"denied","by":"policy"}'
		call 1 shell '{}'; failure 1 shell 0 'The call was denied by policy.'
		event tool_approval '{"tool_call_id":"2","tool_name":"shell","args":{},"decision":"approved","by":"user"}'
		end
	} >log
	run agent-tools log
	assert_output -- '-- shell denied by policy
-> shell {}
<- shell 0.00s error: The call was denied by policy.'
	# No pattern denied this call: nobody could be asked.
	{
		start
		event tool_approval '{"tool_call_id":"1","tool_name":"shell","args":{},"decision":"denied","by":"policy","reason":"there is no terminal"}'
		event tool_approval '{"tool_call_id":"2","tool_name":"shell","args":{},"decision":"denied","by":"user","reason":"not now"}'
		end
	} >log
	run agent-tools log
	assert_output -- '-- shell denied: there is no terminal
-- shell denied by user'
}

@test "-w cuts lines to columns, wide characters counted as two" {
	{ start; call 1 t '{"text":"日本語日本語"}'; result 1 t 1 'abcdefghijklmnop'; end; } >log
	run agent-tools -w 21 log
	assert_output '-> t {"text":"日本語…
<- t 1.00s ok: abcde…'
	run agent-tools -w 20 log
	assert_output '-> t {"text":"日本…
<- t 1.00s ok: abcd…'
	run agent-tools -w 31 log
	assert_output '-> t {"text":"日本語日本語"}
<- t 1.00s ok: abcdefghijklmnop'
	{ start; call 1 mcp__server__a_long_name '{"a":1}'; result 1 mcp__server__a_long_name 1 'abc'; end; } >long
	run agent-tools -w 21 long
	assert_output '-> mcp__se… {"a":1}
<- mcp__se… 1.00s ok…'
	run agent-tools -w 54 long
	assert_output '-> mcp__server__a_long_name {"a":1}
<- mcp__server__a_long_name 1.00s ok: abc'
	run agent-tools -w 10x log
	assert_failure 2
	assert_output "agent-tools: --width must be a whole number of at least 0, such as 8, not '10x'"
}

@test "colour only when asked for, or on a terminal" {
	{ start; call 1 t '{}'; result 1 t 1 x; call 2 t '{}'; failure 2 t 1 y; end; } >log
	run agent-tools --color=always log
	assert_output $'-> \e[1mt\e[0m {}
<- \e[1mt\e[0m 1.00s \e[32mok\e[0m: x
-> \e[1mt\e[0m {}
<- \e[1mt\e[0m 1.00s \e[31merror\e[0m: y'
	run env TERM=xterm script -qec 'agent-tools log' /dev/null </dev/null
	assert_line --partial $'<- \e[1mt\e[0m 1.00s \e[32mok\e[0m: x'
	run env TERM=xterm NO_COLOR=1 script -qec 'agent-tools log' /dev/null </dev/null
	refute_output --partial $'\e[32m'
}

@test "a call without a duration is timed by the timestamps, if there are any" {
	{
		start r
		event tool_start '{"tool_call_id":"1","tool_name":"t","args":{}}' r 01.250
		event tool_end '{"tool_call_id":"1","tool_name":"t","result":"x"}' r 03
		event tool_start '{"tool_call_id":"2","tool_name":"t","args":{}}' r
		event tool_end '{"tool_call_id":"2","tool_name":"t","result":"y"}' r
		end r
	} >log
	run agent-tools log
	assert_output '-> t {}
<- t 1.75s ok: x
-> t {}
<- t ok: y'
	run agent-tools -s log
	assert_output 'tool    calls   errors    total     mean      p50      p95      max
t           2        0    1.75s    1.75s    1.75s    1.75s    1.75s'
}

@test "missing and repeated events of a call are reported and not counted twice" {
	{
		start
		call 1 t '{}'; call 1 t '{}'; result 1 t 1 x; result 1 t 1 x
		result 2 t 1 y
		call 1 t '{}'; result 1 t 1 z
		event tool_start '{"tool_name":"nameless_id","args":{}}'
		event tool_end '{"tool_name":"nameless_id","result":"w","duration_seconds":1}'
		event tool_end '{}'
		end
	} >log
	run --separate-stderr agent-tools -s log
	assert_failure 1
	assert_output 'tool           calls   errors    total     mean      p50      p95      max
t                  3        0    3.00s    1.00s    1.00s    1.00s    1.00s
nameless_id        1        0    1.00s    1.00s    1.00s    1.00s    1.00s
?                  1        0        -        -        -        -        -
all                5        0    4.00s'
	assert_equal "$stderr" "agent-tools: log:3: call \"1\" of 't' starts again; the event is ignored
agent-tools: log:5: a second tool_end of call \"1\"; it is ignored
agent-tools: log:6: a tool_end of call \"2\" without its tool_start
agent-tools: log:11: a tool_end of call  without its tool_start"
}

@test "a stream that begins in the middle of a run is fine" {
	{ result 1 t 1 x; call 2 t '{}'; result 2 t 2 y; end; } >log
	run agent-tools log
	assert_success
	assert_output '<- t 1.00s ok: x
-> t {}
<- t 2.00s ok: y'
}

@test "repeated events are reported and ignored" {
	{
		start r
		call 1 t '{}' r | sed 's/"data"/"seq":5,"data"/'
		result 1 t 1 x r | sed 's/"data"/"seq":6,"data"/'
		result 1 t 1 x r | sed 's/"data"/"seq":6,"data"/'
		end r
		end r
		result 2 t 1 x r
	} >log
	run --separate-stderr agent-tools -s -j log
	assert_failure 1
	assert_output '{"tool_name":"t","calls":1,"errors":0,"unfinished":0,"total_seconds":1,"mean_seconds":1,"p50_seconds":1,"p95_seconds":1,"max_seconds":1}'
	assert_equal "$stderr" "agent-tools: log:4: seq 6 of run 'r' is repeated; the event is ignored
agent-tools: log:6: a second agent_end of run 'r'; it is ignored
agent-tools: log:7: an event of run 'r' after its agent_end; it is ignored"
	run --separate-stderr agent-tools --strict -s -j log
	assert_failure 1
	assert_equal "${stderr_lines[0]}" "agent-tools: log:2: 5 events of run 'r' are missing before seq 5"
}

@test "NUL bytes, a torn last line and a line over 16 MiB do no harm" {
	{
		start
		printf '{"event_type":"tool_start","data":{"tool_name":"a\0b"}}\n'
		printf '{"event_type":"tool_end","data":{"tool_name":"t","result":"'; head -c 17000000 /dev/zero | tr '\0' x; echo '"}}'
		call 1 t '{}'; result 1 t 1 'a\u0000b'
		end
		printf '{"event_type":"tool_end","data":{"tool_'
	} >log
	run --separate-stderr agent-tools -j log
	assert_failure 1
	assert_output '{"tool_call_id":"1","tool_name":"t","args":{},"result":"a\u0000b","is_error":false,"duration_seconds":1,"run_id":null,"iteration":1}'
	assert_equal "${#stderr_lines[@]}" 3
	assert_equal "${stderr_lines[1]}" "agent-tools: log:3: the line is longer than 16 MiB; it is skipped"
	[[ ${stderr_lines[0]} == "agent-tools: log:2: byte "*"; the line is skipped" ]]
	[[ ${stderr_lines[2]} == "agent-tools: log:7: byte "*"; the last line is cut off, and skipped" ]]
}

@test "it exits with the run's status, says why the run failed, and takes the worst of several" {
	{ start a; event error '{"error":"the model is gone\u001b","fatal":true}' a; event agent_end '{"success":false,"status":"error","exit_status":1}' a; } >failed
	{ start b; event agent_end '{"success":false,"status":"limit","exit_status":3}' b; } >limit
	run agent-tools failed
	assert_failure 1
	assert_output 'agent-tools: the model is gone\x1b'
	run agent-tools limit
	assert_failure 3
	assert_output "agent-tools: the run ended with status 'limit'"
	run agent-tools failed limit
	assert_failure 3
	assert_output "agent-tools: the model is gone\\x1b
agent-tools: run b ended with status 'limit'"
	run agent-tools /dev/null
	assert_failure 4
	assert_output "agent-tools: the input has no events; the output of agent-run is expected, one JSON object per line"
	run agent-tools nowhere
	assert_failure 2
	assert_output "agent-tools: nowhere: No such file or directory"
}

@test "names, arguments and results cannot control a terminal or break a line" {
	{ start; call 1 'a\u001b[2J\n' '{"x":"\u009b"}' ; result 1 'a\u001b[2J\n' 1 'r\u001b]0;t\u0007'; end; } >log
	run agent-tools log
	assert_output $'-> a\e[2J\\n {"x":"\\u009b"}
<- a\e[2J\\n 1.00s ok: r\e]0;t\a'
	{ start; call 1 $'t\u200b' $'{"x":"a\u00ad\u00a0\ue000\U000e0041\\u200b'"$(printf '%050d' 0 | tr 0 ' ')"'"}' ; result 1 t 1 $'\u2800'; end; } >log
	run env NO_COLOR=1 script -qec 'agent-tools -w 0 log' /dev/null </dev/null
	assert_line --partial '-> t\u{200b} {"x":"a\u{ad}\u{a0}\u{e000}\u{e0041}\u200b\x20{50}"}'
	assert_line --partial '1.00s ok: \u{2800}'
	run script -qec 'agent-tools -j log' /dev/null </dev/null
	assert_line --partial '"tool_name":"t\u200b","args":{"x":"a\u00ad\u00a0\ue000\udb40\udc41\u200b'
	{ start; call 1 $'\u202et\u009b' '{}' ; result 1 t 1 $'\u2066\x7f'; end; } >log
	run env NO_COLOR=1 script -qec 'agent-tools -w 0 log' /dev/null </dev/null
	assert_line --partial '-> \u{202e}t\u{9b} {}'
	assert_line --partial '1.00s ok: \u{2066}\x7f'
	run script -qec 'agent-tools -j log' /dev/null </dev/null
	assert_line --partial '"tool_name":"\u202et\u009b"'
	assert_line --partial '"result":"\u2066\u007f"'
	run env NO_COLOR=1 script -qec 'agent-tools -w 0 --raw-control log' /dev/null </dev/null
	assert_line --partial $'-> \u202et\u009b {}'
}

@test "on a terminal a live line shows the running calls and is removed at the end" {
	mkfifo in
	TERM=xterm NO_COLOR=1 script -qfc 'stty cols 80; agent-tools in' screen </dev/null >/dev/null &
	exec 7>in
	{ start; call 1 slow '{}'; } >&7
	until grep -q '\.\. slow [0-9.]*s' screen; do sleep 0.01; done
	{ result 1 slow 1 done; end; } >&7
	exec 7>&-
	wait $!
	run tail -n 3 screen
	assert_line --partial $'\r\e[K<- slow 1.00s ok: done'
	refute_line --regexp $'done.*\\.\\. slow'
}

@test "a dumb terminal gets no live line and no colour" {
	mkfifo in
	TERM=dumb script -qfc 'stty cols 80; agent-tools in' screen </dev/null >/dev/null &
	exec 7>in
	{ start; call 1 slow '{}'; } >&7
	until grep -q 'slow {}' screen; do sleep 0.01; done
	sleep 0.3
	{ result 1 slow 1 done; end; } >&7
	exec 7>&-
	wait $!
	run grep -c $'\e\\|\\.\\. slow' screen
	assert_output 0
	assert grep -q '<- slow 1.00s ok: done' screen
}

@test "a program that failed: the reason and its last line" {
	local failed='"tool_call_id":"1","tool_name":"t","is_error":true,"duration_seconds":1'
	{
		start
		call 1 t '{}'
		event tool_end "{$failed"',"result":"cc a.c\na.c:3: error\n\nexit status 2\nThe tool did not get A_KEY.","exit_status":2,"reason":"exit status 2"}'
		for result in 'half\ntimed out after 5 seconds","reason":"timed out after 5 seconds"' \
			'exit status 1","reason":"exit status 1"' 'make: failed","exit_status":2' 'first\nsecond"'; do
			call 1 t '{}'
			event tool_end "{$failed,\"result\":\"$result}"
		done
		end
	} >log
	run bash -c 'agent-tools log | grep -e "<-"'
	assert_output '<- t 1.00s error: exit status 2: a.c:3: error
<- t 1.00s error: timed out after 5 seconds: half
<- t 1.00s error: exit status 1
<- t 1.00s error: exit status 2: make: failed
<- t 1.00s error: first'
}

@test "each line is written before more input is awaited" {
	mkfifo in
	agent-tools in >out &
	exec 7>in
	{ start; call 1 t '{}'; } >&7
	until [ "$(cat out)" = '-> t {}' ]; do sleep 0.01; done
	{ result 1 t 1 x; end; } >&7
	exec 7>&-
	wait $!
	assert_equal "$(cat out)" $'-> t {}\n<- t 1.00s ok: x'
}

@test "-f waits until every run in the file has ended" {
	{ start; call 1 t '{}'; } >log
	agent-tools -f log >out &
	until [ "$(cat out)" = '-> t {}' ]; do sleep 0.01; done
	{ result 1 t 1 x; end; } >>log
	wait $!
	assert_equal "$(cat out)" $'-> t {}\n<- t 1.00s ok: x'
}

@test "a closed pipe ends it quietly" {
	{ start; yes "$(call 1 t '{}'; result 1 t 1 x)" | head -n 10000; end; } >log
	run --separate-stderr bash -c 'agent-tools log | head -1'
	assert_output -- '-> t {}'
	assert_equal "$stderr" ""
}

@test "--help, --version and unknown options" {
	run --separate-stderr agent-tools --help
	assert_success
	assert_line --index 0 "usage: agent-tools [options] [FILE ...]"
	run agent-tools -V
	assert_output --regexp '^agent-tools [0-9]+\.[0-9]+\.[0-9]+$'
	run agent-tools --nonsense
	assert_failure 2
	assert_output --partial "try 'agent-tools --help'"
}

@test "options that exclude each other are refused" {
	run -2 agent-tools -a -e </dev/null
	assert_output 'agent-tools: --args and --errors exclude each other; give one'
	run -2 agent-tools -j --tsv </dev/null
	assert_output 'agent-tools: --json and --tsv exclude each other; give one'
}
