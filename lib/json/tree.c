#include "json/tree.h"

#include <stdlib.h>

#include "base/hash.h"
#include "json/decimal.h"
#include "json/scan.h"

/* Objects with fewer members are searched one by one. */
enum { INDEX_FROM = 12 };

/* ---- parsing ---- */

struct parser {
	struct json_tree *tree;
	struct span text;
	const char *at, *end;
	uint32_t open[JSON_MAX_DEPTH]; /* the containers around `at` */
	size_t depth;
	struct span key; /* of the member whose value comes next; absent: none */
};

static uint32_t add_node(struct parser *p, enum json_type type, const char *at)
{
	struct json_tree *tree = p->tree;
	struct json_tree_node *node;

	if (tree->count == tree->capacity) {
		tree->capacity = tree->capacity > 0 ? 2 * tree->capacity : 16;
		tree->nodes = mem_resize(tree->nodes, tree->capacity * sizeof(*tree->nodes));
	}
	node = &tree->nodes[tree->count];
	*node = (struct json_tree_node){.at = at,
					.key = p->key.at,
					.key_len = (uint32_t)p->key.len,
					.after = tree->count + 1,
					.type = type};
	p->key = (struct span){0};
	if (p->depth > 0)
		tree->nodes[p->open[p->depth - 1]].count++;
	return tree->count++;
}

static void end_node(struct parser *p, uint32_t node)
{
	p->tree->nodes[node].len = (uint32_t)(p->at - p->tree->nodes[node].at);
	p->tree->nodes[node].after = p->tree->count;
}

/* The string at p->at, with its quotes; steps over it. */
static struct span take_string(struct parser *p)
{
	const char *start = p->at;

	p->at = scan_past_string(start, p->end);
	return (struct span){start, (size_t)(p->at - start)};
}

/* A name with escapes is decoded into `keys`, and its text added there. Both never take more bytes
 * than the names of the whole text: the buffer does not move. */
static void take_key(struct parser *p)
{
	struct buffer *keys = &p->tree->keys;
	struct span raw = take_string(p);

	p->key = json_plain(raw);
	if (p->key.at != NULL)
		return;
	if (keys->len == 0)
		buffer_reserve(keys, 2 * p->text.len + 1);
	p->key = (struct span){keys->at + keys->len, keys->len};
	json_decode(raw, keys);
	p->key.len = keys->len - p->key.len;
	buffer_add_span(keys, raw);
}

/* Whether the name of a member comes next. */
static bool wants_key(const struct parser *p)
{
	return p->key.at == NULL && p->depth > 0 &&
	       p->tree->nodes[p->open[p->depth - 1]].type == JSON_OBJECT;
}

static bool take_value(struct parser *p)
{
	enum json_type type = json_type((struct span){p->at, (size_t)(p->end - p->at)});
	uint32_t node = add_node(p, type, p->at);

	if (type == JSON_STRING) {
		take_string(p);
	} else if (type == JSON_OBJECT || type == JSON_ARRAY) {
		p->at++;
		if (p->depth == JSON_MAX_DEPTH)
			return false;
		p->open[p->depth++] = node;
		return true;
	} else {
		do
			p->at++;
		while (p->at < p->end && *p->at != ',' && *p->at != ']' && *p->at != '}' &&
		       !span_is_space(*p->at));
	}
	end_node(p, node);
	return true;
}

static bool take_token(struct parser *p)
{
	char c = *p->at;

	if (c == '"' && wants_key(p)) {
		take_key(p);
	} else if (c == '}' || c == ']') {
		p->at++;
		if (p->depth > 0)
			end_node(p, p->open[--p->depth]);
	} else if (c == ',' || c == ':' || span_is_space(c)) {
		p->at++;
	} else {
		return take_value(p);
	}
	return true;
}

static void forget_tables(struct json_tree *tree)
{
	while (tree->table_count > 0)
		table_free(&tree->tables[--tree->table_count]);
}

bool json_tree_parse(struct json_tree *tree, struct span text)
{
	struct parser p = {tree, text, text.at, text.at + text.len, .depth = 0};
	bool good = text.len < UINT32_MAX;

	forget_tables(tree);
	tree->count = 0;
	buffer_clear(&tree->keys);
	while (good && p.at < p.end)
		good = take_token(&p);
	while (p.depth > 0)
		end_node(&p, p.open[--p.depth]);
	return good && tree->count > 0;
}

void json_tree_free(struct json_tree *tree)
{
	forget_tables(tree);
	free(tree->tables);
	free(tree->nodes);
	buffer_free(&tree->keys);
	*tree = (struct json_tree){0};
}

/* ---- looking up ---- */

struct span json_tree_text(const struct json_tree *tree, uint32_t node)
{
	if (node == JSON_NO_NODE)
		return (struct span){0};
	return (struct span){tree->nodes[node].at, tree->nodes[node].len};
}

struct span json_tree_key(const struct json_tree *tree, uint32_t node)
{
	return (struct span){tree->nodes[node].key, tree->nodes[node].key_len};
}

uint32_t json_tree_key_node(struct json_tree *tree, uint32_t member)
{
	struct span key = json_tree_key(tree, member);
	bool decoded = tree->keys.len > 0 && key.at >= tree->keys.at &&
		       key.at < tree->keys.at + tree->keys.len;
	const char *raw = decoded ? key.at + key.len : key.at - 1;
	const char *end = decoded ? tree->keys.at + tree->keys.len : raw + key.len + 2;
	struct parser p = {
	    .tree = tree, .text = {raw, (size_t)(end - raw)}, .at = raw, .end = end, .depth = 0};
	uint32_t node = add_node(&p, JSON_STRING, raw);

	take_string(&p);
	end_node(&p, node);
	return node;
}

uint32_t json_tree_at(const struct json_tree *tree, const char *at)
{
	uint32_t first = 0, last = tree->count;

	while (first < last) {
		uint32_t middle = first + (last - first) / 2;

		if (tree->nodes[middle].at < at)
			first = middle + 1;
		else
			last = middle;
	}
	return first < tree->count && tree->nodes[first].at == at ? first : JSON_NO_NODE;
}

static bool has_key(const struct json_tree *tree, uint32_t node, struct span key)
{
	return span_equal(json_tree_key(tree, node), key);
}

static void index_members(struct json_tree *tree, uint32_t object)
{
	struct table members = {0};

	for (struct json_tree_walk member = json_tree_walk(tree, object);
	     json_tree_next(&member);) {
		uintptr_t *first = table_add(&members, json_tree_key(tree, member.node));

		*first = *first != 0 ? *first : member.node;
	}
	tree->tables = array_grow(tree->tables, tree->table_count, sizeof(*tree->tables));
	tree->tables[tree->table_count++] = members;
	tree->nodes[object].table = tree->table_count & 0xFFFFFFF;
}

uint32_t json_tree_find(struct json_tree *tree, uint32_t object, struct span key)
{
	const struct json_tree_node *node;
	const uintptr_t *found;

	if (json_tree_type(tree, object) != JSON_OBJECT)
		return JSON_NO_NODE;
	node = &tree->nodes[object];
	if (node->count >= INDEX_FROM) {
		if (node->table == 0)
			index_members(tree, object);
		found = table_find(&tree->tables[node->table - 1], key);
		return found != NULL ? (uint32_t)*found : JSON_NO_NODE;
	}
	for (struct json_tree_walk member = json_tree_walk(tree, object); json_tree_next(&member);)
		if (has_key(tree, member.node, key))
			return member.node;
	return JSON_NO_NODE;
}

/* The first member of `object` that has the key of an earlier one. */
static uint32_t find_repeated(struct json_tree *tree, uint32_t object)
{
	for (struct json_tree_walk member = json_tree_walk(tree, object); json_tree_next(&member);)
		if (json_tree_find(tree, object, json_tree_key(tree, member.node)) != member.node)
			return member.node;
	return JSON_NO_NODE;
}

struct span json_find_repeated(struct span text, struct buffer *key)
{
	struct json_tree tree = {0};
	uint32_t found = JSON_NO_NODE;
	struct span value;

	if (json_tree_parse(&tree, json_trim(text)))
		for (uint32_t i = 0; i < tree.count && found == JSON_NO_NODE; i++)
			if (tree.nodes[i].type == JSON_OBJECT)
				found = find_repeated(&tree, i);
	value = json_tree_text(&tree, found);
	if (found != JSON_NO_NODE && key != NULL)
		buffer_add_span(key, json_tree_key(&tree, found));
	json_tree_free(&tree);
	return value;
}

/* ---- comparing ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ hash >> 29;
}

static uint64_t hash_string(struct span string)
{
	struct buffer scratch = {0};
	uint64_t hash = hash_add(HASH_START, json_string_text(string, &scratch));

	buffer_free(&scratch);
	return hash;
}

/* Members in any order give the same sum. */
static uint64_t hash_members(struct json_tree *tree, uint32_t node)
{
	uint64_t sum = 0;

	for (struct json_tree_walk member = json_tree_walk(tree, node); json_tree_next(&member);) {
		uint64_t hash = json_tree_hash(tree, member.node);

		if (tree->nodes[node].type == JSON_ARRAY)
			sum = mix(sum, hash);
		else
			sum += mix(hash_add(HASH_START, json_tree_key(tree, member.node)), hash);
	}
	return sum;
}

uint32_t json_tree_hash(struct json_tree *tree, uint32_t node)
{
	enum json_type type = tree->nodes[node].type;
	struct span text = json_tree_text(tree, node);
	uint64_t hash = 0;

	if (tree->nodes[node].hash != 0)
		return tree->nodes[node].hash;
	if (type == JSON_ARRAY || type == JSON_OBJECT)
		hash = hash_members(tree, node);
	else if (type == JSON_NUMBER)
		hash = decimal_hash(text);
	else if (type == JSON_STRING)
		hash = hash_string(text);
	else
		hash = hash_add(HASH_START, text);
	hash = mix(hash, type);
	hash = (hash ^ hash >> 32) & UINT32_MAX;
	tree->nodes[node].hash = hash != 0 ? (uint32_t)hash : 1;
	return tree->nodes[node].hash;
}

static bool members_equal(struct json_tree *a, uint32_t left, struct json_tree *b, uint32_t right)
{
	uint32_t other = right + 1;

	for (struct json_tree_walk walk = json_tree_walk(a, left); json_tree_next(&walk);) {
		struct span key = json_tree_key(a, walk.node);

		/* Usually the members of both have the same order. */
		if (a->nodes[left].type == JSON_OBJECT &&
		    (other >= b->nodes[right].after || !has_key(b, other, key)))
			other = json_tree_find(b, right, key);
		if (other == JSON_NO_NODE || !json_tree_equal(a, walk.node, b, other))
			return false;
		other = b->nodes[other].after;
	}
	return true;
}

bool json_tree_equal(struct json_tree *a, uint32_t left, struct json_tree *b, uint32_t right)
{
	enum json_type type = a->nodes[left].type;

	if (type != b->nodes[right].type || a->nodes[left].count != b->nodes[right].count)
		return false;
	if (type == JSON_ARRAY || type == JSON_OBJECT)
		return members_equal(a, left, b, right);
	return json_equal(json_tree_text(a, left), json_tree_text(b, right));
}

static bool strings_equal(struct span a, struct span b)
{
	struct buffer left = {0}, right = {0};
	bool equal = span_equal(json_string_text(a, &left), json_string_text(b, &right));

	buffer_free(&left);
	buffer_free(&right);
	return equal;
}

static bool containers_equal(struct span a, struct span b)
{
	struct json_tree left = {0}, right = {0};
	bool equal = span_equal(a, b) || (json_tree_parse(&left, a) && json_tree_parse(&right, b) &&
					  json_tree_equal(&left, 0, &right, 0));

	json_tree_free(&left);
	json_tree_free(&right);
	return equal;
}

bool json_equal(struct span a, struct span b)
{
	enum json_type type = json_type(a);

	if (type != json_type(b))
		return false;
	switch (type) {
	case JSON_NUMBER:
		return decimal_compare(a, b) == 0;
	case JSON_STRING:
		return strings_equal(a, b);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return containers_equal(a, b);
	default:
		return span_equal(a, b);
	}
}
