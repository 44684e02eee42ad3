#include "tool/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* ---- the pieces of an element ---- */

struct command_piece {
	struct span text; /* literal text, or the name between braces */
	bool is_name;
	bool open; /* a brace that is never closed */
};

/* Remove the next piece from `rest`. Returns false at the end. "{{" and "}}" stand for one brace.
 */
static bool next_piece(struct span *rest, struct command_piece *piece)
{
	size_t len = 0;

	*piece = (struct command_piece){.text = *rest};
	if (rest->len == 0)
		return false;
	if (span_starts(*rest, "{{") || span_starts(*rest, "}}")) {
		piece->text.len = 1;
		*rest = span_from(*rest, 2);
		return true;
	}
	if (rest->at[0] == '{') {
		const char *close = memchr(rest->at, '}', rest->len);

		piece->is_name = true;
		piece->open = close == NULL;
		piece->text = span_from(*rest, 1);
		piece->text.len = close != NULL ? (size_t)(close - piece->text.at) : rest->len - 1;
		*rest = span_from(*rest, piece->open ? rest->len : piece->text.len + 2);
		return true;
	}
	do
		len++;
	while (len < rest->len && rest->at[len] != '{' && rest->at[len] != '}');
	piece->text.len = len;
	*rest = span_from(*rest, len);
	return true;
}

/* Whether an element of the command has the placeholder `name`. */
static bool has_placeholder(const struct tool *tool, struct span name)
{
	bool found = false;

	for (struct json_walk walk = json_walk(tool->command); !found && json_next(&walk);) {
		struct buffer text = {0};
		struct command_piece piece;
		struct span rest;

		json_decode(walk.value, &text);
		rest = buffer_span(&text);
		while (!found && next_piece(&rest, &piece))
			found = piece.is_name && span_equal(piece.text, name);
		buffer_free(&text);
	}
	return found;
}

void command_complete_args(const struct tool *tool, struct span args, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(tool->parameters, "properties"));
	struct buffer defaults = {0};

	while (json_next(&walk)) {
		struct span value = json_get(walk.value, "default");
		char *name = json_text(walk.key);

		if (value.at != NULL && json_type(value) != JSON_NULL &&
		    json_get(args, name).at == NULL && has_placeholder(tool, span_of(name))) {
			json_copy_key(&defaults, walk.key);
			json_write_compact(&defaults, value);
		}
		free(name);
	}
	if (defaults.len > 0) {
		args = json_trim(args);
		args.len--; /* the brace */
		buffer_add_span(out, span_trim(args));
		json_comma(out);
		buffer_add_span(out, buffer_span(&defaults));
		json_close(out, '}');
	} else {
		buffer_add_span(out, args);
	}
	buffer_free(&defaults);
}

/* ---- checking ---- */

static bool check_name(struct command_piece piece, struct span parameters, struct buffer *why)
{
	char *name;
	bool known;

	if (piece.open) {
		buffer_add_text(why, "\"command\" contains a { that is not closed: "
				     "write {{ for a brace that stands for itself");
		return false;
	}
	name = mem_copy(piece.text);
	known = json_get(json_get(parameters, "properties"), name).at != NULL;
	if (!known)
		buffer_add_format(
		    why,
		    "the placeholder {%s} names no property of \"parameters\": add it "
		    "there, or write {{ and }} for braces that stand for themselves",
		    name);
	free(name);
	return known;
}

static bool check_element(struct span element, struct span parameters, bool *placeholders,
			  struct buffer *why)
{
	struct buffer text = {0};
	struct span rest;
	struct command_piece piece;
	bool good = true;

	json_decode(element, &text);
	if (text.len > 0 && memchr(text.at, '\0', text.len) != NULL) {
		buffer_add_text(why, "\"command\" holds a NUL, which no argument can");
		good = false;
	}
	rest = buffer_span(&text);
	while (good && next_piece(&rest, &piece)) {
		if (!piece.is_name)
			continue;
		*placeholders = true;
		good = check_name(piece, parameters, why);
	}
	buffer_free(&text);
	return good;
}

bool command_check(struct span command, struct span parameters, bool *placeholders,
		   struct span *where, struct buffer *why)
{
	bool is_array = json_type(command) == JSON_ARRAY;
	size_t count = 0;

	*where = command;
	*placeholders = false;
	for (struct json_walk walk = json_walk(command); is_array && json_next(&walk); count++) {
		*where = walk.value;
		is_array = json_type(walk.value) == JSON_STRING &&
			   !(count == 0 && json_is(walk.value, ""));
		if (is_array && !check_element(walk.value, parameters, placeholders, why))
			return false;
		if (count == 0 && *placeholders) {
			buffer_add_text(why,
					"the program itself, the first string of \"command\", "
					"must not contain a placeholder: the model would choose "
					"what is run");
			return false;
		}
	}
	if (is_array && count > 0)
		return true;
	buffer_add_text(why, "\"command\" must be an array of strings that begins with a "
			     "program, such as [\"cat\", \"--\", \"{path}\"]");
	return false;
}

/* ---- building ---- */

struct building {
	struct span args;   /* with the defaults */
	struct buffer *why; /* empty: no error */
	char **strings;
	size_t count;
};

/* The value of a placeholder. Absent if there is none or if it is null. */
static struct span lookup(const struct building *argv, struct span name)
{
	char *key = mem_copy(name);
	struct span value = json_get(argv->args, key);

	free(key);
	return json_type(value) == JSON_NULL ? (struct span){0} : value;
}

static void push(struct building *argv, char *string)
{
	argv->strings = array_grow(argv->strings, argv->count, sizeof(*argv->strings));
	argv->strings[argv->count++] = string;
}

/* Append `value`: a string decoded, any other value as JSON. */
static void add_value(struct building *argv, struct buffer *out, struct span name,
		      struct span value)
{
	size_t before = out->len;

	if (!json_decode(value, out))
		buffer_add_span(out, value);
	if (out->len > before && memchr(out->at + before, '\0', out->len - before) != NULL &&
	    argv->why->len == 0)
		buffer_add_format(argv->why,
				  "the argument \"%.*s\" holds a NUL character, which cannot be "
				  "passed to a program",
				  SPAN_ARG(name));
}

/* Append the element `text` with its placeholders replaced. If `repeated` is present, it is the
 * value of the only placeholder. */
static void push_filled(struct building *argv, struct span text, struct span repeated)
{
	struct buffer filled = {0};
	struct command_piece piece;

	while (next_piece(&text, &piece)) {
		if (!piece.is_name)
			buffer_add_span(&filled, piece.text);
		else
			add_value(argv, &filled, piece.text,
				  repeated.at != NULL ? repeated : lookup(argv, piece.text));
	}
	push(argv, buffer_take(&filled));
}

/* Append the arguments for one element: none if the value of a placeholder is absent, one for each
 * element of an array if the only placeholder is an array, otherwise one. */
static void push_element(struct building *argv, struct span text)
{
	struct span rest = text, value = {0};
	struct command_piece piece;
	size_t names = 0;

	while (next_piece(&rest, &piece)) {
		if (!piece.is_name)
			continue;
		names++;
		value = lookup(argv, piece.text);
		if (value.at == NULL)
			return;
	}
	if (names != 1 || json_type(value) != JSON_ARRAY) {
		push_filled(argv, text, (struct span){0});
		return;
	}
	for (struct json_walk walk = json_walk(value); json_next(&walk);)
		push_filled(argv, text, walk.value);
}

/* A program with a slash is relative to the manifest, others are searched in PATH. Frees `name`. */
static char *resolve_program(const struct tool *tool, char *name)
{
	char *path;

	if (strchr(name, '/') == NULL)
		return name;
	path = path_join(tool->folder, name);
	free(name);
	return path;
}

char **command_build(const struct tool *tool, struct span args, struct buffer *why)
{
	struct buffer complete = {0};
	struct building argv = {.why = why};

	command_complete_args(tool, args, &complete);
	argv.args = buffer_span(&complete);
	for (struct json_walk walk = json_walk(tool->command); json_next(&walk);) {
		struct buffer text = {0};

		json_decode(walk.value, &text);
		push_element(&argv, buffer_span(&text));
		buffer_free(&text);
	}
	push(&argv, NULL);
	buffer_free(&complete);
	if (argv.strings[0] == NULL)
		buffer_add_text(why, "the tool has no command");
	if (argv.strings[0] == NULL || why->len > 0) {
		command_free(argv.strings);
		return NULL;
	}
	argv.strings[0] = resolve_program(tool, argv.strings[0]);
	return argv.strings;
}

bool command_accepts(const struct tool *tool, struct span args, struct buffer *why)
{
	char **argv = command_build(tool, args, why);

	command_free(argv);
	return argv != NULL;
}

void command_free(char **argv)
{
	if (argv == NULL)
		return;
	for (char **string = argv; *string != NULL; string++)
		free(*string);
	free(argv);
}

/* ---- whether the program is there ---- */

/* Whether the file can be executed; if not, sets errno. */
static bool is_executable(const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		return false;
	}
	return access(path, X_OK) == 0;
}

static bool is_in_path(const char *name)
{
	const char *at = getenv("PATH");
	bool found = at == NULL;

	while (!found && at != NULL) {
		size_t len = strcspn(at, ":");
		char *folder = mem_copy((struct span){at, len}), *path = path_join(folder, name);

		found = is_executable(path);
		free(path);
		free(folder);
		at = at[len] != '\0' ? at + len + 1 : NULL;
	}
	return found;
}

/* Whether the interpreter in the first line of `program`, if it has one, can be started. */
static bool check_interpreter(const char *program, struct buffer *why)
{
	char line[256];
	int fd = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t count = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
	char *name = line + 2;

	if (fd >= 0)
		close(fd);
	if (count < 2 || line[0] != '#' || line[1] != '!')
		return true;
	line[count] = '\0';
	name += strspn(name, " \t");
	name[strcspn(name, " \t\r\n")] = '\0';
	if (is_executable(name))
		return true;
	buffer_add_format(why, "%s cannot be started: its first line names the interpreter %s: %s",
			  program, name, strerror(errno));
	return false;
}

bool command_program_exists(const struct tool *tool, struct buffer *why)
{
	struct json_walk walk = json_walk(tool->command);
	char *program = json_next(&walk) ? json_text(walk.value) : NULL;
	bool good = true;

	if (program == NULL)
		return true;
	program = resolve_program(tool, program);
	if (strchr(program, '/') == NULL) {
		good = is_in_path(program);
		if (!good)
			buffer_add_format(why, "there is no program %s in PATH", program);
	} else if (!is_executable(program)) {
		good = false;
		buffer_add_format(why, "%s cannot be started: %s", program, strerror(errno));
	} else {
		good = check_interpreter(program, why);
	}
	free(program);
	return good;
}
