#include "model/provider_files.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* How deep sets may refer to sets; deeper is a loop. */
enum { MAX_SETS = 16 };

/* ---- the files ---- */

static struct provider_name *find_name(const struct provider_files *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->names[i].name, name) == 0)
			return &files->names[i];
	return NULL;
}

static void add_names(struct provider_files *files, int layer)
{
	struct provider_file *file = &files->files[layer];

	for (struct json_walk walk = json_walk(json_trim(buffer_span(&file->text)));
	     json_next(&walk);) {
		char *name = json_text(walk.key);
		struct provider_name *known = find_name(files, name);

		if (strcmp(name, "sets") == 0) {
			file->sets = file->sets.at == NULL ? walk.value : file->sets;
			free(name);
			continue;
		}
		if (known == NULL) {
			files->names =
			    array_grow(files->names, files->count, sizeof(*files->names));
			known = &files->names[files->count++];
			*known = (struct provider_name){.name = mem_copy(span_of(name))};
		}
		if (known->entries[layer].at == NULL)
			known->entries[layer] = walk.value;
		free(name);
	}
}

bool data_file_read(const char *path, struct buffer *out, struct error *e)
{
	struct json_fault fault;
	struct stat info;
	bool ok;

	if (stat(path, &info) == 0 && S_ISFIFO(info.st_mode))
		return error_set(e, "usage", "%s: is a pipe, not a file", path);
	ok = file_read(path, out, e);
	if (ok && !json_check(buffer_span(out), &fault))
		ok = error_at(e, path, buffer_span(out), fault.offset, "not JSON: %s", fault.what);
	if (!ok)
		buffer_clear(out);
	return ok;
}

static bool read_file(struct provider_files *files, int layer, struct error *e)
{
	struct provider_file *file = &files->files[layer];
	struct span text;

	if (!data_file_read(file->path, &file->text, e))
		return false;
	text = buffer_span(&file->text);
	if (json_type(json_trim(text)) != JSON_OBJECT)
		return error_at(e, file->path, text, 0,
				"must be a JSON object, from provider names to providers");
	add_names(files, layer);
	return layer == PROVIDERS_SHIPPED || provider_file_check(file, e);
}

bool provider_files_read(struct provider_files *files, struct error *e)
{
	char *own = config_path("providers.json");

	*files = (struct provider_files){0};
	files->files[PROVIDERS_SHIPPED].path = share_path("providers.json");
	if (own != NULL && access(own, F_OK) == 0)
		files->files[PROVIDERS_OWN].path = own;
	else
		free(own);
	return read_file(files, PROVIDERS_SHIPPED, e) &&
	       (files->files[PROVIDERS_OWN].path == NULL || read_file(files, PROVIDERS_OWN, e));
}

void provider_files_free(struct provider_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->names[i].name);
	free(files->names);
	for (int layer = 0; layer < PROVIDERS_FILES; layer++) {
		free(files->files[layer].path);
		buffer_free(&files->files[layer].text);
	}
	*files = (struct provider_files){0};
}

/* Whether there is a provider of this name up to `layer`: "null" in the user's file removes one. */
static bool is_there(const struct provider_name *name, int layer)
{
	while (layer > PROVIDERS_SHIPPED && name->entries[layer].at == NULL)
		layer--;
	return json_type(name->entries[layer]) == JSON_OBJECT;
}

const struct provider_name *provider_files_find(const struct provider_files *files,
						const char *name)
{
	const struct provider_name *known = find_name(files, name);

	return known != NULL && is_there(known, PROVIDERS_OWN) ? known : NULL;
}

const struct provider_name *provider_files_next(const struct provider_files *files, size_t *i)
{
	while (*i < files->count) {
		const struct provider_name *name = &files->names[(*i)++];

		if (is_there(name, PROVIDERS_OWN))
			return name;
	}
	return NULL;
}

/* ---- sets ---- */

/* An entry and those that it is like, one like the next, all from one file. */
struct chain {
	const struct provider_file *file;
	struct span *entries;
	size_t count;
	bool quirks; /* wanted */
};

/* The set of this name: the entry's own, or one of those that it is like, or the file's. */
static struct span find_set(const struct chain *chain, const char *name)
{
	struct span set = {0};

	for (size_t i = 0; set.at == NULL && i < chain->count; i++)
		set = json_get(json_get(chain->entries[i], "sets"), name);
	return set.at != NULL ? set : json_get(chain->file->sets, name);
}

/* Fail for the value `like`, which names `name` (NULL: it is not a string). */
static bool fail_at(const struct provider_file *file, struct span like, const char *what,
		    const char *name, struct error *e)
{
	struct span text = buffer_span(&file->text);
	size_t offset = (size_t)(like.at - text.at);

	return name != NULL ? error_at(e, file->path, text, offset, "\"like\": %s %s", what, name)
			    : error_at(e, file->path, text, offset, "\"like\" must be a name");
}

static bool expand(const struct chain *chain, struct span value, int depth, struct buffer *out,
		   struct error *e);

/* Change what `out` has from `start` on, the members of an object beside its "like", into the set
 * that `like` names with these members merged over it. */
static bool apply_set(const struct chain *chain, struct span like, int depth, size_t start,
		      struct buffer *out, struct error *e)
{
	char *name = json_text(like);
	struct span base = name != NULL ? find_set(chain, name) : (struct span){0};
	struct span changes = span_from(buffer_span(out), start);
	struct buffer set = {0};
	bool ok;

	if (base.at != NULL && depth < MAX_SETS)
		ok = expand(chain, base, depth + 1, &set, e);
	else
		ok = fail_at(chain->file, like,
			     base.at != NULL ? "a loop through set" : "there is no set", name, e);
	if (ok && !span_is(changes, "{}"))
		json_merge_into(&set, changes);
	out->len = start;
	buffer_add_span(out, buffer_span(&set));
	buffer_free(&set);
	free(name);
	return ok;
}

/* Append `value` with a set for every object in it that has a "like". */
static bool expand(const struct chain *chain, struct span value, int depth, struct buffer *out,
		   struct error *e)
{
	struct json_walk walk = json_walk(value);
	struct span like = {0};
	size_t start = out->len;
	bool ok = true;

	if (json_type(value) != JSON_OBJECT) {
		buffer_add_span(out, value);
		return true;
	}
	buffer_add_char(out, '{');
	while (ok && json_next(&walk)) {
		if (json_is(walk.key, "like")) {
			like = walk.value;
			continue;
		}
		json_copy_key(out, walk.key);
		ok = expand(chain, walk.value, depth, out, e);
	}
	buffer_add_char(out, '}');
	return ok && (like.at == NULL || apply_set(chain, like, depth, start, out, e));
}

/* ---- entries ---- */

/* The provider that the last entry of `chain` is like. NULL with `e` if there is none, or if it
 * is in the chain. */
static const struct provider_name *find_parent(const struct provider_files *files, int layer,
					       const struct chain *chain, struct span like,
					       struct error *e)
{
	char *name = json_text(like);
	const struct provider_name *parent = name != NULL ? find_name(files, name) : NULL;
	const char *fault = NULL;

	if (parent == NULL || !is_there(parent, layer))
		fault = "there is no provider";
	for (size_t i = 0; fault == NULL && i < chain->count; i++)
		if (chain->entries[i].at == parent->entries[layer].at)
			fault = "a loop through provider";
	if (fault != NULL)
		fail_at(chain->file, like, fault, name, e);
	free(name);
	return fault == NULL ? parent : NULL;
}

/* Fill `chain`, and store in `last` which provider the last entry changes. */
static bool follow(const struct provider_files *files, int layer, struct chain *chain,
		   const struct provider_name **last, struct error *e)
{
	while ((*last)->entries[layer].at != NULL) {
		struct span entry = (*last)->entries[layer], like = json_get(entry, "like");

		chain->entries = array_grow(chain->entries, chain->count, sizeof(*chain->entries));
		chain->entries[chain->count++] = entry;
		if (like.at == NULL)
			break;
		*last = find_parent(files, layer, chain, like, e);
		if (*last == NULL)
			return false;
	}
	return true;
}

/* Merge `entry` into `out`, without "like" and "sets", and without quirks unless they are wanted.
 */
static bool add_entry(const struct chain *chain, struct span entry, struct buffer *out,
		      struct error *e)
{
	struct json_walk walk = json_walk(entry);
	struct buffer members = {0};
	bool ok = true;

	json_open(&members, '{');
	while (ok && json_next(&walk)) {
		bool quirks = json_is(walk.key, "quirks");

		if (json_is(walk.key, "like") || json_is(walk.key, "sets") ||
		    (quirks && !chain->quirks))
			continue;
		json_copy_key(&members, walk.key);
		if (quirks)
			ok = expand(chain, walk.value, 0, &members, e);
		else
			buffer_add_span(&members, walk.value);
	}
	json_close(&members, '}');
	if (ok && out->len > 0)
		json_merge_into(out, buffer_span(&members));
	else if (ok) /* a merge would leave out every null */
		buffer_add_span(out, buffer_span(&members));
	buffer_free(&members);
	return ok;
}

static bool resolve(const struct provider_files *files, int layer, const struct provider_name *name,
		    bool quirks, struct buffer *out, struct error *e)
{
	struct chain chain = {.file = &files->files[layer], .quirks = quirks};
	const struct provider_name *last = name;
	bool ok = follow(files, layer, &chain, &last, e);

	if (ok && layer > PROVIDERS_SHIPPED && is_there(last, layer - 1))
		ok = resolve(files, layer - 1, last, quirks, out, e);
	for (size_t i = chain.count; ok && i-- > 0;)
		ok = add_entry(&chain, chain.entries[i], out, e);
	free(chain.entries);
	return ok;
}

bool provider_files_entry(const struct provider_files *files, const struct provider_name *name,
			  bool quirks, struct buffer *out, struct error *e)
{
	return resolve(files, PROVIDERS_OWN, name, quirks, out, e);
}

void provider_files_otel_name(const struct provider_files *files, const char *name,
			      struct buffer *out)
{
	const struct provider_name *known = provider_files_find(files, name);
	struct buffer entry = {0};

	if (known == NULL || !provider_files_entry(files, known, false, &entry, NULL) ||
	    !json_decode(json_get(buffer_span(&entry), "otel_name"), out))
		buffer_add_text(out, name);
	buffer_free(&entry);
}
