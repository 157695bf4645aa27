/* SPDX-License-Identifier: Apache-2.0 */
/* The progress bar.  larder_bar_line is pure; larder_bar_draw writes to stderr. */
#ifndef LARDER_BAR_H
#define LARDER_BAR_H

#include <stddef.h>
#include <stdint.h>

/* What there is to show. */
struct larder_bar_view {
    const char *name;    /* of the object */
    uint64_t bytes;      /* of the object; 0: not known */
    uint64_t done;       /* bytes that the slowest receiver has, or that were produced */
    double seconds;      /* since the transfer began */
    int slowest_rank;    /* -1: none */
    const char *slowest; /* its host; NULL: not known */
};

/* One line without a newline, exactly width - 1 columns at most: fields give way, last first, when
 * it is narrow.  Returns its length. */
size_t larder_bar_line (const struct larder_bar_view *view, int width, char *line, size_t room);

enum larder_bar_mode {
    LARDER_BAR_OFF,
    LARDER_BAR_TERMINAL, /* one line, drawn over and over, at most 10 times a second */
    LARDER_BAR_LINES     /* plain lines, every 2 s or 10 %, whichever comes first */
};

/* A bar; zero-initialise, then set mode. */
struct larder_bar {
    enum larder_bar_mode mode;
    int shown;      /* 1: something stands on the line */
    double last_s;  /* view->seconds of the last drawing */
    int last_tenth; /* tenths of the whole at the last drawing */
};

/* 1: it is time to draw this. */
int larder_bar_due (const struct larder_bar *bar, const struct larder_bar_view *view);

/* Draw when it is due.  Failures of the terminal are nobody's concern. */
void larder_bar_draw (struct larder_bar *bar, const struct larder_bar_view *view);

/* Clear the line. */
void larder_bar_end (struct larder_bar *bar);

/* How to draw: on a terminal a bar, elsewhere nothing unless it is forced, then lines. */
enum larder_bar_mode larder_bar_choose (int forced, int is_terminal, const char *term);

#endif
