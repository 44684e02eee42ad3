/* Results on their way out. */
#include "collect.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/utf8.h"
#include "event/terminal.h"

/* What JSON allows in a string as it is, and a terminal obeys: DEL, C1, bidirectional controls and
 * line separators. The same set as terminal_add's. */
static bool steers_terminal(uint32_t c)
{
	return (c >= 0x7F && c <= 0x9F) || c == 0x61C || c == 0x200E || c == 0x200F ||
	       (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void json_add_safe(struct buffer *out, struct span json)
{
	size_t done = 0, i = 0, size;

	while (i < json.len) {
		unsigned char first = (unsigned char)json.at[i];
		uint32_t c;

		if (first < 0x7F) {
			i++;
			continue;
		}
		c = utf8_decode(span_from(json, i), &size);
		if (steers_terminal(c)) {
			buffer_add(out, json.at + done, i - done);
			buffer_add_format(out, "\\u%04x", (unsigned)c);
			done = i + size;
		}
		i += size;
	}
	buffer_add(out, json.at + done, json.len - done);
}

void output_flush(struct output *output)
{
	struct buffer safe = {0}, *out = &output->pending;

	if (out->len == 0)
		return;
	if (output->is_terminal) {
		if (output->is_json)
			json_add_safe(&safe, buffer_span(out));
		else
			terminal_add(&safe, buffer_span(out));
		out = &safe;
	}
	if (!write_all(output->fd, buffer_span(out))) {
		if (errno == EPIPE)
			exit(128 + SIGPIPE);
		die(STATUS_FAILED, "cannot write: %s", strerror(errno));
	}
	buffer_clear(&output->pending);
	buffer_free(&safe);
}
