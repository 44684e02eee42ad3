#include "json/decimal.h"

#include <math.h>

#include "base/hash.h"

/* A number as 0.DIGITS * 10^exponent, DIGITS beginning and ending with something other than 0; zero
 * has no digits. The digits are read from the text, over the decimal point. */
struct decimal {
	bool negative;
	struct span digits; /* may hold a '.' inside */
	size_t count;       /* of digits */
	int64_t exponent;
};

/* Exponents beyond this are all the same to us. */
enum { EXPONENT_MAX = 1000000000 };

/* The value behind 'e' of a number. */
static int64_t parse_exponent(struct span text)
{
	bool negative = text.len > 0 && text.at[0] == '-';
	int64_t value = 0;

	if (text.len > 0 && (text.at[0] == '-' || text.at[0] == '+'))
		text = span_from(text, 1);
	for (size_t i = 0; i < text.len && value < EXPONENT_MAX; i++)
		value = value * 10 + (text.at[i] - '0');
	return negative ? -value : value;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Strip what does not count at both ends of the digits. */
static void normalize(struct decimal *decimal, int64_t before_point)
{
	struct span digits = decimal->digits;

	decimal->exponent += before_point;
	while (digits.len > 0 && !(is_digit(digits.at[0]) && digits.at[0] != '0')) {
		decimal->exponent -= digits.at[0] == '0';
		digits = span_from(digits, 1);
	}
	while (digits.len > 0 &&
	       (digits.at[digits.len - 1] == '0' || digits.at[digits.len - 1] == '.'))
		digits.len--;
	decimal->digits = digits;
	for (size_t i = 0; i < digits.len; i++)
		decimal->count += is_digit(digits.at[i]);
	if (decimal->count == 0)
		decimal->exponent = 0;
}

static struct decimal decimal_read(struct span text)
{
	struct decimal decimal = {0};
	size_t len = 0, before_point;

	decimal.negative = text.len > 0 && text.at[0] == '-';
	text = span_from(text, decimal.negative);
	while (len < text.len && is_digit(text.at[len]))
		len++;
	before_point = len;
	while (len < text.len && (is_digit(text.at[len]) || text.at[len] == '.'))
		len++;
	if (len < text.len)
		decimal.exponent = parse_exponent(span_from(text, len + 1));
	decimal.digits = (struct span){text.at, len};
	normalize(&decimal, (int64_t)before_point);
	if (decimal.count == 0)
		decimal.negative = false;
	return decimal;
}

/* The next digit of `rest`; -1 at the end. */
static int next_digit(struct span *rest)
{
	char c;

	if (rest->len > 0 && rest->at[0] == '.')
		*rest = span_from(*rest, 1);
	if (rest->len == 0)
		return -1;
	c = rest->at[0];
	*rest = span_from(*rest, 1);
	return c - '0';
}

static int compare_magnitude(struct decimal a, struct decimal b)
{
	int left, right;

	if (a.count == 0 || b.count == 0)
		return (a.count > 0) - (b.count > 0);
	if (a.exponent != b.exponent)
		return a.exponent > b.exponent ? 1 : -1;
	do {
		left = next_digit(&a.digits);
		right = next_digit(&b.digits);
	} while (left == right && left >= 0);
	return (left > right) - (left < right);
}

int decimal_compare(struct span a, struct span b)
{
	struct decimal left = decimal_read(a), right = decimal_read(b);

	if (left.negative != right.negative)
		return left.negative ? -1 : 1;
	return left.negative ? compare_magnitude(right, left) : compare_magnitude(left, right);
}

uint64_t decimal_hash(struct span number)
{
	struct decimal decimal = decimal_read(number);
	uint64_t hash = HASH_START;
	int digit;

	hash = hash_add(hash, (struct span){(const char *)&decimal.negative, 1});
	hash = hash_add(hash,
			(struct span){(const char *)&decimal.exponent, sizeof(decimal.exponent)});
	while ((digit = next_digit(&decimal.digits)) >= 0) {
		char c = (char)digit;

		hash = hash_add(hash, (struct span){&c, 1});
	}
	return hash;
}

/* The power of ten of the last digit. */
static int64_t last_power(const struct decimal *decimal)
{
	return decimal->exponent - (int64_t)decimal->count;
}

bool decimal_is_integer(struct span number)
{
	struct decimal decimal = decimal_read(number);

	return last_power(&decimal) >= 0;
}

static uint64_t times_power(uint64_t value, int64_t power, uint64_t modulus)
{
	uint64_t base = 10 % modulus;

	for (; power > 0; power >>= 1) {
		if (power & 1)
			value = (uint64_t)((unsigned __int128)value * base % modulus);
		base = (uint64_t)((unsigned __int128)base * base % modulus);
	}
	return value;
}

/* Doubles from 2^53 on have no fractional part. */
static bool is_whole(double value)
{
	const double enough = 9007199254740992;

	if (value > -enough && value < enough)
		return (double)(int64_t)value == value;
	return !isnan(value);
}

bool decimal_is_multiple(struct span number, struct span divisor)
{
	struct decimal n = decimal_read(number), d = decimal_read(divisor);
	uint64_t modulus = 0, rest = 0;
	int64_t power = last_power(&n) - last_power(&d);
	int digit;

	if (n.count == 0)
		return true;
	if (d.count == 0 || d.count > 18)
		return is_whole(json_double(number, 0) / json_double(divisor, 1));
	/* The divisor would need a factor of ten which the number's last digit, not 0, lacks. */
	if (power < 0)
		return false;
	while ((digit = next_digit(&d.digits)) >= 0)
		modulus = modulus * 10 + (uint64_t)digit;
	if (modulus == 0)
		return false;
	while ((digit = next_digit(&n.digits)) >= 0)
		rest = (rest * 10 + (uint64_t)digit) % modulus;
	return times_power(rest, power, modulus) == 0;
}
