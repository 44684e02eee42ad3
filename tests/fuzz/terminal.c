/* terminal: nothing that steers a terminal comes through, and UTF-8 is repaired. */
#include "base/utf8.h"
#include "event/terminal.h"

#include <locale.h>

#include "fuzz.h"
#include "json/json.h"

/* Written from the list in terminal.h, apart from the code under test. */
static bool steers(uint32_t c, bool one_line)
{
	if (c == '\n' || c == '\t')
		return one_line;
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
	       (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static void try_safe(struct span text, bool one_line)
{
	must(is_utf8(text));
	while (text.len > 0) {
		size_t size;

		must(!steers(utf8_decode(text, &size), one_line));
		text = span_from(text, size);
	}
}

/* JSON stays JSON, and keeps its value. */
static void try_json(struct span text)
{
	struct span value = json_trim(text);
	struct buffer safe = {0}, before = {0}, after = {0};

	if (!json_check(text, NULL))
		return;
	terminal_add_json(&safe, value);
	must(json_check(buffer_span(&safe), NULL));
	try_safe(buffer_span(&safe), memchr(value.at, '\n', value.len) == NULL &&
					 memchr(value.at, '\r', value.len) == NULL &&
					 memchr(value.at, '\t', value.len) == NULL);
	json_decode(value, &before);
	json_decode(buffer_span(&safe), &after);
	must(span_equal(buffer_span(&before), buffer_span(&after)));
	buffer_free(&safe);
	buffer_free(&before);
	buffer_free(&after);
}

static void try_columns(struct span text)
{
	size_t width = utf8_columns(text);

	for (size_t columns = 0; columns < 20; columns++) {
		struct span cut = utf8_cut(text, columns);

		must(cut.at == text.at && cut.len <= text.len);
		must(utf8_columns(cut) <= columns);
		must(width > columns || cut.len == text.len);
	}
}

/* Text that arrives in pieces, its incomplete ends held back, is the text that arrives whole. */
static void try_pieces(struct span text)
{
	struct buffer whole = {0}, pieces = {0}, held = {0};

	utf8_add(&whole, text);
	must(is_utf8(buffer_span(&whole)));
	must(utf8_valid(text) <= text.len);
	for (size_t i = 0; i < text.len; i++) {
		size_t tail;

		buffer_add_char(&held, text.at[i]);
		tail = utf8_incomplete_tail(buffer_span(&held));
		utf8_add(&pieces, (struct span){held.at, held.len - tail});
		buffer_drop(&held, held.len - tail);
	}
	utf8_add(&pieces, buffer_span(&held));
	must(span_equal(buffer_span(&whole), buffer_span(&pieces)));
	buffer_free(&whole);
	buffer_free(&pieces);
	buffer_free(&held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size), out = {0};
	struct span text = buffer_span(&copy);

	setlocale(LC_CTYPE, "C.UTF-8");
	terminal_add(&out, text);
	try_safe(buffer_span(&out), false);
	buffer_clear(&out);
	terminal_add_line(&out, text);
	try_safe(buffer_span(&out), true);
	try_json(text);
	try_columns(text);
	try_pieces(text);
	buffer_free(&copy);
	buffer_free(&out);
	return 0;
}
