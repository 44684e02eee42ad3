#include "schema/memo.h"

#include <stdlib.h>

enum { FIRST_SIZE = 256 };

void memo_clear(struct memo *memo)
{
	memo->used = 0;
	if (++memo->generation != 0)
		return;
	if (memo->size > 0)
		memset(memo->entries, 0, memo->size * sizeof(*memo->entries));
	memo->generation = 1;
}

void memo_free(struct memo *memo)
{
	free(memo->entries);
	*memo = (struct memo){0};
}

static bool is_same(struct memo_key a, struct memo_key b)
{
	return a.schema == b.schema && a.value == b.value && a.scope == b.scope &&
	       a.marked == b.marked;
}

static struct memo_entry *find_slot(const struct memo *memo, struct memo_key key)
{
	uint64_t hash = key.schema * UINT64_C(0x9E3779B97F4A7C15) +
			key.value * UINT64_C(0xC2B2AE3D27D4EB4F) +
			(2 * key.scope + key.marked) * UINT64_C(0x165667B19E3779F9);
	size_t i = (hash ^ hash >> 32) & (memo->size - 1);

	while (memo->entries[i].generation == memo->generation &&
	       !is_same(memo->entries[i].key, key))
		i = (i + 1) & (memo->size - 1);
	return &memo->entries[i];
}

static void grow(struct memo *memo)
{
	struct memo old = *memo;

	memo->size = old.size > 0 ? 2 * old.size : FIRST_SIZE;
	memo->entries = mem_zero(memo->size * sizeof(*memo->entries));
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].generation == old.generation)
			*find_slot(memo, old.entries[i].key) = old.entries[i];
	free(old.entries);
}

struct memo_entry *memo_find(struct memo *memo, struct memo_key key)
{
	struct memo_entry *entry;

	if (2 * memo->used >= memo->size)
		grow(memo);
	entry = find_slot(memo, key);
	if (entry->generation != memo->generation) {
		*entry = (struct memo_entry){.key = key, .generation = memo->generation};
		memo->used++;
	}
	return entry;
}
