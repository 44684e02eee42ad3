/* retry: which answers are worth another attempt, and after how long. */
#include "unit.h"

#include "net/retry.h"

static void test_status(void)
{
	static const int yes[] = {408, 409, 429, 498, 500, 502, 503, 504, 520, 524, 529, 599};
	static const int no[] = {0, 200, 204, 301, 400, 401, 402, 403, 404, 413, 422, 499, 600};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		unit_ok(retry_status(yes[i]), "%d may pass when tried again", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		unit_ok(!retry_status(no[i]), "%d does not", no[i]);
}

/* `headers` as struct http_head has them; -1 stands for "asked nothing". */
static void test_after(const char *headers, double want)
{
	/* Wed, 21 Oct 2015 07:28:00 GMT */
	static const int64_t now = 1445412480LL * 1000000;
	struct buffer lines = {0};
	struct http_head head = {.status = 429, .headers = &lines};
	double got;

	buffer_add_text(&lines, headers);
	got = retry_after(&head, now);
	if (got < 0)
		got = -1;
	unit_ok(got == want, "%.*s", (int)strcspn(headers, "\n"), headers);
	if (got != want)
		printf("# got %g, want %g\n", got, want);
	buffer_free(&lines);
}

static void test_afters(void)
{
	test_after("", -1);
	test_after("retry-after-ms: 1500\nretry-after: 7\n", 1.5);
	test_after("retry-after-ms: 0.5\nretry-after: 7\n", 0.0005);
	test_after("retry-after-ms: 0\nretry-after: 7\n", 7);
	test_after("retry-after-ms: 0\n", -1);
	test_after("retry-after-ms: -20\nretry-after: 7\n", 7);
	test_after("retry-after-ms: soon\nretry-after: 7\n", 7);
	test_after("retry-after: 7\n", 7);
	test_after("retry-after: 0\n", 0);
	test_after("retry-after: 0.25\n", 0.25);
	test_after("retry-after: 86400\n", 86400);
	test_after("retry-after: -3\n", -1);
	test_after("retry-after: \n", -1);
	test_after("retry-after: nan\n", -1);
	test_after("retry-after: inf\n", -1);
	test_after("retry-after: 1e999\n", -1);
	test_after("retry-after: soon\n", -1);
	test_after("retry-after: 0x10\n", -1);
	test_after("retry-after: 1e-7\n", -1);
	test_after("retry-after: 1e1\n", -1);
	test_after("retry-after: +7\n", -1);
	test_after("retry-after: 7 s\n", -1);
	test_after("retry-after: 7s\n", -1);
	test_after("retry-after: 07:30\n", -1);
	test_after("retry-after: 20301021\n", 20301021);
	test_after("retry-after: .\n", -1);
	test_after("retry-after: Wed\n", -1);
	test_after("retry-after-ms: 1e3\nretry-after: 7\n", 7);
	test_after("retry-after: Wed, 21 Oct 2015 07:28:30 GMT\n", 30);
	test_after("retry-after: Wednesday, 21-Oct-15 07:28:30 GMT\n", 30);
	test_after("retry-after: Wed Oct 21 07:28:30 2015\n", 30);
	test_after("retry-after: Wed, 21 Oct 2015 07:27:00 GMT\n", 0);
	test_after("x-retry-after: 7\nretry-after: 8\n", 8);
	unit_ok(retry_after(NULL, 0) < 0, "no head asks nothing");
}

static void test_wait(void)
{
	static const double doubling[] = {0.5, 1, 2, 4, 8, 8, 8};

	for (int i = 0; i < 7; i++)
		unit_ok(retry_wait(i + 1, -1, 0) == doubling[i], "attempt %d waits %g s", i + 1,
			doubling[i]);
	unit_ok(retry_wait(1000000, -1, 0) == 8, "and no attempt more than 8");
	unit_ok(retry_wait(2, -1, 0.5) == 0.875, "less a part by chance");
	unit_ok(retry_wait(2, 7, 0.5) == 7, "what the server asked is waited exactly");
	unit_ok(retry_wait(2, 0, 0.5) == 0, "also when it is nothing");
}

int main(void)
{
	test_status();
	test_afters();
	test_wait();
	return unit_done();
}
