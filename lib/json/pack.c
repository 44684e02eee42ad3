#include "json/json.h"

/* Append the argument for the placeholder `type`, the next of `args`; an absent one adds nothing.
 */
static void add_argument(struct buffer *out, char type, va_list *args)
{
	struct span text;
	int64_t whole;
	double number;

	switch (type) {
	case 'd':
	case 'u':
		whole = va_arg(*args, int64_t);
		if (type == 'd' || whole >= 0)
			json_write_int(out, whole);
		break;
	case 'g':
		number = va_arg(*args, double);
		if (number >= 0)
			json_write_double(out, number);
		break;
	case 'b':
		buffer_add_text(out, va_arg(*args, int) != 0 ? "true" : "false");
		break;
	case 'f':
		if (va_arg(*args, int) != 0)
			buffer_add_text(out, "true");
		break;
	case 'j':
		buffer_add_span(out, va_arg(*args, struct span));
		break;
	case 'l':
		text = va_arg(*args, struct span);
		if (text.at != NULL)
			json_write_line(out, text);
		break;
	default:
		text =
		    type == 't' ? span_of(va_arg(*args, const char *)) : va_arg(*args, struct span);
		if (text.at != NULL)
			json_write_string(out, text);
		break;
	}
}

/* The same after a comma where one is due. A capital letter writes null for an absent argument.
 * Returns whether something was written. */
static bool put_argument(struct buffer *out, char type, va_list *args)
{
	bool null = type < 'a';
	size_t start;

	json_comma(out);
	start = out->len;
	add_argument(out, (char)(null ? type - 'A' + 'a' : type), args);
	if (out->len == start && null)
		buffer_add_text(out, "null");
	return out->len > start;
}

/* Write the string that begins at the quote `at`; returns its closing quote. */
static const char *put_quoted(struct buffer *out, const char *at)
{
	size_t len = strcspn(at + 1, "'");

	json_comma(out);
	buffer_add_char(out, '"');
	buffer_add(out, at + 1, len);
	buffer_add_char(out, '"');
	return at + 1 + len;
}

void json_pack_list(struct buffer *out, const char *form, va_list list)
{
	size_t member = out->len; /* where the member at hand begins */
	va_list args;

	va_copy(args, list);
	for (; *form != '\0'; form++) {
		switch (*form) {
		case ',':
			member = out->len;
			break;
		case '{':
		case '[':
			json_open(out, *form);
			member = out->len;
			break;
		case '\'':
			form = put_quoted(out, form);
			break;
		case '%':
			if (!put_argument(out, *++form, &args))
				out->len = member;
			break;
		default:
			buffer_add_char(out, *form);
			break;
		}
	}
	va_end(args);
}

void json_pack(struct buffer *out, const char *form, ...)
{
	va_list args;

	va_start(args, form);
	json_pack_list(out, form, args);
	va_end(args);
}
