#include "base/clock.h"
#include "base/number.h"
#include "model/paced.h"
#include "model/parameters.h"

#include <stdlib.h>

/* Deltas that are delivered in one turn of the loop. */
enum { BATCH = 256 };

static void release(struct paced_call *paced)
{
	paced->cancelled = true;
	if (paced->busy)
		return;
	loop_timer_remove(paced->timer);
	paced->release(paced);
	free(paced);
}

static void finish(struct paced_call *paced)
{
	struct model_outcome outcome = {.usage = MODEL_USAGE_NONE, .error.retry_after_seconds = -1};
	struct model_handler handler = paced->handler;

	paced->outcome(paced, &outcome);
	paced->busy = true;
	handler.done(handler.context, &outcome);
	paced->busy = false;
	release(paced);
}

static void turn(void *context)
{
	struct paced_call *paced = context;
	double seconds = 0;
	bool more = true;

	paced->timer = NULL;
	paced->busy = true;
	for (int i = 0; i < BATCH && more && seconds <= 0 && !paced->cancelled; i++)
		more = paced->next(paced, &seconds);
	paced->busy = false;
	if (paced->cancelled)
		release(paced);
	else if (more)
		paced->timer =
		    loop_source_timer_add(paced->loop, clock_nanoseconds(seconds), turn, paced);
	else
		finish(paced);
}

struct model_call *paced_start(struct paced_call *paced, struct loop *loop, double seconds)
{
	paced->loop = loop;
	paced->timer = loop_source_timer_add(loop, clock_nanoseconds(seconds), turn, paced);
	return &paced->call;
}

bool paced_cancel(struct model_call *call)
{
	release((struct paced_call *)call);
	return true;
}

/* ---- options ---- */

bool options_known(const struct model_request *request, const char *const *known, const char *model,
		   struct error *e)
{
	for (size_t i = 0; i < request->option_count; i++) {
		const char *key = request->options[i].key;
		struct buffer names = {0};
		size_t j = 0;

		while (known[j] != NULL && strcmp(known[j], key) != 0)
			j++;
		if (known[j] != NULL)
			continue;
		for (j = 0; known[j] != NULL; j++)
			buffer_add_format(&names, "%s%s", j > 0 ? ", " : "", known[j]);
		error_set(e, "usage", "the model %s has no option \"%s\"; its options are %s",
			  model, key, buffer_string(&names));
		buffer_free(&names);
		return false;
	}
	return true;
}

bool option_text(const struct model_request *request, const char *key, struct buffer *out)
{
	struct span value = parameters_option(request, key);

	if (value.at != NULL && !json_decode(value, out))
		buffer_add_span(out, value);
	return value.at != NULL;
}

static bool bad_option(const char *key, const char *values, struct error *e)
{
	return error_set(e, "usage", "the option \"%s\" must be %s", key, values);
}

bool option_number(const struct model_request *request, const char *key, double otherwise,
		   double *number, struct error *e)
{
	struct span value = parameters_option(request, key);

	*number = otherwise;
	return value.at == NULL || number_read(json_amount(value), number) ||
	       bad_option(key, "a number of at least 0", e);
}

bool option_duration(const struct model_request *request, const char *key, double otherwise,
		     double *seconds, struct error *e)
{
	struct span value = parameters_option(request, key);

	*seconds = otherwise;
	return value.at == NULL || number_duration(json_amount(value), seconds) ||
	       bad_option(key, "a duration, such as " NUMBER_DURATIONS, e);
}

bool option_count(const struct model_request *request, const char *key, int64_t otherwise,
		  int64_t *count, struct error *e)
{
	struct span value = parameters_option(request, key);

	*count = otherwise;
	return value.at == NULL || number_count(json_amount(value), count) ||
	       bad_option(key, "a whole number of at least 0, such as 8", e);
}
