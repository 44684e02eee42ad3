# schema: whether a JSON value satisfies a JSON Schema (2020-12 and draft 7).
#
#   jq -L share/agent/jq --slurpfile s schema.json 'import "schema" as s; s::validate($s[0])' value.json
#   agent-filter -s 'import "schema" as s; .data.args | s::valid({"required": ["path"]})' run.jsonl
#
#   validate($schema)   an array of errors, empty when the input satisfies the schema; each is
#                       {path, keyword, message}: a JSON Pointer to the value, the keyword that
#                       it fails, a sentence
#   valid($schema)      whether there are none
#
# Works alone, with jq 1.6, 1.7 and 1.8.  A schema whose "$schema" names draft 7 or an older draft
# is read as draft 7; any other as 2020-12, with draft 7's "dependencies" and arrays of "items"
# besides.  References lead to any place, $id or $anchor of the same document; one that leads
# elsewhere is an error, as nothing is fetched.  "format" and the "content..." keywords are
# annotations.  Numbers are jq's: jq 1.6 does not tell integers beyond 2^53 apart.

# ---- URIs (RFC 3986) ----

def uri_parts:
	if . == "" then {path: ""}
	else capture("^(?<scheme>[A-Za-z][A-Za-z0-9+.-]*:)?(?<authority>//[^/?]*)?(?<path>[^?]*)(?<query>\\?.*)?$")
		| .path //= ""
	end;

# A path without "." and "..".
def without_dots:
	split("/") as $steps
	| reduce range(1; $steps | length) as $i ([];
		($i == ($steps | length) - 1) as $last
		| if $steps[$i] == "." then . + (if $last then [""] else [] end)
		  elif $steps[$i] == ".." then .[:-1] + (if $last then [""] else [] end)
		  else . + [$steps[$i]]
		  end)
	| "/" + join("/");

# The reference (without fragment) as seen from the URI $base.
def uri_resolve($base):
	if . == "" then $base
	else
		uri_parts as $r | ($base | uri_parts) as $b
		| if $r.scheme then .
		  elif $r.authority then $b.scheme + .
		  else
			(if $r.path == "" then $b.path
			 elif $r.path | startswith("/") then $r.path
			 elif $b.path == "" and $b.authority then "/" + $r.path
			 else ($b.path | split("/") | .[:-1] + [$r.path] | join("/"))
			 end) as $path
			| $b.scheme + $b.authority
				+ ($path | if startswith("/") then without_dots else . end) + $r.query
		  end
	end;

# [the URI without fragment, the fragment].
def split_fragment: split("#") | [.[0] // "", (.[1:] | join("#"))];

def hex: reduce explode[] as $c (0;
	. * 16 + (if $c >= 97 then $c - 87 elif $c >= 65 then $c - 55 else $c - 48 end));

# The text that an array of UTF-8 bytes stands for.
def utf8_text:
	reduce .[] as $byte ([];
		if $byte < 128 or $byte >= 192
		then . + [if $byte < 128 then $byte elif $byte < 224 then $byte - 192
			  elif $byte < 240 then $byte - 224 else $byte - 240 end]
		elif length == 0 then [65533]
		else .[-1] = .[-1] * 64 + $byte - 128
		end)
	| map(if . > 1114111 or (. >= 55296 and . < 57344) then 65533 else . end) | implode;

def percent_decode:
	if test("%[0-9A-Fa-f]{2}") then
		[match("(%[0-9A-Fa-f]{2})+|[^%]+|%"; "g").string
		 | if test("^%[0-9A-Fa-f]") then [split("%")[1:][] | hex] | utf8_text else . end]
		| add
	else . end;

# ---- where schemas are ----

def draft7: (.["$schema"]? // "" | tostring | test("draft-0[1-7]"));

# The URI that a schema's own $id makes of $base.
def own_base($draft7; $base):
	if type == "object" and (.["$id"] | type) == "string" and ($draft7 and has("$ref") | not)
	then .["$id"] | split_fragment[0] | uri_resolve($base)
	else $base end;

def parts:
	(.additionalProperties, .additionalItems, .contains, .propertyNames, .not, .["if"], .["then"],
	 .["else"], .unevaluatedItems, .unevaluatedProperties, .contentSchema, .items),
	(.allOf, .anyOf, .oneOf, .prefixItems, .items | arrays[]),
	(.properties, .patternProperties, .["$defs"], .definitions, .dependentSchemas, .dependencies
	 | objects[])
	| objects;

# Every schema that has a name: {name, schema, base: of what is around it, dynamic}.
def named($draft7; $base):
	. as $schema | own_base($draft7; $base) as $own
	| (select($own != $base) | {name: $own, schema: $schema, base: $base}),
	  (.["$id"] | strings | select($draft7) | split_fragment[1] | select(. != "")
	   | {name: "\($own)#\(.)", schema: $schema, base: $base}),
	  (.["$anchor"] | strings | select($draft7 | not)
	   | {name: "\($own)#\(.)", schema: $schema, base: $base}),
	  (.["$dynamicAnchor"] | strings | select($draft7 | not)
	   | {name: "\($own)#\(.)", schema: $schema, base: $base, dynamic: true}),
	  (parts | named($draft7; $own));

# What the validation of a document needs to know of it.
def context:
	. as $schema | draft7 as $draft7
	| {$draft7,
	   tracks: (($draft7 | not) and
		([.. | objects | has("unevaluatedItems", "unevaluatedProperties")] | any)),
	   names: (reduce (objects | named($draft7; "")) as $n
		({"": {schema: $schema, base: ""}}; .[$n.name] |= (. // $n)))};

# What a JSON Pointer leads to, from {schema, base}; null: nothing.
def follow($draft7; $pointer):
	reduce ($pointer | split("/")[1:][] | gsub("~1"; "/") | gsub("~0"; "~")) as $step (.;
		if . == null then null
		else
			(.base as $base | .schema | own_base($draft7; $base)) as $base
			| .schema
			| if type == "object" and has($step) then {schema: .[$step], $base}
			  elif type == "array" and ($step | test("^[0-9]+$"))
				and ($step | tonumber) < length
			  then {schema: .[$step | tonumber], $base}
			  else null end
		end);

# What a reference means in a task's place: {schema, base, key}; null: nothing in this document.
def target($c; $reference):
	($reference | split_fragment) as [$uri, $fragment]
	| (.base as $base | $uri | uri_resolve($base)) as $uri
	| ($fragment | percent_decode) as $name
	| (if $name == "" then $c.names[$uri]
	   elif $name | startswith("/") then $c.names[$uri] | follow($c.draft7; $name)
	   else $c.names["\($uri)#\($name)"] end)
	| if . == null then null else . + {key: "\($uri)#\($name)", $name} end;

# The outermost schema entered so far that has the dynamic anchor which a target is.
def dynamic_target($c; $scope):
	if . != null and .name != "" and .dynamic == true then
		. as $found | .name as $name
		| first(($scope[] | $c.names["\(.)#\($name)"] // empty | select(.dynamic == true)
			 | . + {key: ("dynamic " + $name), $name}), $found)
	else . end;

# ---- tasks ----
# A task is a schema to apply to a value: {schema, value, at: JSON Pointer to the value, base: URI
# of what is around the schema, scope: URIs entered, references: followed for this very value}.
# Its result is {errors, seen: members or items of the value that were evaluated}.

def fault($keyword; $message):
	{errors: [{path: .at, $keyword, $message}], seen: {}};

def joined:
	if length == 1 then .[0]
	else {errors: (map(.errors) | add // []), seen: (map(.seen) | add // {})} end;

# The task for the member or item at $key.
def child($key; $schema):
	.value |= .[$key]
	| .at += "/" + ($key | tostring | gsub("~"; "~0") | gsub("/"; "~1"))
	| .schema = $schema | .references = {};

def passes(check): [check] | .[0].errors == [];

# A schema for one member or item, which is thereby evaluated.
def check_child($key; $schema; check):
	child($key; $schema) | check | .seen = {($key | tostring): true};

# ---- keywords of one value: streams of results ----

def is_type($name):
	type == $name or ($name == "integer" and type == "number" and floor == .);

def typed: # faults of the type
	(.schema.type | if type == "string" then [.] elif type == "array" then . else null end) as $types
	| .value as $value
	| if $types == null or any($types[]; . as $name | $value | is_type($name)) then empty
	  else fault("type"; "must be \($types | if length < 2 then add
		else (.[:-1] | join(", ")) + " or " + .[-1] end), not \($value | type)") end;

def listed: # the values of an enum, twenty of them at the most
	length as $count | map(tojson)
	| if $count > 20 then (.[:20] | join(", ")) + ", ... (\($count) in all)"
	  elif $count > 1 then (.[:-1] | join(", ")) + " or " + .[-1]
	  else join("") end;

def valued:
	.schema as $s | .value as $v
	| (select($s | has("const")) | select($s.const != $v)
	   | fault("const"; "must be \($s.const | tojson)")),
	  (select(($s.enum | type) == "array") | select(any($s.enum[]; . == $v) | not)
	   | fault("enum"; "must be \($s.enum | listed)"));

# The counts that two keywords limit.
def counted($least; $most; $count; $one; $many):
	def what($n): if $n == 1 then $one else $many end;
	.schema as $s
	| (($s[$least] | numbers) as $n | select($count < $n)
	   | fault($least; "must have at least \($n) \(what($n)), not \($count)")),
	  (($s[$most] | numbers) as $n | select($count > $n)
	   | fault($most; "must have at most \($n) \(what($n)), not \($count)"));

# Quotients within rounding of an integer count as one; those of integers are exact.
def multiple_of($divisor):
	if $divisor <= 0 then true
	elif floor == . and ($divisor | floor) == $divisor then fmod(.; $divisor) == 0
	else . / $divisor
		| (if . < 0 then - . else . end)
		| . < 1e308 and (. - (. + 0.5 | floor) | if . < 0 then - . else . end) <= . * 1e-14 + 1e-14
	end;

def numeric:
	.schema as $s | .value as $v
	| (($s.minimum | numbers) as $n | select($v < $n) | fault("minimum"; "must be at least \($n)")),
	  (($s.maximum | numbers) as $n | select($v > $n) | fault("maximum"; "must be at most \($n)")),
	  (($s.exclusiveMinimum | numbers) as $n | select($v <= $n)
	   | fault("exclusiveMinimum"; "must be more than \($n)")),
	  (($s.exclusiveMaximum | numbers) as $n | select($v >= $n)
	   | fault("exclusiveMaximum"; "must be less than \($n)")),
	  (($s.multipleOf | numbers) as $n | select($v | multiple_of($n) | not)
	   | fault("multipleOf"; "must be a multiple of \($n)"));

# An ECMA-262 pattern in Oniguruma's words: ASCII classes, "$" only at the very end.
def oniguruma:
	reduce match("\\\\u[0-9A-Fa-f]{4}|\\\\.|."; "gs").string as $token ({out: "", class: false};
		(if .class then ["", ""] else ["[", "]"] end) as [$open, $close]
		| .out += (
			if $token == "\\d" then "\($open)0-9\($close)"
			elif $token == "\\w" then "\($open)A-Za-z0-9_\($close)"
			elif $token == "\\D" and (.class | not) then "[^0-9]"
			elif $token == "\\W" and (.class | not) then "[^A-Za-z0-9_]"
			elif $token | test("^\\\\u") then "\\x{\($token[2:])}"
			elif $token == "$" and (.class | not) then "\\z"
			elif .class and ($token == "[" or $token == "&") then "\\" + $token
			else $token end)
		| if $token == "[" then .class = true elif $token == "]" then .class = false else . end)
	| .out;

# One that is no pattern matches anything.
def found($pattern): . as $text | try ($text | test($pattern | oniguruma)) catch true;

def textual:
	counted("minLength"; "maxLength"; .value | length; "character"; "characters"),
	((.schema.pattern | strings) as $pattern | select(.value | found($pattern) | not)
	 | fault("pattern"; "does not match the pattern \($pattern)"));

# ---- arrays ----

def items_checked(check):
	.schema as $s | (.value | length) as $count
	| (if ($s.items | type) == "array" then [$s.items, $s.additionalItems, ($s | has("additionalItems"))]
	   else [$s.prefixItems // [], $s.items, ($s | has("items"))] end) as [$first, $rest, $has_rest]
	| (range(0; [$count, ($first | length)] | min) as $i | check_child($i; $first[$i]; check)),
	  (select($has_rest) | range($first | length; $count) as $i | check_child($i; $rest; check));

def contained(check):
	.schema as $s | select($s | has("contains"))
	| . as $task | ($s.minContains // 1) as $least
	| [range(0; .value | length) as $i | select(child($i; $s.contains) | passes(check)) | $i]
	| length as $count
	| {errors: [], seen: (map({(tostring): true}) | add // {})},
	  ($task | select($count < $least)
	   | fault(if $s | has("minContains") then "minContains" else "contains" end;
		"contains \($count) items that satisfy \"contains\": too few")),
	  ($task | select($s.maxContains != null and $count > $s.maxContains)
	   | fault("maxContains"; "contains \($count) items that satisfy \"contains\": too many"));

def distinct:
	select(.schema.uniqueItems == true) | .value as $v
	| select(($v | unique | length) < ($v | length))
	| first(range(1; $v | length) as $j | range(0; $j) as $i | select($v[$i] == $v[$j]) | [$i, $j]) as [$i, $j]
	| fault("uniqueItems"; "items \($i) and \($j) are the same");

def array(check):
	counted("minItems"; "maxItems"; .value | length; "item"; "items"),
	items_checked(check), contained(check), distinct;

# ---- objects ----

def required($names; $keyword):
	.value as $v | $names | arrays[] as $name | select($v | has($name) | not) | $name;

def additional($key; check):
	.schema as $s
	| if $s.additionalProperties == false then
		fault("additionalProperties"; "property \($key | tojson) is not allowed (\($s.properties // {} | keys_unsorted
			| if length > 0 then "known: " + join(", ") else "none is" end))")
	  else check_child($key; $s.additionalProperties; check) end;

def member($key; check):
	.schema as $s
	| [(select($s.properties | type == "object" and has($key)) | $s.properties[$key]),
	   ($s.patternProperties | objects | keys_unsorted[] as $pattern
	    | select($key | found($pattern)) | $s.patternProperties[$pattern])] as $schemas
	| if $schemas != [] then $schemas[] as $schema | check_child($key; $schema; check)
	  elif $s | has("additionalProperties") then additional($key; check)
	  else empty end;

def members(check):
	.schema as $s
	| select([$s | has("properties", "patternProperties", "additionalProperties")] | any)
	| (.value | keys_unsorted[]) as $key | member($key; check);

def member_names(check):
	.schema as $s | select($s | has("propertyNames"))
	| (.value | keys_unsorted[]) as $key
	| select(.value = $key | .schema = $s.propertyNames | .references = {} | passes(check) | not)
	| fault("propertyNames"; "the property name \($key | tojson) is not allowed");

def dependent(check):
	.schema as $s | .value as $v
	| ("dependentRequired", "dependentSchemas", "dependencies") as $keyword
	| ($s[$keyword] | objects | keys_unsorted[]) as $key | select($v | has($key))
	| $s[$keyword][$key] as $needs
	| if $needs | type == "array" then
		(required($needs; $keyword)) as $name
		| fault($keyword; "required property \($name | tojson) is missing")
	  else .schema = $needs | check end;

def object(check):
	counted("minProperties"; "maxProperties"; .value | length; "property"; "properties"),
	((required(.schema.required; "required")) as $name
	 | fault("required"; "required property \($name | tojson) is missing")),
	members(check), member_names(check), dependent(check);

# ---- schemas made of schemas ----

# What is wrong is told by the one alternative that can be meant, if there is one.
def unmatched($keyword; $results):
	. as $task
	| [.schema[$keyword] | range(0; length) as $i | .[$i] as $alternative
	   | select([$task | .schema = $alternative | if $alternative | type == "object" then typed else empty end] == [])
	   | $results[$i]] as $meant
	| if ($meant | length) == 1 then $meant[0]
	  else fault($keyword; "satisfies none of the \($results | length) schemas of \($keyword)") end;

def alternatives($keyword; check):
	select(.schema[$keyword] | type == "array")
	| . as $task | [.schema[$keyword][] as $s | $task | .schema = $s | check] as $results
	| [$results[] | select(.errors == [])] as $good
	| if $good == [] then unmatched($keyword; $results)
	  elif $keyword == "oneOf" and ($good | length) > 1
	  then fault("oneOf"; "satisfies \($good | length) schemas of oneOf instead of one")
	  else $good[] end;

def conditional(check):
	.schema as $s | select($s | has("if"))
	| ([.schema = $s["if"] | check][0]) as $condition
	| if $condition.errors == [] then $condition, (select($s | has("then")) | .schema = $s["then"] | check)
	  else select($s | has("else")) | .schema = $s["else"] | check end;

def combined(check):
	.schema as $s
	| (($s.allOf | arrays[]) as $one | .schema = $one | check),
	  alternatives("anyOf"; check), alternatives("oneOf"; check), conditional(check),
	  (select($s | has("not")) | select(.schema = $s["not"] | passes(check))
	   | fault("not"; "must not satisfy the schema of \"not\""));

# A reference that leads back to where it is being followed from says nothing.
def followed($c; $keyword; check):
	. as $task | (.schema[$keyword] | strings) as $reference
	| (target($c; $reference) | if $keyword == "$ref" then . else dynamic_target($c; $task.scope) end) as $to
	| if $to == null then fault($keyword; "cannot be checked: \($reference | tojson) leads to nothing in this schema")
	  elif .references[$to.key] then empty
	  else . + {schema: $to.schema, base: $to.base} | .references[$to.key] = true | check end;

# What no other keyword has evaluated.
def unevaluated($keyword; $seen; check):
	.schema as $s | select($s | has($keyword))
	| (.value | keys_unsorted? // keys)[] as $key | select($seen[$key | tostring] | not)
	| if $s[$keyword] == false then
		fault($keyword; "\(if $key | type == "string" then "property" else "item" end) \($key | tojson) is not allowed")
	  else check_child($key; $s[$keyword]; check) end;

# ---- the whole ----

# Into a schema: what its draft knows of it, and the URI it stands in.
def entered($c):
	if $c.draft7 then
		.schema |= if has("$ref") then {"$ref"}
			else del(.prefixItems, .minContains, .maxContains, .dependentRequired,
				.dependentSchemas, .unevaluatedItems, .unevaluatedProperties, .["$dynamicRef"])
			end
	else . end
	| .base = (.base as $base | .schema | own_base($c.draft7; $base))
	| if .scope[-1] == .base then . else .scope += [.base] end;

def check($c):
	if .schema == false then fault("false"; "nothing is allowed here")
	elif .schema | type != "object" then {errors: [], seen: {}}
	else
		entered($c)
		| . as $task | [typed] as $wrong
		| if $wrong != [] then $wrong[0]
		  else
			[followed($c; "$ref"; check($c)), followed($c; "$dynamicRef"; check($c)), valued,
			 (.value | type) as $type
			 | (if $type == "number" then numeric elif $type == "string" then textual
			    elif $type == "array" then array(check($c))
			    elif $type == "object" then object(check($c)) else empty end),
			   combined(check($c))]
			| joined as $result
			| if $c.tracks and ($task.value | type == "object" or type == "array") then
				($task.value | if type == "object" then "unevaluatedProperties"
					else "unevaluatedItems" end) as $keyword
				| [$result, ($task | unevaluated($keyword; $result.seen; check($c)))] | joined
			  else $result end
		  end
	end;

def validate($schema):
	{$schema, value: ., at: "", base: "", scope: [], references: {}}
	| [check($schema | context)][0].errors;

def valid($schema): validate($schema) == [];
