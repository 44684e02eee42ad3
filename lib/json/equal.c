#include <stdlib.h>

#include "json/decimal.h"
#include "json/json.h"

static bool strings_equal(struct span a, struct span b)
{
	struct buffer left = {0}, right = {0};
	bool equal;

	if (span_equal(a, b))
		return true;
	json_decode(a, &left);
	json_decode(b, &right);
	equal = span_equal(buffer_span(&left), buffer_span(&right));
	buffer_free(&left);
	buffer_free(&right);
	return equal;
}

static bool arrays_equal(struct span a, struct span b)
{
	struct json_walk left = json_walk(a), right = json_walk(b);

	while (json_next(&left))
		if (!json_next(&right) || !json_equal(left.value, right.value))
			return false;
	return !json_next(&right);
}

static bool objects_equal(struct span a, struct span b)
{
	struct json_walk walk = json_walk(a);

	if (json_count(a) != json_count(b))
		return false;
	while (json_next(&walk)) {
		char *key = json_text(walk.key);
		struct span other = json_get(b, key);

		free(key);
		if (other.at == NULL || !json_equal(walk.value, other))
			return false;
	}
	return true;
}

bool json_equal(struct span a, struct span b)
{
	enum json_type type = json_type(a);

	if (type != json_type(b))
		return false;
	switch (type) {
	case JSON_NUMBER:
		return decimal_compare(a, b) == 0;
	case JSON_STRING:
		return strings_equal(a, b);
	case JSON_ARRAY:
		return arrays_equal(a, b);
	case JSON_OBJECT:
		return objects_equal(a, b);
	default:
		return span_equal(a, b);
	}
}
