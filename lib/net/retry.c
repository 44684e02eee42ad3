#include "net/retry.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>

#include "base/number.h"

bool retry_status(int status)
{
	return status == 408 || status == 409 || status == 429 || status == 498 ||
	       (status >= 500 && status <= 599);
}

/* The decimal number in a header, without an exponent; negative if there is none. */
static double header_number(const struct http_head *head, const char *name)
{
	struct span text = http_header_value(head, name);
	double number = -1;

	for (size_t i = 0; i < text.len; i++)
		if (strchr(".0123456789", text.at[i]) == NULL)
			return -1;
	number_read(text, &number);
	return number;
}

/* Seconds from `now` until the date in Retry-After: 0 if it has passed, negative if there is no
 * date, which begins with the day of the week. */
static double until_date(const struct http_head *head, int64_t now)
{
	char *text = mem_copy(http_header_value(head, "retry-after"));
	time_t date = isalpha((unsigned char)text[0]) && strchr(text, ':') != NULL
			  ? curl_getdate(text, NULL)
			  : -1;
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
