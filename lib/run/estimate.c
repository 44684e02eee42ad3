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
static int64_t of_member(struct span part, const char *key)
{
	struct span value = json_get(part, key);

	if (json_type(value) == JSON_STRING)
		value = (struct span){value.at + 1, value.len - 2};
	return estimate_text(value);
}

static int64_t estimate_part(struct span part)
{
	static const char *const members[] = {"text", "tool_name", "args", "invalid_args",
					      "result"};
	int64_t tokens = 0;

	if (json_get(part, "data").at != NULL)
		return OF_ATTACHMENT;
	if (json_is(json_get(part, "type"), "thinking"))
		return 0;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		tokens += of_member(part, members[i]);
	return tokens;
}

int64_t estimate_message(struct span message)
{
	struct span content = json_get(message, "content");
	struct json_walk walk = json_walk(content);
	int64_t tokens = OF_MESSAGE;

	if (json_type(content) == JSON_STRING)
		return tokens + of_member(message, "content");
	while (json_next(&walk))
		tokens += estimate_part(walk.value);
	return tokens;
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
