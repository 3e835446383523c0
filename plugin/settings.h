/* settings.h: the settings that a layer was made with, which it carries. */
#pragma once

#include "plugin/host.h"
#include "plugin/values.h"

#include <stdint.h>

#define SETTINGS_NAME "svdiff-settings" // of the parasite

/* The values as one JSON object, with "procedure", and "seed" replaced by this one. g_free it. */
char *settings_write(const values *v, int64_t seed);

/* The same with the values' own seed, which may stand for a random one. g_free it. */
char *settings_of_values(const values *v);

/* The seed that a text of settings_write names; false if there is none. */
bool settings_seed(const char *text, int64_t *seed);

/* Takes what a text of settings_write has and the procedure knows and allows; everything else stays
 * as it is. Settings of another procedure give what the two have in common. false: these are no
 * settings. */
bool settings_read(values *v, const char *text);

/* Takes the settings that a layer carries. false with a sentence when it has none. */
bool settings_of_layer(values *v, host_item layer, GError **error);
