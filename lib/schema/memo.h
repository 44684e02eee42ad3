/*
 * memo: results of one check that are remembered, and numbers for dynamic scopes.
 */
#ifndef SCHEMA_MEMO_H
#define SCHEMA_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum memo_state { MEMO_UNKNOWN, MEMO_UNDER_WAY, MEMO_GOOD, MEMO_BAD };

/* A schema (its place in the document) applied to a part of the value (its node), within a dynamic
 * scope, with or without marking which members are evaluated. */
struct memo_key {
	uint32_t schema, value, scope, marked;
};

struct memo_entry {
	struct memo_key key;
	uint32_t generation; /* private */
	enum memo_state state;
	size_t depth;  /* while MEMO_UNDER_WAY: of schemas around it */
	size_t faults; /* how many were found when this was explained; 0: it was not */
	size_t marks;  /* MEMO_GOOD and marked: where the marks start */
};

/* Zeroed: empty. */
struct memo {
	struct memo_entry *entries;
	size_t size, used;
	uint32_t generation;
};

/* Forget everything; the memory is kept. */
void memo_clear(struct memo *memo);
void memo_free(struct memo *memo);

/* The entry of `key`, a new one (MEMO_UNKNOWN) if there is none; valid until the next call. */
struct memo_entry *memo_find(struct memo *memo, struct memo_key key);

#endif
