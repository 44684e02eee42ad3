#include <stdlib.h>

#include "schema/pattern_reader.h"

enum { MAX_EXAMPLE = 100000 };

#define DIGITS "0123456789"

/* ---- groups ---- */

/* The modifiers of (?ims-ims:...), which hold inside the group. */
static bool take_modifiers(struct pattern_reader *t, struct pattern_group *group)
{
	bool on = true, case_on = false, case_off = false;

	for (; *t->at != '\0' && strchr("ims-", *t->at) != NULL; t->at++)
		if (*t->at == '-')
			on = false;
		else if (*t->at == 'm')
			group->multiline = on;
		else if (*t->at == 's')
			group->dot_all = on;
		else if (on)
			case_on = true;
		else
			case_off = true;
	if (!pattern_take(t, ":"))
		return pattern_fail(
		    t, "a group starts with (? and characters that ECMA-262 does not define");
	buffer_add_text(t->out, case_on ? "(?i:" : case_off ? "(?-i:" : "(?:");
	return true;
}

/* The name of a group, up to its '>'. */
static bool take_name(struct pattern_reader *t)
{
	const char *end = memchr(t->at, '>', (size_t)(t->end - t->at));

	return end != NULL ? pattern_copy(t, (size_t)(end - t->at) + 1)
			   : pattern_fail(t, "the name of a group has no end");
}

/* A group, from its '(' on. */
static bool open_group(struct pattern_reader *t)
{
	static const char *const assertions[] = {"(?=", "(?!", "(?<=", "(?<!"};
	struct pattern_group *outer = &t->groups[t->depth], *group = outer + 1;

	if (t->depth == PATTERN_MAX_GROUPS)
		return pattern_fail(t, "groups are nested too deep");
	*group = (struct pattern_group){.dot_all = outer->dot_all,
					.multiline = outer->multiline,
					.example_start = t->example->len};
	t->depth++;
	t->last = REPEAT_NOT;
	for (size_t i = 0; i < ARRAY_LEN(assertions); i++)
		if (pattern_starts(t, assertions[i])) {
			group->is_assertion = true;
			return pattern_copy(t, strlen(assertions[i]));
		}
	if (pattern_starts(t, "(?<"))
		return take_name(t);
	if (pattern_take(t, "(?"))
		return take_modifiers(t, group);
	return pattern_copy(t, 1);
}

static bool close_group(struct pattern_reader *t)
{
	const struct pattern_group *group = &t->groups[t->depth];

	if (t->depth == 0)
		return pattern_fail(t, "a ')' has no '('");
	t->depth--;
	t->last = group->is_assertion ? REPEAT_NOT : REPEAT_YES;
	t->item = group->example_start;
	if (group->has_alternatives)
		t->example->len = group->example_end;
	if (group->is_assertion)
		t->example->len = group->example_start;
	return pattern_copy(t, 1);
}

/* Begin another alternative. */
static bool take_bar(struct pattern_reader *t)
{
	struct pattern_group *group = &t->groups[t->depth];

	if (!group->has_alternatives)
		group->example_end = t->example->len;
	group->has_alternatives = true;
	t->last = REPEAT_NOT;
	pattern_copy(t, 1);
	buffer_add_text(t->out, "(?C)");
	return true;
}

/* ---- quantifiers ---- */

/* The length of the quantifier at `at`; 0: there is none. A brace that begins no quantifier is a
 * literal. */
static size_t quantifier_length(const char *at)
{
	size_t len = 1 + strspn(at + (*at == '{'), DIGITS);

	if (*at != '{')
		return *at == '*' || *at == '+' || *at == '?';
	if (len > 1 && at[len] == ',')
		len += 1 + strspn(at + len + 1, DIGITS);
	return len > 1 && at[len] == '}' ? len + 1 : 0;
}

/* Repeat the example of the last item. */
static void repeat_example(struct pattern_reader *t, unsigned long times)
{
	size_t len = t->example->len - t->item;

	if (times == 0)
		t->example->len = t->item;
	if (len == 0 || times > (MAX_EXAMPLE - t->example->len) / len)
		return;
	for (; times > 1; times--) {
		buffer_reserve(t->example, len);
		buffer_add(t->example, t->example->at + t->item, len);
	}
}

/* A quantifier of `len` bytes. If the number of times is not fixed, a match counts a step here. */
static bool take_quantifier(struct pattern_reader *t, size_t len)
{
	bool braces = *t->at == '{', fixed = braces && memchr(t->at, ',', len) == NULL;

	if (t->last != REPEAT_YES)
		return pattern_fail(t, "a quantifier has nothing to repeat");
	repeat_example(t, braces ? strtoul(t->at + 1, NULL, 10) : *t->at == '+');
	pattern_copy(t, len);
	if (*t->at == '?')
		pattern_copy(t, 1);
	if (!fixed)
		buffer_add_text(t->out, "(?C)");
	t->last = REPEAT_DONE;
	return true;
}

/* ---- the whole ---- */

/* An escape outside of brackets. */
static bool take_escape(struct pattern_reader *t)
{
	size_t digits = strspn(t->at + 1, DIGITS);

	if (pattern_is_class(t->at))
		return pattern_take_class(t);
	if (pattern_starts(t, "\\b") || pattern_starts(t, "\\B")) {
		t->last = REPEAT_NOT;
		return pattern_copy(t, 2);
	}
	if (pattern_starts(t, "\\k<"))
		return take_name(t);
	if (digits == 0 || t->at[1] == '0')
		return pattern_take_character(t);
	buffer_add_format(t->out, "\\g{%.*s}", (int)digits, t->at + 1);
	t->at += digits + 1;
	return true;
}

static bool take_anchor(struct pattern_reader *t)
{
	t->last = REPEAT_NOT;
	if (!t->groups[t->depth].multiline)
		return pattern_copy(t, 1);
	buffer_add_text(t->out, *t->at++ == '^' ? "(?:^|(?<=[" PATTERN_LINE_ENDS "]))"
						: "(?=[" PATTERN_LINE_ENDS "]|$)");
	return true;
}

static bool take_next(struct pattern_reader *t)
{
	size_t quantifier = quantifier_length(t->at);

	if (quantifier > 0)
		return take_quantifier(t, quantifier);
	t->last = REPEAT_YES;
	t->item = t->example->len;
	switch (*t->at) {
	case '\\':
		return take_escape(t);
	case '(':
		return open_group(t);
	case ')':
		return close_group(t);
	case '^':
	case '$':
		return take_anchor(t);
	case '|':
		return take_bar(t);
	case '[':
		return pattern_take_bracket(t);
	case '.':
		return pattern_take_dot(t);
	default:
		return pattern_take_character(t);
	}
}

bool pattern_translate(struct span text, const struct pattern *sampled, struct buffer *out,
		       struct buffer *example, struct buffer *why)
{
	char *rest = mem_copy(text);
	struct pattern_reader t = {.at = rest,
				   .end = rest + text.len,
				   .out = out,
				   .why = why,
				   .example = example,
				   .sampled = sampled};
	bool good = true;

	buffer_clear(example);
	buffer_add_text(out, "(?C)(?:");
	while (good && t.at < t.end)
		good = take_next(&t);
	buffer_add_char(out, ')');
	if (t.depth > 0)
		good = good && pattern_fail(&t, "a ')' is missing");
	if (t.groups[0].has_alternatives)
		example->len = t.groups[0].example_end;
	free(rest);
	return good;
}
