/* dialog_queue.h: the runs that wait until the one that goes on is done, as a list in the dialog.
 *
 * A run is ready when it comes into the list: its values, layers and selection are those of the
 * moment in which it was asked for. */
#pragma once

#include "plugin/task.h"

#include <gtk/gtk.h>

struct dialog_queue;

/* An empty one, not shown until something waits. */
struct dialog_queue *dialog_queue_new(void);
void dialog_queue_free(struct dialog_queue *q); // with what waits; the widgets are their window's

GtkWidget *dialog_queue_widget(const struct dialog_queue *q);

/* Adds a task to the end, and takes it; `shown`: whether it will wait, and is to be seen. */
void dialog_queue_add(struct dialog_queue *q, task *t, bool shown);

/* Takes the first out; NULL when nothing waits. task_free it. */
task *dialog_queue_take(struct dialog_queue *q);
