/* task.h: a run that is ready to be done: what it needs of the image was read when it was made.
 *
 *   g_autoptr(task) t = call_prepare(&call, &error); // reads layers and selection
 *   done = t != NULL && task_work(t, &call, &error) && task_insert(t, &result, &error);
 *
 * Between preparing and inserting the image may change, or be closed. */
#pragma once

#include "plugin/call.h"
#include "plugin/results.h"
#include "plugin/scratch.h"

#define TASK_JOBS 2

// the command with its arguments
struct task_job {
    const char *command;  // "generate"
    GPtrArray *arguments; // char *, not NULL-terminated
    char *learned;        // the subject file that learning writes, else NULL
};

struct task {
    values *values;                  // a copy
    scratch *folder;                 // of the worker's files; NULL: there is nothing to be done
    struct task_job jobs[TASK_JOBS]; // one after another; the pictures are those of the last
    int n_jobs;
    char *file;             // RESULT_FILE: what is written
    struct results results; // RESULT_LAYERS: what the pictures are and where they go
    GArray *pictures;       // struct layers_out_picture, when the work is done
};
typedef struct task task;

/* One that is to be filled, with a copy of the values. task_free. */
task *task_create(const values *v);
void task_free(task *t); // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(task, task_free)

/* Adds a job, and makes the folder of its files where there is none yet. learned: the subject file
 * that is learned, else NULL. The job's arguments, to be filled; NULL with a sentence. Borrowed. */
GPtrArray *task_add(task *t, const char *command, const char *learned, GError **error);

/* Has the worker do it. c: its progress is told, and its estimate, if it has one, is all that is
 * made. false with a sentence. */
bool task_work(task *t, const struct call *c, GError **error);

/* What was made becomes the result: the pictures are inserted as layers, in one undo step. false
 * with a sentence when the image is gone. */
bool task_insert(const task *t, struct call_result *result, GError **error);
