#include "translate.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/table.h"
#include "jq/program.h"
#include "numbers.h"

struct translation {
	struct jq_program *program;
	bool makes_events;
	struct buffer input, value, line;
	char run_id[UUID_SIZE]; /* of events that name none; a new one after each agent_end */
	struct table next_seqs; /* of the open runs, by their ids, which are owned */
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

/* ---- envelopes ---- */

/* The id of an open run as the table stores it; a run that is not open is opened. */
static struct span open_run(struct translation *t, struct span id)
{
	struct span key = table_key(&t->next_seqs, id);

	if (key.at == NULL) {
		key = (struct span){mem_copy(id), id.len};
		*table_add(&t->next_seqs, key) = 0;
	}
	return key;
}

static void end_run(struct translation *t, struct span run_id)
{
	if (span_is(run_id, t->run_id))
		uuid_v7(t->run_id);
	table_remove(&t->next_seqs, run_id);
	free((char *)run_id.at);
}

static bool write_event(struct translation *t, struct span value, struct error *e)
{
	struct span type = json_get(value, "event_type"), run_id = json_get(value, "run_id");
	struct span data = json_get(value, "data");
	int64_t time = clock_parse_timestamp(json_plain(json_get(value, "timestamp")));
	struct buffer timestamp = {0};
	struct span run;
	char *id;

	if (json_type(type) != JSON_STRING || json_type(data) != JSON_OBJECT)
		return error_set(e, "jq",
				 "it yields a value that is not an event with event_type and data");
	id = json_text(run_id);
	run = open_run(t, span_of(id != NULL ? id : t->run_id));
	free(id);
	clock_add_timestamp(&timestamp, time >= 0 ? time : clock_realtime());
	json_pack(&t->line, "{'event_type':%j,'timestamp':%s,'run_id':%s,'seq':%d,'data':%j}", type,
		  buffer_span(&timestamp), run, (int64_t)(*table_find(&t->next_seqs, run))++, data);
	buffer_free(&timestamp);
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
	for (size_t i = 0; i < t->next_seqs.capacity; i++)
		free((char *)t->next_seqs.slots[i].key.at);
	table_free(&t->next_seqs);
	jq_program_close(t->program);
	buffer_free(&t->input);
	buffer_free(&t->value);
	buffer_free(&t->line);
	free(t);
}
