/*
 * provider: a model provider for tests. It listens on 127.0.0.1, replays recorded or made-up
 * answers over HTTP/1.1, and misbehaves on demand. What it can do is listed in its --help, below.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "server.h"

static const char help[] =
    "usage: provider [options] ANSWER...\n"
    "\n"
    "Listens on a free port of 127.0.0.1, prints the port, and serves until it is killed. Each\n"
    "request is answered by the next ANSWER; after the last one, by the last one again.\n"
    "\n"
    "  -p, --port N          listen there instead of on a free port\n"
    "  -P, --port-file FILE  write the port to FILE (by a rename) instead of to standard output\n"
    "  -l, --log FILE        append a line of JSON for each request: request, connection (numbers\n"
    "                        from 1), method, path, headers (names in lower case), body (as JSON "
    "if\n"
    "                        it is JSON, else a string; null: none)\n"
    "  -s, --strict          after the last answer: 500 \"script exhausted\"\n"
    "  -L, --loop            after the last answer: the first again\n"
    "  -u, --until-eof       end when standard input does\n"
    "  -h, --help\n"
    "\n"
    "An ANSWER is words KEY=VALUE, quoted as in a shell; @FILE reads one answer a line from FILE\n"
    "(empty lines and lines that begin with # are skipped).\n"
    "\n"
    "What is sent\n"
    "  status=N              200\n"
    "  recording=FOLDER      status, headers and body of a recording: its response.meta\n"
    "  body=FILE, text=TEXT  a body; TEXT knows \\n \\r \\t \\e \\\\ and \\xHH\n"
    "  data=JSON             an event of a stream (repeat); event=NAME before it gives it a name\n"
    "  say=TEXT              a chat completion that streams TEXT word by word\n"
    "  tool='NAME JSON'      one that calls a tool (repeat; after say=, it says something first)\n"
    "  generate=N            one of N chunks; with stamp=yes before it, each holds the time it "
    "was\n"
    "                        written, in nanoseconds of the monotonic clock\n"
    "  finish=WORD           finish_reason of these instead of stop or tool_calls\n"
    "  type=TYPE             Content-Type\n"
    "  header='NAME: VALUE'  one more header (repeat)\n"
    "  early='103 Early Hints'  an informational answer before the real one\n"
    "\n"
    "For which request: the first unused answer that fits\n"
    "  if-path=GLOB, if-body=TEXT  only a request to this path, with this in its body\n"
    "\n"
    "How its events look\n"
    "  eol=lf|crlf|cr        line ends\n"
    "  comments=yes          comment lines before and inside events\n"
    "  space=no              no space behind the colon\n"
    "  split=yes             the JSON of an event over two data: lines\n"
    "  ids=yes               id: and retry: fields\n"
    "  bom=yes               a byte order mark first\n"
    "  last=open|bare        the last event without its blank line, without any line end\n"
    "\n"
    "How it is sent\n"
    "  framing=chunked|length|close  chunked for streams, else Content-Length\n"
    "  chunk=N|event|line|whole      what one write (and one HTTP chunk) carries; event for "
    "streams\n"
    "  random=SEED           sizes from 1 to 2N-1, the same ones for the same seed\n"
    "  at=N,N,...            writes end at these offsets of the body\n"
    "  wait=S, delay=S       seconds before the head, and between writes (also: interval=S)\n"
    "  gzip=yes              gzip framing, asked for or not\n"
    "  close=yes             close the connection behind the answer\n"
    "\n"
    "How it breaks\n"
    "  cut=N                 close after N bytes of the body; end=rst resets, end=chunk-header\n"
    "                        closes in the middle of the next chunk's header\n"
    "  length=N              a Content-Length of N, whatever the body's\n"
    "  hang=N, hang=head     send nothing more after N bytes of the body, nothing at all\n";

static int bad_usage(struct error *e)
{
	warn("%s", e->message);
	error_clear(e);
	return STATUS_USAGE;
}

static bool add_answer(struct server *server, const char *description, struct error *e)
{
	int n = server->answer_count++;

	server->answers =
	    mem_resize(server->answers, (size_t)server->answer_count * sizeof(*server->answers));
	return answer_parse(&server->answers[n], n + 1, description, e);
}

static bool add_script(struct server *server, const char *path, struct error *e)
{
	struct buffer script = {0};
	bool done = file_read(path, &script, e);
	char *state = NULL, *text = buffer_take(&script);

	for (char *line = strtok_r(text, "\n", &state); done && line != NULL;
	     line = strtok_r(NULL, "\n", &state))
		if (line[0] != '#')
			done = add_answer(server, line, e);
	free(text);
	return done;
}

/* Say where we listen. By a rename, so that whoever waits for the file never reads half of it. */
static bool tell_port(int port, const char *path, struct error *e)
{
	struct buffer temporary = {0};
	FILE *file;
	bool done;

	if (path == NULL) {
		printf("%d\n", port);
		return fflush(stdout) == 0;
	}
	buffer_add_format(&temporary, "%s.new", path);
	file = fopen(buffer_string(&temporary), "w");
	done = file != NULL && fprintf(file, "%d\n", port) > 0;
	done = file != NULL && fclose(file) == 0 && done &&
	       rename(buffer_string(&temporary), path) == 0;
	if (!done)
		error_set(e, "system", "%s: %s", path, strerror(errno));
	buffer_free(&temporary);
	return done;
}

static const struct option options[] = {
    {"port", required_argument, NULL, 'p'}, {"port-file", required_argument, NULL, 'P'},
    {"log", required_argument, NULL, 'l'},  {"strict", no_argument, NULL, 's'},
    {"loop", no_argument, NULL, 'L'},       {"until-eof", no_argument, NULL, 'u'},
    {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

struct settings {
	int port;
	const char *port_file;
	bool until_eof;
};

static bool read_options(struct server *server, struct settings *settings, int argc, char **argv,
			 struct error *e)
{
	int option;

	while ((option = getopt_long(argc, argv, "p:P:l:sLuh", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			settings->port = (int)strtol(optarg, NULL, 10);
			break;
		case 'P':
			settings->port_file = optarg;
			break;
		case 'l':
			server->log = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
			if (server->log < 0)
				return error_set(e, "system", "%s: %s", optarg, strerror(errno));
			break;
		case 's':
			server->strict = true;
			break;
		case 'L':
			server->loop = true;
			break;
		case 'u':
			settings->until_eof = true;
			break;
		case 'h':
			fputs(help, stdout);
			exit(STATUS_OK);
		default:
			return error_set(e, "usage", "see provider --help");
		}
	}
	for (int i = optind; i < argc; i++)
		if (argv[i][0] == '@' ? !add_script(server, argv[i] + 1, e)
				      : !add_answer(server, argv[i], e))
			return false;
	if (server->answer_count == 0)
		return error_set(e, "usage", "no answer is given; see provider --help");
	return true;
}

int main(int argc, char **argv)
{
	struct server server = {.log = -1};
	struct settings settings = {0};
	struct error e = {0};
	int port;

	signal(SIGPIPE, SIG_IGN);
	if (!read_options(&server, &settings, argc, argv, &e))
		return bad_usage(&e);
	port = server_listen(&server, settings.port, &e);
	if (port == 0 || !tell_port(port, settings.port_file, &e))
		return bad_usage(&e);
	server_run(&server, settings.until_eof);
	for (int i = 0; i < server.answer_count; i++)
		answer_free(&server.answers[i]);
	free(server.answers);
	if (server.log >= 0)
		close(server.log);
	return STATUS_OK;
}
