#define _DEFAULT_SOURCE /* getentropy */
#include "base/uuid.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"

void uuid_v7(char out[37])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[16];
	int64_t ms = clock_realtime() / 1000;
	char *at = out;

	if (getentropy(bytes, sizeof(bytes)) != 0) {
		int64_t now = clock_monotonic();

		memcpy(bytes, &now, sizeof(now));
		memcpy(bytes + 8, &now, sizeof(now));
	}
	for (int i = 0; i < 6; i++)
		bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
	bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0F));
	bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = hex[bytes[i] >> 4];
		*at++ = hex[bytes[i] & 15];
	}
	*at = '\0';
}
