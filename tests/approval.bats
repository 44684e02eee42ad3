#!/usr/bin/env bats
# agent-run: which tools run without approval, need approval, or never run, and who decides.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir tools
}

# tool NAME COMMAND: a tool without parameters.
tool() {
	printf '{"name":"%s","command":%s}\n' "$1" "$2" >"tools/$1.json"
}

# calls NAME...: a model that calls these tools in its first response, and answers "done" in the next.
# It stores the requests in request.0, request.1, ...
calls() {
	local name n=0
	for name in "$@"; do
		printf '{"event_type":"tool_call_start","data":{"tool_call_id":"c%s","tool_name":"%s","index":%s}}\n' $n "$name" $n
		n=$((n + 1))
	done >calls
	cat >model.sh <<'EOF'
n=$(ls request.* 2>/dev/null | wc -l)
cat >request.$n
if [ "$n" = 0 ]; then cat calls; else echo '{"text":"done"}'; fi
EOF
	rm -f request.*
}

# person [WAIT ANSWER]... -- OPTION...: run agent-run at a terminal. Events go to the file `events`, the
# text on the terminal to `screen`.
person() {
	local steps=()
	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	timeout 60 "$BUILD/server/terminal" "${at[@]}" --screen screen "${steps[@]}" -- \
		agent-run -m 'exec:sh model.sh' -t tools "$@" hello >events
}

at=()
asks='or why not: '

decisions() {
	data tool_approval '[.tool_call_id, .decision, .by] | join(" ")'
}

@test "the user approves: the call is shown and runs, and the terminal is restored" {
	tool rm_all '["touch","ran"]'
	calls rm_all
	person "$asks" $'y\n' -- --ask '*'
	assert_equal "$(tr -d '\r' <screen)" 'agent-run: the model wants to run rm_all {}
Run it? [y]es, [N]o, [a]lways this tool, [q]uit, or why not: y'
	assert_equal "$(decisions)" 'c0 approved user'
	assert_equal "$(data tool_end .is_error)" false
	assert [ -e ran ]
}

@test "the user denies: the model gets the decision and the reason" {
	tool rm_all '["touch","ran"]'
	calls rm_all rm_all
	person "$asks" $'n\n' "$asks" $'use the trash instead\n' -- --ask '*'
	assert_equal "$(decisions)" $'c0 denied user\nc1 denied user'
	assert_equal "$(data tool_approval .reason)" $'null\nuse the trash instead'
	assert_equal "$(jq -r '.messages[-1].content[].result' request.1)" 'The user denied the call.
The user denied the call: use the trash instead'
	assert_equal "$(data agent_end .status)" success
	assert [ ! -e ran ]
}

@test "pending calls are prompted one at a time, and always approves all calls of the tool" {
	tool one '["true"]'
	tool two '["true"]'
	calls one two one one
	person "$asks" $'a\n' "$asks" $'y\n' -- --ask '*'
	assert_equal "$(grep -c 'wants to run' screen)" 2
	assert_equal "$(decisions)" 'c0 approved user
c1 approved user
c2 approved user
c3 approved user'
}

@test "always does not approve another agent's tool of the same name" {
	tool look '["touch","seen"]'
	mkdir other
	printf '{"name":"look","command":["touch","ran"]}' >other/look.json
	echo '{"name":"helper","model":"test","tools":["other/look.json"]}' >helper.json
	printf '{"name":"ask_helper","description":"d","agent":"../helper.json"}' >tools/ask.json
	timeout 60 "$BUILD/server/terminal" "$asks" $'a\n' "$asks" $'n\n' -- sh -c 'agent-run -m test -t tools -P 1 --ask look hello >events'
	assert_equal "$(data tool_approval '[.tool_name, .decision]')" '["look","approved"]
["look","denied"]'
	assert [ -e ran -a ! -e seen ]
}

@test "quit ends the run as ^C does: nothing else runs, and the other calls wait for --resume" {
	tool one '["touch","ran"]'
	calls one one one
	run -130 person "$asks" $'q\n' -- --ask '*'
	assert_equal "$(decisions)" 'c0 denied user'
	assert_equal "$(data tool_end .result)" 'The user denied the call.'
	assert_equal "$(data error .error)" 'the user denied a call and ended the run'
	assert_equal "$(data agent_end '[.status, .exit_status]')" '["cancelled",130]'
	assert [ ! -e ran ]
}

@test "quit ends all runs of a batch" {
	tool one '["touch","ran"]'
	calls one
	cat >model.sh <<<'cat >/dev/null; cat calls'
	printf '%s\n' a b c d >lines
	run -130 person "$asks" $'quit\n' -- --ask '*' --batch lines -j 2 'say'
	assert_equal "$(data agent_end .status)" $'cancelled\ncancelled'
	assert_equal "$(grep -c 'wants to run' screen)" 1
	assert [ ! -e ran ]
}

@test "quit in a nested run also ends its parent" {
	printf '{"name":"look","command":["touch","ran"],"approval":true}' >look.json
	echo '{"name":"helper","model":"test","tools":["look.json"]}' >helper.json
	echo '{"name":"ask_helper","description":"d","agent":"helper.json"}' >ask.json
	run -130 timeout 60 "$BUILD/server/terminal" "$asks" $'q\n' -- sh -c 'agent-run -m test -t ask.json hello >events'
	assert_equal "$(data tool_approval '[.decision, .by]')" '["denied","user"]'
	assert_equal "$(data agent_end '[.status, .agent_name]')" $'["cancelled","helper"]\n["cancelled","agent"]'
	assert [ ! -e ran ]
}

@test "^C during a question cancels the run, and the terminal is restored" {
	tool one '["touch","ran"]'
	calls one one
	run -130 person "$asks" $'\x03' -- --ask '*'
	assert_equal "$(decisions)" ''
	assert_equal "$(data agent_end '[.status, .exit_status]')" '["cancelled",130]'
	assert_equal "$(grep -c 'wants to run' screen)" 1
	assert [ ! -e ran ]
}

@test "^D denies" {
	tool one '["true"]'
	calls one
	person "$asks" $'\x04' -- --ask '*'
	assert_equal "$(decisions)" 'c0 denied user'
}

@test "input typed before the question is discarded" {
	tool one '["touch","ran"]'
	calls one
	cat >model.sh <<'EOF'
if [ -e first ]; then echo '{"text":"done"}'; exit; fi
touch first
until [ -e typed ]; do sleep 0.01; done
cat calls
EOF
	tool note '["true"]'
	# The line is in the terminal's queue before the model calls the tool.
	(for _ in {1..3000}; do [ ! -e first ] || break; sleep 0.01; done; sleep 0.3; touch typed) 3>&- &
	timeout 60 "$BUILD/server/terminal" --screen screen 'ready ' $'y\n' "$asks" $'n\n' -- \
		sh -c 'printf "ready " >&2; agent-run -m "exec:sh model.sh" -t tools --ask "*" hello' >events
	wait
	assert_equal "$(decisions)" 'c0 denied user'
	assert [ ! -e ran ]
}

@test "the question shows control characters and direction marks, and never sends them" {
	tool one '["true"]'
	printf '%s\n' '{"event_type":"tool_call_start","data":{"tool_call_id":"c0","tool_name":"one","index":0}}' \
		'{"event_type":"tool_call_chunk","data":{"tool_call_id":"c0","tool_name":"one","args_delta":"{\"x\":\"a\u009b2J\u202e\\u001b[1A\\n\\rRun it? y\"}"}}' >calls.saved
	calls one
	mv calls.saved calls
	person "$asks" $'y\n' -- --ask '*'
	assert_equal "$(grep -c $'\e\|\xc2\x9b\|\xe2\x80\xae' screen || true)" 0
	assert_equal "$(sed -n 1,4p screen | tr -d '\r')" 'agent-run: the model wants to run one
  "x":
  | a\u{9b}2J\u{202e}\x1b[1A
  | \x0dRun it? y'
}

# call_with ARGS: a model that calls the tool `one` with these arguments.
call_with() {
	tool one '["touch","ran"]'
	calls one
	printf '%s\n' '{"event_type":"tool_call_start","data":{"tool_call_id":"c0","tool_name":"one","index":0}}' >calls
	printf '{"event_type":"tool_call_end","data":{"tool_call_id":"c0","tool_name":"one","args":%s}}\n' "$1" >>calls
}

@test "the question shows a script with its line breaks, and what escapes stand for" {
	call_with '{"command":"set -e\n\n\n\n\n\n\u0072m -rf build\n\techo done","timeout":30,"why":"\u0072m"}'
	person "$asks" $'n\n' -- --ask '*'
	assert_equal "$(sed '/^Run it/q' screen | tr -d '\r')" 'agent-run: the model wants to run one
  "command":
  | set -e
  (5 empty lines)
  | rm -rf build
  |         echo done
  "timeout": 30
  "why": "rm"
Run it? [y]es, [N]o, [a]lways this tool, [q]uit, or why not: n'
	assert_equal "$(decisions)" 'c0 denied user'
}

@test "the question shows characters without ink and counts long runs of blanks" {
	call_with "$(printf '{"a":"x\342\200\213y\363\240\201\201z\343\205\244\302\255\302\240","b":"echo%300s; rm","c":"two  blanks"}' '')"
	person "$asks" $'n\n' -- --ask '*'
	assert_equal "$(sed -n 1p screen | tr -d '\r')" 'agent-run: the model wants to run one {"a":"x\u{200b}y\u{e0041}z\u{3164}\u{ad}\u{a0}","b":"echo\x20{300}; rm","c":"two  blanks"}'
	# A tab is as wide as eight blanks: a page with tabs is not longer than the screen.
	call_with '{"command":"a\n\t\t\t\t\tb\n\t\t\t\t\t\tc"}'
	person "$asks" $'n\n' -- --ask '*'
	assert_equal "$(sed -n 3,5p screen | tr -d '\r')" "  | a
  | $(printf '%40s' '')b
  | \x09{6}c"
}

@test "a long call is shown page by page, and yes counts only after its end" {
	call_with "{\"command\":\"$(printf 'line %s\\n' {1..20})\"}"
	timeout 60 "$BUILD/server/terminal" --screen screen '15 more lines: [Enter], [n]o, [q]uit, or why not: ' $'y\n' '8 more lines' $'a\n' \
		'1 more lines' $'\n' 'Run it? ' $'y\n' -- sh -c 'stty rows 10 cols 80; agent-run -m "exec:sh model.sh" -t tools --ask "*" hello >events'
	assert_equal "$(grep -o '| line [0-9]*' screen | paste -sd' ')" "$(printf '| line %s\n' {1..20} | paste -sd' ')"
	assert_equal "$(decisions)" 'c0 approved user'
	rm ran
	for answer in $'n\n' $'\x04' $'use another\n'; do
		call_with "{\"command\":\"$(printf 'line %s\\n' {1..20})\"}"
		timeout 60 "$BUILD/server/terminal" --screen screen 'or why not: ' "$answer" -- \
			sh -c 'stty rows 10 cols 80; agent-run -m "exec:sh model.sh" -t tools --ask "*" hello >events'
		assert_equal "$(decisions)" 'c0 denied user'
	done
	call_with "{\"command\":\"echo $(printf '%0400d' 0); the-end\"}"
	timeout 60 "$BUILD/server/terminal" --screen screen 'more lines' $'\n' 'Run it? ' $'n\n' -- \
		sh -c 'stty rows 10 cols 40; agent-run -m "exec:sh model.sh" -t tools --ask "*" hello >events'
	run grep -c 'the-end' screen
	assert_output 1
	assert [ ! -e ran ]
	call_with '{"command":"one\ntwo"}' # on a screen that is smaller than the question
	timeout 60 "$BUILD/server/terminal" --screen screen '3 more lines' $'y\n' '2 more lines' $'y\n' '1 more lines' $'n\n' -- \
		sh -c 'stty rows 2 cols 40; agent-run -m "exec:sh model.sh" -t tools --ask "*" hello >events'
	assert_equal "$(decisions)" 'c0 denied user'
}

@test "programs on one terminal ask one at a time" {
	tool one '["true"]'
	calls one
	echo 'cat >/dev/null; if [ -e $RUN ]; then echo "{\"text\":\"done\"}"; else touch $RUN; cat calls; fi' >model.sh
	cat >several <<'EOF'
for i in 1 2 3; do
	RUN=run.$i agent-run -m 'exec:sh model.sh' -t tools --ask '*' hello >events.$i &
done
wait
EOF
	timeout 60 "$BUILD/server/terminal" --slow --screen screen "$asks" $'y\n' "$asks" $'y\n' "$asks" $'y\n' -- sh several
	assert_equal "$(tr -d '\r' <screen | uniq -c | sed 's/^ *//')" "$(for i in 1 2 3; do
		echo '1 agent-run: the model wants to run one {}'
		echo '1 Run it? [y]es, [N]o, [a]lways this tool, [q]uit, or why not: y'
	done)"
	cat events.? >events
	assert_equal "$(decisions)" $'c0 approved user\nc0 approved user\nc0 approved user'
}

@test "--approval-timeout denies a call if the answer is missing or half-typed" {
	tool one '["touch","ran"]'
	calls one one
	person "$asks" 'ye' -- --ask '*' --approval-timeout 0.2
	assert_equal "$(decisions)" $'c0 denied policy\nc1 denied policy'
	assert_equal "$(data tool_end .result)" 'The call was denied: nobody answered within 0.2 seconds (--approval-timeout)
The call was denied: nobody answered within 0.2 seconds (--approval-timeout)'
	assert_equal "$(grep -c '^nobody answered within 0.2 seconds' screen)" 2
	assert [ ! -e ran ]
}

@test "--approval-timeout stops a program that does not decide" {
	tool one '["touch","ran"]'
	calls one
	agent-run -m 'exec:sh model.sh' -t tools --ask '*' --approve-with 'echo hm; exec sleep 300' --approval-timeout 0.2 hello </dev/null >events
	assert_equal "$(decisions)" 'c0 denied hook'
	assert_equal "$(data tool_end .result)" 'The call was denied: hm; the program that approves calls failed: timed out after 0.2 seconds'
	assert [ ! -e ran ]
}

@test "without a terminal, or in the background, calls are denied with the reason" {
	tool one '["touch","ran"]'
	calls one
	setsid -w agent-run -m 'exec:sh model.sh' -t tools --ask '*' hello </dev/null >events
	assert_equal "$(decisions)" 'c0 denied policy'
	assert_equal "$(data tool_end .result)" 'The call was denied: it needs a yes, and there is no terminal to ask on (--allow or --approve-with decide without one)'
	calls one
	at=(--background)
	person -- --ask '*'
	assert_equal "$(decisions)" 'c0 denied policy'
	assert_equal "$(data tool_end .result)" 'The call was denied: it needs a yes, and nobody can be asked in the background (--allow or --approve-with decide there)'
	assert_equal "$(cat screen)" ''
	assert [ ! -e ran ]
}

@test "--allow lets a tool with approval run; the strictest matching glob applies" {
	printf '{"name":"one","command":["touch","ran"],"approval":true}' >tools/one.json
	calls one
	setsid -w agent-run -m 'exec:sh model.sh' -t tools hello </dev/null >events
	assert_equal "$(decisions)" 'c0 denied policy'
	calls one
	setsid -w agent-run -m 'exec:sh model.sh' -t tools --allow 'o*' hello </dev/null >events
	assert_equal "$(decisions)" ''
	assert [ -e ran ]
	rm ran
	calls one
	setsid -w agent-run -m 'exec:sh model.sh' -t tools --deny '[o]ne' --allow one --ask '*' hello </dev/null >events
	assert_equal "$(decisions)" 'c0 denied policy'
	assert_equal "$(data tool_end .result)" 'The call was denied by policy.'
	assert [ ! -e ran ]
}

@test "the rules take lists of names, and the tools of nested agents and handoffs have rules too" {
	tool one '["touch","one.ran"]'
	tool two '["touch","two.ran"]'
	calls one two
	agent-run -m 'exec:sh model.sh' -t tools --deny 'none_*, one,t[w]o' hello </dev/null >events 2>messages
	assert_equal "$(data tool_end .result)" $'The call was denied by policy.\nThe call was denied by policy.'
	assert_equal "$(cat messages)" "agent-run: --deny 'none_*' matches no tool; the tools are one, two"
	echo '{"name":"other"}' >other.json
	echo '{"name":"helper","model":"test","tools":["tools/two.json"],"handoffs":["other.json"]}' >helper.json
	echo '{"name":"ask_helper","description":"d","agent":"helper.json"}' >ask.json
	agent-run -m test -t ask.json --deny two,transfer_to_other hello </dev/null >events 2>messages
	assert_equal "$(data tool_end '[.tool_name, .is_error]' | sort)" '["ask_helper",false]
["transfer_to_other",true]
["two",true]'
	assert_equal "$(cat messages)" ''
	agent-run -m test -t ask.json --deny ask_helper hello </dev/null >events
	assert_equal "$(data agent_start .agent_name)" agent
	assert [ ! -e one.ran -a ! -e two.ran ]
}

@test "a rule for a tool that does not exist is an error with a suggestion, as is a malformed pattern" {
	tool one '["touch","ran"]'
	tool shell '["touch","ran"]'
	mistake() {
		run -2 agent-run -m test -t tools "$1" "$2" hello </dev/null
		assert_output "agent-run: $3"
	}
	mistake --deny shel '--deny shel: there is no such tool (did you mean shell?); the tools are one, shell'
	mistake --deny SHELL '--deny SHELL: there is no such tool (did you mean shell?); the tools are one, shell'
	mistake --ask one,Shell '--ask Shell: there is no such tool (did you mean shell?); the tools are one, shell'
	mistake --allow web_search '--allow web_search: there is no such tool; the tools are one, shell'
	mistake --deny '{sh*,one}' '--deny {sh*: there is no such tool; the tools are one, shell'
	mistake --deny '[' "--deny: the pattern '[' is malformed: the [ has no ]; write \\[ for a [ that stands for itself"
	mistake --ask 'one,[[:alpha:' "--ask: the pattern '[[:alpha:' is malformed: the [ has no ]; write \\[ for a [ that stands for itself"
	mistake --ask '[]' "--ask: the pattern '[]' is malformed: the [ has no ]; write \\[ for a [ that stands for itself"
	mistake --allow 'one\' "--allow: the pattern 'one\\' is malformed: nothing follows the \\ at its end"
	mistake --deny , "--deny needs at least one pattern, not ','"
	run -2 agent-run -m test --deny shell hello </dev/null
	assert_output 'agent-run: --deny shell: there is no such tool; add it with --tool'
	assert [ ! -e ran ]
	agent-run -m test -t tools --deny '[!s]*,[[:alpha:]]hel[]l]' hello </dev/null 2>&1 >events | diff - /dev/null
	assert_equal "$(data tool_end .is_error)" $'true\ntrue'
	agent-run -m test --ask '*' hello </dev/null 2>&1 >events | diff - /dev/null
}

@test "--approve-with gets the call, and its output is the reason for the model and the log" {
	tool one '["true"]'
	calls one one
	agent-run -m 'exec:sh model.sh' -t tools --ask '*' \
		--approve-with 'cat >asked.$AGENT_TOOL_CALL_ID; [ $AGENT_TOOL_CALL_ID = c0 ] && echo "it is $AGENT_TOOL_NAME" || { echo not twice; exit 1; }' hello </dev/null >events
	assert_equal "$(cat asked.c0)" '{"tool_call_id":"c0","tool_name":"one","args":{}}'
	assert_equal "$(data tool_approval '[.tool_call_id, .decision, .by, .reason]' | sort)" '["c0","approved","hook","it is one"]
["c1","denied","hook","not twice"]'
	assert_equal "$(jq -r '.messages[-1].content[1].result' request.1)" 'The call was denied: not twice'
}

# writes ARGUMENTS: a model that calls the tool one with this text as its arguments.
writes() {
	calls one
	jq -cn --arg args "$1" '{event_type:"tool_call_start",data:{tool_call_id:"c0",tool_name:"one",index:0}},
		{event_type:"tool_call_chunk",data:{tool_call_id:"c0",args_delta:$args}}' >calls
}

@test "the program that approves, the log and the tool get the same bytes" {
	tool one '["tee","got"]'
	while IFS= read -r args; do
		writes "$(printf '%b' "${args//\\u/\\\\u}")"
		agent-run -m 'exec:sh model.sh' -t tools --ask '*' --approve-with 'cat >asked' hello </dev/null >events
		assert_equal "$(cat asked)" "{\"tool_call_id\":\"c0\",\"tool_name\":\"one\",\"args\":$(cat got)}"
		for type in tool_call_end tool_approval tool_start; do
			assert_equal "$(grep -cF "\"args\":$(cat got)" <(grep "\"$type\"" events))" 1
		done
	done <<-'EOF'
		{"a":1e400,"b":-0,"c":1.10,"d":12345678901234567890.0}
		{"a":"\ud800 \u0000 \u00e9 é","\u0061\u0062":"/\u002f"}
		 {\n "a": [1,\r\n\t2 ], "b" : {} }\n
		 { "a" : 1 }
	EOF
}

@test "who approves sees the defaults that the tool gets, behind the arguments" {
	tool one '["printf","[%s]","{x}","--n={n}","{list}","{no}"]'
	sed -i 's/}$/,"parameters":{"properties":{"x":{"default":"X"},"n":{"default":1.10},"list":{"default":["a", "b"]},"no":{"default":null},"other":{"default":"O"}}}}/' tools/one.json
	while IFS='|' read -r args shown result; do
		writes "$args"
		agent-run -m 'exec:sh model.sh' -t tools --ask '*' --approve-with 'cat >asked' hello </dev/null >events
		assert_equal "$(cat asked)" "{\"tool_call_id\":\"c0\",\"tool_name\":\"one\",\"args\":$shown}"
		assert_equal "$(grep -cF "\"args\":$shown,\"decision\"" events)" 1
		assert_equal "$(data tool_end .result)" "$result"
		rm -f request.*
		agent-run -m 'exec:sh model.sh' -t tools --deny one hello </dev/null >events
		assert_equal "$(grep -cF "\"args\":$shown,\"decision\"" events)" 1
		rm -f request.*
		person "$asks" $'y\n' -- --ask '*'
		assert_equal "$(tr -d '\r' <screen | head -1)" "agent-run: the model wants to run one ${shown//\\u0078/x}"
		rm -f request.*
	done <<-'EOF'
		{}|{"x":"X","n":1.10,"list":["a","b"]}|[X][--n=1.10][a][b]
		{ }|{"x":"X","n":1.10,"list":["a","b"]}|[X][--n=1.10][a][b]
		{"n":0,"list":[]}|{"n":0,"list":[],"x":"X"}|[X][--n=0]
		{"x":null,"no":1,"n":0,"list":null}|{"x":null,"no":1,"n":0,"list":null}|[--n=0][1]
		{"\u0078":"","n":0,"list":[]}|{"\u0078":"","n":0,"list":[]}|[][--n=0]
	EOF
}

@test "a NUL in an argument of a program is refused before approval" {
	tool one '["touch","ran","{x}"]'
	sed -i 's/}$/,"parameters":{"properties":{"x":{}}}}/' tools/one.json
	for args in '{"x":"a\u0000b"}' '{"x":["a","\u0000"]}'; do
		writes "$args"
		rm -f request.*
		agent-run -m 'exec:sh model.sh' -t tools --ask '*' --approve-with 'touch asked' hello </dev/null >events
		assert_equal "$(decisions)" ''
		assert_equal "$(data tool_end '[.is_error, .result]')" '[true,"the argument \"x\" holds a NUL character, which cannot be passed to a program"]'
		assert_equal "$(data tool_start .args)" "$args"
		assert [ ! -e ran -a ! -e asked ]
	done
	rm -f request.*
	writes '{"x":{"y":"\u0000"}}' # JSON text, which has the escape
	agent-run -m 'exec:sh model.sh' -t tools hello </dev/null >events
	assert_equal "$(data tool_end .is_error)" false
}

@test "a key that is there twice is refused before approval, and nothing runs" {
	tool one '["touch","ran","{x}"]'
	sed -i 's/}$/,"parameters":{"properties":{"x":{}}}}/' tools/one.json
	while IFS= read -r args; do
		writes "$args"
		agent-run -m 'exec:sh model.sh' -t tools --ask '*' --approve-with 'touch asked' hello </dev/null >events
		assert_equal "$(decisions)" ''
		assert_equal "$(data tool_end '[.is_error, .result]')" '[true,"The arguments contain the key \"x\" twice in one object. Write each key once and try again."]'
		assert_equal "$(data tool_start .args)" '{}'
		assert_equal "$(jq -r '.messages[1].content[0].invalid_args' request.1)" "$args"
		assert [ ! -e ran -a ! -e asked ]
	done <<-'EOF'
		{"x":"ran","x":"other"}
		{"x":"ran","\u0078":"other"}
		{"x":[{"y":{"x":1,"x":1}}]}
	EOF
	writes '{"x":{"x":{"x":1}},"X":2}'
	agent-run -m 'exec:sh model.sh' -t tools hello </dev/null >events
	assert_equal "$(data tool_end .is_error)" false
}

@test "a call with invalid arguments needs no approval" {
	printf '{"name":"one","command":["true"],"parameters":{"type":"object","required":["x"]}}' >tools/one.json
	calls one
	person -- --ask '*'
	assert_equal "$(decisions)" ''
	assert_equal "$(cat screen)" ''
	assert_equal "$(data tool_end .is_error)" true
}

@test "a question starts on a new line, and the live line waits until it is answered" {
	tool slow '["sh","-c","until [ -e ran ]; do sleep 0.01; done"]'
	tool rm_all '["touch","ran"]'
	calls slow rm_all
	timeout 60 "$BUILD/server/terminal" --slow --screen screen "$asks" $'y\n' -- sh -c '
		stty cols 40
		agent-run -m "exec:sh model.sh" -t tools --ask rm_all hello | NO_COLOR=1 TERM=xterm agent-tools >&2'
	# A reader that is late writes the start of the other call below the question.
	sed -zi 's/: \r\n-> slow {}\r\n/: /' screen
	assert_equal "$(sed -n 's/\r*$//; s/^.*\r\( *\r\)/\1/; /the model wants/,/Run it/p' screen)" \
		"$(printf '%40s\ragent-run: the model wants to run rm_all {}\n%sy' '' \
			'Run it? [y]es, [N]o, [a]lways this tool, [q]uit, or why not: ')"
	run grep -c 'ok' screen
	assert_output 2
}
