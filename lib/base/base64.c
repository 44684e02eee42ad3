#include "base/base64.h"

void base64_encode(struct span bytes, struct buffer *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		unsigned long group = (unsigned long)(unsigned char)bytes.at[i] << 16;

		if (left > 1)
			group |= (unsigned long)(unsigned char)bytes.at[i + 1] << 8;
		if (left > 2)
			group |= (unsigned char)bytes.at[i + 2];
		buffer_add_char(out, digits[group >> 18]);
		buffer_add_char(out, digits[group >> 12 & 63]);
		buffer_add_char(out, (char)(left > 1 ? digits[group >> 6 & 63] : '='));
		buffer_add_char(out, (char)(left > 2 ? digits[group & 63] : '='));
	}
}
