/*
 * Conditions on results, in jq.
 *
 * The message about a failed condition shows the value that it yielded and, as that is mostly
 * "false", the values of the paths of the result that it mentions.
 */
#include "collect.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/suggestion.h"
#include "base/utf8.h"
#include "event/terminal.h"
#include "jq/program.h"

/* Columns of a value that are shown. */
enum { MAX_SHOWN = 60 };

struct check {
	const char *expression;
	struct jq_program *program;
	struct span unknown; /* a key in the expression that no result has; absent: none */
};

/* In jq null is less than every number, so ".total_cost_usd < 1" would hold if the cost is not
 * known. The operators of order are calls of functions, which a definition before the expression
 * replaces; its own operators are still those of jq. */
#define ORDER(name, operator)                                                                      \
	"def agent" name "(a; b): a " operator" b;"                                                \
					      "def " name "(a; b): agent" name                     \
					      "(a | agent_known; b | agent_known);"
static const char guards[] =
    "def agent_known: if . == null then error(\"null is compared by \\\"<\\\" or \\\">\\\"\") "
    "else . end;" ORDER("_less", "<") ORDER("_lesseq", "<=") ORDER("_greater", ">")
	ORDER("_greatereq", ">=");

/* Returns the program itself if it cannot be guarded, because it imports modules. */
static struct jq_program *guard(struct jq_program *program, const char *expression)
{
	char *text = mem_format("%s %s", guards, expression);
	struct jq_program *guarded = jq_program_open(text, NULL, 0, NULL);

	free(text);
	if (guarded == NULL)
		return program;
	jq_program_close(program);
	return guarded;
}

void checks_free(struct checks *checks)
{
	for (size_t i = 0; i < checks->count; i++)
		jq_program_close(checks->at[i].program);
	free(checks->at);
}

/* ---- the message ---- */

static void add_value(struct buffer *out, struct span json)
{
	struct span shown = utf8_cut(json, MAX_SHOWN);
	enum json_type type = json_type(json);

	terminal_add_line(out, shown);
	if (shown.len == json.len)
		return;
	buffer_add_text(out, "...");
	if (type == JSON_ARRAY || type == JSON_OBJECT)
		buffer_add_format(out, " (%zu %s%s)", json_count(json),
				  type == JSON_ARRAY ? "element" : "member",
				  plural((double)json_count(json)));
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The length of the path (.a.b) that begins at `at`; 0: none does, or `at` is inside another word.
 */
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

/* The keys of the result object. */
static const char *const result_keys[] = {"run_id",
					  "parent_run_id",
					  "id",
					  "agent_name",
					  "model",
					  "success",
					  "status",
					  "output",
					  "output_json",
					  "finish_reason",
					  "usage",
					  "total_cost_usd",
					  "iterations",
					  "tool_calls",
					  "tool_errors",
					  "errors",
					  "event_counts",
					  "started",
					  "ended",
					  "duration_seconds",
					  "time_to_first_chunk_seconds",
					  "events",
					  NULL};

/* The first path of the expression whose key no result has: it is misspelt. Only paths before a
 * pipe, a function's arguments and a definition are surely those of the result. */
static struct span unknown_path(const char *expression)
{
	bool quoted = false;

	if (strstr(expression, "def ") != NULL)
		return (struct span){0};
	for (const char *at = expression; *at != '\0'; at++) {
		size_t len = path_length(expression, at);
		const char *before = at;

		if (*at == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		while (before > expression && before[-1] == ' ')
			before--;
		if (strchr("|;#", *at) != NULL ||
		    (*at == '(' && at > expression && is_name(at[-1])))
			break;
		if (len == 0)
			continue;
		if (before == expression || strchr("])}?", before[-1]) == NULL) {
			struct span path = {at + 1, strcspn(at + 1, ".")};

			path.len = path.len < len ? path.len : len - 1;
			if (!span_is_any(path, result_keys))
				return path;
		}
		at += len - 1;
	}
	return (struct span){0};
}

/* Add that the key does not exist. */
static void add_unknown(struct buffer *out, struct span key)
{
	char *name = mem_copy(key);
	struct suggestion suggestion = suggestion_for(name);

	for (size_t i = 0; result_keys[i] != NULL; i++)
		suggestion_consider(&suggestion, result_keys[i]);
	buffer_add_format(out, "%s.%s does not exist", out->len > 0 ? ", " : "", name);
	if (suggestion.meant != NULL)
		buffer_add_format(out, ", did you mean .%s?", suggestion.meant);
	free(name);
}

/* Add the values of the paths in the expression that the result has. */
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

static void warn_check(const struct check *check, struct buffer *found, struct span result)
{
	struct span id = json_plain(json_get(result, "run_id"));

	if (check->unknown.at != NULL)
		add_unknown(found, check->unknown);
	add_paths(found, check->expression, result);
	if (id.at != NULL && id.len > 0) {
		buffer_add_text(found, ", run ");
		terminal_add_line(found, id);
	}
	warn("check failed: %s (%s)", check->expression, buffer_string(found));
}

/* ---- checking ---- */

void checks_add(struct checks *checks, const char *expression)
{
	struct error e = {0};
	struct jq_program *program = jq_program_open(expression, NULL, 0, &e);

	if (program == NULL)
		die(STATUS_USAGE, "--check: %s: %.*s", expression, (int)strcspn(e.message, "\n"),
		    e.message);
	checks->at = array_grow(checks->at, checks->count, sizeof(*checks->at));
	checks->at[checks->count++] =
	    (struct check){expression, guard(program, expression), unknown_path(expression)};
}

/* Whether the expression yields at least one value, and none that is false or null. A misspelt key
 * fails, too: it is null, which is not equal to anything. */
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
	good = found.len == 0 && check->unknown.at == NULL;
	if (!good)
		warn_check(check, &found, result);
	buffer_free(&found);
	error_clear(&e);
	return good;
}

bool checks_hold(const struct checks *checks, struct span result)
{
	bool good = true;

	for (size_t i = 0; i < checks->count; i++)
		good = holds(&checks->at[i], result) && good;
	return good;
}
