#include "net/ndjson.h"

#include "net/limits.h"

void ndjson_init(struct ndjson *ndjson, void (*line)(void *context, struct span line),
		 void *context)
{
	*ndjson = (struct ndjson){.line = line, .context = context};
}

void ndjson_free(struct ndjson *ndjson)
{
	buffer_free(&ndjson->pending);
}

static void deliver(struct ndjson *ndjson, struct span line)
{
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (span_trim(line).len > 0)
		ndjson->line(ndjson->context, line);
}

static bool add_pending(struct ndjson *ndjson, struct span piece)
{
	if (piece.len > NET_MAX_LINE - ndjson->pending.len)
		return false;
	buffer_add_span(&ndjson->pending, piece);
	return true;
}

bool ndjson_feed(struct ndjson *ndjson, struct span bytes)
{
	const char *newline;

	while (bytes.len > 0 && (newline = memchr(bytes.at, '\n', bytes.len)) != NULL) {
		struct span line = {bytes.at, (size_t)(newline - bytes.at)};

		bytes = span_from(bytes, line.len + 1);
		if (ndjson->pending.len == 0) {
			if (line.len > NET_MAX_LINE)
				return false;
			deliver(ndjson, line);
			continue;
		}
		if (!add_pending(ndjson, line))
			return false;
		deliver(ndjson, buffer_span(&ndjson->pending));
		buffer_clear(&ndjson->pending);
	}
	return add_pending(ndjson, bytes);
}

void ndjson_end(struct ndjson *ndjson)
{
	if (ndjson->pending.len > 0)
		deliver(ndjson, buffer_span(&ndjson->pending));
	buffer_clear(&ndjson->pending);
}
