/* dialog_paint.h: what the dialogs that paint ask besides their fields: prompts to start from, and
 * what the layers are that are composed or edited. */
#pragma once

#include "plugin/dialog_fields.h"
#include "plugin/dialog_target.h"

/* Adds itself to the fields, if their procedure paints; all of them must stay. It ends with them.
 */
void dialog_paint_add(struct dialog_target *target, struct dialog_fields *fields);

/* Takes the layers that are chosen now, if it has a row for each; whether they are others. */
bool dialog_paint_renew(const struct dialog_fields *fields);
