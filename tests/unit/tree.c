/* lib/json/tree: a value parsed once for many look-ups. */
#include "json/tree.h"
#include "unit.h"

static struct json_tree parsed(const char *text)
{
	struct json_tree tree = {0};

	unit_ok(json_check(span_of(text), NULL) && json_tree_parse(&tree, span_of(text)), "%s",
		text);
	if (tree.nodes == NULL)
		abort(); /* every text has nodes */
	return tree;
}

static void test_nodes(void)
{
	struct json_tree tree = parsed("{\"a\" : [1, [], {\"b\":\"x\\\"\"} ],\"\\u0063\":-1.5e3 }");
	uint32_t a = json_tree_find(&tree, 0, SPAN("a")), c = json_tree_find(&tree, 0, SPAN("c"));

	unit_ok(tree.count == 7 && tree.nodes[0].count == 2 && tree.nodes[0].after == 7,
		"the whole is the first node");
	unit_same(json_tree_text(&tree, a), SPAN("[1, [], {\"b\":\"x\\\"\"} ]"), "a member");
	unit_ok(a == 1 && tree.nodes[a].count == 3 && tree.nodes[a].after == c, "and its elements");
	unit_same(json_tree_key(&tree, c), SPAN("c"), "a name with an escape is decoded");
	unit_same(json_tree_text(&tree, json_tree_key_node(&tree, c)), SPAN("\"\\u0063\""),
		  "its string is as it was written");
	unit_same(json_tree_text(&tree, json_tree_key_node(&tree, a)), SPAN("\"a\""),
		  "also without one");
	unit_same(json_tree_text(&tree, c), SPAN("-1.5e3"), "a number");
	unit_ok(json_tree_text(&tree, JSON_NO_NODE).at == NULL &&
		    json_tree_find(&tree, JSON_NO_NODE, SPAN("a")) == JSON_NO_NODE,
		"no node has no text and no members");
	unit_ok(json_tree_find(&tree, 0, SPAN("b")) == JSON_NO_NODE &&
		    json_tree_find(&tree, a, SPAN("b")) == JSON_NO_NODE,
		"what is not there");
	unit_ok(json_tree_at(&tree, tree.nodes[2].at) == 2 &&
		    json_tree_at(&tree, tree.nodes[2].at + 1) == JSON_NO_NODE,
		"a node by its place");
	json_tree_free(&tree);
}

static void test_walk(void)
{
	struct json_tree tree = parsed("{\"a\":[1,[],{\"b\":2}],\"c\":3}");
	struct json_tree_walk member = json_tree_walk(&tree, 0), element = json_tree_walk(&tree, 1);
	struct json_tree_walk none = json_tree_walk(&tree, 2);
	struct json_tree_walk nothing = json_tree_walk(&tree, JSON_NO_NODE);

	unit_ok(json_tree_next(&member) && member.node == 1 && member.index == 0,
		"the first member");
	unit_ok(json_tree_next(&member) && member.index == 1, "and the one behind it");
	unit_same(json_tree_key(&tree, member.node), SPAN("c"), "not a member inside the first");
	unit_ok(!json_tree_next(&member), "the end");
	unit_ok(!json_tree_next(&member), "stays the end");
	while (json_tree_next(&element))
		unit_ok(element.node == element.index + 2, "element %u", element.index);
	unit_ok(element.index == 2, "the last of three elements");
	unit_ok(!json_tree_next(&none) && !json_tree_next(&nothing),
		"a number and no node have no parts");
	json_tree_free(&tree);
}

/* Objects with many members have a table; the tree is used again for another value. */
static void test_large_objects(void)
{
	struct json_tree tree = {0};
	struct buffer text = {0}, key = {0};

	for (int round = 0; round < 2; round++) {
		bool found = true;

		buffer_clear(&text);
		buffer_add_format(&text, "{\"same\":%d,\"same\":2", round);
		for (int i = 0; i < 1000; i++)
			buffer_add_format(&text, ",\"k%d\":%d", i, i + round);
		buffer_add_char(&text, '}');
		unit_ok(json_tree_parse(&tree, buffer_span(&text)), "an object");
		for (int i = 0; i < 1000 && found; i++) {
			uint32_t node;

			buffer_clear(&key);
			buffer_add_format(&key, "k%d", i);
			node = json_tree_find(&tree, 0, buffer_span(&key));
			found = node != JSON_NO_NODE &&
				json_int(json_tree_text(&tree, node), -1) == i + round;
		}
		unit_ok(found, "each member is found");
		unit_ok(json_int(json_tree_text(&tree, json_tree_find(&tree, 0, SPAN("same"))),
				 -1) == round,
			"of two with one name, the first");
		unit_ok(json_tree_find(&tree, 0, SPAN("k1000")) == JSON_NO_NODE, "no other is");
	}
	json_tree_free(&tree);
	buffer_free(&text);
	buffer_free(&key);
}

/* The two values are the same, or not, for every function that compares. */
static void compare(const char *a, const char *b, bool same)
{
	struct json_tree left = parsed(a), right = parsed(b);

	unit_ok(json_tree_equal(&left, 0, &right, 0) == same &&
		    json_tree_equal(&right, 0, &left, 0) == same &&
		    json_equal(span_of(a), span_of(b)) == same,
		"they are %s", same ? "the same" : "different");
	unit_ok((json_tree_hash(&left, 0) == json_tree_hash(&right, 0)) == same, "as their hashes");
	json_tree_free(&left);
	json_tree_free(&right);
}

static void test_comparing(void)
{
	compare("1", "1.0", true);
	compare("-0", "0.00e7", true);
	compare("1e400", "10E399", true);
	compare("9007199254740993", "9007199254740992", false);
	compare("\"\\u0061/\"", "\"a\\/\"", true);
	compare("\"a\"", "\"b\"", false);
	compare("null", "false", false);
	compare("[1,[2]]", "[ 1.0 , [ 2e0 ] ]", true);
	compare("[1,2]", "[2,1]", false);
	compare("[]", "{}", false);
	compare("{\"a\":1,\"b\":[{\"c\":2}]}", "{\"b\":[{\"\\u0063\":2}],\"a\":1}", true);
	compare("{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false);
	compare("{\"a\":1}", "{\"b\":1}", false);
	compare("{\"a\":1}", "{\"a\":1,\"b\":2}", false);
}

static void repeated(const char *text, const char *key, const char *value)
{
	struct buffer found = {0};
	struct span again = json_find_repeated(span_of(text), &found);

	unit_ok(value == NULL ? again.at == NULL : span_is(again, value),
		"the repeated member of %s", text);
	unit_same(buffer_span(&found), span_of(key), "its key");
	buffer_free(&found);
}

static void test_repeated_keys(void)
{
	struct buffer many = {0};

	repeated("{\"a\":1,\"a\":2}", "a", "2");
	repeated(" {\"a\":1,\"\\u0061\":2}\n", "a", "2");
	repeated("[{\"a\":{\"b\":[{\"c\":1,\"d\":2,\"c\":\"x\"}]}}]", "c", "\"x\"");
	repeated("{\"\":1,\"\":2}", "", "2");
	repeated("{\"a\":{\"a\":{\"a\":1}},\"A\":[{\"a\":1},{\"a\":1}]}", "", NULL);
	repeated("[]", "", NULL);
	repeated("", "", NULL);
	buffer_add_char(&many, '{');
	for (int i = 0; i < 1000; i++)
		buffer_add_format(&many, "\"k%d\":%d,", i, i);
	buffer_add_text(&many, "\"k7\":true}");
	repeated(buffer_string(&many), "k7", "true");
	buffer_free(&many);
}

int main(void)
{
	test_nodes();
	test_walk();
	test_large_objects();
	test_comparing();
	test_repeated_keys();
	return unit_done();
}
