/* dialog_fields.h: the arguments of a procedure as widgets, the first ones open, the others under
 * Advanced. */
#pragma once

#include "plugin/call.h"

#include <gtk/gtk.h>

struct dialog_fields;

/* Widgets with the values of v, for the image and layers of `chosen`; both must stay. */
struct dialog_fields *dialog_fields_new(const struct call *chosen, values *v);
void dialog_fields_free(struct dialog_fields *f); // the widgets belong to their window

/* All of them in one widget. */
GtkWidget *dialog_fields_widget(const struct dialog_fields *f);

/* The widget that has the value of an argument. */
GtkWidget *dialog_fields_inner(const struct dialog_fields *f, const char *name);

/* Puts a row above the first ones, once (toolkit_attach); or a widget below them. */
void dialog_fields_lead(const struct dialog_fields *f, const char *name, GtkWidget *widget,
                        GtkWidget *inner);
void dialog_fields_add(const struct dialog_fields *f, GtkWidget *widget);

/* Has a function called whenever one of the widgets is changed: `words` if it is one of prompts and
 * names, `figures` if what a run takes may depend on it. */
void dialog_fields_watch(const struct dialog_fields *f, void (*words)(void *user),
                         void (*figures)(void *user), void *user);

/* Shows the number that will be used for an argument where nobody says another. */
void dialog_fields_own(const struct dialog_fields *f, const char *name, double number);

/* Shows what is known of the choice number `at` behind its word: "LoRA, 3.1 MB"; NULL: the word alone. */
void dialog_fields_note(const struct dialog_fields *f, const char *name, int at, const char *note);

/* Takes what the widgets say into the values, and the other way round. */
void dialog_fields_read(const struct dialog_fields *f);
void dialog_fields_write(const struct dialog_fields *f);

/* A copy of the values with what the widgets say now; values_free it. */
values *dialog_fields_values(const struct dialog_fields *f);

/* Looks what there is to choose now: in the image, which was worked on or is another, and among the
 * subjects, where one may have been learned meanwhile. */
void dialog_fields_renew(const struct dialog_fields *f);

/* Keeps the prompts to be chosen from later. */
void dialog_fields_keep(const struct dialog_fields *f);
