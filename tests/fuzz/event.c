/* event: the envelope is read the same by every way, and the reader's lines are the input's. */
#define _GNU_SOURCE /* memfd_create */
#include "event/event.h"

#include <sys/mman.h>
#include <unistd.h>

#include "event/log.h"
#include "event/reader.h"
#include "event/runs.h"
#include "fuzz.h"
#include "net/sse.h"

static bool same(struct span a, struct span b)
{
	if (a.at == NULL || b.at == NULL)
		return a.at == b.at;
	return span_equal(a, b);
}

static void on_sse(void *context, const struct sse_event *sse)
{
	const struct event *event = context;
	struct buffer line = {0};

	json_write_line(&line, event->line);
	must(span_equal(sse->data, buffer_span(&line)));
	must(event->type_name.len == 0 || event->type == EVENT_ERROR ||
	     span_equal(sse->type, event->type_name));
	must(event->type != EVENT_ERROR || span_is(sse->type, "run_error"));
	buffer_free(&line);
}

/* What is framed for a browser is what the browser reads. */
static void try_sse(struct event *event)
{
	struct buffer framed = {0};
	struct sse sse;

	event_add_sse(&framed, event);
	sse_init(&sse, on_sse, event);
	must(sse_feed(&sse, buffer_span(&framed)));
	sse_end(&sse);
	sse_free(&sse);
	buffer_free(&framed);
}

/* `runs` are those of a stream, `logged` those of a log. */
static void try_line(struct span text, struct runs *runs, struct runs *logged)
{
	struct buffer line = fuzz_copy((const uint8_t *)text.at, text.len);
	struct event event, walked;
	struct json_fault fault = {0};
	struct run *run;
	struct span quick = event_type_quick(buffer_span(&line));
	bool object = json_type(json_trim(buffer_span(&line))) == JSON_OBJECT &&
		      json_check(buffer_span(&line), NULL);

	must(event_read(buffer_span(&line), &event, &fault) == object);
	must(object || fault.what != NULL);
	if (object) {
		event_envelope(buffer_span(&line), &walked);
		must(event.type == walked.type && same(event.type_name, walked.type_name) &&
		     same(event.timestamp, walked.timestamp));
		must(same(event.run_id, walked.run_id) && event.seq == walked.seq);
		must(same(event.data, walked.data) && event.line.at == line.at);
		must(quick.at == NULL || same(quick, event.type_name));
		must(event_read_one_of(event.line, EVENT_BIT(event.type), &event, &fault) ==
		     EVENT_READ);
		try_sse(&event);
		run = runs_event(runs, &event, NULL);
		must(run == NULL || !run->counts || runs_open(runs) + runs_ended(runs) > 0);
		must(runs_open(runs) <= INT32_MAX); /* it has not gone below 0 */
		if (run != NULL && run->ended)
			runs_forget(runs, run);
		run = runs_log_event(logged, &event, &(struct event_log){0});
		must(run == NULL || runs_parent(logged, run) == NULL ||
		     runs_parent(logged, run)->order < run->order);
	}
	buffer_free(&line);
}

static bool is_blank(char c, bool *nuls)
{
	*nuls = *nuls || c == '\0';
	return memchr(" \t\r", c, sizeof(" \t\r")) != NULL;
}

/* The line without the blanks around it if there are NUL bytes among them; empty if it is blank. */
static struct span without_nuls(struct span line)
{
	struct span trimmed = line;
	bool nuls = false;

	while (trimmed.len > 0 && is_blank(trimmed.at[0], &nuls))
		trimmed = span_from(trimmed, 1);
	while (trimmed.len > 0 && is_blank(trimmed.at[trimmed.len - 1], &nuls))
		trimmed.len--;
	return nuls || trimmed.len == 0 ? trimmed : line;
}

/* The next line that is not blank; the file's first one without a byte order mark. */
static bool next_line(struct span *rest, struct span *line, bool *torn, bool *first)
{
	while (rest->len > 0) {
		const char *newline = memchr(rest->at, '\n', rest->len);

		*torn = newline == NULL;
		line->at = rest->at;
		line->len = newline != NULL ? (size_t)(newline - rest->at) : rest->len;
		*rest = span_from(*rest, line->len + (newline != NULL));
		if (*first && span_starts(*line, "\xEF\xBB\xBF"))
			*line = span_from(*line, 3);
		*first = false;
		*line = without_nuls(*line);
		if (line->len > 0)
			return true;
	}
	return false;
}

static void try_reader(struct span text)
{
	char path[32];
	char *files[] = {path};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct runs *runs = runs_new(NULL, false), *logged = runs_new(NULL, false);
	struct reader *reader;
	struct span line, want;
	bool torn, first = true;

	must(fd >= 0 && write(fd, text.at, text.len) == (ssize_t)text.len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = reader_open(files, 1, false);
	reader_set_quiet(reader);
	while (reader_next(reader, &line, 0) == READER_LINE) {
		must(next_line(&text, &want, &torn, &first) && span_equal(line, want));
		must(torn == reader_line_is_torn(reader));
		try_line(line, runs, logged);
	}
	must(!next_line(&text, &want, &torn, &first));
	runs_status(runs);
	runs_free(runs);
	runs_free(logged);
	reader_close(reader);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size);

	try_reader(buffer_span(&copy));
	buffer_free(&copy);
	return 0;
}
