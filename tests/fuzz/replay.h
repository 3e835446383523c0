/* replay.h: what every fuzz target defines, under the name that libFuzzer calls. */
#pragma once

#include <stddef.h>
#include <stdint.h>

// takes any bytes and returns 0; whatever else happens is a mistake found
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
