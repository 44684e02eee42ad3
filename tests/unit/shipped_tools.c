/* The tools in share/agent/tools, each called as agent-run calls it, in a folder of odd files. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include <sys/stat.h>
#include <unistd.h>

#include "schema/schema.h"
#include "tool/tool.h"
#include "unit.h"

struct answer {
	struct loop *loop;
	struct buffer text;
	int exit_status;
};

static void answered(void *context, const struct tool_result *result)
{
	struct answer *answer = context;

	buffer_add_span(&answer->text, result->text);
	answer->exit_status = result->exit_status;
	loop_stop(answer->loop);
}

static struct tool_set set;
static char *root; /* "AGENT_ROOT=..."; NULL: not set */

static void check(const char *name, const char *args, int exit_status, const char *want,
		  const char *sentence)
{
	static const struct tool_limits limits = {.timeout = 20, .max_result = TOOL_MAX_RESULT};
	const struct tool *tool = tool_set_find(&set, span_of(name));
	struct answer answer = {.loop = loop_new()};
	struct tool_handler handler = {.context = &answer, .done = answered};
	char *environment[] = {(char[]){"PATH=/usr/bin:/bin"}, (char[]){"CDPATH=/"}, root, NULL};
	const struct tool_request request = {.loop = answer.loop,
					     .args = span_of(args),
					     .environment = environment,
					     .limits = limits};

	unit_ok(schema_check(tool->schema, span_of(args), NULL), "%s takes %s", name, args);
	tool_start(tool, &request, &handler);
	loop_run(answer.loop);
	unit_same(buffer_span(&answer.text), span_of(want), sentence);
	unit_ok(answer.exit_status == exit_status, "%s: exit status", sentence);
	loop_free(answer.loop);
	buffer_free(&answer.text);
}

static void make_file(const char *name, struct span text)
{
	FILE *file = fopen(name, "w");

	if (file == NULL || fwrite(text.at, 1, text.len, file) != text.len || fclose(file) != 0)
		printf("Bail out! cannot write %s\n", name);
}

static void make_files(void)
{
	make_file("plain.txt", SPAN("one\ntwo\nthree\nfour"));
	make_file("-dash", SPAN("dash\n"));
	make_file("a b\nc", SPAN("odd\n"));
	make_file("binary", SPAN("a\0b"));
	make_file("empty", SPAN(""));
	make_file("latin1", SPAN("caf\xe9\n"));
	make_file("prog", SPAN("#!/bin/sh\n"));
	make_file(".hidden", SPAN(""));
	chmod("prog", 0755);
	if (mkdir("usr", 0755) != 0 || mkdir("-dir", 0755) != 0 ||
	    symlink("nowhere", "link") != 0 || mkfifo("fifo", 0644) != 0)
		printf("Bail out! cannot make files\n");
	make_file("-dir/in", SPAN(""));
}

static void remove_files(void)
{
	static const char *const files[] = {"plain.txt", "-dash", "a b\nc",  "binary", "empty",
					    "latin1",    "prog",  ".hidden", "link",   "fifo",
					    "-dir/in",   "-dir",  "usr"};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)remove(files[i]);
}

static void test_read_file(void)
{
	const char *tool = "read_file";

	check(tool, "{\"path\":\"plain.txt\"}", 0, "one\ntwo\nthree\nfour", "a file");
	check(tool, "{\"path\":\"plain.txt\",\"offset\":3}", 0, "three\nfour", "from a line on");
	check(tool, "{\"path\":\"plain.txt\",\"limit\":2}", 0, "one\ntwo\n", "some lines");
	check(tool, "{\"path\":\"plain.txt\",\"offset\":2,\"limit\":2}", 0, "two\nthree\n",
	      "some lines from a line on");
	check(tool, "{\"path\":\"plain.txt\",\"offset\":9}", 0, "", "behind the end");
	check(tool, "{\"path\":\"-dash\"}", 0, "dash\n", "a name with a dash first");
	check(tool, "{\"path\":\"a b\\nc\"}", 0, "odd\n", "a name with a blank and a newline");
	check(tool, "{\"path\":\"empty\"}", 0, "", "an empty file");
	check(tool, "{\"path\":\"latin1\"}", 0, "caf\xef\xbf\xbd\n", "text that is not UTF-8");
	check(tool, "{\"path\":\"binary\"}", 1,
	      "read_file: binary: is a binary file, not text\nexit status 1", "a binary file");
	check(tool, "{\"path\":\"none\"}", 1, "read_file: none: no such file\nexit status 1",
	      "no file");
	check(tool, "{\"path\":\"usr\"}", 1,
	      "read_file: usr: is a directory; list_dir shows what is in it\nexit status 1",
	      "a directory");
	check(tool, "{\"path\":\"fifo\"}", 1,
	      "read_file: fifo: is not a regular file\nexit status 1", "a fifo");
}

static void test_list_dir(void)
{
	const char *all =
	    ".hidden\n-dash\n-dir/\n\"a b\\nc\"\nbinary\nempty\nfifo\nlatin1\nlink@\nplain.txt\n"
	    "prog*\nusr/\n";

	check("list_dir", "{\"path\":\".\"}", 0, all, "a directory");
	check("list_dir", "{}", 0, all, "this one when none is named");
	check("list_dir", "{\"path\":\"-dir\"}", 0, "in\n", "a name with a dash first");
	check("list_dir", "{\"path\":\"usr\"}", 0, "", "an empty one, whatever CDPATH says");
	check("list_dir", "{\"path\":\"none\"}", 1,
	      "list_dir: none: no such directory\nexit status 1", "none");
	check("list_dir", "{\"path\":\"empty\"}", 1,
	      "list_dir: empty: is not a directory; read_file reads files\nexit status 1",
	      "a file");
}

/* The error of a path that leads out of `folder`. */
static void check_outside(const char *tool, const char *path, const char *folder)
{
	char *args = mem_format("{\"path\":\"%s\"}", path);
	char *want = mem_format("%s: %s: is outside of %s, below which files can be read\n"
				"exit status 1",
				tool, path, folder);

	check(tool, args, 1, want, path);
	free(args);
	free(want);
}

static void test_root(void)
{
	static const char *const outside[] = {
	    "..",         "/etc/passwd", "/nowhere/x", "up/x",
	    "etc/passwd", "usr/../../x", "/",          "/proc/self/root/etc/passwd"};
	char *here = realpath(".", NULL), *path;

	if (symlink("/etc", "etc") != 0 || symlink("..", "up") != 0 || symlink("-dir", "in") != 0)
		printf("Bail out! cannot make links\n");
	for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
		check_outside("read_file", outside[i], here);
		check_outside("list_dir", outside[i], here);
	}
	check("read_file", "{\"path\":\"usr/../in/../plain.txt\",\"limit\":1}", 0, "one\n",
	      "links and .. that stay below the root");
	path = mem_format("{\"path\":\"%s/in\"}", here);
	check("list_dir", path, 0, "in\n", "an absolute path below the root");
	free(path);
	root = (char[]){"AGENT_ROOT=-dir"};
	check("list_dir", "{\"path\":\"in\"}", 0, "in\n", "a root, below which a path leads");
	check("list_dir", "{}", 0, "in\n", "where the working directory is not");
	check("read_file", "{\"path\":\"in/in\"}", 0, "", "a path from the working directory");
	check("read_file", "{\"path\":\"in\"}", 1,
	      "read_file: in: is a directory; list_dir shows what is in it\nexit status 1",
	      "goes before one from the root");
	check("read_file", "{\"path\":\"./in\"}", 1,
	      "read_file: ./in: is a directory; list_dir shows what is in it\nexit status 1",
	      "as it does with a dot");
	path = mem_format("%s/-dir", here);
	check("read_file", "{\"path\":\"plain.txt\"}", 1,
	      "read_file: plain.txt: no such file\nexit status 1",
	      "what is outside does not exist");
	check_outside("list_dir", "..", path);
	free(path);
	root = (char[]){"AGENT_ROOT=/"};
	check("read_file", "{\"path\":\"plain.txt\",\"limit\":1}", 0, "one\n", "the root of all");
	check("read_file", "{\"path\":\"/none\"}", 1,
	      "read_file: /none: no such file\nexit status 1", "below which nothing is outside");
	root = (char[]){"AGENT_ROOT=nowhere"};
	check("list_dir", "{}", 1, "list_dir: nowhere: no such directory\nexit status 1",
	      "a root that does not exist");
	root = NULL;
	free(here);
	(void)remove("etc");
	(void)remove("up");
	(void)remove("in");
}

static void test_shell(void)
{
	unit_ok(tool_set_find(&set, SPAN("shell"))->approval, "shell asks first");
	check("shell", "{\"command\":\"echo a; echo b >&2; false\"}", 1, "a\nb\nexit status 1",
	      "stdout and stderr in order, and the status");
	check("shell", "{\"command\":\"cat; echo \\\"$0 $#\\\"\"}", 0, "sh 1\n",
	      "nothing is on stdin");
	check("shell", "{\"command\":\"-x 2>/dev/null || echo none\"}", 0, "none\n",
	      "a command with a dash first is no option");
	check("shell", "{\"command\":\"exit 5\"}", 5, "exit status 5", "exit ends it");
	check("shell", "{\"command\":\"cat <<E | tr a b\\na$((1+1))\\nE\"}", 0, "b2\n",
	      "here documents and pipelines");
}

int main(void)
{
	char folder[] = "/tmp/shipped_tools.XXXXXX", *share;
	struct error e = {0};

	share = realpath("share/agent", NULL);
	setenv("AGENT_SHARE", share, 1);
	free(share);
	if (mkdtemp(folder) == NULL || chdir(folder) != 0 ||
	    !tool_set_add(&set, "", "read_file", &e) || !tool_set_add(&set, "", "list_dir", &e) ||
	    !tool_set_add(&set, "", "shell", &e)) {
		printf("Bail out! %s\n", e.message != NULL ? e.message : folder);
		return 2;
	}
	make_files();
	test_read_file();
	test_list_dir();
	test_root();
	test_shell();
	tool_set_free(&set);
	remove_files();
	if (chdir("/") != 0 || rmdir(folder) != 0)
		printf("Bail out! %s is left behind\n", folder);
	return unit_done();
}
