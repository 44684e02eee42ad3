#include "json/json.h"

/* Write the value of the placeholder `type`, the next of `args`; false: it is absent. */
static bool put_argument(struct buffer *out, char type, va_list *args)
{
	struct span text = {0};

	switch (type) {
	case 'd':
		json_comma(out);
		json_write_int(out, va_arg(*args, int64_t));
		return true;
	case 'b':
		json_comma(out);
		buffer_add_text(out, va_arg(*args, int) != 0 ? "true" : "false");
		return true;
	case 'f':
		text = va_arg(*args, int) != 0 ? SPAN("true") : text;
		type = 'j';
		break;
	case 't':
		text = span_of(va_arg(*args, const char *));
		break;
	default:
		text = va_arg(*args, struct span);
		break;
	}
	if (text.at == NULL)
		return false;
	json_comma(out);
	if (type == 'j')
		buffer_add_span(out, text);
	else
		json_write_string(out, text);
	return true;
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

void json_pack(struct buffer *out, const char *form, ...)
{
	size_t member = out->len; /* where the member at hand begins */
	va_list args;

	va_start(args, form);
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
