#include "net/retry.h"

#include <curl/curl.h>
#include <math.h>
#include <stdlib.h>

bool retry_status(int status)
{
	return status == 408 || status == 409 || status == 429 || status == 498 ||
	       (status >= 500 && status <= 599);
}

/* Parse `text` as a decimal number. Returns a negative number if it is not one. */
static double number(const char *text)
{
	char *end;
	double value;

	if ((*text < '0' || *text > '9') && *text != '.')
		return -1;
	value = strtod(text, &end);
	return *end == '\0' && isfinite(value) ? value : -1;
}

static double header_number(const struct http_head *head, const char *name)
{
	char *text = mem_copy(http_header_value(head, name));
	double seconds = number(text);

	free(text);
	return seconds;
}

/* Seconds from `now` until the date in Retry-After: 0 if it has passed, negative if there is no
 * date. */
static double until_date(const struct http_head *head, int64_t now)
{
	char *text = mem_copy(http_header_value(head, "retry-after"));
	time_t date = curl_getdate(text, NULL);
	double seconds = (double)date - (double)now / 1e6;

	free(text);
	if (date < 0)
		return -1;
	return seconds > 0 ? seconds : 0;
}

double retry_after(const struct http_head *head, int64_t now)
{
	double milliseconds = header_number(head, "retry-after-ms");
	double seconds;

	if (milliseconds > 0)
		return milliseconds / 1000;
	seconds = header_number(head, "retry-after");
	return seconds >= 0 ? seconds : until_date(head, now);
}

double retry_wait(int attempt, double asked, double random)
{
	enum { LONGEST = 8 };
	double wait = 0.5;

	if (asked >= 0)
		return asked;
	while (--attempt > 0 && wait < LONGEST)
		wait *= 2;
	return wait - wait * 0.25 * random;
}
