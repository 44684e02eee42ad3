/*
 * lib/model/protocol/transcript: what all requests share. A form that writes little shows what the
 * walk over the messages does.
 */
#include "messages.h"
#include "unit.h"

#include "base/hash.h"
#include "model/protocol/transcript.h"

static int written; /* how often a callback wrote something */

/* ---- a form ---- */

static void user_text(struct transcript *t, const struct part *part)
{
	written++;
	json_comma(t->out);
	buffer_add_span(t->out, part->text);
}

static void response(struct transcript *t, const struct message *message)
{
	written++;
	for (size_t i = 0; i < message->part_count; i++) {
		const struct part *part = &message->parts[i];

		json_comma(t->out);
		if (part->type == PART_CALL)
			json_write_string(t->out, transcript_call_id(t, part));
		else
			buffer_add_span(t->out, part->text);
	}
	if (t->in_loop && t->form->uses_in_loop)
		buffer_add_text(t->out, ",\"loop\"");
}

static void result(struct transcript *t, const struct transcript_call *call)
{
	written++;
	json_comma(t->out);
	buffer_add_format(t->out, "\"%.*s=", SPAN_ARG(call->id));
	buffer_add_span(t->out,
			call->result != NULL ? json_plain(call->result->result) : SPAN("missing"));
	buffer_add_char(t->out, '"');
}

static const struct transcript_form merging = {
    .member = "m",
    .parts_key = "p",
    .assistant = "model",
    .id = transcript_safe_id,
    .parts[PART_TEXT] = user_text,
    .response = response,
    .result = result,
};

static bool write_body(struct transcript *t)
{
	json_open(t->out, '{');
	transcript_put_messages(t);
	json_close(t->out, '}');
	return true;
}

static void is_written(const struct transcript_form *form, struct message *const *messages,
		       size_t count, const char *want, const char *title)
{
	const struct provider provider = {.name = "test", .entry = SPAN("{}")};
	struct model_request request = {.messages = messages, .message_count = count};
	struct buffer body = {0};
	struct error e = {0};
	struct transcript t = {.provider = &provider,
			       .model = "m",
			       .request = &request,
			       .out = &body,
			       .e = &e,
			       .ids = {.most = 8, .made = 4}};

	written = 0;
	if (!transcript_request(&t, form, write_body)) {
		buffer_clear(&body);
		buffer_add_text(&body, e.message);
	}
	unit_same(buffer_span(&body), span_of(want), title);
	buffer_free(&body);
	error_clear(&e);
}

/* ---- messages ---- */

#define USER(text) SPAN("{\"role\":\"user\",\"content\":\"" text "\"}")
#define SAYS(text) SPAN("{\"role\":\"assistant\",\"content\":\"" text "\"}")
#define CALL(id)                                                                                   \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"" id "\",\"tool_name\":\"f\",\"args\":{}}"
#define CALLS(calls) SPAN("{\"role\":\"assistant\",\"content\":[" calls "]}")
#define RESULT(id, text)                                                                           \
	"{\"type\":\"tool_result\",\"tool_call_id\":\"" id "\",\"result\":\"" text "\"}"
#define RESULTS(results) SPAN("{\"role\":\"tool\",\"content\":[" results "]}")
#define WRITTEN(form, want, title, ...)                                                            \
	is_written(form,                                                                           \
		   typed((const struct span[]){__VA_ARGS__},                                       \
			 sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span)),        \
		   sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span), want, title)

static void merges(void)
{
	WRITTEN(&merging,
		"{\"m\":[{\"role\":\"user\",\"p\":[\"a\",\"b\"]},{\"role\":\"model\",\"p\":[\"c\","
		"\"d\"]},{\"role\":\"user\",\"p\":[\"e\"]}]}",
		"neighbours of one role are one message", USER("a"),
		SPAN("{\"role\":\"system\",\"content\":\"s\"}"), USER("b"), SAYS("c"), SAYS("d"),
		USER("e"));
	WRITTEN(&merging, "{\"m\":[{\"role\":\"user\",\"p\":[\"a\",\"b\"]}]}",
		"a response that says nothing does not part them", USER("a"), CALLS(""), USER("b"));
	WRITTEN(&merging, "a message of the conversation has no known role: {\"role\":\"x\"}",
		"an unknown role is refused", USER("a"), SPAN("{\"role\":\"x\"}"));
	WRITTEN(&merging, "test:m does not accept a message part of type tool_result",
		"so is a part that is not the user's",
		SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\"}]}"));
}

static void answers(void)
{
	struct transcript_form ordered = merging;

	ordered.orders_results = true;
	WRITTEN(
	    &merging,
	    "{\"m\":[{\"role\":\"model\",\"p\":[\"a\",\"b\"]},{\"role\":\"user\",\"p\":[\"b=2\","
	    "\"a=1\",\"go\"]}]}",
	    "results are the user's, in their order", CALLS(CALL("a") "," CALL("b")),
	    RESULTS(RESULT("b", "2") "," RESULT("a", "1")), USER("go"));
	WRITTEN(
	    &ordered,
	    "{\"m\":[{\"role\":\"model\",\"p\":[\"a\",\"b\"]},{\"role\":\"user\",\"p\":[\"a=1\","
	    "\"b=2\",\"go\"]}]}",
	    "or in that of the calls", CALLS(CALL("a") "," CALL("b")),
	    RESULTS(RESULT("b", "2") "," RESULT("a", "1")), USER("go"));
	WRITTEN(
	    &merging,
	    "{\"m\":[{\"role\":\"model\",\"p\":[\"a\",\"b\"]},{\"role\":\"user\",\"p\":[\"b=2\","
	    "\"a=missing\",\"go\"]}]}",
	    "a result that never came is made up", CALLS(CALL("a") "," CALL("b")),
	    RESULTS(RESULT("b", "2")), USER("go"));
	WRITTEN(&ordered,
		"{\"m\":[{\"role\":\"model\",\"p\":[\"a\",\"b\"]},{\"role\":\"user\",\"p\":"
		"[\"a=missing\",\"b=2\"]}]}",
		"at the end too", CALLS(CALL("a") "," CALL("b")), RESULTS(RESULT("b", "2")));
	WRITTEN(
	    &merging,
	    "{\"m\":[{\"role\":\"model\",\"p\":[\"a\",\"b\"]},{\"role\":\"user\",\"p\":[\"a=1\","
	    "\"b=2\",\"Result of :\\n1\"]}]}",
	    "results may come in several messages, and once", CALLS(CALL("a") "," CALL("b")),
	    RESULTS(RESULT("a", "1")), RESULTS(RESULT("b", "2")), RESULTS(RESULT("a", "1")));
}

static void ids(void)
{
	struct buffer id = {0}, again = {0};
	struct span text = SPAN("functions.f:0");

	WRITTEN(
	    &merging,
	    "{\"m\":[{\"role\":\"model\",\"p\":[\"Pmsj\",\"short_1\"]},{\"role\":\"user\",\"p\":"
	    "[\"Pmsj=1\",\"short_1=2\"]}]}",
	    "an id that is not taken becomes one that is, for the call and its result",
	    CALLS(CALL("far too long") "," CALL("short_1")),
	    RESULTS(RESULT("far too long", "1") "," RESULT("short_1", "2")));
	transcript_make_id(&id, "call_", 12, hash_add(HASH_START, text));
	transcript_make_id(&again, "call_", 12, hash_add(HASH_START, text));
	unit_same(buffer_span(&id), buffer_span(&again), "it is the same every time");
	unit_ok(id.len == 17 &&
		    transcript_id_fits(buffer_span(&id), &(struct transcript_ids){.most = 17}),
		"and has the characters that are taken");
	unit_ok(!transcript_id_fits(SPAN("a_b"), &(struct transcript_ids){.exact = 3}) &&
		    transcript_id_fits(SPAN("aXb"), &(struct transcript_ids){.exact = 3}) &&
		    !transcript_id_fits(SPAN(""), &(struct transcript_ids){.most = 3}),
		"a fixed length means letters and digits");
	buffer_free(&id);
	buffer_free(&again);
}

/* What was written for a message is written once. */
static void keeps(void)
{
	const struct span texts[] = {USER("go"), CALLS(CALL("a")), RESULTS(RESULT("a", "1")),
				     CALLS(CALL("b")), RESULTS(RESULT("b", "2"))};
	struct message *const *messages = typed(texts, 5);
	const char *first = "{\"m\":[{\"role\":\"user\",\"p\":[\"go\"]},{\"role\":\"model\",\"p\":["
			    "\"a\"]},{\"role\":"
			    "\"user\",\"p\":[\"a=1\"]}]}";
	struct transcript_form other = merging;
	struct message *const *turns =
	    typed((const struct span[]){USER("a"), SAYS("b"), USER("c")}, 3);

	is_written(&merging, messages, 3, first, "a request");
	unit_ok(written == 3, "writes each message");
	is_written(&merging, messages, 3, first, "the same request again");
	unit_ok(written == 0, "writes none");
	is_written(
	    &merging, messages, 5,
	    "{\"m\":[{\"role\":\"user\",\"p\":[\"go\"]},{\"role\":\"model\",\"p\":[\"a\"]},{"
	    "\"role\":\"user\",\"p\":[\"a=1\"]},{\"role\":\"model\",\"p\":[\"b\"]},{\"role\":"
	    "\"user\",\"p\":[\"b=2\"]}]}",
	    "the next request");
	unit_ok(written == 2, "writes the new ones");
	is_written(&other, messages, 3, first, "another form");
	unit_ok(written == 3, "writes all again");
	other.uses_in_loop = true;
	is_written(&other, turns, 2,
		   "{\"m\":[{\"role\":\"user\",\"p\":[\"a\"]},{\"role\":\"model\",\"p\":[\"b\","
		   "\"loop\"]}]}",
		   "a response of the running loop");
	is_written(&other, turns, 3,
		   "{\"m\":[{\"role\":\"user\",\"p\":[\"a\"]},{\"role\":\"model\",\"p\":[\"b\"]},{"
		   "\"role\":\"user\",\"p\":[\"c\"]}]}",
		   "is written again when the user goes on");
}

int main(void)
{
	merges();
	answers();
	ids();
	keeps();
	return unit_done();
}
