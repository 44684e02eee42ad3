#include "json/json.h"

static struct span find_member(struct span object, struct span key)
{
	for (struct json_walk walk = json_walk(object); json_next(&walk);)
		if (span_equal(walk.key, key))
			return walk.value;
	return (struct span){0};
}

void json_merge(struct buffer *out, struct span base, struct span patch)
{
	struct json_walk walk;

	if (json_type(patch) != JSON_OBJECT) {
		buffer_add_span(out, patch);
		return;
	}
	json_open(out, '{');
	walk = json_walk(json_type(base) == JSON_OBJECT ? base : SPAN("{}"));
	while (json_next(&walk)) {
		struct span change = find_member(patch, walk.key);

		if (json_type(change) == JSON_NULL)
			continue;
		json_copy_key(out, walk.key);
		if (change.at != NULL)
			json_merge(out, walk.value, change);
		else
			buffer_add_span(out, walk.value);
	}
	walk = json_walk(patch);
	while (json_next(&walk)) {
		if (json_type(walk.value) == JSON_NULL || find_member(base, walk.key).at != NULL)
			continue;
		json_copy_key(out, walk.key);
		json_merge(out, (struct span){0}, walk.value);
	}
	json_close(out, '}');
}

void json_merge_into(struct buffer *value, struct span patch)
{
	struct buffer merged = {0};

	if (patch.at == NULL)
		return;
	json_merge(&merged, buffer_span(value), patch);
	buffer_clear(value);
	buffer_add_span(value, buffer_span(&merged));
	buffer_free(&merged);
}
