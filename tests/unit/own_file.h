/*
 * own_file: a configuration folder of a test's own, in which the user's files are written. OWN_FILE
 * names the file: #define OWN_FILE "providers.json" before including.
 */
#ifndef OWN_FILE_H
#define OWN_FILE_H

#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/unit-own-XXXXXX";

/* Make the folder, and make it the one that is read. */
static void open_folder(void)
{
	if (mkdtemp(folder) == NULL) {
		printf("Bail out! cannot make %s\n", folder);
		exit(2);
	}
	setenv("XDG_CONFIG_HOME", folder, 1);
}

static void write_own(const char *text)
{
	struct buffer path = {0};
	FILE *file;

	buffer_add_format(&path, "%s/agent", folder);
	mkdir(buffer_string(&path), 0700);
	buffer_add_text(&path, "/" OWN_FILE);
	file = fopen(buffer_string(&path), "w");
	if (file == NULL) {
		printf("Bail out! cannot write %s\n", buffer_string(&path));
		exit(2);
	}
	fputs(text, file);
	fclose(file);
	buffer_free(&path);
}

static void remove_own(void)
{
	struct buffer path = {0};

	buffer_add_format(&path, "%s/agent/" OWN_FILE, folder);
	unlink(buffer_string(&path));
	path.len -= strlen("/" OWN_FILE);
	rmdir(buffer_string(&path));
	buffer_free(&path);
}

#endif
