#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "loop/process.h"
#include "tool/excerpt.h"
#include "tool/manifest.h"

/* Maximum time and output of a program that is run with --describe. */
#define DESCRIBE_SECONDS 5.0
enum { DESCRIBE_MAX = 1024 * 1024 };

/* ---- the set ---- */

struct tool_call *tool_start(const struct tool *tool, const struct tool_request *request,
			     const struct tool_handler *handler)
{
	return tool->kind->start(tool, request, handler);
}

void tool_cancel(struct tool_call *call, double grace)
{
	if (call != NULL)
		call->kind->cancel(call, grace);
}

const struct tool *tool_set_find(const struct tool_set *set, struct span name)
{
	for (size_t i = 0; i < set->count; i++)
		if (span_is(name, set->tools[i]->name))
			return set->tools[i];
	return NULL;
}

/* Add `tool` to the set, which then owns it. NULL: the tool could not be read. */
static bool add(struct tool_set *set, struct tool *tool, struct error *e)
{
	const struct tool *other;

	if (tool == NULL)
		return false;
	other = tool_set_find(set, span_of(tool->name));
	if (other != NULL && strcmp(other->source, tool->source) == 0) {
		error_set(e, "usage", "%s: this tool is given twice: leave one out", tool->source);
		tool_free(tool);
		return false;
	}
	if (other != NULL) {
		error_set(e, "usage", "%s: the name \"%s\" is taken by %s: rename one of them",
			  tool->source, tool->name, other->source);
		tool_free(tool);
		return false;
	}
	set->tools = array_grow(set->tools, set->count, sizeof(*set->tools));
	set->tools[set->count++] = tool;
	return true;
}

void tool_set_free(struct tool_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		tool_free(set->tools[i]);
	free(set->tools);
	*set = (struct tool_set){0};
}

/* The folder of `path`, "" for the current one. The caller frees it. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) + 1 : 0;

	return mem_copy((struct span){path, len});
}

static bool add_manifest(struct tool_set *set, const char *path, struct error *e)
{
	char *folder = folder_of(path);
	struct buffer text = {0};
	bool added = file_read(path, &text, e) &&
		     add(set, manifest_read(buffer_span(&text), path, folder, NULL, e), e);

	buffer_free(&text);
	free(folder);
	return added;
}

/* ---- programs with --describe ---- */

struct description {
	struct loop *loop;
	struct buffer manifest;
	struct excerpt errors;
	struct process_end end;
};

static void described(void *context, struct span bytes)
{
	struct description *description = context;

	if (description->manifest.len + bytes.len <= DESCRIBE_MAX)
		buffer_add_span(&description->manifest, bytes);
}

static void complained(void *context, struct span bytes)
{
	struct description *description = context;

	excerpt_add(&description->errors, bytes);
}

static void done(void *context, const struct process_end *end)
{
	struct description *description = context;

	description->end = *end;
	loop_stop(description->loop);
}

/* Run `PROGRAM --describe` on a separate loop, because tools are loaded before anything else runs.
 */
static void describe(const char *program, struct description *description)
{
	char *argv[] = {mem_copy(span_of(program)), (char[]){"--describe"}, NULL};
	char **environment = tool_environment(NULL, NULL);
	struct process_command command = {
	    .argv = argv, .environment = environment, .timeout = DESCRIBE_SECONDS};
	struct process_handler handler = {description, described, complained, done};

	description->loop = loop_new();
	description->errors.head_max = 200;
	process_start(description->loop, &command, &handler);
	loop_run(description->loop);
	loop_free(description->loop);
	free(environment);
	free(argv[0]);
}

/* "./x --describe failed (exit status 1: no such option): a program without a manifest ..." */
static bool describe_failed(const char *program, const struct description *description,
			    struct error *e)
{
	struct span errors = buffer_span(&description->errors.head);
	const char *newline = errors.len > 0 ? memchr(errors.at, '\n', errors.len) : NULL;
	struct buffer why = {0};

	process_describe_end(&why, &description->end, DESCRIBE_SECONDS);
	if (newline != NULL)
		errors.len = (size_t)(newline - errors.at);
	if (errors.len > 0)
		buffer_add_format(&why, ": %.*s", SPAN_ARG(errors));
	error_set(e, "usage",
		  "%s --describe failed (%s): a program without a manifest must print one when run "
		  "so; or write %s.json",
		  program, buffer_string(&why), program);
	buffer_free(&why);
	return false;
}

static bool add_program(struct tool_set *set, const char *path, struct error *e)
{
	struct description description = {0};
	struct buffer source = {0}, base = {0};
	char *folder = folder_of(path);
	bool added;

	/* A name with a slash is not searched in PATH. */
	buffer_add_format(&base, "./%s", path + strlen(folder));
	describe(folder[0] != '\0' ? path : buffer_string(&base), &description);
	buffer_add_format(&source, "%s --describe", path);
	if (description.end.outcome == PROCESS_EXITED && description.end.value == 0)
		added = add(set,
			    manifest_read(buffer_span(&description.manifest),
					  buffer_string(&source), folder, buffer_string(&base), e),
			    e);
	else
		added = describe_failed(path, &description, e);
	buffer_free(&description.manifest);
	excerpt_free(&description.errors);
	buffer_free(&source);
	buffer_free(&base);
	free(folder);
	return added;
}

/* ---- folders ---- */

struct names {
	char **at;
	size_t count;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->at[i]);
	free(names->at);
}

/* The sorted names of the files in `folder`, without hidden files and READMEs. Returns false with
 * errno set. */
static bool list_folder(const char *folder, struct names *names)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	if (directory == NULL)
		return false;
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, "README", 6) == 0)
			continue;
		names->at = array_grow(names->at, names->count, sizeof(*names->at));
		names->at[names->count++] = mem_copy(span_of(entry->d_name));
	}
	closedir(directory);
	if (names->count > 0)
		qsort(names->at, names->count, sizeof(*names->at), compare_names);
	return true;
}

static bool is_manifest(const char *name)
{
	return span_ends(span_of(name), ".json");
}

static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* Whether the file `name` belongs to one of the tools from index `first` on, which came from
 * manifests of its folder: it is the program of the tool or has its name. */
static bool belongs(const struct tool_set *set, size_t first, const char *path, const char *name)
{
	struct buffer manifest = {0};
	bool found = false;

	buffer_add_format(&manifest, "%s.json", path);
	for (size_t i = first; i < set->count && !found; i++)
		found = manifest_uses(set->tools[i], name) ||
			strcmp(set->tools[i]->source, buffer_string(&manifest)) == 0;
	buffer_free(&manifest);
	return found;
}

/* Add manifests first, so that the programs that they use are known. */
static bool add_files(struct tool_set *set, const char *folder, const struct names *names,
		      struct error *e)
{
	size_t first = set->count, found = 0;
	bool good = true;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < names->count && good; i++) {
			char *path = path_join(folder, names->at[i]);

			if (pass == 0 && is_manifest(path)) {
				good = add_manifest(set, path, e);
				found++;
			} else if (pass == 1 && !is_manifest(path) && is_program(path) &&
				   !belongs(set, first, path, names->at[i])) {
				good = add_program(set, path, e);
				found++;
			}
			free(path);
		}
	if (good && found == 0)
		return error_set(e, "usage",
				 "%s: no tool in this folder: it needs manifests (*.json) or "
				 "executable programs",
				 folder);
	return good;
}

static bool add_folder(struct tool_set *set, const char *folder, struct error *e)
{
	struct names names = {0};
	bool good;

	if (!list_folder(folder, &names))
		return error_set(e, "usage", "%s: %s", folder, strerror(errno));
	good = add_files(set, folder, &names, e);
	names_free(&names);
	return good;
}

/* ---- kinds of paths ---- */

/* The manifest of a shipped tool, or NULL; the caller frees it. */
static char *shipped_manifest(const char *name)
{
	struct buffer file = {0};
	char *path = NULL;

	if (strchr(name, '/') != NULL || name[0] == '.')
		return NULL;
	buffer_add_format(&file, "tools/%s.json", name);
	path = share_path(buffer_string(&file));
	buffer_free(&file);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static bool not_found(const char *path, int why, struct error *e)
{
	char *folder = share_path("tools");
	struct names names = {0};
	struct buffer shipped = {0};

	list_folder(folder, &names);
	for (size_t i = 0; i < names.count; i++) {
		struct span name = span_of(names.at[i]);

		if (!is_manifest(names.at[i]))
			continue;
		name.len -= strlen(".json");
		buffer_add_text(&shipped, shipped.len > 0 ? ", " : "");
		buffer_add_span(&shipped, name);
	}
	error_set(
	    e, "usage",
	    "%s: %s: a tool is a manifest, a program, a folder of them, or a shipped one (%s)",
	    path, strerror(why), buffer_string(&shipped));
	buffer_free(&shipped);
	names_free(&names);
	free(folder);
	return false;
}

/* Add a file: a manifest (also from a pipe), or a program. */
static bool add_file(struct tool_set *set, const char *path, const struct stat *status,
		     struct error *e)
{
	struct buffer beside = {0};
	bool added;

	if (is_manifest(path) || !S_ISREG(status->st_mode))
		return add_manifest(set, path, e);
	buffer_add_format(&beside, "%s.json", path);
	if (access(buffer_string(&beside), F_OK) == 0)
		added = add_manifest(set, buffer_string(&beside), e);
	else if (is_program(path))
		added = add_program(set, path, e);
	else
		added = error_set(e, "usage",
				  "%s: neither a manifest (*.json) nor executable: chmod +x makes "
				  "it a program that is asked with --describe",
				  path);
	buffer_free(&beside);
	return added;
}

static bool add_path(struct tool_set *set, const char *path, struct error *e)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return not_found(path, errno, e);
	if (S_ISDIR(status.st_mode))
		return add_folder(set, path, e);
	return add_file(set, path, &status, e);
}

bool tool_set_add_from(struct tool_set *set, const char *folder, const char *path, struct error *e)
{
	char *file = shipped_manifest(path);
	bool added;

	if (file != NULL) {
		added = add_manifest(set, file, e);
	} else {
		file = path_join(folder, path);
		added = add_path(set, file, e);
	}
	free(file);
	return added;
}

bool tool_set_add(struct tool_set *set, const char *path, struct error *e)
{
	return tool_set_add_from(set, "", path, e);
}

bool tool_set_add_inline(struct tool_set *set, struct span text, size_t offset, size_t length,
			 const char *source, const char *folder, struct error *e)
{
	struct buffer manifest = {0};
	bool added;

	/* Add as many newlines as precede the manifest in the file, so that messages name the right
	 * line. */
	for (size_t i = 0; i < offset; i++)
		if (text.at[i] == '\n')
			buffer_add_char(&manifest, '\n');
	buffer_add(&manifest, text.at + offset, length);
	added = add(set, manifest_read(buffer_span(&manifest), source, folder, NULL, e), e);
	buffer_free(&manifest);
	return added;
}

bool tool_set_take(struct tool_set *set, struct tool_set *from, struct error *e)
{
	bool good = true;

	for (size_t i = 0; i < from->count && good; i++) {
		good = add(set, from->tools[i], e); /* add() frees the tool on failure */
		from->tools[i] = NULL;
	}
	tool_set_free(from);
	return good;
}
