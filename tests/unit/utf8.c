/* lib/base/utf8 against Markus Kuhn's stress test and further cases: which bytes are well-formed,
 * and what replaces those that are not. */
#include "base/utf8.h"
#include "unit.h"

/* Every case whole, and repaired in two pieces cut anywhere, the tail held back as a stream does.
 */
static void check_case(struct span line)
{
	struct buffer input = {0}, want = {0}, got = {0};
	char *name = json_text(json_get(line, "name"));
	bool valid = json_true(json_get(line, "valid")), same = true;

	unit_base64(json_plain(json_get(line, "input")), &input);
	json_decode(json_get(line, "replaced"), &want);
	unit_ok((utf8_valid(buffer_span(&input)) == input.len) == valid, "%s is %s", name,
		valid ? "well-formed" : "ill-formed");
	utf8_add(&got, buffer_span(&input));
	unit_same(buffer_span(&got), buffer_span(&want), name);
	for (size_t cut = 0; cut <= input.len; cut++) {
		size_t held = utf8_incomplete_tail((struct span){input.at, cut});

		buffer_clear(&got);
		utf8_add(&got, (struct span){input.at, cut - held});
		utf8_add(&got, span_from(buffer_span(&input), cut - held));
		same = same && span_equal(buffer_span(&got), buffer_span(&want));
	}
	unit_ok(same, "%s, cut anywhere", name);
	free(name);
	buffer_free(&input);
	buffer_free(&want);
	buffer_free(&got);
}

int main(void)
{
	struct buffer cases = {0};
	struct span rest, line;

	unit_read("tests/data/utf8/cases.jsonl", &cases);
	rest = buffer_span(&cases);
	while ((line = unit_line(&rest)).at != NULL)
		check_case(line);
	buffer_free(&cases);
	return unit_done();
}
