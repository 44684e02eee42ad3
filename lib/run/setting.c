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
    {"max-cost", "max_cost", SETTING_AMOUNT, true, true, AT(limits.max_cost_usd), "USD",
     "cost of the whole run"},
    {"timeout", "timeout", SETTING_SECONDS, true, true, AT(limits.timeout_seconds), "SECONDS",
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

static void set_text(const struct setting *setting, struct agent *agent, const char *value)
{
	char **text = member_of(setting, agent);

	free(*text);
	*text = mem_copy(span_of(value));
}

static bool is_effort(const char *text)
{
	static const char *const levels[] = {"none", "low", "medium", "high", "max"};

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(text, levels[i]) == 0)
			return true;
	return false;
}

static bool fits(bool good, struct buffer *fault, const char *option, const char *what,
		 const char *value)
{
	if (!good)
		buffer_add_format(fault, "--%s %s, not '%s'", option, what, value);
	return good;
}

bool setting_parse(const struct setting *setting, struct agent *agent, const char *value,
		   struct buffer *fault)
{
	int64_t *count = member_of(setting, agent);
	double *amount = member_of(setting, agent);

	switch (setting->kind) {
	case SETTING_COUNT:
		return fits(number_whole(value, count) && *count >= 1, fault, setting->option,
			    "takes a whole number of at least 1", value);
	case SETTING_AMOUNT:
		return fits(number_amount(value, amount) && *amount > 0, fault, setting->option,
			    "takes a number above 0", value);
	case SETTING_SECONDS:
		return fits(number_amount(value, amount), fault, setting->option,
			    "takes a number of at least 0", value);
	case SETTING_EFFORT:
		if (!fits(is_effort(value), fault, setting->option,
			  "is none, low, medium, high or max", value))
			return false;
		break;
	case SETTING_TEXT:
		if (value[0] == '\0') {
			buffer_add_format(fault, "--%s takes a value that is not empty",
					  setting->option);
			return false;
		}
		break;
	}
	set_text(setting, agent, value);
	return true;
}

static bool read_text(const struct setting *setting, struct agent *agent, struct span value,
		      struct buffer *fault)
{
	bool effort = setting->kind == SETTING_EFFORT;
	char *text = json_text(value);
	bool good = text != NULL && (!effort || is_effort(text));

	if (good)
		set_text(setting, agent, text);
	else
		buffer_add_format(fault, "\"%s\" must be %s", setting->key,
				  effort ? "none, low, medium, high or max" : setting->help);
	free(text);
	return good;
}

bool setting_read(const struct setting *setting, struct agent *agent, struct span value,
		  struct buffer *fault)
{
	bool number = json_type(value) == JSON_NUMBER;
	int64_t *count = member_of(setting, agent);
	double *amount = member_of(setting, agent);
	bool good = false;

	switch (setting->kind) {
	case SETTING_COUNT:
		*count = number ? json_int(value, 0) : 0;
		good = *count > 0;
		if (!good)
			buffer_add_text(fault, "this must be a whole number of at least 1");
		break;
	case SETTING_AMOUNT:
	case SETTING_SECONDS:
		*amount = number ? json_double(value, 0) : 0;
		good = *amount > 0 && !isinf(*amount);
		if (!good)
			buffer_add_text(fault, "this must be a number above 0");
		break;
	case SETTING_EFFORT:
	case SETTING_TEXT:
		good = read_text(setting, agent, value, fault);
		break;
	}
	return good;
}

void setting_copy(const struct setting *setting, struct agent *to, const struct agent *from)
{
	const int64_t *count = member_of(setting, from);
	const double *amount = member_of(setting, from);
	char *const *text = member_of(setting, from);

	switch (setting->kind) {
	case SETTING_COUNT:
		if (*count > 0)
			*(int64_t *)member_of(setting, to) = *count;
		break;
	case SETTING_AMOUNT:
	case SETTING_SECONDS:
		if (*amount > 0)
			*(double *)member_of(setting, to) = *amount;
		break;
	case SETTING_EFFORT:
	case SETTING_TEXT:
		if (*text != NULL)
			set_text(setting, to, *text);
		break;
	}
}
