#include "translate.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "envelope.h"
#include "jq/program.h"
#include "numbers.h"

struct translation {
	struct jq_program *program;
	bool makes_events;
	struct buffer input, value, line;
	struct envelopes envelopes;
};

/* ---- modules ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void replace_char(char *text, char old, char new)
{
	while ((text = strchr(text, old)) != NULL)
		*text = new;
}

/* Add the formats whose modules are in `folder`, which is freed. */
static void add_formats(char *folder, const char *direction, char ***formats, size_t *count)
{
	DIR *files = folder != NULL ? opendir(folder) : NULL;
	char *prefix = mem_format("%s_", direction);
	struct dirent *file;

	while (files != NULL && (file = readdir(files)) != NULL) {
		struct span name = span_of(file->d_name);

		if (!span_starts(name, prefix) || !span_ends(name, ".jq"))
			continue;
		name = span_from(name, strlen(prefix));
		*formats = array_grow(*formats, *count, sizeof(**formats));
		(*formats)[*count] = mem_copy((struct span){name.at, name.len - strlen(".jq")});
		replace_char((*formats)[(*count)++], '_', '-');
	}
	if (files != NULL)
		closedir(files);
	free(prefix);
	free(folder);
}

static void report_unknown(const char *direction, const char *format, struct error *e)
{
	struct buffer list = {0};
	char **formats = NULL;
	size_t count = 0;

	add_formats(config_path("jq"), direction, &formats, &count);
	add_formats(share_path("jq"), direction, &formats, &count);
	if (count > 0)
		qsort(formats, count, sizeof(*formats), compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(formats[i], formats[i - 1]) != 0)
			buffer_add_format(&list, "%s%s", i > 0 ? ", " : "", formats[i]);
	for (size_t i = 0; i < count; i++)
		free(formats[i]);
	free(formats);
	error_set(e, "usage", "--%s: there is no format '%s'; the formats are %s", direction,
		  format, count > 0 ? buffer_string(&list) : "none");
	buffer_free(&list);
}

static bool is_readable(char *path)
{
	bool readable = path != NULL && access(path, R_OK) == 0;

	free(path);
	return readable;
}

/* The module of a format; NULL if there is none. The caller frees it. */
static char *find_module(const char *direction, const char *format)
{
	char *module = mem_format("%s_%s", direction, format);
	char *file = mem_format("jq/%s_%s.jq", direction, format);
	bool found;

	replace_char(module, '-', '_');
	replace_char(file + strlen("jq/"), '-', '_');
	found = *format != '\0' && strpbrk(format, "/\"\\") == NULL &&
		(is_readable(config_path(file)) || is_readable(share_path(file)));
	free(file);
	if (found)
		return module;
	free(module);
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
		report_unknown(direction, format, e);
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
	envelopes_begin(&t->envelopes);
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
	char fresh[UUID_SIZE];

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
	if (!envelopes_add(&t->envelopes, buffer_span(&t->value), &t->line)) {
		error_set(e, "jq",
			  "it yields a value that is not an event with event_type and data");
		return (struct span){0};
	}
	return buffer_span(&t->line);
}

void translation_close(struct translation *t)
{
	if (t == NULL)
		return;
	envelopes_free(&t->envelopes);
	jq_program_close(t->program);
	buffer_free(&t->input);
	buffer_free(&t->value);
	buffer_free(&t->line);
	free(t);
}
