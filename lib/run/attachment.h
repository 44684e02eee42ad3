/*
 * attachment: files that go with the prompt, as parts of a neutral message (lib/model/model.h).
 */
#ifndef RUN_ATTACHMENT_H
#define RUN_ATTACHMENT_H

#include "base/message.h"
#include "json/json.h"

/* What all attachments of a run may measure as JSON: they travel in one event, which has 16 MiB. */
enum { ATTACHMENT_MAX = 14 * 1024 * 1024 };

/* Append `path` ("-": standard input) to `parts`, the inside of a JSON array. What it is is told
 * from its bytes: an image (PNG, JPEG, GIF, WebP), a PDF document, or UTF-8 text, which becomes a
 * text part that names the file. False with a usage error for anything else, and for more than
 * ATTACHMENT_MAX. */
bool attachment_add(const char *path, struct buffer *parts, struct error *e);

#endif
