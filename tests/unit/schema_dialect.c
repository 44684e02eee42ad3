/* lib/model/protocol/schema_dialect: what providers make of JSON Schema. */
#include "model/protocol/schema_dialect.h"
#include "unit.h"

static void strict(const char *schema, bool want, const char *name)
{
	unit_ok(json_check(span_of(schema), NULL) && dialect_is_strict(span_of(schema)) == want,
		"%s strict: %s", want ? "is" : "is not", name);
}

static void name_is(const char *schema, const char *want)
{
	struct buffer name = {0};

	dialect_name(span_of(schema), &name);
	unit_same(buffer_span(&name), span_of(want), schema);
	buffer_free(&name);
}

#define CLOSED(members) "{\"type\":\"object\",\"additionalProperties\":false" members "}"

int main(void)
{
	strict(CLOSED(",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]"), true,
	       "a closed object");
	strict(CLOSED(""), true, "an object without properties");
	strict(CLOSED(",\"properties\":{\"a\":{\"type\":\"string\"}}"), false,
	       "a property may be missing");
	strict("{\"type\":\"object\",\"properties\":{}}", false, "others may be added");
	strict("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", false, "not an object");
	strict("{\"anyOf\":[" CLOSED("") "]}", false, "not an object at the top");
	strict(CLOSED(",\"properties\":{\"a\":{\"type\":\"object\"}},\"required\":[\"a\"]"), false,
	       "an open object within");
	strict(CLOSED(",\"properties\":{\"a\":{\"type\":[\"object\",\"null\"]}},"
		      "\"required\":[\"a\"]"),
	       false, "an open object or null within");
	strict(CLOSED(",\"properties\":{\"a\":{\"type\":\"array\",\"items\":" CLOSED(
		   "") "}},\"required\":[\"a\"]"),
	       true, "an array of closed objects");
	strict(CLOSED(",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":"
		      "\"object\"}}},\"required\":[\"a\"]"),
	       false, "an array of open objects");
	strict(CLOSED(",\"properties\":{\"a\":{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":"
		      "\"#/$defs/d\"}]}},\"required\":[\"a\"],\"$defs\":{\"d\":" CLOSED("") "}"),
	       true, "alternatives and definitions");
	strict(CLOSED(",\"$defs\":{\"d\":{\"type\":\"object\"}}"), false, "an open definition");
	strict(CLOSED(",\"properties\":{\"a\":{\"oneOf\":[{}]}},\"required\":[\"a\"]"), false,
	       "a keyword that is refused");
	strict(CLOSED(",\"properties\":{\"not\":{\"type\":\"string\"}},\"required\":[\"not\"]"),
	       true, "a property named as a keyword");
	strict(CLOSED(",\"properties\":{\"a\":{\"type\":\"array\"}},\"required\":[\"a\"]"), false,
	       "an array of anything");
	strict(CLOSED(",\"properties\":{\"a\":{\"$ref\":\"#/$defs/d\",\"description\":\"d\"}},"
		      "\"required\":[\"a\"],\"$defs\":{\"d\":{\"type\":\"string\"}}"),
	       false, "something beside a reference");
	strict(CLOSED(",\"properties\":{\"a\":{\"type\":\"string\",\"default\":\"\"}},"
		      "\"required\":[\"a\"]"),
	       false, "a default");
	name_is("{\"title\":\"Weather report (v2)\"}", "Weather_report__v2_");
	name_is("{\"title\":\"\"}", "answer");
	name_is("{}", "answer");
	name_is("{\"title\":\"0123456789012345678901234567890123456789012345678901234567890123456"
		"789\"}",
		"0123456789012345678901234567890123456789012345678901234567890123");
	return unit_done();
}
