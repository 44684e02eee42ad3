/* socket: run a program whose standard output is a socket, and read that slowly. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static const char help[] =
    "usage: socket COMMAND ...\n"
    "Run COMMAND with a socket as its standard output, and print what it writes.\n"
    "Nothing is read for the first 300 ms.\n"
    "Exit status: COMMAND's.\n";

static pid_t start(int output, char **command)
{
	pid_t child = fork();

	if (child < 0)
		die(2, "cannot start a process: %s", strerror(errno));
	if (child != 0)
		return child;
	dup2(output, STDOUT_FILENO);
	execvp(command[0], command);
	_exit(127);
}

int main(int argc, char **argv)
{
	int ends[2], status = 0;
	char bytes[700];
	ssize_t got;
	pid_t child;

	if (argc < 2) {
		fputs(help, stderr);
		return 2;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		die(2, "cannot make a socket: %s", strerror(errno));
	child = start(ends[1], argv + 1);
	close(ends[1]);
	poll(NULL, 0, 300);
	while ((got = read(ends[0], bytes, sizeof(bytes))) > 0)
		write_all(STDOUT_FILENO, (struct span){bytes, (size_t)got});
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
