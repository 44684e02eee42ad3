#include "run/batch_input.h"

#include <stdlib.h>

#include "base/table.h"
#include "event/log.h"
#include "event/runs.h"

enum { NO_ITEM = -1 };

/* A line of the batch, by its id and prompt. */
struct logged_item {
	struct buffer key;               /* the id, a NUL, the prompt */
	const struct logged_run *latest; /* the last run for it */
	bool is_done;
};

/* The state of a run (event/runs.h). */
struct logged_run {
	bool began;                   /* there was an agent_start */
	int item;                     /* NO_ITEM: the run is nested */
	struct logged_run *outermost; /* it has the lines: this run, or the outermost around it */
	struct buffer lines; /* of this run and those nested in it; empty if the item is done */
};

struct batch_log {
	struct runs *runs;
	struct logged_item *items;
	int item_count;
	struct table by_key; /* of the items */
	size_t damaged;      /* the last damaged line; 0: none */
	event_set types;     /* that a conversation is restored from */
	const struct secrets *secrets;
};

static void write_key(struct buffer *key, const char *id, const char *prompt)
{
	buffer_add_text(key, id);
	buffer_add_char(key, '\0');
	buffer_add_text(key, prompt);
}

/* The item with this id and prompt; NULL: no run was for it. */
static const struct logged_item *find(const struct batch_log *log, const char *id,
				      const char *prompt)
{
	struct buffer key = {0};
	const uintptr_t *item;

	if (log == NULL)
		return NULL;
	write_key(&key, id, prompt);
	secrets_mask_text(log->secrets, &key, 0); /* as in the log */
	item = table_find(&log->by_key, buffer_span(&key));
	buffer_free(&key);
	return item != NULL ? &log->items[*item] : NULL;
}

static int add_item(struct batch_log *log, struct span data)
{
	char *id = json_text(json_get(data, "id")), *prompt = json_text(json_get(data, "prompt"));
	struct buffer key = {0};
	const uintptr_t *known;

	write_key(&key, id != NULL ? id : "", prompt != NULL ? prompt : "");
	free(id);
	free(prompt);
	known = table_find(&log->by_key, buffer_span(&key));
	if (known != NULL) {
		buffer_free(&key);
		return (int)*known;
	}
	log->items = array_grow(log->items, (size_t)log->item_count, sizeof(*log->items));
	log->items[log->item_count] = (struct logged_item){.key = key};
	*table_add(&log->by_key, buffer_span(&key)) = (uintptr_t)log->item_count;
	return log->item_count++;
}

static struct logged_run *state_of(struct run *known)
{
	if (known->state == NULL) {
		struct logged_run *run = mem_zero(sizeof(*run));

		*run = (struct logged_run){.item = NO_ITEM, .outermost = run};
		known->state = run;
	}
	return known->state;
}

static void free_state(void *state)
{
	struct logged_run *run = state;

	buffer_free(&run->lines);
	free(run);
}

/* A run has started. One that is resumed is for the same line. */
static void begin_run(struct batch_log *log, struct run *known, struct span data)
{
	struct logged_run *run = state_of(known);
	struct run *parent = runs_parent(log->runs, known);

	if (run->began && !known->resumed)
		return;
	if (!run->began && parent == NULL)
		run->item = add_item(log, data);
	else if (!run->began)
		run->outermost = state_of(parent)->outermost;
	run->began = true;
	if (run->item != NO_ITEM)
		log->items[run->item].latest = run;
}

static void add_event(struct batch_log *log, const struct event *event,
		      const struct event_log *lines)
{
	struct logged_run *run;
	struct run *known;

	if (!event_set_has(log->types, event->type) || event->run_id.at == NULL)
		return;
	known = runs_log_event(log->runs, event, lines);
	if (known == NULL)
		return;
	run = state_of(known);
	if (event->type == EVENT_AGENT_START)
		begin_run(log, known, event->data);
	if (!run->began)
		return;
	if (run->item != NO_ITEM && known->succeeded) {
		log->items[run->item].is_done = true;
		buffer_free(&run->lines);
		return;
	}
	buffer_add_span(&run->outermost->lines, event->line);
	buffer_add_char(&run->outermost->lines, '\n');
}

struct batch_log *batch_log_new(struct span text, const char *source, const struct secrets *secrets)
{
	struct event_log lines = {.rest = text, .source = source};
	struct batch_log *log = mem_zero(sizeof(*log));
	struct event event;

	log->runs = runs_new(free_state, false);
	log->types = event_types(EVENT_OF_CONVERSATION);
	log->secrets = secrets;
	while (event_log_next(&lines, log->types, &event))
		add_event(log, &event, &lines);
	log->damaged = lines.damaged;
	return log;
}

size_t batch_log_damaged(const struct batch_log *log)
{
	return log->damaged;
}

bool batch_log_is_done(const struct batch_log *log, const char *id, const char *prompt)
{
	const struct logged_item *item = find(log, id, prompt);

	return item != NULL && item->is_done;
}

bool batch_log_unfinished(const struct batch_log *log, const char *id, const char *prompt,
			  struct buffer *out)
{
	const struct logged_item *item = find(log, id, prompt);

	if (item != NULL)
		buffer_add_span(out, buffer_span(&item->latest->lines));
	return item != NULL;
}

void batch_log_free(struct batch_log *log)
{
	if (log == NULL)
		return;
	for (int i = 0; i < log->item_count; i++)
		buffer_free(&log->items[i].key);
	free(log->items);
	table_free(&log->by_key);
	runs_free(log->runs);
	free(log);
}
