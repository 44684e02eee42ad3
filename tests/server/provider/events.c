#include "events.h"

#include "json/json.h"

/* ---- made up ---- */

static void open_chunk(struct buffer *body)
{
	buffer_add_text(body, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","
			      "\"created\":1700000000,\"model\":\"test-model\",\"choices\":[");
}

static void add_content(struct buffer *body, struct span text)
{
	open_chunk(body);
	buffer_add_text(body, "{\"index\":0,\"delta\":{\"content\":");
	json_write_string(body, text);
	buffer_add_text(body, "},\"finish_reason\":null}]}\n\n");
}

void events_say(struct buffer *body, struct span text)
{
	while (text.len > 0) {
		const char *space = memchr(text.at, ' ', text.len);
		size_t len = space != NULL ? (size_t)(space - text.at) + 1 : text.len;

		add_content(body, (struct span){text.at, len});
		text = span_from(text, len);
	}
}

void events_generate(struct buffer *body, long count, const char *word)
{
	for (long i = 0; i < count; i++)
		add_content(body, span_of(word));
}

void events_call(struct buffer *body, const char *id, int index, struct span name,
		 struct span arguments)
{
	enum { PIECE = 10 };

	open_chunk(body);
	buffer_add_format(body,
			  "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":%d,\"id\":", index);
	json_write_string(body, span_of(id));
	buffer_add_text(body, ",\"type\":\"function\",\"function\":{\"name\":");
	json_write_string(body, name);
	buffer_add_text(body, ",\"arguments\":\"\"}}]},\"finish_reason\":null}]}\n\n");
	while (arguments.len > 0) {
		size_t len = arguments.len < PIECE ? arguments.len : PIECE;

		/* Not inside a UTF-8 sequence: the writer would replace its halves. */
		while (len < arguments.len && ((unsigned char)arguments.at[len] & 0xC0) == 0x80)
			len++;
		open_chunk(body);
		buffer_add_format(
		    body,
		    "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":%d,\"function\":{"
		    "\"arguments\":",
		    index);
		json_write_string(body, (struct span){arguments.at, len});
		buffer_add_text(body, "}}]},\"finish_reason\":null}]}\n\n");
		arguments = span_from(arguments, len);
	}
}

void events_finish(struct buffer *body, const char *finish_reason)
{
	open_chunk(body);
	buffer_add_text(body, "{\"index\":0,\"delta\":{},\"finish_reason\":");
	json_write_string(body, span_of(finish_reason));
	buffer_add_text(body, "}]}\n\n");
	open_chunk(body);
	buffer_add_text(body, "],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,"
			      "\"total_tokens\":15}}\n\ndata: [DONE]\n\n");
}

/* ---- changed ---- */

/* The line that begins at `*from`, without its line end (LF, CR or CRLF); moves `*from` behind it
 * and says what the line end was. */
static struct span take_line(struct span body, size_t *from, struct span *line_end)
{
	size_t end = *from, behind;

	while (end < body.len && body.at[end] != '\n' && body.at[end] != '\r')
		end++;
	behind = end < body.len ? end + 1 : end;
	if (behind < body.len && body.at[end] == '\r' && body.at[behind] == '\n')
		behind++;
	struct span line = {body.at + *from, end - *from};

	*line_end = (struct span){body.at + end, behind - end};
	*from = behind;
	return line;
}

size_t events_next(struct span body, size_t from, bool by_line)
{
	bool has_content = false;
	struct span line_end;

	while (from < body.len) {
		struct span line = take_line(body, &from, &line_end);

		if (by_line || (line.len == 0 && has_content))
			break;
		has_content = has_content || line.len > 0;
	}
	return from;
}

/* A place in JSON text where white space may stand, behind a comma or a colon and nearest the
 * middle; 0: none. */
static size_t gap_in_json(struct span text)
{
	bool in_string = false;
	size_t best = 0, middle = text.len / 2;

	for (size_t i = 0; i < text.len && (best == 0 || i <= middle); i++) {
		char c = text.at[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == ',' || c == ':'))
			best = i + 1;
	}
	return best < text.len ? best : 0;
}

struct mutator {
	const struct mutation *mutation;
	struct buffer out;
	struct span line_end;
	int events;
	bool begun; /* inside an event */
};

static void add_line(struct mutator *m, struct span a, struct span b)
{
	buffer_add_span(&m->out, a);
	buffer_add_span(&m->out, b);
	buffer_add_span(&m->out, m->line_end);
}

static void begin_event(struct mutator *m)
{
	if (m->begun)
		return;
	m->begun = true;
	if (m->mutation->comments && m->events % 2 == 0) {
		/* A comment of its own, as keep-alives come, and one inside the event. */
		add_line(m, SPAN(": PROCESSING"), SPAN(""));
		add_line(m, SPAN(""), SPAN(""));
	}
	if (m->mutation->comments)
		add_line(m, m->events % 3 == 0 ? SPAN(":") : SPAN(": "), SPAN(""));
	m->events++;
	if (m->mutation->ids) {
		struct buffer id = {0};

		buffer_add_format(&id, "%d", m->events);
		add_line(m, m->mutation->no_space ? SPAN("id:") : SPAN("id: "), buffer_span(&id));
		add_line(m, SPAN("retry: 3000"), SPAN(""));
		buffer_free(&id);
	}
}

static void add_field(struct mutator *m, struct span line)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct span name = line, value = {0};
	size_t gap = 0;

	if (colon != NULL) {
		name.len = (size_t)(colon - line.at) + 1;
		value = span_from(line, name.len);
		if (value.len > 0 && value.at[0] == ' ') {
			value = span_from(value, 1);
			name.len += !m->mutation->no_space;
		}
	}
	if (m->mutation->split && span_starts(name, "data:") && value.len > 0 && value.at[0] == '{')
		gap = gap_in_json(value);
	if (gap > 0) {
		add_line(m, name, (struct span){value.at, gap});
		value = span_from(value, gap);
	}
	add_line(m, name, value);
}

static void open_the_end(struct buffer *out, int open_end)
{
	size_t len = out->len;

	while (len > 0 && (out->at[len - 1] == '\n' || out->at[len - 1] == '\r'))
		len--;
	if (open_end == 1 && len < out->len) {
		/* One line end stays. */
		len +=
		    out->at[len] == '\r' && len + 1 < out->len && out->at[len + 1] == '\n' ? 2 : 1;
	}
	out->len = len;
}

void events_mutate(struct buffer *body, const struct mutation *mutation)
{
	struct mutator m = {.mutation = mutation};
	struct span text = buffer_span(body);

	if (mutation->byte_order_mark)
		buffer_add_text(&m.out, "\xEF\xBB\xBF");
	for (size_t at = 0; at < text.len;) {
		struct span line = take_line(text, &at, &m.line_end);

		if (mutation->line_end != NULL && m.line_end.len > 0)
			m.line_end = span_of(mutation->line_end);
		if (line.len == 0) {
			m.begun = false;
			add_line(&m, line, SPAN(""));
			continue;
		}
		begin_event(&m);
		add_field(&m, line);
	}
	if (mutation->open_end > 0)
		open_the_end(&m.out, mutation->open_end);
	buffer_free(body);
	*body = m.out;
}
