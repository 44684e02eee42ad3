/*
 * Models behind HTTP, end to end on the loop: against build/server/provider, which misbehaves on
 * demand.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "messages.h"
#include "openai_chat_chunks.h"
#include "model/model.h"

extern char **environ;

/* ---- the server ---- */

struct server {
	pid_t pid;
	int input; /* it ends when this is closed */
	char url[64];
	char log[64];
};

static void server_start(struct server *s, const char *const *answers)
{
	char *words[32] = {NULL, "--until-eof", "--log", s->log};
	struct buffer path = {0};
	posix_spawn_file_actions_t actions;
	int in[2], out[2], count = 4;
	char port[16] = "";

	snprintf(s->log, sizeof(s->log), "/tmp/unit-http-model-%ld.log", (long)getpid());
	buffer_add_format(&path, "%s/server/provider",
			  getenv("BUILD") != NULL ? getenv("BUILD") : "build");
	words[0] = path.at;
	buffer_string(&path);
	for (; *answers != NULL; answers++)
		words[count++] = (char *)*answers;
	unlink(s->log);
	if (pipe(in) != 0 || pipe(out) != 0)
		exit(2);
	fcntl(in[1], F_SETFD, FD_CLOEXEC);
	fcntl(out[0], F_SETFD, FD_CLOEXEC);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	if (posix_spawn(&s->pid, words[0], &actions, NULL, words, environ) != 0) {
		printf("Bail out! cannot run %s\n", words[0]);
		exit(2);
	}
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	s->input = in[1];
	for (size_t len = 0; len + 1 < sizeof(port) && strchr(port, '\n') == NULL; len++)
		if (read(out[0], port + len, 1) != 1)
			break;
	close(out[0]);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/v1", (int)strtol(port, NULL, 10));
	buffer_free(&path);
}

static void server_stop(struct server *s)
{
	close(s->input);
	kill(s->pid, SIGTERM);
	while (waitpid(s->pid, NULL, 0) < 0)
		;
	unlink(s->log);
}

/* ---- one question ---- */

struct asked {
	struct loop *loop;
	struct model_call *call;
	struct buffer log;
	bool cancel; /* at the first delta */
	bool done;
};

static void on_asked_delta(void *context, const struct model_delta *delta)
{
	static const char letters[] = "THCArepomR";
	struct asked *asked = context;

	struct span name = delta->type == MODEL_TOOL_ARGS ? SPAN("") : delta->name;

	buffer_add_format(&asked->log, "%c(", letters[delta->type]);
	buffer_add_span(&asked->log, name);
	if (name.len > 0 && delta->text.len > 0)
		buffer_add_char(&asked->log, ' ');
	buffer_add_span(&asked->log, delta->text);
	buffer_add_char(&asked->log, ')');
	if (asked->cancel) {
		asked->cancel = false;
		model_cancel(asked->call);
		buffer_add_text(&asked->log, " cancelled");
		loop_stop(asked->loop);
	}
}

static void on_asked_done(void *context, const struct model_outcome *o)
{
	struct asked *asked = context;

	buffer_add_format(&asked->log, " %s", model_finish_name(o->finish));
	if (o->error.kind != ERROR_NONE)
		buffer_add_format(&asked->log, " [%s%s] %s", error_kind_name(o->error.kind),
				  o->error.retryable ? ", retry" : "", o->error.message);
	asked->done = true;
	loop_stop(asked->loop);
}

static const struct span messages[] = {
    SPAN_INIT("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}"),
};

static struct model_request plain_request(void)
{
	return (struct model_request){.messages = typed(messages, 1), .message_count = 1};
}

/* Ask and wait for the end; what came, in one line. */
static void ask(struct model_host *host, struct model *model, bool cancel, struct buffer *out)
{
	struct model_request request = plain_request();
	struct asked asked = {.loop = host->loop, .cancel = cancel};
	struct model_handler handler = {
	    .context = &asked, .delta = on_asked_delta, .done = on_asked_done};
	struct error e = {0};

	asked.call = model_ask(model, &request, &handler, &e);
	if (asked.call != NULL)
		loop_run(host->loop);
	else
		buffer_add_text(&asked.log, e.message);
	error_clear(&e);
	buffer_add_span(out, buffer_span(&asked.log));
	buffer_free(&asked.log);
}

/* The port differs from run to run. */
static void hide_port(struct buffer *text, const char *url)
{
	char *host = mem_copy((struct span){url + 7, strcspn(url + 7, "/")}), *at;
	struct buffer out = {0};
	const char *rest = buffer_string(text);

	while ((at = strstr(rest, host)) != NULL) {
		buffer_add(&out, rest, (size_t)(at - rest));
		buffer_add_text(&out, "HOST");
		rest = at + strlen(host);
	}
	buffer_add_text(&out, rest);
	buffer_free(text);
	*text = out;
	free(host);
}

struct set {
	bool raw, cancel;
	double idle, total;
};

static void exchange(const char *name, const char *answer, struct set set, const char *want)
{
	struct server server;
	struct model_host host = {
	    .loop = loop_new(),
	    .limits = {.connect_seconds = 10, .idle_seconds = set.idle, .total_seconds = set.total},
	    .raw = set.raw};
	struct model *model;
	struct buffer got = {0};

	server_start(&server, (const char *const[]){answer, NULL});
	host.base_url = server.url;
	model = model_open(&host, "openai-chat:m", NULL);
	ask(&host, model, set.cancel, &got);
	hide_port(&got, server.url);
	unit_same(buffer_span(&got), span_of(want), name);
	buffer_free(&got);
	model_close(model);
	http_free(host.http);
	loop_free(host.loop);
	server_stop(&server);
}

#define NORMAL ((struct set){0})
#define SHORT  "data='{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}' "
#define ENDING "data='{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}' "

static void good(void)
{
	exchange("a streamed answer", "say='one two'", NORMAL, "T(one )T(two) stop");
	exchange("a byte at a time", "chunk=1 say='one two'", NORMAL, "T(one )T(two) stop");
	exchange("compressed", "gzip=yes say='one two'", NORMAL, "T(one )T(two) stop");
	exchange("a tool call", "tool='f {\"a\":1}'", NORMAL, "C(f)A({\"a\":1}) tool_calls");
	exchange("HTTP/1.0 style: the close ends the body", "framing=close say=one", NORMAL,
		 "T(one) stop");
	exchange("no [DONE]", SHORT ENDING, NORMAL, "T(a) stop");
	exchange("[DONE], but the response stays open", SHORT ENDING "data=[DONE] hang=1000000",
		 NORMAL, "T(a) stop");
	exchange("broken off after the finish reason", "length=100000 framing=length " SHORT ENDING,
		 NORMAL, "T(a) stop");
	exchange("a document instead of a stream",
		 "type=application/json text='{\"choices\":[{\"index\":0,\"message\":{\"content\":"
		 "\"a\"},\"finish_reason\":\"stop\"}]}'",
		 NORMAL, "T(a) stop");
	exchange("a document that says it is a stream",
		 "type=text/event-stream text='\\n {\"choices\":[{\"index\":0,\"message\":{"
		 "\"content\":\"a\"},\"finish_reason\":\"stop\"}]}'",
		 NORMAL, "T(a) stop");
	exchange("a stream that says it is a document", "type=application/json " SHORT ENDING,
		 NORMAL, "T(a) stop");
	exchange("the same byte by byte", "chunk=1 type=application/json " SHORT ENDING, NORMAL,
		 "T(a) stop");
	exchange("a stream that says nothing of itself", "type=text/plain say=one", NORMAL,
		 "T(one) stop");
	exchange("the raw events before what they give rise to",
		 "event=x data='{ \"choices\": [ {\"index\":0,\"delta\":{\"content\":\"a\"}} ] }' "
		 "data=oops",
		 (struct set){.raw = true},
		 "R(x {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]})T(a)R(\"oops\") "
		 "error [invalid_response, retry] openai-chat sent an event that is not JSON (a "
		 "value is missing at byte 0)");
	exchange(
	    "[DONE] as a raw event", ENDING "data=[DONE]", (struct set){.raw = true},
	    "R({\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]})R(\"[DONE]"
	    "\") stop");
}

/* What a server sends to keep the connection alive is no progress. */
static void keep_alives(void)
{
#define CHUNK(text) "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\\n\\n"
	static const char *const idle[] = {
	    ": processing\\n\\n",
	    "\\n",
	    "data:\\n\\n",
	    "event: ping\\ndata: {}\\n\\n",
	    "data: {\"type\": \"ping\"}\\n\\n",
	    "data: {\"choices\":[]}\\n\\n",
	    (CHUNK("")),
	};

	for (size_t i = 0; i < ARRAY_LEN(idle); i++) {
		struct buffer answer = {0};

		buffer_add_text(&answer,
				"chunk=line delay=0.1 type=text/event-stream text='" CHUNK("a"));
		for (int n = 0; n < 30; n++)
			buffer_add_text(&answer, idle[i]);
		buffer_add_char(&answer, '\'');
		exchange(idle[i], buffer_string(&answer), (struct set){.idle = 0.5},
			 "T(a) error [timeout, retry] openai-chat sent nothing but keep-alives for "
			 "0.5 seconds (--idle-timeout)");
		buffer_free(&answer);
	}
	exchange("text that comes slowly", "chunk=event delay=0.2 say='one two three four five'",
		 (struct set){.idle = 0.5}, "T(one )T(two )T(three )T(four )T(five) stop");
}

static void bad(void)
{
	exchange("an error before the stream",
		 "status=401 text='{\"error\":{\"message\":\"Invalid API Key\"}}'", NORMAL,
		 " error [auth] openai-chat refused the key (HTTP 401: Invalid API Key); check "
		 "OPENAI_API_KEY");
	exchange("an error in the raw events", "status=400 text='{\"error\": \"no\"}'",
		 (struct set){.raw = true},
		 "R({\"error\":\"no\"}) error [invalid_request] openai-chat answered HTTP 400: no");
	exchange("a filter that Azure tells with HTTP 400",
		 "status=400 text='{\"error\":{\"code\":\"content_filter\",\"message\":\"no\"}}'",
		 NORMAL, " content_filter [content_filter] openai-chat answered HTTP 400: no");
	exchange("an empty error", "status=503 text=''", NORMAL,
		 " error [overloaded, retry] openai-chat answered HTTP 503");
	exchange("a redirect is not followed", "status=302 header='Location: http://other/' text=x",
		 NORMAL,
		 " error [invalid_request] openai-chat answered HTTP 302, a redirect to "
		 "http://other/, which is not followed; is the base URL right?");
	exchange("an error inside the stream", SHORT "data='{\"error\":{\"message\":\"boom\"}}'",
		 NORMAL, "T(a) error [server, retry] openai-chat reported an error: boom");
	exchange("quirk 8: a bare JSON error behind the events",
		 "type=text/event-stream text='data: {\"choices\":[{\"index\":0,\"delta\":{"
		 "\"content\":\"a\"}}]}\\n\\n{\\n  \"error\": {\\n \"code\": 499,\\n \"message\": "
		 "\"cancelled\"\\n}\\n}\\n'",
		 NORMAL, "T(a) error [server, retry] openai-chat reported an error: cancelled");
	exchange("the same, byte by byte",
		 "chunk=1 type=text/event-stream text='data: {\"choices\":[{\"index\":0,\"delta\":{"
		 "\"content\":\"a\"}}]}\\n\\n{\\n  \"error\": {\\n \"code\": 499,\\n \"message\": "
		 "\"cancelled\"\\n}\\n}\\n'",
		 NORMAL, "T(a) error [server, retry] openai-chat reported an error: cancelled");
	exchange("a web page", "type=text/html text='<html>Log in</html>'", NORMAL,
		 " error [invalid_response, retry] openai-chat answered with something that is not "
		 "a chat completion: Log in");
	exchange(
	    "an empty answer", "type=text/event-stream text=''", NORMAL,
	    " error [stream_truncated, retry] openai-chat answered HTTP 200, but sent nothing");
	exchange("the end of the bytes without the end of the answer", SHORT, NORMAL,
		 "T(a) error [stream_truncated, retry] openai-chat broke off in the middle of its "
		 "response");
	exchange("nothing more comes", SHORT "hang=1000000", (struct set){.idle = 0.2},
		 "T(a) error [timeout, retry] openai-chat sent nothing for 0.2 seconds "
		 "(--idle-timeout)");
	exchange(
	    "nothing comes at all", "hang=head", (struct set){.idle = 0.2},
	    " error [timeout, retry] openai-chat sent nothing for 0.2 seconds (--idle-timeout)");
	keep_alives();
	exchange("the body of an error never ends", "status=500 text='no room' hang=7",
		 (struct set){.idle = 60},
		 " error [server, retry] openai-chat answered HTTP 500: no room");
	exchange("it takes too long", SHORT "hang=1000000", (struct set){.total = 0.2},
		 "T(a) error [timeout] openai-chat did not finish within 0.2 seconds");
	exchange("cancelled inside a delta", "say='one two three'", (struct set){.cancel = true},
		 "T(one ) cancelled");
	exchange("cancelled inside a raw event", "data={} data={}",
		 (struct set){.cancel = true, .raw = true}, "R({}) cancelled");
}

/* ---- connections, and what is sent ---- */

static void connections(void)
{
	struct server server;
	struct model_host host = {.loop = loop_new()};
	struct model *model;
	struct buffer got = {0}, log = {0};
	struct span rest, line;
	int last = 0;

	server_start(&server, (const char *const[]){"say=one", "say=two", NULL});
	host.base_url = server.url;
	model = model_open(&host, "openai-chat:m", NULL);
	for (int i = 0; i < 3; i++)
		ask(&host, model, false, &got);
	unit_same(buffer_span(&got), SPAN("T(one) stopT(two) stopT(two) stop"), "three answers");
	unit_read(server.log, &log);
	rest = buffer_span(&log);
	while ((line = unit_line(&rest)).at != NULL)
		last = (int)json_int(json_get(line, "connection"), 0);
	unit_ok(last == 1, "over one connection (%d)", last);
	rest = buffer_span(&log);
	line = unit_line(&rest);
	unit_same(json_get(line, "path"), SPAN("\"/v1/chat/completions\""), "to this path");
	unit_same(json_path(line, "headers.authorization"), SPAN("\"Bearer test-key-0123456789\""),
		  "with the key");
	unit_same(json_path(line, "headers.accept"), SPAN("\"text/event-stream\""),
		  "asking for a stream");
	unit_same(
	    json_path(line, "body"),
	    SPAN("{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
		 "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"),
	    "with this body");
	buffer_free(&got);
	buffer_free(&log);
	model_close(model);
	http_free(host.http);
	loop_free(host.loop);
	server_stop(&server);
}

static void unreachable(void)
{
	struct server server;
	struct model_host host = {.loop = loop_new()};
	struct model *model;
	struct buffer got = {0};

	server_start(&server, (const char *const[]){"say=one", NULL});
	server_stop(&server);
	host.base_url = server.url;
	model = model_open(&host, "openai-chat:m", NULL);
	ask(&host, model, false, &got);
	unit_ok(span_starts(buffer_span(&got),
			    " error [network, retry] openai-chat cannot be reached: "),
		"nobody listens:%s", buffer_string(&got));
	buffer_free(&got);
	model_close(model);
	http_free(host.http);
	loop_free(host.loop);
}

static void cancel_at_once(void)
{
	struct server server;
	struct model_host host = {.loop = loop_new()};
	struct model_request request = plain_request();
	struct asked asked = {.loop = host.loop};
	struct model_handler handler = {
	    .context = &asked, .delta = on_asked_delta, .done = on_asked_done};
	struct model *model;
	struct buffer got = {0};

	server_start(&server, (const char *const[]){"say=one", NULL});
	host.base_url = server.url;
	model = model_open(&host, "openai-chat:m", NULL);
	model_cancel(model_ask(model, &request, &handler, NULL));
	ask(&host, model, false, &got);
	unit_same(buffer_span(&got), SPAN("T(one) stop"), "a cancelled question, then another");
	unit_ok(!asked.done && asked.log.len == 0, "the cancelled one is silent");
	buffer_free(&got);
	model_close(model);
	http_free(host.http);
	loop_free(host.loop);
	server_stop(&server);
}

static void shown(void)
{
	struct model_host host = {.base_url = "http://127.0.0.1:9/v1/"};
	struct model_request request = plain_request();
	struct model *model = model_open(&host, "openai-chat:gpt-x", NULL);
	struct buffer got = {0};

	unit_ok(model_show_request(model, &request, &got, NULL), "a request can be shown");
	unit_same(buffer_span(&got),
		  SPAN("POST http://127.0.0.1:9/v1/chat/completions\n"
		       "Content-Type: application/json\n"
		       "Accept: text/event-stream\n"
		       "Authorization: Bearer ***\n"
		       "OpenAI-Project: proj\n"
		       "X-Team: ***\n"
		       "\n"
		       "{\"model\":\"gpt-x\",\"stream\":true,\"stream_options\":{\"include_usage\":"
		       "true},\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n"),
		  "with its secrets masked");
	buffer_free(&got);
	model_close(model);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("OPENAI_API_KEY", "test-key-0123456789", 1);
	good();
	bad();
	connections();
	unreachable();
	cancel_at_once();
	setenv("OPENAI_PROJECT_ID", "proj", 1);
	setenv("OPENAI_CUSTOM_HEADERS", "X-Team: blue\nnonsense", 1);
	shown();
	return unit_done();
}
