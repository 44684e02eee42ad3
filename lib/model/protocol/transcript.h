/*
 * transcript: the request side that every protocol shares: the messages of a request in the
 * form of a provider, and the body around them.
 *
 * The base walks over the messages: roles, neighbours of one role, the last message of the user,
 * calls that wait for their results, results that are missing or belong to no call, ids that a
 * provider accepts. A protocol provides a struct transcript_form: how it writes a text, a file, a
 * response, a result. What was written for a message is kept with the message, so the next request
 * only copies it.
 *
 * protocol_request (protocol.h) prepares a struct transcript. The protocol's function ends with
 *
 *     return transcript_request(t, &form, write_body);
 *
 * where write_body writes the body's members, with transcript_put_messages() where the messages
 * belong, and applies the parameters.
 */
#ifndef MODEL_TRANSCRIPT_H
#define MODEL_TRANSCRIPT_H

#include "model/model.h"
#include "model/registry.h"

struct transcript;

/* A call that waits for its result, or whose result is written. */
struct transcript_call {
	const struct part *part;
	const struct part *result; /* NULL: none came */
	struct span id;            /* as the provider accepts it; owned; absent: not chosen yet */
};

/* Which ids of calls a provider accepts: letters, digits and, unless the length is fixed, '_' and
 * '-'. */
struct transcript_ids {
	size_t most;  /* longest */
	size_t exact; /* their only length; 0: any up to `most` */
	size_t made;  /* digits of one that is made */
};

struct transcript_form {
	const char *member; /* of the body that has the messages */
	/* Neighbours of one role are one message, {"role":ROLE,PARTS_KEY:[...]}, and the callbacks
	 * write elements of its list. NULL: they write whole messages. */
	const char *parts_key;
	const char *assistant; /* the role's name there */

	/* Write the message of the instructions, which comes first; NULL: they are elsewhere. */
	void (*system)(struct transcript *t);

	/* Texts of neighbouring messages of the user are paragraphs of one, in t->text; end_users
	 * writes them. */
	bool joins_users;
	/* Results are written in the order of their calls, not in that of their message. */
	bool orders_results;
	bool uses_in_loop; /* in_loop changes how a response is written */
	bool ids_in_order;
	bool only_images; /* without the quirk "attach": only images are accepted, not files */

	/* Append to `id` the id of a call for the provider; empty: the call is sent without one.
	 * With ids_in_order the id depends on those before, and is asked for in every request. */
	void (*id)(struct transcript *t, const struct part *call, struct buffer *id);

	/* An attachment of the user (false: this media type is not accepted), and, with
	 * joins_users, the end of the messages that follow each other. Texts are written by
	 * `parts`. */
	bool (*attachment)(struct transcript *t, const struct part *part);
	void (*end_users)(struct transcript *t);
	/* Alternatively, write the whole message of the user; returns false with an error. Results
	 * without a call are then left out; otherwise they become text of the user. */
	bool (*user)(struct transcript *t, const struct message *message);

	/* A response as a whole; or a function for each type of its parts, NULL: they are not sent.
	 * A refusal and the texts of the user are written as PART_TEXT. Thinking, calls that the
	 * provider ran and opaque parts are sent only if this request may use them (t->readable).
	 */
	void (*response)(struct transcript *t, const struct message *message);
	void (*parts[PART_TYPES])(struct transcript *t, const struct part *part);
	bool own_model; /* only the model that wrote a response can read its provider_data */

	/* The result of a call; call->result NULL: it never came. */
	void (*result)(struct transcript *t, const struct transcript_call *call);
};

struct transcript {
	const struct provider *provider;
	const char *model;
	const struct model_request *request;
	struct buffer *out; /* what is written now: the body, or a message for the callbacks */
	struct error *e;
	uint64_t salt;             /* whatever else the written messages depend on */
	struct transcript_ids ids; /* for transcript_safe_id */

	/* for the callbacks */
	bool readable;       /* this request may use the provider_data of the response */
	bool in_loop;        /* no message of the user follows: the tool loop that is running */
	bool after_tool;     /* the message in front is one of results */
	bool after_call;     /* the message that is being continued has a call already */
	int files;           /* attachments that are not kept with messages, for the callback */
	struct buffer text;  /* with joins_users: paragraphs that are not written yet, */
	struct buffer parts; /* and what precedes them: an array's inside */
	struct buffer scratch;

	/* private */
	const struct transcript_form *form;
	struct buffer *body;
	uint64_t key;                  /* of all that every message depends on */
	struct buffer piece;           /* what is written and not kept with a message */
	const char *role;              /* of the message that is open; NULL: none is */
	struct message *const *users;  /* the first message of the user that is not written yet */
	size_t user_count;             /* how many such messages there are */
	struct transcript_call *calls; /* that wait for their results */
	size_t call_count, next_call;
};

/* Write the whole body to t->out, and free what `t` owns. False with `t->e` for what cannot be
 * sent. `write_body` and the parameters of the request come first, with a mark in the place of the
 * messages. */
bool transcript_request(struct transcript *t, const struct transcript_form *form,
			bool (*write_body)(struct transcript *t));

/* Write the member of the messages. If the user's options replace it, no message is written. */
void transcript_put_messages(struct transcript *t);

/* ---- for the callbacks ---- */

/* Whether the message is a response of this provider; and whether it is one of this model, or does
 * not name its model: then its signatures can be read. */
bool transcript_is_own(const struct transcript *t, const struct message *message);
bool transcript_is_same_model(const struct transcript *t, const struct message *message);

/* The member `name` of the part's provider_data, as JSON, if it can be read (t->readable). */
struct span transcript_data(const struct transcript *t, const struct part *part, const char *name);

/* The id of a call of the response that is being written. */
struct span transcript_call_id(struct transcript *t, const struct part *call);

/* The provider id of `call` if the response came from this provider; absent: it came from
 * elsewhere, or has no other id than tool_call_id. */
struct span transcript_own_id(const struct transcript *t, const struct part *call);

/* A form's `id` for most providers: their own id goes back as it came, others' become one that they
 * accept. */
void transcript_safe_id(struct transcript *t, const struct part *call, struct buffer *id);
bool transcript_id_fits(struct span id, const struct transcript_ids *rule);
/* Replace `id` by `prefix` and so many letters and digits, always the same ones for the same hash.
 */
void transcript_make_id(struct buffer *id, const char *prefix, size_t digits, uint64_t hash);

/* Make of the name of a call one that providers accept: '_' for all but letters, digits, '_' and
 * '-'. Never empty. The second writes it as the member "name". */
void transcript_make_name(struct buffer *name, size_t most);
void transcript_put_name(struct transcript *t, struct span tool_name, size_t most);

/* `text`; absent if it is empty. */
struct span transcript_unless_empty(struct span text);

/* Append a paragraph: the string value `text` behind a blank line. */
void transcript_add_paragraph(struct span text, struct buffer *out);

/* Append the texts of a response as paragraphs; a refusal is one. */
void transcript_add_texts(const struct message *message, struct buffer *out);

/* Append the reasoning of a response. */
void transcript_add_thinking(const struct message *message, struct buffer *out);

/* The instructions: request->system, then the system messages among the messages; and, if
 * `schema_in_words`, how to answer so that the request's schema (if it has one) is satisfied. In
 * t->scratch; empty: there are none. */
struct span transcript_instructions(struct transcript *t, bool schema_in_words);

/* The result of a call: what the tool printed, with "Error: " before it if it failed and does not
 * say so itself. NULL: the call was interrupted before it had a result. Valid until
 * t->scratch changes. */
struct span transcript_result_text(struct transcript *t, const struct part *result);

/* What the call returned, or that there is no result. Valid until t->scratch changes. */
struct span transcript_call_result(struct transcript *t, const struct transcript_call *call);

/* The arguments of a call, a JSON object, as they came; or {"INVALID_JSON":"..."} with the text of
 * arguments that are not JSON: in t->scratch, or written as the member `key`. */
struct span transcript_args_text(struct transcript *t, const struct part *call);
void transcript_put_args(const struct part *call, const char *key, struct buffer *out);

/* Append the members of an object but `without` (NULL: all), byte for byte. */
void transcript_members(struct span object, const char *without, struct buffer *out);

/* Whether the model accepts an image or a file: quirk "attach", a list for each pattern of model
 * names. */
bool transcript_accepts(const struct transcript *t, const struct part *part);

/* "openai:gpt-5 does not accept a message part of type image (image/gif)": usage error; returns
 * false. */
bool transcript_refuse(const struct transcript *t, const struct part *part);

#endif
