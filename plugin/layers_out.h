/* layers_out.h: result pictures as new layers. */
#pragma once

#include "plugin/host.h"

#include "engine/picture/picture_exchange.h"

/* Starts GEGL for its buffers alone: its operations, of which none is used, would bring OpenMP,
 * OpenBLAS and the codecs of films into this process, and take half a second. */
void layers_out_begin(void);

// one picture and what its layer is called and carries
struct layers_out_picture {
    picture *pixels;
    char *name;
    char *prompt;   // all of it; NULL where it is not to be kept
    char *settings; // of settings_write
    char *kept;     // its name in the history; NULL: it is not kept
};

struct layers_out {
    host_image image;      // HOST_NONE: a new one, of the area's size, which is shown
    host_item below;       // the layer above which they go, or HOST_NONE: on top
    struct host_area area; // where; pictures of another size are scaled to it
    const float *mask;     // of each layer, [area.height, area.width]; NULL: none
    const char *group;     // name of the group when there are several
    const struct layers_out_picture *pictures;
    int n;
};

/* Inserts the pictures as layers in one undo step and writes their ids to layers [n]. Nothing in it
 * can fail but memory, which GIMP itself handles. */
void layers_out_insert(const struct layers_out *out, host_item *layers);
