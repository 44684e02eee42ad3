#include "tool/approval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/tty.h"
#include "base/utf8.h"
#include "loop/process.h"
#include "tool/call_text.h"

/* Maximum bytes of a program's output in the reason. */
enum { MAX_REASON = 4 * 1024 };

/* Nanoseconds between attempts to lock the terminal while another program asks on it. */
static const int64_t LOCK_INTERVAL = 50000000;

struct approval {
	struct loop *loop;
	struct approval_policy *policy;
	struct approval_handler handler;
	struct approval *next; /* waiting for the terminal */
	char *tool_name;
	char *tool_id; /* of the tool itself: those of other agents can have the same name */
	struct process *process;  /* the program of the policy */
	struct loop_timer *timer; /* to show the question, then for the time limit */
	struct buffer call;       /* what is still to be shown of the call */
	struct buffer question;   /* what is still to be written */
	struct tty terminal;      /* closed: the question is not shown */
	struct loop_fd *watch;
	struct buffer answer; /* the text typed by the user, or the output of the program */
	bool at_end;          /* ^D was typed, or the terminal is gone */
};

/* ---- the policy ---- */

enum approval_rule approval_rule_for(const struct approval_policy *policy, const struct tool *tool)
{
	enum approval_rule rule = APPROVAL_DENY;

	while (rule > APPROVAL_NONE && !patterns_match(&policy->rules[rule], tool->name))
		rule--;
	return rule == APPROVAL_NONE && tool->approval ? APPROVAL_ASK : rule;
}

static bool is_always(const struct approval_policy *policy, const char *tool_id)
{
	for (size_t i = 0; i < policy->always_count; i++)
		if (strcmp(policy->always[i], tool_id) == 0)
			return true;
	return false;
}

static void add_always(struct approval_policy *policy, const char *tool_id)
{
	policy->always = array_grow(policy->always, policy->always_count, sizeof(*policy->always));
	policy->always[policy->always_count++] = mem_copy(span_of(tool_id));
}

void approval_free(struct approval_policy *policy)
{
	for (size_t i = 0; i < policy->always_count; i++)
		free(policy->always[i]);
	free(policy->always);
	for (int rule = APPROVAL_NONE; rule < APPROVAL_RULES; rule++)
		patterns_free(&policy->rules[rule]);
	*policy = (struct approval_policy){0};
}

/* ---- deciding ---- */

static void show(void *context);

static void release(struct approval *approval)
{
	loop_timer_remove(approval->timer);
	loop_fd_remove(approval->watch);
	tty_close(&approval->terminal);
	free(approval->tool_name);
	free(approval->tool_id);
	buffer_free(&approval->call);
	buffer_free(&approval->question);
	buffer_free(&approval->answer);
	free(approval);
}

/* Leave the queue for the terminal. If this question was the first, show the next one: by a timer,
 * because it may be cancelled as well. */
static void leave_queue(struct approval *approval)
{
	struct approval **at = &approval->policy->waiting;
	bool was_first = *at == approval;

	while (*at != NULL && *at != approval)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = approval->next;
	if (was_first && *at != NULL && !approval->policy->quitting)
		(*at)->timer = loop_timer_add((*at)->loop, 0, show, *at);
}

static void decide(struct approval *approval, bool approved, const char *by, struct span reason)
{
	struct approval_handler handler = approval->handler;
	struct buffer text = {0};

	utf8_add(&text, reason);
	leave_queue(approval);
	release(approval);
	handler.decided(handler.context, approved, by, buffer_string(&text));
	buffer_free(&text);
}

/* ---- asking the user ---- */

static bool is_word(struct span answer, const char *word)
{
	return answer.len > 0 && answer.len <= strlen(word) &&
	       strncasecmp(answer.at, word, answer.len) == 0;
}

/* Write as much of the question as the terminal takes; the loop calls again for the rest. */
static void write_question_part(struct approval *approval)
{
	struct buffer *question = &approval->question;
	ssize_t n =
	    question->len > 0 ? write(approval->terminal.fd, question->at, question->len) : 0;

	if (n > 0)
		buffer_drop(question, (size_t)n);
	loop_fd_change(approval->watch, question->len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* Write the next page of the call. The question whether it may run follows the last one. */
static void write_page(struct approval *approval)
{
	enum { QUESTION_ROWS = 3 };
	struct buffer *call = &approval->call, *out = &approval->question;
	struct tty_size size = tty_size(approval->terminal.fd);
	struct span page = buffer_span(call);

	if (size.rows > 0 && size.columns > 0)
		page = call_text_page(
		    page, size.rows > QUESTION_ROWS ? size.rows - QUESTION_ROWS : 1, size.columns);
	buffer_add_span(out, page);
	if (!span_ends(page, "\n"))
		buffer_add_char(out, '\n');
	buffer_drop(call, page.len);
	if (call->len == 0)
		buffer_add_text(out,
				"Run it? [y]es, [N]o, [a]lways this tool, [q]uit, or why not: ");
	else
		buffer_add_format(out, "%zu more lines: [Enter], [n]o, [q]uit, or why not: ",
				  call_text_rows(buffer_span(call), size.columns));
	write_question_part(approval);
}

/* Decide by the line that the user has typed. Before all of the call was shown, yes shows more. */
static void answered(struct approval *approval)
{
	struct approval_policy *policy = approval->policy;
	struct span answer = span_trim(buffer_span(&approval->answer));
	bool quit = is_word(answer, "quit"), always = is_word(answer, "always");
	bool approved = always || is_word(answer, "yes");

	if (approval->call.len > 0 && (approved || answer.len == 0) && !approval->at_end) {
		buffer_clear(&approval->answer);
		write_page(approval);
		return;
	}
	approved = approved && approval->call.len == 0;
	always = always && approved;
	if (always)
		add_always(policy, approval->tool_id);
	if (quit)
		policy->quitting = true;
	decide(approval, approved, "user",
	       approved || quit || is_word(answer, "no") ? SPAN("") : answer);
	if (quit && policy->quit != NULL)
		policy->quit(policy->quit_context);
}

static void typed(void *context, int events)
{
	struct approval *approval = context;
	char bytes[1024];
	ssize_t got;

	if (events & LOOP_WRITE)
		write_question_part(approval);
	if (!(events & (LOOP_READ | LOOP_HANGUP)))
		return;
	got = read(approval->terminal.fd, bytes, sizeof(bytes));
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got > 0)
		buffer_add(&approval->answer, bytes, (size_t)got);
	else
		dprintf(approval->terminal.fd, "\n");
	approval->at_end = got <= 0;
	if (got <= 0 || memchr(bytes, '\n', (size_t)got) != NULL)
		answered(approval);
}

/* The time is over without an answer. Discard a half-typed line, so that the next reader of the
 * terminal does not get it. A terminal that is stopped (^S) does not show the message. */
static void time_is_up(void *context)
{
	struct approval *approval = context;
	struct buffer why = {0};

	approval->timer = NULL;
	buffer_add_format(&why, "nobody answered within %g second%s (--approval-timeout)",
			  approval->policy->timeout, plural(approval->policy->timeout));
	tcflush(approval->terminal.fd, TCIFLUSH);
	dprintf(approval->terminal.fd, "\n%s\n", buffer_string(&why));
	decide(approval, false, "policy", buffer_span(&why));
	buffer_free(&why);
}

/* Show the question, which is the first in the queue. Discard input that was typed before. */
static void show(void *context)
{
	struct approval *approval = context;
	struct tty *terminal = &approval->terminal;
	double timeout = approval->policy->timeout;
	const char *why = NULL;

	approval->timer = NULL;
	if (is_always(approval->policy, approval->tool_id)) {
		decide(approval, true, "user", SPAN(""));
		return;
	}
	why = tty_open(terminal);
	if (why == NULL && !tty_lock(terminal)) {
		tty_close(terminal);
		approval->timer = loop_timer_add(approval->loop, LOCK_INTERVAL, show, approval);
		return;
	}
	if (why == NULL) {
		approval->watch =
		    loop_fd_add(approval->loop, terminal->fd, LOOP_READ, typed, approval);
		why = approval->watch == NULL ? "the terminal cannot be waited for" : NULL;
	}
	if (why != NULL) {
		decide(approval, false, "policy", span_of(why));
		return;
	}
	tcflush(terminal->fd, TCIFLUSH);
	tty_begin_line(terminal->fd, &approval->question);
	write_page(approval);
	if (timeout > 0)
		approval->timer = loop_timer_add(approval->loop, clock_nanoseconds(timeout),
						 time_is_up, approval);
}

static void enqueue(struct approval *approval)
{
	struct approval **at = &approval->policy->waiting;

	while (*at != NULL)
		at = &(*at)->next;
	*at = approval;
	if (approval->policy->waiting == approval)
		approval->timer = loop_timer_add(approval->loop, 0, show, approval);
}

/* ---- asking a program ---- */

static void printed(void *context, struct span bytes)
{
	struct approval *approval = context;
	size_t room = MAX_REASON - approval->answer.len;

	buffer_add(&approval->answer, bytes.at, bytes.len < room ? bytes.len : room);
}

static void ended(void *context, const struct process_end *end)
{
	struct approval *approval = context;
	struct buffer reason = {0};
	struct span output = span_trim(buffer_span(&approval->answer));

	approval->process = NULL;
	buffer_add_span(&reason, output);
	if (end->outcome != PROCESS_EXITED || (output.len == 0 && end->value > 1)) {
		buffer_add_text(&reason, output.len > 0 ? "; " : "");
		buffer_add_text(&reason, "the program that approves calls failed: ");
		process_describe_end(&reason, end);
	}
	decide(approval, end->outcome == PROCESS_EXITED && end->value == 0, "hook",
	       buffer_span(&reason));
	buffer_free(&reason);
}

/* If there is a terminal, the program stays in our process group, so that it can ask there. Without
 * a terminal it gets its own group, so that it can be stopped with all its children. */
static bool has_terminal(void)
{
	struct tty terminal;
	bool has = tty_open(&terminal) == NULL;

	tty_close(&terminal);
	return has;
}

static void ask_program(struct approval *approval, struct span tool_call_id, struct span args,
			char *const *environment)
{
	char *command = mem_copy(span_of(approval->policy->command));
	char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, command, NULL};
	struct process_handler handler = {approval, printed, NULL, ended};
	struct buffer call = {0};
	struct process_command process = {.argv = argv,
					  .environment = environment,
					  .timeout = approval->policy->timeout,
					  .shares_group = has_terminal()};

	json_open(&call, '{');
	json_put_string(&call, "tool_call_id", tool_call_id);
	json_put_text(&call, "tool_name", approval->tool_name);
	json_put_raw(&call, "args", args);
	json_close(&call, '}');
	buffer_add_char(&call, '\n');
	process.input = buffer_span(&call);
	approval->process = process_start(approval->loop, &process, &handler);
	buffer_free(&call);
	free(command);
}

struct approval *approval_ask(struct loop *loop, struct approval_policy *policy,
			      const struct tool *tool, struct span tool_call_id, struct span args,
			      char *const *environment, const struct approval_handler *handler)
{
	struct approval *approval = mem_zero(sizeof(*approval));

	approval->loop = loop;
	approval->policy = policy;
	approval->handler = *handler;
	approval->terminal = (struct tty){TTY_CLOSED, TTY_CLOSED};
	approval->tool_name = mem_copy(span_of(tool->name));
	approval->tool_id = mem_format("%s %s", tool->source, tool->name);
	if (policy->command != NULL) {
		ask_program(approval, tool_call_id, args, environment);
	} else {
		buffer_add_format(&approval->call, "%s: the model wants to run ", program_name());
		call_text_add(&approval->call, tool->name, args);
		enqueue(approval);
	}
	return approval;
}

void approval_cancel(struct approval *approval)
{
	if (approval == NULL)
		return;
	process_cancel(approval->process, 0);
	if (approval->watch != NULL)
		dprintf(approval->terminal.fd, "\n");
	leave_queue(approval);
	release(approval);
}
