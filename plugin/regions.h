/* regions.h: places with a text that acts there, as the masks that generating reads. */
#pragma once

#include "plugin/call.h"
#include "plugin/region_list.h"
#include "plugin/scratch.h"

/* What a place (a name) of the call's image says of the area `view`, as a mask; `frame`: what
 * halves are halves of. NULL with a sentence that names the argument: there is no such place. */
picture *regions_mask(const struct call *c, const char *argument, const char *place,
                      const struct host_area *frame, const struct host_area *view, GError **error);

/* Writes such a mask into the folder, and adds it with its text to the arguments of `svdiff
 * generate`. number: of the region. */
bool regions_add(const struct call *c, const char *argument, const struct region *region,
                 int number, const struct host_area *frame, const struct host_area *view,
                 const scratch *folder, GPtrArray *arguments, GError **error);

/* The same for each part of the values' "regions". */
bool regions_add_list(const struct call *c, const struct host_area *frame,
                      const struct host_area *view, const scratch *folder, GPtrArray *arguments,
                      GError **error);
