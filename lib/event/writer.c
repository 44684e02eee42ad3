#include "event/writer.h"

#include "base/uuid.h"

/* Lines wait for the owner's flush only up to here. */
enum { FLUSH_SIZE = 64 * 1024 };

void event_stream_init(struct event_stream *stream, struct event_sink *sink)
{
	*stream = (struct event_stream){.sink = sink};
	uuid_v7(stream->run_id);
}

struct buffer *event_begin(struct event_stream *stream, enum event_type type)
{
	struct buffer *line = &stream->sink->pending;

	buffer_add(line, "{\"event_type\":\"", 15);
	buffer_add_text(line, event_type_name(type));
	buffer_add(line, "\",\"timestamp\":\"", 15);
	clock_stamp_add(&stream->stamp, line, clock_realtime());
	buffer_add(line, "\",\"run_id\":\"", 12);
	buffer_add(line, stream->run_id, 36);
	buffer_add(line, "\",\"seq\":", 8);
	json_write_int(line, stream->seq);
	buffer_add(line, ",\"data\":{", 9);
	return line;
}

void event_end(struct event_stream *stream)
{
	struct event_sink *sink = stream->sink;

	buffer_add(&sink->pending, "}}\n", 3);
	stream->seq++;
	if (sink->pending.len - sink->flushed >= FLUSH_SIZE)
		event_flush(sink);
}
