/* pictures.h: what the commands that draw pictures share: where these go, what they carry, and what
 * is told of them. It is the first thing in a command's struct, so that both are the same user. */
#pragma once

#include "engine/command/command.h"

// how a picture was made, for the picture itself: the model, whose hashes are known, its own
// number and seed
typedef char *(*pictures_describe)(void *user, const svdiff *s, int index, uint64_t seed,
                                   const picture *p);

struct pictures {
    struct command common;
    svdiff *session; // NULL: not opened yet
    pictures_describe describe;
    int first; // number of the first picture of a call, of several calls of one command
};

/* Whether --output, --quality and --preview go together. */
bool pictures_check_usage(const struct pictures *d, GError **error);

/* Whether what is written can be: what would fail after long work. */
bool pictures_check_files(const struct pictures *d, GError **error);

/* Whether none of it is read, in `steps` steps. */
bool pictures_check_overwrites(const struct pictures *d, output_guard *g, int steps,
                               GError **error);

/* The seed that is used where none is asked for. */
void pictures_set_seed(const struct pictures *d, uint64_t *seed);
/* Tells what was chosen where nothing was asked for: the seed and, of the opened model, the
 * precision. */
void pictures_tell_chosen(struct pictures *d);

/* The model that the command line asks for, for as long as the command runs; a worker that stays
 * keeps it. NULL with an error. */
svdiff *pictures_open(struct pictures *d, GError **error);
void pictures_close(struct pictures *d); // opened or not

/* Finds out which model it is, which what is told of a picture has in it. */
bool pictures_know_model(struct pictures *d, GError **error);
/* Writes picture `index` with how it was made. */
bool pictures_write(struct pictures *d, int index, const picture *p, const char *made,
                    GError **error);

/* svdiff_take; user: the struct. It does both. */
bool pictures_take(void *user, int index, uint64_t seed, const picture *p, GError **error);
