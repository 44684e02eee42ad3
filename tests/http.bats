# TLS: whom agent-run trusts. Everything else about HTTP is in tests/unit/http.c.
# shellcheck shell=bash disable=SC2154,SC2030,SC2031 # bats sets status and output
load helper

setup() {
	export OPENAI_API_KEY=key
	command -v openssl >/dev/null || skip "no openssl"
	cd "$BATS_TEST_TMPDIR" || return 1
	unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 \
		-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>openssl.log
	local data='data: {"choices":[{"delta":{"content":"trusted"},"finish_reason":"stop"}]}'
	printf 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%s\n\n' \
		$((${#data} + 2)) "$data" >answer
}

teardown() {
	stop_tls
}

stop_tls() {
	[ -z "${TLS_PID-}" ] || kill "$TLS_PID" 2>/dev/null || true
}

# start_tls: a server that answers each connection with the same; sets TLS_URL. What openssl reads
# is what it sends, so its input stays open.
start_tls() {
	local hold port
	stop_tls
	rm -f log
	exec {hold}> >(exec openssl s_server -accept 127.0.0.1:0 -cert certificate.pem -key key.pem \
		-naccept 1 >log 2>&1 3>&-)
	TLS_PID=$!
	until port=$(sed -n 's/^ACCEPT 127.0.0.1:\([0-9]*\)$/\1/p' log) && [ -n "$port" ]; do
		sleep 0.01
	done
	cat answer >&"$hold"
	TLS_URL=https://127.0.0.1:$port/v1
}

ask() {
	run --separate-stderr agent-run -m openai-chat:test-model --base-url "$TLS_URL" --no-stdin hi
}

# result FILTER: what jq -c makes of the last run's events.
result() {
	jq -c "$1" <<<"$output"
}

@test "an untrusted certificate is refused and not retried" {
	start_tls
	ask
	assert_equal "$status" 1
	assert_equal "$(result 'select(.event_type == "error") | .data | [.exception_type, .fatal, .retryable]')" \
		'["network",true,false]'
	run result 'select(.event_type == "error") | .data.error'
	assert_output --partial "cannot trust ${TLS_URL:8:-3}: SSL certificate problem: "
}

# answered VARIABLE=VALUE: with that in the environment the answer comes.
answered() {
	start_tls
	export "${1?}"
	ask
	unset "${1%%=*}"
	assert_equal "$status" 0
	assert_equal "$(result 'select(.event_type == "agent_end") | .data.output')" '"trusted"'
}

@test "CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR select the authorities" {
	mkdir folder
	cp certificate.pem folder
	openssl rehash folder
	answered CURL_CA_BUNDLE=certificate.pem
	answered SSL_CERT_FILE=certificate.pem
	answered SSL_CERT_DIR=folder
}

@test "a missing file of certificates is reported with the remedy" {
	start_tls
	CURL_CA_BUNDLE=none.pem ask
	assert_equal "$status" 1
	assert_equal "$(result 'select(.event_type == "error") | .data.error')" \
		"\"openai-chat cannot be reached: cannot verify ${TLS_URL:8:-3}: error setting certificate file: none.pem; install ca-certificates, or name a file of certificates in CURL_CA_BUNDLE\""
}
