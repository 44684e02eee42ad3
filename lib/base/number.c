#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

bool number_whole(const char *text, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

bool number_amount(const char *text, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return errno == 0 && end != text && *end == '\0' && *value >= 0 && !isinf(*value);
}
