/* Texts, and one line for each completed call, as JSON or tab-separated values. */
#include "event/terminal.h"
#include "calls.h"

void add_one_line(struct buffer *out, struct span text, bool safe)
{
	if (safe) {
		terminal_add_visible(out, text);
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\n')
			buffer_add_text(out, "\\n");
		else if (text.at[i] == '\r')
			buffer_add_text(out, "\\r");
		else
			buffer_add_char(out, text.at[i]);
	}
}

void add_tsv(struct buffer *out, struct span text)
{
	static const char plain[] = "\t\n\r\\", letters[] = "tnr\\";

	for (size_t i = 0; i < text.len; i++) {
		const char *special = memchr(plain, text.at[i], sizeof(plain) - 1);

		if (special != NULL)
			buffer_add_char(out, '\\');
		buffer_add_char(out,
				(char)(special != NULL ? letters[special - plain] : text.at[i]));
	}
}

void add_seconds(struct buffer *out, double seconds)
{
	int64_t whole;

	if (seconds < 99.995) {
		buffer_add_format(out, "%.2fs", seconds);
		return;
	}
	if (seconds > 1e15)
		seconds = 1e15;
	whole = (int64_t)(seconds + 0.5);
	if (whole < 3600)
		buffer_add_format(out, "%lldm%02llds", (long long)(whole / 60),
				  (long long)(whole % 60));
	else
		buffer_add_format(out, "%lldh%02lldm", (long long)(whole / 3600),
				  (long long)(whole / 60 % 60));
}

double to_microseconds(double seconds)
{
	return seconds < 1e9 ? (double)(int64_t)(seconds * 1e6 + 0.5) / 1e6 : seconds;
}

/* ---- records ---- */

static struct span args_of(const struct call *call)
{
	return call->args.len > 0 ? buffer_span(&call->args) : (struct span){0};
}

void record_json(struct buffer *out, const struct call *call)
{
	struct buffer id = {0}, result = {0};

	if (call->id.at != NULL)
		json_write_line(&id, call->id);
	if (call->result.at != NULL)
		json_write_line(&result, call->result);
	buffer_add_char(out, '{');
	json_pack(out, "'tool_call_id':%J,'tool_name':%s,'args':%J,'result':%J,'is_error':%b",
		  buffer_span(&id), buffer_span(&call->name), args_of(call), buffer_span(&result),
		  call->is_error);
	json_pack(out, "'duration_seconds':%G,'run_id':%T,'iteration':%U,'id':%t",
		  call->seconds >= 0 ? to_microseconds(call->seconds) : -1,
		  call->run->id[0] != '\0' ? call->run->id : NULL, call->iteration,
		  call->run->batch_id);
	buffer_add_text(out, "}\n");
	buffer_free(&id);
	buffer_free(&result);
}

/* A field: the text of a string, the JSON of anything else, nothing for null. */
static void add_field(struct buffer *out, struct span json)
{
	struct buffer text = {0};

	if (json_type(json) != JSON_NULL && !json_decode(json, &text))
		json_write_compact(&text, json);
	add_tsv(out, buffer_span(&text));
	buffer_add_char(out, '\t');
	buffer_free(&text);
}

void record_tsv(struct buffer *out, const struct call *call)
{
	add_field(out, call->id);
	add_tsv(out, buffer_span(&call->name));
	buffer_add_char(out, '\t');
	add_field(out, args_of(call));
	add_field(out, call->result);
	buffer_add_text(out, call->is_error ? "true\t" : "false\t");
	if (call->seconds >= 0)
		json_write_double(out, to_microseconds(call->seconds));
	buffer_add_char(out, '\t');
	add_tsv(out, span_of(call->run->id));
	buffer_add_char(out, '\t');
	if (call->iteration >= 0)
		json_write_int(out, call->iteration);
	buffer_add_char(out, '\t');
	add_tsv(out, span_of(call->run->batch_id));
	buffer_add_char(out, '\n');
}
