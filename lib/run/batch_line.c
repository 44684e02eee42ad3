#include "run/batch_line.h"

#include <ctype.h>
#include <stdlib.h>

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

/* What stands for `name`: text as it is, anything else as JSON. */
static bool fill(struct span line, bool is_text, struct span vars_only, const char *name,
		 struct buffer *out)
{
	struct span value = {0};

	if (is_text && strcmp(name, "text") == 0) {
		buffer_add_span(out, line);
		return true;
	}
	if (!is_text)
		value = json_get(vars_only, name);
	if (!is_text && value.at == NULL)
		value = json_get(line, name);
	if (value.at == NULL)
		return false;
	if (!json_decode(value, out))
		buffer_add_span(out, value);
	return true;
}

/* Append `template` with its places filled; *places says whether there were any. NULL, or the name
 * of the place that nothing fills, which the caller frees. */
static char *expand(const char *template, struct span line, bool is_text, struct buffer *out,
		    bool *places)
{
	struct span vars = is_text ? (struct span){0} : json_get(line, "vars");

	*places = false;
	while (*template != '\0') {
		size_t len = place_name(template);
		char *name;

		if (len == 0) {
			buffer_add_char(out, *template ++);
			continue;
		}
		name = mem_copy((struct span){template + 1, len});
		if (!fill(line, is_text, vars, name, out))
			return name;
		free(name);
		*places = true;
		template += len + 2;
	}
	return NULL;
}

/* The prompt that the line itself holds. */
static char *own_prompt(struct span line, bool is_text, struct buffer *out)
{
	char *prompt, *missing = NULL;
	bool places;

	if (is_text) {
		buffer_add_span(out, line);
		return NULL;
	}
	prompt = json_text(json_get(line, "prompt"));
	if (prompt != NULL && json_type(json_get(line, "vars")) == JSON_OBJECT)
		missing = expand(prompt, line, false, out, &places);
	else if (prompt != NULL)
		buffer_add_text(out, prompt);
	free(prompt);
	return missing;
}

static char *make_prompt(struct span line, bool is_text, const char *template, struct buffer *out)
{
	bool places = false;
	char *missing = NULL;

	if (template != NULL)
		missing = expand(template, line, is_text, out, &places);
	if (missing != NULL || places)
		return missing;
	if (out->len > 0)
		buffer_add_text(out, "\n\n");
	return own_prompt(line, is_text, out);
}

/* A member that is text or, of an id, a number. */
static char *member(struct span line, const char *key)
{
	struct span value = json_get(line, key);

	return json_type(value) == JSON_NUMBER ? mem_copy(value) : json_text(value);
}

bool batch_line_read(struct span text, size_t number, const char *source, const char *template,
		     struct batch_line *line, struct error *e)
{
	bool is_text = text.len == 0 || text.at[0] != '{';
	struct buffer prompt = {0}, id = {0};
	struct json_fault fault;
	char *missing;
	bool good = true;

	*line = (struct batch_line){0};
	if (!is_text && !json_check(text, &fault))
		return error_set(e, "usage", "%s:%zu: not JSON: %s at byte %zu", source, number,
				 fault.what, fault.offset + 1);
	missing = make_prompt(text, is_text, template, &prompt);
	if (missing != NULL)
		good = error_set(e, "usage",
				 "%s:%zu: the prompt has a place {%s}, the line has no "
				 "\"%s\"",
				 source, number, missing, missing);
	else if (prompt.len == 0)
		good = error_set(e, "usage", "%s:%zu: has no \"prompt\"", source, number);
	if (!is_text) {
		line->id = member(text, "id");
		line->system = member(text, "system");
		line->model = member(text, "model");
	}
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
