/*
 * Conditions on results, in jq.
 *
 * A condition that fails is told with the value it yielded and, as that is mostly "false", with
 * what the paths of the result that it mentions are.
 */
#include "collect.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "event/terminal.h"
#include "jq/program.h"

/* Columns of a value that are shown. */
enum { MAX_SHOWN = 60 };

struct check {
	const char *expression;
	struct jq_program *program;
};

struct checks {
	struct check *checks;
	size_t count;
};

struct checks *checks_new(const char *const *expressions, size_t count, struct error *e)
{
	struct checks *checks = mem_zero(sizeof(*checks));
	struct error why = {0};

	checks->checks = mem_zero(count * sizeof(*checks->checks));
	for (size_t i = 0; i < count; i++) {
		struct jq_program *program = jq_program_open(expressions[i], NULL, 0, &why);

		if (program == NULL) {
			error_set(e, "usage", "%s: %.*s", expressions[i],
				  (int)strcspn(why.message, "\n"), why.message);
			error_clear(&why);
			checks_free(checks);
			return NULL;
		}
		checks->checks[checks->count++] = (struct check){expressions[i], program};
	}
	return checks;
}

void checks_free(struct checks *checks)
{
	if (checks == NULL)
		return;
	for (size_t i = 0; i < checks->count; i++)
		jq_program_close(checks->checks[i].program);
	free(checks->checks);
	free(checks);
}

/* ---- saying what is wrong ---- */

static void add_value(struct buffer *out, struct span json)
{
	struct span shown = utf8_cut(json, MAX_SHOWN);

	terminal_add_line(out, shown);
	if (shown.len < json.len)
		buffer_add_text(out, "...");
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* How long the path (.a.b) at `at` is, where one begins: not inside another word or value. */
static size_t path_length(const char *expression, const char *at)
{
	size_t len = 0;

	if (at > expression && (is_name(at[-1]) || strchr("])\"?.", at[-1]) != NULL))
		return 0;
	while (at[len] == '.' && is_name(at[len + 1]) && !isdigit((unsigned char)at[len + 1])) {
		len++;
		while (is_name(at[len]))
			len++;
	}
	return len;
}

/* What the paths in the expression are, where the result has them. */
static void add_paths(struct buffer *out, const char *expression, struct span result)
{
	bool quoted = false;

	for (const char *at = expression; *at != '\0'; at++) {
		size_t len = path_length(expression, at);
		struct buffer path = {0};
		struct span value;

		if (*at == '"')
			quoted = !quoted;
		if (quoted || len == 0)
			continue;
		buffer_add(&path, at + 1, len - 1);
		value = json_path(result, buffer_string(&path));
		if (value.at != NULL) {
			buffer_add_format(out, ", .%s is ", buffer_string(&path));
			add_value(out, value);
		}
		buffer_free(&path);
		at += len - 1;
	}
}

static void say(const struct check *check, struct buffer *found, struct span result)
{
	struct span id = json_plain(json_get(result, "run_id"));

	add_paths(found, check->expression, result);
	if (id.at != NULL && id.len > 0) {
		buffer_add_text(found, ", run ");
		terminal_add_line(found, id);
	}
	warn("check failed: %s (%s)", check->expression, buffer_string(found));
}

/* ---- checking ---- */

/* Every value that the expression yields must be neither false nor null, and there must be one. */
static bool holds(const struct check *check, struct span result)
{
	struct buffer found = {0};
	struct error e = {0};
	struct span value = {0};
	enum jq_result next = JQ_RESULT_ERROR;
	bool good = true, truthy, any = false;

	if (jq_program_start(check->program, result, &e)) {
		while (good && (next = jq_program_next(check->program, &value, &truthy, &e)) ==
				   JQ_RESULT_VALUE) {
			good = truthy;
			any = true;
		}
	}
	if (next == JQ_RESULT_ERROR) {
		buffer_add_text(&found, "error: ");
		terminal_add_line(&found, span_of(e.message));
	} else if (!good) {
		buffer_add_text(&found, "value: ");
		add_value(&found, value);
	} else if (!any) {
		buffer_add_text(&found, "no value");
	}
	good = found.len == 0;
	if (!good)
		say(check, &found, result);
	buffer_free(&found);
	error_clear(&e);
	return good;
}

bool checks_hold(struct checks *checks, struct span result)
{
	bool good = true;

	for (size_t i = 0; i < checks->count; i++)
		good = holds(&checks->checks[i], result) && good;
	return good;
}
