/*
 * floor URL [ROUNDS TOOL [ARGUMENT...]]
 *
 * The least that a program on libcurl can do: post a small request and count the bytes of the
 * answer; with a tool, ROUNDS times on one connection, with a run of the tool before each but the
 * first. Each request holds the calls and results before it, as an agent's does. Prints the count.
 */
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"

extern char **environ;

static const char first_request[] = "{\"model\":\"test-model\",\"stream\":true,"
				    "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

static size_t count_bytes(char *bytes, size_t size, size_t n, void *total)
{
	(void)bytes;
	*(size_t *)total += size * n;
	return size * n;
}

/* Run the tool with the arguments' pipe as its input, and append all it prints. */
static void run_tool(char **argv, struct buffer *text)
{
	posix_spawn_file_actions_t files;
	char bytes[4096];
	int in[2], out[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(in) != 0 || pipe(out) != 0)
		die(STATUS_FAILED, "pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&files, in[1]);
	posix_spawn_file_actions_addclose(&files, out[0]);
	if (posix_spawnp(&pid, argv[0], &files, NULL, argv, environ) != 0)
		die(STATUS_FAILED, "%s cannot be run", argv[0]);
	posix_spawn_file_actions_destroy(&files);
	close(in[0]);
	close(out[1]);
	signal(SIGPIPE, SIG_IGN);
	if (write(in[1], "{}", 2) < 0 && errno != EPIPE)
		warn("%s does not read: %s", argv[0], strerror(errno));
	close(in[1]);
	while ((n = read(out[0], bytes, sizeof(bytes))) > 0)
		buffer_add(text, bytes, (size_t)n);
	close(out[0]);
	waitpid(pid, &status, 0);
}

/* A call and its result at the end of the messages. The tools of the benchmarks print nothing that
 * JSON would escape, but for quotes. */
static void add_round(struct buffer *body, struct span result, int round)
{
	body->len -= strlen("]}");
	buffer_add_format(
	    body,
	    ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":"
	    "\"call_%d\",\"type\":\"function\",\"function\":{\"name\":\"look\","
	    "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_%d\","
	    "\"content\":\"",
	    round, round);
	for (size_t i = 0; i < result.len; i++) {
		if (result.at[i] == '"')
			buffer_add_char(body, '\\');
		buffer_add_char(body, result.at[i]);
	}
	buffer_add_text(body, "\"}]}");
}

int main(int argc, char **argv)
{
	struct curl_slist *headers = NULL;
	struct buffer body = {0}, result = {0};
	int rounds = argc > 3 ? (int)strtol(argv[2], NULL, 10) : 1;
	size_t total = 0;
	CURL *curl;

	if (argc < 2)
		die(STATUS_USAGE, "usage: floor URL [ROUNDS TOOL [ARGUMENT...]]");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	curl = curl_easy_init();
	headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &total);
	buffer_add_text(&body, first_request);
	for (int round = 0; round < rounds; round++) {
		CURLcode code;

		if (round > 0) {
			buffer_clear(&result);
			run_tool(argv + 3, &result);
			total += result.len;
			add_round(&body, buffer_span(&result), round);
		}
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.at);
		code = curl_easy_perform(curl);
		if (code != CURLE_OK)
			die(STATUS_FAILED, "%s: %s", argv[1], curl_easy_strerror(code));
	}
	printf("%zu\n", total);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	buffer_free(&body);
	buffer_free(&result);
	return STATUS_OK;
}
