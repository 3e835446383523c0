/* generate_job.h: what `svdiff generate` is asked for, one job after another: a prompt with its pictures.
 *
 * There is one of the command line, or one a line of --prompts; where a text has choices ({red|blue}), each
 * picture is a job of its own, whose seed chooses. */
#pragma once

#include "engine/command/adapter_option.h"
#include "engine/command/pictures.h"
#include "engine/command/prompt_lines.h"

#include "engine/options/strip.h"
#include "engine/picture/canvas.h"

struct generate_job {
    const struct prompt_line *line; // NULL: the command line's own
    int picture;                    // of the count, that it alone is; -1: all of them
};

// read from the command line and from files; options borrow from it
struct generate {
    struct pictures pictures;
    // of the whole command
    const char *typed;  // the prompt; NULL: --prompts
    char *model;        // what --settings calls the model, or NULL
    GPtrArray *lines;   // struct prompt_line *; NULL without that
    GArray *jobs;       // struct generate_job
    struct strip strip; // without values: none
    struct canvas_margins margins;
    picture *init, *mask;
    // of all jobs
    struct svdiff_estimate estimate;
    guint checked; // with the opened model
    int most_steps;
    // of the job at hand
    struct svdiff_generate_options options;
    char *prompt, *negative; // as they are drawn
    struct svdiff_region *regions;
    struct svdiff_scaled_subject *subjects;
    struct adapter_options adapters;
    int n_regions, n_subjects;
};

const struct given *generate_given(const struct generate *g);
const char *generate_text(const struct generate *g, const char *option);

/* Reads --prompts and finds all jobs. False with a sentence. */
bool generate_job_list(struct generate *g, GError **error);
void generate_job_list_free(struct generate *g);

/* What a job is asked for, on top of the defaults of a model, or with s NULL of Stable Diffusion. False with
 * a sentence, which names the line; to be ended in either case. */
bool generate_job_begin(struct generate *g, const struct generate_job *job, const svdiff *s,
                        GError **error);
void generate_job_end(struct generate *g);
