/*
 * model: one interface to all models: those of providers, logs (replay:), programs (exec:), and the
 * built-in test model.
 *
 * A model gets a neutral request and delivers its response as deltas. Retries, tools and events are
 * the task of the caller (lib/run).
 *
 * Neutral messages are JSON, as agent-events(5) describes llm_end.message:
 *   {"role":"user","content":[{"type":"text","text":"..."},
 *       {"type":"image","media_type":"image/png","data":"BASE64","name":"a.png"},
 *       {"type":"file","media_type":"application/pdf","data":"BASE64","name":"a.pdf"}]}
 *   {"role":"assistant","content":[{"type":"thinking","text":"..."},{"type":"text","text":"..."},
 *       {"type":"tool_call","tool_call_id":"...","tool_name":"...","args":{...}}],
 *       "model":"...","provider":"...","provider_data":{...}}
 *   {"role":"tool","content":[{"type":"tool_result","tool_call_id":"...","tool_name":"...",
 *       "result":"...","is_error":false}]}
 * A tool call whose arguments are not valid JSON has "args":{} and their text in "invalid_args".
 * Call ids are unique within a run; if the provider's id differs (it numbers the calls of each
 * response, or gives none), the call has it in "provider_id" ("": none). A hosted call has
 * "executed_by":"provider", its "result" and "is_error"; no tool message has its result. A part
 * {"type":"opaque"} has only provider_data. A refusal is {"type":"refusal","text":"..."}. Any part
 * may have "provider_data", which the provider gets back in the next request, byte for byte; a
 * protocol uses it, provider_id and opaque parts only if message.provider is its own provider.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdint.h>

#include "json/json.h"
#include "model/error_kind.h"
#include "loop/loop.h"
#include "model/message.h"
#include "net/http.h"

/* ---- requests ---- */

struct model_tool {
	const char *name, *description;
	struct span parameters; /* a JSON Schema */
};

struct model_option {
	const char *key;
	struct span value; /* JSON */
};

/* Everything is borrowed until model_ask returns. */
struct model_request {
	const char *system;              /* instructions; NULL: none */
	struct message *const *messages; /* connected by a call table (model/message.h) */
	size_t message_count;
	const struct model_tool *tools;
	size_t tool_count;
	const char *tool_choice; /* "auto", "required", "none" or the name of a tool; NULL: auto */
	const struct model_option *options;
	size_t option_count;
	const char *effort; /* "none", "low", "medium", "high", "max"; NULL: the model's default */
	int64_t max_tokens; /* 0: the model's default */
	struct span schema; /* a JSON Schema that the answer must satisfy; absent: none */
};

/* ---- responses ---- */

enum model_delta_type {
	MODEL_TEXT,         /* text: a piece of the text (whole code points) */
	MODEL_THINKING,     /* text: a piece of the reasoning */
	MODEL_TOOL_CALL,    /* a call begins: index, id, name, by_provider */
	MODEL_TOOL_ARGS,    /* text: a piece of the arguments of call `index` */
	MODEL_TOOL_RUNNING, /* the provider begins to run the hosted call `index`: its arguments
			     * are complete */
	MODEL_TOOL_RESULT,  /* text: the result of the hosted call `index` (JSON or plain text);
			     * is_error */
	MODEL_PART_DATA,    /* text: JSON, the provider_data of the current part, or of tool call
			     * `index` if that is >= 0. The part is complete then: the next delta
			     * begins a new one. An empty MODEL_TEXT or MODEL_THINKING before it
			     * makes a part that has only provider_data */
	MODEL_OPAQUE,       /* text: JSON that the provider gets back at this place */
	MODEL_MESSAGE_DATA, /* text: JSON, the provider_data of the whole message */
	MODEL_RAW,          /* name: the provider's event name (may be absent), text: its payload */
};

/* Spans are valid during the callback. */
struct model_delta {
	enum model_delta_type type;
	struct span text;
	int index;        /* of the tool call in this response: 0, 1, ... in order of appearance */
	struct span id;   /* of the provider; empty: it gives none */
	struct span name; /* never empty for MODEL_TOOL_CALL */
	bool by_provider; /* a hosted call (a web search), which is not run here */
	bool free_form;   /* the arguments are text, not JSON; they become {"input":"..."} */
	bool is_error;
};

enum model_finish {
	MODEL_STOP,
	MODEL_PAUSE, /* not final: the next request, with this message at its end, continues it */
	MODEL_LENGTH,
	MODEL_TOOL_CALLS,
	MODEL_CONTENT_FILTER,
	MODEL_REFUSAL,
	MODEL_ERROR,
};

/* "stop" (of MODEL_PAUSE too), "length", "tool_calls", "content_filter", "refusal", "error" */
const char *model_finish_name(enum model_finish finish);
/* The reverse for a JSON string; other values give `fallback`. */
enum model_finish model_finish_of(struct span name, enum model_finish fallback);

/* The name of a tool as models mean it: without white space around it and "functions." before. */
struct span model_bare_name(struct span name);

/* Token counts; -1: unknown. `input` includes cached and written tokens, `output` reasoning. */
struct model_usage {
	int64_t input, output, cached_input, cache_write, reasoning;
	double cost_usd; /* as the provider reports it; negative: unknown */
};

/* No counts known. */
#define MODEL_USAGE_NONE ((struct model_usage){-1, -1, -1, -1, -1, -1.0})

/* A token count of a provider, at most 2^40, so that sums do not overflow; `fallback` for other
 * values. */
int64_t model_tokens(struct span number, int64_t fallback);

/* Read the `usage` of an event; missing members become -1. */
void model_usage_read(struct span usage, struct model_usage *out);

/* Write the member `usage` of an event, an object with every count; null: not known. */
void model_usage_write(struct buffer *out, const struct model_usage *usage, int64_t requests);

/* An error. Strings are valid during the callback. */
struct model_error {
	enum error_kind kind;
	const char *message;        /* one sentence, secrets masked */
	int http_status;            /* 0: none */
	const char *code;           /* the provider's; NULL: none */
	const char *request_id;     /* NULL: none */
	double retry_after_seconds; /* > 0; negative: the provider does not ask to wait */
	bool retryable;
	bool unsent;          /* no request reached the provider */
	const char *feedback; /* not NULL: the model made a mistake; send it this and ask again */
};

/* The end of a response: complete (error.kind == ERROR_NONE) or failed. */
struct model_outcome {
	enum model_finish finish;
	/* The provider's word for it, if it says something else or is unknown; NULL: neither. */
	const char *provider_finish_reason;
	bool has_file;       /* it contains an image or a file, which is not delivered as text */
	bool recorded;       /* it is one of a log, which decided already whether it is an answer */
	bool goes_on;        /* events: the run went on after it */
	const char *refusal; /* the text of a refusal that was not streamed; NULL: none */
	struct model_usage usage;
	const char *response_id; /* NULL: none */
	const char *model;       /* as the provider names it; NULL: unknown */
	struct model_error error;
};

struct model_handler {
	void *context;
	void (*delta)(void *context, const struct model_delta *delta);
	/* Called exactly once unless the call is cancelled; the call is gone afterwards. */
	void (*done)(void *context, const struct model_outcome *outcome);
};

/* ---- models ---- */

/* Keys that an api_key_command has printed: a process runs it once, when it opens the first model
 * of the provider. The loop waits for it, so models are opened before runs begin. Zeroed: empty. */
struct key_cache {
	double seconds; /* limit of the time of a command, if it is less than a minute; 0: none */
	struct buffer keys;
};

/* What models share. It outlives them all. */
struct model_host {
	struct loop *loop;
	struct key_cache keys; /* freed by model_host_free */
	struct http *http;     /* made on first use by model_http(); NULL before */
	struct http_limits limits;
	const char *base_url;    /* --base-url; NULL: the registry's */
	bool raw;                /* deliver MODEL_RAW */
	struct secrets *secrets; /* gets those that requests contain; NULL: nobody needs them */
	bool quiet;              /* faults of logs that are replayed have been reported */
	int64_t hold_until;      /* clock_monotonic: the end of a pause for all runs, for which a
				  * provider asked; 0: none */
	const char *fallback;    /* the last one that was reported; borrowed; NULL: none */
	/* private: models and logs that are open and may be shared */
	struct model *shared;
	struct replay_log *logs;
};

/* Free what the host owns; all models must be closed. */
void model_host_free(struct model_host *host);

/* A list of models as users write it, "PROVIDER:MODEL,PROVIDER:MODEL". Zeroed: empty. The strings
 * are owned. */
struct model_specs {
	char **at;
	size_t count;
};

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

/* What the responses of a model without a price cost. */
enum model_charge {
	MODEL_UNKNOWN_CHARGE,
	MODEL_FREE,     /* nothing: a built-in model */
	MODEL_LOCAL,    /* nothing: its server runs on this machine */
	MODEL_RECORDED, /* as recorded in the log that is replayed */
};
enum model_charge model_charge(const struct model *model);

/* The names of the environment variables with keys of the providers of the registry, which are
 * removed from the environment of tools: a NULL-terminated array that the caller frees (one free).
 * NULL with `e` if the user's file of providers has a mistake. */
char **model_secret_variables(struct error *e);

/* Send the request. Callbacks never run inside model_ask. Returns NULL with `e` if the request
 * cannot be made (an option that the model does not accept, a malformed message). */
struct model_call *model_ask(struct model *model, const struct model_request *request,
			     const struct model_handler *handler, struct error *e);
/* End the call, which may be NULL, without further callbacks. Returns whether the request was sent:
 * false while there is no connection. */
bool model_cancel(struct model_call *call);

/* Append the HTTP request that model_ask would send as text: method, URL, headers with secrets
 * masked, body. For a built-in model, the neutral request as JSON. */
bool model_show_request(struct model *model, const struct model_request *request,
			struct buffer *out, struct error *e);

/* Get the list of models of a provider; `spec` is PROVIDER or PROVIDER:anything. `done` is called
 * once, never inside this call, with a line for each model in the provider's order,
 * "PROVIDER:MODEL\tcontext window\tname" (the last two may be empty), or with an error. Returns
 * false with `e` if no request can be made. */
bool model_list(struct model_host *host, const char *spec,
		void (*done)(void *context, struct span lines, const struct model_error *error),
		void *context, struct error *e);

/* Append a line for each provider: name, protocol, base URL, the variables of its key, and whether
 * one is set ("groq\topenai-chat\thttps://...\tGROQ_API_KEY\tset"). */
bool model_list_providers(struct buffer *out, struct error *e);

#endif
