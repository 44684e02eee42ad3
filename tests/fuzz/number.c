/* number: durations and counts are finite, and what is no number changes nothing. */
#include "base/number.h"

#include <math.h>

#include "fuzz.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size), json = {0};
	struct span text = buffer_span(&copy);
	double value = -7, seconds = -7;
	int64_t count = -7;
	bool is_number = number_read(text, &value), is_duration = number_duration(text, &seconds);
	char *string = mem_copy(text);

	must(is_number ? isfinite(value) && value >= 0 && value == strtod(string, NULL)
		       : value == -7);
	must(is_duration ? isfinite(seconds) && seconds >= 0 : seconds == -7);
	must(!is_number || (is_duration && seconds == value));
	must(number_count(text, &count) ? count >= 0 : count == -7);
	must(!is_number || value != floor(value) || value > 1e15 || count == (int64_t)value);
	must(number_write_json(text, &json) ? json_check(buffer_span(&json), NULL) : json.len == 0);
	must(!is_number || json.len == 0 || json_double(buffer_span(&json), -1) == value);
	free(string);
	buffer_free(&json);
	buffer_free(&copy);
	return 0;
}
