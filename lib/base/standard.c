#include "base/standard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"

void stdout_fail(void)
{
	if (errno == EPIPE)
		_exit(128 + SIGPIPE);
	die(STATUS_FAILED, "standard output: %s", strerror(errno));
}

void stdout_write(struct buffer *out)
{
	if (out->len > 0 && !write_all(STDOUT_FILENO, buffer_span(out)))
		stdout_fail();
	buffer_clear(out);
}

void stdout_close(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		stdout_fail();
}
