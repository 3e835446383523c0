/* dialog_presets.h: the presets of a dialog (presets.h): a list to choose from, where a name can be
 * typed, and buttons to save and to delete. */
#pragma once

#include "plugin/dialog_fields.h"

/* What a person is told of it. */
typedef void (*dialog_presets_say)(void *user, const char *sentence);

/* A row of widgets for the values v of the fields; both must stay. */
GtkWidget *dialog_presets_new(values *v, const struct dialog_fields *fields, dialog_presets_say say,
                              void *user);
