/* regions.h: channels that say where a text acts, as the masks that generating reads. */
#pragma once

#include "plugin/call.h"
#include "plugin/scratch.h"

/* Writes what a channel of the call's image says of the area into the folder, and adds it with its
 * text to the arguments of `svdiff generate`. number: of the region. false with a sentence: there
 * is no such channel, or the text is empty. */
bool regions_add(const struct call *c, const char *channel, const char *text, int number,
                 const struct host_area *area, const scratch *folder, GPtrArray *arguments,
                 GError **error);

/* The same for each part of "CHANNEL=TEXT; CHANNEL=TEXT". */
bool regions_add_list(const struct call *c, const char *list, const struct host_area *area,
                      const scratch *folder, GPtrArray *arguments, GError **error);
