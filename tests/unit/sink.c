/* sink: events and messages to readers that are slow, stand still or leave, and events to a log. */
#define _GNU_SOURCE /* O_DIRECT of a pipe */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sink.h"

enum { MILLISECOND = 1000000 };

struct world {
	struct loop *loop;
	struct event_sink sink;
	struct event_stream stream;
	int reader, writer; /* of what the sink writes to */
	struct buffer read; /* by the reader */
	struct loop_timer *timer;
	int logged; /* calls of the waiter */
};

static void add_events(struct world *world, int count, size_t size)
{
	char *text = mem_zero(size + 1);

	memset(text, 'x', size);
	for (int i = 0; i < count; i++) {
		json_put_text(event_begin(&world->stream, EVENT_RAW), "payload", text);
		event_end(&world->stream);
	}
	free(text);
}

static void before_wait(void *context)
{
	struct world *world = context;

	event_sink_flush(&world->sink);
	if (event_sink_is_idle(&world->sink))
		loop_stop(world->loop);
}

static void begin(struct world *world, const int ends[2], int log_fd)
{
	*world = (struct world){.loop = loop_new(), .reader = ends[0], .writer = ends[1]};
	event_stream_init(&world->stream, &world->sink);
	event_sink_start(&world->sink, world->loop, world->writer, log_fd, -1);
	loop_before_wait(world->loop, before_wait, world);
}

static void end(struct world *world)
{
	loop_timer_remove(world->timer);
	event_sink_free(&world->sink);
	loop_free(world->loop);
	buffer_free(&world->read);
	close(world->writer);
	if (world->reader >= 0)
		close(world->reader);
}

/* Read what is there, at most `most` bytes at once. */
static void read_some(struct world *world, size_t most)
{
	struct pollfd wait = {.fd = world->reader, .events = POLLIN};
	ssize_t got;

	while (poll(&wait, 1, 0) > 0) {
		buffer_reserve(&world->read, most);
		got = read(world->reader, world->read.at + world->read.len, most);
		if (got <= 0)
			return;
		world->read.len += (size_t)got;
	}
}

static void read_later(void *context)
{
	struct world *world = context;

	read_some(world, 1000);
	world->timer = loop_timer_add(world->loop, MILLISECOND, read_later, world);
}

/* The loop runs, and the reader reads now and then, until nothing waits. */
static void run_with_reader(struct world *world)
{
	world->timer = loop_timer_add(world->loop, 0, read_later, world);
	loop_run(world->loop);
	read_some(world, 4096);
}

/* The events in order, each a whole line. */
static bool is_complete(const struct world *world)
{
	struct span rest = buffer_span(&world->read);
	int64_t seq = 0;

	while (rest.len > 0) {
		const char *newline = memchr(rest.at, '\n', rest.len);
		struct span line = {rest.at, newline != NULL ? (size_t)(newline - rest.at) : 0};

		if (newline == NULL || json_int(json_get(line, "seq"), -1) != seq++)
			return false;
		rest = span_from(rest, line.len + 1);
	}
	return seq == world->stream.seq;
}

static void make_ends(int ends[2], bool socket)
{
	if ((socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends)) != 0)
		exit(2);
}

static void test_slow_reader(const char *name, bool socket, bool polled)
{
	struct world world;
	int ends[2];

	make_ends(ends, socket);
	begin(&world, ends, -1);
	if (polled) {
		unit_ok(world.sink.output.writer.kind == FD_WRITER_OWN, "a pipe is opened again");
		world.sink.output.writer.kind = FD_WRITER_POLLED;
	}
	add_events(&world, 3000, 100);
	add_events(&world, 5, 3 * PIPE_BUF);
	event_sink_flush(&world.sink);
	unit_ok(loop_is_held(world.loop), "%s: the loop is held while much waits", name);
	unit_ok((fcntl(ends[1], F_GETFL) & O_NONBLOCK) == 0,
		"%s: the descriptor that was given stays blocking", name);
	run_with_reader(&world);
	unit_ok(!loop_is_held(world.loop), "%s: and released afterwards", name);
	unit_ok(is_complete(&world), "%s: a slow reader gets every event", name);
	end(&world);
}

/* Lines that fit into PIPE_BUF are not split: a pipe with packets shows each write. */
static void test_whole_lines(void)
{
	char bytes[2 * PIPE_BUF];
	struct world world;
	int ends[2], split = 0;
	ssize_t got;

	make_ends(ends, false);
	begin(&world, ends, -1);
	if (fcntl(world.sink.output.writer.fd, F_SETFL, O_NONBLOCK | O_DIRECT) != 0)
		exit(2);
	for (int i = 0; i < 200; i++) {
		add_events(&world, 1, 10 + (size_t)i * 7 % 3000);
		event_sink_flush(&world.sink);
		while ((i % 20 == 19) && poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, 0) > 0) {
			got = read(ends[0], bytes, sizeof(bytes));
			split += got <= 0 || bytes[got - 1] != '\n' || bytes[0] != '{';
		}
	}
	unit_ok(split == 0, "no line is split over two writes");
	end(&world);
}

static void test_reader_leaves(void)
{
	struct world world;
	int ends[2];

	make_ends(ends, false);
	begin(&world, ends, -1);
	add_events(&world, 3000, 100);
	event_sink_flush(&world.sink);
	close(world.reader);
	world.reader = -1;
	loop_run(world.loop);
	unit_ok(world.sink.output.error == EPIPE, "a reader that leaves is noticed");
	unit_ok(!loop_is_held(world.loop), "what it has not read holds nobody");
	end(&world);
}

static void test_stall(void)
{
	struct world world;
	int ends[2];

	make_ends(ends, false);
	begin(&world, ends, -1);
	add_events(&world, 3000, 100);
	event_sink_flush(&world.sink);
	event_sink_limit_stall(&world.sink);
	loop_run(world.loop);
	unit_ok(world.sink.output.error == ETIMEDOUT, "a reader that takes nothing is given up");
	end(&world);
}

static void read_byte(void *context)
{
	struct world *world = context;
	char byte;

	if (world->read.len < 10 && read(world->reader, &byte, 1) == 1)
		buffer_add_char(&world->read, byte);
	else
		read_some(world, 4096);
	world->timer = loop_timer_add(world->loop, 150 * MILLISECOND, read_byte, world);
}

static void test_patient_with_bytes(void)
{
	struct world world;
	int ends[2];

	make_ends(ends, false);
	begin(&world, ends, -1);
	add_events(&world, 1000, 100);
	event_sink_flush(&world.sink);
	event_sink_limit_stall(&world.sink);
	world.timer = loop_timer_add(world.loop, 0, read_byte, &world);
	loop_run(world.loop);
	read_some(&world, 4096);
	unit_ok(world.sink.output.error == 0 && is_complete(&world),
		"a reader that takes a byte now and then is not given up");
	end(&world);
}

/* ---- the log ---- */

static void is_logged(void *context)
{
	((struct world *)context)->logged++;
}

static void test_slow_log(void)
{
	struct world world, log = {0};
	int ends[2], log_ends[2];

	make_ends(ends, false);
	make_ends(log_ends, false);
	begin(&world, ends, log_ends[1]);
	log.reader = log_ends[0];
	add_events(&world, 1000, 100);
	event_sink_flush(&world.sink);
	read_some(&world, 4096);
	read_some(&log, 4096);
	unit_ok(log.read.len >= world.read.len && world.read.len > 0 && world.sink.pending.len > 0,
		"what a slow log does not have yet, standard output does not get");
	for (int i = 0; i < 1000 && !event_sink_is_idle(&world.sink); i++) {
		event_sink_flush(&world.sink);
		world.sink.log.writer.full = world.sink.output.writer.full = false;
		read_some(&world, 4096);
		read_some(&log, 4096);
	}
	unit_same(buffer_span(&world.read), buffer_span(&log.read), "both get the same in the end");
	end(&world);
	close(log_ends[1]);
	close(log_ends[0]);
	buffer_free(&log.read);
}

static void read_log(void *context)
{
	struct world *world = context;

	unit_ok(world->logged == 0, "who waits for the log waits while it is full");
	world->timer = loop_timer_add(world->loop, MILLISECOND, read_later, world);
}

static void test_waiter(void)
{
	struct event_waiter waiter = {.logged = is_logged}, other = {.logged = is_logged};
	struct world world;
	int ends[2];

	make_ends(ends, false);
	begin(&world, (const int[2]){ends[0], -1}, ends[1]);
	waiter.context = other.context = &world;
	add_events(&world, 1, 100);
	unit_ok(event_sink_when_logged(&world.sink, &waiter),
		"a log that takes a line has it at once");
	add_events(&world, 1000, 100);
	unit_ok(!event_sink_when_logged(&world.sink, &waiter), "a full log does not");
	unit_ok(!event_sink_when_logged(&world.sink, &other), "nor for a second one");
	event_sink_remove_waiter(&world.sink, &other);
	world.timer = loop_timer_add(world.loop, 20 * MILLISECOND, read_log, &world);
	loop_run(world.loop);
	loop_timer_remove(world.timer);
	world.timer = loop_timer_add(world.loop, 0, (void (*)(void *))loop_stop, world.loop);
	loop_before_wait(world.loop, NULL, NULL);
	loop_run(world.loop);
	world.timer = NULL;
	unit_ok(world.logged == 1, "who waits is called once, who was removed not at all");
	read_some(&world, 4096);
	unit_ok(is_complete(&world), "the log has every event");
	end(&world);
	close(ends[1]);
}

/* ---- messages ---- */

static void add_messages(struct world *world, int count)
{
	for (int i = 0; i < count; i++)
		warn_to(&world->sink.errors, "message %d", i);
}

static bool has_messages(const struct world *world, int count)
{
	struct buffer wanted = {0};
	bool same;

	for (int i = 0; i < count; i++)
		warn_to(&wanted, "message %d", i);
	same = span_equal(buffer_span(&world->read), buffer_span(&wanted));
	buffer_free(&wanted);
	return same;
}

/* Begin with a reader for the messages, and one for the events, which is returned. */
static int begin_messages(struct world *world)
{
	int ends[2], event_ends[2];

	make_ends(ends, false);
	make_ends(event_ends, false);
	*world = (struct world){.loop = loop_new(), .reader = ends[0], .writer = ends[1]};
	event_stream_init(&world->stream, &world->sink);
	event_sink_start(&world->sink, world->loop, event_ends[1], -1, ends[1]);
	loop_before_wait(world->loop, before_wait, world);
	close(event_ends[1]); /* the sink has opened it again */
	return event_ends[0];
}

static void test_messages(void)
{
	struct world world;
	int events = begin_messages(&world);
	char bytes[4096];

	add_messages(&world, 30000);
	add_events(&world, 1, 10);
	event_sink_flush(&world.sink);
	unit_ok(loop_is_held(world.loop), "the loop is held while many messages wait");
	unit_ok(read(events, bytes, sizeof(bytes)) > 0, "events do not wait for messages");
	run_with_reader(&world);
	unit_ok(!loop_is_held(world.loop) && has_messages(&world, 30000),
		"a slow reader gets every message, in order");
	close(events);
	end(&world);
}

static void test_message_stall(void)
{
	struct world world;
	int events = begin_messages(&world);

	add_messages(&world, 10000);
	event_sink_flush(&world.sink);
	event_sink_limit_stall(&world.sink);
	loop_run(world.loop);
	unit_ok(world.sink.error_output.error == ETIMEDOUT && world.sink.output.error == 0,
		"a reader that reads no message is given up, but not that of the events");
	add_messages(&world, 1);
	event_sink_flush(&world.sink);
	unit_ok(event_sink_is_idle(&world.sink), "further messages are dropped");
	close(events);
	end(&world);
}

static void test_message_reader_leaves(void)
{
	struct world world;
	int events = begin_messages(&world);

	add_messages(&world, 30000);
	event_sink_flush(&world.sink);
	close(world.reader);
	world.reader = -1;
	loop_run(world.loop);
	unit_ok(world.sink.error_output.error == EPIPE && world.sink.output.error == 0,
		"a reader of messages that leaves is noticed");
	unit_ok(!loop_is_held(world.loop), "messages that it has not read hold nobody");
	close(events);
	end(&world);
}

static void test_shared_pipe(void)
{
	struct world world = {.loop = loop_new()};
	struct span rest, line;
	bool whole = true;
	int ends[2], lines = 0;

	make_ends(ends, false);
	world.reader = ends[0];
	world.writer = ends[1];
	event_stream_init(&world.stream, &world.sink);
	event_sink_start(&world.sink, world.loop, ends[1], -1, ends[1]);
	loop_before_wait(world.loop, before_wait, &world);
	add_events(&world, 2, 100000);
	event_sink_flush(&world.sink);
	read_some(&world, 50000);
	add_messages(&world, 1);
	run_with_reader(&world);
	for (rest = buffer_span(&world.read); span_next_line(&rest, &line, NULL); lines++)
		whole = whole && (json_check(line, NULL) || span_ends(line, ": message 0"));
	unit_ok(whole && lines == 3, "a message does not interrupt an event in the same pipe");
	end(&world);
}

static void test_not_started(void)
{
	struct world world = {.loop = loop_new()};
	int ends[2];

	make_ends(ends, false);
	event_stream_init(&world.stream, &world.sink);
	add_events(&world, 1, 100000);
	event_sink_flush(&world.sink);
	unit_ok(world.sink.pending.len > 100000, "before the start events gather");
	world.reader = ends[0];
	world.writer = ends[1];
	event_sink_start(&world.sink, world.loop, ends[1], -1, -1);
	loop_before_wait(world.loop, before_wait, &world);
	run_with_reader(&world);
	unit_ok(is_complete(&world), "and are written then");
	end(&world);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_slow_reader("pipe", false, false);
	test_slow_reader("socket", true, false);
	test_slow_reader("a pipe that cannot be opened again", false, true);
	test_whole_lines();
	test_reader_leaves();
	test_stall();
	test_patient_with_bytes();
	test_slow_log();
	test_waiter();
	test_messages();
	test_message_stall();
	test_message_reader_leaves();
	test_shared_pipe();
	test_not_started();
	return unit_done();
}
