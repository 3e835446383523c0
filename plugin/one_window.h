/* one_window.h: one window for each procedure of a GIMP.
 *
 * Each call from the menu is a process of its own. The first opens a socket in a folder that is the
 * user's alone (paths.h), with GIMP's process number in its name; a later one hands its image and
 * layers over, and its settings if it comes with some, and leaves. A lock, which ends with its
 * process, says whose window it is. */
#pragma once

#include "plugin/call.h"

typedef struct one_window one_window;

/* Hands the call, with settings (of settings_write) or NULL, to the window of its procedure that is
 * open: NULL, and *handed is true. Where none
 * is, this process is the one that will be handed the others. NULL and *handed false: there is no
 * such folder, and everybody has a window. */
one_window *one_window_claim(const struct procedure *p, const struct call *chosen,
                             const char *settings, bool *handed);
void one_window_free(one_window *w); // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(one_window, one_window_free)

/* Another call from the menu: its image and layers, and its settings or NULL; they are valid during
 * the call. */
typedef void (*one_window_called)(void *user, const struct call *chosen, const char *settings);

/* From now on, when the main context is turned. accepts NULL */
void one_window_listen(one_window *w, one_window_called called, void *user);
