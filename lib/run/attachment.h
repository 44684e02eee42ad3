/*
 * attachment: files that are sent with the prompt, as parts of a neutral message (model/model.h).
 */
#ifndef RUN_ATTACHMENT_H
#define RUN_ATTACHMENT_H

#include "base/error.h"
#include "json/json.h"

/* The largest size of all attachments of a run as JSON: one event, of at most 16 MiB, has them. */
enum { ATTACHMENT_MAX = 14 * 1024 * 1024 };

/* Append `bytes`, the contents of the file `path` ("-": standard input), to `parts`, the inside of
 * a JSON array. The type is detected from the content: an image (PNG, JPEG, GIF, WebP), a PDF
 * document, or UTF-8 text, which becomes a text part that names the file. False with a usage error
 * for anything else, and for more than ATTACHMENT_MAX. */
bool attachment_add(const char *path, struct span bytes, struct buffer *parts, struct error *e);

#endif
