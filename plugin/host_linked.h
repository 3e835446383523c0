/* host_linked.h: how several layers are chosen in GIMP 2.10, and in it alone: by linking them. */
#pragma once

#include "plugin/host.h"

/* Adds a drawable to an array of host_item, and, if it is a linked layer, all that are linked. */
void host_add_linked(host_image image, host_item drawable, GArray *all);
