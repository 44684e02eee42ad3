#include "json/decimal.h"
#include "json/tree.h"

/* Only a string with an escape can have another text than its bytes say. */
static bool strings_equal(struct span a, struct span b)
{
	struct buffer left = {0}, right = {0};
	bool equal = span_equal(a, b);

	if (equal || (json_plain(a).at != NULL && json_plain(b).at != NULL))
		return equal;
	json_decode(a, &left);
	json_decode(b, &right);
	equal = span_equal(buffer_span(&left), buffer_span(&right));
	buffer_free(&left);
	buffer_free(&right);
	return equal;
}

static bool containers_equal(struct span a, struct span b)
{
	struct json_tree left = {0}, right = {0};
	bool equal = span_equal(a, b) || (json_tree_parse(&left, a) && json_tree_parse(&right, b) &&
					  json_tree_equal(&left, 0, &right, 0));

	json_tree_free(&left);
	json_tree_free(&right);
	return equal;
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
	case JSON_OBJECT:
		return containers_equal(a, b);
	default:
		return span_equal(a, b);
	}
}
