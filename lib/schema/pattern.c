#include "schema/pattern_reader.h"

#include <dlfcn.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	MATCH_LIMIT = 1000000, /* of PCRE2's own steps: what no callout counts */
	HEAP_LIMIT = 20000,    /* KiB */
	BYTES_A_STEP = 16,     /* scanning so many bytes is one step */
};

/* What is used of libpcre2-8. */
#define FUNCTIONS(X)                                                                               \
	X(pcre2_compile_8)                                                                         \
	X(pcre2_code_free_8)                                                                       \
	X(pcre2_compile_context_create_8)                                                          \
	X(pcre2_compile_context_free_8)                                                            \
	X(pcre2_set_compile_extra_options_8)                                                       \
	X(pcre2_get_error_message_8)                                                               \
	X(pcre2_match_context_create_8)                                                            \
	X(pcre2_match_context_free_8)                                                              \
	X(pcre2_set_match_limit_8)                                                                 \
	X(pcre2_set_heap_limit_8)                                                                  \
	X(pcre2_set_callout_8)                                                                     \
	X(pcre2_match_data_create_8)                                                               \
	X(pcre2_match_data_free_8)                                                                 \
	X(pcre2_get_ovector_pointer_8)                                                             \
	X(pcre2_match_8)

#define POINTER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses) */

struct pattern_engine {
	FUNCTIONS(POINTER)
	void *library;
	pcre2_compile_context *compiling;
	pcre2_match_context *matching;
	pcre2_match_data *data; /* only where a match begins is read */
};

struct pattern {
	struct pattern_engine *engine;
	struct buffer text;
	pcre2_code *code;
};

/* ---- the library ---- */

static bool load(struct pattern_engine *engine, struct error *e)
{
	engine->library = dlopen("libpcre2-8.so.0", RTLD_NOW | RTLD_LOCAL);
	if (engine->library == NULL)
		return error_set(e, "usage",
				 "patterns of a JSON Schema need PCRE2: install the package "
				 "libpcre2-8-0 (%s)",
				 dlerror());
#define FIND(name)                                                                                 \
	*(void **)(&engine->name) = dlsym(engine->library, #name);                                 \
	if (engine->name == NULL)                                                                  \
		return error_set(e, "usage", "libpcre2-8 has no %s: it is too old", #name);
	FUNCTIONS(FIND)
	return true;
}

/* The steps of one match. */
struct meter {
	int64_t steps;
	size_t position; /* where the last callout was */
};

/* A callout costs a step, and the bytes that were passed since the one before. */
static int count_step(pcre2_callout_block *block, void *context)
{
	struct meter *meter = context;
	size_t position = block->current_position, last = meter->position;
	size_t passed = position > last ? position - last : last - position;

	meter->steps -= 1 + (int64_t)(passed / BYTES_A_STEP);
	meter->position = position;
	return meter->steps < 0 ? PCRE2_ERROR_CALLOUT : 0;
}

struct pattern_engine *pattern_engine_open(struct error *e)
{
	struct pattern_engine *engine = mem_zero(sizeof(*engine));

	if (!load(engine, e)) {
		pattern_engine_close(engine);
		return NULL;
	}
	engine->compiling = engine->pcre2_compile_context_create_8(NULL);
	engine->matching = engine->pcre2_match_context_create_8(NULL);
	engine->data = engine->pcre2_match_data_create_8(1, NULL);
	if (engine->compiling == NULL || engine->matching == NULL || engine->data == NULL)
		die(STATUS_FAILED, "out of memory");
	engine->pcre2_set_compile_extra_options_8(engine->compiling,
						  PCRE2_EXTRA_ALLOW_SURROGATE_ESCAPES);
	engine->pcre2_set_match_limit_8(engine->matching, MATCH_LIMIT);
	engine->pcre2_set_heap_limit_8(engine->matching, HEAP_LIMIT);
	return engine;
}

void pattern_engine_close(struct pattern_engine *engine)
{
	if (engine == NULL)
		return;
	if (engine->data != NULL)
		engine->pcre2_match_data_free_8(engine->data);
	if (engine->matching != NULL)
		engine->pcre2_match_context_free_8(engine->matching);
	if (engine->compiling != NULL)
		engine->pcre2_compile_context_free_8(engine->compiling);
	if (engine->library != NULL)
		dlclose(engine->library);
	free(engine);
}

/* ---- compiling ---- */

static pcre2_code *compile(const struct pattern_engine *engine, struct span translated,
			   struct buffer *why)
{
	const uint32_t options =
	    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
	int code = 0;
	PCRE2_SIZE offset = 0;
	pcre2_code *compiled = engine->pcre2_compile_8((PCRE2_SPTR)translated.at, translated.len,
						       options, &code, &offset, engine->compiling);
	PCRE2_UCHAR message[256] = {0};

	if (compiled == NULL) {
		engine->pcre2_get_error_message_8(code, message, sizeof(message));
		buffer_add_text(why, (const char *)message);
	}
	return compiled;
}

struct pattern *pattern_compile(struct pattern_engine *engine, struct span text, struct error *e)
{
	struct pattern *pattern = mem_zero(sizeof(*pattern));
	struct buffer translated = {0}, example = {0}, why = {0};

	pattern->engine = engine;
	buffer_add_span(&pattern->text, text);
	if (pattern_translate(text, NULL, &translated, &example, &why))
		pattern->code = compile(engine, buffer_span(&translated), &why);
	if (pattern->code == NULL) {
		error_set(e, "usage", "the pattern \"%.*s\" is not valid: %s", SPAN_ARG(text),
			  buffer_string(&why));
		pattern_free(pattern);
		pattern = NULL;
	}
	buffer_free(&translated);
	buffer_free(&example);
	buffer_free(&why);
	return pattern;
}

void pattern_free(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	if (pattern->code != NULL)
		pattern->engine->pcre2_code_free_8(pattern->code);
	buffer_free(&pattern->text);
	free(pattern);
}

struct span pattern_text(const struct pattern *pattern)
{
	return buffer_span(&pattern->text);
}

/* ---- matching ---- */

static int match(const struct pattern_engine *engine, const pcre2_code *code, struct span text,
		 struct meter *meter)
{
	engine->pcre2_set_callout_8(engine->matching, count_step, meter);
	return engine->pcre2_match_8(code, (PCRE2_SPTR)text.at, text.len, 0, 0, engine->data,
				     engine->matching);
}

enum pattern_result pattern_match(struct pattern *pattern, struct span text, int64_t *steps)
{
	struct meter meter = {*steps - (int64_t)(text.len / BYTES_A_STEP), 0};
	int code = match(pattern->engine, pattern->code, text, &meter);

	*steps = meter.steps;
	if (code >= 0)
		return PATTERN_MATCHES;
	if (code == PCRE2_ERROR_NOMATCH)
		return PATTERN_DIFFERS;
	*steps = -1;
	return PATTERN_EXPENSIVE;
}

size_t pattern_piece_find(const struct pattern *pattern, struct span piece, struct span text)
{
	const struct pattern_engine *engine = pattern->engine;
	struct buffer why = {0};
	struct meter meter = {MATCH_LIMIT, 0};
	pcre2_code *code = compile(engine, piece, &why);
	size_t found = SIZE_MAX;

	if (code != NULL && match(engine, code, text, &meter) >= 0)
		found = engine->pcre2_get_ovector_pointer_8(engine->data)[0];
	if (code != NULL)
		engine->pcre2_code_free_8(code);
	buffer_free(&why);
	return found;
}

bool pattern_example(struct pattern *pattern, struct buffer *out)
{
	struct buffer translated = {0}, why = {0};
	int64_t steps = MATCH_LIMIT;
	bool good = pattern_translate(pattern_text(pattern), pattern, &translated, out, &why) &&
		    pattern_match(pattern, buffer_span(out), &steps) == PATTERN_MATCHES;

	buffer_free(&translated);
	buffer_free(&why);
	return good;
}
