/* history.h: the pictures that were made, with their settings, kept until they are thrown away.
 *
 * Each is one PNG file in a folder that is the user's alone, with what is to be known of it as
 * texts; beside it a second one where the picture has a mask, which is written first. Files are
 * written whole or not at all, and nobody changes one: several GIMPs can keep pictures at once. A
 * name says when a run was done and which of its pictures it is: RUN-0000.png. The folder holds so
 * many pictures and bytes, the oldest are thrown away. */
#pragma once

#include "plugin/host.h"

#include "engine/picture/picture_exchange.h"

#define HISTORY_MAX       200
#define HISTORY_BYTES_MAX (INT64_C(256) << 20)

// what is known of a picture; free with history_entry_clear
struct history_entry {
    char *settings;        // of settings_write
    char *prompt;          // what the picture shows
    struct host_area area; // where it goes in its image
    bool masked;           // it has a mask, of the area's size
};

/* The folder in the user's data folder, which is made, for the user alone. NULL with a sentence.
 * g_free it. */
char *history_folder(GError **error);

/* What the names of a new run's pictures begin with. g_free it. */
char *history_run(void);

/* Keeps picture number `index` of a run; mask: [area.height, area.width], NULL: none. The name, or
 * NULL with a sentence, then nothing is kept. g_free it. */
char *history_add(const char *folder, const char *run, int index, const picture *p,
                  const float *mask, const struct history_entry *entry, GError **error);

/* Throws away the oldest beyond what the folder holds, and what was left by processes that were
 * killed. */
void history_tidy(const char *folder);

/* All names: the newest run first, a run in its order. g_strfreev it. */
char **history_list(const char *folder);

/* Whether two names are of one run. */
bool history_same_run(const char *a, const char *b);

/* false with a sentence: it is not there any more, or it is damaged. */
bool history_read(const char *folder, const char *name, struct history_entry *entry,
                  GError **error);
void history_entry_clear(struct history_entry *entry);

/* The picture, and its mask [area.height, area.width], NULL where it has none: g_free it. NULL with
 * a sentence. */
picture *history_picture(const char *folder, const char *name, const struct history_entry *entry,
                         float **mask, GError **error);

/* Throws one away. */
void history_remove(const char *folder, const char *name);
