/* group_mpi.c: the module of a group that mpirun started; the only file that knows MPI.
 *
 * Every wait is a request that is asked about now and then: MPI's own waiting keeps a processor
 * busy, which on one machine is the processor that another process of the group works with, and it
 * could not be interrupted. */
#include "engine/group/group.h"

#include "engine/base/error.h"

#include <mpi.h>

#define LOOK  200    // microseconds between two looks whether a request is done
#define ASK   50000  // and between two questions whether to go on
#define GRACE 300000 // that others still have after the answer was no

struct waiting {
    gint64 asked, until; // until 0: for ever
};

// whether to wait longer; who leads asks who sits in front of it
static bool go_on(struct svdiff_group *g, struct waiting *w)
{
    const gint64 now = g_get_monotonic_time();

    if (w->until == 0 && g->patience != NULL && now - w->asked >= ASK) {
        w->asked = now;
        if (!g->patience(g->user)) {
            w->until = now + GRACE;
        }
    }
    return w->until == 0 || now < w->until;
}

static bool finish(struct svdiff_group *g, MPI_Request *request)
{
    struct waiting w = {.asked = g_get_monotonic_time()};
    int done = 0;

    while (MPI_Test(request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done) {
        if (!go_on(g, &w)) {
            g->parted = true;
            return false;
        }
        g_usleep(LOOK);
    }
    return true;
}

static bool everyone(struct svdiff_group *g, const void *mine, void *all, size_t bytes)
{
    MPI_Request request;

    if (g->parted) {
        return false;
    }
    MPI_Iallgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, MPI_COMM_WORLD, &request);
    return finish(g, &request);
}

static bool gather(struct svdiff_group *g, const void *mine, void *all, size_t bytes)
{
    MPI_Request request;

    if (g->parted) {
        return false;
    }
    MPI_Igather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    return finish(g, &request);
}

static bool broadcast(struct svdiff_group *g, void *data, size_t bytes)
{
    MPI_Request request;

    if (g->parted) {
        return false;
    }
    MPI_Ibcast(data, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    return finish(g, &request);
}

// mpirun ends a group of which one process left without the others
static void leave(struct svdiff_group *g)
{
    MPI_Request request;

    if (!g->parted && MPI_Ibarrier(MPI_COMM_WORLD, &request) == MPI_SUCCESS &&
        finish(g, &request)) {
        MPI_Finalize();
    }
}

G_MODULE_EXPORT bool svdiff_group_module(struct svdiff_group *g, GError **error);
bool svdiff_group_module(struct svdiff_group *g, GError **error)
{
    int size = 0;

    if (MPI_Init(NULL, NULL) != MPI_SUCCESS ||
        MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS || size != g->size) {
        return error_failed(error,
                            "The %d processes that mpirun started do not find each other; is the "
                            "module built for this mpirun?",
                            g->size);
    }
    g->everyone = everyone;
    g->gather = gather;
    g->broadcast = broadcast;
    g->leave = leave;
    return true;
}
