# random_events.awk: a random stream of up to three runs that overlap, with retries, rejected answers, nested runs and a
# resumed run. awk -v seed=N -f random_events.awk

function pick(n) { return int(rand() * n) }

function add(run, type, data) {
	if (!(run in seq))
		seq[run] = 0
	lines[top] = lines[top] sprintf("{\"event_type\":\"%s\",\"run_id\":\"%s\",\"seq\":%d,\"data\":{%s}}\n",
		type, run, seq[run]++, data)
}

function some_text(   text, i) {
	text = words[1 + pick(word_count)]
	for (i = pick(3); i > 0; i--)
		text = text words[1 + pick(word_count)]
	return text
}

# Texts of a response in pieces; returns their parts of the message.
function parts(run, is_answer,   message, text, piece, part, type, n) {
	last_text = ""
	for (part = 0; part <= (is_answer ? 0 : pick(3)); part++) {
		type = is_answer || pick(3) ? "text" : "thinking"
		text = ""
		for (n = 1 + pick(4); n > 0; n--) {
			piece = is_answer ? (text == "" ? "[" : "") pick(100) (n == 1 ? "]" : ",") : some_text()
			text = text piece
			add(run, type == "text" ? "llm_chunk" : "thinking_chunk",
				"\"text\":\"" piece "\"" (part ? ",\"part\":" part : ""))
		}
		message = message (part ? "," : "") "{\"type\":\"" type "\",\"text\":\"" text "\"}"
		if (type == "text")
			last_text = last_text text
	}
	return message
}

function make_run(run, more, has_schema, depth,   i, n, retries, is_last, message) {
	add(run, "agent_start", "\"prompt\":\"p\"" more (has_schema ? ",\"output_schema\":true" : ""))
	n = 1 + pick(4)
	for (i = 1; i <= n; i++) {
		is_last = i == n
		for (retries = pick(6) < 2; ; retries--) {
			add(run, "llm_start", "\"iteration\":" i)
			message = parts(run, has_schema && is_last)
			if (retries <= 0)
				break
			add(run, "llm_retry", "\"reason\":\"it broke off\",\"discard\":true")
		}
		add(run, "llm_end", "\"iteration\":" i ",\"is_final\":" (is_last ? "true" : "false") \
			",\"message\":{\"role\":\"assistant\",\"content\":[" message "]}")
		if (!is_last && depth < 2 && pick(4) == 0)
			make_run(run "n" i, ",\"parent_run_id\":\"" run "\"", 0, depth + 1)
	}
	add(run, "agent_end", "\"success\":true,\"status\":\"success\",\"exit_status\":0,\"output\":\"" last_text "\"")
}

BEGIN {
	srand(seed)
	word_count = split("a|b c| |\\n|\\n\\n|é|日本|x.|\\\"|\\\\|. Y|Z: |", words, "|")
	words[word_count] = "==> "
	runs = 1 + pick(3)
	for (top = 1; top <= runs; top++)
		make_run("r" top, pick(2) ? ",\"id\":\"line" top "\"" : "", pick(3) == 0, 0)
	if (pick(3) == 0) { # the first run broke off, and another one resumes it
		n = split(lines[1], cut, "\n") - 1
		lines[1] = ""
		for (i = 1; i <= 1 + pick(n - 1); i++)
			lines[1] = lines[1] cut[i] "\n"
		top = 1
		make_run("r1b", ",\"resumed_from\":\"r1\"", pick(2), 0)
	}
	for (left = runs; left > 0; ) {
		top = pick(3) ? now : 1 + pick(runs)
		if (!(top in lines) || lines[top] == "")
			top = 1 + pick(runs)
		at = index(lines[top], "\n")
		printf "%s", substr(lines[top], 1, at)
		if (at > 0 && length(lines[top]) == at)
			left--
		lines[top] = substr(lines[top], at + 1)
		now = top
	}
}
