/* Learning on several devices: a thread each of the further ones, with a session of its own, which share the
 * micro-batches of a step as processes of mpirun do (learn_share.h). The thread that asked leads, on the session's
 * own device. */
#include "engine/learn/learn_devices.h"

#include "engine/base/error.h"
#include "engine/group/group_local.h"
#include "engine/session/session.h"

// one that works for the first
struct follower {
    struct svdiff_options session;
    struct svdiff_learn_options learn;
    GThread *thread;
    bool told; // the error is another's
    GError *error;
};

static void *follow(void *user)
{
    struct follower *f = user;
    g_autoptr(svdiff) s = svdiff_open(&f->session, &f->error);

    if (s != NULL) {
        learn_alone(s, &f->learn, NULL, NULL, &f->error);
    }
    f->told = f->learn.group->told || error_is_cancel(f->error);
    // early: then all end
    svdiff_group_leave(f->learn.group);
    return NULL;
}

static void begin(const svdiff *s, const struct svdiff_learn_options *o, int n,
                  svdiff_group *const *groups, struct follower *followers)
{
    for (int i = 0; i < n; i++) {
        struct follower *f = &followers[i];
        *f = (struct follower){.session = session_other(s, i), .learn = *o};
        f->learn.group = groups[i + 1];
        f->thread = g_thread_new("learn", follow, f);
    }
}

// another: the one that leads ended because of a follower, which says why
static void end(int n, struct follower *followers, bool another, GError **error)
{
    for (int i = 0; i < n; i++) {
        struct follower *f = &followers[i];
        g_thread_join(f->thread);
        if (another && f->error != NULL && !f->told) {
            g_clear_error(error);
            g_propagate_prefixed_error(error, g_steal_pointer(&f->error),
                                       "On the device cuda:%d: ", f->session.device_number);
            another = false; // one is enough
        }
        g_clear_error(&f->error);
    }
}

bool learn_on_devices(svdiff *s, const struct svdiff_learn_options *options,
                      progress_function progress, void *user, GError **error)
{
    struct svdiff_learn_options o = *options;
    const int n = s->options.n_more_devices;
    g_autofree svdiff_group **groups = g_new(svdiff_group *, n + 1);
    g_autofree struct follower *followers = g_new(struct follower, n);

    if (o.group != NULL) {
        return error_usage(error, "Each process of a group has one device; give it one.");
    }
    group_local_create(n + 1, groups);
    begin(s, &o, n, groups, followers);
    o.group = groups[0];
    g_autoptr(GError) own = NULL;
    const bool done = learn_alone(s, &o, progress, user, &own);
    // where a follower leaves, this one stops as if it had been asked to
    const bool another = groups[0]->other || error_is_cancel(own);
    svdiff_group_leave(groups[0]);
    end(n, followers, another, &own);
    if (own != NULL) {
        g_propagate_error(error, g_steal_pointer(&own));
    }
    return done;
}
