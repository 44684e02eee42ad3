#include <ctype.h>
#include <stdlib.h>

#include "model/protocol/gemini.h"

/* Deepest path that is followed. */
enum { MAX_STEPS = 100 };

/* ---- paths: $.a.b, $.list[0].c, $['a b'] ---- */

struct step {
	enum { STEP_END, STEP_BAD, STEP_KEY, STEP_INDEX } type;
	struct buffer key;
	size_t index;
};

/* ['key'] or [12]; `at` is behind the bracket. Returns where the next step begins. */
static const char *read_bracket(const char *at, struct step *step)
{
	char quote = *at;
	char *end;

	if (quote == '\'' || quote == '"') {
		step->type = STEP_KEY;
		for (at++; *at != '\0' && *at != quote; at++) {
			if (*at == '\\' && at[1] != '\0')
				at++;
			buffer_add_char(&step->key, *at);
		}
		at += *at == quote;
	} else if (isdigit((unsigned char)quote)) {
		step->type = STEP_INDEX;
		step->index = strtoul(at, &end, 10);
		at = end;
	}
	if (*at != ']')
		step->type = STEP_BAD;
	return at + (*at == ']');
}

/* The step at `at`; the caller frees its key. Returns where the next one begins. */
static const char *read_step(const char *at, struct step *step)
{
	size_t len;

	*step = (struct step){.type = STEP_BAD};
	if (*at == '\0') {
		step->type = STEP_END;
	} else if (*at == '[') {
		return read_bracket(at + 1, step);
	} else if (*at == '.') {
		len = strcspn(at + 1, ".[");
		if (len > 0)
			step->type = STEP_KEY;
		buffer_add(&step->key, at + 1, len);
		return at + 1 + len;
	}
	return at;
}

/* Where the first step begins; NULL when this is no path into an object. */
static const char *path_start(const char *path)
{
	const char *start = *path == '$' ? path + 1 : path, *at = start;
	struct step step;
	int steps = 0;
	bool good = true;

	do {
		at = read_step(at, &step);
		good &= step.type != STEP_BAD && (steps > 0 || step.type == STEP_KEY);
		buffer_free(&step.key);
	} while (good && step.type != STEP_END && ++steps <= MAX_STEPS);
	return good && steps <= MAX_STEPS ? start : NULL;
}

/* ---- putting a value where a path says ---- */

static void put(struct span base, const char *path, struct span value, struct buffer *out);

static void put_member(struct span base, struct span key, const char *rest, struct span value,
		       struct buffer *out)
{
	struct json_walk walk = json_walk(json_type(base) == JSON_OBJECT ? base : (struct span){0});
	struct buffer text = {0};
	bool found = false;

	json_open(out, '{');
	while (json_next(&walk)) {
		bool here;

		buffer_clear(&text);
		json_decode(walk.key, &text);
		here = !found && span_equal(buffer_span(&text), key);
		found |= here;
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		if (here)
			put(walk.value, rest, value, out);
		else
			buffer_add_span(out, walk.value);
	}
	if (!found) {
		json_comma(out);
		json_write_string(out, key);
		buffer_add_char(out, ':');
		put((struct span){0}, rest, value, out);
	}
	json_close(out, '}');
	buffer_free(&text);
}

/* An index behind the end puts a further element there: lists are written in order. */
static void put_element(struct span base, size_t index, const char *rest, struct span value,
			struct buffer *out)
{
	struct json_walk walk = json_walk(json_type(base) == JSON_ARRAY ? base : (struct span){0});
	bool found = false;

	json_open(out, '[');
	for (size_t i = 0; json_next(&walk); i++) {
		json_comma(out);
		found |= i == index;
		if (i == index)
			put(walk.value, rest, value, out);
		else
			buffer_add_span(out, walk.value);
	}
	if (!found) {
		json_comma(out);
		put((struct span){0}, rest, value, out);
	}
	json_close(out, ']');
}

static void put(struct span base, const char *path, struct span value, struct buffer *out)
{
	struct step step;
	const char *rest = read_step(path, &step);

	if (step.type == STEP_KEY)
		put_member(base, buffer_span(&step.key), rest, value, out);
	else if (step.type == STEP_INDEX)
		put_element(base, step.index, rest, value, out);
	else
		buffer_add_span(out, value);
	buffer_free(&step.key);
}

static void set(struct gemini_args *args, const char *path, struct span value)
{
	struct buffer changed = {0};

	put(buffer_span(&args->json), path, value, &changed);
	buffer_free(&args->json);
	args->json = changed;
}

/* What stands at `path` in `base`; absent when nothing does. */
static struct span find(struct span base, const char *path)
{
	struct buffer text = {0};
	struct step step;

	for (path = read_step(path, &step); step.type == STEP_KEY || step.type == STEP_INDEX;
	     path = read_step(path, &step)) {
		struct json_walk walk = json_walk(base);
		struct span found = {0};

		for (size_t i = 0; found.at == NULL && json_next(&walk); i++) {
			buffer_clear(&text);
			json_decode(walk.key, &text);
			if (step.type == STEP_KEY
				? walk.key.at != NULL &&
				      span_equal(buffer_span(&text), buffer_span(&step.key))
				: walk.key.at == NULL && i == step.index)
				found = walk.value;
		}
		base = found;
		buffer_free(&step.key);
	}
	buffer_free(&step.key);
	buffer_free(&text);
	return base;
}

/* ---- the pieces ---- */

/* The string that grows is complete. */
static void settle(struct gemini_args *args)
{
	struct buffer value = {0};

	if (!args->growing)
		return;
	args->growing = false;
	buffer_add_format(&value, "\"%s\"", buffer_string(&args->text));
	set(args, path_start(buffer_string(&args->path)), buffer_span(&value));
	buffer_free(&value);
}

/* A string goes on where it stands already, whatever came in between and whether or not it was said
 * to continue. */
static void grow(struct gemini_args *args, const char *path, struct span string)
{
	if (!args->growing || !span_is(buffer_span(&args->path), path)) {
		struct span begun;

		settle(args);
		begun = find(buffer_span(&args->json), path_start(path));
		buffer_clear(&args->path);
		buffer_clear(&args->text);
		buffer_add_text(&args->path, path);
		if (json_type(begun) == JSON_STRING)
			buffer_add(&args->text, begun.at + 1, begun.len - 2);
		args->growing = true;
	}
	buffer_add(&args->text, string.at + 1, string.len - 2);
}

static void patch(struct gemini_args *args, struct span piece)
{
	char *path = json_text(json_get(piece, "jsonPath"));
	const char *start = path != NULL ? path_start(path) : NULL;
	struct span string = json_get(piece, "stringValue"), value = json_get(piece, "numberValue");

	if (value.at == NULL)
		value = json_get(piece, "boolValue");
	if (value.at == NULL && json_get(piece, "nullValue").at != NULL)
		value = SPAN("null");
	if (start != NULL && json_type(string) == JSON_STRING) {
		grow(args, path, string);
	} else if (start != NULL && value.at != NULL) {
		settle(args);
		set(args, start, value);
	}
	free(path);
}

void gemini_args_patch(struct gemini_args *args, struct span patches)
{
	struct json_walk walk = json_walk(patches);

	while (json_next(&walk))
		patch(args, walk.value);
}

/* An object, as the API says, or the text of one, as some gateways have it. */
void gemini_args_add(struct gemini_args *args, struct span whole)
{
	if (json_type(whole) == JSON_ABSENT || json_type(whole) == JSON_NULL)
		return;
	args->growing = false;
	buffer_clear(&args->json);
	if (!json_decode(whole, &args->json))
		json_write_line(&args->json, whole);
}

void gemini_args_end(struct gemini_args *args)
{
	settle(args);
	if (args->json.len == 0)
		buffer_add_text(&args->json, "{}");
}

void gemini_args_free(struct gemini_args *args)
{
	buffer_free(&args->json);
	buffer_free(&args->path);
	buffer_free(&args->text);
	args->growing = false;
}
