/*
 * sink: write events, as lines, to standard output and to a log, and messages to standard error.
 *
 * An event is begun, its data is written with lib/json, and it is ended:
 *     struct buffer *data = event_begin(stream, EVENT_LLM_CHUNK);
 *     json_put_string(data, "text", text);
 *     event_end(stream);
 *
 * Nothing here waits for a reader. Lines are collected in `pending`, and the loop writes them when
 * standard output and the log accept them, to the log first. While too many bytes are waiting, the
 * sources of the loop are held (loop_hold): a slow reader slows the provider down and memory stays
 * bounded, but timers, signals, tools and other runs go on. The owner of the sink flushes it before
 * the loop waits. Code that needs an event to be in the log first, such as the start of a tool,
 * uses event_sink_when_logged.
 *
 * Messages to the user are appended to `errors` (warn_to, live_line_add), which the loop writes in
 * the same way, independently of the events; if both go to the same file, between the lines. While
 * the loop runs, nothing else writes to standard error.
 */
#ifndef EVENT_SINK_H
#define EVENT_SINK_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/screen.h"
#include "event/secrets.h"
#include "event/types.h"
#include "json/json.h"
#include "loop/fd_writer.h"

enum {
	/* The loop is held above this number of waiting bytes of events and messages, and released
	 * below half of it. */
	EVENT_SINK_MAX_WAITING = 256 * 1024,
	/* How long a reader may read nothing after event_sink_limit_stall. */
	EVENT_SINK_STALL_MS = 1000,
};

/* A callback for the time when all events so far are in the log. */
struct event_waiter {
	void (*logged)(void *context);
	void *context;
	/* private */
	int64_t position;
	struct event_waiter *next;
};

/* Standard output, the log or standard error. */
struct event_output {
	int error; /* errno: why nothing more is written (EPIPE: no reader; ETIMEDOUT: the reader
		    * was given up); 0: no error */
	/* private */
	struct fd_writer writer;
	struct event_sink *sink;
	size_t written; /* of the sink's `pending`, or of `errors` */
	bool in_line;   /* the last byte written was not the end of a line */
};

/* On a terminal, standard output gets the lines coloured and with control characters made visible
 * (terminal_add_event). Zeroed: a sink that collects lines until event_sink_start. Several runs may
 * share a sink, their events interleaved. */
struct event_sink {
	struct buffer pending;  /* lines that an output has not written; the last may be partial */
	struct buffer errors;   /* messages that standard error has not accepted */
	struct secrets secrets; /* masked in all events and messages */
	const char *log_name;   /* for messages about the log; borrowed */
	bool sync; /* fdatasync the log after each write (--fsync); the loop waits for the disk */
	struct event_output output, log, error_output;

	/* private */
	struct loop *loop;    /* NULL: not started */
	size_t data_start;    /* of the event that is being written, in `pending` */
	size_t flushed;       /* of `pending` after the last event_sink_flush */
	bool is_shown;        /* standard output is a terminal: a person reads it */
	bool has_color;       /* and the lines are coloured */
	struct buffer shown;  /* of `pending`, as it is shown there */
	bool waits;           /* something was waiting after it */
	struct screen screen; /* standard error, if it is a terminal */
	bool shares_file;     /* standard output and standard error are the same file */
	int64_t dropped;      /* bytes that have been removed from `pending` */
	int64_t held;         /* where standard output stops, counted like `dropped`; 0: nowhere */
	struct event_waiter *waiters;
	struct loop_timer *waiter_timer, *stall_timer;
	int64_t progress_at; /* the last time that nothing was waiting or a reader read something */
	int unread;          /* bytes in the pipes when they were last checked */
};

/* Begin to write, from `loop`, events to `fd` and `log_fd` and messages to `error_fd` (-1: there is
 * none), which the caller closes after event_sink_free. */
void event_sink_start(struct event_sink *sink, struct loop *loop, int fd, int log_fd, int error_fd);
void event_sink_free(struct event_sink *sink);

/* Write as much as standard output, the log and standard error accept now. Messages that standard
 * error can never accept, because its reader is gone, are dropped. */
void event_sink_flush(struct event_sink *sink);

/* Flush, and return whether all events so far are in the log (or the log has failed). If not, the
 * loop calls waiter->logged when they are. */
bool event_sink_when_logged(struct event_sink *sink, struct event_waiter *waiter);
void event_sink_remove_waiter(struct event_sink *sink, struct event_waiter *waiter);

/* Append why the log cannot be written, as one sentence. Returns false if there is no reason. */
bool event_sink_log_failure(const struct event_sink *sink, struct buffer *out);

/* What is appended from now on is written to the log only, until event_sink_release. That returns
 * false if the log has failed meanwhile; then the appended events are withdrawn. */
void event_sink_hold_output(struct event_sink *sink);
bool event_sink_release_output(struct event_sink *sink);

/* Whether nothing is waiting to be written. */
bool event_sink_is_idle(const struct event_sink *sink);

/* Write everything without the loop, which does not run any more: complete events only, for at most
 * EVENT_SINK_STALL_MS. */
void event_sink_drop_partial(struct event_sink *sink);
void event_sink_drain(struct event_sink *sink);

/* The program must end: from now on, an output whose reader reads nothing for
 * EVENT_SINK_STALL_MS is given up (ETIMEDOUT). */
void event_sink_limit_stall(struct event_sink *sink);

/* The events of one run. */
struct event_stream {
	struct event_sink *sink;
	char run_id[UUID_SIZE];
	struct clock_stamp stamp;
	int64_t seq; /* of the next event */
	size_t line; /* private: where the event that was begun begins */
};

/* A stream with a new run_id. */
void event_stream_init(struct event_stream *stream, struct event_sink *sink);

/* Begin an event of `type` (not EVENT_OTHER). Returns the buffer to which the caller appends the
 * members of `data`; it must not use the sink in any other way until event_end, which shortens an
 * event that is longer than EVENT_MAX_LINE (event/shorten.h). */
struct buffer *event_begin(struct event_stream *stream, enum event_type type);
void event_end(struct event_stream *stream);

#endif
