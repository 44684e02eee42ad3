/* manifest: a tool's description is taken whole or refused with a sentence. */
#include "tool/manifest.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size);
	struct error e = {0};
	struct tool *tool =
	    manifest_read(buffer_span(&copy), "tool.json", ".", size % 2 == 1 ? "tool" : NULL, &e);

	must((tool != NULL) == (e.message == NULL));
	if (tool == NULL) {
		must(is_utf8(span_of(e.message)) && strchr(e.message, '\n') == NULL);
	} else {
		must(tool->name[0] != '\0' && strlen(tool->name) <= 64);
		must(json_check(tool->parameters, NULL));
		must(json_type(tool->command) == JSON_ARRAY || tool->command.at == NULL);
		tool_free(tool);
	}
	error_clear(&e);
	buffer_free(&copy);
	return 0;
}
