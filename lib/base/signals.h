/*
 * signals: the signals that end a program, and dying of one.
 */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <stdbool.h>

/* Signals from a user or the system whose default action is to end the program, without those that
 * report a fault of the program itself. */
enum { ENDING_SIGNALS = 10 };
extern const int ending_signals[ENDING_SIGNALS];

/* Whether the signal is ignored, as by nohup(1) or for the background jobs of a script. A program
 * leaves it so. */
bool signal_is_ignored(int number);

/* Die of the signal, so that a shell that waits for this program learns of it: ^C then ends a loop
 * of the shell too. Writes no core file. May be called in a signal handler. */
_Noreturn void signal_die(int number);

#endif
