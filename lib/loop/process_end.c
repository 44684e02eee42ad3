/* process_end: how a process ended, for messages. */
#include "loop/process.h"

#include <errno.h>
#include <string.h>

#include "base/number.h"

static const char *start_failure(int error)
{
	switch (error) {
	case ENOEXEC:
		return "it is not a program for this machine, or a script without a #! line";
	case EMFILE:
		return "too many open files (ulimit -n)";
	case EAGAIN:
		return "too many processes (ulimit -u)";
	default:
		return strerror(error);
	}
}

void process_describe_end(struct buffer *out, const struct process_end *end)
{
	switch (end->outcome) {
	case PROCESS_EXITED:
		buffer_add_format(out, "exit status %d", end->value);
		break;
	case PROCESS_KILLED:
		buffer_add_format(out, "killed by signal %d (%s)", end->value,
				  strsignal(end->value));
		break;
	case PROCESS_TIMED_OUT:
		buffer_add_format(out, "timed out after %g second%s", end->limit,
				  plural(end->limit));
		break;
	case PROCESS_IDLE:
		buffer_add_format(out, "stopped after %g second%s without output", end->limit,
				  plural(end->limit));
		break;
	case PROCESS_TOO_MUCH:
		buffer_add_format(out, "stopped after %d bytes of output", PROCESS_RUN_MAX);
		break;
	case PROCESS_STOPPED:
		buffer_add_text(out, "cancelled");
		break;
	case PROCESS_NOT_STARTED:
		buffer_add_format(out, "cannot be started: %s", start_failure(end->value));
		break;
	}
}
