#include "translate.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "jq/program.h"
#include "numbers.h"

/* A run that has begun and not ended. */
struct open_run {
	char *id; /* owned */
	int64_t next_seq;
};

struct translation {
	struct jq_program *program;
	bool makes_events;
	struct buffer input, value, line;
	char run_id[37]; /* of events that name none; a new one after each agent_end */
	struct open_run *runs;
	size_t run_count;
};

/* ---- finding ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Add the formats whose modules are in `folder`, which is freed. */
static void add_formats(char *folder, const char *direction, char ***names, size_t *count)
{
	DIR *files = folder != NULL ? opendir(folder) : NULL;
	size_t prefix = strlen(direction) + 1;
	struct dirent *file;

	while (files != NULL && (file = readdir(files)) != NULL) {
		struct span name = span_of(file->d_name);

		if (!span_starts(name, direction) || name.len <= prefix + 3 ||
		    name.at[prefix - 1] != '_' || !span_ends(name, ".jq"))
			continue;
		*names = array_grow(*names, *count, sizeof(**names));
		(*names)[*count] = mem_copy((struct span){name.at + prefix, name.len - prefix - 3});
		for (char *at = (*names)[(*count)++]; *at != '\0'; at++)
			if (*at == '_')
				*at = '-';
	}
	if (files != NULL)
		closedir(files);
	free(folder);
}

static void say_unknown(const char *direction, const char *format, struct error *e)
{
	struct buffer list = {0};
	char **names = NULL;
	size_t count = 0;

	add_formats(config_path("jq"), direction, &names, &count);
	add_formats(share_path("jq"), direction, &names, &count);
	if (count > 0)
		qsort(names, count, sizeof(*names), compare);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			buffer_add_format(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	error_set(e, "usage", "--%s takes the name of a format, not '%s'; there are: %s", direction,
		  format, count > 0 ? buffer_string(&list) : "none");
	buffer_free(&list);
}

static bool is_there(char *folder, const char *module)
{
	struct buffer path = {0};
	bool found = false;

	if (folder != NULL) {
		buffer_add_format(&path, "%s/%s.jq", folder, module);
		found = access(buffer_string(&path), R_OK) == 0;
	}
	buffer_free(&path);
	free(folder);
	return found;
}

/* The module of a format; NULL: there is none. The caller frees it. */
static char *find_module(const char *direction, const char *format)
{
	struct buffer name = {0};
	bool good = *format != '\0';

	buffer_add_format(&name, "%s_", direction);
	for (; *format != '\0'; format++) {
		good = good && (isalnum((unsigned char)*format) || strchr("-_", *format) != NULL);
		buffer_add_char(&name, (char)(*format == '-' ? '_' : *format));
	}
	if (good && (is_there(config_path("jq"), buffer_string(&name)) ||
		     is_there(share_path("jq"), buffer_string(&name))))
		return buffer_take(&name);
	buffer_free(&name);
	return NULL;
}

/* ---- running ---- */

struct translation *translation_open(const char *direction, const char *format, bool sse,
				     struct error *e)
{
	struct buffer expression = {0};
	char *module = find_module(direction, format);
	struct translation *t;

	if (module == NULL) {
		say_unknown(direction, format, e);
		return NULL;
	}
	buffer_add_format(&expression,
			  "import \"%s\" as t; if has(\"event\") then t::step "
			  "elif has(\"state\") then t::finish "
			  "else {state: t::start, events: []} end",
			  module);
	free(module);
	t = mem_zero(sizeof(*t));
	t->makes_events = strcmp(direction, "from") == 0;
	uuid_v7(t->run_id);
	t->program = jq_program_open(buffer_string(&expression), NULL, 0, e);
	buffer_free(&expression);
	if (t->program == NULL ||
	    !jq_program_step(t->program, sse ? SPAN("{\"sse\":true}") : SPAN("{\"sse\":false}"),
			     e)) {
		translation_close(t);
		return NULL;
	}
	return t;
}

bool translation_take(struct translation *t, struct span line, struct error *e)
{
	char fresh[37];

	uuid_v7(fresh);
	buffer_clear(&t->input);
	json_open(&t->input, '{');
	json_put_double(&t->input, "time", (double)clock_realtime() / 1e6);
	json_put_text(&t->input, "run_id", fresh);
	if (line.at != NULL) {
		json_key(&t->input, "event");
		numbers_hide(&t->input, line);
	}
	json_close(&t->input, '}');
	return jq_program_step(t->program, buffer_span(&t->input), e);
}

/* ---- envelopes ---- */

static struct open_run *find_run(struct translation *t, struct span id)
{
	for (size_t i = 0; i < t->run_count; i++)
		if (span_is(id, t->runs[i].id))
			return &t->runs[i];
	t->runs = array_grow(t->runs, t->run_count, sizeof(*t->runs));
	t->runs[t->run_count] = (struct open_run){.id = mem_copy(id)};
	return &t->runs[t->run_count++];
}

static void end_run(struct translation *t, struct open_run *run)
{
	if (strcmp(run->id, t->run_id) == 0)
		uuid_v7(t->run_id);
	free(run->id);
	*run = t->runs[--t->run_count];
}

/* As the module gave it, or now. */
static void write_timestamp(struct buffer *out, struct span timestamp)
{
	int64_t time = -1;

	if (json_type(timestamp) == JSON_STRING)
		time = clock_parse_timestamp((struct span){timestamp.at + 1, timestamp.len - 2});
	json_key(out, "timestamp");
	buffer_add_char(out, '"');
	clock_add_timestamp(out, time >= 0 ? time : clock_realtime());
	buffer_add_char(out, '"');
}

static bool write_event(struct translation *t, struct span value, struct error *e)
{
	struct span type = json_get(value, "event_type"), run_id = json_get(value, "run_id");
	struct span data = json_get(value, "data");
	struct open_run *run;
	char *id;

	if (json_type(type) != JSON_STRING || json_type(data) != JSON_OBJECT)
		return error_set(e, "jq", "it gives what is no event with event_type and data");
	id = json_text(run_id);
	run = find_run(t, span_of(id != NULL ? id : t->run_id));
	free(id);
	json_open(&t->line, '{');
	json_put_raw(&t->line, "event_type", type);
	write_timestamp(&t->line, json_get(value, "timestamp"));
	json_put_text(&t->line, "run_id", run->id);
	json_put_int(&t->line, "seq", run->next_seq++);
	json_put_raw(&t->line, "data", data);
	json_close(&t->line, '}');
	if (json_is(type, "agent_end"))
		end_run(t, run);
	return true;
}

struct span translation_next(struct translation *t, struct error *e)
{
	struct span value;

	if (!jq_program_event(t->program, &value))
		return (struct span){0};
	buffer_clear(&t->value);
	numbers_show(&t->value, value);
	if (!t->makes_events)
		return buffer_span(&t->value);
	buffer_clear(&t->line);
	if (!write_event(t, buffer_span(&t->value), e))
		return (struct span){0};
	return buffer_span(&t->line);
}

void translation_close(struct translation *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->run_count; i++)
		free(t->runs[i].id);
	free(t->runs);
	jq_program_close(t->program);
	buffer_free(&t->input);
	buffer_free(&t->value);
	buffer_free(&t->line);
	free(t);
}
