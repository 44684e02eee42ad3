/* number: numbers, durations and counts as people write them. */
#include "unit.h"

#include "base/number.h"

/* A value that no text stands for. */
enum { UNCHANGED = -7 };

static void number(const char *text, double want)
{
	double got = UNCHANGED;
	bool good = number_read(span_of(text), &got);

	unit_ok(got == want && good == (want != UNCHANGED), "the number '%s' is %g", text, want);
}

static void duration(const char *text, double want)
{
	double got = UNCHANGED;
	bool good = number_duration(span_of(text), &got);

	unit_ok(got == want && good == (want != UNCHANGED), "the duration '%s' is %g", text, want);
}

static void count(const char *text, int64_t want)
{
	int64_t got = UNCHANGED;
	bool good = number_count(span_of(text), &got);

	unit_ok(got == want && good == (want != UNCHANGED), "the count '%s' is %lld", text,
		(long long)want);
}

/* `want` NULL: it is no number. */
static void json(const char *text, const char *want)
{
	struct buffer out = {0};
	bool good = number_write_json(span_of(text), &out);

	unit_ok(good == (want != NULL), "'%s' is %s", text, want != NULL ? "a number" : "a text");
	unit_same(buffer_span(&out), span_of(want != NULL ? want : ""), "its JSON");
	unit_ok(!good || json_check(buffer_span(&out), NULL), "which is valid");
	buffer_free(&out);
}

static void test_numbers(void)
{
	static const char *const wrong[] = {"",      ".",     "-1",  "+1",  " 1",    "1 ",
					    "0x10",  "inf",   "nan", "1e",  "e1",    "1e+",
					    "1.2.3", "1e999", "10k", "1,5", "1e-999"};

	number("0", 0);
	number("7", 7);
	number("0.5", 0.5);
	number(".5", 0.5);
	number("2.", 2);
	number("1e-3", 0.001);
	number("0e-999", 0);
	number("0.0", 0);
	number(".5E+1", 5);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		number(wrong[i], UNCHANGED);
}

static void test_durations(void)
{
	static const char *const wrong[] = {"",    "s",    "5 m", "5x",   "-1s",  "5S", "1d",
					    "5m3", "5min", "ms",  "1..s", "0x1s", ".s"};

	duration("90", 90);
	duration("90s", 90);
	duration("5m", 300);
	duration("1h", 3600);
	duration("100ms", 0.1);
	duration("1.5m", 90);
	duration(".5s", 0.5);
	duration("1h30m", 5400);
	duration("1m30s", 90);
	duration("2s500ms", 2.5);
	duration("0", 0);
	duration("0s", 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		duration(wrong[i], UNCHANGED);
}

static void test_counts(void)
{
	static const char *const wrong[] = {
	    "",         "k",   "-1",   "1.5",     "10x",
	    "10 k",     "10m", "10kk", "1.2345k", "9223372036854775808",
	    "9999999G", "0x10"};

	count("0", 0);
	count("50", 50);
	count("10k", 10000);
	count("10K", 10000);
	count("1.5M", 1500000);
	count("1.005k", 1005);
	count(".5k", 500);
	count("2G", 2000000000);
	count("1e3", 1000);
	count("9223372036854775807", INT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		count(wrong[i], UNCHANGED);
}

static void test_json(void)
{
	json("1", "1");
	json(".4", "0.4");
	json("-.4", "-0.4");
	json("2.", "2");
	json(".5e3", "0.5e3");
	json("2.e3", "2e3");
	json("007", NULL);
	json("", NULL);
	json("-", NULL);
	json(".", NULL);
	json("1.2.3", NULL);
	json("10k", NULL);
}

int main(void)
{
	test_numbers();
	test_durations();
	test_counts();
	test_json();
	return unit_done();
}
