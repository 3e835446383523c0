/* The options of generating, in the order of the help. */
#include "engine/options/choice_words.h"
#include "engine/options/option_rows.h"

#include "engine/svdiff.h"

#define FIELD(field) offsetof(struct svdiff_generate_options, field)

static const struct option rows[] = {
    OTHER(OPTION_TEXT, "prompt", FIELD(prompt), "", "TEXT", "what to draw"),
    OTHER(OPTION_FILE, "prompts", APART, NULL, "FILE",
          "a prompt a line, with options of its own behind it, in place of --prompt; in all texts "
          "{red|blue} is one of them, chosen by the seed"),
    NEGATIVE_ROW,
    OTHER(OPTION_FILE, "settings", APART, NULL, "FILE",
          "a PNG, JPEG or WebP picture that says how it was drawn, as most programs' do: what it "
          "says counts where no option is given"),
    // rows without a field (APART) are read by the command by their names
    CHOICE("unseam", APART, 0, 0, WORDS("none", "classes", "swapped"), 0,
           "a negative prompt against seams between several subjects: none, classes ('a dog and a "
           "cat') or swapped ({default})"),
    OTHER(OPTION_FILES, "subject", APART, NULL, "FILE[:PART][:SCALE]",
          "a subject file or name, the part of it that is wanted (keep=K, only=NAMES, "
          "without=NAMES), and its strength (repeat: they add up)"),
    KEEP_ROW(APART),
    LORA_ROW(
        "a LoRA or another adapter, a file or its name, with its strength (repeat: they add up; "
        "<lora:NAME> in a region's text puts it there alone)"),
    EMBEDDING_ROW,
    BOOL("names", APART, 0, 0,
         "in texts without a [V] what the subjects are called means them: fox for [V] fox"),
    OTHER(OPTION_FILES, "region", APART, NULL, "FILE=TEXT",
          "a text that acts only where a mask is white, and so do files of several --subject whose "
          "words it has (repeat)"),
    // OPTION_MODEL: a model's svdiff.json may say what suits it
    INT("clip-skip", FIELD(clip_skip), 1, 1, 100, OPTION_MODEL, "N",
        "the layer of the text encoder that is taken, from the end: 1 is the last ({default})"),
    INT("steps", FIELD(steps), 50, 1, 1e6, OPTION_MODEL, "N", "sampling steps ({default})"),
    NUMBER("guidance", FIELD(guidance), 7.5, 0, 1000, OPTION_MODEL, "X",
           "how closely the prompt is followed; at most 1: without guidance ({default})"),
    NUMBER(
        "guidance-rescale", FIELD(guidance_rescale), 0, 0, 1, OPTION_MODEL, "X",
        "how far the guided prediction is brought back to the contrast of the unguided one, 0 to "
        "1 ({default})"),
    // diffusers' classes of the same names (sampler/sampler.h)
    CHOICE("sampler", FIELD(sampler), SAMPLER_DDIM, SAMPLER_DDIM, WORDS(LISTED(SAMPLER_WORDS)), 0,
           "{words} ({default})"),
    CHOICE("spacing", FIELD(spacing), SAMPLER_SPACING_MODEL, SAMPLER_SPACING_NORMAL,
           WORDS(LISTED(SPACING_WORDS)), 0,
           "of the sampler's levels of noise: {words} (as the model says)"),
    CHOICE("timesteps", FIELD(timesteps), SAMPLER_TIMESTEPS_MODEL, SAMPLER_TIMESTEPS_LEADING,
           WORDS(LISTED(TIMESTEPS_WORDS)), 0, "where its steps lie: {words} (as the model says)"),
    BOOL("zero-snr", FIELD(zero_snr), 0, 0,
         "the schedule ends in pure noise, for models that were trained so and do not say it"),
    NUMBER("eta", FIELD(eta), 0, 0, 1, 0, "X",
           "ddim, tcd: share of fresh noise, 0 to 1 ({default})"),
    // 0 until the model says its own (OPTION_PIXELS)
    INT("width", FIELD(width), 0, 8, 8192, OPTION_PIXELS, "N",
        "pixels, divisible by 8 ({default})"),
    INT("height", FIELD(height), 0, 8, 8192, OPTION_PIXELS, "N",
        "pixels, divisible by 8 ({default})"),
    NUMBER("hires", FIELD(hires), 1, 1, 8, 0, "FACTOR",
           "larger than the model's size: drawn, enlarged, and drawn again from there ({default})"),
    NUMBER("hires-strength", FIELD(hires_strength), 0.35, 0, 1, OPTION_ABOVE, "X",
           "how far from the enlarged picture the second drawing may go ({default})"),
    INT("count", FIELD(count), 1, 1, 10000, 0, "N", "pictures, each with its own seed ({default})"),
    BOOL("tile", FIELD(tile), 0, 0,
         "a seamless tile: left and right, above and below go on with each other"),
    OTHER(
        OPTION_TEXT, "strip", APART, NULL, "NAME=VALUES",
        "pictures of one seed side by side, with labels, over scale=FROM..TO:N or scale=A,B,C, mix "
        "(between two subjects), keep, lora, guidance, sampler or another of these options; with "
        "%d in --output a file each"),
    OTHER(OPTION_FILE, "init-image", APART, NULL, "FILE", "a picture to start from"),
    // 0 would be the picture itself
    NUMBER("strength", FIELD(strength), 0.75, 0, 1, OPTION_ABOVE, "X",
           "how far from it the result may go, 0 to 1 ({default})"),
    OTHER(OPTION_FILE, "mask", APART, NULL, "FILE",
          "where that picture may change: white in a picture of its size"),
    CHOICE("fill", FIELD(fill), SVDIFF_FILL_ORIGINAL, SVDIFF_FILL_ORIGINAL,
           WORDS("original", "blurred", "noise"), 0,
           "what painting begins with there: {words} ({default})"),
    // -1: nobody asked, so it follows from mask and strength
    INT("feather", FIELD(feather), -1, -1, 8192, 0, "N",
        "pixels over which the model's freedom ends (from mask and strength)"),
    INT("grow", FIELD(grow), 0, 0, 8192, 0, "N",
        "pixels around the mask that may change, too ({default})"),
    BOOL("outpaint", FIELD(outpaint), 0, 0,
         "paint what is clear: below the mask, or everywhere without one"),
    OTHER(OPTION_TEXT, "extend", APART, NULL, "N|LEFT,TOP,RIGHT,BOTTOM",
          "paint this many pixels beyond the edges, too"),
    OTHER(OPTION_FILE, "output", APART, "picture.png", "PATTERN",
          ".png (16 bits if --init-image has them), .tif (float), .jpg or .webp; %d or %04d is the "
          "picture's number ({default})"),
    QUALITY_ROW,
    PREVIEW_ROW,
    BOOL("force", FIELD(force), 0, 0, "open subjects of another model"),
    TRACE_ROW,
    ESTIMATE_ROW,
    SEED_ROW,
    CHOICE("noise", FIELD(noise), SVDIFF_NOISE_PHILOX, SVDIFF_NOISE_PHILOX,
           WORDS(LISTED(NOISE_WORDS)), 0,
           "how a seed's numbers are drawn: {words}, as diffusers does on the CPU ({default})"),
};

const struct option_table options_of_generate = {"generate", sizeof(struct svdiff_generate_options),
                                                 rows, G_N_ELEMENTS(rows)};
