/*
 * provider_files: the entries of providers.json (agent-providers(5)), the user's
 * $XDG_CONFIG_HOME/agent/providers.json over the shipped share/agent/providers.json, with "like"
 * and "sets" resolved. Needs no network library: agent-collect reads them, too.
 */
#ifndef MODEL_PROVIDER_FILES_H
#define MODEL_PROVIDER_FILES_H

#include "base/buffer.h"
#include "base/error.h"
#include "json/json.h"

enum { PROVIDERS_SHIPPED, PROVIDERS_OWN, PROVIDERS_FILES };

struct provider_files {
	struct provider_file {
		char *path; /* NULL: there is no such file */
		struct buffer text;
		struct span sets; /* its member "sets" */
	} files[PROVIDERS_FILES];
	/* Every name in either file, in the order of the files. */
	struct provider_name {
		char *name;
		struct span entries[PROVIDERS_FILES]; /* as the files have them */
	} * names;
	size_t count;
};

/* Read the files. Returns false with `e`, which names file and line, if a file cannot be read or is
 * no JSON object, or if the user's file has an unknown key or a key twice; what could be read can
 * be used all the same. Free with provider_files_free in both cases. */
bool provider_files_read(struct provider_files *files, struct error *e);
void provider_files_free(struct provider_files *files);

/* Inside (provider_check.c): whether every key in the file is known and there once; if not, sets
 * `e`, which names file and line. */
bool provider_file_check(const struct provider_file *file, struct error *e);

/* Append the data file `path`, JSON, to `out`. Returns false with `e`, which names file and line,
 * if it cannot be read or is not JSON. A pipe is an error: it could block the loop, and be read
 * only once. */
bool data_file_read(const char *path, struct buffer *out, struct error *e);

/* The provider of this name; NULL if there is none. */
const struct provider_name *provider_files_find(const struct provider_files *files,
						const char *name);

/* Walk the providers; NULL at the end:
 *     for (size_t i = 0; (name = provider_files_next(&files, &i)) != NULL;) ... */
const struct provider_name *provider_files_next(const struct provider_files *files, size_t *i);

/* Append the resolved entry of a provider, a JSON object; without quirks this is much faster. The
 * user's file is applied to the resolved shipped entry, so a change to a shipped provider does not
 * affect shipped providers that are `like` it. Returns false with `e`, which names file and line,
 * if a "like" cannot be resolved. */
bool provider_files_entry(const struct provider_files *files, const struct provider_name *name,
			  bool quirks, struct buffer *out, struct error *e);

/* Append the name that OpenTelemetry has for provider `name`: "otel_name" of its entry, else the
 * name itself. */
void provider_files_otel_name(const struct provider_files *files, const char *name,
			      struct buffer *out);

#endif
