#include "answer.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/file.h"
#include "events.h"
#include "pieces.h"

/* An answer while its description is read. */
struct draft {
	struct answer *answer;
	int number;
	struct mutation mutation;
	struct cutting cutting;
	char *event_name;   /* for the next data= */
	const char *finish; /* of a synthetic stream; NULL: there is none */
	char *own_finish;
	int calls;
	bool has_length;
	size_t length;
	struct error *error;
};

static bool bad(struct draft *draft, const char *key, const char *value, const char *want)
{
	return error_set(draft->error, "usage", "answer %d: %s=%s: %s", draft->number, key, value,
			 want);
}

static bool take_number(struct draft *draft, const char *key, const char *value, size_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end != '\0' || errno != 0)
		return bad(draft, key, value, "is not a number");
	return true;
}

static bool take_seconds(struct draft *draft, const char *key, const char *value, double *seconds)
{
	char *end;

	*seconds = strtod(value, &end);
	if (end == value || *end != '\0' || !(*seconds >= 0))
		return bad(draft, key, value, "is not a number of seconds");
	return true;
}

/* One of `names` (NULL ends them); its position, or -1 with an error. */
static int take_choice(struct draft *draft, const char *key, const char *value,
		       const char *const *names)
{
	struct buffer want = {0};

	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(value, names[i]) == 0)
			return i;
	for (int i = 0; names[i] != NULL; i++)
		buffer_add_format(&want, "%s%s", i > 0 ? ", " : "is none of ", names[i]);
	bad(draft, key, value, buffer_string(&want));
	buffer_free(&want);
	return -1;
}

static bool take_flag(struct draft *draft, const char *key, const char *value, bool *flag)
{
	int choice = take_choice(draft, key, value, (const char *const[]){"no", "yes", NULL});

	*flag = choice == 1;
	return choice >= 0;
}

static void replace(char **text, const char *value)
{
	free(*text);
	*text = mem_copy(span_of(value));
}

/* ---- the body ---- */

static void default_type(struct draft *draft, const char *type)
{
	if (draft->answer->type == NULL)
		replace(&draft->answer->type, type);
}

/* Append `text` with the escapes \n \r \t \e \\ and \xHH replaced. */
static void add_escaped(struct buffer *out, const char *text)
{
	static const char letters[] = "nrte\\", bytes[] = "\n\r\t\x1B\\";

	for (const char *c = text; *c != '\0'; c++) {
		const char *letter = c[0] == '\\' && c[1] != '\0' ? strchr(letters, c[1]) : NULL;

		if (letter != NULL) {
			buffer_add_char(out, bytes[letter - letters]);
			c++;
		} else if (c[0] == '\\' && c[1] == 'x' && isxdigit((unsigned char)c[2]) &&
			   isxdigit((unsigned char)c[3])) {
			char hex[] = {c[2], c[3], '\0'};

			buffer_add_char(out, (char)strtol(hex, NULL, 16));
			c += 3;
		} else {
			buffer_add_char(out, *c);
		}
	}
}

static void add_data(struct draft *draft, const char *json)
{
	struct buffer *body = &draft->answer->body;

	default_type(draft, "text/event-stream");
	if (draft->event_name != NULL)
		buffer_add_format(body, "event: %s\n", draft->event_name);
	buffer_add_format(body, "data: %s\n\n", json);
	free(draft->event_name);
	draft->event_name = NULL;
}

static void add_say(struct draft *draft, const char *value)
{
	struct buffer text = {0};

	default_type(draft, "text/event-stream");
	add_escaped(&text, value);
	events_say(&draft->answer->body, buffer_span(&text));
	buffer_free(&text);
	if (draft->finish == NULL)
		draft->finish = "stop";
}

static void add_call(struct draft *draft, const char *value)
{
	const char *space = strchr(value, ' ');
	struct span name = {value, space != NULL ? (size_t)(space - value) : strlen(value)};
	struct buffer id = {0};

	default_type(draft, "text/event-stream");
	buffer_add_format(&id, "call_%d_%d", draft->number, draft->calls + 1);
	events_call(&draft->answer->body, buffer_string(&id), draft->calls++, name,
		    space != NULL ? span_of(space + 1) : SPAN("{}"));
	buffer_free(&id);
	draft->finish = "tool_calls";
}

/* ---- recordings ---- */

static bool is_about_framing(struct span name)
{
	static const char *const names[] = {"content-length", "transfer-encoding",
					    "connection",     "content-encoding",
					    "date",           "alt-svc"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

/* One line of a response.meta; stores the name of the body's file. */
static bool use_meta_line(struct draft *draft, struct span line, char **body)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct span name, value;

	if (colon == NULL)
		return true;
	name = (struct span){line.at, (size_t)(colon - line.at)};
	value = span_from(line, name.len + 1);
	while (value.len > 0 && value.at[0] == ' ')
		value = span_from(value, 1);
	if (span_is(name, "status")) {
		draft->answer->status = (int)strtol(value.at, NULL, 10);
	} else if (span_is(name, "body")) {
		*body = mem_copy(value);
	} else if (span_is(name, "content-type")) {
		free(draft->answer->type);
		draft->answer->type = mem_copy(value);
	} else if (!is_about_framing(name)) {
		buffer_add_span(&draft->answer->headers, line);
		buffer_add_text(&draft->answer->headers, "\r\n");
	}
	return true;
}

static bool use_recording(struct draft *draft, const char *folder)
{
	char *path = path_join(folder, "response.meta"), *body = NULL;
	struct buffer meta = {0};
	bool done = file_read(path, &meta, draft->error);

	free(path);
	for (size_t at = 0; done && at < meta.len;) {
		const char *newline = memchr(meta.at + at, '\n', meta.len - at);
		size_t end = newline != NULL ? (size_t)(newline - meta.at) : meta.len;

		done = use_meta_line(draft, (struct span){meta.at + at, end - at}, &body);
		at = end + 1;
	}
	if (done && body != NULL && strcmp(body, "response.empty") != 0) {
		path = path_join(folder, body);
		done = file_read(path, &draft->answer->body, draft->error);
		free(path);
	}
	free(body);
	buffer_free(&meta);
	return done;
}

/* ---- the keys ---- */

static bool key_is(const char *key, const char *name)
{
	return strcmp(key, name) == 0;
}

/* What is sent. Stores whether `key` is one of these; returns false for a bad value. */
static bool use_content_key(struct draft *draft, const char *key, const char *value, bool *known)
{
	struct answer *answer = draft->answer;
	size_t number;

	*known = true;
	if (key_is(key, "status")) {
		if (!take_number(draft, key, value, &number))
			return false;
		answer->status = (int)number;
	} else if (key_is(key, "type")) {
		replace(&answer->type, value);
	} else if (key_is(key, "header")) {
		buffer_add_format(&answer->headers, "%s\r\n", value);
	} else if (key_is(key, "early")) {
		replace(&answer->early, value);
	} else if (key_is(key, "recording")) {
		return use_recording(draft, value);
	} else if (key_is(key, "body")) {
		return file_read(value, &answer->body, draft->error);
	} else if (key_is(key, "text")) {
		add_escaped(&answer->body, value);
	} else if (key_is(key, "event")) {
		replace(&draft->event_name, value);
	} else if (key_is(key, "data")) {
		add_data(draft, value);
	} else if (key_is(key, "say")) {
		add_say(draft, value);
	} else if (key_is(key, "tool")) {
		add_call(draft, value);
	} else if (key_is(key, "finish")) {
		replace(&draft->own_finish, value);
	} else if (key_is(key, "stamp")) {
		return take_flag(draft, key, value, &answer->stamped);
	} else if (key_is(key, "generate")) {
		if (!take_number(draft, key, value, &number))
			return false;
		default_type(draft, "text/event-stream");
		events_generate(&answer->body, (long)number,
				answer->stamped ? STAMP_MARK " " : "word ");
		draft->finish = "stop";
	} else {
		*known = false;
	}
	return true;
}

/* How a stream of events is changed. */
static bool use_mutation_key(struct draft *draft, const char *key, const char *value, bool *known)
{
	static const char *const line_ends[] = {"lf", "crlf", "cr", NULL};
	static const char *const bytes[] = {"\n", "\r\n", "\r"};
	struct mutation *mutation = &draft->mutation;
	int choice;
	bool flag;

	*known = true;
	if (key_is(key, "eol")) {
		choice = take_choice(draft, key, value, line_ends);
		mutation->line_end = choice >= 0 ? bytes[choice] : NULL;
		return choice >= 0;
	}
	if (key_is(key, "comments"))
		return take_flag(draft, key, value, &mutation->comments);
	if (key_is(key, "space")) {
		bool done = take_flag(draft, key, value, &flag);

		mutation->no_space = !flag;
		return done;
	}
	if (key_is(key, "split"))
		return take_flag(draft, key, value, &mutation->split);
	if (key_is(key, "ids"))
		return take_flag(draft, key, value, &mutation->ids);
	if (key_is(key, "bom"))
		return take_flag(draft, key, value, &mutation->byte_order_mark);
	if (key_is(key, "last")) {
		choice = take_choice(draft, key, value,
				     (const char *const[]){"closed", "open", "bare", NULL});
		mutation->open_end = choice;
		return choice >= 0;
	}
	*known = false;
	return true;
}

static bool take_offsets(struct draft *draft, const char *value)
{
	struct cutting *cutting = &draft->cutting;

	cutting->by = BY_OFFSET;
	for (const char *at = value; *at != '\0';) {
		char *end;
		size_t offset = strtoull(at, &end, 10);

		if (end == at || (*end != ',' && *end != '\0'))
			return bad(draft, "at", value, "is not a list of offsets");
		cutting->offsets = mem_resize(cutting->offsets, (cutting->offset_count + 1) *
								    sizeof(*cutting->offsets));
		cutting->offsets[cutting->offset_count++] = offset;
		at = *end == ',' ? end + 1 : end;
	}
	return true;
}

static bool take_chunk(struct draft *draft, const char *value)
{
	struct cutting *cutting = &draft->cutting;

	if (key_is(value, "event")) {
		cutting->by = BY_EVENT;
	} else if (key_is(value, "line")) {
		cutting->by = BY_LINE;
	} else if (key_is(value, "whole")) {
		cutting->by = WHOLE;
	} else {
		if (!take_number(draft, "chunk", value, &cutting->size))
			return false;
		if (cutting->size == 0)
			return bad(draft, "chunk", value, "must be at least 1");
		cutting->by = cutting->seed != 0 ? BY_RANDOM : BY_SIZE;
	}
	return true;
}

static bool take_seed(struct draft *draft, const char *key, const char *value)
{
	struct cutting *cutting = &draft->cutting;
	size_t number;

	if (!take_number(draft, key, value, &number))
		return false;
	cutting->seed = number * 0x9E3779B97F4A7C15 + 1;
	cutting->by = BY_RANDOM;
	if (cutting->size == 0)
		cutting->size = 16;
	return true;
}

/* Where it is cut. */
static bool use_cutting_key(struct draft *draft, const char *key, const char *value, bool *known)
{
	static const char *const ends[] = {"whole", "fin", "rst", "chunk-header", "hang", NULL};
	struct answer *answer = draft->answer;
	struct cutting *cutting = &draft->cutting;
	int choice;

	*known = true;
	if (key_is(key, "chunk"))
		return take_chunk(draft, value);
	if (key_is(key, "random"))
		return take_seed(draft, key, value);
	if (key_is(key, "at"))
		return take_offsets(draft, value);
	if (key_is(key, "gzip"))
		return take_flag(draft, key, value, &cutting->gzip);
	if (key_is(key, "hang") && key_is(value, "head")) {
		answer->hang_before_head = true;
		return true;
	}
	if (key_is(key, "hang") || key_is(key, "cut")) {
		cutting->is_short = true;
		if (key_is(key, "hang"))
			answer->ending = ENDING_HANG;
		else if (answer->ending == ENDING_WHOLE)
			answer->ending = ENDING_FIN;
		return take_number(draft, key, value, &cutting->length);
	}
	if (key_is(key, "end")) {
		choice = take_choice(draft, key, value, ends);
		answer->ending = (enum ending)(choice >= 0 ? choice : 0);
		return choice >= 0;
	}
	*known = false;
	return true;
}

/* How and when it is sent, and for which requests. */
static bool use_sending_key(struct draft *draft, const char *key, const char *value, bool *known)
{
	static const char *const framings[] = {"auto", "chunked", "length", "close", NULL};
	struct answer *answer = draft->answer;
	int choice;

	*known = true;
	if (key_is(key, "framing")) {
		choice = take_choice(draft, key, value, framings);
		answer->framing = (enum framing)(choice >= 0 ? choice : 0);
		return choice >= 0;
	}
	if (key_is(key, "length")) {
		answer->framing = FRAMING_LENGTH;
		draft->has_length = true;
		return take_number(draft, key, value, &draft->length);
	}
	if (key_is(key, "close"))
		return take_flag(draft, key, value, &answer->close);
	if (key_is(key, "wait"))
		return take_seconds(draft, key, value, &answer->wait);
	if (key_is(key, "delay") || key_is(key, "interval"))
		return take_seconds(draft, key, value, &answer->delay);
	if (key_is(key, "if-path"))
		replace(&answer->if_path, value);
	else if (key_is(key, "if-body"))
		replace(&answer->if_body, value);
	else
		*known = false;
	return true;
}

static bool use_key(struct draft *draft, const char *key, const char *value)
{
	static bool (*const uses[])(struct draft *, const char *, const char *, bool *) = {
	    use_content_key, use_mutation_key, use_cutting_key, use_sending_key};

	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++) {
		bool known;

		if (!uses[i](draft, key, value, &known))
			return false;
		if (known)
			return true;
	}
	return bad(draft, key, value, "no such key; see --help");
}

/* ---- the words ---- */

/* Take the next word of `*text` into `word`, quotes and backslashes as in a shell. Returns false
 * at the end. */
static bool next_word(const char **text, struct buffer *word)
{
	const char *c = *text;
	char quote = '\0';

	buffer_clear(word);
	while (isspace((unsigned char)*c))
		c++;
	if (*c == '\0')
		return false;
	for (; *c != '\0' && (quote != '\0' || !isspace((unsigned char)*c)); c++) {
		if (*c == quote)
			quote = '\0';
		else if (quote == '\0' && (*c == '\'' || *c == '"'))
			quote = *c;
		else if (*c == '\\' && ((quote == '\0' && c[1] != '\0') ||
					(quote == '"' && (c[1] == '"' || c[1] == '\\'))))
			buffer_add_char(word, *++c);
		else
			buffer_add_char(word, *c);
	}
	*text = c;
	return true;
}

static bool use_words(struct draft *draft, const char *description)
{
	struct buffer word = {0};
	bool done = true;

	while (done && next_word(&description, &word)) {
		char *key = buffer_take(&word), *equals = strchr(key, '=');

		if (equals != NULL) {
			*equals = '\0';
			done = use_key(draft, key, equals + 1);
		} else {
			done = error_set(draft->error, "usage", "answer %d: %s: is not KEY=VALUE",
					 draft->number, key);
		}
		free(key);
	}
	buffer_free(&word);
	return done;
}

static bool is_stream(const char *type)
{
	return type != NULL &&
	       (strncasecmp(type, "text/event-stream", 17) == 0 || strstr(type, "ndjson") != NULL ||
		strstr(type, "eventstream") != NULL);
}

/* A chunk header follows only a whole chunk: the last piece claims no more than it holds. */
static void complete_last_piece(struct answer *answer)
{
	struct piece *last = &answer->pieces[answer->piece_count - 1];

	last->claimed = last->end - (answer->piece_count > 1 ? last[-1].end : 0);
}

/* Everything is read: make the body and its pieces. */
static void finish(struct draft *draft)
{
	struct answer *answer = draft->answer;
	struct cutting *cutting = &draft->cutting;

	if (draft->finish != NULL)
		events_finish(&answer->body,
			      draft->own_finish != NULL ? draft->own_finish : draft->finish);
	events_mutate(&answer->body, &draft->mutation);
	if (answer->framing == FRAMING_AUTO)
		answer->framing = is_stream(answer->type) ? FRAMING_CHUNKED : FRAMING_LENGTH;
	if (cutting->by == BY_DEFAULT && is_stream(answer->type))
		cutting->by = strstr(answer->type, "ndjson") != NULL ? BY_LINE : BY_EVENT;
	pieces_cut(answer, cutting);
	if (answer->ending == ENDING_CHUNK_HEADER && answer->piece_count > 0)
		complete_last_piece(answer);
	if (cutting->gzip)
		buffer_add_text(&answer->headers, "Content-Encoding: gzip\r\n");
	if (draft->has_length) {
		answer->claimed_length = draft->length;
		if (draft->length > answer->body.len && answer->ending == ENDING_WHOLE)
			answer->ending = ENDING_FIN;
	}
}

bool answer_parse(struct answer *answer, int number, const char *description, struct error *e)
{
	struct draft draft = {.answer = answer, .number = number, .error = e};
	bool done;

	*answer = (struct answer){.status = 200};
	done = use_words(&draft, description);
	if (done)
		finish(&draft);
	free(draft.event_name);
	free(draft.own_finish);
	free(draft.cutting.offsets);
	return done;
}

void answer_free(struct answer *answer)
{
	free(answer->if_path);
	free(answer->if_body);
	free(answer->type);
	free(answer->early);
	buffer_free(&answer->headers);
	buffer_free(&answer->body);
	free(answer->pieces);
}
