/* validate: the schema of events decides about every line, and says why. */
#include "schema/schema.h"

#include "base/file.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *schema;
	struct buffer copy = fuzz_copy(data, size), why = {0}, compact = {0};
	struct span text = buffer_span(&copy);
	struct error e = {0};
	char *path;
	bool valid;

	if (schema == NULL) {
		path = share_path("events.schema.json");
		schema = schema_read(path, &e);
		free(path);
		must(schema != NULL);
	}
	if (json_check(text, NULL)) {
		valid = schema_check(schema, json_trim(text), &why);
		must(!schema_gave_up(schema));
		must(valid == (why.len == 0));
		must(is_utf8(buffer_span(&why)) && strchr(buffer_string(&why), '\n') == NULL);
		must(schema_check(schema, json_trim(text), NULL) == valid);
		json_write_compact(&compact, json_trim(text));
		must(schema_check(schema, buffer_span(&compact), NULL) == valid);
	}
	buffer_free(&why);
	buffer_free(&compact);
	buffer_free(&copy);
	return 0;
}
