# The schema of the events of this version: no other keys, no other words, and every event has its envelope.
.required += ["timestamp", "run_id", "seq"]
| walk(
	if type != "object" then .
	else
		if .type == "object" and has("properties") then .additionalProperties = false else . end
		| if (.examples | type) == "array" then .enum = .examples | del(.examples) else . end
	end)
