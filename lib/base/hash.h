/*
 * hash: FNV-1a with 64 bits (draft-eastlake-fnv), for tables and for ids that must be equal in
 * every process. Do not use it for secrets.
 *
 *     uint64_t hash = hash_add(hash_add(HASH_START, run_id), call_id);
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/span.h"

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Continue `hash` with the bytes of `text`. */
static inline uint64_t hash_add(uint64_t hash, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Continue `hash` with a number, in one step. */
static inline uint64_t hash_add_number(uint64_t hash, uint64_t number)
{
	return (hash ^ number) * UINT64_C(0x100000001b3);
}

#endif
