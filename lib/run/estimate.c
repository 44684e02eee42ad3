#include "run/estimate.h"

enum { ASCII_PER_TOKEN = 4, BYTES_PER_TOKEN = 3, OF_MESSAGE = 4, OF_ATTACHMENT = 1000 };

int64_t estimate_text(struct span text)
{
	int64_t ascii = 0, other;

	for (size_t i = 0; i < text.len; i++)
		ascii += (unsigned char)text.at[i] < 0x80;
	other = (int64_t)text.len - ascii;
	return (ascii + ASCII_PER_TOKEN - 1) / ASCII_PER_TOKEN +
	       (other + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
}

/* A member's value; strings without their quotes. */
static int64_t of_value(struct span value)
{
	if (json_type(value) == JSON_STRING)
		value = (struct span){value.at + 1, value.len - 2};
	return estimate_text(value);
}

static int64_t of_part(const struct part *part)
{
	if (part->data.at != NULL)
		return OF_ATTACHMENT;
	if (part->type == PART_THINKING)
		return 0;
	return of_value(part->text) + of_value(part->tool_name) + of_value(part->args) +
	       of_value(part->invalid_args) + of_value(part->result);
}

int64_t estimate_message(struct message *message)
{
	if (message->tokens > 0)
		return message->tokens;
	message->tokens = OF_MESSAGE;
	for (size_t i = 0; i < message->part_count; i++)
		message->tokens += of_part(&message->parts[i]);
	return message->tokens;
}

int64_t estimate_request(const struct model_request *request)
{
	int64_t tokens = estimate_text(request->schema);

	if (request->system != NULL)
		tokens += estimate_text(span_of(request->system));
	for (size_t i = 0; i < request->tool_count; i++)
		tokens += OF_MESSAGE + estimate_text(span_of(request->tools[i].name)) +
			  estimate_text(span_of(request->tools[i].description)) +
			  estimate_text(request->tools[i].parameters);
	for (size_t i = 0; i < request->message_count; i++)
		tokens += estimate_message(request->messages[i]);
	return tokens;
}
