/*
 * standard: standard output of a program, which must be written completely or the program fails.
 */
#ifndef BASE_STANDARD_H
#define BASE_STANDARD_H

#include "base/buffer.h"

/* Write `out` to standard output and clear it. If the pipe is closed the program ends quietly, with
 * the status of SIGPIPE; any other failure ends it with a message and STATUS_FAILED. */
void stdout_write(struct buffer *out);

/* End the program because writing to standard output failed: errno says how, as above. */
_Noreturn void stdout_fail(void);

/* Write what stdio still holds for standard output; a failure ends the program as above. Call this
 * before a program that has printed with stdio ends. */
void stdout_close(void);

#endif
