#include "tool/excerpt.h"

#include <inttypes.h>

#include "base/utf8.h"

static struct span last_bytes(struct span text, size_t max)
{
	return text.len > max ? span_from(text, text.len - max) : text;
}

void excerpt_add(struct excerpt *excerpt, struct span text)
{
	size_t room = excerpt->head_max - excerpt->head.len;

	excerpt->total += text.len;
	if (room > 0) {
		size_t len = text.len < room ? text.len : room;

		buffer_add(&excerpt->head, text.at, len);
		text = span_from(text, len);
	}
	text = last_bytes(text, excerpt->tail_max);
	buffer_add_span(&excerpt->tail, text);
	/* Move the rest only when twice the needed bytes are there, so that each byte moves about
	 * once. */
	if (excerpt->tail.len > 2 * excerpt->tail_max)
		buffer_drop(&excerpt->tail, excerpt->tail.len - excerpt->tail_max);
}

bool excerpt_write(const struct excerpt *excerpt, struct buffer *out)
{
	struct span head = buffer_span(&excerpt->head);
	struct span tail = last_bytes(buffer_span(&excerpt->tail), excerpt->tail_max);

	if (excerpt->total <= excerpt->head_max + excerpt->tail_max) {
		buffer_add_span(out, head);
		buffer_add_span(out, tail);
		return false;
	}
	head.len -= utf8_incomplete_tail(head);
	while (tail.len > 0 && utf8_continues(tail.at[0]))
		tail = span_from(tail, 1);
	buffer_add_span(out, head);
	if (head.len > 0 && !span_ends(head, "\n"))
		buffer_add_char(out, '\n');
	buffer_add_format(out, "[... %" PRIu64 " bytes cut ...]\n",
			  excerpt->total - head.len - tail.len);
	buffer_add_span(out, tail);
	return true;
}

void excerpt_free(struct excerpt *excerpt)
{
	buffer_free(&excerpt->head);
	buffer_free(&excerpt->tail);
}
