#include "run/batch.h"

#include <stdlib.h>

#include "run/batch_line.h"

/* One line that runs. */
struct job {
	struct batch *batch;
	struct batch_line line;
	struct run_config config;
	struct buffer log; /* of the run that it goes on with */
	struct history history;
	char *model[1]; /* the line's own, in place of everybody's */
	struct agent_run *run;
	struct job *next, *previous;
};

struct batch {
	struct batch_config config;
	struct batch_handler handler;
	struct event_sink *sink;
	struct span rest; /* lines not yet begun */
	size_t number;    /* of the line begun last */
	struct job *jobs; /* running */
	struct batch_count count;
	struct loop_timer *timer;
	int worst;
	bool cancelled;
};

/* ---- lines ---- */

/* The next line that is not empty; false at the end. */
static bool next_line(struct span *rest, size_t *number, struct span *line)
{
	while (rest->len > 0) {
		const char *newline = memchr(rest->at, '\n', rest->len);
		size_t len = newline != NULL ? (size_t)(newline - rest->at) : rest->len;

		*line = json_trim((struct span){rest->at, len});
		*rest = span_from(*rest, len + (newline != NULL));
		(*number)++;
		if (line->len > 0)
			return true;
	}
	return false;
}

static bool read_line(const struct batch *batch, struct span text, size_t number,
		      struct batch_line *line, struct error *e)
{
	const char *template = batch->config.run->prompt;

	return batch_line_read(text, number, batch->config.source,
			       template != NULL && *template != '\0' ? template : NULL, line, e);
}

static bool is_done(const struct batch *batch, const struct batch_line *line)
{
	return batch->config.log != NULL &&
	       batch_log_is_done(batch->config.log, line->id, line->prompt);
}

/* Every line can be read, and its model opened. */
static bool check_lines(struct batch *batch, struct error *e)
{
	struct span rest = batch->config.lines, text;
	size_t number = 0;
	bool good = true;

	while (good && next_line(&rest, &number, &text)) {
		struct batch_line line;

		good = read_line(batch, text, number, &line, e);
		if (good && line.model != NULL) {
			struct model *model = model_open(batch->config.run->host, line.model, e);

			good = model != NULL;
			model_close(model);
		} else if (good && batch->config.run->models.count == 0) {
			good = error_set(e, "usage", "%s:%zu: has no \"model\", and there is no -m",
					 batch->config.source, number);
		}
		batch->count.lines += good;
		batch->count.skipped += good && is_done(batch, &line);
		batch_line_free(&line);
	}
	if (good && batch->count.lines == 0)
		good = error_set(e, "usage", "%s: holds no line to run", batch->config.source);
	return good;
}

/* ---- runs ---- */

static void pump(void *context);

static void wake(struct batch *batch)
{
	if (batch->timer == NULL)
		batch->timer = loop_source_timer_add(batch->config.run->host->loop, 0, pump, batch);
}

static void changed(struct batch *batch)
{
	if (batch->handler.changed != NULL)
		batch->handler.changed(batch->handler.context, &batch->count);
}

static void unlink_job(struct job *job)
{
	if (job->next != NULL)
		job->next->previous = job->previous;
	if (job->previous != NULL)
		job->previous->next = job->next;
	else if (job->batch->jobs == job)
		job->batch->jobs = job->next;
}

static void free_job(struct job *job)
{
	run_free(job->run);
	batch_line_free(&job->line);
	history_free(&job->history);
	buffer_free(&job->log);
	free(job);
}

static void run_is_over(void *context, int exit_status, const char *message)
{
	struct job *job = context;
	struct batch *batch = job->batch;

	(void)message;
	if (exit_status > batch->worst)
		batch->worst = exit_status;
	batch->count.running--;
	if (exit_status == STATUS_OK)
		batch->count.succeeded++;
	else
		batch->count.failed++;
	batch->count.cost_usd += run_cost(job->run);
	unlink_job(job);
	free_job(job);
	changed(batch);
	wake(batch);
}

/* Go on with what the log has of this line, unless nothing is missing from it. */
static void take_over(struct job *job)
{
	const struct batch_log *log = job->batch->config.log;

	if (log == NULL || !batch_log_unfinished(log, job->line.id, job->line.prompt, &job->log) ||
	    !history_load(&job->history, buffer_span(&job->log), job->batch->config.source, NULL) ||
	    job->history.run_id == NULL)
		return;
	job->config.history = &job->history;
	job->config.resume = true;
}

static void begin(struct batch *batch, struct batch_line line)
{
	const struct run_handler handler = {NULL, run_is_over};
	struct run_handler own = handler;
	struct job *job = mem_zero(sizeof(*job));
	struct error e = {0};

	job->batch = batch;
	job->line = line;
	job->config = *batch->config.run;
	job->config.id = line.id;
	job->config.prompt = line.prompt;
	if (line.system != NULL)
		job->config.system = line.system;
	if (line.model != NULL) {
		job->model[0] = line.model;
		job->config.models = (struct model_specs){job->model, 1};
	}
	take_over(job);
	own.context = job;
	job->next = batch->jobs;
	if (batch->jobs != NULL)
		batch->jobs->previous = job;
	batch->jobs = job;
	job->run = run_start(&job->config, batch->sink, &own, &e);
	if (job->run == NULL) {
		warn("%s:%zu: %s", batch->config.source, batch->number, e.message);
		error_clear(&e);
		batch->count.failed++;
		if (batch->worst < STATUS_USAGE)
			batch->worst = STATUS_USAGE;
		unlink_job(job);
		free_job(job);
		return;
	}
	batch->count.running++;
}

/* Begin what may begin; the end when nothing is left. While nobody takes the output, no run
 * begins. */
static void pump(void *context)
{
	struct batch *batch = context;
	const struct loop *loop = batch->config.run->host->loop;
	struct span text;

	batch->timer = NULL;
	while (!batch->cancelled && !loop_is_held(loop) &&
	       batch->count.running < (size_t)batch->config.jobs &&
	       next_line(&batch->rest, &batch->number, &text)) {
		struct batch_line line;

		if (!read_line(batch, text, batch->number, &line, NULL))
			continue; /* said by check_lines */
		if (is_done(batch, &line))
			batch_line_free(&line);
		else
			begin(batch, line);
	}
	changed(batch);
	if (batch->count.running == 0 && (batch->cancelled || batch->rest.len == 0))
		batch->handler.done(batch->handler.context, batch->worst, &batch->count);
	else if (batch->count.running == 0 || loop_is_held(loop))
		wake(batch);
}

struct batch *batch_start(const struct batch_config *config, struct event_sink *sink,
			  const struct batch_handler *handler, struct error *e)
{
	struct batch *batch = mem_zero(sizeof(*batch));

	batch->config = *config;
	batch->handler = *handler;
	batch->sink = sink;
	batch->rest = config->lines;
	if (!check_lines(batch, e)) {
		free(batch);
		return NULL;
	}
	wake(batch);
	return batch;
}

void batch_cancel(struct batch *batch, int signal)
{
	batch->cancelled = true;
	for (struct job *job = batch->jobs; job != NULL; job = job->next)
		run_cancel(job->run, signal);
	wake(batch);
}

void batch_free(struct batch *batch)
{
	if (batch == NULL)
		return;
	for (struct job *job = batch->jobs, *next; job != NULL; job = next) {
		next = job->next;
		free_job(job);
	}
	loop_timer_remove(batch->timer);
	free(batch);
}
