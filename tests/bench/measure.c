/*
 * measure RUNS OUTPUT COMMAND [ARGUMENT...] [::: COMMAND ...]
 *
 * Runs the commands in turn, RUNS times each, standard input empty and standard output into the
 * file OUTPUT, and prints a line for each command: the medians of the wall clock time and of the
 * processor time (children included), both in microseconds, and the largest peak memory in KiB.
 * In turn, so that what disturbs the machine disturbs them all alike.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/buffer.h"

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);

extern char **environ;

struct command {
	char **argv;
	int64_t *wall, *cpu; /* of each run, microseconds */
	long memory;
};

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static long long median(int64_t *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return (long long)values[count / 2];
}

static int64_t microseconds(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static void run(struct command *command, int number, const posix_spawn_file_actions_t *files)
{
	struct rusage usage;
	int64_t begin = clock_monotonic();
	pid_t pid;
	int status, failure;

	if (command->argv[0] == NULL)
		die(STATUS_USAGE, "a command is empty");
	failure = posix_spawnp(&pid, command->argv[0], files, NULL, command->argv, environ);
	if (failure != 0)
		die(STATUS_USAGE, "%s: %s", command->argv[0], strerror(failure));
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			die(STATUS_FAILED, "wait4: %s", strerror(errno));
	command->wall[number] = (clock_monotonic() - begin) / 1000;
	command->cpu[number] = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	if (usage.ru_maxrss > command->memory)
		command->memory = usage.ru_maxrss;
	if (status != 0)
		warn("%s ended with wait status %d", command->argv[0], status);
}

/* Cut the arguments into commands at ":::"; returns how many there are. */
static int read_commands(struct command *commands, int runs, char **argv)
{
	int count = 0;

	while (*argv != NULL && strcmp(*argv, ":::") != 0) {
		struct command *command = &commands[count++];

		command->argv = argv;
		command->wall = mem_zero((size_t)runs * sizeof(int64_t));
		command->cpu = mem_zero((size_t)runs * sizeof(int64_t));
		while (*argv != NULL && strcmp(*argv, ":::") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return count;
}

int main(int argc, char **argv)
{
	int runs = argc > 3 ? (int)strtol(argv[1], NULL, 10) : 0, count;
	struct command *commands;
	posix_spawn_file_actions_t files;

	if (runs <= 0)
		die(STATUS_USAGE, "usage: measure RUNS OUTPUT COMMAND... [::: COMMAND...]");
	commands = mem_zero((size_t)argc * sizeof(*commands));
	count = read_commands(commands, runs, argv + 3);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, argv[2],
					 O_WRONLY | O_CREAT | O_TRUNC, 0644);
	for (int i = 0; i < runs; i++)
		for (int j = 0; j < count; j++)
			run(&commands[j], i, &files);
	for (int j = 0; j < count; j++) {
		printf("%lld %lld %ld\n", median(commands[j].wall, runs),
		       median(commands[j].cpu, runs), commands[j].memory);
		free(commands[j].wall);
		free(commands[j].cpu);
	}
	posix_spawn_file_actions_destroy(&files);
	free(commands);
	return STATUS_OK;
}
