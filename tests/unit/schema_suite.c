/*
 * The required tests of the JSON Schema Test Suite, both drafts (tests/data/schema/suite).
 */
#include "schema/schema.h"
#include "unit.h"

struct draft {
	const char *name, *uri;
};

/* Append the schema with the "$schema" that tells its draft, which the suite often leaves out. */
static void told(struct span schema, const char *uri, struct buffer *out)
{
	buffer_clear(out);
	if (json_type(schema) != JSON_OBJECT || json_get(schema, "$schema").at != NULL) {
		buffer_add_span(out, schema);
		return;
	}
	json_open(out, '{');
	json_put_text(out, "$schema", uri);
	if (json_count(schema) > 0)
		buffer_add_char(out, ',');
	buffer_add_span(out, span_from(schema, 1));
}

/* Whether the group is in the list of exceptions: its draft, file and description. */
static bool is_excepted(struct span exceptions, const char *draft, struct span group)
{
	struct buffer want = {0};
	bool found = false;

	buffer_add_format(&want, "%s\t", draft);
	json_decode(json_get(group, "file"), &want);
	buffer_add_char(&want, '\t');
	json_decode(json_get(group, "description"), &want);
	while (!found && exceptions.len > 0)
		found = span_equal(unit_line(&exceptions), buffer_span(&want));
	buffer_free(&want);
	return found;
}

/* A group that is an exception must fail somewhere, else it is none. */
static void test_group(const struct draft *draft, struct span group, bool excepted, int *passed)
{
	struct json_walk tests = json_walk(json_get(group, "tests"));
	struct span description = json_get(group, "description");
	struct buffer text = {0};
	struct schema *schema;
	int failed = 0;

	told(json_get(group, "schema"), draft->uri, &text);
	schema = schema_compile(buffer_span(&text), NULL, NULL);
	unit_ok(schema != NULL, "%s %.*s is a schema", draft->name, SPAN_ARG(description));
	while (json_next(&tests)) {
		bool valid = json_true(json_get(tests.value, "valid"));
		struct span data = json_get(tests.value, "data");
		bool good = schema_check(schema, data, NULL) == valid;

		*passed += good;
		failed += !good;
		if (!excepted)
			unit_ok(good, "%s %.*s: %.*s: %.*s", draft->name,
				SPAN_ARG(json_get(group, "file")), SPAN_ARG(description),
				SPAN_ARG(json_get(tests.value, "description")));
	}
	if (excepted)
		unit_ok(failed > 0, "%s %.*s is an exception", draft->name, SPAN_ARG(description));
	buffer_free(&text);
	schema_free(schema);
}

static void test_draft(const struct draft *draft, struct span exceptions)
{
	struct buffer path = {0}, file = {0};
	struct span rest, group;
	int passed = 0, all = 0;

	buffer_add_format(&path, "tests/data/schema/suite/%s.jsonl", draft->name);
	unit_read(buffer_string(&path), &file);
	rest = buffer_span(&file);
	while ((group = unit_line(&rest)).len > 0) {
		all += (int)json_count(json_get(group, "tests"));
		test_group(draft, group, is_excepted(exceptions, draft->name, group), &passed);
	}
	printf("# JSON Schema Test Suite, %s: %d of %d\n", draft->name, passed, all);
	buffer_free(&path);
	buffer_free(&file);
}

int main(void)
{
	static const struct draft drafts[] = {
	    {"2020-12", "https://json-schema.org/draft/2020-12/schema"},
	    {"draft-07", "http://json-schema.org/draft-07/schema#"},
	};
	struct buffer exceptions = {0};

	unit_read("tests/data/schema/suite/exceptions.tsv", &exceptions);
	for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++)
		test_draft(&drafts[i], buffer_span(&exceptions));
	buffer_free(&exceptions);
	return unit_done();
}
