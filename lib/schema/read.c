#include "base/file.h"
#include "schema/schema.h"

struct schema *schema_parse(const char *path, struct span text, struct error *e)
{
	struct json_fault fault;
	struct span where = {0};
	struct error wrong = {0};
	struct schema *schema;

	if (!json_check(text, &fault)) {
		error_at(e, path, text, fault.offset, "not JSON: %s", fault.what);
		return NULL;
	}
	if (json_type(json_trim(text)) != JSON_OBJECT) {
		error_set(e, "usage", "%s:1: a JSON Schema is an object", path);
		return NULL;
	}
	schema = schema_compile(text, &where, &wrong);
	if (schema == NULL)
		error_at(e, path, text, (size_t)(where.at - text.at), "%s", wrong.message);
	error_clear(&wrong);
	return schema;
}

struct schema *schema_read(const char *path, struct error *e)
{
	struct buffer text = {0};
	struct schema *schema = NULL;

	if (file_read(path, &text, e))
		schema = schema_parse(path, buffer_span(&text), e);
	buffer_free(&text);
	return schema;
}
