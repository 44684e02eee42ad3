#include "base/table.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/hash.h"

enum { FIRST_CAPACITY = 16 };

/* Where the search for `key` begins. */
static size_t home_of(const struct table *table, struct span key)
{
	return (size_t)hash_add(HASH_START, key) & (table->capacity - 1);
}

/* The slot of `key`, or the free one where it would be added. At least one slot is free. */
static struct table_slot *slot_of(const struct table *table, struct span key)
{
	size_t at = home_of(table, key);

	while (table->slots[at].key.at != NULL && !span_equal(table->slots[at].key, key))
		at = (at + 1) & (table->capacity - 1);
	return &table->slots[at];
}

/* Half of the slots stay free, so that searches are short. */
static void grow(struct table *table)
{
	struct table larger = {.count = table->count};

	larger.capacity = table->capacity > 0 ? table->capacity * 2 : FIRST_CAPACITY;
	larger.slots = mem_zero(larger.capacity * sizeof(*larger.slots));
	for (size_t i = 0; i < table->capacity; i++)
		if (table->slots[i].key.at != NULL)
			*slot_of(&larger, table->slots[i].key) = table->slots[i];
	free(table->slots);
	*table = larger;
}

uintptr_t *table_find(const struct table *table, struct span key)
{
	struct table_slot *slot;

	if (table->capacity == 0 || key.at == NULL)
		return NULL;
	slot = slot_of(table, key);
	return slot->key.at != NULL ? &slot->value : NULL;
}

struct span table_key(const struct table *table, struct span key)
{
	return table_find(table, key) != NULL ? slot_of(table, key)->key : (struct span){0};
}

uintptr_t *table_add(struct table *table, struct span key)
{
	struct table_slot *slot;

	if (table->count >= table->capacity / 2)
		grow(table);
	slot = slot_of(table, key);
	if (slot->key.at == NULL) {
		*slot = (struct table_slot){.key = key};
		table->count++;
	}
	return &slot->value;
}

/* Keys behind a free slot must stay within reach of the slot where their search begins: those for
 * which the free slot lies in between move into it. */
void table_remove(struct table *table, struct span key)
{
	size_t mask = table->capacity - 1, hole, at;

	if (table_find(table, key) == NULL)
		return;
	hole = (size_t)(slot_of(table, key) - table->slots);
	for (at = (hole + 1) & mask; table->slots[at].key.at != NULL; at = (at + 1) & mask) {
		size_t home = home_of(table, table->slots[at].key);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			table->slots[hole] = table->slots[at];
			hole = at;
		}
	}
	table->slots[hole] = (struct table_slot){0};
	table->count--;
}

void table_free(struct table *table)
{
	free(table->slots);
	*table = (struct table){0};
}
