/* marks.h: what of a layer is the subject, as the files that learning reads. */
#pragma once

#include "plugin/call.h"
#include "plugin/scratch.h"

/* What marks the subject of a layer; mask as in marks_add, a channel of the image. */
enum call_mark marks_of(const struct call *c, host_item layer, host_item mask);

/* Writes what a layer shows around the subject into the folder, and a mask of the subject, and adds
 * both to the arguments of `svdiff learn`. mask: the channel that marks the subject; HOST_NONE: the
 * selection, if there is one, else the layer's mask, if it has one, else all of the layer is the
 * subject. number: of the layer, from 0. false with a sentence: the channel is none of the image,
 * or nothing of the layer is marked, or it is empty there. */
bool marks_add(const struct call *c, host_item layer, host_item mask, int number,
               const scratch *folder, GPtrArray *arguments, GError **error);
