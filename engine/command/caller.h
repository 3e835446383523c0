/* caller.h: what calls a command, and has more for it than words. */
#pragma once

#include "engine/command/interruption.h"
#include "engine/command/kept_model.h"

struct caller {
    interruption *stop;      // what asks it to stop
    struct kept_model *kept; // the model that stays from one job to the next; NULL: none does
};
