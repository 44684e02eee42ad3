/*
 * model_type: the interface of a kind of model; lib/model/model.c calls it.
 *
 * To add a built-in model: write a file that defines a struct model_type, declare it at the end of
 * this header, and add it to the table in model.c.
 */
#ifndef MODEL_MODEL_TYPE_H
#define MODEL_MODEL_TYPE_H

#include "model/model.h"

/* The first members of the structs of each type. */
struct model {
	const struct model_type *type;
	struct model_host *host;
	char *provider, *name; /* freed by model_close */
	enum model_charge charge;
	char *spec; /* as it was opened, if it is shared; else NULL */
	size_t users;
	struct model *next; /* in host->shared */
};

struct model_call {
	struct model *model;
};

struct model_type {
	/* The spec of this type ("test"); with a colon at the end, the beginning of its specs
	 * ("replay:"). */
	const char *spec;

	/* A model has no state that lasts longer than a call, so one model serves all that open the
	 * same spec. */
	bool shared;

	/* `argument` is what follows the colon (for an exact spec: an empty string). Returns a
	 * struct made by model_new; model_open sets its type and host. */
	struct model *(*open)(struct model_host *host, const char *argument, struct error *e);

	/* Free what the implementation owns; model_close frees the names and the struct itself.
	 * NULL: nothing. */
	void (*close)(struct model *model);

	/* As model_ask; call->model is set by model_ask. The implementation frees the call after
	 * done, or in cancel. */
	struct model_call *(*ask)(struct model *model, const struct model_request *request,
				  const struct model_handler *handler, struct error *e);
	bool (*cancel)(struct model_call *call);

	/* NULL: the neutral request as JSON. */
	bool (*show_request)(struct model *model, const struct model_request *request,
			     struct buffer *out, struct error *e);
};

/* Allocate the zeroed struct of a model, whose first member is a struct model, and set its names.
 */
void *model_new(size_t size, const char *provider, const char *name, enum model_charge charge);

/* Append the neutral request as a JSON object, as exec: programs get it: {"model", "system",
 * "messages", "tools": [{"name","description","parameters"}], "tool_choice", "options", "effort",
 * "max_tokens", "schema"}. Members that are not set are left out. */
void model_write_request(const struct model *model, const struct model_request *request,
			 struct buffer *out);

/* Whether `spec` names a built-in model. */
bool model_is_built_in(const char *spec);

/* The HTTP client of `host`, made on first use; the host's owner frees it. */
struct http *model_http(struct model_host *host);

/* The built-in models. */
extern const struct model_type model_type_test;
extern const struct model_type model_type_replay;
extern const struct model_type model_type_exec;

/* Models behind HTTP: every PROVIDER:MODEL of the registry. */
extern const struct model_type model_type_http;

#endif
