/*
 * model: one interface to everything that answers a prompt.
 *
 * A model is asked with a neutral request and answers with a handful of deltas, whichever provider,
 * file or program is behind it; from here on nobody knows which. Retrying, tools and events are the
 * caller's (lib/run).
 *
 * Neutral messages are JSON texts, as agent-events(5) describes llm_end.message:
 *   {"role":"user","content":[{"type":"text","text":"..."},
 *       {"type":"image","media_type":"image/png","data":"BASE64","name":"a.png"},
 *       {"type":"file","media_type":"application/pdf","data":"BASE64","name":"a.pdf"}]}
 *   {"role":"assistant","content":[{"type":"thinking","text":"..."},{"type":"text","text":"..."},
 *       {"type":"tool_call","tool_call_id":"...","tool_name":"...","args":{...}}],
 *       "model":"...","provider":"...","provider_data":{...}}
 *   {"role":"tool","content":[{"type":"tool_result","tool_call_id":"...","tool_name":"...",
 *       "result":"...","is_error":false}]}
 * A tool call whose arguments were not valid JSON has "args":{} and their text in "invalid_args".
 * Ids of calls are unique within a run; where the provider's own is another one (it numbers calls
 * anew in every response, or gives none), the call has it in "provider_id" ("": none).
 * A call that the provider ran itself has "executed_by":"provider", its "result" and "is_error";
 * no tool message answers it. A part {"type":"opaque"} has nothing but provider_data. A refusal
 * is {"type":"refusal","text":"..."}.
 * Any part may carry "provider_data": whatever the provider wants back next time, byte for byte; an
 * adapter uses it, provider_id, and opaque parts only when message.provider is its own.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdint.h>

#include "json/json.h"
#include "model/error_kind.h"
#include "loop/loop.h"
#include "model/message.h"
#include "net/http.h"

/* ---- what is asked ---- */

struct model_tool {
	const char *name, *description;
	struct span parameters; /* a JSON Schema */
};

struct model_option {
	const char *key;
	struct span value; /* JSON */
};

/* Everything is borrowed for the duration of model_ask. */
struct model_request {
	const char *system;              /* instructions; NULL: none */
	struct message *const *messages; /* connected by a call table (model/message.h) */
	size_t message_count;
	const struct model_tool *tools;
	size_t tool_count;
	const char *tool_choice; /* "auto", "required", "none" or a tool's name; NULL: auto */
	const struct model_option *options;
	size_t option_count;
	const char *effort; /* "none", "low", "medium", "high", "max"; NULL: the model's own */
	int64_t max_tokens; /* 0: the model's own */
	struct span schema; /* a JSON Schema that the answer must satisfy; absent: text is wanted */
};

/* ---- what is answered ---- */

enum model_delta_type {
	MODEL_TEXT,         /* text: a piece of the answer (whole code points) */
	MODEL_THINKING,     /* text: a piece of the reasoning */
	MODEL_TOOL_CALL,    /* a call begins: index, id, name, by_provider */
	MODEL_TOOL_ARGS,    /* text: a piece of the arguments of call `index` */
	MODEL_TOOL_RUNNING, /* the provider begins to run its call `index`: the arguments are
			     * complete */
	MODEL_TOOL_RESULT,  /* text: what the provider's call `index` gave (JSON or plain text);
			     * is_error */
	MODEL_PART_DATA,    /* text: JSON to keep as provider_data of the current part, or of tool
			     * call `index` when that is >= 0. The part is complete then: what
			     * follows begins a new one. An empty MODEL_TEXT or MODEL_THINKING
			     * before it makes a part that has nothing else */
	MODEL_OPAQUE,       /* text: JSON that the provider wants back at this very place */
	MODEL_MESSAGE_DATA, /* text: JSON to keep as provider_data of the whole message */
	MODEL_RAW,          /* name: the provider's event name (may be absent), text: its payload */
};

/* Spans are valid during the callback. */
struct model_delta {
	enum model_delta_type type;
	struct span text;
	int index;        /* of the tool call in this answer: 0, 1, ... in order of appearance */
	struct span id;   /* the provider's own; empty: it gives none */
	struct span name; /* never empty for MODEL_TOOL_CALL */
	bool by_provider; /* the provider runs the call itself (a web search); nothing runs here */
	bool free_form;   /* the arguments are no JSON but text, which becomes {"input":"..."} */
	bool is_error;
};

enum model_finish {
	MODEL_STOP,
	MODEL_PAUSE, /* nothing is final: ask again with this answer as the last message */
	MODEL_LENGTH,
	MODEL_TOOL_CALLS,
	MODEL_CONTENT_FILTER,
	MODEL_REFUSAL,
	MODEL_ERROR,
};

/* "stop" (of MODEL_PAUSE too), "length", "tool_calls", "content_filter", "refusal", "error" */
const char *model_finish_name(enum model_finish finish);

/* Token counts; -1 where the provider says nothing. input includes cached and written ones, output
 * includes reasoning. */
struct model_usage {
	int64_t input, output, cached_input, cache_write, reasoning;
	double cost_usd; /* as the provider billed it; negative: not said */
};

/* No counts known. */
#define MODEL_USAGE_NONE ((struct model_usage){-1, -1, -1, -1, -1, -1.0})

/* A count of tokens as a provider says it; `fallback` for what is no such count. Sums of them do
 * not overflow: more than 2^40 count as that. */
int64_t model_tokens(struct span number, int64_t fallback);

/* Read the `usage` of an event; members that are missing become -1. */
void model_usage_read(struct span usage, struct model_usage *out);

/* What went wrong. Strings are valid during the callback. */
struct model_error {
	enum error_kind kind;
	const char *message;        /* one sentence, secrets masked */
	int http_status;            /* 0: none */
	const char *code;           /* the provider's; NULL: none */
	const char *request_id;     /* NULL: none */
	double retry_after_seconds; /* negative: not asked */
	bool retryable;
	const char *feedback; /* not NULL: the model's own mistake; tell it this and ask again */
};

/* The end of an answer: either complete (error.kind == ERROR_NONE) or failed. */
struct model_outcome {
	enum model_finish finish;
	const char *refusal; /* text of a refusal that was not streamed as text; NULL: none */
	struct model_usage usage;
	const char *response_id; /* NULL: none */
	const char *model;       /* as the provider names it; NULL: not said */
	struct model_error error;
};

struct model_handler {
	void *context;
	void (*delta)(void *context, const struct model_delta *delta);
	/* Called exactly once unless the call is cancelled; the call is gone afterwards. */
	void (*done)(void *context, const struct model_outcome *outcome);
};

/* ---- models ---- */

/* Keys that an api_key_command has printed: it is run once a program, when the first model of its
 * provider is opened. Nothing else goes on meanwhile, so models are opened before runs begin. Zero
 * is an empty one. */
struct key_cache {
	double seconds; /* how long a command may take; 0: no limit */
	struct buffer keys;
};

/* What models run on; outlives them all. */
struct model_host {
	struct loop *loop;
	struct key_cache keys; /* freed by model_host_free */
	struct http *http;     /* made on first use by model_http(); NULL before */
	struct http_limits limits;
	const char *base_url; /* --base-url; NULL: the registry's */
	bool raw;             /* deliver MODEL_RAW */
	int64_t hold_until; /* clock_monotonic: a provider asked for a pause, which holds for every
			     * run; 0: none did */
	/* private: models and logs that are open and may be shared */
	struct model *shared;
	struct replay_log *logs;
};

/* Free what the host has made; all models are closed. */
void model_host_free(struct model_host *host);

/* A list of models as users write it, "PROVIDER:MODEL,PROVIDER:MODEL". Zeroed: empty. The strings
 * are owned. */
struct model_specs {
	char **at;
	size_t count;
};

/* Add one (owned from now on). */
void model_specs_add(struct model_specs *specs, char *spec);

/* Add those of NAME[,NAME...]. What follows exec: or replay: may have commas, so these take the
 * rest of the list. */
void model_specs_add_list(struct model_specs *specs, const char *list);

void model_specs_free(struct model_specs *specs);

struct model;
struct model_call;

/* Open the model that `spec` names: "PROVIDER:MODEL", "test", "replay:FILE", "exec:COMMAND". NULL
 * with `e` (kind "usage") for an unknown provider, a missing key (naming the variable to set), or
 * an unreadable file. `host` is borrowed. */
struct model *model_open(struct model_host *host, const char *spec, struct error *e);
void model_close(struct model *model);

/* The names events use: "openai-chat" and "gpt-4o"; "test" and "test". Valid while the model is. */
const char *model_provider(const struct model *model);
const char *model_name(const struct model *model);

/* The names of the environment variables that hold provider keys, of all providers of the registry,
 * for scrubbing a tool's environment: a NULL-terminated array that the caller frees (one free). */
char **model_secret_variables(void);

/* Ask. Callbacks never run inside model_ask. Returns NULL with `e` when the request cannot be made
 * (an option the model does not take, a malformed message). */
struct model_call *model_ask(struct model *model, const struct model_request *request,
			     const struct model_handler *handler, struct error *e);
void model_cancel(struct model_call *call);

/* Append the HTTP request that model_ask would send (method, URL, headers with secrets masked,
 * body) as text; for a built-in model, the neutral request as JSON. */
bool model_show_request(struct model *model, const struct model_request *request,
			struct buffer *out, struct error *e);

/* Ask a provider for its models: PROVIDER or PROVIDER:anything. `done` is called once, never inside
 * this call, with a line for each, "PROVIDER:MODEL\tcontext window\tname" (the last two may be
 * empty), sorted by time or name as the provider has them, or with what went wrong. Returns false
 * with `e` when nothing can be asked. */
bool model_list(struct model_host *host, const char *spec,
		void (*done)(void *context, struct span lines, const struct model_error *error),
		void *context, struct error *e);

/* Append the list of providers, one a line: name, protocol, base URL, and which key variables there
 * are and whether one is set ("groq\topenai-chat\thttps://...\tGROQ_API_KEY\tset"). */
bool model_list_providers(struct buffer *out, struct error *e);

#endif
