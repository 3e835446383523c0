/* race_none.cpp: for builds that do not look at each access. */
#include "tests/rig/rig.h"

void rig_race_device(const void *memory, size_t bytes, bool begins)
{
}

void rig_race_wrote(const void *memory, size_t bytes)
{
}

void rig_race_reads(const void *memory, size_t bytes)
{
}

void rig_race_block(const void *shared, size_t bytes)
{
}
