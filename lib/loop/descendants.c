#include "loop/descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"

struct process_entry {
	pid_t pid, parent, group, session;
	bool below; /* it descends from the process in question */
};

struct process_table {
	struct process_entry *at;
	size_t count;
};

void pids_add(struct pids *pids, pid_t pid)
{
	pids->at = array_grow(pids->at, pids->count, sizeof(*pids->at));
	pids->at[pids->count++] = pid;
}

bool pids_has(const struct pids *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->count; i++)
		if (pids->at[i] == pid)
			return true;
	return false;
}

/* ---- /proc ---- */

static bool read_proc(pid_t pid, const char *name, struct buffer *text)
{
	char *path = mem_format("/proc/%ld/%s", (long)pid, name);
	bool good = file_read(path, text, NULL);

	free(path);
	return good;
}

/* Read "PID (NAME) STATE PARENT GROUP SESSION ...". NAME may contain anything. Returns false for a
 * process that has ended. */
static bool read_entry(pid_t pid, struct process_entry *entry)
{
	enum { PARENT, GROUP, SESSION, NUMBERS };
	struct buffer text = {0};
	pid_t numbers[NUMBERS];
	char *at = NULL;
	bool good;

	if (read_proc(pid, "stat", &text))
		at = strrchr(buffer_string(&text), ')');
	good = at != NULL && span_starts(span_of(at), ") ") && strchr("ZX", at[2]) == NULL;
	if (good) {
		at += 3; /* ") S" */
		for (int i = 0; i < NUMBERS; i++)
			numbers[i] = (pid_t)strtol(at, &at, 10);
		*entry = (struct process_entry){pid, numbers[PARENT], numbers[GROUP],
						numbers[SESSION], false};
	}
	buffer_free(&text);
	return good;
}

static struct process_table read_table(void)
{
	DIR *folder = opendir("/proc");
	struct process_table table = {0};
	const struct dirent *file;
	struct process_entry entry;

	while (folder != NULL && (file = readdir(folder)) != NULL) {
		long pid = strtol(file->d_name, NULL, 10);

		if (pid <= 0 || !read_entry((pid_t)pid, &entry))
			continue;
		table.at = array_grow(table.at, table.count, sizeof(*table.at));
		table.at[table.count++] = entry;
	}
	if (folder != NULL)
		closedir(folder);
	return table;
}

static bool is_below(const struct process_table *table, pid_t pid, pid_t top)
{
	for (size_t i = 0; i < table->count && pid != top; i++)
		if (table->at[i].pid == pid)
			return table->at[i].below;
	return pid == top;
}

/* Mark what descends from `top`. A parent may stand behind its child in the table. */
static void mark(struct process_table *table, pid_t top)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < table->count; i++) {
			struct process_entry *entry = &table->at[i];

			if (entry->below || !is_below(table, entry->parent, top))
				continue;
			entry->below = more = true;
		}
	}
}

/* ---- choosing ---- */

static bool has_variable(pid_t pid, const char *variable)
{
	struct buffer text = {0};
	struct span rest;
	bool found = false;

	if (read_proc(pid, "environ", &text))
		buffer_add_char(&text, '\0');
	rest = buffer_span(&text);
	while (!found && rest.len > 0) {
		found = strcmp(rest.at, variable) == 0;
		rest = span_from(rest, strlen(rest.at) + 1);
	}
	buffer_free(&text);
	return found;
}

static bool is_pipe(const struct descendants *which, const struct stat *file)
{
	struct stat pipe;

	for (size_t i = 0; i < which->pipe_count; i++)
		if (which->pipes[i] >= 0 && fstat(which->pipes[i], &pipe) == 0 &&
		    file_is_same(&pipe, file))
			return true;
	return false;
}

static bool has_pipe(pid_t pid, const struct descendants *which)
{
	char *path = mem_format("/proc/%ld/fd", (long)pid);
	DIR *folder = opendir(path);
	const struct dirent *name;
	struct stat file;
	bool found = false;

	while (folder != NULL && !found && (name = readdir(folder)) != NULL)
		found =
		    fstatat(dirfd(folder), name->d_name, &file, 0) == 0 && is_pipe(which, &file);
	if (folder != NULL)
		closedir(folder);
	free(path);
	return found;
}

static bool is_chosen(const struct descendants *which, const struct process_entry *entry)
{
	if (which->root > 0)
		return entry->pid == which->root || entry->session == which->root || entry->below;
	return entry->below && entry->session != getsid(0) &&
	       !pids_has(&which->others, entry->pid) && !pids_has(&which->others, entry->session) &&
	       (which->variable == NULL || has_variable(entry->pid, which->variable)) &&
	       (which->pipes == NULL || has_pipe(entry->pid, which));
}

bool descendants_kill(pid_t pid, int signal)
{
	if (kill(pid, signal) != 0)
		return false;
	if (signal == SIGTERM)
		kill(pid, SIGCONT);
	return true;
}

/* A group is signalled at once, so that none of its processes escapes by forking. */
size_t descendants_signal(const struct descendants *which, int signal)
{
	struct process_table table = read_table();
	bool grouped = which->root > 0 && descendants_kill(-which->root, signal);
	size_t count = grouped;

	mark(&table, which->root > 0 ? which->root : getpid());
	for (size_t i = 0; i < table.count; i++) {
		const struct process_entry *entry = &table.at[i];

		if (is_chosen(which, entry) && !(grouped && entry->group == which->root))
			count += descendants_kill(entry->pid, signal);
	}
	free(table.at);
	return count;
}

bool descendants_children(struct pids *children)
{
	struct buffer text = {0};
	char *name = mem_format("task/%ld/children", (long)getpid()), *end;
	const char *at;
	bool good = read_proc(getpid(), name, &text);

	free(name);
	at = buffer_string(&text);
	for (long pid = strtol(at, &end, 10); end != at; pid = strtol(at, &end, 10)) {
		pids_add(children, (pid_t)pid);
		at = end;
	}
	buffer_free(&text);
	return good;
}
