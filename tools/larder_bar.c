/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_bar.h"
#include "larder_text.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The fields, in the order in which they are kept when the line gets narrow. */
struct fields {
    char percent[8];
    char bytes[2 * LARDER_TEXT_ROOM + 4];
    char rate[LARDER_TEXT_ROOM];
    char eta[LARDER_TEXT_ROOM + 8];
    char slowest[96];
};

static double share (const struct larder_bar_view *view)
{
    double part = view->bytes ? (double)view->done / (double)view->bytes : 0;
    return part > 1 ? 1 : part;
}

static void fill_fields (const struct larder_bar_view *view, struct fields *f)
{
    char done[LARDER_TEXT_ROOM], all[LARDER_TEXT_ROOM], clock[LARDER_TEXT_ROOM];
    memset (f, 0, sizeof *f);
    (void)larder_text_size (view->done, done);
    (void)larder_text_rate (view->done, view->seconds, f->rate);
    if (view->bytes == 0) {
        (void)snprintf (f->bytes, sizeof f->bytes, "%s", done);
    } else {
        double left = (double)(view->bytes - (view->done < view->bytes ? view->done : view->bytes));
        double eta = view->done ? left * view->seconds / (double)view->done : -1;
        (void)snprintf (f->percent, sizeof f->percent, "%3d %%", (int)(share (view) * 100));
        (void)snprintf (f->bytes, sizeof f->bytes, "%s of %s", done,
                        larder_text_size (view->bytes, all));
        (void)snprintf (f->eta, sizeof f->eta, "ETA %s", larder_text_clock (eta, clock));
    }
    if (view->slowest_rank >= 0 && view->slowest)
        (void)snprintf (f->slowest, sizeof f->slowest, "slowest: rank %d (%.64s)",
                        view->slowest_rank, view->slowest);
    else if (view->slowest_rank >= 0)
        (void)snprintf (f->slowest, sizeof f->slowest, "slowest: rank %d", view->slowest_rank);
}

/* Append text if it fits into limit columns; two columns of air before it. */
static size_t append (char *line, size_t length, size_t limit, const char *text)
{
    size_t n = strlen (text);
    size_t air = length ? 2 : 0;
    if (n == 0 || length + air + n > limit)
        return length;
    memset (line + length, ' ', air);
    memcpy (line + length + air, text, n + 1);
    return length + air + n;
}

static size_t append_gauge (char *line, size_t length, size_t limit, double part)
{
    enum { LEAST = 12, MOST = 32 };
    size_t air = length ? 2 : 0;
    if (limit < length + air + LEAST)
        return length;
    size_t cells = limit - length - air;
    if (cells > MOST)
        cells = MOST;
    memset (line + length, ' ', air + cells);
    char *gauge = line + length + air;
    size_t inner = cells - 2;
    size_t full = (size_t)(part * (double)inner);
    gauge[0] = '[';
    memset (gauge + 1, '=', full);
    if (full < inner)
        gauge[1 + full] = '>';
    gauge[cells - 1] = ']';
    gauge[cells] = '\0';
    return length + air + cells;
}

size_t larder_bar_line (const struct larder_bar_view *view, int width, char *line, size_t room)
{
    struct fields f;
    if (room == 0)
        return 0;
    size_t limit = width > 1 ? (size_t)width - 1 : 0;
    if (limit > room - 1)
        limit = room - 1;
    fill_fields (view, &f);
    line[0] = '\0';
    const char *const after[] = {f.percent, f.bytes, f.rate, f.eta, f.slowest};
    char tail[512] = "";
    size_t tail_length = 0;
    for (size_t i = 0; i < sizeof after / sizeof after[0]; ++i)
        tail_length =
            append (tail, tail_length, limit < sizeof tail - 1 ? limit : sizeof tail - 1, after[i]);
    size_t length = 0;
    size_t left = limit - tail_length;
    if (view->name && left > 2)
        length = append (line, length, left - 2, view->name);
    if (view->bytes && left > 2)
        length = append_gauge (line, length, left - 2, share (view));
    return append (line, length, limit, tail);
}

static int tenth (const struct larder_bar_view *view)
{
    return (int)(share (view) * 10);
}

int larder_bar_due (const struct larder_bar *bar, const struct larder_bar_view *view)
{
    if (bar->mode == LARDER_BAR_OFF)
        return 0;
    if (bar->mode == LARDER_BAR_TERMINAL)
        return !bar->shown || view->seconds - bar->last_s >= 0.1;
    return view->seconds - bar->last_s >= 2 || tenth (view) > bar->last_tenth;
}

static int terminal_width (void)
{
    struct winsize size;
    if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

void larder_bar_draw (struct larder_bar *bar, const struct larder_bar_view *view)
{
    char line[512];
    if (!larder_bar_due (bar, view))
        return;
    bar->last_s = view->seconds;
    bar->last_tenth = tenth (view);
    if (bar->mode == LARDER_BAR_TERMINAL) {
        (void)larder_bar_line (view, terminal_width (), line, sizeof line);
        (void)fprintf (stderr, "\r%s\033[K", line);
    } else {
        (void)larder_bar_line (view, 100, line, sizeof line);
        (void)fprintf (stderr, "%s\n", line);
    }
    (void)fflush (stderr);
    bar->shown = 1;
}

void larder_bar_end (struct larder_bar *bar)
{
    if (bar->mode == LARDER_BAR_TERMINAL && bar->shown) {
        (void)fprintf (stderr, "\r\033[K");
        (void)fflush (stderr);
    }
    bar->shown = 0;
}

enum larder_bar_mode larder_bar_choose (int forced, int is_terminal, const char *term)
{
    if (is_terminal && term && *term && strcmp (term, "dumb") != 0)
        return LARDER_BAR_TERMINAL;
    return forced ? LARDER_BAR_LINES : LARDER_BAR_OFF;
}
