/* The scan of strings against a byte by byte one: every length and alignment, every byte. */
#include "json/scan.h"

#include "unit.h"

enum { LENGTHS = 70, SHIFTS = 17 };

static const char *naive(const char *at, const char *end, bool *ascii)
{
	for (; at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\'; at++)
		if ((unsigned char)*at >= 0x80)
			*ascii = false;
	return at;
}

/* Scan the whole of `text` from each of its places, `text` in memory of exactly its size. */
static bool agrees(struct span text)
{
	char *copy = mem_alloc(text.len);
	bool same = true;

	memcpy(copy, text.at, text.len);
	for (size_t from = 0; from <= text.len && from < SHIFTS; from++) {
		bool ascii = true, want_ascii = true;
		const char *end = copy + text.len;
		const char *want = naive(copy + from, end, &want_ascii);

		same = same && scan_string(copy, copy + from, end, &ascii) == want &&
		       ascii == want_ascii;
		ascii = true;
		same = same && scan_string(copy + from, copy + from, end, &ascii) == want &&
		       ascii == want_ascii;
	}
	free(copy);
	return same;
}

/* Each byte at each place of each length, among plain ones and among its neighbours. */
static void bytes(void)
{
	char text[LENGTHS];
	int wrong = 0;

	for (int c = 0; c < 256; c++) {
		for (size_t len = 1; len < LENGTHS; len += len < 36 ? 1 : 7) {
			for (size_t place = 0; place < len; place++) {
				memset(text, 'x', len);
				text[place] = (char)c;
				wrong += !agrees((struct span){text, len});
				memset(text, (c + 1) % 256, len);
				text[place] = (char)c;
				wrong += !agrees((struct span){text, len});
			}
		}
	}
	unit_ok(wrong == 0, "each byte at each place of strings of each length (%d wrong)", wrong);
}

/* Two bytes that stop or are not ASCII, in each order and distance. */
static void pairs(void)
{
	static const char some[] = {'"', '\\', '\0',   '\x1F', '\x20', '#',    '!',
				    ']', '[',  '\x7F', '\x80', '\xA2', '\xDC', '\xFF'};
	char text[LENGTHS];
	int wrong = 0;

	for (size_t a = 0; a < sizeof(some); a++) {
		for (size_t b = 0; b < sizeof(some); b++) {
			for (size_t i = 0; i < 34; i++) {
				for (size_t j = i + 1; j < 34; j++) {
					memset(text, 'x', sizeof(text));
					text[i] = some[a];
					text[j] = some[b];
					wrong += !agrees((struct span){text, 34});
					wrong += !agrees((struct span){text, j + 1});
				}
			}
		}
	}
	unit_ok(wrong == 0, "two of them in each order and distance (%d wrong)", wrong);
}

/* Each byte at each place of what is to be plain. */
static void plain(void)
{
	int wrong = 0;

	for (int c = 0; c < 256; c++) {
		for (size_t len = SCAN_BLOCK; len < LENGTHS; len++) {
			for (size_t place = 0; place < len; place++) {
				char *text = mem_alloc(len);
				bool want = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

				memset(text, 'x', len);
				text[place] = (char)c;
				wrong += scan_is_plain(text, len) != want;
				free(text);
			}
		}
	}
	unit_ok(wrong == 0, "each byte at each place of plain text (%d wrong)", wrong);
}

int main(void)
{
	bool ascii = true;

	unit_ok(scan_string("", "", "", &ascii) != NULL && ascii, "nothing to scan");
	bytes();
	pairs();
	plain();
	return unit_done();
}
