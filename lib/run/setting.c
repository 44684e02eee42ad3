#include "run/setting.h"

#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "run/agent.h"

#define AT(member) offsetof(struct agent, member)

const struct setting agent_settings[] = {
    {"effort", "effort", SETTING_EFFORT, false, false, AT(effort), "LEVEL",
     "how much to reason: none, low, medium, high, max"},
    {"max-tokens", "max_tokens", SETTING_COUNT, false, false, AT(max_tokens), "N",
     "limit each response to N tokens"},
    {"tool-choice", "tool_choice", SETTING_TEXT, false, true, AT(tool_choice), "CHOICE",
     "auto, required, none or a tool's name"},
    {"max-iterations", "max_iterations", SETTING_COUNT, true, true, AT(limits.max_iterations), "N",
     "model responses (default 50)"},
    {"max-total-tokens", "max_total_tokens", SETTING_COUNT, true, true, AT(limits.max_total_tokens),
     "N", "input and output tokens of the whole run"},
    {"max-tool-calls", "max_tool_calls", SETTING_COUNT, true, true, AT(limits.max_tool_calls), "N",
     "tool calls of the whole run"},
    {"max-repeats", "max_repeats", SETTING_REPEATS, true, true, AT(limits.max_repeats), "N",
     "equal calls with equal results (default 0: off)"},
    {"max-cost", "max_cost", SETTING_AMOUNT, true, true, AT(limits.max_cost_usd), "USD",
     "cost of the whole run"},
    {"timeout", "timeout", SETTING_DURATION, true, true, AT(limits.timeout_seconds), "TIME",
     "duration of the whole run"},
    {0},
};

const struct setting *setting_find(struct span key, bool limits)
{
	for (const struct setting *setting = agent_settings; setting->option != NULL; setting++)
		if (setting->is_limit == limits && span_is(key, setting->key))
			return setting;
	return NULL;
}

static void *member_of(const struct setting *setting, const struct agent *agent)
{
	return (char *)agent + setting->offset;
}

static bool is_text(const struct setting *setting)
{
	return setting->kind == SETTING_EFFORT || setting->kind == SETTING_TEXT;
}

static const char *const levels[] = {"none", "low", "medium", "high", "max", NULL};

/* False if the text does not fit. */
static bool set_text(const struct setting *setting, struct agent *agent, const char *value)
{
	char **text = member_of(setting, agent);
	size_t level = 0;

	while (levels[level] != NULL && strcmp(levels[level], value) != 0)
		level++;
	if (setting->kind == SETTING_EFFORT && levels[level] == NULL)
		return false;
	free(*text);
	*text = mem_copy(span_of(value));
	return true;
}

/* Append what a value must be. */
static void add_values(const struct setting *setting, struct buffer *out)
{
	switch (setting->kind) {
	case SETTING_REPEATS:
	case SETTING_COUNT:
		buffer_add_format(out, "a whole number of at least %d, such as %s",
				  setting->kind == SETTING_COUNT ? 1 : 0,
				  number_counts(setting->key));
		break;
	case SETTING_AMOUNT:
		buffer_add_text(out, "a number above 0");
		break;
	case SETTING_DURATION:
		buffer_add_text(out, "a duration, such as " NUMBER_DURATIONS);
		break;
	case SETTING_EFFORT:
		buffer_add_text(out, "none, low, medium, high or max");
		break;
	case SETTING_TEXT:
		buffer_add_text(out, setting->help);
		break;
	}
}

/* Set a setting that is a number from its text. */
static bool set_number(const struct setting *setting, struct agent *agent, struct span text)
{
	int64_t *count = member_of(setting, agent);
	double *amount = member_of(setting, agent);

	if (setting->kind == SETTING_COUNT)
		return number_count(text, count) && *count >= 1;
	if (setting->kind == SETTING_REPEATS) {
		if (!number_count(text, count))
			return false;
		*count = *count > 0 ? *count : -1;
		return true;
	}
	if (setting->kind == SETTING_AMOUNT)
		return number_read(text, amount) && *amount > 0;
	if (!number_duration(text, amount))
		return false;
	if (*amount <= 0)
		*amount = INFINITY;
	return true;
}

bool setting_parse(const struct setting *setting, struct agent *agent, const char *value,
		   struct buffer *fault)
{
	bool good = is_text(setting) ? set_text(setting, agent, value)
				     : set_number(setting, agent, span_of(value));

	if (!good) {
		buffer_add_format(fault, "--%s must be ", setting->option);
		add_values(setting, fault);
		buffer_add_format(fault, ", not '%s'", value);
	}
	return good;
}

bool setting_read(const struct setting *setting, struct agent *agent, struct span value,
		  struct buffer *fault)
{
	char *text = json_text(value);
	bool is_string = text != NULL;
	bool good = is_text(setting) ? is_string && set_text(setting, agent, text)
				     : !(is_string && setting->kind == SETTING_AMOUNT) &&
					   set_number(setting, agent, json_amount(value));

	free(text);
	if (!good) {
		buffer_add_format(fault, "\"%s\" must be ", setting->key);
		add_values(setting, fault);
	}
	return good;
}

void setting_copy(const struct setting *setting, struct agent *to, const struct agent *from)
{
	const int64_t *count = member_of(setting, from);
	const double *amount = member_of(setting, from);
	char *const *text = member_of(setting, from);

	if (is_text(setting)) {
		if (*text != NULL)
			set_text(setting, to, *text);
	} else if (setting->kind == SETTING_COUNT || setting->kind == SETTING_REPEATS) {
		if (*count != 0)
			*(int64_t *)member_of(setting, to) = *count;
	} else if (*amount > 0) {
		*(double *)member_of(setting, to) = *amount;
	}
}
