/* One line a completed call, as JSON or tab-separated values. */
#include "tools.h"

static void put_value(struct buffer *out, const char *key, struct span json)
{
	json_key(out, key);
	if (json.at != NULL)
		json_write_line(out, json);
	else
		buffer_add_text(out, "null");
}

void record_json(struct buffer *out, const struct ended_call *ended)
{
	buffer_add_char(out, '{');
	put_value(out, "tool_call_id", ended->id);
	json_put_string(out, "tool_name", ended->name);
	put_value(out, "args", ended->args);
	put_value(out, "result", ended->result);
	json_put_bool(out, "is_error", ended->is_error);
	if (ended->seconds >= 0)
		json_put_double(out, "duration_seconds", to_microseconds(ended->seconds));
	else
		json_put_null(out, "duration_seconds");
	json_put_text(out, "run_id", ended->run->id[0] != '\0' ? ended->run->id : NULL);
	if (ended->iteration >= 0)
		json_put_int(out, "iteration", ended->iteration);
	else
		json_put_null(out, "iteration");
	buffer_add_text(out, "}\n");
}

/* A field: the text of a string, the JSON of anything else, nothing for null. */
static void add_field(struct buffer *out, struct span json)
{
	struct buffer text = {0};

	if (json_type(json) != JSON_NULL && !json_decode(json, &text))
		json_write_compact(&text, json);
	add_tsv(out, buffer_span(&text));
	buffer_free(&text);
}

void record_tsv(struct buffer *out, const struct ended_call *ended)
{
	add_field(out, ended->id);
	buffer_add_char(out, '\t');
	add_tsv(out, ended->name);
	buffer_add_char(out, '\t');
	add_field(out, ended->args);
	buffer_add_char(out, '\t');
	add_field(out, ended->result);
	buffer_add_text(out, ended->is_error ? "\ttrue\t" : "\tfalse\t");
	if (ended->seconds >= 0)
		json_write_double(out, to_microseconds(ended->seconds));
	buffer_add_char(out, '\t');
	add_tsv(out, span_of(ended->run->id));
	buffer_add_char(out, '\t');
	if (ended->iteration >= 0)
		json_write_int(out, ended->iteration);
	buffer_add_char(out, '\n');
}
