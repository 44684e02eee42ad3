/*
 * recordings: a protocol's decoder against recordings of real servers, tests/data/recordings: each
 * response must give exactly what its expected.json says, whole and byte by byte. PROTOCOL as in
 * decoded.h; a folder elsewhere is tried by the variable RECORDINGS.
 */
#ifndef RECORDINGS_H
#define RECORDINGS_H

#include <ftw.h>

#include "decoded.h"

struct recording_hooks {
	const char *folders; /* part of the paths of this protocol's: "/chat-" */
	/* The finish reason, as events name it, of a response with this expected.json and error. */
	const char *(*finish)(struct span expected, struct span error);
	/* Correct what expected.json counts in another way; `usage` is its member. NULL: nothing.
	 */
	void (*usage)(struct span usage, struct model_usage *want);
	/* Move what we call reasoning from text to thinking. NULL: nothing. */
	void (*text)(struct buffer *text, struct buffer *thinking);
	/* Whether `folder` is left out: its response is not what expected.json says. NULL: none. */
	bool (*skip)(const char *folder);
	/* Add a refusal that expected.json does not count as one. NULL: nothing. */
	void (*refusal)(struct buffer *refusal);
};

/* The bytes of the response at hand, where expected.json leaves out what hooks need to know. */
static struct span recorded_response;

static const struct recording_hooks *the_hooks;
static const char *recordings_root;
static int recordings_found;

static void put_usage(struct buffer *out, const struct model_usage *u)
{
	json_key(out, "usage");
	json_open(out, '{');
	if (u->input >= 0)
		json_put_int(out, "in", u->input);
	if (u->output >= 0)
		json_put_int(out, "out", u->output);
	if (u->cached_input >= 0)
		json_put_int(out, "cached", u->cached_input);
	if (u->reasoning >= 0)
		json_put_int(out, "reasoning", u->reasoning);
	json_close(out, '}');
}

/* Arguments as text; of valid JSON the white space between tokens is no difference. */
static void put_args(struct buffer *out, struct span args)
{
	struct buffer compact = {0};

	if (json_check(args, NULL))
		json_write_compact(&compact, json_trim(args));
	else
		buffer_add_span(&compact, args);
	json_put_string(out, "args", buffer_span(&compact));
	buffer_free(&compact);
}

/* What was decoded, in one line. */
static void describe(const struct decoded *a, struct span want_error, struct buffer *out)
{
	const char *message = a->outcome.error.message;
	bool said = want_error.len > 0 && message != NULL;
	char *wanted = mem_copy(want_error);

	json_open(out, '{');
	json_put_string(out, "text", buffer_span(&a->text));
	json_put_string(out, "reasoning", buffer_span(&a->thinking));
	json_key(out, "tool_calls");
	json_open(out, '[');
	for (int i = 0; i < a->call_count; i++) {
		if (a->calls[i].by_provider)
			continue;
		json_open(out, '{');
		json_put_string(out, "id", buffer_span(&a->calls[i].id));
		json_put_string(out, "name", buffer_span(&a->calls[i].name));
		put_args(out, buffer_span(&a->calls[i].args));
		json_close(out, '}');
	}
	json_close(out, ']');
	json_put_text(out, "finish", model_finish_name(a->outcome.finish));
	put_usage(out, &a->outcome.usage);
	if (said && strstr(message, wanted) != NULL)
		json_put_string(out, "error", want_error);
	else
		json_put_text(out, "error", message != NULL ? message : "");
	json_put_text(out, "refusal", a->outcome.refusal != NULL ? a->outcome.refusal : "");
	json_close(out, '}');
	free(wanted);
}

/* The sentence that must be part of the message: without the full stop, keys masked. */
static void want_error(struct span expected, const struct provider *provider, struct buffer *out)
{
	struct span detail;

	json_decode(json_get(expected, "error"), out);
	detail = json_get(buffer_span(out), "detail");
	if (detail.at != NULL) {
		struct buffer inner = {0};

		json_decode(detail, &inner);
		buffer_free(out);
		*out = inner;
	}
	while (out->len > 0 && out->at[out->len - 1] == '.')
		out->len--;
	provider_mask(provider, out);
}

static void want_calls(struct span calls, struct buffer *out)
{
	struct json_walk walk = json_walk(calls);
	struct buffer text = {0};

	json_key(out, "tool_calls");
	json_open(out, '[');
	while (json_next(&walk)) {
		struct span args = json_get(walk.value, "args"), id = json_get(walk.value, "id");

		json_open(out, '{');
		buffer_clear(&text);
		if (!json_decode(args, &text))
			buffer_add_span(&text, args);
		json_put_raw(out, "id", id.len > 0 && id.at[0] == '"' ? id : SPAN("\"\""));
		json_put_raw(out, "name", json_get(walk.value, "name"));
		put_args(out, text.len > 0 ? buffer_span(&text) : SPAN("{}"));
		json_close(out, '}');
	}
	json_close(out, ']');
	buffer_free(&text);
}

static void want(const struct recording_hooks *hooks, struct span expected, struct span error,
		 struct buffer *out)
{
	struct buffer text = {0}, thinking = {0}, refusal = {0};
	struct span usage = json_get(expected, "usage");
	struct model_usage u = {
	    .input = json_int(json_get(usage, "in"), -1),
	    .output = json_int(json_get(usage, "out"), -1),
	    .cached_input = json_int(json_get(usage, "cached"), -1),
	    .reasoning = json_int(json_get(usage, "reasoning"), -1),
	};

	if (hooks->usage != NULL)
		hooks->usage(usage, &u);
	json_decode(json_get(expected, "reasoning"), &thinking);
	json_decode(json_get(expected, "text"), &text);
	if (hooks->text != NULL)
		hooks->text(&text, &thinking);
	json_open(out, '{');
	json_put_string(out, "text", buffer_span(&text));
	json_put_string(out, "reasoning", buffer_span(&thinking));
	want_calls(json_get(expected, "tool_calls"), out);
	json_put_text(out, "finish", hooks->finish(expected, error));
	put_usage(out, &u);
	json_put_string(out, "error", error);
	json_decode(json_get(expected, "refusal"), &refusal);
	if (hooks->refusal != NULL)
		hooks->refusal(&refusal);
	json_put_string(out, "refusal", buffer_span(&refusal));
	json_close(out, '}');
	buffer_free(&text);
	buffer_free(&thinking);
	buffer_free(&refusal);
}

static int status_of(const char *folder)
{
	struct buffer path = {0}, meta = {0};
	int status;

	buffer_add_format(&path, "%s/response.meta", folder);
	unit_read(buffer_string(&path), &meta);
	status = (int)strtol(buffer_string(&meta) + strlen("status: "), NULL, 10);
	buffer_free(&path);
	buffer_free(&meta);
	return status;
}

static void compare(struct decoded *a, struct span expected, const char *name, const char *how)
{
	struct buffer got = {0}, wanted = {0}, error = {0}, title = {0};

	want_error(expected, a->provider, &error);
	describe(a, buffer_span(&error), &got);
	want(the_hooks, expected, buffer_span(&error), &wanted);
	buffer_add_format(&title, "recording %s, %s", name, how);
	unit_same(buffer_span(&got), buffer_span(&wanted), buffer_string(&title));
	buffer_free(&got);
	buffer_free(&wanted);
	buffer_free(&error);
	buffer_free(&title);
	decoded_free(a);
}

static void decode_error(struct decoded *a, const char *provider, int status, struct span body)
{
	static struct failure failure;

	decoded_begin(a, provider);
	a->outcome = (struct model_outcome){.usage = MODEL_USAGE_NONE};
	failure_free(&failure);
	failure_read(&failure, a->provider, status, body);
	failure_report(&failure, a->provider, &a->outcome);
}

static void try_recording(const char *folder)
{
	const char *name = folder + strlen(recordings_root) + 1;
	struct buffer path = {0}, expected = {0}, body = {0};
	char *provider = mem_copy((struct span){name, strcspn(name, "/")});
	int status = status_of(folder);
	struct decoded a;
	bool stream;

	recordings_found++;
	buffer_add_format(&path, "%s/expected.json", folder);
	unit_read(buffer_string(&path), &expected);
	buffer_clear(&path);
	buffer_add_format(&path, "%s/response.%s", folder,
			  PROTOCOL.framing == FRAMING_NDJSON ? "ndjson"
			  : PROTOCOL.framing == FRAMING_AWS  ? "eventstream"
							     : "sse");
	stream = file_read(buffer_string(&path), &body, NULL);
	if (!stream) {
		buffer_clear(&path);
		buffer_add_format(&path, "%s/response.json", folder);
		unit_read(buffer_string(&path), &body);
	}
	recorded_response = buffer_span(&body);
	if (stream) {
		decode_stream(&a, provider, buffer_span(&body), 0);
		compare(&a, json_trim(buffer_span(&expected)), name, "whole");
		decode_stream(&a, provider, buffer_span(&body), 1);
		compare(&a, json_trim(buffer_span(&expected)), name, "byte by byte");
	} else if (status == 200) {
		decode_document(&a, provider, buffer_span(&body));
		compare(&a, json_trim(buffer_span(&expected)), name, "document");
	} else {
		decode_error(&a, provider, status, buffer_span(&body));
		compare(&a, json_trim(buffer_span(&expected)), name, "error");
	}
	free(provider);
	buffer_free(&path);
	buffer_free(&expected);
	buffer_free(&body);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (type == FTW_F && strcmp(path + ftw->base, "expected.json") == 0) {
		char *folder = mem_copy((struct span){path, (size_t)ftw->base - 1});

		if (strstr(folder, the_hooks->folders) != NULL &&
		    (the_hooks->skip == NULL || !the_hooks->skip(folder)))
			try_recording(folder);
		free(folder);
	}
	return 0;
}

/* Try all of them; `least`: how many there must be at least. */
static void recordings_try(const struct recording_hooks *hooks, int least)
{
	const char *elsewhere = getenv("RECORDINGS");

	the_hooks = hooks;
	recordings_root = elsewhere != NULL ? elsewhere : "tests/data/recordings";
	nftw(recordings_root, visit, 16, FTW_PHYS);
	unit_ok(recordings_found >= least, "%d recordings were found", recordings_found);
}

#endif
