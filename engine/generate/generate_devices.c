/* Drawing on several devices: a thread each of the further ones, with a session of its own. Picture k, or column k of a
 * strip, is drawn by device k mod n; what a thread has drawn waits until the thread that called looks: between its own
 * pictures, and at its end. */
#include "engine/generate/generate_devices.h"

#include "engine/base/error.h"
#include "engine/picture/picture.h"
#include "engine/session/session.h"

#define LOOK 100000 // microseconds between two questions whether to go on

struct drawn {
    int index;
    uint64_t seed;
    picture *picture;
};

// what all of them know
struct work {
    const struct generate_work *draws;
    svdiff_take take;
    progress_function progress;
    void *user;
    struct progress told; // what was told last, to be told again while nothing is drawn here

    GMutex lock; // of what follows
    GCond changed;
    GQueue *waiting; // struct drawn
    int busy;        // threads that draw
    bool stops;
};

struct helper {
    struct work *work;
    struct svdiff_options session;
    int share, shares;
    GThread *thread;
    GError *error;
};

static void drawn_free(void *item)
{
    struct drawn *d = item;

    picture_free(d->picture);
    g_free(d);
}

static bool goes_on(struct work *w)
{
    g_mutex_lock(&w->lock);
    const bool goes = !w->stops;
    g_mutex_unlock(&w->lock);
    return goes;
}

static void stop(struct work *w)
{
    g_mutex_lock(&w->lock);
    w->stops = true;
    g_mutex_unlock(&w->lock);
}

/* ---- a helper ---- */

static bool put(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    struct work *w = ((struct helper *)user)->work;
    picture *copy = picture_copy(p, error);

    if (copy == NULL) {
        return false;
    }
    struct drawn *d = g_new(struct drawn, 1);
    *d = (struct drawn){index, seed, copy};
    g_mutex_lock(&w->lock);
    g_queue_push_tail(w->waiting, d);
    g_cond_signal(&w->changed);
    g_mutex_unlock(&w->lock);
    return true;
}

static bool hear(void *user, const struct progress *p)
{
    return goes_on(((struct helper *)user)->work);
}

static void *help(void *user)
{
    struct helper *h = user;
    g_autoptr(svdiff) s = svdiff_open(&h->session, &h->error);

    if (s != NULL) {
        s->share = h->share;
        s->shares = h->shares;
        h->work->draws->draw(s, h->work->draws->what, put, hear, h, &h->error);
    }
    g_mutex_lock(&h->work->lock);
    h->work->busy--;
    h->work->stops = h->work->stops || h->error != NULL;
    g_cond_signal(&h->work->changed);
    g_mutex_unlock(&h->work->lock);
    return NULL;
}

/* ---- the thread that called ---- */

// what others have drawn so far; wait: until all of it is there, or somebody stops
static bool deliver(struct work *w, bool wait, GError **error)
{
    bool good = true;

    g_mutex_lock(&w->lock);
    while (good && (!g_queue_is_empty(w->waiting) || (wait && w->busy > 0))) {
        struct drawn *d = g_queue_pop_head(w->waiting);
        if (d == NULL) {
            g_cond_wait_until(&w->changed, &w->lock, g_get_monotonic_time() + LOOK);
        }
        g_mutex_unlock(&w->lock);
        if (d != NULL) {
            good = w->take(w->user, d->index, d->seed, d->picture, error);
            drawn_free(d);
        } else if (w->progress != NULL && !w->progress(w->user, &w->told)) {
            stop(w);
        }
        g_mutex_lock(&w->lock);
    }
    g_mutex_unlock(&w->lock);
    return good;
}

static bool take_own(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    struct work *w = user;

    return w->take(w->user, index, seed, p, error) && deliver(w, false, error);
}

static bool tell(void *user, const struct progress *p)
{
    struct work *w = user;

    w->told = *p;
    w->told.file = NULL;
    return (w->progress == NULL || w->progress(w->user, p)) && goes_on(w);
}

static void begin(const svdiff *s, int n, struct work *w, struct helper *helpers)
{
    w->busy = n;
    for (int i = 0; i < n; i++) {
        struct helper *h = &helpers[i];
        *h = (struct helper){
            .work = w, .session = session_other(s, i), .share = i + 1, .shares = n + 1};
        h->thread = g_thread_new("draw", help, h);
    }
}

// what came of the helpers: the first failure, else that they were cancelled, else NULL; owned by the caller
static GError *join(int n, struct helper *helpers)
{
    GError *first = NULL;

    for (int i = 0; i < n; i++) {
        struct helper *h = &helpers[i];
        g_thread_join(h->thread);
        if (h->error != NULL && !error_is_cancel(h->error)) {
            g_prefix_error(&h->error, "On the device cuda:%d: ", h->session.device_number);
        }
        if (h->error != NULL && (first == NULL || error_is_cancel(first))) {
            g_clear_error(&first);
            first = g_steal_pointer(&h->error);
        }
        g_clear_error(&h->error);
    }
    return first;
}

// a failure is told by the one to which it happened: the others are cancelled by it
static bool end(int n, struct helper *helpers, bool done, GError **error)
{
    g_autoptr(GError) theirs = join(n, helpers);
    const bool own = error != NULL && *error != NULL && !error_is_cancel(*error);

    if (theirs != NULL && !own) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&theirs));
        return false;
    }
    return done && theirs == NULL;
}

int generate_devices(const svdiff *s, const struct svdiff_generate_options *options, int count)
{
    const int all = s->dry || options->trace != NULL ? 1 : 1 + s->options.n_more_devices;

    // a device without a picture opens no model
    return CLAMP(count, 1, all);
}

bool generate_on_devices(svdiff *s, int devices, const struct generate_work *work, svdiff_take take,
                         progress_function progress, void *user, GError **error)
{
    const int n = devices - 1;
    g_autofree struct helper *helpers = g_new(struct helper, MAX(n, 1));
    struct work w = {.draws = work,
                     .take = take,
                     .progress = progress,
                     .user = user,
                     .told = {.phase = "generate", .loss = -1, .seconds_left = -1},
                     .waiting = g_queue_new()};

    g_mutex_init(&w.lock);
    g_cond_init(&w.changed);
    begin(s, n, &w, helpers);
    s->shares = n + 1;
    bool done = work->draw(s, work->what, take_own, tell, &w, error);
    s->shares = 1;
    if (!done) {
        stop(&w);
    }
    done = deliver(&w, true, done ? error : NULL) && done;
    stop(&w);
    done = end(n, helpers, done, error);
    g_queue_free_full(w.waiting, drawn_free);
    g_mutex_clear(&w.lock);
    g_cond_clear(&w.changed);
    return done;
}
