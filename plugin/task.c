/* A run that is ready to be done; see task.h. */
#include "plugin/task.h"

#include "plugin/job.h"
#include "plugin/learning.h"

task *task_create(const values *v)
{
    task *t = g_new0(task, 1);

    // fields may change before its turn comes
    t->values = values_copy(v);
    return t;
}

// with the folder go the files that the worker wrote
void task_free(task *t)
{
    for (int i = 0; t != NULL && i < t->n_jobs; i++) {
        g_ptr_array_unref(t->jobs[i].arguments);
        g_free(t->jobs[i].learned);
    }
    if (t != NULL) {
        scratch_free(t->folder);
        results_clear(&t->results);
        g_clear_pointer(&t->pictures, g_array_unref);
        values_free(t->values);
        g_free(t->file);
        g_free(t);
    }
}

GPtrArray *task_add(task *t, const char *command, const char *learned, GError **error)
{
    struct task_job *job = &t->jobs[t->n_jobs];

    g_assert(t->n_jobs < TASK_JOBS);
    // one for all jobs of the task: what the first writes the second reads
    t->folder = t->folder != NULL ? t->folder : scratch_create(error);
    if (t->folder == NULL) {
        return NULL;
    }
    *job = (struct task_job){command, g_ptr_array_new_with_free_func(g_free), g_strdup(learned)};
    t->n_jobs++;
    return job->arguments;
}

static bool do_job(const task *t, const struct task_job *j, const struct call *c, char ***files,
                   GError **error)
{
    return j->learned != NULL ? learning_run(j->arguments, j->learned, t->folder, c, error)
                              : job_run(j->command, j->arguments, t->folder, c, files, error);
}

// pictures are read before the folder goes; the image is not touched
bool task_work(task *t, const struct call *c, GError **error)
{
    const bool makes_layers = t->values->procedure->result == RESULT_LAYERS;
    const int n = c->estimate != NULL ? MIN(t->n_jobs, 1) : t->n_jobs; // the first takes the most
    g_auto(GStrv) files = NULL;

    for (int i = 0; i < n; i++) {
        // the last job's count
        g_clear_pointer(&files, g_strfreev);
        if (!do_job(t, &t->jobs[i], c, &files, error)) {
            return false;
        }
    }
    if (c->estimate != NULL || !makes_layers) {
        return true;
    }
    t->pictures = results_read(&t->results, t->values, files, error);
    return t->pictures != NULL;
}

// of the main thread, like all that asks GIMP
bool task_insert(const task *t, struct call_result *result, GError **error)
{
    *result = (struct call_result){0};
    if (t->pictures != NULL) {
        return results_insert(&t->results, t->pictures, result, error);
    }
    result->file = g_strdup(t->file);
    return true;
}
