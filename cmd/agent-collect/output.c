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
	if (output->is_terminal)
		terminal_clean(&output->pending, output->is_json);
	if (!write_all(output->fd, buffer_span(&output->pending))) {
		if (errno == EPIPE)
			exit(128 + SIGPIPE);
		die(STATUS_FAILED, "cannot write: %s", strerror(errno));
	}
	buffer_clear(&output->pending);
}
