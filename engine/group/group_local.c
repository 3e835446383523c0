/* Threads that learn together; see group_local.h.
 *
 * What a member gives stays where it is: all meet when each has said where, those who want it copy it, and all
 * meet once more before it may change. Of the first meeting all come or none, and from it each comes to the second
 * by copying alone: nobody gives that up, since what it gave would be gone under those who copy. */
#include "engine/group/group_local.h"

#include <string.h>

#define ASK   50000  // microseconds between two questions whether to go on
#define GRACE 300000 // that others still have after the answer was no

struct meeting {
    GMutex lock;
    GCond changed;
    int size, members; // members: who have not left
    int came;          // to this turn
    guint turn;
    bool parted;
    const void **said; // [size]: where each one's data are
};

// whether to wait longer; without the lock, since who is asked takes its time
static bool go_on(svdiff_group *g, gint64 *until)
{
    const gint64 now = g_get_monotonic_time();

    if (*until == 0 && g->patience != NULL && !g->patience(g->user)) {
        *until = now + GRACE;
    }
    return *until == 0 || now < *until;
}

// with the lock; patient: for ever
static void wait_turn(svdiff_group *g, struct meeting *m, guint turn, bool patient)
{
    gint64 until = 0;

    while (m->turn == turn && !m->parted) {
        if (g_cond_wait_until(&m->changed, &m->lock, g_get_monotonic_time() + ASK) || patient) {
            continue;
        }
        g_mutex_unlock(&m->lock);
        const bool waits = go_on(g, &until);
        g_mutex_lock(&m->lock);
        m->parted = m->parted || (!waits && m->turn == turn);
    }
}

// until all have come; false where one has left
static bool meet(svdiff_group *g, bool patient)
{
    struct meeting *m = g->own;

    g_mutex_lock(&m->lock);
    const guint turn = m->turn;
    m->came += m->parted ? 0 : 1;
    if (m->came == m->size) {
        m->came = 0;
        m->turn++;
    } else {
        wait_turn(g, m, turn, patient);
    }
    const bool met = m->turn != turn;
    g_cond_broadcast(&m->changed);
    g_mutex_unlock(&m->lock);
    g->parted = g->parted || !met;
    return met;
}

static bool begin(svdiff_group *g, const void *mine)
{
    struct meeting *m = g->own;

    m->said[g->rank] = mine;
    return !g->parted && meet(g, false);
}

static void take(const svdiff_group *g, void *all, size_t bytes)
{
    const struct meeting *m = g->own;

    for (int i = 0; i < m->size; i++) {
        memcpy((char *)all + i * bytes, m->said[i], bytes);
    }
}

static bool everyone(svdiff_group *g, const void *mine, void *all, size_t bytes)
{
    if (!begin(g, mine)) {
        return false;
    }
    take(g, all, bytes);
    return meet(g, true);
}

static bool gather(svdiff_group *g, const void *mine, void *all, size_t bytes)
{
    if (!begin(g, mine)) {
        return false;
    }
    if (g->rank == 0) {
        take(g, all, bytes);
    }
    return meet(g, true);
}

static bool broadcast(svdiff_group *g, void *data, size_t bytes)
{
    const struct meeting *m = g->own;

    if (!begin(g, data)) {
        return false;
    }
    if (g->rank > 0) {
        memcpy(data, m->said[0], bytes);
    }
    return meet(g, true);
}

static void leave(svdiff_group *g)
{
    struct meeting *m = g->own;

    g_mutex_lock(&m->lock);
    // those who have met do not notice
    m->parted = true;
    const bool last = --m->members == 0;
    g_cond_broadcast(&m->changed);
    g_mutex_unlock(&m->lock);
    if (last) {
        g_mutex_clear(&m->lock);
        g_cond_clear(&m->changed);
        g_free(m->said);
        g_free(m);
    }
}

void group_local_create(int size, svdiff_group **groups)
{
    struct meeting *m = g_new0(struct meeting, 1);

    g_mutex_init(&m->lock);
    g_cond_init(&m->changed);
    m->size = m->members = size;
    m->said = g_new0(const void *, size);
    for (int i = 0; i < size; i++) {
        groups[i] = g_new0(struct svdiff_group, 1);
        // each has memory of its own: nobody's is also the others'
        *groups[i] = (struct svdiff_group){.rank = i,
                                           .size = size,
                                           .local_size = 1,
                                           .local_first = i == 0,
                                           .own = m,
                                           .everyone = everyone,
                                           .gather = gather,
                                           .broadcast = broadcast,
                                           .leave = leave};
    }
}
