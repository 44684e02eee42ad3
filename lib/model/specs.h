/*
 * specs: lists of models as people write them, "PROVIDER:MODEL,PROVIDER:MODEL".
 */
#ifndef MODEL_SPECS_H
#define MODEL_SPECS_H

#include <stddef.h>

/* Zeroed: empty. The strings are owned. */
struct model_specs {
	char **at;
	size_t count;
};

/* Add one (owned from now on). */
void model_specs_add(struct model_specs *specs, char *spec);

/* Add those of NAME[,NAME...]. What follows exec: or replay: may hold commas itself, so these take
 * the rest. */
void model_specs_add_list(struct model_specs *specs, const char *list);

void model_specs_free(struct model_specs *specs);

#endif
