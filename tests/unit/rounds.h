/*
 * rounds: recorded conversations of several rounds, made again: what a provider is sent in the last
 * one, made of its own responses in the rounds before and of what was recorded between them, is
 * what was sent then.
 */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "requests.h"
#include "told.h"

enum { MAX_MESSAGES = 32 };

struct rounds {
	const struct protocol *protocol;
	const char *provider, *folder;
	char *model;
	struct buffer recorded, sent; /* the bodies of the last request */
	struct buffer messages[MAX_MESSAGES];
	size_t count;
	int responses; /* rounds */
};

/* Read the request of `round` in `folder`, below tests/data/recordings. `model`: NULL for the one
 * that it names. */
static void rounds_open(struct rounds *r, const struct protocol *protocol, const char *provider,
			const char *model, const char *folder, int round)
{
	struct buffer path = {0};

	*r = (struct rounds){.protocol = protocol, .provider = provider, .folder = folder};
	buffer_add_format(&path, "tests/data/recordings/%s/%02d/request.json", folder, round);
	unit_read(buffer_string(&path), &r->recorded);
	r->model = model != NULL ? mem_copy(span_of(model))
				 : json_text(json_get(buffer_span(&r->recorded), "model"));
	buffer_free(&path);
}

/* The next message, to be filled. */
static struct buffer *rounds_add(struct rounds *r)
{
	if (r->count == MAX_MESSAGES) {
		printf("Bail out! %s has more than %d messages\n", r->folder, MAX_MESSAGES);
		exit(2);
	}
	return &r->messages[r->count++];
}

/* The next response is the next message; returns it. */
static struct span rounds_add_response(struct rounds *r)
{
	struct buffer *message = rounds_add(r);

	told(r->protocol, r->provider, r->model, r->folder, ++r->responses, message);
	return buffer_span(message);
}

/* Make the request of these messages: r->sent. */
static void rounds_send(struct rounds *r)
{
	struct span list[MAX_MESSAGES];
	struct buffer spec = {0};

	for (size_t i = 0; i < r->count; i++)
		list[i] = buffer_span(&r->messages[i]);
	buffer_add_format(&spec, "%s:%s", r->provider, r->model);
	request_body(
	    buffer_string(&spec),
	    &(struct model_request){.messages = typed(list, r->count), .message_count = r->count},
	    &r->sent);
	buffer_free(&spec);
}

static void rounds_close(struct rounds *r)
{
	for (size_t i = 0; i < r->count; i++)
		buffer_free(&r->messages[i]);
	free(r->model);
	buffer_free(&r->recorded);
	buffer_free(&r->sent);
}

/* ---- comparing ---- */

/* Two JSON lists must be equal, and not empty; the order of members is no difference. */
static void rounds_same(const struct buffer *got, const struct buffer *want, const char *title)
{
	if (json_equal(buffer_span(got), buffer_span(want)))
		unit_ok(want->len > strlen("[]"), "%s", title);
	else
		unit_same(buffer_span(got), buffer_span(want), title);
}

/* The member `member` of both requests must be equal as `write` appends it: without what clients
 * write in more than one way. */
__attribute__((unused)) static void rounds_compare(const struct rounds *r, const char *member,
						   void (*write)(struct span messages,
								 struct buffer *out),
						   const char *title)
{
	struct buffer got = {0}, want = {0};

	write(json_get(buffer_span(&r->sent), member), &got);
	write(json_get(buffer_span(&r->recorded), member), &want);
	rounds_same(&got, &want, title);
	buffer_free(&got);
	buffer_free(&want);
}

/* Append messages of a role and a list of parts, the member `member`; `write` appends a part, given
 * the one before it in its message. */
__attribute__((unused)) static void rounds_write(struct span messages, const char *member,
						 void (*write)(struct span part, struct span before,
							       struct buffer *out),
						 struct buffer *out)
{
	struct json_walk walk = json_walk(messages);

	json_open(out, '[');
	while (json_next(&walk)) {
		struct json_walk parts = json_walk(json_get(walk.value, member));
		struct span before = {0};

		json_open(out, '{');
		json_put_raw(out, "role", json_get(walk.value, "role"));
		json_key(out, member);
		json_open(out, '[');
		while (json_next(&parts)) {
			write(parts.value, before, out);
			before = parts.value;
		}
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
}

/* ---- where a conversation is a list of messages of parts ---- */

struct rounds_form {
	const struct protocol *protocol;
	const char *prefix;      /* of the names of recordings */
	const char *list, *role; /* the member that is the conversation; the responses' role */
	/* Append what the user or the tools said, `message`, as a neutral message; `response`: the
	 * response before it. */
	void (*said)(struct span message, struct span response, struct buffer *out);
	void (*write)(struct span messages, struct buffer *out);
};

__attribute__((unused)) static void rounds_try(const struct rounds_form *form, const char *provider,
					       const char *model, const char *name, int round)
{
	struct buffer folder = {0};
	struct rounds r;
	struct json_walk walk;
	struct span response = {0};

	buffer_add_format(&folder, "%s/%s%s", provider, form->prefix, name);
	rounds_open(&r, form->protocol, provider, model, buffer_string(&folder), round);
	walk = json_walk(json_get(buffer_span(&r.recorded), form->list));
	while (json_next(&walk))
		if (json_is(json_get(walk.value, "role"), form->role))
			response = rounds_add_response(&r);
		else
			form->said(walk.value, response, rounds_add(&r));
	rounds_send(&r);
	rounds_compare(&r, form->list, form->write, name);
	rounds_close(&r);
	buffer_free(&folder);
}

#endif
