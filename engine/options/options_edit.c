/* The options of editing, in the order of the help. What is learned and drawn by the way has the
 * defaults of learning and generating (defaults.c). */
#include "engine/options/option_rows.h"

#include "engine/svdiff.h"

#define FIELD(field) offsetof(struct svdiff_edit_options, field)

static const struct option rows[] = {
    OTHER(OPTION_FILE, "image", FIELD(image), NULL, "FILE", "the picture"),
    OTHER(OPTION_TEXT, "prompt", FIELD(prompt), "", "TEXT", "what it shows, in plain words"),
    OTHER(OPTION_FILES, "target", FIELD(targets), NULL, "TEXT",
          "what to draw in its place (repeat)"),
    NEGATIVE_ROW,
    // one number for the next three; those are set behind it where they are given, too
    NUMBER("structure", FIELD(structure), 0.75, 0, 1, OPTION_MODEL, "X",
           "how much of the picture's structure is kept, 0 to 1: sets the next three ({default})"),
    BOOL("invert", FIELD(invert), 0, OPTION_HAS_NO,
         "begin with the inverted picture|begin with noise"),
    NUMBER("eta", FIELD(eta), 0, 0, 1, 0, "X", "share of fresh noise in each step, 0 to 1"),
    NUMBER("noise", FIELD(noise), 0, 0, 1, 0, "ALPHA",
           "from the inverted picture (0) to fresh noise (1)"),
    EITHER("invert-on", FIELD(invert_source), 0, WORDS("target", "prompt"), 0,
           "the words it is inverted under: {words} ({default})"),
    INT("refine", FIELD(refine), 0, 0, SVDIFF_REFINE_MAX, OPTION_MODEL, "N",
        "corrections of each step of the inversion, so that it can be undone ({default})"),
    INT("fit", FIELD(fit), 0, 0, SVDIFF_FIT_MAX, OPTION_MODEL, "N",
        "steps in which the picture's latents are corrected through the decoder ({default})"),
    NUMBER("guidance", FIELD(guidance), 3, 0, 1000, OPTION_MODEL, "X",
           "how closely the target is followed; at most 1: without guidance ({default})"),
    // 0 in this table: learning's and generating's own count, which a model may say for edits
    INT("steps", FIELD(steps), 0, 1, 1e6, OPTION_MODEL, "N",
        "steps of sampling and inversion ({default})"),
    INT("learn-steps", FIELD(learn_steps), 0, 1, 1e6, OPTION_MODEL, "N",
        "steps of learning ({default})"),
    NUMBER("learning-rate", FIELD(rate), 0, 0, 10, OPTION_MODEL, "X", "of matrices ({default})"),
    NUMBER("learning-rate-1d", FIELD(rate_1d), 0, 0, 10, OPTION_MODEL, "X", "of norms ({default})"),
    OTHER(OPTION_FILE, "shift", FIELD(shift), NULL, "FILE",
          "the file of what is learned of the picture, or a folder for it (the picture's)"),
    LORA_ROW(
        "a LoRA or another adapter that the targets are drawn with, with its strength (repeat)"),
    EMBEDDING_ROW,
    BOOL("force", FIELD(force), 0, 0, "take a --shift of another model"),
    INT("width", FIELD(width), 0, 8, 8192, OPTION_PIXELS, "N",
        "working size in pixels, divisible by 8 ({default})"),
    INT("height", FIELD(height), 0, 8, 8192, OPTION_PIXELS, "N",
        "working size in pixels, divisible by 8 ({default})"),
    INT("count", FIELD(count), 1, 1, 10000, 0, "N",
        "pictures a target, each with its own seed ({default})"),
    OTHER(OPTION_FILE, "output", APART, "edit.png", "PATTERN",
          ".png, .tif (float), .jpg or .webp; %d or %04d is the picture's number ({default})"),
    QUALITY_ROW,
    PREVIEW_ROW,
    TRACE_ROW,
    SEED_ROW,
};

const struct option_table options_of_edit = {"edit", sizeof(struct svdiff_edit_options), rows,
                                             G_N_ELEMENTS(rows)};
