#include "event/line_faults.h"

static struct span beginning(struct span text)
{
	size_t len = 0;

	while (len < text.len && strchr("(\"0123456789", text.at[len]) == NULL)
		len++;
	return (struct span){text.at, len};
}

bool line_faults_fit(const struct line_faults *f, struct span text)
{
	return f->count == 0 || span_equal(beginning(buffer_span(&f->texts[0])), beginning(text));
}

void line_faults_add(struct line_faults *f, uint64_t line, struct span text)
{
	if (f->count < LINE_FAULTS_SINGLE) {
		f->lines[f->count] = line;
		buffer_add_span(&f->texts[f->count], text);
	}
	f->last = line;
	f->count++;
}

uint64_t line_faults_take(struct line_faults *f, struct buffer *out)
{
	uint64_t line = f->count > 0 ? f->lines[0] : 0;

	buffer_add_span(out, buffer_span(&f->texts[0]));
	buffer_free(&f->texts[0]);
	if (f->count > LINE_FAULTS_SINGLE) {
		buffer_add_format(out, "; likewise %llu more lines, up to line %llu",
				  (unsigned long long)f->count - 1, (unsigned long long)f->last);
		buffer_free(&f->texts[1]);
		f->count = 0;
	} else if (f->count > 0) {
		f->lines[0] = f->lines[1];
		f->texts[0] = f->texts[1];
		f->texts[1] = (struct buffer){0};
		f->count--;
	}
	return line;
}

void line_faults_free(struct line_faults *f)
{
	for (size_t i = 0; i < LINE_FAULTS_SINGLE; i++)
		buffer_free(&f->texts[i]);
}
