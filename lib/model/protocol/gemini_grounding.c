#include "model/protocol/gemini.h"

/* Every chunk may have some, often empty; the last ones that say something hold. */
static void keep(struct gemini_decoder *d, struct span value, const char *a, const char *b,
		 struct buffer *out)
{
	if (json_count(json_get(value, a)) == 0 && json_count(json_get(value, b)) == 0)
		return;
	buffer_clear(out);
	json_write_line(out, pieces_repair(&d->pieces, value));
}

void gemini_grounding_read(struct gemini_decoder *d, struct span candidate)
{
	keep(d, json_get(candidate, "groundingMetadata"), "webSearchQueries", "groundingChunks",
	     &d->grounding);
	keep(d, json_get(candidate, "urlContextMetadata"), "urlMetadata", "urlMetadata",
	     &d->url_context);
}

/* A call with the arguments {"`key`":`list`} that gave `result`. */
static void tell(struct gemini_decoder *d, const char *name, const char *key, struct span list,
		 struct span result)
{
	struct buffer args = {0};
	int index = gemini_start_call(d, (struct span){0}, span_of(name), RUN_AS_TOOL);

	json_open(&args, '{');
	if (json_count(list) > 0)
		json_put_raw(&args, key, list);
	json_close(&args, '}');
	gemini_run_call(d, index, buffer_span(&args));
	gemini_end_call(d, index, json_count(result) > 0 ? result : SPAN("[]"), false);
	buffer_free(&args);
}

/* By where the sources are from. */
static const char *search_name(struct span chunks)
{
	if (json_path(chunks, "0.maps").at != NULL)
		return "google_maps";
	if (json_path(chunks, "0.retrievedContext").at != NULL)
		return "file_search";
	return "google_search";
}

static void tell_urls(struct gemini_decoder *d, struct span list)
{
	struct json_walk walk = json_walk(list);
	struct buffer urls = {0};

	json_open(&urls, '[');
	while (json_next(&walk)) {
		struct span url = json_get(walk.value, "retrievedUrl");

		if (json_type(url) != JSON_STRING)
			continue;
		json_comma(&urls);
		buffer_add_span(&urls, url);
	}
	json_close(&urls, ']');
	tell(d, "url_context", "urls", buffer_span(&urls), list);
	buffer_free(&urls);
}

/* Of what it looked up the provider tells only afterwards, unless it told the calls themselves. */
void gemini_grounding_end(struct gemini_decoder *d)
{
	struct span grounding = buffer_span(&d->grounding);
	struct span queries = json_get(grounding, "webSearchQueries");
	struct span chunks = json_get(grounding, "groundingChunks");
	struct span urls = json_get(buffer_span(&d->url_context), "urlMetadata");

	for (int i = 0; i < d->call_count; i++)
		if (d->calls[i].runner == RUN_AS_TOOL)
			return;
	if (urls.at != NULL)
		tell_urls(d, urls);
	if (json_count(queries) > 0 || (json_count(chunks) > 0 && urls.at == NULL))
		tell(d, search_name(chunks), "queries", queries, chunks);
}
