/* agent-run: ask a model, run the tools it calls, write every event as it happens. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "base/signals.h"
#include "base/utf8.h"
#include "event/terminal.h"
#include "input.h"
#include "list.h"
#include "log_file.h"
#include "options.h"
#include "progress.h"
#include "run/attachment.h"

extern char **environ;

/* The state of the program. */
struct program {
	struct options options;
	struct loop *loop;
	struct input input;
	struct buffer batch_text; /* of a batch on standard input */
	struct model_host host;
	struct prices prices;
	struct event_sink sink;
	int log_fd;                 /* -1: no log */
	struct buffer history_text; /* what `history` points into */
	size_t torn; /* bytes of an incomplete last line of the session, not in `history_text` */
	struct history history;
	struct open_models models; /* of the agents */
	char **secrets;            /* variables that tools do not get */
	struct agent_run *run;     /* or a batch of them */
	struct batch *batch;
	struct progress progress;
	int exit_status;
	int signal;     /* that asked us to end; 0: none */
	bool cancelled; /* because nobody reads the events */
	bool stopping;  /* only children and the readers of events and messages are waited for */
};

/* ---- the prompt and what comes before it ---- */

static void read_attachments(struct program *p)
{
	struct options *o = &p->options;
	struct error e = {0};

	for (size_t i = 0; i < o->attached_count; i++) {
		const char *path = o->attached[i];
		struct buffer bytes = {0};

		die_unless(!input_read_file(&p->input, path, &bytes) ||
			       attachment_add(path, buffer_span(&bytes), &o->attachments, &e),
			   &e);
		buffer_free(&bytes);
	}
	o->config.attachments = buffer_span(&o->attachments);
}

static bool stdin_has_data(void)
{
	struct stat info;

	return fstat(STDIN_FILENO, &info) == 0 &&
	       (S_ISFIFO(info.st_mode) || S_ISREG(info.st_mode) || S_ISSOCK(info.st_mode));
}

/* If standard input did not come to its end, the prompt is what has come: its run ends at once. */
static void read_prompt(struct program *p)
{
	struct options *o = &p->options;
	bool complete = true;
	bool taken = o->history != NULL && strcmp(o->history, "-") == 0;
	struct buffer input = {0}, clean = {0};
	struct span text;

	taken = taken || (o->batch != NULL && !o->dash);
	if (!o->no_stdin && !taken && (o->dash || stdin_has_data())) {
		complete =
		    input_read(&p->input, o->dash ? "" : "; --no-stdin does not read it", &input);
		if (input.len > 0 && o->prompt.len > 0)
			buffer_add_text(&o->prompt, "\n\n");
		buffer_add_span(&o->prompt, buffer_span(&input));
	}
	text = buffer_span(&o->prompt);
	while (text.len > 0 && strchr("\r\n", text.at[text.len - 1]) != NULL)
		text.len--;
	if (memchr(text.at, '\0', text.len) != NULL)
		die(STATUS_USAGE, "the prompt contains a NUL byte; is it a binary file?");
	utf8_add(&clean, text);
	if (clean.len == 0 && complete && o->mode == MODE_RUN && o->batch == NULL)
		die(STATUS_USAGE, "no prompt: give it as arguments or on standard input");
	o->config.prompt = buffer_string(&clean);
	buffer_free(&o->prompt);
	buffer_free(&input);
	o->prompt = clean;
}

static void read_history(struct program *p)
{
	struct options *o = &p->options;
	const char *path = o->session != NULL ? o->session : o->history;
	struct error e = {0};
	bool complete = true;

	if (o->session != NULL)
		p->log_fd =
		    log_file_read(path, o->mode == MODE_DRY_RUN, &p->history_text, &p->torn);
	if (o->resume && p->history_text.at == NULL)
		die(STATUS_USAGE, "%s: %s", path, strerror(ENOENT));
	if (o->session == NULL && path != NULL)
		complete = input_read_file(&p->input, path, &p->history_text);
	if (o->resume && p->history_text.len == 0)
		die(STATUS_USAGE, "%s: %s; there is no run to resume", path,
		    p->torn > 0 ? "its only line is incomplete" : "is empty");
	if (path == NULL || !complete || (o->session != NULL && p->history_text.len == 0))
		return;
	if (o->session != NULL && span_starts(json_trim(buffer_span(&p->history_text)), "["))
		die(STATUS_USAGE, "%s: is an array, not an event log; --history reads messages",
		    path);
	die_unless(history_load(&p->history, buffer_span(&p->history_text),
				strcmp(path, "-") == 0 ? "standard input" : path, &e),
		   &e);
	if (!o->resume)
		history_close(&p->history);
	if (!o->resume && o->session != NULL)
		o->config.continues = p->history.run_id;
	o->config.history = &p->history;
}

/* The tools that the resumed run had must be given again if its calls need them. */
static void check_resumed_tools(const struct program *p)
{
	const char *log = p->options.session;
	struct buffer missing = {0};
	struct error e = {0};

	die_unless(run_check_resumed_tools(&p->options.config, log, &missing, &e), &e);
	if (missing.len > 0)
		warn("%s: its run had tools that are not given (--tool, --agent): %s", log,
		     buffer_string(&missing));
	buffer_free(&missing);
}

/* Configure the run that --resume finishes; exits if nothing is missing from it. */
static void resume_run(struct program *p)
{
	struct options *o = &p->options;
	struct error e = {0};
	char *model;

	if (p->history.run_id == NULL)
		die(STATUS_USAGE, "%s: there is no run to resume", o->session);
	die_unless(history_can_resume(&p->history, o->session, p->history.damaged, &e), &e);
	if (p->history.ended && p->history.succeeded) {
		warn("%s: its last run is complete; there is nothing to resume", o->session);
		exit(STATUS_OK);
	}
	history_reopen(&p->history);
	o->config.resume = true;
	o->config.prompt = p->history.prompt != NULL ? p->history.prompt : "";
	if (o->agent_file_count > 0 && p->history.agent_name != NULL &&
	    agent_set_find(&o->agents, p->history.agent_name) == NULL)
		die(STATUS_USAGE,
		    "%s: the run was handed over to the agent %s; give its file with --agent",
		    o->session, p->history.agent_name);
	if (p->history.agent_name != NULL) {
		free(o->agent->name);
		o->agent->name = mem_copy(span_of(p->history.agent_name));
	}
	if (o->mode == MODE_RUN)
		check_resumed_tools(p);
	model = history_model(&p->history);
	options_default_models(o, model);
	free(model);
}

static void dry_run(struct program *p)
{
	struct buffer out = {0};
	struct error e = {0};

	die_unless(run_show_request(&p->options.config, &out, &e), &e);
	list_show(buffer_span(&out), &p->sink.secrets);
	buffer_free(&out);
}

/* ---- running ---- */

/* Whether nobody reads the events any more. */
static bool has_lost_reader(const struct program *p)
{
	return p->sink.output.error != 0 && p->sink.output.error != ETIMEDOUT;
}

/* A person who sees the events probably wants to read something else. */
static void add_hint(struct program *p)
{
	if (isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
		terminal_add_hint(&p->sink.errors,
				  "these are events; pipe them into agent-text or agent-tools");
}

static void run_is_over(void *context, int exit_status, const char *message)
{
	struct program *p = context;
	struct buffer safe = {0};
	struct stat info;

	p->exit_status = exit_status;
	/* If standard output is a pipe, its reader reports the error that is in the stream. */
	if (message != NULL && !has_lost_reader(p) &&
	    (fstat(STDOUT_FILENO, &info) != 0 || !S_ISFIFO(info.st_mode)))
		terminal_add_line(&safe, span_of(message));
	if (safe.len > 0)
		warn_to(&p->sink.errors, "%s", buffer_string(&safe));
	buffer_free(&safe);
	add_hint(p);
	loop_stop_orphans(p->loop, NULL);
	p->stopping = true;
}

/* Report how far a batch came that was stopped. */
static void report_stopped(struct program *p, const struct batch_count *count)
{
	size_t done = count->skipped + count->succeeded;
	size_t begun = done + count->failed + count->interrupted;
	struct buffer text = {0};

	buffer_add_format(&text, "%zu done, ", done);
	if (count->failed > 0)
		buffer_add_format(&text, "%zu failed, ", count->failed);
	warn_to(&p->sink.errors, "%s%zu interrupted, %zu not started%s", buffer_string(&text),
		count->interrupted, count->lines - begun,
		p->options.log != NULL ? "; the same command with the same --log goes on" : "");
	buffer_free(&text);
}

static void batch_is_over(void *context, int exit_status, const struct batch_count *count)
{
	struct program *p = context;

	p->exit_status = exit_status;
	progress_end(&p->progress);
	if (count->skipped == count->lines)
		warn_to(&p->sink.errors,
			"%s: every line of the batch has succeeded already; nothing runs again",
			p->options.log);
	if (p->signal != 0)
		report_stopped(p, count);
	else if (count->failed > 0 && !has_lost_reader(p))
		warn_to(&p->sink.errors, "%zu of %zu run%s failed%s", count->failed,
			count->lines - count->skipped,
			plural((double)(count->lines - count->skipped)),
			p->options.log != NULL
			    ? "; the same command with the same --log runs them again"
			    : "");
	add_hint(p);
	loop_stop_orphans(p->loop, NULL);
	p->stopping = true;
}

static void batch_has_changed(void *context, const struct batch_count *count)
{
	struct program *p = context;

	progress_show(&p->progress, count);
}

static void cancel(struct program *p, int number)
{
	if (p->batch != NULL)
		batch_cancel(p->batch, number);
	else
		run_cancel(p->run, number);
}

/* If the reader is gone, cancel the run, unless a signal is ending it already. ^C ends all programs
 * of a pipeline, so that the reader may be gone before its signal is handled here. */
static void before_wait(void *context)
{
	struct program *p = context;

	event_sink_flush(&p->sink);
	if (has_lost_reader(p) && !p->stopping && !p->cancelled) {
		p->cancelled = true;
		loop_take_signals(p->loop);
		if (p->signal == 0)
			cancel(p, SIGPIPE);
		event_sink_flush(&p->sink);
	}
	if (p->stopping && loop_child_count(p->loop) == 0 && event_sink_is_idle(&p->sink))
		loop_stop(p->loop);
}

/* The first signal stops the run in order, the second at once. After the run, the first signal only
 * limits the wait for the reader. */
static void signal_came(void *context, int number)
{
	struct program *p = context;

	if (number == SIGXCPU && p->signal == SIGXCPU)
		return; /* it comes every second */
	if (p->signal != 0 || (p->stopping && loop_child_count(p->loop) > 0)) {
		loop_kill_children(p->loop);
		signal_die(number);
	}
	p->signal = number;
	event_sink_limit_stall(&p->sink);
	if (!p->stopping)
		cancel(p, number);
}

/* With what mem_reserve gives back, end the runs. Nothing that was going on can go on. */
static void memory_ran_out(void *context)
{
	struct program *p = context;

	loop_kill_children(p->loop);
	event_sink_drop_partial(&p->sink);
	if (p->batch != NULL)
		batch_abort(p->batch, "out of memory");
	else if (p->run != NULL)
		run_abort(p->run, "out of memory");
	event_sink_drain(&p->sink);
}

/* The approval prompt's "quit" ends the run like SIGINT. */
static void user_quits(void *context)
{
	signal_came(context, SIGINT);
}

/* A thousand runs are a thousand connections. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void start(struct program *p)
{
	struct options *o = &p->options;
	const struct run_handler run_handler = {p, run_is_over};
	const struct batch_handler batch_handler = {p, batch_has_changed, batch_is_over};
	const struct batch_config batch = {.run = &o->config,
					   .path = o->batch,
					   .text = buffer_span(&p->batch_text),
					   .log = o->log,
					   .jobs = o->jobs};
	struct error e = {0};

	o->policy.quit = user_quits;
	o->policy.quit_context = p;
	p->sink.sync = o->fsync;
	p->sink.log_name = o->log != NULL ? o->log : o->session;
	if (o->batch == NULL) {
		p->run = run_start(&o->config, &p->sink, &run_handler, &e);
	} else {
		allow_files();
		progress_start(&p->progress, p->loop, &p->sink.errors);
		p->batch = batch_start(&batch, &p->sink, &batch_handler, &e);
	}
	die_unless(p->batch != NULL || p->run != NULL, &e);
	if (o->log != NULL)
		p->log_fd = log_file_open(o->log, o->batch != NULL);
	else if (o->session != NULL)
		p->log_fd = log_file_continue(p->log_fd, o->session, buffer_span(&p->history_text),
					      p->torn);
}

/* The name of a file that is read, and is the regular file `log`; NULL: none. The log of --history
 * is not meant: it is read before it grows. */
static const char *find_input(const struct options *o, const struct stat *log)
{
	bool reads_stdin = !o->no_stdin && (o->history == NULL || strcmp(o->history, "-") != 0);

	if (!S_ISREG(log->st_mode))
		return NULL;
	if (reads_stdin && file_is("-", log))
		return "standard input";
	if (o->batch != NULL && file_is(o->batch, log))
		return o->batch;
	for (size_t i = 0; i < o->input_count; i++)
		if (file_is(o->inputs[i], log))
			return o->inputs[i];
	return NULL;
}

/* Each event goes once to each place. A file that is also read (`regular`: what it is) must have an
 * end. */
static void check_log(const struct options *o, const char *path, const char *option,
		      const char *regular)
{
	struct stat log, output;
	const char *input;

	if (path == NULL)
		return;
	if (strcmp(path, "-") == 0)
		die(STATUS_USAGE, "%s -: standard output has the events already; name a file",
		    option);
	if (stat(path, &log) != 0)
		return;
	if (regular != NULL && !S_ISREG(log.st_mode))
		die(STATUS_USAGE, "%s: %s must be a regular file", path, regular);
	input = find_input(o, &log);
	if (input != NULL)
		die(STATUS_USAGE, "%s: the input and %s are the same file; write to another one",
		    input, option);
	if (fstat(STDOUT_FILENO, &output) == 0 && !S_ISCHR(log.st_mode) &&
	    file_is_same(&log, &output))
		die(STATUS_USAGE,
		    "%s: standard output and %s are the same file; use only one of them", path,
		    option);
	if (path == o->log)
		log_file_check(path);
}

static void report_lost_events(struct program *p)
{
	struct buffer why = {0};

	if (event_sink_log_failure(&p->sink, &why)) {
		warn_to(&p->sink.errors, "%s", buffer_string(&why));
		buffer_free(&why);
		if (p->exit_status == STATUS_OK)
			p->exit_status = STATUS_FAILED;
	}
	if (has_lost_reader(p) && p->sink.output.error != EPIPE) {
		warn_to(&p->sink.errors, "standard output: %s", strerror(p->sink.output.error));
		p->exit_status = STATUS_FAILED;
	}
}

/* The loop runs until the readers have everything, and once more for the last messages. */
static void run(struct program *p)
{
	enum { RESERVE = 4 * 1024 * 1024 };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* writing fails with EFBIG instead */
	mem_reserve(RESERVE, memory_ran_out, p);
	loop_adopt_orphans(p->loop);
	start(p);
	p->host.quiet = true;
	event_sink_start(&p->sink, p->loop, STDOUT_FILENO, p->log_fd, STDERR_FILENO);
	loop_catch_signals(p->loop, signal_came, p);
	loop_before_wait(p->loop, before_wait, p);
	if (p->input.signal != 0)
		signal_came(p, p->input.signal);
	loop_run(p->loop);
	report_lost_events(p);
	loop_run(p->loop);
	if (p->sink.output.error == ETIMEDOUT || p->sink.error_output.error == ETIMEDOUT)
		p->exit_status = 128 + p->signal;
	mem_reserve_free();
	batch_free(p->batch);
	run_free(p->run);
	event_sink_free(&p->sink);
	if (p->log_fd >= 0)
		close(p->log_fd);
}

/* No other file may get the number of a standard file that is closed: events would be written into
 * a connection. These are opened the wrong way, so that using them fails as if they were closed. */
static void hold_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* The secrets of the environment are masked wherever they appear. */
static void add_secrets(struct program *p)
{
	struct error e = {0};

	p->secrets = model_secret_variables(&e);
	die_unless(p->secrets != NULL, &e);
	p->options.config.secrets = p->secrets;
	p->host.secrets = &p->sink.secrets;
	for (char **variable = environ; *variable != NULL; variable++) {
		struct span value = span_from(span_of(*variable), strcspn(*variable, "=") + 1);

		if (secrets_has_url(value))
			secrets_add_urls(&p->sink.secrets, value);
		else if (tool_variable_is_secret(*variable, p->secrets))
			secrets_add(&p->sink.secrets, value);
	}
	for (size_t i = 0; i < p->options.mask_count; i++)
		secrets_add(&p->sink.secrets, span_of(getenv(p->options.masks[i])));
}

/* Run what the options say, or show its first request. */
static void run_or_show(struct program *p)
{
	struct options *o = &p->options;
	struct error e = {0};

	read_attachments(p);
	read_history(p);
	if (o->resume)
		resume_run(p);
	if (o->config.models.count == 0 && o->batch == NULL)
		list_no_model();
	options_check_tools(o);
	die_unless(prices_check(&e), &e);
	options_open_models(o, &p->models);
	if (!o->resume)
		read_prompt(p);
	if (o->batch != NULL)
		input_read_file(&p->input, o->batch, &p->batch_text);
	if (p->input.signal != 0 && (o->mode != MODE_RUN || o->batch != NULL))
		signal_die(p->input.signal);
	if (o->mode == MODE_DRY_RUN) {
		dry_run(p);
		return;
	}
	run(p);
}

int main(int argc, char **argv)
{
	struct program p = {.log_fd = -1};
	int64_t since = clock_monotonic();

	setlocale(LC_CTYPE, "C.UTF-8"); /* for utf8_columns */
	/* The keys in our environment and memory are closed to tools of the same user. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	hold_standard_files();
	options_parse(&p.options, argc, argv);
	if (p.options.mode == MODE_RUN && p.options.batch == NULL) {
		p.options.config.since = since;
		if (p.options.config.limits.timeout_seconds > 0)
			p.input.deadline =
			    since + clock_nanoseconds(p.options.config.limits.timeout_seconds);
	}
	check_log(&p.options, p.options.log, "--log",
		  p.options.batch != NULL ? "the log of a batch" : NULL);
	check_log(&p.options, p.options.session, p.options.resume ? "--resume" : "--session",
		  p.options.resume ? "a log to resume" : "a session");
	p.loop = loop_new();
	p.host = (struct model_host){
	    .loop = p.loop,
	    .limits = p.options.limits,
	    .base_url = p.options.base_url,
	    .raw = p.options.raw,
	};
	p.host.keys.seconds = p.options.config.limits.timeout_seconds;
	p.options.config.host = &p.host;
	p.options.config.prices = &p.prices;
	add_secrets(&p);
	if (p.options.mode == MODE_LIST_PROVIDERS)
		list_providers(&p.sink.secrets);
	else if (p.options.mode == MODE_LIST_MODELS)
		p.exit_status =
		    list_models(&p.host, p.options.config.models.at, p.options.config.models.count);
	else if (p.options.mode == MODE_LIST_TOOLS)
		list_tools(&p.options.config.agent->tools, &p.sink.secrets);
	else
		run_or_show(&p);
	open_models_close(&p.models);
	model_host_free(&p.host);
	loop_free(p.loop);
	prices_free(&p.prices);
	history_free(&p.history);
	buffer_free(&p.history_text);
	buffer_free(&p.batch_text);
	options_free(&p.options);
	free(p.secrets);
	secrets_free(&p.sink.secrets); /* of what is listed or shown instead of a run */
	if (p.signal != 0 && (p.exit_status == 128 + p.signal || p.exit_status == 128 + SIGPIPE))
		signal_die(p.signal);
	if (p.sink.output.error == EPIPE) /* end as every other writer into a closed pipe does */
		signal_die(SIGPIPE);
	return p.exit_status;
}
