#include "model/protocol/openai_chat.h"

/* The text between the quotes of a string value, as it is written. */
static struct span raw_inside(struct span string)
{
	return (struct span){string.at + 1, string.len - 2};
}

static void finish_entry(struct chat_details *details)
{
	struct buffer *out = &details->entries;

	if (details->open.len == 0)
		return;
	if (out->len > 0)
		buffer_add_char(out, ',');
	buffer_add(out, details->open.at, details->open.len - 1);
	json_key(out, details->text_key);
	buffer_add_char(out, '"');
	buffer_add_span(out, buffer_span(&details->text));
	buffer_add_char(out, '"');
	if (details->signature.len > 0)
		json_put_raw(out, "signature", buffer_span(&details->signature));
	buffer_add_char(out, '}');
	buffer_clear(&details->open);
}

/* Whether `entry` goes on with the text that is open: the same type at the same index. */
static bool goes_on(const struct chat_details *details, struct span entry)
{
	struct span open = buffer_span(&details->open);

	return open.len > 0 && span_equal(json_get(open, "type"), json_get(entry, "type")) &&
	       span_equal(json_get(open, "index"), json_get(entry, "index"));
}

static void open_entry(struct chat_details *details, struct span entry, const char *text_key)
{
	struct json_walk walk = json_walk(entry);
	struct buffer *out = &details->open;

	finish_entry(details);
	buffer_clear(&details->text);
	buffer_clear(&details->signature);
	details->text_key = text_key;
	json_open(out, '{');
	while (json_next(&walk)) {
		if (json_is(walk.key, text_key) || json_is(walk.key, "signature"))
			continue;
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		json_write_compact(out, walk.value);
	}
	json_close(out, '}');
}

static void read_entry(struct chat_decoder *d, struct span entry, bool say)
{
	struct chat_details *details = &d->details;
	bool summary = json_is(json_get(entry, "type"), "reasoning.summary");
	const char *text_key = summary ? "summary" : "text";
	struct span text = json_get(entry, text_key);
	struct span signature = json_get(entry, "signature");

	if (!summary && !json_is(json_get(entry, "type"), "reasoning.text")) {
		finish_entry(details);
		if (details->entries.len > 0)
			buffer_add_char(&details->entries, ',');
		json_write_compact(&details->entries, entry);
		return;
	}
	if (!goes_on(details, entry))
		open_entry(details, entry, text_key);
	if (json_type(text) == JSON_STRING)
		buffer_add_span(&details->text, raw_inside(text));
	if (json_type(signature) == JSON_STRING) {
		buffer_clear(&details->signature);
		buffer_add_span(&details->signature, signature);
	}
	if (say)
		chat_thinking(d, text);
}

void chat_details_read(struct chat_decoder *d, struct span details, bool say)
{
	struct json_walk walk = json_walk(details);

	while (json_next(&walk))
		if (json_type(walk.value) == JSON_OBJECT)
			read_entry(d, walk.value, say);
}

void chat_details_end(struct chat_decoder *d)
{
	const struct model_handler *handler = d->base.handler;
	struct buffer data = {0};

	finish_entry(&d->details);
	if (d->details.entries.len == 0)
		return;
	buffer_add_text(&data, "{\"reasoning_details\":[");
	buffer_add_span(&data, buffer_span(&d->details.entries));
	buffer_add_text(&data, "]}");
	handler->delta(handler->context,
		       &(struct model_delta){.type = MODEL_MESSAGE_DATA,
					     .text = pieces_repair(&d->pieces, buffer_span(&data)),
					     .index = -1});
	buffer_free(&data);
}

void chat_details_free(struct chat_decoder *d)
{
	buffer_free(&d->details.entries);
	buffer_free(&d->details.open);
	buffer_free(&d->details.text);
	buffer_free(&d->details.signature);
}
