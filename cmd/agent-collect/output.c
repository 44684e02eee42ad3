/* Results on their way out. */
#include "collect.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "event/terminal.h"

void output_flush(struct result_output *output)
{
	struct buffer safe = {0}, *out = &output->pending;

	if (out->len == 0)
		return;
	if (output->is_terminal) {
		if (output->is_json)
			terminal_add_json(&safe, buffer_span(out));
		else
			terminal_add(&safe, buffer_span(out));
		out = &safe;
	}
	if (!write_all(output->fd, buffer_span(out))) {
		if (errno == EPIPE)
			exit(128 + SIGPIPE);
		die(STATUS_FAILED, "cannot write: %s", strerror(errno));
	}
	buffer_clear(&output->pending);
	buffer_free(&safe);
}
