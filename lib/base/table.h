/*
 * table: from a text to a number, which may be an address cast to uintptr_t, in constant time.
 *
 * A zeroed struct table is empty. Keys are borrowed: they stay where they are until they are
 * removed or the table is freed.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdint.h>

#include "base/span.h"

struct table_slot {
	struct span key; /* absent: the slot is free */
	uintptr_t value;
};

struct table {
	struct table_slot *slots;
	size_t count, capacity; /* capacity: 0 or a power of two */
};

/* The number of `key`, to be read or changed until the table changes; NULL: it has none. */
uintptr_t *table_find(const struct table *table, struct span key);

/* The same; a key that is not there yet is added, with the number 0. `key` must be present (at !=
 * NULL). */
uintptr_t *table_add(struct table *table, struct span key);

/* The key itself, as it was added; absent: it is not there. */
struct span table_key(const struct table *table, struct span key);

/* Does nothing for a key that is not there. */
void table_remove(struct table *table, struct span key);

void table_free(struct table *table);

#endif
