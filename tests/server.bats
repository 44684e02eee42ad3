# The test server: it sends exactly the specified bytes, and logs the requests.
# shellcheck shell=bash disable=SC2059,SC2119,SC2120 # requests are printf formats; get has a default
load helper

# say_to_server REQUEST: send REQUEST (printf escapes) and print all that comes, up to the close.
say_to_server() {
	local socket
	exec {socket}<>"/dev/tcp/127.0.0.1/$PORT"
	printf "$1" >&"$socket"
	timeout 20 cat <&"$socket"
	exec {socket}>&-
}

# The answer to a GET, CR made visible as $ and the Date left out.
get() {
	say_to_server "GET ${1-/} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" |
		sed -e '/^Date: /d' -e 's/\r/$/g'
}

# Only the body of the answer to a GET.
body_of_get() {
	say_to_server "GET ${1-/} HTTP/1.0\r\nHost: x\r\n\r\n" | sed '1,/^\r$/d'
}

@test "answers come in the order of the script, and the last one again" {
	start_server "text=one" "text=two"
	assert_equal "$(body_of_get) $(body_of_get) $(body_of_get)" "one two two"
}

@test "--strict says that the script is exhausted" {
	start_server --strict "text=one"
	assert_equal "$(body_of_get)" "one"
	run get
	assert_line --index 0 'HTTP/1.1 500 Internal Server Error$'
	assert_line '{"error":{"message":"script exhausted"}}'
}

@test "--loop starts again with the first answer" {
	start_server --loop "text=one" "text=two" "if-path=/x text=x"
	assert_equal "$(body_of_get) $(body_of_get) $(body_of_get) $(body_of_get /x) $(body_of_get)" \
		"one two one two one"
}

@test "an answer has a status, a type, headers and a length" {
	start_server "status=429 type=application/json header='Retry-After: 1' text='{}'"
	run get
	assert_output 'HTTP/1.1 429 Too Many Requests$
Server: provider$
Content-Type: application/json$
Retry-After: 1$
Content-Length: 2$
Connection: close$
$
{}'
}

@test "the Date header is the time" {
	local before after date
	start_server "text=x"
	before=$(date +%s)
	date=$(say_to_server 'GET / HTTP/1.0\r\n\r\n' | sed -n 's/^Date: \(.*\)\r$/\1/p')
	after=$(date +%s)
	date=$(date -d "$date" +%s)
	[ "$date" -ge "$before" ]
	[ "$date" -le "$after" ]
}

@test "a request is logged: names in lower case, a JSON body byte for byte" {
	start_server "text=x"
	body_of_get "/v1/models?key=a&b" >/dev/null
	say_to_server 'POST /v1/x HTTP/1.0\r\nX-Two: a\r\nx-two:  b \r\nContent-Length: 30\r\n\r\n{"n":1.10,"s":"\\u00e9",\n"t":1}' >/dev/null
	say_to_server 'POST /v1/y HTTP/1.0\r\nContent-Length: 8\r\n\r\nsay "hi"' >/dev/null
	run cat "$SERVER_LOG"
	assert_output '{"request":1,"connection":1,"method":"GET","path":"/v1/models?key=a&b","headers":{"host":"x"},"body":null}
{"request":2,"connection":2,"method":"POST","path":"/v1/x","headers":{"x-two":"a, b","content-length":"30"},"body":{"n":1.10,"s":"\u00e9","t":1}}
{"request":3,"connection":3,"method":"POST","path":"/v1/y","headers":{"content-length":"8"},"body":"say \"hi\""}'
}

@test "a chunked request with an Expect header gets 100 Continue" {
	local socket line
	start_server "text=done close=yes"
	exec {socket}<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n' >&"$socket"
	read -r line <&"$socket"
	assert_equal "$line" $'HTTP/1.1 100 Continue\r'
	printf '3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\nX-Trailer: 1\r\n\r\n' >&"$socket"
	run timeout 20 cat <&"$socket"
	exec {socket}>&-
	assert_line 'done'
	assert_equal "$(request 1 .body)" '{"a":1}'
}

@test "a connection is kept for the next request, also one that is already there" {
	start_server "text=one" "text=two"
	run say_to_server 'GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nconnection: CLOSE\r\n\r\n'
	assert_output --partial $'Connection: keep-alive\r\n\r\noneHTTP/1.1 200 OK\r\n'
	assert_output --partial $'Connection: close\r\n\r\ntwo'
	assert_equal "$(request 2 '"\(.connection) \(.path)"')" "1 /b"
}

@test "HEAD gets the head only, HTTP/1.0 an answer without chunks" {
	start_server "data=1"
	run say_to_server 'HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n'
	assert_line $'Transfer-Encoding: chunked\r'
	refute_output --partial data
	run body_of_get
	assert_output 'data: 1'
}

@test "an invalid request gets a 400" {
	start_server "text=x"
	run say_to_server 'hello\r\n\r\n'
	assert_line --index 0 $'HTTP/1.1 400 Bad Request\r'
	assert_equal "$(request_count)" 0
}

@test "a stream is chunked by event" {
	start_server "data=1 event=done data='[2]'"
	run get
	assert_output 'HTTP/1.1 200 OK$
Server: provider$
Content-Type: text/event-stream$
Transfer-Encoding: chunked$
Connection: close$
$
9$
data: 1

$
17$
event: done
data: [2]

$
0$
$'
}

@test "chunks have the size, the offsets or the random sizes that were asked for" {
	local first
	start_server "text=abcde framing=chunked chunk=2" "text=abcde framing=chunked at=1,4" \
		"text=abcdefghijklmnop framing=chunked chunk=3 random=7" \
		"text=abcdefghijklmnop framing=chunked random=7 chunk=3" \
		"type=application/x-ndjson text='{}\\n[]\\n'"
	run get
	assert_output --partial $'$\n$\n2$\nab$\n2$\ncd$\n1$\ne$\n0$\n$'
	run get
	assert_output --partial $'$\n$\n1$\na$\n3$\nbcd$\n1$\ne$\n0$\n$'
	first=$(get)
	assert_equal "$(get)" "$first"
	assert_equal "$(sed '1,/^\$$/d; s/\$//' <<<"$first" | grep -v '^[0-9]*$' | tr -d '\n')" abcdefghijklmnop
	run get
	assert_output --partial $'$\n$\n3$\n{}\n$\n3$\n[]\n$\n0$\n$'
}

@test "a body that ends with the connection has no length" {
	start_server "say=hi framing=close"
	run get
	refute_line --regexp 'Content-Length|Transfer-Encoding'
	assert_line 'Connection: close$'
	assert_line 'data: [DONE]'
}

@test "a cut leaves a chunk, a chunk header or a length unfinished" {
	start_server "data=12345 cut=8" "data=12345 cut=9 end=chunk-header" "text=abc length=9" \
		"text=abc cut=2" "text=abc framing=chunked cut=3" "text=abc cut=0"
	run get
	assert_output --partial $'\n$\nd$\ndata: 12'
	refute_output --partial 123
	run get
	assert_output --partial $'\n$\n9$\ndata: 123$\n1f'
	run get
	assert_output --partial $'Content-Length: 9$\nConnection: close$\n$\nabc'
	run get
	assert_output --partial $'Content-Length: 3$\nConnection: close$\n$\nab'
	refute_output --partial abc
	run get
	assert_output --partial $'\n$\n3$\nabc'
	refute_line '0$'
	run get
	assert_output --partial $'Content-Length: 3$\nConnection: close$\n$'
}

@test "end=rst resets the connection" {
	start_server "text=abc cut=2 end=rst"
	run say_to_server 'GET / HTTP/1.1\r\n\r\n'
	assert_output --partial 'Connection reset by peer'
}

@test "a hanging answer stops, and the server goes on with others" {
	local socket line
	start_server "text=abc hang=2" "hang=head" "text=ok"
	exec {socket}<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET / HTTP/1.1\r\n\r\n' >&"$socket"
	while read -r line <&"$socket" && [ "$line" != $'\r' ]; do :; done
	read -r -N 2 line <&"$socket"
	assert_equal "$line" ab
	exec {silent}<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET / HTTP/1.1\r\n\r\n' >&"$silent"
	until [ "$(request_count)" -eq 2 ]; do sleep 0.01; done
	assert_equal "$(body_of_get)" ok
	run ! read -r -t 0.1 -N 1 line <&"$socket"
	run ! read -r -t 0.1 -N 1 line <&"$silent"
	exec {socket}>&- {silent}>&-
}

@test "an informational answer comes before the real one" {
	start_server "early='103 Early Hints' text=x"
	run get
	assert_output --partial $'HTTP/1.1 103 Early Hints$\nLink: </>; rel=preload$\n$\nHTTP/1.1 200 OK$'
}

@test "events get other line ends" {
	start_server "data=1 eol=crlf" "data=1 eol=cr" "data=1 eol=lf"
	assert_equal "$(body_of_get | od -An -c | tr -d ' \n')" 'data:1\r\n\r\n'
	assert_equal "$(body_of_get | od -An -c | tr -d ' \n')" 'data:1\r\r'
	assert_equal "$(body_of_get | od -An -c | tr -d ' \n')" 'data:1\n\n'
}

@test "events get comments, fields, two data lines, no space" {
	start_server "data='{\"a\":[1,2],\"b\":\":,\"}' data='[1]' comments=yes split=yes ids=yes space=no"
	run body_of_get
	assert_output ': PROCESSING

:
id:1
retry: 3000
data:{"a":[1,2],
data:"b":":,"}

: 
id:2
retry: 3000
data:[1]'
}

@test "the last event is left open, the first begins with a byte order mark" {
	start_server "data=1 data=2 last=open" "data=1 eol=crlf last=open" "data=1 last=bare" "data=1 bom=yes"
	assert_equal "$(body_of_get | od -An -c | tr -d ' \n')" 'data:1\n\ndata:2\n'
	assert_equal "$(body_of_get | od -An -c | tr -d ' \n')" 'data:1\r\n'
	assert_equal "$(body_of_get | od -An -c | tr -d ' \n')" 'data:1'
	assert_equal "$(body_of_get | od -An -tx1 | tr -d ' \n')" efbbbf646174613a20310a0a
}

@test "a recording is sent as it was recorded" {
	local recording=$BATS_TEST_TMPDIR/recording
	mkdir "$recording"
	printf 'status: 401\nbody: response.bin\ncontent-type: application/json; charset=utf-8\ncontent-length: 3\nretry-after: 2\ndate: now\n' >"$recording/response.meta"
	head -c 3000 /dev/urandom >"$recording/response.bin"
	start_server "recording=$recording"
	run get
	assert_output --partial 'HTTP/1.1 401 Unauthorized$
Server: provider$
Content-Type: application/json; charset=utf-8$
retry-after: 2$
Content-Length: 3000$
Connection: close$'
	say_to_server 'GET / HTTP/1.0\r\n\r\n' | tail -c 3000 | cmp - "$recording/response.bin"
}

@test "say streams words, tool streams a call" {
	start_server "say='one two\\n'" "tool='look {\"path\":\"ä.txt\"}' tool=stop" "say=x finish=length"
	run body_of_get
	assert_output 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"test-model","choices":[{"index":0,"delta":{"content":"one "},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"test-model","choices":[{"index":0,"delta":{"content":"two\n"},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"test-model","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"test-model","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}

data: [DONE]'
	body_of_get >"$BATS_TEST_TMPDIR/calls"
	run jq -Rcr 'select(startswith("data: {")) | .[6:] | fromjson | .choices[0] | .delta.tool_calls[0] // .finish_reason // empty' "$BATS_TEST_TMPDIR/calls"
	assert_output '{"index":0,"id":"call_2_1","type":"function","function":{"name":"look","arguments":""}}
{"index":0,"function":{"arguments":"{\"path\":\"ä"}}
{"index":0,"function":{"arguments":".txt\"}"}}
{"index":1,"id":"call_2_2","type":"function","function":{"name":"stop","arguments":""}}
{"index":1,"function":{"arguments":"{}"}}
tool_calls'
	run body_of_get
	assert_line --partial '"finish_reason":"length"'
}

@test "generated chunks carry the time they were written" {
	local stamps
	start_server "generate=3" "stamp=yes generate=3 delay=0.001"
	assert_equal "$(body_of_get | grep -c '"content":"word "')" 3
	mapfile -t stamps < <(body_of_get | sed -n 's/.*"content":"\([0-9]*\) ".*/\1/p')
	assert_equal "${#stamps[@]} ${#stamps[0]}" "3 20"
	[ "$((10#${stamps[0]}))" -gt 0 ]
	[ "$((10#${stamps[1]} - 10#${stamps[0]}))" -ge 500000 ]
}

@test "a gzip body is what gunzip takes" {
	start_server "data=1 gzip=yes" "data=1 data=22 gzip=yes" "gzip=yes chunk=70000 generate=1000"
	run get
	assert_line 'Content-Encoding: gzip$'
	assert_equal "$(body_of_get | gunzip)" $'data: 1\n\ndata: 22'
	assert_equal "$(body_of_get | gunzip | grep -c word)" 1000
}

@test "an answer can be for one path or one body only" {
	start_server "if-path=/a* text=a" "if-body=needle text=n" "if-path=/never text=x"
	assert_equal "$(body_of_get /ab)$(body_of_get /abc)" aa
	run say_to_server 'POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\n a needle'
	assert_line n
	run get /b
	assert_line '{"error":{"message":"no answer for this request"}}'
}

@test "many connections are served at once" {
	local socket sockets=()
	start_server "say=hello delay=0.01 close=yes"
	for _ in {1..100}; do
		exec {socket}<>"/dev/tcp/127.0.0.1/$PORT"
		sockets+=("$socket")
	done
	for socket in "${sockets[@]}"; do printf 'GET / HTTP/1.0\r\n\r\n' >&"$socket"; done
	for socket in "${sockets[@]}"; do
		timeout 20 grep -c hello <&"$socket"
		exec {socket}>&-
	done >"$BATS_TEST_TMPDIR/counts"
	assert_equal "$(sort "$BATS_TEST_TMPDIR/counts" | uniq -c | tr -s ' ')" " 100 1"
}

@test "the server ends when its standard input does" {
	sleep 0.2 | "$BUILD/server/provider" --until-eof say=x >"$BATS_TEST_TMPDIR/port"
	run cat "$BATS_TEST_TMPDIR/port"
	assert_output --regexp '^[0-9]+$'
}

@test "a script can be a file" {
	printf '# two answers\n\ntext=one\nstatus=404 text="two words"\n' >"$BATS_TEST_TMPDIR/script"
	start_server "@$BATS_TEST_TMPDIR/script"
	assert_equal "$(body_of_get) $(body_of_get)" "one two words"
}

@test "an invalid description is refused with a message" {
	run -2 "$BUILD/server/provider" text=x colour=red
	assert_output 'provider: answer 2: colour=red: no such key; see --help'
	run -2 "$BUILD/server/provider" delay=soon
	assert_output 'provider: answer 1: delay=soon: is not a number of seconds'
	run -2 "$BUILD/server/provider" eol=no
	assert_output 'provider: answer 1: eol=no: is none of lf, crlf, cr'
	run -2 "$BUILD/server/provider" recording=/nonexistent
	assert_output --partial '/nonexistent/response.meta'
	run -2 "$BUILD/server/provider"
	assert_output 'provider: no answer is given; see provider --help'
}
