/* schema: {"schema":...,"value":...}, and "pattern" with "text". */
#include "schema/schema.h"

#include "fuzz.h"
#include "schema/pattern.h"

static void try_pattern(struct span pattern, struct span text)
{
	struct buffer decoded = {0}, subject = {0}, out = {0};

	if (json_decode(pattern, &decoded)) {
		json_decode(text, &subject);
		pattern_match(buffer_span(&decoded), buffer_span(&subject));
		pattern_translate(buffer_span(&decoded), &out);
		buffer_clear(&out);
		if (pattern_example(buffer_span(&decoded), &out))
			must(pattern_match(buffer_span(&decoded), buffer_span(&out)) ==
			     PATTERN_MATCHES);
	}
	buffer_free(&decoded);
	buffer_free(&subject);
	buffer_free(&out);
}

static void try_schema(struct span schema, struct span value)
{
	struct buffer why = {0}, example = {0}, faults = {0};

	must(value.at == NULL || schema_check(schema, value, NULL) || true);
	if (value.at != NULL)
		must(schema_check(schema, value, &why) == (why.len == 0));
	must(is_utf8(buffer_span(&why)));
	if (schema_example(schema, &example))
		must(schema_check(schema, buffer_span(&example), &faults));
	must(example.len == 0 || json_check(buffer_span(&example), NULL));
	buffer_free(&why);
	buffer_free(&example);
	buffer_free(&faults);
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
