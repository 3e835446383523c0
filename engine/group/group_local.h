/* group_local.h: a group of threads of one process, each with a session and a device of its own. */
#pragma once

#include "engine/group/group.h"

/* Members of a group of `size` into groups [size], by rank. Each is left by the thread that has it; the last that
 * leaves frees what they share. One that leaves early parts all: what the others ask of the group from then on is
 * false. */
void group_local_create(int size, svdiff_group **groups);
