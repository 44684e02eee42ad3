#include "base/number.h"

#include <math.h>
#include <stdlib.h>

const char *number_counts(const char *name)
{
	return strstr(name, "tokens") != NULL ? "50, 10k or 1.5M" : "8";
}

/* The number of digits at the beginning of `text`. */
static size_t digits(struct span text)
{
	size_t len = 0;

	while (len < text.len && text.at[len] >= '0' && text.at[len] <= '9')
		len++;
	return len;
}

/* The length of the decimal number at the beginning of `text`, of which the whole part or the
 * fraction may be missing; 0: there is none. */
static size_t decimal_len(struct span text)
{
	size_t whole = digits(text), fraction = 0;

	if (whole < text.len && text.at[whole] == '.')
		fraction = 1 + digits(span_from(text, whole + 1));
	return whole > 0 || fraction > 1 ? whole + fraction : 0;
}

/* The same with an exponent, if there is one. */
static size_t number_len(struct span text)
{
	size_t len = decimal_len(text), exponent = len + 1;

	if (len == 0 || len == text.len || (text.at[len] != 'e' && text.at[len] != 'E'))
		return len;
	exponent += exponent < text.len && (text.at[exponent] == '+' || text.at[exponent] == '-');
	return exponent < text.len && digits(span_from(text, exponent)) > 0
		   ? exponent + digits(span_from(text, exponent))
		   : len;
}

/* The value of a decimal number times ten to the power `exponent`. */
static double scaled(struct span decimal, int exponent)
{
	char *text = mem_format("%.*se%d", SPAN_ARG(decimal), exponent);
	double value = strtod(text, NULL);

	free(text);
	return value;
}

/* Whether a double holds the value that was read from `text`: it is finite, and not 0, which
 * often means "no limit", unless the digits before an exponent are. */
static bool is_held(struct span text, double read)
{
	for (size_t i = 0; read == 0 && i < text.len && text.at[i] != 'e' && text.at[i] != 'E'; i++)
		if (text.at[i] >= '1' && text.at[i] <= '9')
			return false;
	return isfinite(read);
}

bool number_read(struct span text, double *value)
{
	double read;
	char *number;

	if (text.len == 0 || number_len(text) != text.len)
		return false;
	number = mem_copy(text);
	read = strtod(number, NULL);
	free(number);
	if (!is_held(text, read))
		return false;
	*value = read;
	return true;
}

/* Add a number with its unit, and remove both from `text`. */
static bool add_duration(struct span *text, double *seconds)
{
	static const struct {
		const char *name;
		double seconds;
		int exponent;
	} units[] = {{"ms", 1, -3}, {"s", 1, 0}, {"m", 60, 0}, {"h", 3600, 0}};
	struct span number = {text->at, decimal_len(*text)};
	double value;

	*text = span_from(*text, number.len);
	for (size_t i = 0; number.len > 0 && i < ARRAY_LEN(units); i++) {
		if (!span_starts(*text, units[i].name))
			continue;
		*text = span_from(*text, strlen(units[i].name));
		value = scaled(number, units[i].exponent);
		*seconds += value * units[i].seconds;
		return is_held(number, value) && isfinite(*seconds);
	}
	return false;
}

bool number_duration(struct span text, double *seconds)
{
	double sum = 0;

	if (text.len == 0 || number_read(text, seconds))
		return text.len > 0;
	while (text.len > 0)
		if (!add_duration(&text, &sum))
			return false;
	*seconds = sum;
	return true;
}

/* The power of ten for which the last byte of `text` stands; 0: it is no unit. */
static int unit_exponent(struct span text)
{
	switch (text.len > 0 ? text.at[text.len - 1] : '\0') {
	case 'k':
	case 'K':
		return 3;
	case 'M':
		return 6;
	case 'G':
		return 9;
	default:
		return 0;
	}
}

/* Parse decimal digits. Returns false if there are others, or if the number does not fit. */
static bool read_digits(struct span text, int64_t *count)
{
	int64_t sum = 0;

	for (size_t i = 0; i < text.len; i++) {
		int digit = text.at[i] - '0';

		if (digit < 0 || digit > 9 || sum > (INT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (text.len > 0)
		*count = sum;
	return text.len > 0;
}

bool number_count(struct span text, int64_t *count)
{
	static const double most = 9007199254740992; /* above it a double is no exact count */
	int exponent = unit_exponent(text);
	struct span number = {text.at, text.len - (exponent > 0)};
	double value = -1;

	if (read_digits(text, count))
		return true;
	if (exponent > 0 && number.len > 0 && decimal_len(number) == number.len)
		value = scaled(number, exponent);
	else
		number_read(text, &value);
	if (!(value >= 0 && value <= most && value == floor(value)))
		return false;
	*count = (int64_t)value;
	return true;
}

bool number_write_json(struct span text, struct buffer *out)
{
	bool negative = text.len > 0 && text.at[0] == '-';
	struct span number = span_from(text, negative);
	size_t whole = digits(number), fraction;

	if (number.len == 0 || number_len(number) != number.len ||
	    (whole > 1 && number.at[0] == '0'))
		return false;
	buffer_add_text(out, negative ? "-" : "");
	if (whole == 0)
		buffer_add_char(out, '0');
	buffer_add(out, number.at, whole);
	number = span_from(number, whole);
	fraction = number.len > 0 && number.at[0] == '.' ? digits(span_from(number, 1)) : 1;
	buffer_add_span(out, span_from(number, fraction == 0 ? 1 : 0));
	return true;
}
