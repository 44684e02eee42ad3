/*
 * server: connections, and the answers that are played on them.
 */
#ifndef PROVIDER_SERVER_H
#define PROVIDER_SERVER_H

#include "answer.h"
#include "request.h"
#include "timers.h"

struct server {
	struct answer *answers;
	int answer_count;
	bool strict; /* an answer is given once */
	bool loop;   /* after the last one, the first again */
	int log;     /* file descriptor, -1: none */

	int listener, epoll, timer, stdin_mark;
	struct timers timers;
	struct connection *connections; /* a list */
	int accepted, requests;
};

/* Listen on 127.0.0.1 at `port` (0: any that is free). Returns the port, or 0 with an error. */
int server_listen(struct server *server, int port, struct error *e);

/* Serve until standard input ends (`until_eof`) or for ever. */
void server_run(struct server *server, bool until_eof);

/* ---- for connection.c ---- */

struct connection;

/* The answer for `request`; NULL: there is none, and `why` says so. */
const struct answer *server_choose(struct server *server, const struct request *request,
				   const char **why);

void connection_accept(struct server *server, int fd);
void connection_ready(struct connection *connection, unsigned events);
void connection_due(struct timer *timer);
void connection_free(struct connection *connection);

#endif
