#include "event/reader_main.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/standard.h"

/* ---- options ---- */

/* The program goes on. */
enum { NO_STATUS = -1 };

static int set_color(struct reader_main *m, const char *value)
{
	static const char *const choices[] = {"auto", "always", "never"};

	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		if (strcmp(value, choices[i]) == 0) {
			m->color = choices[i];
			return NO_STATUS;
		}
	}
	warn("--color is auto, always or never, not '%s'", value);
	return STATUS_USAGE;
}

static int print_help(const struct reader_program *program)
{
	if (program->print_help != NULL)
		program->print_help();
	else
		fputs(program->help, stdout);
	stdout_close();
	return STATUS_OK;
}

static int print_version(void)
{
	printf("%s " VERSION "\n", program_name());
	stdout_close();
	return STATUS_OK;
}

/* Returns the status with which the program is to end, or NO_STATUS. */
static int take_option(struct reader_main *m, int option, char *value)
{
	switch (option) {
	case 'f':
		m->follow = true;
		return NO_STATUS;
	case READER_OPT_STRICT:
		m->strict = true;
		return NO_STATUS;
	case READER_OPT_RAW_CONTROL:
		m->raw_control = true;
		return NO_STATUS;
	case READER_OPT_COLOR:
		return set_color(m, value != NULL ? value : "always");
	case 'h':
		return print_help(m->program);
	case 'V':
		return print_version();
	case '?':
		fprintf(stderr, "try '%s --help'\n", program_name());
		return STATUS_USAGE;
	default:
		m->program->option(m, option, value);
		return NO_STATUS;
	}
}

static int read_options(struct reader_main *m)
{
	const struct reader_program *program = m->program;
	int option, status = NO_STATUS;

	while (status == NO_STATUS && (option = getopt_long(m->argc, m->argv, program->letters,
							    program->names, NULL)) != -1)
		status = take_option(m, option, optarg);
	return status;
}

double reader_main_seconds(const char *option, const char *value)
{
	char *rest;
	double seconds = strtod(value, &rest);

	if (rest != value && *rest == '\0' && seconds >= 0 && seconds < 1e9)
		return seconds;
	die(STATUS_USAGE, "%s takes a number of seconds, not '%s'", option, value);
}

bool reader_main_is_safe(const struct reader_main *m, int fd)
{
	return !m->raw_control && isatty(fd);
}

/* ---- lines ---- */

/* Returns false to stop reading. */
static bool take_line(struct reader_main *m, struct span line)
{
	struct json_fault fault;
	struct event event;
	struct run *run;

	switch (event_read_one_of(line, m->types, &event, &fault)) {
	case EVENT_SKIPPED:
		return true;
	case EVENT_MALFORMED:
		reader_warn_skipped(m->reader, &fault);
		return !m->strict;
	case EVENT_READ:
		break;
	}
	if (m->run != NULL && !runs_is_asked(event.run_id, m->run))
		return true;
	if (m->program->any_event != NULL)
		m->program->any_event(m, &event);
	run = runs_event(m->runs, &event, m->reader);
	if (run != NULL)
		m->program->event(m, run, &event);
	return true;
}

static bool is_faulty(const struct reader_main *m)
{
	return m->program->stops_at_faults && m->strict && reader_status(m->reader) != STATUS_OK;
}

static void read_all(struct reader_main *m)
{
	const struct reader_program *program = m->program;
	bool (*take)(void *, struct span) = program->line;
	enum reader_result result = READER_TIMEOUT;
	struct span line;

	while (result != READER_END && !m->stopped) {
		result =
		    reader_next(m->reader, &line, program->idle != NULL ? program->idle(m) : 0);
		if (result == READER_LINE)
			m->stopped = take != NULL ? !take(m, line) : !take_line(m, line);
		if (m->follow && m->runs != NULL && runs_all_ended(m->runs))
			reader_stop_following(m->reader);
		m->stopped = m->stopped || is_faulty(m);
	}
}

/* ---- the program ---- */

static void begin(struct reader_main *m)
{
	const struct reader_program *program = m->program;

	m->reader = reader_open(m->argv + optind, (size_t)(m->argc - optind), m->follow);
	if (program->event != NULL)
		m->runs = runs_new(program->release, m->strict);
	if (program->begin != NULL)
		program->begin(m);
	if (m->types == 0 || m->strict)
		m->types = EVENT_ALL;
	reader_before_wait(m->reader, program->flush, m);
	reader_before_warn(m->reader, program->clear, m);
}

static int end(struct reader_main *m)
{
	const struct reader_program *program = m->program;
	int status;

	program->end(m);
	if (program->line != NULL || (m->stopped && program->stops_at_faults))
		status = reader_status(m->reader);
	else
		status = runs_verdict(m->runs, m->reader);
	return program->status != NULL ? program->status(m, status) : status;
}

int reader_main(const struct reader_program *program, struct reader_main *m, int argc, char **argv)
{
	int status;

	setlocale(LC_CTYPE, "C.UTF-8"); /* for utf8_width */
	m->program = program;
	m->argc = argc;
	m->argv = argv;
	m->color = "auto";
	status = read_options(m);
	if (status != NO_STATUS)
		return status;
	begin(m);
	read_all(m);
	status = end(m);
	runs_free(m->runs);
	reader_close(m->reader);
	program->free(m);
	return status;
}
