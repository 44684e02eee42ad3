#include "list.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "event/terminal.h"

/* A line for each provider. */
static struct buffer read_providers(void)
{
	struct buffer list = {0};
	struct error e = {0};

	die_unless(model_list_providers(&list, &e), &e);
	return list;
}

/* The next provider of the list whose key is set; false at its end. */
static bool next_ready(struct span *list, struct span *name)
{
	while (span_next_line(list, name, NULL))
		if (span_ends(*name, "\tset")) {
			name->len = (size_t)((char *)memchr(name->at, '\t', name->len) - name->at);
			return true;
		}
	return false;
}

_Noreturn void list_no_model(void)
{
	struct buffer list = read_providers(), ready = {0};

	for (struct span rest = buffer_span(&list), name; next_ready(&rest, &name);)
		buffer_add_format(&ready, " %.*s", SPAN_ARG(name));
	if (ready.len == 0)
		buffer_add_text(&ready, " none");
	die(STATUS_USAGE,
	    "no model: use -m PROVIDER:MODEL or AGENT_MODEL (providers whose key is set:%s), or "
	    "try "
	    "-m test",
	    buffer_string(&ready));
}

void list_show(struct span text, const struct secrets *secrets)
{
	struct buffer masked = {0}, shown = {0};

	buffer_add_span(&masked, text);
	secrets_mask_text(secrets, &masked, 0);
	if (isatty(STDOUT_FILENO))
		terminal_add(&shown, buffer_span(&masked));
	else
		buffer_add_span(&shown, buffer_span(&masked));
	fflush(stdout);
	if (!write_all(STDOUT_FILENO, buffer_span(&shown)) && errno != EPIPE)
		die(STATUS_FAILED, "standard output: %s", strerror(errno));
	buffer_free(&masked);
	buffer_free(&shown);
}

void list_tools(const struct tool_set *tools, const struct secrets *secrets)
{
	struct buffer out = {0};

	for (size_t i = 0; i < tools->count; i++) {
		const struct tool *tool = tools->tools[i];

		buffer_add_format(&out, "%s\t%s\t%s\n", tool->name, tool->source,
				  tool->description != NULL ? tool->description : "");
	}
	list_show(buffer_span(&out), secrets);
	buffer_free(&out);
}

void list_providers(const struct secrets *secrets)
{
	struct buffer out = read_providers();

	list_show(buffer_span(&out), secrets);
	buffer_free(&out);
}

/* ---- models ---- */

struct models {
	struct model_host *host;
	size_t pending;
	int exit_status;
};

static void models_came(void *context, struct span lines, const struct model_error *error)
{
	struct models *models = context;
	struct buffer message = {0};

	if (error != NULL) {
		buffer_add_text(&message, error->message);
		secrets_mask_text(models->host->secrets, &message, 0);
		warn("%s", buffer_string(&message));
		buffer_free(&message);
		models->exit_status = STATUS_FAILED;
	}
	list_show(lines, models->host->secrets);
	if (--models->pending == 0)
		loop_stop(models->host->loop);
}

/* The providers whose key is set. */
static void ask_all(struct models *models)
{
	struct buffer list = read_providers();

	for (struct span rest = buffer_span(&list), line; next_ready(&rest, &line);) {
		char *name = mem_copy(line);

		if (model_list(models->host, name, models_came, models, NULL))
			models->pending++;
		free(name);
	}
	buffer_free(&list);
}

int list_models(struct model_host *host, char *const *specs, size_t count)
{
	struct models models = {.host = host, .pending = count};
	struct error e = {0};

	for (size_t i = 0; i < count; i++)
		die_unless(model_list(host, specs[i], models_came, &models, &e), &e);
	if (count == 0)
		ask_all(&models);
	if (models.pending == 0)
		die(STATUS_USAGE, "no provider's key is set; see agent-run --list-providers");
	loop_run(host->loop);
	return models.exit_status;
}
