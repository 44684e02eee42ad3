#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "loop/process.h"
#include "tool/manifest.h"

/* Maximum time of a program that is run with --describe, and bytes of its stderr in a message. */
#define DESCRIBE_SECONDS 5.0
enum { DESCRIBE_SHOWN = 200 };

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

bool tool_set_check(const struct tool_set *set, struct error *e)
{
	for (size_t i = 0; i < set->count; i++)
		if (!manifest_check_program(set->tools[i], e))
			return false;
	return true;
}

/* Add `tool` to the set, which then owns it. NULL: the tool could not be read. */
static bool add(struct tool_set *set, struct tool *tool, struct error *e)
{
	const struct tool *other;

	if (tool == NULL)
		return false;
	other = tool_set_find(set, span_of(tool->name));
	if (other == NULL) {
		set->tools = array_grow(set->tools, set->count, sizeof(*set->tools));
		set->tools[set->count++] = tool;
		return true;
	}
	if (strcmp(other->source, tool->source) == 0)
		error_set(e, "usage", "%s: this tool is given twice: leave one out", tool->source);
	else
		error_set(e, "usage", "%s: the name \"%s\" is used by %s: rename one of them",
			  tool->source, tool->name, other->source);
	tool_free(tool);
	return false;
}

void tool_set_free(struct tool_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		tool_free(set->tools[i]);
	free(set->tools);
	*set = (struct tool_set){0};
}

static bool add_manifest(struct tool_set *set, const char *path, struct error *e)
{
	char *folder = path_folder(path);
	struct buffer text = {0};
	bool added = file_read(path, &text, e) &&
		     add(set, manifest_read(buffer_span(&text), path, folder, NULL, e), e);

	buffer_free(&text);
	free(folder);
	return added;
}

/* ---- programs with --describe ---- */

/* Set an error such as "./x --describe failed (exit status 1: no such option): ...". */
static bool describe_failed(const char *program, const struct process_end *end, struct span errors,
			    struct error *e)
{
	const char *newline = errors.len > 0 ? memchr(errors.at, '\n', errors.len) : NULL;
	struct buffer why = {0};

	if (end->outcome == PROCESS_EXITED && end->value == 0)
		buffer_add_text(&why, "it printed no JSON object");
	else
		process_describe_end(&why, end);
	if (newline != NULL)
		errors.len = (size_t)(newline - errors.at);
	if (errors.len > DESCRIBE_SHOWN)
		errors.len = DESCRIBE_SHOWN;
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
	char *folder = path_folder(path),
	     **environment = tool_environment(&(struct tool_variables){0}, NULL, NULL);
	/* A name with a slash is not searched in PATH. */
	char *base = mem_format("./%s", path + strlen(folder)),
	     *source = mem_format("%s --describe", path);
	char *program = mem_copy(span_of(folder[0] != '\0' ? path : base));
	const struct process_command command = {
	    .argv = (char *[]){program, (char[]){"--describe"}, NULL},
	    .environment = environment,
	    .timeout = DESCRIBE_SECONDS,
	};
	struct buffer manifest = {0}, errors = {0};
	struct process_end end = process_run(&command, &manifest, &errors);
	bool added;

	if (end.outcome == PROCESS_EXITED && end.value == 0 &&
	    json_type(json_trim(buffer_span(&manifest))) == JSON_OBJECT)
		added = add(set, manifest_read(buffer_span(&manifest), source, folder, base, e), e);
	else
		added = describe_failed(path, &end, buffer_span(&errors), e);
	buffer_free(&manifest);
	buffer_free(&errors);
	free(program);
	free(source);
	free(base);
	free(environment);
	free(folder);
	return added;
}

/* ---- folders ---- */

static bool is_manifest(const char *name)
{
	return span_ends(span_of(name), ".json");
}

static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* Whether a file of a folder can be a tool. */
static int is_candidate(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strncmp(entry->d_name, "README", 6) != 0;
}

static int is_candidate_manifest(const struct dirent *entry)
{
	return is_candidate(entry) && is_manifest(entry->d_name);
}

static void free_names(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	if (count >= 0)
		free(names);
}

/* Whether the file `name` belongs to one of the tools from index `first` on, which came from
 * manifests of its folder: it is the program of the tool or has its name. */
static bool belongs(const struct tool_set *set, size_t first, const char *path, const char *name)
{
	char *manifest = mem_format("%s.json", path);
	bool found = false;

	for (size_t i = first; i < set->count && !found; i++)
		found = manifest_uses(set->tools[i], name) ||
			strcmp(set->tools[i]->source, manifest) == 0;
	free(manifest);
	return found;
}

/* Add the tools of a folder in the order of their names: manifests first, so that the programs that
 * they use are known. */
static bool add_folder(struct tool_set *set, const char *folder, struct error *e)
{
	struct dirent **names;
	int count = scandir(folder, &names, is_candidate, alphasort);
	size_t first = set->count;
	bool good = true;

	if (count < 0)
		return error_set(e, "usage", "%s: %s", folder, strerror(errno));
	for (int i = 0; count > 0 && i < 2 * count && good; i++) {
		const char *name = names[i % count]->d_name;
		char *path = path_join(folder, name);

		if (is_manifest(path))
			good = i >= count || add_manifest(set, path, e);
		else if (i >= count && is_program(path) && !belongs(set, first, path, name))
			good = add_program(set, path, e);
		free(path);
	}
	free_names(names, count);
	if (good && set->count == first)
		return error_set(e, "usage",
				 "%s: no tool in this folder: it needs manifests (*.json) or "
				 "executable programs",
				 folder);
	return good;
}

/* ---- kinds of paths ---- */

/* The manifest of a shipped tool, or NULL; the caller frees it. */
static char *shipped_manifest(const char *name)
{
	char *file = mem_format("tools/%s.json", name), *path = share_path(file);

	free(file);
	if (strchr(name, '/') == NULL && name[0] != '.' && access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static bool not_found(const char *path, int why, struct error *e)
{
	char *folder = share_path("tools");
	struct buffer shipped = {0};
	struct dirent **names;
	int count = scandir(folder, &names, is_candidate_manifest, alphasort);

	for (int i = 0; i < count; i++)
		buffer_add_format(&shipped, "%s%.*s", i > 0 ? ", " : "",
				  (int)(strlen(names[i]->d_name) - strlen(".json")),
				  names[i]->d_name);
	error_set(
	    e, "usage",
	    "%s: %s: a tool is a manifest, a program, a folder of them, or a shipped one (%s)",
	    path, strerror(why), buffer_string(&shipped));
	buffer_free(&shipped);
	free_names(names, count);
	free(folder);
	return false;
}

/* Add a file: a manifest (also from a pipe), or a program. */
static bool add_file(struct tool_set *set, const char *path, const struct stat *status,
		     struct error *e)
{
	char *beside;
	bool added;

	if (is_manifest(path) || !S_ISREG(status->st_mode))
		return add_manifest(set, path, e);
	beside = mem_format("%s.json", path);
	if (access(beside, F_OK) == 0)
		added = add_manifest(set, beside, e);
	else if (is_program(path))
		added = add_program(set, path, e);
	else
		added = error_set(e, "usage",
				  "%s: neither a manifest (*.json) nor executable: chmod +x makes "
				  "it a program that is asked with --describe",
				  path);
	free(beside);
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

bool tool_set_add(struct tool_set *set, const char *folder, const char *path, struct error *e)
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
