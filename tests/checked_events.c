/*
 * Linked into the programs of the sanitizer build (make CHECK_EVENTS=1): every event that is
 * written is checked against the schema in the file $EVENT_SCHEMA. What is wrong is appended to the
 * file $EVENT_FAULTS, where tests/run finds it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "event/sink.h"
#include "schema/schema.h"

/* The names that the linker's --wrap=event_end gives to the function and to ours. */
void real_event_end(struct event_stream *stream) __asm__("__real_event_end");
void wrap_event_end(struct event_stream *stream) __asm__("__wrap_event_end");

static struct schema *schema;

static struct span last_line(struct span text)
{
	size_t at = text.len;

	while (at > 0 && text.at[at - 1] != '\n')
		at--;
	return span_from(text, at);
}

static void report(const char *file, struct span line, struct buffer *why)
{
	int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

	buffer_add_text(why, ": ");
	buffer_add(why, line.at, line.len < 400 ? line.len : 400);
	buffer_add_char(why, '\n');
	write_all(fd, buffer_span(why));
	close(fd);
}

/* Without memory or descriptors, there is no check. */
void wrap_event_end(struct event_stream *stream)
{
	const char *path = getenv("EVENT_SCHEMA"), *faults = getenv("EVENT_FAULTS");
	struct buffer line = {0}, why = {0};

	if (schema == NULL && path != NULL)
		schema = schema_read(path, NULL);
	if (schema != NULL && faults != NULL) {
		buffer_add_span(&line, last_line(buffer_span(&stream->sink->pending)));
		buffer_add_text(&line, "}}");
		if (!schema_check(schema, buffer_span(&line), &why))
			report(faults, buffer_span(&line), &why);
	}
	buffer_free(&line);
	buffer_free(&why);
	real_event_end(stream);
}
