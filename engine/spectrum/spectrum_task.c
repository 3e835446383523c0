/* Computing in the background; see spectrum_task.h. */
#include "engine/spectrum/spectrum_task.h"

#include "engine/base/error.h"

// microseconds between two looks of who waits
#define WAIT 100000

struct spectrum_task {
    const struct spectrum_options *options; // of who waits
    struct spectrum_options own;            // of the run
    struct spectrum_run run;
    struct spectrum_writer *writer;
    GThread *thread; // NULL: none, or joined
    GMutex lock;     // of all below
    GCond changed;
    bool *there; // [weights]
    double done;
    bool stopped, ended;
    GError *unkept;  // why the file cannot be written
    GError *failure; // why the run ended early
};

/* ---- the run ---- */

static bool note_progress(void *user, enum spectrum_phase phase, double done)
{
    struct spectrum_task *task = user;

    g_mutex_lock(&task->lock);
    task->done = done;
    const bool go_on = !task->stopped;
    g_mutex_unlock(&task->lock);
    return go_on;
}

static bool tell_svd(void *user, double done)
{
    // the last step is the file's
    return spectrum_run_tell(user, 0.95 * done);
}

// one writer for all threads; decomposing takes far longer than writing
static bool keep(struct spectrum_task *task, const struct spectrum_worker *worker, size_t index)
{
    g_mutex_lock(&task->lock);
    const bool kept =
        task->unkept == NULL &&
        spectrum_writer_put(task->writer, index, worker->u, worker->s, worker->vt, &task->unkept);
    task->there[index] = kept;
    g_cond_broadcast(&task->changed);
    g_mutex_unlock(&task->lock);
    return kept;
}

static bool decompose_weight(struct spectrum_worker *worker, size_t index, GError **error)
{
    const struct spectrum_weight *weight = &worker->run->source->weights[index];

    svd_work_set_progress(worker->work, tell_svd, worker);
    if (!spectrum_decompose(weight, worker->w, worker->u, worker->s, worker->vt, worker->work,
                            error)) {
        return false;
    }
    // ends the run; whoever waits knows that this is no failure of the model
    return keep(worker->run->user, worker, index) ||
           error_failed(error, "%s: cannot be kept.", weight->name);
}

static void *run(void *user)
{
    struct spectrum_task *task = user;
    GError *failure = NULL;

    spectrum_run_all(&task->run, &failure);
    g_mutex_lock(&task->lock);
    task->failure = failure;
    task->ended = true;
    g_cond_broadcast(&task->changed);
    g_mutex_unlock(&task->lock);
    return NULL;
}

/* ---- making and ending one ---- */

static struct spectrum_task *create(const struct spectrum_source *source,
                                    const struct spectrum_options *options,
                                    struct spectrum_devices devices, struct spectrum_writer *writer)
{
    struct spectrum_task *task = g_new0(struct spectrum_task, 1);

    task->options = options;
    task->writer = writer;
    task->there = g_new0(bool, source->count);
    g_mutex_init(&task->lock);
    g_cond_init(&task->changed);
    task->run = (struct spectrum_run){.source = source,
                                      .options = options,
                                      .devices = devices,
                                      .phase = SPECTRUM_PHASE_COMPUTE,
                                      .visit = decompose_weight,
                                      .user = task};
    return task;
}

struct spectrum_task *spectrum_task_start(const struct spectrum_source *source,
                                          const struct spectrum_options *options,
                                          struct spectrum_devices devices,
                                          struct spectrum_writer *writer)
{
    struct spectrum_task *task = create(source, options, devices, writer);

    // callbacks of the options are for one thread at a time, and that one waits
    task->own = (struct spectrum_options){
        .threads = options->threads, .progress = note_progress, .user = task};
    task->run.options = &task->own;
    // asked for layer by layer
    task->run.in_order = true;
    task->thread = g_thread_new("spectra", run, task);
    return task;
}

struct spectrum_task *spectrum_task_run(const struct spectrum_source *source,
                                        const struct spectrum_options *options,
                                        struct spectrum_devices devices,
                                        struct spectrum_writer *writer)
{
    struct spectrum_task *task = create(source, options, devices, writer);

    run(task);
    return task;
}

static void stop(struct spectrum_task *task)
{
    g_mutex_lock(&task->lock);
    task->stopped = true;
    g_mutex_unlock(&task->lock);
}

void spectrum_task_free(struct spectrum_task *task)
{
    if (task == NULL) {
        return;
    }
    stop(task);
    g_clear_pointer(&task->thread, g_thread_join);
    spectrum_writer_close(task->writer);
    g_clear_error(&task->unkept);
    g_clear_error(&task->failure);
    g_mutex_clear(&task->lock);
    g_cond_clear(&task->changed);
    g_free(task->there);
    g_free(task);
}

/* ---- waiting ---- */

// a look at what has come: whether that is enough; *done: how much
static bool look(struct spectrum_task *task, size_t index, bool patient, double *done)
{
    const size_t count = task->run.source->count;

    g_mutex_lock(&task->lock);
    bool enough = task->ended || (index < count && task->there[index]);
    if (!enough && patient) {
        g_cond_wait_until(&task->changed, &task->lock, g_get_monotonic_time() + WAIT);
        enough = task->ended || (index < count && task->there[index]);
    }
    *done = task->done;
    g_mutex_unlock(&task->lock);
    return enough;
}

void spectrum_task_wait(struct spectrum_task *task, size_t index)
{
    const struct spectrum_options *o = task->options;
    double done;

    if (task->thread == NULL) {
        return;
    }
    for (bool enough = look(task, index, false, &done); !enough;) {
        if (o->progress != NULL && !o->progress(o->user, SPECTRUM_PHASE_COMPUTE, done)) {
            stop(task);
        }
        enough = look(task, index, true, &done);
    }
}

bool spectrum_task_get(struct spectrum_task *task, size_t index, float *u, float *s, float *vt,
                       GError **error)
{
    spectrum_task_wait(task, index);
    g_mutex_lock(&task->lock);
    const bool there = task->there[index];
    g_mutex_unlock(&task->lock);
    // what was written is not written again: no lock is needed to read it
    return there && spectrum_writer_get(task->writer, index, u, s, vt, error);
}

bool spectrum_task_finish(struct spectrum_task *task, GError **unkept, GError **error)
{
    spectrum_task_wait(task, task->run.source->count);
    g_clear_pointer(&task->thread, g_thread_join);
    // nobody else is there from here on
    if (task->unkept == NULL && task->failure == NULL) {
        spectrum_writer_commit(task->writer, &task->unkept);
    }
    if (task->unkept != NULL) {
        g_propagate_error(unkept, g_steal_pointer(&task->unkept));
        return true;
    }
    if (task->failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&task->failure));
        return false;
    }
    return true;
}

bool spectrum_task_ended(struct spectrum_task *task)
{
    double done;

    return look(task, task->run.source->count, false, &done);
}
