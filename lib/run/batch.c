#include "run/batch.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/table.h"
#include "run/batch_input.h"
#include "run/budget.h"
#include "run/tools.h"

/* A line that runs. */
struct job {
	struct batch *batch;
	struct batch_line line;
	struct run_config config;
	struct buffer log; /* of the run that it resumes */
	struct history history;
	char *model[1]; /* the line's own, instead of those of the batch */
	struct agent_run *run;
	size_t at; /* its position in batch->jobs */
};

struct batch {
	struct batch_config config;
	struct batch_handler handler;
	struct event_sink *sink;
	const char *source; /* the name of the file, for messages */
	struct buffer log_text;
	struct batch_log *log; /* NULL: there is none */
	struct span rest;      /* lines not yet begun */
	size_t number;         /* of the line begun last */
	struct job **jobs;     /* those that run */
	size_t job_count;
	struct batch_count count;
	struct loop_timer *timer;
	int worst;
	bool cancelled;
};

/* ---- lines ---- */

/* The next line that is not empty; false at the end. */
static bool next_line(struct span *rest, size_t *number, struct span *line)
{
	while (span_next_line(rest, line, NULL)) {
		*line = json_trim(*line);
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

	return batch_line_read(text, number, batch->source,
			       template != NULL && *template != '\0' ? template : NULL, line, e);
}

static bool is_done(const struct batch *batch, const struct batch_line *line)
{
	return batch_log_is_done(batch->log, line->id, line->prompt);
}

/* The prompt of a line fits an event. */
static bool check_size(const struct batch *batch, const struct batch_line *line, size_t number,
		       struct error *e)
{
	const struct run_config *run = batch->config.run;
	struct error why = {0};

	if (run_check_size(line->prompt, line->system != NULL ? line->system : run->system,
			   run->attachments, &why))
		return true;
	error_set(e, "usage", "%s:%zu: %s", batch->source, number, why.message);
	error_clear(&why);
	return false;
}

/* Warn of an id that an earlier line has: their results cannot be told apart. */
static void check_id(const struct batch *batch, struct table *ids, const char *id, size_t number)
{
	const uintptr_t *other = table_find(ids, span_of(id));

	if (other != NULL)
		warn("%s:%zu: the id %s is that of line %zu, too", batch->source, number, id,
		     (size_t)*other);
	else
		*table_add(ids, (struct span){mem_copy(span_of(id)), strlen(id)}) = number;
}

static void free_ids(struct table *ids)
{
	for (size_t i = 0; i < ids->capacity; i++)
		free((char *)ids->slots[i].key.at);
	table_free(ids);
}

/* Every line can be read, and its model opened. */
static bool check_lines(struct batch *batch, struct error *e)
{
	struct span rest = batch->config.text, text;
	struct table ids = {0};
	size_t number = 0;
	bool good = true;

	while (good && next_line(&rest, &number, &text)) {
		struct batch_line line;

		good =
		    read_line(batch, text, number, &line, e) && check_size(batch, &line, number, e);
		if (good && line.model != NULL) {
			struct model *model = model_open(batch->config.run->host, line.model, e);

			good = model != NULL &&
			       (!batch->config.run->needs_prices ||
				usage_check_price(batch->config.run->prices, model, e));
			model_close(model);
		} else if (good && batch->config.run->models.count == 0) {
			good = error_set(e, "usage", "%s:%zu: has no \"model\", and there is no -m",
					 batch->source, number);
		}
		if (good)
			check_id(batch, &ids, line.id, number);
		batch->count.lines += good;
		batch->count.skipped += good && is_done(batch, &line);
		batch_line_free(&line);
	}
	free_ids(&ids);
	if (good && batch->count.lines == 0)
		good = error_set(e, "usage", "%s: contains no line to run", batch->source);
	return good;
}

/* ---- runs ---- */

static void pump(void *context);

static void wake(struct batch *batch)
{
	if (batch->timer == NULL)
		batch->timer = loop_source_timer_add(batch->config.run->host->loop, 0, pump, batch);
}

static void free_job(struct job *job)
{
	run_free(job->run);
	batch_line_free(&job->line);
	history_free(&job->history);
	buffer_free(&job->log);
	free(job);
}

static void end_job(struct job *job, int exit_status)
{
	struct batch *batch = job->batch;
	struct job *last = batch->jobs[--batch->job_count];

	batch->jobs[job->at] = last;
	last->at = job->at;
	if (exit_status > batch->worst)
		batch->worst = exit_status;
	if (exit_status == STATUS_OK)
		batch->count.succeeded++;
	else if (batch->cancelled && exit_status > 128)
		batch->count.interrupted++;
	else
		batch->count.failed++;
	batch->count.running--;
	free_job(job);
}

static void run_is_over(void *context, int exit_status, const char *message)
{
	struct job *job = context;
	struct batch *batch = job->batch;

	(void)message;
	batch->count.cost_usd += run_cost(job->run);
	tools_stop_background(job->run);
	end_job(job, exit_status);
	batch->handler.changed(batch->handler.context, &batch->count);
	wake(batch);
}

/* Go on with what the log has of this line, if anything. */
static bool resume(struct job *job, struct error *e)
{
	const struct batch *batch = job->batch;
	struct buffer missing = {0};
	bool can_resume;

	if (!batch_log_unfinished(batch->log, job->line.id, job->line.prompt, &job->log) ||
	    !history_load(&job->history, buffer_span(&job->log), batch->source, NULL) ||
	    job->history.run_id == NULL)
		return true;
	history_reopen(&job->history);
	job->config.history = &job->history;
	job->config.resume = true;
	can_resume = history_can_resume(&job->history, batch->config.log,
					batch_log_damaged(batch->log), e) &&
		     run_check_resumed_tools(&job->config, batch->config.log, &missing, e);
	buffer_free(&missing);
	return can_resume;
}

static void begin(struct batch *batch, struct batch_line line)
{
	struct job *job = mem_zero(sizeof(*job));
	const struct run_handler handler = {job, run_is_over};
	struct error e = {0};

	*job = (struct job){
	    .batch = batch, .line = line, .config = *batch->config.run, .at = batch->job_count};
	job->config.id = line.id;
	job->config.prompt = line.prompt;
	if (line.system != NULL)
		job->config.system = line.system;
	if (line.model != NULL) {
		job->model[0] = line.model;
		job->config.models = (struct model_specs){job->model, 1};
	}
	batch->jobs = array_grow(batch->jobs, batch->job_count, sizeof(*batch->jobs));
	batch->jobs[batch->job_count++] = job;
	batch->count.running++;
	if (resume(job, &e))
		job->run = run_start(&job->config, batch->sink, &handler, &e);
	if (job->run == NULL) {
		warn_to(&batch->sink->errors, "%s:%zu: %s", batch->source, batch->number,
			e.message);
		error_clear(&e);
		end_job(job, STATUS_USAGE);
	}
}

/* Begin what may begin; end the batch when nothing is left. While the output is not taken, no run
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
			continue; /* check_lines has reported it */
		if (is_done(batch, &line))
			batch_line_free(&line);
		else
			begin(batch, line);
	}
	batch->handler.changed(batch->handler.context, &batch->count);
	if (batch->count.running == 0 && (batch->cancelled || batch->rest.len == 0))
		batch->handler.done(batch->handler.context, batch->worst, &batch->count);
	else if (batch->count.running == 0 || loop_is_held(loop))
		wake(batch);
}

static bool read_log(struct batch *batch, struct error *e)
{
	const char *path = batch->config.log;
	struct stat info;

	if (path == NULL || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
		return true;
	if (!file_read(path, &batch->log_text, e))
		return false;
	batch->log = batch_log_new(buffer_span(&batch->log_text), path, &batch->sink->secrets);
	return true;
}

struct batch *batch_start(const struct batch_config *config, struct event_sink *sink,
			  const struct batch_handler *handler, struct error *e)
{
	struct batch *batch = mem_zero(sizeof(*batch));

	batch->config = *config;
	batch->handler = *handler;
	batch->sink = sink;
	batch->source = strcmp(config->path, "-") == 0 ? "standard input" : config->path;
	if (!read_log(batch, e) || !check_lines(batch, e)) {
		batch_free(batch);
		return NULL;
	}
	batch->rest = config->text;
	wake(batch);
	return batch;
}

void batch_cancel(struct batch *batch, int signal)
{
	batch->cancelled = true;
	for (size_t i = 0; i < batch->job_count; i++)
		run_cancel(batch->jobs[i]->run, signal);
	wake(batch);
}

void batch_abort(struct batch *batch, const char *why)
{
	for (size_t i = 0; i < batch->job_count; i++)
		if (batch->jobs[i]->run != NULL)
			run_abort(batch->jobs[i]->run, why);
}

void batch_free(struct batch *batch)
{
	if (batch == NULL)
		return;
	for (size_t i = 0; i < batch->job_count; i++)
		free_job(batch->jobs[i]);
	free(batch->jobs);
	loop_timer_remove(batch->timer);
	batch_log_free(batch->log);
	buffer_free(&batch->log_text);
	free(batch);
}
