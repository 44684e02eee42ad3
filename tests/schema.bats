#!/usr/bin/env bats
# share/agent/jq/schema.jq: the JSON Schema validator for jq programs.

# shellcheck disable=SC2016 # keywords and jq variables begin with "$"
load helper

suite=$BATS_TEST_DIRNAME/data/schema/suite

# check SCHEMA VALUE: the errors, one a line.
check() {
	run jq -rnc -L "$AGENT_SHARE/jq" --argjson schema "$1" --argjson value "$2" \
		'import "schema" as s; $value | s::validate($schema)[] | [.path, .keyword, .message] | join("|")'
}

# suite DRAFT URI: lines "ok", or "not ok", file, group and test; a schema's draft is told to it.
run_suite() {
	jq -nr -L "$AGENT_SHARE/jq" --arg uri "$2" --arg draft "$1" '
		import "schema" as s;
		inputs | . as $group
		| (.schema | if type == "object" then {"$schema": $uri} + . else . end) as $schema
		| .tests[]
		| if (.data | try s::valid($schema) catch .) == .valid then "ok"
		  else [$draft, $group.file, $group.description, .description] | @tsv end' \
		"$suite/$1.jsonl" >results
	echo "# schema.jq, JSON Schema Test Suite, $1: $(grep -c '^ok' results) of $(wc -l <results)" >&3
	grep -v '^ok' results >failed || true
	# What fails are the exceptions, and each exception fails somewhere.
	cut -f 1-3 failed | sort -u >groups
	grep "^$1	" "$suite/exceptions.tsv" | sort -u >exceptions
	diff exceptions groups
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

@test "the required tests of 2020-12 pass, but for remote references" {
	run_suite 2020-12 https://json-schema.org/draft/2020-12/schema
	assert_equal "$(wc -l <results)" 1301
}

@test "the required tests of draft 7 pass, but for remote references" {
	run_suite draft-07 http://json-schema.org/draft-07/schema#
	assert_equal "$(wc -l <results)" 929
}

@test "each error names the value, the keyword and what is wrong" {
	check '{"type": "object", "required": ["path"], "additionalProperties": false,
		"properties": {"limit": {"type": "integer"}, "a/b~": {"enum": [1, "x", null]}}}' \
		'{"limit": 0.5, "a/b~": 2, "zz": [1]}'
	assert_success
	assert_output - <<-'EOF'
		|required|required property "path" is missing
		/limit|type|must be integer, not number
		/a~1b~0|enum|must be 1, "x" or null
		|additionalProperties|property "zz" is not allowed (known: limit, a/b~)
	EOF
}

@test "counts, limits and patterns in words" {
	check '{"items": {"multipleOf": 0.01, "minimum": 1, "exclusiveMaximum": 50}, "uniqueItems": true, "maxItems": 5}' \
		'[19.99, 2, 0.005, 50, 2.0, 3]'
	assert_output - <<-'EOF'
		|maxItems|must have at most 5 items, not 6
		/2|minimum|must be at least 1
		/2|multipleOf|must be a multiple of 0.01
		/3|exclusiveMaximum|must be less than 50
		|uniqueItems|items 1 and 4 are the same
	EOF
	check '{"pattern": "^\\d+$", "minLength": 3}' '"12\n"'
	assert_output '|pattern|does not match the pattern ^\d+$'
	check '{"minLength": 2, "pattern": "("}' '"é"'
	assert_output '|minLength|must have at least 2 characters, not 1'
}

@test "of alternatives, the one that can be meant tells what is wrong" {
	check '{"anyOf": [{"type": "string", "minLength": 3}, {"type": "integer"}]}' '"a"'
	assert_output '|minLength|must have at least 3 characters, not 1'
	check '{"anyOf": [{"minLength": 3}, {"maxLength": 0}]}' '"a"'
	assert_output '|anyOf|satisfies none of the 2 schemas of anyOf'
	check '{"oneOf": [{"minLength": 1}, {"maxLength": 1}]}' '"a"'
	assert_output '|oneOf|satisfies 2 schemas of oneOf instead of one'
}

@test "what no keyword has evaluated is named" {
	check '{"properties": {"a": true}, "anyOf": [{"properties": {"b": true}}, {"required": ["z"], "properties": {"c": true}}],
		"unevaluatedProperties": false}' '{"a": 1, "b": 2, "c": 3}'
	assert_output '|unevaluatedProperties|property "c" is not allowed'
	check '{"prefixItems": [true], "contains": {"type": "string"}, "unevaluatedItems": {"type": "null"}}' '[1, "x", null, 4]'
	assert_output '/3|type|must be null, not number'
}

@test "a reference that leads to nothing is an error; one that leads to itself says nothing" {
	check '{"$ref": "other.json#/a"}' 1
	assert_output '|$ref|cannot be checked: "other.json#/a" leads to nothing in this schema'
	check '{"$ref": "#"}' 1
	assert_success
	assert_output ''
}

@test "beside a reference, draft 7 knows no keywords, and 2020-12 does" {
	check '{"$schema": "http://json-schema.org/draft-07/schema#",
		"properties": {"a": {"$ref": "#/definitions/n", "minimum": 5}}, "definitions": {"n": {"type": "integer"}}}' '{"a": 1}'
	assert_output ''
	check '{"properties": {"a": {"$ref": "#/$defs/n", "minimum": 5}}, "$defs": {"n": {"type": "integer"}}}' '{"a": 1}'
	assert_output '/a|minimum|must be at least 5'
}

@test "agent-filter selects by it" {
	cat >run.jsonl <<-'EOF'
		{"event_type":"tool_start","data":{"tool_call_id":"a","tool_name":"read","args":{"path":"x"}}}
		{"event_type":"tool_start","data":{"tool_call_id":"b","tool_name":"read","args":{"path":7}}}
	EOF
	run --separate-stderr agent-filter -m \
		'import "schema" as s; .data.args | s::validate({properties: {path: {type: "string"}}})' run.jsonl
	assert_success
	assert_equal "$output" $'[]\n[{"path":"/path","keyword":"type","message":"must be string, not number"}]'
}
