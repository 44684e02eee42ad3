/* schema: {"schema":...,"value":...}, and "pattern" with "text". */
#include "schema/schema.h"

#include "fuzz.h"
#include "schema/pattern.h"

enum { STEPS = 1000000 };

static void try_pattern(struct span pattern, struct span text)
{
	struct pattern_engine *engine = pattern_engine_open(NULL);
	struct buffer decoded = {0}, subject = {0}, out = {0};
	int64_t steps = STEPS;

	if (json_decode(pattern, &decoded)) {
		struct pattern *compiled = pattern_compile(engine, buffer_span(&decoded), NULL);

		json_decode(text, &subject);
		if (compiled != NULL)
			pattern_match(compiled, buffer_span(&subject), &steps);
		steps = STEPS;
		if (compiled != NULL && pattern_example(compiled, &out))
			must(pattern_match(compiled, buffer_span(&out), &steps) != PATTERN_DIFFERS);
		pattern_free(compiled);
	}
	pattern_engine_close(engine);
	buffer_free(&decoded);
	buffer_free(&subject);
	buffer_free(&out);
}

static void try_schema(struct span text, struct span value)
{
	struct buffer why = {0}, again = {0}, example = {0};
	struct span where = {0};
	struct error e = {0};
	struct schema *schema = schema_compile(text, &where, &e);

	if (schema == NULL) {
		must(e.message != NULL && where.at >= text.at &&
		     where.at + where.len <= text.at + text.len);
		error_clear(&e);
		return;
	}
	if (value.at != NULL) {
		bool good = schema_check(schema, value, &why);

		must(good == (why.len == 0) && schema_check(schema, value, &again) == good);
		must(span_equal(buffer_span(&why), buffer_span(&again)));
	}
	must(is_utf8(buffer_span(&why)));
	if (schema_example(schema, &example))
		must(schema_check(schema, buffer_span(&example), NULL));
	must(example.len == 0 || json_check(buffer_span(&example), NULL));
	schema_free(schema);
	buffer_free(&why);
	buffer_free(&again);
	buffer_free(&example);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size);
	struct span text = buffer_span(&copy);

	if (json_check(text, NULL)) {
		struct span object = json_trim(text), schema = json_get(object, "schema");

		try_pattern(json_get(object, "pattern"), json_get(object, "text"));
		if (schema.at != NULL)
			try_schema(schema, json_get(object, "value"));
	}
	buffer_free(&copy);
	return 0;
}
