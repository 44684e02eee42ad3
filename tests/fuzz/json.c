/* json: what json_check accepts can be walked, decoded, written, merged and completed. */
#include "json/json.h"

#include "fuzz.h"

/* What is decoded from a string is UTF-8, and is read again from what is written of it. */
static void try_string(struct span string)
{
	struct buffer text = {0}, written = {0}, again = {0};
	struct span plain = json_plain(string);
	char *copy = json_text(string);

	must(json_decode(string, &text) && copy != NULL);
	must(is_utf8(buffer_span(&text)));
	must(plain.at == NULL || span_equal(plain, buffer_span(&text)));
	must(memchr(text.at != NULL ? text.at : "", '\0', text.len) != NULL ||
	     (json_is(string, copy) && span_is(buffer_span(&text), copy)));
	json_write_string(&written, buffer_span(&text));
	must(json_check(buffer_span(&written), NULL));
	must(json_decode(buffer_span(&written), &again));
	must(span_equal(buffer_span(&text), buffer_span(&again)));
	buffer_free(&text);
	buffer_free(&written);
	buffer_free(&again);
	free(copy);
}

static void try_number(struct span number)
{
	struct buffer written = {0};
	double value = json_double(number, 0);

	json_int(number, 0);
	json_write_double(&written, value);
	must(json_check(buffer_span(&written), NULL));
	must(json_double(buffer_span(&written), value) == value);
	buffer_free(&written);
}

/* Write `value` again from what the walk shows of it. */
static void rebuild(struct span value, struct buffer *out)
{
	struct json_walk walk = json_walk(value);
	enum json_type type = json_type(value);
	size_t count = 0;

	must(type != JSON_ABSENT);
	if (type != JSON_OBJECT && type != JSON_ARRAY) {
		if (type == JSON_STRING)
			try_string(value);
		if (type == JSON_NUMBER)
			try_number(value);
		buffer_add_span(out, value);
		return;
	}
	json_open(out, type == JSON_OBJECT ? '{' : '[');
	for (; json_next(&walk); count++) {
		json_comma(out);
		if (walk.is_object) {
			try_string(walk.key);
			buffer_add_span(out, walk.key);
			buffer_add_char(out, ':');
		}
		rebuild(walk.value, out);
	}
	json_close(out, type == JSON_OBJECT ? '}' : ']');
	must(count == json_count(value));
}

/* The members that the check notes are the ones that the walk shows. */
static void try_members(struct span text, bool valid, const struct json_fault *want)
{
	struct json_member members[4];
	struct json_fault fault = {0};
	struct json_walk walk;
	size_t count, i = 0;

	must(json_check_object(text, 0, members, 4, &count, &fault) == valid);
	if (!valid) {
		must(fault.what == want->what && fault.offset == want->offset);
		return;
	}
	walk = json_walk(json_trim(text));
	while (walk.is_object && json_next(&walk)) {
		must(i >= 4 ||
		     (members[i].key.at == walk.key.at && span_equal(members[i].key, walk.key)));
		must(i >= 4 || (members[i].value.at == walk.value.at &&
				span_equal(members[i].value, walk.value)));
		i++;
	}
	must(i == count);
}

/* A walk by the index shows what a walk through the text does. */
static void compare_walks(const struct json_index *index, struct span value)
{
	struct json_walk by_text = json_walk(value), by_index = json_index_walk(index, value);

	while (json_next(&by_text)) {
		must(json_next(&by_index));
		must(by_text.key.at == by_index.key.at && by_text.key.len == by_index.key.len);
		must(by_text.value.at == by_index.value.at &&
		     by_text.value.len == by_index.value.len);
		compare_walks(index, by_text.value);
	}
	must(!json_next(&by_index));
}

static void try_index(struct span text, bool valid, const struct json_fault *want)
{
	struct json_index index;
	struct json_fault fault = {0};

	must(json_check_index(text, &index, &fault) == valid);
	must(valid || (fault.what == want->what && fault.offset == want->offset));
	if (index.count > 0)
		compare_walks(&index, json_trim(text));
}

static void try_valid(struct span text)
{
	struct span value = json_trim(text);
	struct buffer compact = {0}, again = {0}, line = {0}, merged = {0};

	json_write_compact(&compact, value);
	must(json_check(buffer_span(&compact), NULL));
	rebuild(value, &again);
	must(span_equal(buffer_span(&compact), buffer_span(&again)));
	json_write_line(&line, value);
	must(json_check(buffer_span(&line), NULL));
	must(memchr(line.at, '\n', line.len) == NULL);
	json_merge(&merged, value, value);
	must(json_check(buffer_span(&merged), NULL));
	must(text.len > 512 || json_equal(value, buffer_span(&compact)));
	buffer_free(&compact);
	buffer_free(&again);
	buffer_free(&line);
	buffer_free(&merged);
}

/* Every beginning of any text is completed to valid JSON or to nothing; valid JSON to itself. */
static void try_complete(struct span text, bool valid)
{
	struct span value = json_trim(text);
	size_t step = 1 + text.len / 256;

	for (size_t len = 0; len <= text.len; len += step) {
		struct buffer piece = fuzz_copy((const uint8_t *)text.at, len), out = {0};
		bool shown = json_complete(buffer_span(&piece), &out);

		must(shown ? json_check(buffer_span(&out), NULL) : out.len == 0);
		buffer_free(&piece);
		buffer_free(&out);
	}
	if (valid && json_type(value) != JSON_NUMBER) {
		struct buffer out = {0};

		must(json_complete(text, &out) && span_equal(buffer_span(&out), value));
		buffer_free(&out);
	}
}

/* Text that is no JSON: whatever the reading functions say, they must come to an end. */
static void try_invalid(struct span text)
{
	struct json_walk walk = json_walk(json_trim(text));
	struct buffer out = {0};

	json_path(json_trim(text), "a.0.b");
	json_write_line(&out, text);
	json_decode(text, &out);
	json_merge(&out, text, text);
	while (json_next(&walk)) {
		json_decode(walk.key, &out);
		json_int(walk.value, 0);
		json_double(walk.value, 0);
	}
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size);
	struct span text = buffer_span(&copy);
	struct json_fault fault = {0};
	bool valid = json_check(text, &fault);

	must(valid || (fault.what != NULL && fault.offset <= size));
	must(!valid || is_utf8(text));
	try_index(text, valid, &fault);
	try_members(text, valid, &fault);
	if (valid)
		try_valid(text);
	else
		try_invalid(text);
	try_complete(text, valid);
	buffer_free(&copy);
	return 0;
}
