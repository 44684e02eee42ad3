#include "model/specs.h"

#include <stdlib.h>

#include "base/buffer.h"

void model_specs_add(struct model_specs *specs, char *spec)
{
	specs->at = array_grow(specs->at, specs->count, sizeof(*specs->at));
	specs->at[specs->count++] = spec;
}

void model_specs_add_list(struct model_specs *specs, const char *list)
{
	struct span rest = span_of(list);

	while (rest.len > 0) {
		const char *comma = memchr(rest.at, ',', rest.len);
		size_t len = rest.len;

		if (comma != NULL && !span_starts(rest, "exec:") && !span_starts(rest, "replay:"))
			len = (size_t)(comma - rest.at);
		if (len > 0)
			model_specs_add(specs, mem_copy((struct span){rest.at, len}));
		rest = span_from(rest, len < rest.len ? len + 1 : len);
	}
}

void model_specs_free(struct model_specs *specs)
{
	for (size_t i = 0; i < specs->count; i++)
		free(specs->at[i]);
	free(specs->at);
	*specs = (struct model_specs){0};
}
