#include "run/batch_input.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/suggestion.h"

/* The length of the name of a place "{NAME}" that `text` begins with; 0: there is none. */
static size_t place_name(const char *text)
{
	size_t len = 1;

	if (text[0] != '{' || !(isalpha((unsigned char)text[1]) || text[1] == '_'))
		return 0;
	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return text[len] == '}' ? len - 1 : 0;
}

/* A line, as text or as an object. */
struct source_line {
	struct span text;         /* absent: it is an object */
	struct span object, vars; /* absent: it is text; it has no "vars" */
};

/* Append the value of the place `name`: a string as it is, anything else as JSON. */
static bool fill(const struct source_line *line, const char *name, struct buffer *out)
{
	struct span value = json_get(line->vars, name);

	if (line->text.at != NULL && strcmp(name, "text") == 0) {
		buffer_add_span(out, line->text);
		return true;
	}
	if (value.at == NULL)
		value = json_get(line->object, name);
	if (value.at != NULL && !json_decode(value, out))
		buffer_add_span(out, value);
	return value.at != NULL;
}

/* The length of "{{NAME}}" at the beginning of `text`, which stands for "{NAME}"; 0: it begins with
 * something else. Other braces stand for themselves, as in JSON. */
static size_t escaped_place(const char *text)
{
	size_t len = text[0] == '{' ? place_name(text + 1) : 0;

	return len > 0 && text[len + 3] == '}' ? len + 4 : 0;
}

/* Append `template` with its places filled, and count them. Returns NULL, or the name of the place
 * that nothing fills, which the caller frees. */
static char *expand(const char *template, const struct source_line *line, struct buffer *out,
		    size_t *places)
{
	while (*template != '\0') {
		size_t len = place_name(template), escaped = escaped_place(template);
		char *name;

		if (escaped > 0) {
			buffer_add(out, template + 1, escaped - 2);
			template += escaped;
			continue;
		}
		if (len == 0) {
			buffer_add_char(out, *template ++);
			continue;
		}
		name = mem_copy((struct span){template + 1, len});
		if (!fill(line, name, out))
			return name;
		free(name);
		++*places;
		template += len + 2;
	}
	return NULL;
}

/* Append the prompt: the template and, if it has no places, the line's own prompt. Returns as
 * expand. */
static char *make_prompt(const struct source_line *line, const char *template, struct buffer *out)
{
	char *prompt, *missing = NULL;
	size_t places = 0;

	if (template != NULL)
		missing = expand(template, line, out, &places);
	if (missing != NULL || places > 0)
		return missing;
	if (out->len > 0)
		buffer_add_text(out, "\n\n");
	if (line->text.at != NULL)
		buffer_add_span(out, line->text);
	prompt = json_text(json_get(line->object, "prompt"));
	if (prompt != NULL && json_type(line->vars) == JSON_OBJECT)
		missing = expand(prompt, line, out, &places);
	else if (prompt != NULL)
		buffer_add_text(out, prompt);
	free(prompt);
	return missing;
}

/* A member that is text or, of an id, a number. */
static char *member(struct span line, const char *key)
{
	struct span value = json_get(line, key);

	return json_type(value) == JSON_NUMBER ? mem_copy(value) : json_text(value);
}

/* Whether the line has a NUL, as a byte or as the escape \u0000. */
static bool has_nul(struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.at[i] == '\0' || span_starts(span_from(line, i), "\\u0000"))
			return true;
		i += line.at[i] == '\\'; /* the next byte belongs to the escape */
	}
	return false;
}

/* Whether a template has a place for a member. */
static bool has_place(const char *template, const char *key)
{
	struct buffer place = {0};
	bool found;

	buffer_add_format(&place, "{%s}", key);
	found = template != NULL && strstr(template, buffer_string(&place)) != NULL;
	buffer_free(&place);
	return found;
}

/* A member that fills no place may be any data, but not nearly the name of one that has a meaning.
 */
static bool check_keys(struct span object, const char *template, size_t number, const char *source,
		       struct error *e)
{
	enum { SHORTEST = 5, FARTHEST = 2 }; /* shorter names are near to too many */
	static const char *const known[] = {"prompt", "system", "model", "vars", NULL};
	struct json_walk walk = json_walk(object);
	bool good = true;

	while (good && json_next(&walk)) {
		char *key = json_text(walk.key);
		struct suggestion meant = suggestion_for(key);
		struct buffer hint = {0};

		for (size_t i = 0; known[i] != NULL; i++)
			if (json_get(object, known[i]).at == NULL)
				suggestion_consider(&meant, known[i]);
		if (meant.meant != NULL && meant.distance <= FARTHEST && strlen(key) >= SHORTEST &&
		    !span_is_any(span_of(key), known) && !has_place(template, key)) {
			suggestion_write(&meant, &hint);
			good = error_set(e, "usage", "%s:%zu: unknown key \"%s\"%s", source, number,
					 key, buffer_string(&hint));
		}
		buffer_free(&hint);
		free(key);
	}
	return good;
}

/* Whether the members that have a meaning are texts or numbers; null is as if missing. */
static bool check_types(struct span object, size_t number, const char *source, struct error *e)
{
	static const char *const keys[] = {"id", "system", "model"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		enum json_type type = json_type(json_get(object, keys[i]));

		if (type == JSON_OBJECT || type == JSON_ARRAY || type == JSON_BOOL)
			return error_set(e, "usage", "%s:%zu: \"%s\" must be a text%s", source,
					 number, keys[i], i == 0 ? " or a number" : "");
	}
	return true;
}

bool batch_line_read(struct span text, size_t number, const char *source, const char *template,
		     struct batch_line *line, struct error *e)
{
	bool is_text = text.len == 0 || text.at[0] != '{';
	struct source_line source_line = {{0}, {0}, {0}};
	struct buffer prompt = {0}, id = {0};
	struct json_fault fault;
	char *missing;
	bool good = true;

	*line = (struct batch_line){0};
	if (has_nul(text))
		return error_set(e, "usage", "%s:%zu: contains a NUL byte; is it a binary file?",
				 source, number);
	if (!is_text && !json_check(text, &fault))
		return error_set(e, "usage", "%s:%zu: not JSON: %s at byte %zu", source, number,
				 fault.what, fault.offset + 1);
	if (is_text)
		source_line.text = text;
	else
		source_line = (struct source_line){.object = text, .vars = json_get(text, "vars")};
	if (!check_keys(source_line.object, template, number, source, e) ||
	    !check_types(source_line.object, number, source, e))
		return false;
	missing = make_prompt(&source_line, template, &prompt);
	if (missing != NULL)
		good = error_set(e, "usage",
				 "%s:%zu: the prompt contains the placeholder {%s}, but the line "
				 "has no \"%s\"",
				 source, number, missing, missing);
	else if (prompt.len == 0)
		good = error_set(e, "usage", "%s:%zu: has no \"prompt\"", source, number);
	line->id = member(source_line.object, "id");
	line->system = member(source_line.object, "system");
	line->model = member(source_line.object, "model");
	if (line->id == NULL) {
		buffer_add_format(&id, "%zu", number);
		line->id = buffer_take(&id);
	}
	line->prompt = buffer_take(&prompt);
	free(missing);
	if (!good)
		batch_line_free(line);
	return good;
}

void batch_line_free(struct batch_line *line)
{
	free(line->id);
	free(line->prompt);
	free(line->system);
	free(line->model);
	*line = (struct batch_line){0};
}
