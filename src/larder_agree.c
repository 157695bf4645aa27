/* SPDX-License-Identifier: Apache-2.0 */
/* All ranks meet and agree on a result, by reductions that larder's own progress drives, so that an owner
 * serves while it waits here. */
#include "larder_mpi.h"
#include "larder_progress.h"
#include <stdlib.h>
#include <string.h>

struct agreement {
    int mine, lowest;
    struct {
        int code, detail;
        char text[LARDER_ERROR_TEXT];
    } words;
};

/* A step that does not finish is left to MPI: its buffers are never touched again. */
static int finish_step (larder *s, MPI_Request *request, larder_error *err)
{
    int rc = larder_progress_request (s, request, err);
    if (rc == LARDER_ETIMEDOUT) {
        s->broken = rc;
        larder_error_set (err, rc, 0, "not all ranks came within %.3g s without progress",
                          s->settings.timeout_s);
    }
    return rc;
}

int larder_agree (larder *s, int code, const larder_error *mine, larder_error *err)
{
    MPI_Request request;
    int rc = larder_progress_enter (s, "larder_agree", err);
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    struct agreement *a = calloc (1, sizeof *a);
    if (!a)
        return larder_progress_leave (s, larder_error_set (err, LARDER_ENOMEM, 0, "larder_agree"),
                                      err);
    a->mine = code < 0 ? s->rank : s->size;
    a->words.code = code;
    if (mine && code < 0) {
        a->words.detail = mine->detail;
        memcpy (a->words.text, mine->text, sizeof a->words.text);
    }
    rc = larder_mpi_check (
        MPI_Iallreduce (&a->mine, &a->lowest, 1, MPI_INT, MPI_MIN, s->comm, &request),
        "MPI_Iallreduce", err);
    if (rc == LARDER_OK)
        rc = finish_step (s, &request, err);
    if (rc == LARDER_OK && a->lowest < s->size) {
        rc = larder_mpi_check (
            MPI_Ibcast (&a->words, (int)sizeof a->words, MPI_BYTE, a->lowest, s->comm, &request),
            "MPI_Ibcast", err);
        if (rc == LARDER_OK)
            rc = finish_step (s, &request, err);
        if (rc == LARDER_OK) {
            rc = a->words.code;
            larder_error_set (err, rc, a->words.detail, "%s", a->words.text);
            if (err)
                err->rank = a->lowest;
            free (a);
            return rc;
        }
    }
    if (rc == LARDER_ETIMEDOUT)
        return larder_progress_leave (s, rc, err); /* MPI may still write into *a */
    free (a);
    return larder_progress_leave (s, rc, err);
}
