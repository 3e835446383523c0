/* error.h: the one GError domain of the engine, which is the public header's. */
#pragma once

#include "engine/svdiff.h"
