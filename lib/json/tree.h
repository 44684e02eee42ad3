/*
 * tree: a JSON value parsed once, for many look-ups.
 *
 * The reading functions of json.h scan the text again for each question. A tree holds every value
 * of the text as a node, in the order of the text: a container comes before its members, and a node
 * knows which one follows its last member. Members of large objects are found through a table.
 * Nodes are numbered from 0, the whole value.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include "base/table.h"
#include "json/json.h"

/* The number of no node. */
#define JSON_NO_NODE UINT32_MAX

struct json_tree_node {
	const char *at;  /* its text */
	const char *key; /* the decoded name of a member; NULL for elements and the whole value */
	uint32_t len, key_len;
	uint32_t count;      /* members or elements */
	uint32_t after;      /* the first node behind this one and its members */
	uint32_t hash;       /* private; 0: not computed */
	unsigned type : 4;   /* enum json_type */
	unsigned table : 28; /* private: 1 + the number of the table of its members; 0: none */
};

/* Zeroed: no value. A tree can parse one value after the other and reuses its memory. */
struct json_tree {
	struct json_tree_node *nodes;
	uint32_t count, capacity;
	struct buffer keys;   /* names with escapes: decoded, then their text */
	struct table *tables; /* of the members of large objects */
	uint32_t table_count;
};

/* Parse `text`, valid JSON without white space around it, which must outlive the tree's use of it.
 * False if it is 4 GiB or longer, or nested deeper than JSON_MAX_DEPTH. */
bool json_tree_parse(struct json_tree *tree, struct span text);
void json_tree_free(struct json_tree *tree);

/* The type of a node, and the number of its members or elements; JSON_ABSENT and 0 for
 * JSON_NO_NODE. */
static inline enum json_type json_tree_type(const struct json_tree *tree, uint32_t node)
{
	return node != JSON_NO_NODE ? tree->nodes[node].type : JSON_ABSENT;
}

static inline uint32_t json_tree_count(const struct json_tree *tree, uint32_t node)
{
	return node != JSON_NO_NODE ? tree->nodes[node].count : 0;
}

/* The text of a node (absent for JSON_NO_NODE), and the decoded name of a member (absent for
 * others). */
struct span json_tree_text(const struct json_tree *tree, uint32_t node);
struct span json_tree_key(const struct json_tree *tree, uint32_t node);

/* Walk the members of an object or the elements of an array; other nodes and JSON_NO_NODE have
 * none:
 *     struct json_tree_walk walk = json_tree_walk(tree, container);
 *     while (json_tree_next(&walk)) ... walk.node, walk.index */
struct json_tree_walk {
	uint32_t node, index; /* index: 0, 1, ... */
	/* private */
	const struct json_tree *tree;
	uint32_t next, end;
};

static inline struct json_tree_walk json_tree_walk(const struct json_tree *tree, uint32_t container)
{
	bool any = container != JSON_NO_NODE;

	return (struct json_tree_walk){.index = UINT32_MAX,
				       .tree = tree,
				       .next = any ? container + 1 : 0,
				       .end = any ? tree->nodes[container].after : 0};
}

static inline bool json_tree_next(struct json_tree_walk *walk)
{
	if (walk->next >= walk->end)
		return false;
	walk->node = walk->next;
	walk->next = walk->tree->nodes[walk->node].after;
	walk->index++;
	return true;
}

/* Add a node, outside of the value, for the name of a member as a JSON string. */
uint32_t json_tree_key_node(struct json_tree *tree, uint32_t member);

/* The member `key` (decoded) of an object; JSON_NO_NODE if there is none, or if `object` is no
 * object or JSON_NO_NODE. Of duplicate names the first counts. */
uint32_t json_tree_find(struct json_tree *tree, uint32_t object, struct span key);

/* The first value of `text` (valid JSON) whose key an earlier member of the same object has too, at
 * any depth; absent if every key is there once. Keys are compared decoded: "a" and "\\u0061" are
 * equal. The key is appended to `key` (NULL allowed). Text that json_tree_parse refuses has none.
 */
struct span json_find_repeated(struct span text, struct buffer *key);

/* The node whose text starts at `at`; JSON_NO_NODE if there is none. */
uint32_t json_tree_at(const struct json_tree *tree, const char *at);

/* A hash that is the same for values that json_equal finds equal (objects with duplicate names
 * aside). It is computed once per node. */
uint32_t json_tree_hash(struct json_tree *tree, uint32_t node);

/* json_equal for two nodes. */
bool json_tree_equal(struct json_tree *a, uint32_t left, struct json_tree *b, uint32_t right);

#endif
