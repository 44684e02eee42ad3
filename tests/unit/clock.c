/* clock: time as the events write it. */
#include "unit.h"

#include "base/clock.h"

static const struct {
	int64_t microseconds;
	const char *text;
} times[] = {
    {0, "1970-01-01T00:00:00.000000Z"},
    {1, "1970-01-01T00:00:00.000001Z"},
    {999999, "1970-01-01T00:00:00.999999Z"},
    {1000000, "1970-01-01T00:00:01.000000Z"},
    {-1, "1969-12-31T23:59:59.999999Z"},
    {-1000000, "1969-12-31T23:59:59.000000Z"},
    {951782399999999, "2000-02-28T23:59:59.999999Z"},
    {951782400000000, "2000-02-29T00:00:00.000000Z"},
    {1795817408123456, "2026-11-27T22:10:08.123456Z"},
    {1795817408123457, "2026-11-27T22:10:08.123457Z"},
    {4102444800000001, "2100-01-01T00:00:00.000001Z"},
};

int main(void)
{
	struct clock_stamp stamp = {0};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct buffer one = {0}, other = {0};

		clock_add_timestamp(&one, times[i].microseconds);
		clock_stamp_add(&stamp, &other, times[i].microseconds);
		unit_same(buffer_span(&one), span_of(times[i].text), times[i].text);
		unit_same(buffer_span(&other), span_of(times[i].text), "the same by a stamp");
		unit_ok(clock_parse_timestamp(buffer_span(&one)) == times[i].microseconds,
			"and read back");
		buffer_free(&one);
		buffer_free(&other);
	}
	return unit_done();
}
