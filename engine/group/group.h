/* group.h: processes that learn one subject together, as `mpirun -n N` starts them.
 *
 * The environment says whether a process is one of several; a module, the only thing that is linked
 * to MPI, is opened then. Rank 0 leads: it has what is learned, writes and talks; the others work
 * for it. Calls of a group are made by all of its processes in the same order. */
#pragma once

#include "engine/svdiff.h"

#include <gmodule.h>

// asked while a process waits for others; false: it will not wait much longer
typedef bool (*group_patience)(void *user);

struct svdiff_group {
    int rank, size;
    int local_size;   // processes of the group on this machine
    bool local_first; // whether it is the first of them
    bool parted;      // waited in vain: nothing more is asked of the others
    bool told;        // another process says why all end
    bool other;       // it ends because another one failed

    GModule *module;
    void *own;               // the module's
    group_patience patience; // NULL: waits for ever
    void *user;              // for patience

    /* False where the group parted; who waits sleeps. bytes is the same everywhere.
     * everyone: mine [bytes] of each process into all [size, bytes] of each, by rank.
     * gather:   the same, into rank 0's alone; all may be NULL elsewhere.
     * broadcast: rank 0's data [bytes] into everyone's. */
    bool (*everyone)(struct svdiff_group *g, const void *mine, void *all, size_t bytes);
    bool (*gather)(struct svdiff_group *g, const void *mine, void *all, size_t bytes);
    bool (*broadcast)(struct svdiff_group *g, void *data, size_t bytes);
    void (*leave)(struct svdiff_group *g); // waits for all to leave, unless they parted
};

// what a module exports: fills what is empty of a group, false with an error
#define GROUP_MODULE_ENTRY "svdiff_group_module"
typedef bool (*group_module_entry)(struct svdiff_group *g, GError **error);

/* What the environment says: rank and number of the processes; 0 and 1 for one that is alone. Joins
 * nothing. */
int group_rank(void);
int group_local_rank(void); // among those of this machine
int group_size(void);
