/* call_text: a question shows all of a call, safely and page by page; the command gets no more. */
#include "tool/call_text.h"

#include "fuzz.h"
#include "tool/command.h"
#include "tool/manifest.h"

static const char manifest[] =
    "{\"name\":\"t\",\"parameters\":{\"properties\":{\"a\":{\"default\":[1,\"x\"]},"
    "\"b\":{\"default\":\"B\"},\"c\":{\"default\":null},\"d\":{}}},"
    "\"command\":[\"true\",\"{a}\",\"--b={b}{d}\",\"{c}\",\"{{\"]}";

/* Nothing that a terminal would obey or hide. */
static void try_visible(struct span text)
{
	while (text.len > 0) {
		size_t size;
		uint32_t c = utf8_decode(text, &size);

		must(c == '\n' || (c >= 0x20 && c < 0x7F) || c > 0xA0);
		must(c != 0x200B && c != 0x202E && c != 0x2028 && c != 0xFEFF && c != 0xE0041);
		text = span_from(text, size);
	}
}

static void try_pages(struct span text)
{
	for (size_t columns = 1; columns < 90; columns += 29) {
		for (size_t rows = 1; rows < 12; rows += 5) {
			struct span rest = text;

			while (rest.len > 0) {
				struct span page = call_text_page(rest, rows, columns);

				must(page.at == rest.at && page.len > 0 && page.len <= rest.len);
				must(columns < 2 || call_text_rows(page, columns) <= rows);
				must(is_utf8(page));
				rest = span_from(rest, page.len);
			}
		}
	}
}

static void try_command(struct span args)
{
	static struct tool *tool;
	struct buffer complete = {0}, again = {0}, why = {0};
	char **argv;

	if (tool == NULL)
		tool = manifest_read(span_of(manifest), "t.json", ".", NULL, NULL);
	command_complete_args(tool, args, &complete);
	must(json_check(buffer_span(&complete), NULL));
	must(json_count(buffer_span(&complete)) <= json_count(args) + 2);
	must(json_get(buffer_span(&complete), "a").at != NULL &&
	     json_get(buffer_span(&complete), "b").at != NULL);
	command_complete_args(tool, buffer_span(&complete), &again);
	must(span_equal(buffer_span(&complete), buffer_span(&again)));
	argv = command_build(tool, args, &why);
	must((argv != NULL) == (why.len == 0));
	command_free(argv);
	buffer_free(&complete);
	buffer_free(&again);
	buffer_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size), text = {0};
	struct span args = buffer_span(&copy);

	if (json_check(args, NULL) && json_type(json_trim(args)) == JSON_OBJECT) {
		call_text_add(&text, "t", json_trim(args));
		must(span_starts(buffer_span(&text), "t") && span_ends(buffer_span(&text), "\n"));
		try_visible(buffer_span(&text));
		try_pages(buffer_span(&text));
		try_command(json_trim(args));
	}
	buffer_free(&text);
	buffer_free(&copy);
	return 0;
}
