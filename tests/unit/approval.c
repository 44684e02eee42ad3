#define _XOPEN_SOURCE   700
#define _DEFAULT_SOURCE /* usleep */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tool/approval.h"
#include "tool/call_text.h"
#include "tool/manifest.h"
#include "unit.h"

struct decision {
	struct loop *loop;
	bool decided, approved;
	char *by, *reason;
	int *pending; /* decisions still to come */
};

static void decided(void *context, bool approved, const char *by, const char *reason)
{
	struct decision *decision = context;

	decision->decided = true;
	decision->approved = approved;
	decision->by = mem_copy(span_of(by));
	decision->reason = mem_copy(span_of(reason));
	if (--*decision->pending == 0)
		loop_stop(decision->loop);
}

static struct tool *tool_named(const char *name, bool approval)
{
	struct buffer manifest = {0};
	struct tool *tool;

	buffer_add_format(&manifest, "{\"name\":\"%s\",\"command\":[\"true\"],\"approval\":%s}",
			  name, approval ? "true" : "false");
	tool = manifest_read(buffer_span(&manifest), "test", "", NULL, NULL);
	buffer_free(&manifest);
	return tool;
}

/* ---- the text of a call ---- */

static void shows(const char *args, const char *want)
{
	struct buffer text = {0};

	call_text_add(&text, "t", span_of(args));
	unit_same(buffer_span(&text), span_of(want), args);
	buffer_free(&text);
}

static void test_text(void)
{
	shows("{}", "t {}\n");
	shows("{ \"a\" : [1.10, \"\\u0041\\\\\"] }", "t {\"a\":[1.10,\"A\\\\\"]}\n");
	shows("{\"a\":\"x\\ny\"}", "t\n  \"a\":\n  | x\n  | y\n");
	shows("{\"b\":{\"c\":\"x\\ny\"}}", "t {\"b\":{\"c\":\"x\\ny\"}}\n");
	shows("{\"a\":\"\\n\\n\\n\\nx\",\"b\":2}",
	      "t\n  \"a\":\n  (4 empty lines)\n  | x\n  \"b\": 2\n");
	shows("{\"a\":\"\\u200b\\udb40\\udc41\\u3164\"}",
	      "t {\"a\":\"\\u{200b}\\u{e0041}\\u{3164}\"}\n");
	shows("{\"a\":\"                                        .\"}",
	      "t {\"a\":\"                                        .\"}\n");
	shows("{\"a\":\"                                         \"}", "t {\"a\":\"\\x20{41}\"}\n");
}

static void test_pages(void)
{
	struct span text = SPAN("one\ntwo and a half\nthree\n");

	unit_same(call_text_page(text, 3, 10), SPAN("one\ntwo and a half\n"),
		  "a page counts the rows of long lines");
	unit_same(call_text_page(text, 2, 10), SPAN("one\n"), "a line is on one page");
	unit_same(call_text_page(span_from(text, 4), 1, 10), SPAN("two and a "),
		  "unless it is longer than a page");
	unit_same(call_text_page(SPAN("\xE6\xBC\xA2."), 1, 1), SPAN("\xE6\xBC\xA2"),
		  "a page has a character, however narrow it is");
	unit_ok(call_text_rows(text, 10) == 4, "the rows of a text are counted");
}

/* ---- rules ---- */

static void rule(struct approval_policy *policy, const char *name, bool approval,
		 enum approval_rule want, const char *sentence)
{
	struct tool *tool = tool_named(name, approval);

	unit_ok(approval_rule_for(policy, tool) == want, "%s", sentence);
	tool_free(tool);
}

static void test_rules(void)
{
	struct approval_policy policy = {0};

	rule(&policy, "any", false, APPROVAL_NONE, "without rules a tool runs freely");
	rule(&policy, "any", true, APPROVAL_ASK, "unless it asks to be asked for");
	patterns_add(&policy.rules[APPROVAL_DENY], "deny", "rm_*,kill", NULL);
	patterns_add(&policy.rules[APPROVAL_ASK], "ask", "write_*", NULL);
	patterns_add(&policy.rules[APPROVAL_ALLOW], "allow", "*", NULL);
	rule(&policy, "read", true, APPROVAL_ALLOW, "--allow overrides the tool's own wish");
	rule(&policy, "write_x", false, APPROVAL_ASK, "ask is stricter than allow");
	rule(&policy, "rm_x", false, APPROVAL_DENY, "deny is the strictest");
	rule(&policy, "kill", false, APPROVAL_DENY, "as for each name of its list");
	patterns_add(&policy.rules[APPROVAL_ASK], "ask", "rm_*", NULL);
	rule(&policy, "rm_x", false, APPROVAL_DENY, "whatever the order");
	approval_free(&policy);
}

/* ---- programs ---- */

static void hook(const char *command, bool approved, const char *reason, const char *sentence)
{
	int pending = 1;
	struct decision decision = {.loop = loop_new(), .pending = &pending};
	struct approval_handler handler = {&decision, decided};
	struct approval_policy policy = {.command = command};
	struct tool *tool = tool_named("shell", true);
	char *environment[] = {(char[]){"PATH=/usr/bin:/bin"}, NULL};

	approval_ask(decision.loop, &policy, tool, SPAN("call_1"), SPAN("{\"command\": \"ls\"}"),
		     environment, &handler);
	loop_run(decision.loop);
	unit_ok(decision.approved == approved && strcmp(decision.by, "hook") == 0, "%s", sentence);
	unit_same(span_of(decision.reason), span_of(reason), "with its reason");
	free(decision.by);
	free(decision.reason);
	tool_free(tool);
	loop_free(decision.loop);
	approval_free(&policy);
}

static void test_hook(void)
{
	hook("cat", true,
	     "{\"tool_call_id\":\"call_1\",\"tool_name\":\"shell\",\"args\":{\"command\": \"ls\"}}",
	     "a program gets the call as JSON and approves with status 0");
	hook("echo ' not today'; exit 1", false, "not today", "or denies with another");
	hook("exit 1", false, "", "a silent no");
	hook("exit 7", false, "the program that approves calls failed: exit status 7",
	     "a program that fails denies");
	hook("kill -9 $$", false,
	     "the program that approves calls failed: killed by signal 9 (Killed)",
	     "a program that dies denies");
	hook("printf 'bad \\377'", true, "bad \xef\xbf\xbd", "reasons are UTF-8");
	hook("yes no | tr -d '\\n' | head -c 100000 | tail -c 5; exit 1", false, "onono",
	     "a program may be a pipeline");
}

/* ---- a person at a terminal ---- */

struct person {
	struct loop *loop;
	int master;
	struct loop_fd *watch;
	struct buffer seen;
	const char **answers; /* typed one after the other, each when a question stands there */
	size_t asked;
};

static size_t count_of(struct span text, const char *needle)
{
	size_t count = 0;

	for (size_t i = 0; i + strlen(needle) <= text.len; i++)
		count += memcmp(text.at + i, needle, strlen(needle)) == 0;
	return count;
}

static void screen_changed(void *context, int events)
{
	struct person *person = context;
	char bytes[4096];
	ssize_t got = read(person->master, bytes, sizeof bytes);

	(void)events;
	if (got > 0)
		buffer_add(&person->seen, bytes, (size_t)got);
	if (count_of(buffer_span(&person->seen), "why not: ") > person->asked) {
		const char *answer = person->answers[person->asked++];

		if (answer != NULL)
			write_all(person->master, span_of(answer));
	}
}

/* Begin a session whose controlling terminal is a new pseudo terminal; returns its other end. */
static int new_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct termios settings;

	setsid();
	signal(SIGHUP, SIG_IGN); /* comes when the terminal goes */
	grantpt(master);
	unlockpt(master);
	slave = open(ptsname(master), O_RDWR);
	ioctl(slave, TIOCSCTTY, 0);
	tcgetattr(slave, &settings);
	settings.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(slave, TCSANOW, &settings);
	return master;
}

/* Ask for each of the calls at once and let the person answer. */
static void ask_all(struct person *person, struct approval_policy *policy,
		    struct decision *decisions, const char **calls, size_t count)
{
	int pending = (int)count;

	for (size_t i = 0; i < count; i++) {
		struct tool *tool = tool_named(calls[2 * i], true);
		struct approval_handler handler = {&decisions[i], decided};

		decisions[i] = (struct decision){.loop = person->loop, .pending = &pending};
		approval_ask(person->loop, policy, tool, SPAN("id"), span_of(calls[2 * i + 1]),
			     NULL, &handler);
		tool_free(tool);
	}
	loop_run(person->loop);
}

static void is_decided(struct decision *decision, bool approved, const char *by, const char *reason,
		       const char *sentence)
{
	unit_ok(decision->approved == approved && strcmp(decision->by, by) == 0 &&
		    strcmp(decision->reason, reason) == 0,
		"%s (got %s by %s: \"%s\")", sentence, decision->approved ? "yes" : "no",
		decision->by, decision->reason);
	free(decision->by);
	free(decision->reason);
}

static void test_person(void)
{
	const char *answers[] = {"y\n", "n\n", "\n", "use ls instead\n", "a\n", "\004", "YES\n"};
	/* NOLINTNEXTLINE(misc-misleading-bidirectional) */
	static const char steering[] = "{\"x\":\"\x1b]0;a\x07\xe2\x80\xae\"}";
	const char *calls[] = {"shell", "{\"command\":\"ls \\u001b[2J\"}",
			       "shell", "{}",
			       "shell", "{}",
			       "shell", "{}",
			       "list",  steering,
			       "list",  "{}",
			       "other", "{}",
			       "other", "{\n}"};
	struct person person = {.loop = loop_new(), .master = new_terminal(), .answers = answers};
	struct approval_policy policy = {0};
	struct decision decisions[8];

	person.watch = loop_fd_add(person.loop, person.master, LOOP_READ, screen_changed, &person);
	ask_all(&person, &policy, decisions, calls, 8);
	is_decided(&decisions[0], true, "user", "", "y approves");
	is_decided(&decisions[1], false, "user", "", "n denies");
	is_decided(&decisions[2], false, "user", "", "an empty line denies");
	is_decided(&decisions[3], false, "user", "use ls instead", "any other text is the reason");
	is_decided(&decisions[4], true, "user", "", "a approves");
	is_decided(&decisions[5], true, "user", "", "and every later call of that tool");
	is_decided(&decisions[6], false, "user", "", "the end of input denies");
	is_decided(&decisions[7], true, "user", "", "yes may be spelt out");
	unit_ok(person.asked == 7, "one question at a time, seven in all");
	unit_ok(count_of(buffer_span(&person.seen), "\x1b") == 0 &&
		    /* NOLINTNEXTLINE(misc-misleading-bidirectional) */
		    count_of(buffer_span(&person.seen), "\xe2\x80\xae") == 0,
		"what could steer the terminal is not sent to it");
	unit_ok(
	    span_starts(
		buffer_span(&person.seen),
		"approval: the model wants to run shell {\"command\":\"ls "
		"\\u001b[2J\"}\r\nRun it? [y]es, [N]o, [a]lways this tool, [q]uit, or why not: "),
	    "the question names the tool and shows the arguments");
	loop_fd_remove(person.watch);
	buffer_free(&person.seen);
	approval_free(&policy);
	loop_free(person.loop);
	close(person.master);
}

static void stop_loop(void *context)
{
	loop_stop(context);
}

static void test_cancel(void)
{
	const char *answers[] = {NULL, "y\n"};
	struct person person = {.loop = loop_new(), .master = new_terminal(), .answers = answers};
	struct approval_policy policy = {0};
	struct tool *tool = tool_named("shell", true);
	int pending = 1;
	struct decision decision = {.loop = person.loop, .pending = &pending};
	struct approval_handler handler = {&decision, decided};
	struct approval *first, *second;

	person.watch = loop_fd_add(person.loop, person.master, LOOP_READ, screen_changed, &person);
	first = approval_ask(person.loop, &policy, tool, SPAN("1"), SPAN("{}"), NULL, &handler);
	second = approval_ask(person.loop, &policy, tool, SPAN("2"), SPAN("{}"), NULL, &handler);
	approval_ask(person.loop, &policy, tool, SPAN("3"), SPAN("{}"), NULL, &handler);
	while (person.asked == 0) {
		loop_timer_add(person.loop, 10000000, stop_loop, person.loop);
		loop_run(person.loop);
	}
	approval_cancel(second);
	approval_cancel(first);
	loop_run(person.loop);
	unit_ok(decision.approved && person.asked == 2,
		"questions can be cancelled, shown or waiting, and the next is shown");
	free(decision.by);
	free(decision.reason);
	loop_fd_remove(person.watch);
	buffer_free(&person.seen);
	approval_free(&policy);
	tool_free(tool);
	loop_free(person.loop);
	close(person.master);
}

static void test_no_terminal(void)
{
	const char *calls[] = {"shell", "{}"};
	struct person person = {.loop = loop_new()};
	struct approval_policy policy = {0};
	struct decision decision;

	setsid();
	ask_all(&person, &policy, &decision, calls, 1);
	is_decided(&decision, false, "policy",
		   "it needs a yes, and there is no terminal to ask on (--allow or --approve-with "
		   "decide without one)",
		   "without a terminal the answer is no");
	loop_free(person.loop);
	approval_free(&policy);
}

/* Terminals belong to sessions, and only a new process can begin one. The counts of the checks go
 * on from there. */
static void in_new_session(void (*test)(void))
{
	int counts[2], fds[2];
	pid_t child;

	fflush(stdout);
	if (pipe(fds) != 0 || (child = fork()) < 0) {
		printf("Bail out! no process\n");
		exit(2);
	}
	if (child == 0) {
		test();
		counts[0] = unit_count;
		counts[1] = unit_failures;
		fflush(stdout);
		exit(write(fds[1], counts, sizeof counts) == sizeof counts ? 0 : 1);
	}
	close(fds[1]);
	if (read(fds[0], counts, sizeof counts) != sizeof counts) {
		printf("Bail out! a test died\n");
		exit(2);
	}
	unit_count = counts[0];
	unit_failures = counts[1];
	close(fds[0]);
	waitpid(child, NULL, 0);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8"); /* for utf8_columns */
	test_text();
	test_pages();
	test_rules();
	test_hook();
	in_new_session(test_no_terminal);
	in_new_session(test_person);
	in_new_session(test_cancel);
	return unit_done();
}
