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

struct command {
    const struct caller *caller; // borrowed

    struct given opening; // of the options of opening a model
    struct given given;   // of the command's own table
    gboolean quiet, json, worker;

    struct svdiff_options session;
    uint64_t seed; // a random one, for where none is asked for
    struct report *report;
    GPtrArray *texts; // char *: of the help
};

/* What a command is, besides what it does. */
struct command_line {
    const char *summary, *usage;
    const struct option_table *table; // its options; NULL: none
    /* What these are for a model, in the table's struct; s NULL: for Stable Diffusion. NULL: they
     * are fields of the command's own struct, which begins with struct command, and are set there.
     */
    void (*defaults)(const svdiff *s, void *options);
    unsigned opening;        // enum option_flag: which options of opening a model it uses
    const GOptionEntry *own; // further options, with data for their callbacks; NULL: none
};
#define COMMAND_OPENS (OPTION_OPENING | OPTION_DEVICE)
#define COMMAND_RUNS  (COMMAND_OPENS | OPTION_NETWORKS | OPTION_PREDICTS)

/* Parses argv (argv[0] is the command's word); opens the report. Returns COMMAND_DONE to go on, or
 * the exit code. arguments receives what is left, when not NULL; otherwise anything left is wrong
 * usage. */
int command_begin(struct command *c, int *argc, char ***argv, const struct command_line *line,
                  void *data, char ***arguments);

/* Says the error, frees it, and gives the exit code that belongs to it. */
int command_fail(struct command *c, GError *error);

/* The end of a command that writes pictures, done (error NULL) or not: tells what is there, also of
 * a run that failed or was cancelled, and gives the exit code. written: the files that are whole,
 * char *; it gets a NULL. wanted: how many there were to be. Frees the error. */
int command_end_pictures(struct command *c, GPtrArray *written, int wanted, GError *error);

/* Frees; returns code. */
int command_end(struct command *c, int code);

/* The progress function of all commands: shows it, and answers false once a signal (or, with
 * --worker, the end of standard input) asked to stop. user is the struct command. */
bool command_progress(void *user, const struct progress *p);

/* A guard of what a run writes (output_guard.h) that knows the files of the model; s may be NULL.
 * Owned by the caller. */
output_guard *command_guard(const svdiff *s);
/* A subject file or svdiff-pytorch's folder is read. */
void command_guard_subject(output_guard *g, const char *file);
/* Pictures from a pattern are written: `count` of them, or one a step. */
bool command_guard_pictures(output_guard *g, const char *option, const char *pattern, int count,
                            GError **error);
bool command_guard_previews(output_guard *g, const char *pattern, int steps, GError **error);

/* Warns of what in a text would be drawn as plain characters (prompt_marks.h). what: "prompt";
 * placeholder: what to do about a [V] that is left, NULL where it is right. */
void command_tell_prompt(struct command *c, const char *what, const char *text,
                         const char *placeholder);

/* How a picture was made, for the picture itself: the model's hash, its own seed, and of an edit
 * which of all it is. Owned by the caller. */
char *command_describe_generated(const struct svdiff_generate_options *o, const char *hash,
                                 uint64_t seed, const picture *p);
char *command_describe_edited(const struct svdiff_edit_options *o, const char *hash, int index,
                              uint64_t seed, const picture *p);

/* Whether --quality, where it is given, goes with such an output. */
bool command_check_quality(const struct command *c, const char *output, GError **error);

/* Says what a result will not have of the picture that it begins with. painting: into it. */
void command_tell_init(struct command *c, const char *file, const picture *p, const char *output,
                       bool painting);

/* Writes a picture of --quality with what made it. output: what the option says. */
bool command_write_picture(struct command *c, const char *path, const picture *p, int quality,
                           const char *text, GError **error);

/* Prints what a run would take, as --estimate asks. False when standard output is full. */
bool command_tell_estimate(struct command *c, const struct svdiff_estimate *e, GError **error);

/* The defaults of the jobs, as struct command_line has them. */
void command_learn_defaults(const svdiff *s, void *options);
void command_generate_defaults(const svdiff *s, void *options);
void command_edit_defaults(const svdiff *s, void *options);
/* Adds "options", what runs can be asked for and what they can be told, and "defaults", what those
 * of this model take where nothing is asked for. */
void command_add_options(JsonBuilder *j, const svdiff *s);

/* Prints how well subjects that were learned together stay apart. */
void command_tell_apart(struct command *c, const struct svdiff_subject *subjects,
                        const struct svdiff_apart *a);

/* The commands: each gets its caller and its own arguments. */
int command_learn(const struct caller *caller, int argc, char **argv);
int command_generate(const struct caller *caller, int argc, char **argv);
int command_edit(const struct caller *caller, int argc, char **argv);
int command_info(const struct caller *caller, int argc, char **argv);
int command_spectrum(const struct caller *caller, int argc, char **argv);
int command_bench(const struct caller *caller, int argc, char **argv);
int command_convert(const struct caller *caller, int argc, char **argv);
int command_compare(const struct caller *caller, int argc, char **argv);
