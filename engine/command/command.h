/* command.h: what the commands of `svdiff` share: common options, the report, exit codes.
 *
 * Exit: 0 done, 1 failed, 2 wrong usage, 130 cancelled. Results go to standard output, everything
 * else to standard error. Texts are taken as raw bytes (GOption would refuse UTF-8 under LANG=C)
 * and checked by the engine. */
#pragma once

#include "engine/base/output_guard.h"
#include "engine/command/caller.h"
#include "engine/command/command_report.h"
#include "engine/command/given.h"
#include "engine/picture/picture.h"
#include "engine/svdiff.h"

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2, COMMAND_CANCELLED = 130 };

#define COMMAND_DEVICES 64

/* What all commands have, from begin to end of a run. A command's own struct begins with it. */
struct command {
    const struct caller *caller; // borrowed

    struct given opening; // of the options of opening a model
    struct given given;   // of the command's own table
    gboolean quiet, json, worker;
    int rank, processes; // which of how many mpirun started; 0 of 1 without it
    bool told;           // another process tells how it ended

    struct svdiff_options session;
    int devices[COMMAND_DEVICES]; // their numbers, of --device cuda:N,M,..
    uint64_t seed;                // a random one, for where none is asked for
    struct report *report;
    GPtrArray *texts;   // char *: of the help
    GPtrArray *written; // char *: files that are whole and stay, however the run ends
    int wanted;         // pictures that there were to be, for a run that is cancelled
};

/* What a command is. */
struct command_kind {
    const char *word;    // what calls it
    const char *purpose; // one line of the list of commands
    const char *summary; // of its help
    const char *usage;   // words that it takes besides options; NULL or "": none
    size_t size;         // of its struct, which is all 0 at first
    /* Its options; NULL: none. Where it is that of a job, their defaults are a model's and run asks
     * for them; else they are fields of the command's struct, and set there before run. */
    const struct option_table *table;
    bool job;
    bool shares;             // several processes do one job together, as mpirun starts them
    bool spreads;            // so do several devices
    unsigned opening;        // enum option_flag: which options of opening a model it uses
    const GOptionEntry *own; // further options, whose callbacks get the struct; NULL: none

    void (*begin)(void *command); // before options are read; may be NULL, as finish
    // words: NULL-terminated, what is left of the command line
    bool (*run)(void *command, char *const *words, GError **error);
    void (*finish)(void *command); // of whatever run left, done or not
};
#define COMMAND_OPENS (OPTION_OPENING | OPTION_DEVICE)
#define COMMAND_RUNS  (COMMAND_OPENS | OPTION_NETWORKS | OPTION_PREDICTS)

extern const struct command_kind command_learn, command_generate, command_edit, command_info,
    command_spectrum, command_bench, command_convert, command_compare, command_directions,
    command_evaluate;

/* Does what the command line says, tells how it ended, and gives the exit code. argv[0] is the
 * command's word. */
int command_run(const struct command_kind *kind, const struct caller *caller, int argc,
                char **argv);

/* Notes a file that the run has written; at the end it is told. Copies the path. */
void command_wrote(struct command *c, const char *path);

/* The progress function of all commands: shows it, and answers false once a signal (or, with
 * --worker, the end of standard input) asked to stop. user is the struct command. */
bool command_progress(void *user, const struct progress *p);

/* A guard of what a run writes (output_guard.h) that knows the files of the model; s may be NULL.
 * Owned by the caller. */
output_guard *command_guard(const svdiff *s);
/* A subject file or svdiff-pytorch's folder is read. */
void command_guard_subject(output_guard *g, const char *file);
/* Warns of what in a text would be drawn as plain characters (prompt_marks.h). what: "prompt";
 * placeholder: what to do about a [V] that is left, NULL where it is right; plain: weights are
 * characters there. */
void command_tell_prompt(struct command *c, const char *what, const char *text,
                         const char *placeholder, bool plain);

/* Tells on which device and in which precision a command computes. */
void command_tell_device(struct command *c, const svdiff *s);

/* Of learning: how long each effort would take, quick first, and what the chosen one has where
 * nothing else is given; how large the file of each method would be. */
struct command_efforts {
    enum svdiff_effort chosen;
    const char *text;               // what it chose, or what was given in its place
    double seconds[SVDIFF_EFFORTS]; // -1: unknown
    enum svdiff_method method;
    uint64_t files[SVDIFF_METHODS]; // 0: it cannot be had with these prompts
    struct svdiff_learn_options defaults;
};

/* Prints what a run would take, as --estimate asks; efforts: NULL where there are none. False when
 * standard output is full. */
bool command_tell_estimate(struct command *c, const struct svdiff_estimate *e,
                           const struct command_efforts *efforts, GError **error);

/* {"KEY": VALUE, ...} of the options that have one, owned by the caller; options: a job's struct. */
JsonObject *command_list_defaults(const struct option_table *t, const void *options);

/* Adds "options", what runs can be asked for and what they can be told, and "defaults", what those
 * of this model take where nothing is asked for. */
void command_add_options(JsonObject *to, const svdiff *s);
