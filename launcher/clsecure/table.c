/* Tables for people. */
#include "config.h"
#include "launcher/clsecure/ui.h"

#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <wchar.h>

#define GAP 2 /* blanks between columns */

size_t text_width(const char *text)
{
	mbstate_t state = {0};
	size_t width = 0;

	while (*text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		int w;

		if (n == 0 || n > MB_CUR_MAX) { /* not of this locale: a byte is a column */
			n = 1;
			state = (mbstate_t){0};
			w = 1;
		} else
			w = wcwidth(c);
		width += w > 0 ? (size_t)w : 0;
		text += n;
	}
	return width;
}

/* Prints what of text fits in `room` columns. */
static size_t print_cut(FILE *f, const char *text, size_t room)
{
	mbstate_t state = {0};
	size_t width = 0;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): every cell is filled */
	while (*text) {
		wchar_t c = 0;
		size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state), w = 1;

		if (n == 0 || n > MB_CUR_MAX) {
			n = 1;
			state = (mbstate_t){0};
		} else
			w = wcwidth(c) > 0 ? (size_t)wcwidth(c) : 0;
		if (width + w > room)
			break;
		fwrite(text, 1, n, f);
		width += w;
		text += n;
	}
	return width;
}

static void cells_free(char **cells)
{
	for (size_t i = 0; cells && cells[i]; i++)
		free(cells[i]);
	free(cells);
}

static void cells_freep(char ***cells)
{
	cells_free(*cells);
}

static size_t terminal(bool lines)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return lines ? size.ws_row : size.ws_col;
}

/* A pager that gets the table when it is longer than the terminal, or NULL. */
static FILE *open_pager(const struct cli *c, size_t rows)
{
	const char *pager = getenv("PAGER");

	if (c->no_pager || terminal(true) == 0 || rows < terminal(true) || !isatty(STDIN_FILENO))
		return NULL;
	if (pager && (streq(pager, "") || streq(pager, "cat")))
		return NULL;
	return popen(pager ?: "less -FRX", "we");
}

static void print_row(FILE *f, size_t columns, char *const *cells, const size_t *width, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < columns; i++) {
		bool last = i + 1 == columns;
		size_t left = room > used ? room - used : 1;
		size_t n = print_cut(f, cells[i], last && room > 0 ? left : SIZE_MAX);

		for (; !last && n < width[i] + GAP; n++)
			fputc(' ', f);
		used += n;
	}
	fputc('\n', f);
}

/* Copies that a terminal can be given. */
static char **clean_cells(size_t n, const char *const *cells)
{
	char **copies = calloc(n + 1, sizeof(*copies));

	for (size_t i = 0; copies && i < n; i++) {
		copies[i] = strdup(cells[i]);
		if (!copies[i]) {
			cells_free(copies);
			return NULL;
		}
		text_clean(copies[i]);
	}
	return copies;
}

void table_print(const struct cli *c, size_t columns, size_t rows, const char *const *raw)
{
	_cleanup_(cells_freep) char **cells = clean_cells(rows * columns, raw);
	_cleanup_free_ size_t *width = calloc(columns, sizeof(*width));
	size_t room = terminal(false);
	FILE *pager, *f;

	if (!width || !cells)
		return;
	for (size_t i = 0; i < rows * columns; i++) {
		size_t w = text_width(cells[i]);

		if (w > width[i % columns])
			width[i % columns] = w;
	}
	pager = open_pager(c, rows);
	f = pager ?: stdout;
	if (pager)
		signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < rows; i++)
		print_row(f, columns, cells + i * columns, width, room);
	if (pager)
		pclose(pager);
}
