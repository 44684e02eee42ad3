/* The responses of a run, found in its kept events. */
#include "collect.h"

/* Whether a kept event starts another response than the one that started with `first`: a further
 * llm_start of the same iteration is another attempt. */
static bool starts_another(const struct kept *kept, const struct kept *first)
{
	return kept->type == EVENT_LLM_START && first != NULL &&
	       json_int(json_get(kept->data, "iteration"), 0) !=
		   json_int(json_get(first->data, "iteration"), 0);
}

bool result_next_response(const struct result *result, struct result_response *response)
{
	const struct kept *kept = response->after != NULL ? response->after : result->kept.at;
	const struct kept *last = result->kept.at + result->kept.count;

	*response = (struct result_response){.number = response->number + 1};
	for (; kept < last && response->end == NULL && !starts_another(kept, response->first);
	     kept++) {
		if (kept->type == EVENT_LLM_END)
			response->end = kept;
		if (response->first == NULL &&
		    (kept->type == EVENT_LLM_START || kept->type == EVENT_LLM_END))
			response->first = kept;
	}
	response->after = kept;
	if (response->end != NULL)
		response->end_time = response->end->time;
	else
		response->end_time = kept < last ? kept->time : result->last_time;
	return response->first != NULL;
}
