#!/usr/bin/env bats
# agent-run on the built-in models: the loop, its events, tools, limits, signals, output.
# Over HTTP: provider.bats.

load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p tools
}

# A tool from a name, a parameters schema and a command (a JSON array).
tool() {
	printf '{"name":"%s","description":"a tool","parameters":%s,"command":%s}\n' "$1" "$2" "$3" >"tools/$1.json"
}

# A model that answers call number N with the lines of the file answer.N.
scripted() {
	cat >model.sh <<-'EOF'
		cat >"request.$(ls request.* 2>/dev/null | wc -l)"
		n=$(ls request.* | wc -l)
		cat "answer.$n"
	EOF
	echo "exec:sh model.sh"
}

# Whether a process has ended, even if its parent has not waited for it yet.
gone() {
	! [ -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null || ! [ -e "/proc/$1" ]
}

types() {
	jq -r .event_type "$@" | uniq
}

@test "the test model answers, and the run is agent_start ... agent_end with seq 0, 1, 2, ..." {
	run --separate-stderr agent-run -m test hello
	assert_success
	assert_equal "$stderr" ""
	assert_equal "$(types <<<"$output" | paste -sd' ')" \
		"agent_start llm_start llm_chunk llm_end progress agent_end"
	assert_equal "$(jq -s 'map(.seq) == [range(length)]' <<<"$output")" true
	assert_equal "$(jq -s 'map(.run_id) | unique | length' <<<"$output")" 1
	assert_equal "$(jq -r 'keys_unsorted | join(",")' <<<"$output" | sort -u)" \
		"event_type,timestamp,run_id,seq,data"
}

@test "agent_start holds the prompt, the model, the tools and the schema version" {
	tool one '{"type":"object"}' '["true"]'
	run agent-run -m test -s 'be brief' -t tools hello there
	assert_success
	assert_equal "$(head -1 <<<"$output" | jq -c '.data')" \
		'{"agent_name":"agent","model":"test","prompt":"hello there","tools":["one"],"schema_version":1,"system":"be brief","provider":"test"}'
}

@test "agent_end holds the output, the usage and the status" {
	run agent-run -m test -o text='Good day.' hello
	assert_success
	assert_equal "$(tail -1 <<<"$output" | jq -c '.data | [.success, .status, .exit_status, .output, .finish_reason, .total_iterations, .tool_calls]')" \
		'[true,"success",0,"Good day.","stop",1,0]'
	assert_equal "$(tail -1 <<<"$output" | jq -c '.data.usage | keys_unsorted')" \
		'["input_tokens","output_tokens","cached_input_tokens","cache_write_tokens","reasoning_tokens","requests"]'
}

@test "standard input is the prompt, or follows it after a blank line" {
	run bash -c 'echo from stdin | agent-run -m test'
	assert_equal "$(head -1 <<<"$output" | jq -r .data.prompt)" "from stdin"
	run bash -c 'echo from stdin | agent-run -m test look at'
	assert_equal "$(head -1 <<<"$output" | jq -c .data.prompt)" '"look at\n\nfrom stdin"'
	run bash -c 'echo from stdin | agent-run -m test --no-stdin alone'
	assert_equal "$(head -1 <<<"$output" | jq -r .data.prompt)" "alone"
}

@test "no prompt, no model and an unknown model are usage errors and nothing is written" {
	run agent-run -m test
	assert_failure 2
	assert_output "agent-run: no prompt: give it as arguments or on standard input"
	run agent-run hello
	assert_failure 2
	assert_output --partial "no model: use -m PROVIDER:MODEL or AGENT_MODEL (providers whose key is set:"
	assert_output --partial "-m test"
	run agent-run -m nosuch:model hello
	assert_failure 2
	assert_output --partial "nosuch"
	run agent-run -m test --max-iterations none hello
	assert_failure 2
	assert_output "agent-run: --max-iterations must be a whole number of at least 1, such as 8, not 'none'"
	run agent-run --nonsense
	assert_failure 2
	assert_output --partial "try 'agent-run --help'"
}

@test "--list-models of a built-in model says that it has no list" {
	run -2 agent-run -m test --list-models
	assert_output 'agent-run: test is a built-in model; only providers have lists of models'
}

@test "the model comes from AGENT_MODEL" {
	AGENT_MODEL=test run agent-run hello
	assert_success
}

@test "the test model calls every tool once with arguments that satisfy its schema" {
	tool a '{"type":"object","properties":{"n":{"type":"integer","minimum":3}},"required":["n"]}' '["cat"]'
	tool b '{"type":"object","properties":{"s":{"enum":["x","y"]}},"required":["s"]}' '["cat"]'
	run agent-run -m test -t tools hello
	assert_success
	assert_equal "$(jq -c 'select(.event_type=="tool_end") | .data | [.tool_name, .result, .is_error]' <<<"$output" | sort)" \
		'["a","{\"n\":3}",false]
["b","{\"s\":\"x\"}",false]'
	assert_equal "$(jq -c 'select(.event_type=="agent_end") | .data | [.total_iterations, .tool_calls]' <<<"$output")" '[2,2]'
}

@test "arguments reach the tool's stdin and the log byte for byte" {
	tool keep '{"type":"object"}' '["tee","seen"]'
	model=$(scripted)
	cat >answer.1 <<'EOF'
{"event_type":"tool_call_start","data":{"tool_call_id":"c1","tool_name":"keep","index":0}}
{"event_type":"tool_call_chunk","data":{"tool_call_id":"c1","tool_name":"keep","args_delta":"{\"id\":1234567890123456789,"}}
{"event_type":"tool_call_chunk","data":{"tool_call_id":"c1","tool_name":"keep","args_delta":"\"x\":1.10}"}}
EOF
	echo '{"text":"done"}' >answer.2
	agent-run -m "$model" -t tools -l log.jsonl hello >out.jsonl
	assert_equal "$(cat seen)" '{"id":1234567890123456789,"x":1.10}'
	run grep -c '"args":{"id":1234567890123456789,"x":1.10}' log.jsonl
	assert_output 3 # tool_call_end, llm_end.message, tool_start
	cmp out.jsonl log.jsonl
}

@test "an unknown tool and invalid arguments are answered to the model as errors" {
	tool real '{"type":"object"}' '["true"]'
	model=$(scripted)
	cat >answer.1 <<'EOF'
{"event_type":"tool_call_start","data":{"tool_call_id":"c1","tool_name":"unreal","index":0}}
{"event_type":"tool_call_chunk","data":{"tool_call_id":"c1","tool_name":"unreal","args_delta":"{}"}}
{"event_type":"tool_call_start","data":{"tool_call_id":"c2","tool_name":"real","index":1}}
{"event_type":"tool_call_chunk","data":{"tool_call_id":"c2","tool_name":"real","args_delta":"{\"a\":"}}
EOF
	echo '{"text":"sorry"}' >answer.2
	run agent-run -m "$model" -t tools hello
	assert_success
	assert_equal "$(jq -c 'select(.event_type=="tool_end") | .data | [.tool_call_id, .is_error, .result]' <<<"$output")" \
		'["c1",true,"There is no tool named \"unreal\". The tools are: real"]
["c2",true,"The arguments are not valid JSON: unexpected end of text at byte 6. Fix the errors and try again."]'
	assert_equal "$(jq -c '.messages[-1].content | map(.tool_call_id)' request.1)" '["c1","c2"]'
}

@test "a name with blanks around it, or functions. before it, is that of the tool" {
	tool real '{"type":"object"}' '["echo","ran"]'
	model=$(scripted)
	printf '{"tool_name":"%s","args":{}}\n' ' real\n' functions.real 'functions. real' >answer.1
	echo '{"text":"done"}' >answer.2
	run -0 agent-run -m "$model" -t tools hello
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data | .result | rtrimstr("\n")' <<<"$output" | sort)" \
		'There is no tool named "functions. real". The tools are: real
ran
ran'
	assert_equal "$(jq -r 'select(.event_type == "tool_call_start").data.tool_name' <<<"$output" | paste -sd,)" 'real,real,functions. real'
	assert_equal "$(jq -r '.messages[-2].content[0].tool_name' request.1)" real
}

@test "tools of one response run in parallel, with -P 1 in order" {
	mkfifo meet
	tool left '{"type":"object"}' "[\"sh\",\"-c\",\"echo met >$PWD/meet\"]"
	tool right '{"type":"object"}' "[\"cat\",\"$PWD/meet\"]"
	run timeout 20 agent-run -m test -t tools hello
	assert_success
	assert_equal "$(jq -r 'select(.event_type=="tool_end" and .data.tool_name=="right") | .data.result' <<<"$output")" met
	rm tools/*
	tool one '{"type":"object"}' '["true"]'
	tool two '{"type":"object"}' '["true"]'
	run agent-run -m test -P 1 -t tools hello
	assert_equal "$(jq -r 'select(.event_type|test("^tool_(start|end)")) | "\(.event_type) \(.data.tool_name)"' <<<"$output" | paste -sd,)" \
		"tool_start one,tool_end one,tool_start two,tool_end two"
}

@test "a tool that fails tells the model its exit status and the end of its stderr" {
	tool bad '{"type":"object"}' '["sh","-c","echo partial; echo reason >&2; exit 3"]'
	run agent-run -m test -t tools hello
	assert_success
	run jq -c 'select(.event_type=="tool_end") | .data | [.is_error, .exit_status, (.result | test("partial") and test("reason"))]' <<<"$output"
	assert_output '[true,3,true]'
}

@test "a tool past its timeout is stopped with its whole process group" {
	tool slow '{"type":"object"}' "[\"sh\",\"-c\",\"sleep 300 & echo \$! >$PWD/pid; wait\"]"
	run agent-run -m test -t tools --tool-timeout 0.3 hello
	assert_success
	run jq -r 'select(.event_type=="tool_end") | .data.result' <<<"$output"
	assert_output --partial "timed out after 0.3 seconds"
	gone "$(cat pid)"
}

@test "a tool leads a session without a terminal and gets no descriptor but the standard files" {
	tool look '{"type":"object"}' '["sh","-c","ls /proc/$$/fd; cut -d\" \" -f6,7 /proc/$$/stat; echo $$; echo ask >/dev/tty || echo none"]'
	run -0 "$BUILD/server/terminal" --screen screen -- bash -c 'agent-run -m test -t tools --no-stdin hello >events 77</dev/null'
	pid=$(jq -r 'select(.event_type == "tool_end").data.result' events | sed -n 5p)
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' events | paste -sd' ')" "0 1 2 $pid 0 $pid none "
	assert_equal "$(cat screen)" ''
}

# Start a daemon in the background, as WAY says, with its pid in the file $1.
daemons() {
	cat >daemon.sh <<'EOF'
case $1 in
job) sleep 300 >/dev/null 2>&1 & echo $! >job ;;
group) bash -mc 'sleep 300 >/dev/null 2>&1 & echo $! >group' ;;
twice) (sh -c 'echo $$ >twice; exec sleep 300' >/dev/null 2>&1 &) & ;;
session) setsid sh -c 'echo $$ >session; exec sleep 300' >/dev/null 2>&1 & ;;
deaf) setsid -f sh -c 'trap "" TERM; echo $$ >deaf; sleep 300' >/dev/null 2>&1 ;;
esac
until [ -s "$1" ]; do sleep 0.01; done
EOF
}

@test "background processes of tools live until the run ends, however they were started" {
	daemons
	for way in job group twice session deaf; do
		tool "$way" '{"type":"object"}' "[\"sh\",\"daemon.sh\",\"$way\"]"
	done
	tool probe '{"type":"object"}' '["sh","-c","kill -0 $(cat job group twice session deaf) && echo all"]'
	printf '%s\n' '{"tool_name":"'{job,group,twice,session,deaf}'","args":{}}' >calls
	cat >model.sh <<'EOF'
case $(cat) in
*'"all'*) echo '{"text":"done"}' ;;
*'"role":"tool"'*) echo '{"tool_name":"probe","args":{}}' ;;
*) cat calls ;;
esac
EOF
	run -0 agent-run -m 'exec:sh model.sh' -t tools hello
	for way in job group twice session deaf; do gone "$(cat $way)"; done
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.is_error' <<<"$output" | sort -u)" false
}

@test "a run of a batch stops its own background processes" {
	cat >tool.sh <<'EOF'
[ "$(jq -r .n)" = 1 ] || { until ! kill -0 $(cat pid); do sleep 0.02; done 2>/dev/null; echo gone; exit; }
sleep 300 >/dev/null 2>&1 & echo $! >pid
EOF
	tool start '{"type":"object"}' '["sh","tool.sh"]'
	cat >model.sh <<'EOF'
case $(cat) in
*'"role":"tool"'*) echo '{"text":"done"}' ;;
*first*) echo '{"tool_name":"start","args":{"n":1}}' ;;
*) until [ -s pid ]; do sleep 0.02; done; echo '{"tool_name":"start","args":{"n":2}}' ;;
esac
EOF
	printf 'first\nsecond\n' >lines
	run -0 agent-run -m 'exec:sh model.sh' -t tools --batch lines --tool-timeout 20
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' <<<"$output" | grep .)" gone
}

@test "a background process that holds the output is stopped, and the result says so" {
	tool serve '{"type":"object"}' '["sh","-c","setsid sleep 300 & echo $! >pid; sleep 300 >/dev/null 2>&1 & echo $! >other; echo started"]'
	tool probe '{"type":"object"}' '["sh","-c","kill -0 $(cat other) && ! kill -0 $(cat pid) 2>/dev/null && echo only it"]'
	cat >model.sh <<'EOF'
case $(cat) in
*'"role":"tool"'*only*) echo '{"text":"done"}' ;;
*'"role":"tool"'*) echo '{"tool_name":"probe","args":{}}' ;;
*) echo '{"tool_name":"serve","args":{}}' ;;
esac
EOF
	run -0 agent-run -m 'exec:sh model.sh' -t tools hello
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' <<<"$output")" \
		'[A background process that held the output open was stopped. To keep one running, redirect its output.]
started

only it'
	gone "$(cat other)"
}

@test "without free descriptors, calls wait for each other, and one that can never start says why" {
	tool nap '{"type":"object"}' '["sh","-c","sleep 0.05; jq -r .n"]'
	cat >model.sh <<'EOF'
case $(cat) in
*'"role":"tool"'*) echo '{"text":"done"}' ;;
*) for n in $(seq 40); do echo "{\"tool_name\":\"nap\",\"args\":{\"n\":$n}}"; done ;;
esac
EOF
	run -0 bash -c 'ulimit -n 24; exec agent-run -m "exec:sh model.sh" -t tools -P 40 hello 3>&-'
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' <<<"$output" | grep . | sort -n | paste -sd' ')" "$(seq -s' ' 40)"
	run -0 bash -c 'ulimit -n 9; exec agent-run -m test -t tools hello 3>&-'
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' <<<"$output")" 'sh cannot be started: too many open files (ulimit -n)'
}

@test "a tool's environment has no key, but the ids of the run and the call" {
	tool show '{"type":"object"}' '["env"]'
	OPENAI_API_KEY=sk-secret GROQ_API_KEY=gsk-secret run agent-run -m test -t tools hello
	assert_success
	refute_output --partial secret
	run jq -r 'select(.event_type=="tool_end") | .data.result' <<<"$output"
	assert_output --regexp 'AGENT_RUN_ID=[0-9a-f-]{36}'
	assert_output --partial 'AGENT_TOOL_NAME=show'
	assert_output --regexp 'AGENT_TOOL_CALL_ID=.+'
	assert_output --regexp 'TRACEPARENT=00-[0-9a-f]{32}-[0-9a-f]{16}-01'
}

@test "read_file and list_dir stay below the working directory, or below --root" {
	mkdir -p in/sub out
	echo secret >out/file
	echo text >in/sub/file
	ln -s ../../out in/sub/link
	reads() {
		(cd in && agent-run -m "exec:grep -q '\"role\":\"tool\"' && echo '{\"text\":\"done\"}' || echo '{\"tool_name\":\"read_file\",\"args\":{\"path\":\"$1\"}}'" \
			-t read_file "${@:2}" hello </dev/null) | jq -r 'select(.event_type == "tool_end").data.result'
	}
	assert_equal "$(reads sub/file)" text
	assert_equal "$(reads "$PWD/in/sub/file")" text
	for path in ../out/file sub/link/file "$PWD/out/file"; do
		assert_equal "$(reads "$path")" "read_file: $path: is outside of $PWD/in, below which files can be read
exit status 1"
		assert_equal "$(reads "$path" --root ..)" secret
	done
	assert_equal "$(reads file --root ../out)" secret
	assert_equal "$(AGENT_ROOT=.. reads ../out/file)" secret
	run -2 agent-run -m test -t list_dir --root nowhere hello
	assert_output 'agent-run: --root nowhere: No such file or directory'
	run -2 agent-run -m test -t list_dir --root in/sub/file hello
	assert_output 'agent-run: --root in/sub/file: not a directory'
	run -2 env AGENT_ROOT=nowhere agent-run -m test -t list_dir hello
	assert_output 'agent-run: AGENT_ROOT nowhere: No such file or directory'
	AGENT_ROOT=nowhere agent-run -m test --root in hello </dev/null >/dev/null
	AGENT_ROOT='' agent-run -m test hello </dev/null >/dev/null
	tool root '{"type":"object"}' '["sh","-c","echo $AGENT_ROOT"]'
	assert_equal "$(AGENT_ROOT=in/sub agent-run -m test -t tools hello </dev/null |
		jq -r 'select(.event_type == "tool_end").data.result')" "$PWD/in/sub"
}

@test "variables that look like secrets by name or value are kept from tools" {
	tool show '{"type":"object"}' '["sh","-c","env | cut -d= -f1"]'
	run -0 env A_KEY=1 B_TOKEN=1 C_SECRET=1 D_PASSWORD=1 E_PWD=1 F_PAT=1 G_AUTH=1 h_token=1 SECRETS_DIR=1 \
		TOKEN=1 PASSWORD=1 apikey=1 PASSWD=1 CREDENTIALS=1 PGPASSWORD=1 DB_PASS=1 SESSION_COOKIE=1 X_CREDENTIALS='{}' \
		DATABASE=postgres://bob:pw@host/db DSN=mysql://bob:p/w@host/db \
		OLDPWD=/ KEYMAP=us MAX_TOKENS=9 GOOGLE_APPLICATION_CREDENTIALS=/a.json SITE=http://host:80/a@b:c agent-run -m test -t tools hello
	names=$(jq -r 'select(.event_type == "tool_end").data.result' <<<"$output")
	for name in A_KEY B_TOKEN C_SECRET D_PASSWORD E_PWD F_PAT G_AUTH h_token SECRETS_DIR DATABASE \
		TOKEN PASSWORD apikey PASSWD CREDENTIALS PGPASSWORD DB_PASS SESSION_COOKIE X_CREDENTIALS DSN; do
		refute grep -qx "$name" <<<"$names"
	done
	for name in PATH PWD OLDPWD KEYMAP MAX_TOKENS GOOGLE_APPLICATION_CREDENTIALS SITE; do grep -qx "$name" <<<"$names"; done
}

@test "a manifest and --env name variables that a tool gets, and a failed tool is told which it does not" {
	jq -n '{name: "show", command: ["sh", "-c", "env | cut -d= -f1; exit 3"], env: ["ONE_TOKEN"]}' >tools/show.json
	run -0 env -i PATH="$PATH" AGENT_SHARE="$AGENT_SHARE" ONE_TOKEN=1 TWO_TOKEN=2 THREE_TOKEN=3 PLAIN=4 agent-run -m test -t tools --env TWO_TOKEN hello
	result=$(jq -r 'select(.event_type == "tool_end").data.result' <<<"$output")
	for name in ONE_TOKEN TWO_TOKEN PLAIN PATH; do grep -qx $name <<<"$result"; done
	refute grep -qx THREE_TOKEN <<<"$result"
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.reason' <<<"$output")" 'exit status 3'
	assert_equal "$(tail -n 2 <<<"$result")" 'exit status 3
The tool did not get these environment variables, which look like secrets: THREE_TOKEN (agent-run --env NAME passes one).'
	run -2 agent-run -m test --env A_TOKEN=1 hello
	assert_output 'agent-run: --env needs the name of a variable, such as A_TOKEN, without a value; to set it, write A_TOKEN=... before agent-run'
	run -0 --separate-stderr agent-run -m test --env NOT_SET_TOKEN hello
	assert_equal "$stderr" 'agent-run: --env NOT_SET_TOKEN: the variable is not set'
	jq '.env_only = true' tools/show.json >only.json
	PLAIN=4 run -0 agent-run -m test -t only.json hello
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' <<<"$output" | grep -c PLAIN)" 0
	for env in '"X"' '["A=B"]' '[1]' '[""]'; do
		jq --argjson env "$env" '.env = $env' tools/show.json >bad.json
		run -2 agent-run -m test -t bad.json hello
		assert_output --partial '"env" must be a list of names of environment variables'
	done
}

@test "--mask masks the value of a variable, and refuses one that is unset or short" {
	tool show '{"type":"object"}' '["printenv","PLAIN"]'
	PLAIN=plain-value run -0 agent-run -m test -t tools --mask PLAIN 'hello plain-value'
	refute_output --partial plain-value
	run -2 agent-run -m test --mask PLAIN hello
	assert_output 'agent-run: --mask PLAIN: the variable is not set'
	PLAIN=short run -2 agent-run -m test --mask PLAIN hello
	assert_output 'agent-run: --mask PLAIN: its value has fewer than 8 characters'
}

@test "secrets are masked in every event and message, in every spelling, also before the model gets them" {
	export MY_TOKEN='to"ken/with\x1' DATABASE='postgres://bob:s3cret%2Fpw@host/db'
	cat >model.sh <<'EOF'
cat >>requests
tail -n 1 requests | grep -q '"role":"tool"' || echo '{"tool_name":"leak","args":{"to":"s3cret/pw1"}}'
jq -nc '{text: "\(env.T) \(env.T | @uri) \(env.T | tojson) s3cret%2Fpw \("bob:s3cret/pw" | @base64) end"}'
EOF
	tool leak '{"type":"object"}' '["printenv","T"]'
	run -0 --separate-stderr env T="$MY_TOKEN" agent-run -m 'exec:sh model.sh' -t tools --tool-output "hello $MY_TOKEN"
	assert_equal "$(tail -n 1 <<<"$output" | jq -r .data.output)" '*** *** "***" *** *** end'
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' <<<"$output")" '***'
	assert_equal "$(jq -rc 'select(.event_type == "tool_start").data.args' <<<"$output")" '{"to":"***1"}'
	refute grep -qF -e 'ken/with' -e s3cret <<<"$output"
	assert_equal "$(jq -r '.messages[] | select(.role == "tool").content[0].result' requests)" '***'
}

@test "a secret that chunks divide is masked in them, and nothing else is held back" {
	cat >model.sh <<'EOF'
cat >/dev/null
for piece in s- se cr et -v al ue ' se' cre 't-vague' ' s-sec'; do jq -nc --arg text "$piece" '{text: $text}'; done
EOF
	for options in '' '--debounce 0.001'; do
		# shellcheck disable=SC2086 # words
		A_TOKEN=s-secret-value run -0 agent-run -m 'exec:sh model.sh' $options hi
		assert_equal "$(jq -rj 'select(.event_type == "llm_chunk").data.text' <<<"$output")" 's-*** secret-vague s-sec'
		assert_equal "$(tail -n 1 <<<"$output" | jq -r .data.output)" '*** secret-vague s-sec'
	done
	A_TOKEN=s-secret-value run -0 agent-run -m test -o text='some words of a sentence' hi
	assert_equal "$(jq -c 'select(.event_type == "llm_chunk").data.text' <<<"$output" | paste -sd' ')" '"some " "words " "of " "a " "sentence"'
}

@test "--deny refuses, --approve-with asks a program, and without a terminal the answer is no" {
	tool rm_all '{"type":"object"}' '["touch","ran"]'
	run agent-run -m test -t tools --deny 'rm_*' hello
	assert_success
	assert_equal "$(jq -c 'select(.event_type=="tool_approval") | .data | [.decision, .by]' <<<"$output")" '["denied","policy"]'
	run agent-run -m test -t tools --ask '*' --approve-with 'grep -q rm_all && echo fine' hello
	assert_equal "$(jq -c 'select(.event_type=="tool_approval") | .data | [.decision, .by]' <<<"$output")" '["approved","hook"]'
	assert [ -e ran ]
	rm ran
	run setsid agent-run -m test -t tools --ask '*' hello
	assert_equal "$(jq -c 'select(.event_type=="tool_approval") | .data.decision' <<<"$output")" '"denied"'
	assert [ ! -e ran ]
}

@test "--max-iterations, --max-tool-calls and --max-total-tokens end the run with status 3" {
	tool again '{"type":"object"}' '["true"]'
	cat >loop.sh <<'EOF'
cat >/dev/null
echo '{"event_type":"tool_call_start","data":{"tool_call_id":"c","tool_name":"again","index":0}}'
EOF
	run agent-run -m 'exec:sh loop.sh' -t tools --max-iterations 3 hello
	assert_failure 3
	assert_equal "$(tail -1 <<<"$output" | jq -c '.data | [.status, .exit_status, .total_iterations, .tool_calls]')" '["limit",3,3,3]'
	run agent-run -m 'exec:sh loop.sh' -t tools --max-tool-calls 2 hello
	assert_failure 3
	run agent-run -m test -t tools --max-total-tokens 1 hello
	assert_failure 3
	assert_equal "$(jq -r 'select(.event_type=="error") | .data.exception_type' <<<"$output")" limit
}

@test "calls that reuse an id get their own in the events" {
	tool again '{"type":"object"}' '["true"]'
	cat >loop.sh <<'EOF'
cat >/dev/null
echo '{"event_type":"tool_call_start","data":{"tool_call_id":"0","tool_name":"again","index":0}}'
EOF
	run agent-run -m 'exec:sh loop.sh' -t tools --max-iterations 3 hello
	assert_equal "$(jq -r 'select(.event_type=="tool_end") | .data.tool_call_id' <<<"$output" | paste -sd' ')" "0 0_2 0_3"
}

@test "--timeout ends the run with status 124" {
	run agent-run -m test -o delay=20 --timeout 0.2 hello
	assert_failure 124
	assert_equal "$(tail -1 <<<"$output" | jq -c '.data | [.status, .exit_status]')" '["timeout",124]'
}

@test "SIGTERM stops the tools, agent_end says cancelled, and the status is 143" {
	tool slow '{"type":"object"}' "[\"sh\",\"-c\",\"echo \$\$ >$PWD/pid; exec sleep 300\"]"
	agent-run -m test -t tools hello >out.jsonl 2>/dev/null </dev/null &
	while ! [ -s pid ]; do sleep 0.02; done
	kill -TERM $!
	wait $! || status=$?
	assert_equal "$status" 143
	assert_equal "$(tail -1 out.jsonl | jq -c '.data | [.status, .exit_status]')" '["cancelled",143]'
	assert_equal "$(jq -c 'select(.event_type=="tool_end") | .data | [.is_error, .result]' out.jsonl)" '[true,"The call was cancelled."]'
	gone "$(cat pid)"
}

# death COMMAND...: print the messages of the command and the number of the signal that ended it, or 0.
death() {
	perl -e 'print STDERR system(@ARGV) & 127' "$@" 2>&1 >events
}

@test "every signal that ends a program ends the run in order, and then agent-run" {
	for signal in INT TERM HUP QUIT USR1 USR2 ALRM VTALRM PROF XCPU; do
		number=$(kill -l $signal)
		tool slow '{"type":"object"}' "[\"sh\",\"-c\",\"echo \$\$ >$PWD/pid; kill -$signal \$PPID; exec sleep 300\"]"
		run -0 death env --default-signal agent-run -m test -t tools hello
		assert_equal "${lines[-1]}" "$number"
		assert_equal "$(tail -n 1 events | jq -c '.data | [.status, .exit_status]')" "[\"cancelled\",$((128 + number))]"
		gone "$(cat pid)"
	done
	assert [ ! -e core ]
}

@test "the runs of a batch end with the signal too" {
	printf 'a\nb\n' >lines
	tool slow '{"type":"object"}' '["sh","-c","kill -INT $PPID; exec sleep 300"]'
	run -0 death env --default-signal agent-run -m test -t tools --batch lines -l log
	assert_equal "${lines[-1]}" 2
	assert_equal "$(jq -r 'select(.event_type == "agent_end").data.status' log | sort -u)" cancelled
}

@test "^C ends a loop of the shell" {
	tool slow '{"type":"object"}' '["sh","-c","kill -INT -$AGENT_GROUP; exec sleep 300"]'
	cat >loop.sh <<'EOF'
export AGENT_GROUP=$$
for i in 1 2; do
	echo "begin $i"
	agent-run -m test -t tools hello </dev/null >events
done
echo after
EOF
	run setsid -w env --default-signal bash loop.sh
	assert_line --index 0 'begin 1'
	refute_output --partial 'begin 2'
	refute_output --partial after
}

@test "^C ends a pipeline, and the log says so although the reader ended first" {
	tool slow '{"type":"object"}' '["sh","-c","kill -INT -$AGENT_GROUP; exec sleep 300"]'
	cat >pipe.sh <<'EOF'
export AGENT_GROUP=$$
trap 'echo "${PIPESTATUS[@]}"' EXIT
trap : INT
agent-run -m test -t tools -l log hello </dev/null | agent-text
EOF
	for _ in 1 2 3 4 5; do
		rm -f log
		run setsid -w env --default-signal bash pipe.sh
		assert_line --index -1 '130 130'
		assert_equal "$(tail -n 1 log | jq -c '.data | [.status, .exit_status]')" '["cancelled",130]'
	done
}

@test "signals that are ignored at the start stay ignored" {
	for signal in INT HUP QUIT USR1; do
		tool slow '{"type":"object"}' "[\"sh\",\"-c\",\"kill -$signal \$PPID; echo done\"]"
		run -0 env --ignore-signal=$signal agent-run -m test -t tools hello
		assert_equal "$(tail -n 1 <<<"$output" | jq -r .data.status)" success
	done
}

@test "without memory, tools are stopped and agent_end is written" {
	! [[ $BUILD == *san* ]] || skip 'a sanitizer needs all addresses'
	tool slow '{"type":"object"}' "[\"sh\",\"-c\",\"echo \$\$ >pid; exec sleep 300\"]"
	printf 'go\nflood\n' >lines
	cat >model.sh <<'EOF'
case $(cat) in
*flood*)
	until [ -s pid ]; do sleep 0.02; done
	exec yes "{\"text\":\"$(head -c 8000 /dev/zero | tr '\0' a)\"}" ;;
*) echo '{"tool_name":"slow","args":{}}' ;;
esac
EOF
	run --separate-stderr bash -c 'ulimit -v 60000; agent-run -m "exec:sh model.sh" -t tools --batch lines -l log >/dev/null'
	assert_equal "$status $stderr" '1 agent-run: out of memory'
	run jq -c 'select(.event_type == "error" or .event_type == "agent_end").data | [.error, .status, .exit_status]' log
	assert_output '["out of memory",null,null]
[null,"error",1]
["out of memory",null,null]
[null,"error",1]'
	gone "$(cat pid)"
	assert_equal "$(jq -s 'group_by(.run_id) | map(map(.seq) == [range(length)])' -c log)" '[true,true]'
}

@test "a second signal ends a tool that ignores the first, too" {
	local status=0
	tool slow '{"type":"object"}' "[\"sh\",\"-c\",\"trap '' TERM; sleep 300 & echo \$! >$PWD/pid; wait; wait\"]"
	agent-run -m test -t tools hello >out.jsonl 2>/dev/null </dev/null &
	until [ -s pid ]; do sleep 0.02; done
	kill -TERM $!
	until grep -q agent_end out.jsonl; do sleep 0.02; done
	kill -TERM $! 2>/dev/null || true
	wait $! || status=$?
	assert_equal "$status" 143
	until gone "$(cat pid)"; do sleep 0.02; done
}

@test "SIGTERM during an approval stops the program that approves with what it has started" {
	local status=0
	tool any '{"type":"object"}' '["true"]'
	setsid -w agent-run -m test -t tools --ask '*' --approve-with "sleep 300 & echo \$! >pid; echo \$PPID >run; wait" hello >out.jsonl 2>/dev/null </dev/null &
	until [ -s pid ] && [ -s run ]; do sleep 0.02; done
	kill -TERM "$(cat run)"
	wait $! || status=$?
	assert_equal "$status" 143
	until gone "$(cat pid)"; do sleep 0.02; done
}

@test "standard output that cannot be written is named, with status 1" {
	run bash -c 'agent-run -m test hello </dev/null >/dev/full'
	assert_failure 1
	assert_output 'agent-run: standard output: No space left on device'
	run bash -c 'agent-run -m test hello </dev/null >&-'
	assert_failure 1
	assert_output 'agent-run: standard output: Bad file descriptor'
	run bash -c 'agent-run --help >/dev/full'
	assert_failure 1
	assert_output 'agent-run: standard output: No space left on device'
}

@test "a log that cannot be written fails the run, for its readers too" {
	for log in /dev/full log; do
		for reader in agent-text agent-tools agent-collect; do
			rm -f log
			run bash -c "(trap '' XFSZ; ulimit -f 1; agent-run -m test -o chunks=50 -l $log hello 2>message) | $reader >out 2>err; echo \"\${PIPESTATUS[*]}\""
			assert_output '1 1'
			grep -q "agent-run: $log: .*; the log is not complete" message
		done
	done
}

@test "a log that fails at its last line fails the run" {
	export text
	text=$(head -c 200 /dev/zero | tr '\0' x)
	agent-run -m test -o text="$text" -l whole hello >events
	# The log has room for all events but the last, whole 1 KiB blocks before it.
	size=$(($(wc -c <whole) - $(tail -n 1 whole | wc -c) + 100))
	head -c $(((4096 - size % 1024) % 1024 + 1023)) /dev/zero | tr '\0' ' ' >padding
	head -c $(((1024 - size % 1024) % 1024)) padding >log
	echo >>log
	blocks=$((($(wc -c <log) + size) / 1024))
	run bash -c "(ulimit -f $blocks; agent-run -m test -o text=\$text -l log hello 2>message) | cat >events; exit \${PIPESTATUS[0]}"
	assert_equal "$status" 1
	assert_equal "$(jq -c 'select(.event_type == "error" or .event_type == "agent_end").data | [.error, .exception_type, .fatal, .status, .exit_status]' events)" \
		'["log: File too large; the log is not complete","system",true,null,null]
[null,null,null,"error",1]'
	assert_equal "$(jq -s 'map(.seq) == [range(length)]' events)" true
	run ! bash -c 'tail -n 1 log | jq . 2>/dev/null'
}

@test "with the standard files closed, nothing is written to files opened in their place" {
	run bash -c 'agent-run -m test hello -l log.jsonl <&- >&- 2>&-'
	assert_failure 1
	assert_equal "$(jq -s 'map(.seq) == [range(length)]' log.jsonl)" true
	assert_equal "$(tail -n 1 log.jsonl | jq -r .event_type)" agent_end
}

@test "a log that standard output goes to, too, is refused" {
	run bash -c 'agent-run -m test hello -l same </dev/null >>same'
	assert_failure 2
	assert_output 'agent-run: same: standard output and --log are the same file; use only one of them'
	run bash -c 'agent-run -m test hello -l /dev/stdout </dev/null | cat; exit "${PIPESTATUS[0]}"'
	assert_failure 2
	run bash -c 'agent-run -m test hello -l - </dev/null'
	assert_failure 2
	assert_output 'agent-run: --log -: standard output has the events already; name a file'
	run bash -c 'agent-run -m test hello -c - </dev/null'
	assert_failure 2
	assert_output 'agent-run: --session -: standard output has the events already; name a file'
}

@test "a log or a session that is an input, too, is refused" {
	local input
	echo '{"prompt":"a"}' >lines
	echo '{"name":"a","instructions":"b"}' >agent.json
	echo '{"type":"object"}' >schema.json
	echo 'a text' >note.txt
	md5sum lines agent.json schema.json note.txt >before
	for input in "--batch lines" "-A agent.json" "--schema schema.json" "-a note.txt"; do
		ln -sf "${input#* }" log
		# shellcheck disable=SC2086 # an option and a file
		run -2 agent-run -m test $input -l log --no-stdin hello
		assert_output "agent-run: ${input#* }: the input and --log are the same file; write to another one"
	done
	run -2 agent-run -m test -l note.txt <note.txt
	assert_output "agent-run: standard input: the input and --log are the same file; write to another one"
	run -2 agent-run -m test -a - -l note.txt hello <note.txt
	run -2 agent-run -m test -c note.txt hello <note.txt
	assert_output "agent-run: standard input: the input and --session are the same file; write to another one"
	md5sum -c --quiet before
	agent-run -m test -l run.jsonl --no-stdin hello >/dev/null
	agent-run -m test -l run.jsonl --history - --no-stdin again <run.jsonl >/dev/null
	assert_equal "$(agent-collect run.jsonl | jq -r .status | uniq -c | tr -s ' ')" " 2 success"
}

@test "a number that is too large means no limit" {
	tool one '{"type":"object"}' '["true"]'
	local option
	for option in --timeout --tool-timeout --idle-timeout; do
		run agent-run -m test -t tools "$option" 1e300 hello
		assert_success
	done
	for option in -P --retries --output-retries; do
		run timeout 20 agent-run -m test -t tools "$option" 3000000000 hello
		assert_success
	done
}

@test "an option whose value is an unset variable is reported" {
	local option
	for option in --log --tool --history --base-url --tool-choice --deny --attach --schema --approve-with --root; do
		run agent-run -m test "$option" "" hello
		assert_failure 2
		assert_output "agent-run: $option needs a value that is not empty"
		run -2 agent-run -m test "$option" ' ' hello
	done
	run agent-run -m test -s @ hello
	assert_failure 2
	assert_output 'agent-run: --system @ names no file: write @FILE'
	run agent-run -m :x hello
	assert_failure 2
	assert_output 'agent-run: a model is named PROVIDER:MODEL (or test, replay:FILE, exec:COMMAND), not :x'
	run agent-run -m test --tool-choice required hello
	assert_failure 2
	assert_output 'agent-run: --tool-choice required needs a tool; add one with --tool'
	run agent-run -m test --max-cost 0 hello
	assert_failure 2
	assert_output "agent-run: --max-cost must be a number above 0, not '0'"
}

@test "instructions with a NUL are refused, not cut" {
	printf 'a\0b' >system
	run agent-run -m test -s @system hello
	assert_failure 2
	assert_output 'agent-run: system: contains a NUL byte; is it a binary file?'
}

@test "a byte order mark at the beginning of a file is skipped" {
	mark=$'\357\273\277'
	printf '%s{"name":"t","description":"d","parameters":{"type":"object"},"command":["echo","ran"]}\n' "$mark" >t.json
	printf '%s{"name":"a","instructions":"@i.txt"}\n' "$mark" >a.agent
	printf '%sBe brief.\n' "$mark" >i.txt
	printf '%s{"type":"object"}\n' "$mark" >s.json
	printf '%shello\n' "$mark" >prompt
	agent-run -m test --agent a.agent -t t.json --schema s.json <prompt >events
	assert_equal "$(jq -r 'select(.event_type == "agent_start").data | .prompt + " " + .system' events)" $'hello Be brief.'
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' events)" ran
	printf '%s' "$mark" | cat - events >log.jsonl
	agent-run -m test -c log.jsonl again </dev/null >again
	assert_equal "$(agent-collect log.jsonl | wc -l)" 2
	agent-run -m replay:log.jsonl hello </dev/null >replayed
	# A torn last line of a log with a mark is removed, and nothing else.
	{ head -n 3 log.jsonl; printf '{"torn'; } >torn
	run -0 --separate-stderr agent-run -m test -c torn hi
	assert_equal "$stderr" 'agent-run: torn: the last line is incomplete; its 6 bytes are removed'
	assert_equal "$(head -n 3 torn | cksum)" "$(head -n 3 log.jsonl | cksum)"
	assert_equal "$(sed -n 4p torn | jq -r .event_type)" agent_start
}

# no_long_line FILE: no line is longer than 16 MiB.
no_long_line() {
	assert [ "$(wc -L <"$1")" -le $((16 * 1024 * 1024)) ]
}

@test "an answer that is too long for an event: the readers show all of it" {
	cat >model <<-'EOF'
		#!/bin/sh
		cat >/dev/null
		printf '{"text":"a'
		head -c 17000000 /dev/zero | tr '\0' w
		printf 'z"}\n'
	EOF
	chmod +x model
	agent-run -m exec:./model -l log hi </dev/null >events
	no_long_line events
	run -0 agent-filter --validate -c events
	assert_equal "$(jq -c 'select(.event_type == "agent_end").data | [.success, (.output | length), .output_truncated, .output_in]' events)" \
		'[true,1048576,true,"llm_chunk"]'
	assert_equal "$(jq -c 'select(.event_type == "llm_end").data.truncated' events)" true
	for reader in agent-text "agent-text -F" "agent-collect -o text"; do
		assert_equal "$reader $($reader events | wc -c)" "$reader 17000003"
	done
	assert_equal "$(agent-text -D events | jq -sj add | wc -c)" 17000002
	assert_equal "$(agent-run -m replay:log hi </dev/null | agent-text | cksum)" "$(agent-text log | cksum)"
	run -0 bash -c 'agent-run -m test --history log next </dev/null | agent-text'
}

@test "a prompt that is too long for an event is refused, also in a batch" {
	head -c 17000000 /dev/zero | tr '\0' a >prompt
	run -2 --separate-stderr agent-run -m test -l log <prompt
	assert_output ''
	said='the prompt is too long: with its instructions and attachments it must fit an event of 16 MiB'
	assert_equal "$stderr" "agent-run: $said"
	assert_not_exist log
	run -2 agent-run -m test -s @prompt hi
	assert_output "agent-run: $said"
	{ echo one; cat prompt; } >lines
	run -2 agent-run -m test --batch lines
	assert_output "agent-run: lines:2: $said"
}

@test "arguments and results that are too long for an event are cut there, not for the tool" {
	cat >model <<-'EOF'
		#!/bin/sh
		if grep -q tool_result; then
			echo '{"text":"done"}'
		else
			printf '{"tool_call_id":"c","tool_name":"t","args":{"s":"'
			head -c 17000000 /dev/zero | tr '\0' w
			printf '"}}\n'
		fi
	EOF
	chmod +x model
	printf '{"name":"t","description":"d","parameters":{"type":"object"},"command":["wc","-c"]}\n' >t.json
	agent-run -m exec:./model -t t.json -l log hi </dev/null >events
	no_long_line events
	assert_equal "$(jq -rc 'select(.data.truncated).event_type' events | xargs)" 'tool_call_end llm_end tool_start'
	assert_equal "$(jq -r 'select(.event_type == "tool_end").data.result' events)" 17000008
	assert_equal "$(agent-text events)" done
	run -0 agent-filter --validate -c events
	# A run that was cut off before the call does not run it with other arguments.
	sed '/"tool_start"/,$d' log >cut
	run -0 --separate-stderr agent-run -m exec:./model -t t.json --resume cut
	assert_equal "$(jq -r 'select(.event_type == "tool_start").data' <<<"$output")" ''
}

@test "a closed pipe ends the run at once and quietly, and no child is left" {
	tool slow '{"type":"object"}' "[\"sh\",\"-c\",\"echo \$\$ >$PWD/pid; exec sleep 300\"]"
	run bash -c 'timeout 20 agent-run -m test -t tools hello 2>err | head -1; echo "${PIPESTATUS[0]}"'
	assert_line --index 0 --partial agent_start
	assert_line --index 1 141
	assert_equal "$(cat err)" ""
	if [ -s pid ]; then
		gone "$(cat pid)"
	fi
}

@test "the log is appended to, and a torn last line is closed first" {
	agent-run -m test hello -l log.jsonl >/dev/null
	printf '{"event_type":"llm_ch' >>log.jsonl
	agent-run -m test hello -l log.jsonl >/dev/null
	assert_equal "$(grep -c '"event_type":"agent_end"' log.jsonl)" 2
	assert_equal "$(grep -cv '}$' log.jsonl)" 1
}

@test "--debounce merges chunks, and the text stays the same" {
	run agent-run -m test -o chunks=200 hello
	whole=$(jq -j 'select(.event_type=="llm_chunk") | .data.text' <<<"$output")
	assert_equal "$(grep -c '"llm_chunk"' <<<"$output")" 200
	run agent-run -m test -o chunks=200 --debounce 5 hello
	assert_equal "$(grep -c '"llm_chunk"' <<<"$output")" 1
	assert_equal "$(jq -j 'select(.event_type=="llm_chunk") | .data.text' <<<"$output")" "$whole"
}

@test "--tool-output streams what tools print" {
	tool chatty '{"type":"object"}' '["printf","one\ntwo\n"]'
	run agent-run -m test -t tools --tool-output hello
	assert_equal "$(jq -j 'select(.event_type=="tool_chunk") | .data.text' <<<"$output")" $'one\ntwo'
}

@test "--tool-output streams while the tool runs, whole code points, stderr apart" {
	tool slow '{"type":"object"}' "[\"sh\",\"-c\",\"printf 'one \\\\303'; until [ -e $PWD/go ]; do sleep 0.01; done; printf '\\\\251\\\\377\\\\342\\\\202'; echo two >&2\"]"
	agent-run -m test -t tools --tool-output hello </dev/null >out.jsonl &
	until grep -q tool_chunk out.jsonl; do sleep 0.01; done
	assert_equal "$(jq -r 'select(.event_type=="tool_chunk") | .data.text' out.jsonl)" 'one '
	touch go
	wait $!
	assert_equal "$(jq -j 'select(.event_type=="tool_chunk" and .data.stream == null) | .data.text' out.jsonl)" $'one \u00e9\ufffd\ufffd'
	assert_equal "$(jq -c 'select(.event_type=="tool_chunk" and .data.stream != null) | .data | [.stream, .text]' out.jsonl)" '["stderr","two\n"]'
	assert_equal "$(jq -r 'select(.event_type=="tool_end") | .data.result' out.jsonl)" $'one \u00e9\ufffd\ufffd'
}

@test "--tool-output stops after 16 MiB of a call" {
	tool endless '{"type":"object"}' '["sh","-c","yes | head -c 17000000"]'
	agent-run -m test -t tools --tool-output hello </dev/null >out.jsonl
	jq -j 'select(.event_type=="tool_chunk") | .data.text' out.jsonl >shown
	assert_equal "$(head -c 16777216 shown | sort -u | tr '\n' ' ')" 'y '
	assert_equal "$(tail -c +16777217 shown)" $'\n[... the rest is not shown ...]'
	assert_equal "$(jq -r 'select(.event_type=="tool_end") | .data.truncated' out.jsonl)" true
}

@test "a result that is JSON is carried as JSON too" {
	tool data '{"type":"object"}' '["printf","{{\"big\":12345678901234567890}}"]'
	run agent-run -m test -t tools hello
	assert_output --partial '"result_json":{"big":12345678901234567890}'
}

@test "replay answers as the log did" {
	tool data '{"type":"object"}' '["printf","42"]'
	agent-run -m test -t tools hello >first.jsonl
	agent-run -m replay:first.jsonl -t tools hello >second.jsonl
	strip='del(.timestamp, .run_id) | .data |= del(.duration_seconds, .time_to_first_chunk_seconds, .elapsed_seconds, .model, .provider, .message.model, .message.provider, .usage, .total_tokens, .input_tokens, .output_tokens)'
	assert_equal "$(jq -c "$strip" second.jsonl)" "$(jq -c "$strip" first.jsonl)"
}

@test "a run goes on from the history of another, from a log or a pipe" {
	tool data '{"type":"object"}' '["printf","42"]'
	agent-run -m test -t tools first >first.jsonl
	echo '{"text":"ok"}' >answer.1
	model=$(scripted)
	agent-run -m "$model" --history first.jsonl second >/dev/null
	assert_equal "$(jq -c '.messages | map(.role)' request.0)" '["user","assistant","tool","assistant","user"]'
	rm request.0
	agent-run -m test first | agent-run -m "$model" --history - second >/dev/null
	assert_equal "$(jq -c '.messages | map(.content[0].text)' request.0)" "$(jq -cn '["first", $x, "second"]' --arg x "$(agent-run -m test first | jq -j 'select(.event_type=="llm_chunk").data.text')")"
	rm request.0
	echo '[{"role":"system","content":"be kind"},{"role":"user","content":"a"},{"role":"assistant","content":"b"}]' >history.json
	agent-run -m "$model" --history history.json c >/dev/null
	assert_equal "$(jq -c '[.system, (.messages | map(.content[0].text))]' request.0)" '["be kind",["a","b","c"]]'
	run agent-run -m test --history missing.jsonl hello
	assert_failure 2
	assert_output "agent-run: missing.jsonl: No such file or directory"
}

@test "a model that fails is replaced by the next one" {
	run agent-run -m 'exec:false' hello
	assert_failure 1
	AGENT_MODEL='' run agent-run -m 'nosuch:x,test' hello
	assert_failure 2
	printf 'exit 1\n' >fail.sh
	run agent-run --retries 0 -m test hello
	assert_success
}

@test "--list-tools shows name, file and description; --help and --version go to stdout" {
	tool one '{"type":"object"}' '["true"]'
	run agent-run -t tools --list-tools
	assert_success
	assert_output $'one\ttools/one.json\ta tool'
	run --separate-stderr agent-run --help
	assert_success
	assert_line --index 0 "usage: agent-run [options] [PROMPT ...]"
	run agent-run --version
	assert_output --regexp '^agent-run [0-9]+\.[0-9]+\.[0-9]+$'
}

# ---- calls that the provider runs itself ----

@test "a hosted call is reported as it happens, and nothing runs locally" {
	printf '%s\n' >answer.1 \
		'{"event_type":"tool_call_start","data":{"tool_call_id":"s","tool_name":"web_search","executed_by":"provider"}}' \
		'{"event_type":"tool_call_chunk","data":{"tool_call_id":"s","args_delta":"{\"q\": 1.10}"}}' \
		'{"event_type":"tool_start","data":{"tool_call_id":"s","executed_by":"provider"}}' \
		'{"event_type":"tool_end","data":{"tool_call_id":"s","executed_by":"provider","result":"[1]","is_error":false}}' \
		'{"text":"Found."}'
	agent-run -m "$(scripted)" hi </dev/null >events
	assert_equal "$(types events | paste -sd' ')" \
		'agent_start llm_start tool_call_start tool_call_chunk tool_call_end tool_start tool_end llm_chunk llm_end progress agent_end'
	assert_equal "$(jq -c 'select(.event_type == "tool_start" or .event_type == "tool_end").data | del(.duration_seconds) | (.. | numbers) |= . + 0' events)" \
		"$(printf '%s\n' '{"tool_call_id":"s","tool_name":"web_search","args":{"q":1.1},"iteration":1,"executed_by":"provider"}' \
			'{"tool_call_id":"s","tool_name":"web_search","result":"[1]","is_error":false,"executed_by":"provider","result_json":[1]}')"
	assert_equal "$(grep -o '"content":.*"text":"Found."' events)" \
		'"content":[{"type":"tool_call","tool_call_id":"s","tool_name":"web_search","args":{"q": 1.10},"executed_by":"provider","result":"[1]","is_error":false},{"type":"text","text":"Found."'
	assert_equal "$(agent-text events)" Found.
	agent-run -m replay:events hi </dev/null >again
	assert_equal "$(types again)" "$(types events)"
}

@test "a hosted call without a result ends with the response" {
	printf '%s\n' '{"tool_call_id":"s","tool_name":"web_search","args":{},"executed_by":"provider"}' '{"text":"x"}' >answer.1
	agent-run -m "$(scripted)" hi </dev/null >events
	assert_equal "$(jq -c 'select(.event_type == "tool_end").data | [.result, .is_error, .executed_by]' events)" '["",false,"provider"]'
}

@test "a paused response is continued, with its text so far" {
	printf '%s\n' '{"text":"One. "}' '{"event_type":"llm_end","data":{"finish_reason":"stop","is_final":false}}' >answer.1
	printf '%s\n' '{"text":"Two."}' >answer.2
	agent-run -m "$(scripted)" hi </dev/null >events
	assert_equal "$(jq -c 'select(.event_type == "llm_end").data.is_final' events | paste -sd' ')" 'false true'
	assert_equal "$(jq -c '.messages[-1] | [.role, .content[0].text]' request.1)" '["assistant","One. "]'
	assert_equal "$(jq -r 'select(.event_type == "agent_end").data | "\(.status) \(.total_iterations)"' events)" 'success 2'
}

@test "a tool whose program cannot be started is refused before anything is sent" {
	printf '{"name":"a",\n"command":["./gone"]}\n' >a.json
	run -2 agent-run -m test -t a.json x </dev/null
	assert_output 'agent-run: a.json:2: ./gone cannot be started: No such file or directory'
	echo '#! /no/such/python -u' >gone
	run -2 agent-run -m test -t a.json x </dev/null
	assert_output 'agent-run: a.json:2: ./gone cannot be started: Permission denied'
	chmod +x gone
	run -2 agent-run -m test -t a.json x </dev/null
	assert_output 'agent-run: a.json:2: ./gone cannot be started: its first line names the interpreter /no/such/python: No such file or directory'
	echo '#!/bin/sh' >gone
	agent-run -m test -t a.json x </dev/null >/dev/null
	mkdir folder gone-from-path
	printf '{"name":"a",\n"command":["./folder"]}\n' >a.json
	run -2 agent-run -m test -t a.json x </dev/null
	assert_output 'agent-run: a.json:2: ./folder cannot be started: Is a directory'
	printf '{"name":"a",\n"command":["gone-from-path"]}\n' >a.json
	PATH=$PWD:$PATH run -2 agent-run -m test -t a.json x </dev/null
	assert_output 'agent-run: a.json:2: there is no program gone-from-path in PATH'
}

@test "a manifest with two schemas, or a timeout that no number can hold, is refused" {
	printf '{"name":"a","parameters":{},\n"inputSchema":{},"command":["cat"]}\n' >a.json
	run -2 agent-run -m test -t a.json x </dev/null
	assert_output 'agent-run: a.json:2: "inputSchema" is another name of "parameters": leave one out'
	for time in 1e-999 '"0.'"$(printf '0%.0s' {1..400})"'1s"'; do
		printf '{"name":"a",\n"timeout":%s,"command":["cat"]}\n' "$time" >a.json
		run -2 agent-run -m test -t a.json x </dev/null
		assert_output 'agent-run: a.json:2: "timeout" must be a duration, such as 90, 90s, 5m, 1h, 100ms or 1m30s'
	done
}

@test "options that exclude each other are refused: --dry-run, --batch, --list-tools" {
	echo x >lines
	run -2 agent-run -m test -n --batch lines </dev/null
	assert_output 'agent-run: --dry-run shows one request; give one line of the batch as PROMPT, and leave --batch out'
	run -2 agent-run -m test -n --list-tools x </dev/null
	assert_output 'agent-run: --dry-run and --list-tools exclude each other; give one'
}

@test "on a terminal events are coloured and safe, and a last line says what reads them" {
	printf '{"text":"a \302\2332J \342\200\256b"}\n{"error":"bad \302\233 answer"}\n' >response
	run env NO_COLOR=1 script -qec "agent-run -m 'exec:cat response' --retries 0 --no-stdin -l log hi" /dev/null </dev/null
	printf '%s\n' "${lines[@]}" | tr -d '\r' >screen
	assert_equal "$(grep '^{' screen | jq -c .)" "$(jq -c . log)"
	assert_equal "$(grep -c $'\302\233' log)" 3
	run ! grep -q $'\302\233\|\342\200\256\|\e' screen
	assert_equal "$(sed -n '/agent_end/,$p' screen | tail -n +2)" 'agent-run: bad \u{9b} answer
agent-run: these are events; pipe them into agent-text or agent-tools'
	run env TERM=xterm script -qec 'agent-run -m test --no-stdin hi' /dev/null </dev/null
	assert_line --index 0 --partial $'\e[2m{"event_type":"\e[0m\e[1magent_start\e[0m\e[2m","timestamp"'
	assert_line --index -1 $'\e[2magent-run: these are events; pipe them into agent-text or agent-tools\e[0m\r'
	run env TERM=xterm script -qec 'agent-run -m test --no-stdin hi 2>messages' /dev/null </dev/null
	assert_equal "$(cat messages)" ''
}
