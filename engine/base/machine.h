/* machine.h: what this machine still has for us: memory and processors.
 *
 * The least of all that may stop a process is what counts: the machine's own free memory, the
 * limits of the control groups (containers, systemd) that the process is in, and its own limits.
 * Linux grants more memory than there is and kills later, so it is asked before the work. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Bytes that can still be used: the least of MemAvailable, of the limit less the use of each
 * control group (v2 and v1, file cache counted as free) and of RLIMIT_AS less the address space in
 * use. UINT64_MAX if nothing tells. */
uint64_t machine_available_memory(void);

/* Processors that can be used: those this process may run on, at most the CPU time of its control
 * groups, rounded up; at least 1. */
int machine_processors(void);

/* false with a sentence that names what is needed and what is there if `needed` bytes are more than
 * machine_available_memory says. */
bool machine_check_memory(uint64_t needed, GError **error);

/* The same of a machine whose /proc and /sys lie under the folder `root` ("" is this machine); the
 * process's own limits are left out. For tests. */
uint64_t machine_memory_under(const char *root);
int machine_quota_under(const char *root); // G_MAXINT: no limit on CPU time
