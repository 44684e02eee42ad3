#define _DEFAULT_SOURCE /* realpath */
#include "jq/program.h"

#include <dlfcn.h>
#include <jq.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"

/* libjq's functions, by the names and types of its headers. */
#define FUNCTIONS(X)                                                                               \
	X(jq_init)                                                                                 \
	X(jq_set_error_cb)                                                                         \
	X(jq_format_error)                                                                         \
	X(jq_set_attr)                                                                             \
	X(jq_set_debug_cb)                                                                         \
	X(jq_set_input_cb)                                                                         \
	X(jq_compile_args)                                                                         \
	X(jq_start)                                                                                \
	X(jq_next)                                                                                 \
	X(jq_halted)                                                                               \
	X(jq_get_exit_code)                                                                        \
	X(jq_get_error_message)                                                                    \
	X(jq_teardown)                                                                             \
	X(jv_parse_sized)                                                                          \
	X(jv_dump_string)                                                                          \
	X(jv_get_kind)                                                                             \
	X(jv_invalid)                                                                              \
	X(jv_invalid_has_msg)                                                                      \
	X(jv_invalid_get_msg)                                                                      \
	X(jv_number_value)                                                                         \
	X(jv_string)                                                                               \
	X(jv_string_value)                                                                         \
	X(jv_string_length_bytes)                                                                  \
	X(jv_copy)                                                                                 \
	X(jv_free)                                                                                 \
	X(jv_array)                                                                                \
	X(jv_array_append)                                                                         \
	X(jv_array_length)                                                                         \
	X(jv_array_get)                                                                            \
	X(jv_object)                                                                               \
	X(jv_object_get)                                                                           \
	X(jv_object_set)

#define POINTER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses) */

struct libjq {
	FUNCTIONS(POINTER)
	__typeof__(jq_set_debug_cb) *set_stderr_cb; /* libjq 1.7 has it; NULL before */
};

struct jq_program {
	struct libjq lib;
	jq_state *state;
	jv text; /* of the last value that was returned */
	/* Of steps: the state, the events of the last one, and the next of these. Invalid: none. */
	jv step_state, events;
	int next_event;
	struct buffer errors; /* messages of the compiler */
};

static bool load(struct libjq *lib, struct error *e)
{
	void *handle = dlopen("libjq.so.1", RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL)
		return error_set(e, "usage",
				 "jq expressions need libjq: install the package libjq1 (%s)",
				 dlerror());
#define FIND(name)                                                                                 \
	*(void **)(&lib->name) = dlsym(handle, #name);                                             \
	if (lib->name == NULL)                                                                     \
		return error_set(e, "usage", "libjq has no %s: it is too old or too new", #name);
	FUNCTIONS(FIND)
	*(void **)(&lib->set_stderr_cb) = dlsym(handle, "jq_set_stderr_cb");
	return true;
}

/* ---- callbacks of expressions ---- */

static void add_string(const struct libjq *lib, struct buffer *out, jv string)
{
	buffer_add(out, lib->jv_string_value(string),
		   (size_t)lib->jv_string_length_bytes(lib->jv_copy(string)));
	lib->jv_free(string);
}

/* Write a value to stderr, strings unchanged if `raw`. Consumes the value. */
static void write_value(const struct libjq *lib, const char *before, jv value, bool raw,
			const char *after)
{
	struct buffer line = {0};

	if (!raw || lib->jv_get_kind(value) != JV_KIND_STRING)
		value = lib->jv_dump_string(value, 0);
	buffer_add_text(&line, before);
	add_string(lib, &line, value);
	buffer_add_text(&line, after);
	write_all(STDERR_FILENO, buffer_span(&line));
	buffer_free(&line);
}

/* `debug`, in the format of the program jq. */
static void on_debug(void *context, jv value)
{
	write_value(context, "[\"DEBUG:\",", value, false, "]\n");
}

/* `stderr`. libjq before 1.7 needs no callback. */
static void on_stderr(void *context, jv value)
{
	write_value(context, "", value, true, "");
}

/* `input`: an expression gets one text at a time, so this fails with "No more inputs". */
static jv on_input(jq_state *state, void *context)
{
	const struct libjq *lib = context;

	(void)state;
	return lib->jv_invalid();
}

static void set_callbacks(struct jq_program *p)
{
	const struct libjq *lib = &p->lib;

	lib->jq_set_debug_cb(p->state, on_debug, &p->lib);
	lib->jq_set_input_cb(p->state, on_input, &p->lib);
	if (lib->set_stderr_cb != NULL)
		lib->set_stderr_cb(p->state, on_stderr, &p->lib);
}

/* ---- compiling ---- */

static void add_module_folders(struct buffer *out)
{
	char *user = config_path("jq"), *shipped = share_path("jq");

	buffer_add_format(out, "jq: modules are in %s%s%s", user != NULL ? user : "",
			  user != NULL ? " or " : "", shipped);
	free(user);
	free(shipped);
}

static void add_error(void *context, jv message)
{
	struct jq_program *p = context;
	size_t start = p->errors.len;

	if (start > 0)
		buffer_add_char(&p->errors, '\n');
	add_string(&p->lib, &p->errors, p->lib.jq_format_error(message));
	if (strstr(buffer_string(&p->errors) + start, "module not found") != NULL)
		add_module_folders(&p->errors);
}

static jv add_folder(const struct libjq *lib, jv folders, char *path)
{
	char *whole = path != NULL ? realpath(path, NULL) : NULL;

	if (whole != NULL)
		folders = lib->jv_array_append(folders, lib->jv_string(whole));
	free(whole);
	free(path);
	return folders;
}

/* Set the folders for modules and the folder for relative paths in the expression. */
static void set_paths(struct jq_program *p)
{
	const struct libjq *lib = &p->lib;
	jv folders = lib->jv_array();
	char *here = realpath(".", NULL);

	folders = add_folder(lib, folders, config_path("jq"));
	folders = add_folder(lib, folders, share_path("jq"));
	lib->jq_set_attr(p->state, lib->jv_string("JQ_LIBRARY_PATH"), folders);
	lib->jq_set_attr(p->state, lib->jv_string("PROGRAM_ORIGIN"),
			 lib->jv_string(here != NULL ? here : "."));
	free(here);
}

/* On failure sets `e` to libjq's reason, without the text that libjq appends. */
static bool parse(const struct libjq *lib, struct span json, jv *value, struct error *e)
{
	const char *what = "there is no value", *quoted;
	jv message;

	*value = lib->jv_invalid();
	if (json.len > INT_MAX)
		return error_set(e, "jq", "it is too long for libjq");
	*value = lib->jv_parse_sized(json.at, (int)json.len);
	if (lib->jv_get_kind(*value) != JV_KIND_INVALID)
		return true;
	message = lib->jv_invalid_get_msg(*value); /* null if there is none */
	if (lib->jv_get_kind(message) == JV_KIND_STRING)
		what = lib->jv_string_value(message);
	quoted = strstr(what, " (while parsing '");
	error_set(e, "jq", "libjq cannot read it: %.*s",
		  (int)(quoted != NULL ? (size_t)(quoted - what) : strlen(what)), what);
	lib->jv_free(message);
	return false;
}

/* Make the variables and $ARGS.named, as jq does. */
static bool make_arguments(const struct libjq *lib, const struct jq_variable *variables,
			   size_t count, jv *arguments, struct error *e)
{
	jv all = lib->jv_object(), args = lib->jv_object();

	for (size_t i = 0; i < count; i++) {
		jv value;

		if (!parse(lib, variables[i].json, &value, NULL)) {
			lib->jv_free(all);
			lib->jv_free(args);
			return error_set(e, "usage", "the value of $%s is not JSON",
					 variables[i].name);
		}
		all = lib->jv_object_set(all, lib->jv_string(variables[i].name), value);
	}
	args = lib->jv_object_set(args, lib->jv_string("positional"), lib->jv_array());
	args = lib->jv_object_set(args, lib->jv_string("named"), lib->jv_copy(all));
	*arguments = lib->jv_object_set(all, lib->jv_string("ARGS"), args);
	return true;
}

struct jq_program *jq_program_open(const char *expression, const struct jq_variable *variables,
				   size_t count, struct error *e)
{
	struct jq_program *p = mem_zero(sizeof(*p));
	jv arguments = {0};

	if (!load(&p->lib, e)) {
		free(p);
		return NULL;
	}
	p->text = p->step_state = p->events = p->lib.jv_invalid();
	p->state = p->lib.jq_init();
	if (p->state == NULL)
		die(STATUS_FAILED, "out of memory");
	p->lib.jq_set_error_cb(p->state, add_error, p);
	set_callbacks(p);
	set_paths(p);
	if (make_arguments(&p->lib, variables, count, &arguments, e)) {
		if (p->lib.jq_compile_args(p->state, expression, arguments))
			return p;
		error_set(e, "usage", "%s", buffer_string(&p->errors));
	}
	jq_program_close(p);
	return NULL;
}

void jq_program_close(struct jq_program *p)
{
	if (p == NULL)
		return;
	p->lib.jv_free(p->text);
	p->lib.jv_free(p->step_state);
	p->lib.jv_free(p->events);
	p->lib.jq_teardown(&p->state);
	buffer_free(&p->errors);
	free(p);
}

/* ---- running ---- */

/* Whether the escape of a surrogate starts at `at`: "d8" to "db" for a high surrogate, "dc" to "df"
 * for a low one. */
static bool is_surrogate(struct span json, size_t at, bool high)
{
	const char *kinds = high ? "89abAB" : "cdefCDEF";

	return at + 6 <= json.len && json.at[at] == '\\' && json.at[at + 1] == 'u' &&
	       (json.at[at + 2] == 'd' || json.at[at + 2] == 'D') && json.at[at + 3] != '\0' &&
	       strchr(kinds, json.at[at + 3]) != NULL;
}

/* Replace lone high surrogates by U+FFFD, as libjq 1.7 does: their escapes are valid JSON, but
 * older versions refuse them. Returns false if there is none. */
static bool replace_lone_surrogates(struct buffer *out, struct span json)
{
	size_t done = 0, i = 0;

	while (i < json.len) {
		if (is_surrogate(json, i, true) && is_surrogate(json, i + 6, false)) {
			i += 12;
		} else if (is_surrogate(json, i, true)) {
			buffer_add(out, json.at + done, i - done);
			buffer_add_text(out, "\\ufffd");
			done = i += 6;
		} else {
			i += json.at[i] == '\\' ? 2 : 1;
		}
	}
	buffer_add(out, json.at + done, json.len - done);
	return done > 0;
}

static bool parse_input(const struct libjq *lib, struct span json, jv *value, struct error *e)
{
	struct buffer repaired = {0};
	bool good = parse(lib, json, value, e);

	if (!good && replace_lone_surrogates(&repaired, json)) {
		error_clear(e);
		good = parse(lib, buffer_span(&repaired), value, e);
	}
	buffer_free(&repaired);
	return good;
}

bool jq_program_start(struct jq_program *p, struct span json, struct error *e)
{
	jv value;

	if (!parse_input(&p->lib, json, &value, e))
		return false;
	p->lib.jq_start(p->state, value, 0);
	return true;
}

/* Set `e` to the text or the JSON of an error value. Consumes the value. */
static void set_message(const struct libjq *lib, jv message, struct error *e)
{
	if (lib->jv_get_kind(message) != JV_KIND_STRING)
		message = lib->jv_dump_string(message, 0);
	error_set(e, "jq", "%s", lib->jv_string_value(message));
	lib->jv_free(message);
}

static enum jq_result end_or_error(struct jq_program *p, jv invalid, struct error *e)
{
	const struct libjq *lib = &p->lib;

	if (lib->jv_invalid_has_msg(lib->jv_copy(invalid))) {
		set_message(lib, lib->jv_invalid_get_msg(invalid), e);
		return JQ_RESULT_ERROR;
	}
	lib->jv_free(invalid);
	if (lib->jq_halted(p->state)) {
		jv message = lib->jq_get_error_message(p->state);

		if (lib->jv_get_kind(message) != JV_KIND_INVALID) {
			set_message(lib, message, e);
			return JQ_RESULT_ERROR;
		}
		lib->jv_free(message);
	}
	return JQ_RESULT_END;
}

/* Replace a value of the program. Consumes `value`. */
static void replace(const struct jq_program *p, jv *old, jv value)
{
	p->lib.jv_free(*old);
	*old = value;
}

/* The JSON text of a value, valid until the next call. Consumes the value. */
static struct span text_of(struct jq_program *p, jv value)
{
	const struct libjq *lib = &p->lib;

	replace(p, &p->text, lib->jv_dump_string(value, 0));
	return (struct span){lib->jv_string_value(p->text),
			     (size_t)lib->jv_string_length_bytes(lib->jv_copy(p->text))};
}

bool jq_program_halted(struct jq_program *p, int *status)
{
	const struct libjq *lib = &p->lib;
	jv code;

	if (!lib->jq_halted(p->state))
		return false;
	code = lib->jq_get_exit_code(p->state);
	*status =
	    lib->jv_get_kind(code) == JV_KIND_NUMBER ? (int)lib->jv_number_value(code) : STATUS_OK;
	lib->jv_free(code);
	return true;
}

enum jq_result jq_program_next(struct jq_program *p, struct span *json, bool *truthy,
			       struct error *e)
{
	const struct libjq *lib = &p->lib;
	jv value = lib->jq_next(p->state);
	jv_kind kind = lib->jv_get_kind(value);

	if (kind == JV_KIND_INVALID)
		return end_or_error(p, value, e);
	*truthy = kind != JV_KIND_FALSE && kind != JV_KIND_NULL;
	if (json != NULL)
		*json = text_of(p, value);
	else
		lib->jv_free(value);
	return JQ_RESULT_VALUE;
}

/* ---- steps ---- */

/* Store the state and the events of a result. Consumes the result. */
static bool store_result(struct jq_program *p, jv result, struct error *e)
{
	const struct libjq *lib = &p->lib;
	jv state, events;

	if (lib->jv_get_kind(result) != JV_KIND_OBJECT) {
		lib->jv_free(result);
		return error_set(e, "jq",
				 "the result is not an object with \"state\" and \"events\"");
	}
	state = lib->jv_object_get(lib->jv_copy(result), lib->jv_string("state"));
	events = lib->jv_object_get(result, lib->jv_string("events"));
	if (lib->jv_get_kind(state) == JV_KIND_INVALID ||
	    lib->jv_get_kind(events) != JV_KIND_ARRAY) {
		lib->jv_free(state);
		lib->jv_free(events);
		return error_set(e, "jq",
				 "the result has no \"state\", or its \"events\" are not a list");
	}
	replace(p, &p->step_state, state);
	replace(p, &p->events, events);
	return true;
}

bool jq_program_step(struct jq_program *p, struct span json, struct error *e)
{
	const struct libjq *lib = &p->lib;
	jv input, result;

	replace(p, &p->events, lib->jv_invalid());
	p->next_event = 0;
	if (!parse_input(lib, json, &input, e))
		return false;
	if (lib->jv_get_kind(p->step_state) != JV_KIND_INVALID)
		input =
		    lib->jv_object_set(input, lib->jv_string("state"), lib->jv_copy(p->step_state));
	lib->jq_start(p->state, input, 0);
	result = lib->jq_next(p->state);
	if (lib->jv_get_kind(result) != JV_KIND_INVALID)
		return store_result(p, result, e);
	if (end_or_error(p, result, e) == JQ_RESULT_END)
		error_set(e, "jq", "it yields nothing");
	return false;
}

bool jq_program_event(struct jq_program *p, struct span *json)
{
	const struct libjq *lib = &p->lib;

	if (lib->jv_get_kind(p->events) == JV_KIND_INVALID ||
	    p->next_event >= lib->jv_array_length(lib->jv_copy(p->events)))
		return false;
	*json = text_of(p, lib->jv_array_get(lib->jv_copy(p->events), p->next_event++));
	return true;
}
