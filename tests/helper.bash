# Functions for the bats files: `load helper`.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for the tests
export BATS_LIB_PATH="${BATS_LIB_PATH:+$BATS_LIB_PATH:}/usr/lib/bats"
bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac

# start_server [--strict] ANSWER...: a model provider on a free port (see build/server/provider
# --help). Sets PORT, SERVER_URL (http://127.0.0.1:PORT), SERVER_LOG (a line of JSON a request),
# SERVER_PID. Call it again for a second server. stop_server, which teardown calls, ends the server, as
# does the end of the test, because the server exits when its standard input is closed.
SERVER_PIDS=()
start_server() {
	local folder hold
	folder=$(mktemp -d "$BATS_TEST_TMPDIR/server.XXXXXX")
	SERVER_LOG=$folder/requests.jsonl
	: >"$SERVER_LOG"
	exec {hold}> >(exec "$BUILD/server/provider" --until-eof --port-file "$folder/port" \
		--log "$SERVER_LOG" "$@" >/dev/null 2>"$folder/stderr" 3>&-)
	SERVER_PID=$!
	SERVER_PIDS+=("$SERVER_PID")
	until [ -s "$folder/port" ]; do
		if ! kill -0 "$SERVER_PID" 2>/dev/null; then
			echo "the server did not start: $(cat "$folder/stderr")" >&2
			return 1
		fi
		sleep 0.01
	done
	PORT=$(cat "$folder/port")
	SERVER_URL=http://127.0.0.1:$PORT
}

# Stop every server of this test.
stop_server() {
	local pid
	for pid in "${SERVER_PIDS[@]}"; do
		kill "$pid" 2>/dev/null || true
		while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
	done
	SERVER_PIDS=()
}

teardown() {
	stop_server
}

# request_count: the number of requests that the last started server received.
request_count() {
	wc -l <"$SERVER_LOG" | tr -d ' '
}

# request N FILTER: the result of a jq filter for the Nth request, on one line, strings without quotes.
request() {
	sed -n "${1}p" "$SERVER_LOG" | jq -cr "$2"
}

# data TYPE FILTER [FILE]: the result of a jq filter for the data of each event of TYPE in FILE (events),
# each on one line, strings without quotes.
data() {
	jq -cr --arg type "$1" "select(.event_type == \$type).data | $2" "${3:-events}"
}

# event TYPE DATA [RUN [SECOND]]: an event line without seq; SECOND of a fixed minute is its timestamp.
event() {
	local run='' time=''
	[ -z "${3-}" ] || run="\"run_id\":\"$3\","
	[ -z "${4-}" ] || time="\"timestamp\":\"2026-11-20T22:49:$4Z\","
	printf '{"event_type":"%s",%s%s"data":%s}\n' "$1" "$time" "$run" "$2"
}
