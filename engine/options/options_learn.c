/* The options of learning, in the order of the help; those of a subject, which belong together by
 * their order, are the command's (command/learn_subjects.h). */
#include "engine/options/choice_words.h"
#include "engine/options/option_rows.h"

#include "engine/svdiff.h"

#define FIELD(field) offsetof(struct svdiff_learn_options, field)
#define SVDIFF       OPTION_OF(SVDIFF_METHOD_SVDIFF)
#define LORA         OPTION_OF(SVDIFF_METHOD_LORA)
#define INVERSION    OPTION_OF(SVDIFF_METHOD_TEXTUAL_INVERSION)
#define FULL         OPTION_OF(SVDIFF_METHOD_FULL)
#define CUSTOM       OPTION_OF(SVDIFF_METHOD_CUSTOM_DIFFUSION)
// whose text encoders can learn; whose weights do, so that a prior keeps the class
#define TEXTS   (SVDIFF | LORA | FULL)
#define WEIGHTS (TEXTS | CUSTOM)

static const struct option rows[] = {
    // the first: rows that are not of all methods say of which they are
    CHOICE("method", FIELD(method), SVDIFF_METHOD_SVDIFF, SVDIFF_METHOD_SVDIFF,
           WORDS(LISTED(METHOD_WORDS)), OPTION_COUNTS | OPTION_KEPT | OPTION_IF_ON,
           "{words}: what learns, and which file it becomes ({default})"),
    OTHER(OPTION_FILE, "output", FIELD(output), NULL, "FILE",
          "the subject file, or what the method makes"),
    LORA_ROW(
        "learn on top of a LoRA or another adapter, with its strength (repeat); the subject is "
        "then drawn with the same"),
    // what it chooses is of the fingerprint, each by its own row
    CHOICE("effort", FIELD(effort), SVDIFF_EFFORT_NORMAL, SVDIFF_EFFORT_QUICK,
           WORDS(LISTED(EFFORT_WORDS)), OPTION_KEPT,
           "{words}: sooner done, or more like it; other options win ({default})"),
    INT("steps", FIELD(steps), 500, 1, 1e6, OPTION_MODEL, "N",
        "steps of learning ({default}, and half as many more for each further subject)"),
    // 1e-3 and 1e-6: svdiff-pytorch's rates of matrices and of 1-D weights
    NUMBER("learning-rate", FIELD(rate), 1e-3, 0, 10, OPTION_MODEL | OPTION_COUNTS | OPTION_KEPT,
           "X", "of matrices, and all that learns with other methods ({default})"),
    NUMBER("learning-rate-1d", FIELD(rate_1d), 1e-6, 0, 10,
           OPTION_MODEL | OPTION_COUNTS | OPTION_KEPT | SVDIFF, "X", "of norms ({default})"),
    NUMBER("placeholder-rate", FIELD(placeholder_rate), 0, 0, 10,
           OPTION_MODEL | OPTION_COUNTS | OPTION_KEPT | OPTION_IF_ON | SVDIFF, "X",
           "of the word that stands for [V], such as 0.0005; 0: it stays ({default})"),
    // of PEFT's and diffusers' DreamBooth
    INT("rank", FIELD(rank), 4, 1, 1024, OPTION_COUNTS | OPTION_KEPT | LORA, "K",
        "of what is added ({default})"),
    NUMBER("alpha", FIELD(alpha), 0, 0, 1e4, OPTION_COUNTS | OPTION_KEPT | LORA, "X",
           "what it adds counts X / rank times; 0: once ({default})"),
    CHOICE("modules", FIELD(modules), LORA_MODULES_ATTENTION, LORA_MODULES_ATTENTION,
           WORDS("attention", "linear", "all"), OPTION_COUNTS | OPTION_KEPT | LORA,
           "which weights learn: {words}, convolutions with it ({default})"),
    CHOICE("keys", FIELD(keys), LORA_KEYS_KOHYA, LORA_KEYS_KOHYA, WORDS("kohya", "diffusers"),
           LORA | INVERSION, "whose names its tensors have: {words}, which are PEFT's ({default})"),
    INT("vectors", FIELD(vectors), 1, 1, 16, OPTION_COUNTS | OPTION_KEPT | INVERSION, "N",
        "that stand for the word ({default})"),
    {.name = "start-word",
     .kind = OPTION_TEXT,
     .flags = INVERSION | CUSTOM,
     .field = FIELD(start_word),
     .value = "TEXT",
     .help = "what they begin as, one after the other (the last word of the class prompt)"},
    // as diffusers' get_scheduler has them
    CHOICE("schedule", FIELD(schedule), SVDIFF_RATE_CONSTANT, SVDIFF_RATE_CONSTANT,
           WORDS("constant", "linear", "cosine"), OPTION_MODEL | OPTION_COUNTS | OPTION_KEPT,
           "{words} ({default})"),
    INT("warm-up", FIELD(warm_up), 0, 0, 1e6, OPTION_MODEL | OPTION_COUNTS, "N",
        "steps in which the rates rise ({default})"),
    // Hang and others 2023; their gamma is 5
    NUMBER("min-snr", FIELD(min_snr), 0, 0, 1e6, OPTION_MODEL | OPTION_COUNTS, "X",
           "gamma of min-SNR weights; 0: off ({default})"),
    NUMBER("noise-offset", FIELD(noise_offset), 0, 0, 10,
           OPTION_MODEL | OPTION_COUNTS | OPTION_IF_ON, "X",
           "noise that is the same all over a channel, such as 0.1; 0: off ({default})"),
    // AdamW's defaults, as DreamBooth's scripts take them
    NUMBER("weight-decay", FIELD(weight_decay), 0.01, 0, 1e3, OPTION_MODEL | OPTION_COUNTS, "X",
           "of AdamW ({default})"),
    NUMBER("clip", FIELD(clip), 1, 0, 1e9, OPTION_MODEL | OPTION_COUNTS, "X",
           "largest norm of the gradient; 0: off ({default})"),
    INT("accumulate", FIELD(accumulate), 1, 1, 1024, OPTION_MODEL | OPTION_COUNTS, "N",
        "batches a step ({default})"),
    INT("batch", FIELD(batch), 1, 1, 64, OPTION_MODEL | OPTION_COUNTS, "N",
        "pictures at once ({default})"),
    BOOL("flip", FIELD(flip), 0, OPTION_MODEL | OPTION_COUNTS | OPTION_HAS_NO,
         "show mirror images, too ({default})|do not"),
    EITHER("crop", FIELD(random_crop), 0, WORDS("centre", "random"), OPTION_COUNTS,
           "{words} ({default})"),
    BOOL("buckets", FIELD(buckets), 0, OPTION_COUNTS | OPTION_KEPT | OPTION_IF_ON,
         "pictures keep their shapes, about as large as the square, which would cut them off"),
    EITHER("latent", FIELD(latent_mean), 0, WORDS("sample", "mean"), OPTION_COUNTS,
           "{words} of the encoder ({default})"),
    // 0 until the model says its own (OPTION_PIXELS)
    INT("size", FIELD(size), 0, 64, 4096, OPTION_PIXELS | OPTION_COUNTS, "N",
        "side of the pictures in pixels (the model's own: {default})"),
    NUMBER("mask-weight", FIELD(mask_weight), 0.1, 0, 1, OPTION_MODEL | OPTION_COUNTS, "X",
           "how much counts what is outside of the masks, 0 to 1 ({default})"),
    // OPTION_SEVERAL from here: part of the fingerprint only where there are several subjects
    NUMBER("cut-mix", FIELD(cut_mix), 0.6, 0, 1, OPTION_MODEL | OPTION_SEVERAL, "P",
           "how often two subjects are mixed into one picture, 0 to 1 ({default})"),
    CHOICE("cut-mix-layouts", FIELD(cut_mix_layouts), LAYOUTS_HALVES, LAYOUTS_HALVES,
           WORDS("halves", "stacked", "corners", "all"), OPTION_MODEL | OPTION_SEVERAL,
           "how they share it where no --region says so: {words} ({default})"),
    NUMBER("unmix-weight", FIELD(unmix_weight), 0.04, 0, 1e6, OPTION_MODEL | OPTION_SEVERAL, "W",
           "how much counts that words attend to the places of other subjects; 0: not ({default})"),
    INT("unmix-grid", FIELD(unmix_grid), 16, 1, 4096, OPTION_MODEL | OPTION_SEVERAL, "N",
        "side of the attention maps that this is seen in, or the nearest ({default})"),
    CHOICE("unmix-layers", FIELD(unmix_layers), UNMIX_DOWN, UNMIX_DOWN, WORDS("down", "up", "both"),
           OPTION_MODEL | OPTION_SEVERAL,
           "blocks of the UNet that it is seen in: {words} ({default})"),
    CHOICE("unmix-maps", FIELD(unmix_maps), UNMIX_MEAN, UNMIX_PLAIN, WORDS("plain", "mean", "max"),
           OPTION_MODEL | OPTION_SEVERAL, "plain, or divided by their mean or max ({default})"),
    INT("apart-pictures", FIELD(apart_pictures), 2, 0, 1000, 0, "N",
        "pictures drawn at the end, to say how well several subjects stay apart; 0: none "
        "({default})"),
    // DreamBooth's prior preservation (Ruiz and others 2023)
    NUMBER("prior-weight", FIELD(prior_weight), 1, 0, 1e3, OPTION_MODEL | OPTION_COUNTS | WEIGHTS,
           "X", "how much the class is kept as it was; 0: not ({default})"),
    // of the first 20 steps each (lesson.c)
    INT("prior-every", FIELD(prior_every), 4, 1, 1e6,
        OPTION_MODEL | OPTION_COUNTS | OPTION_KEPT | OPTION_IF_ON | WEIGHTS, "N",
        "from step 20 on, steps from one that keeps it to the next, with as many times the weight "
        "({default})"),
    INT("prior-images", FIELD(prior_images), 0, 0, 10000, OPTION_MODEL | OPTION_COUNTS | WEIGHTS,
        "N", "pictures of the class made for that; 0: the model's predictions serve ({default})"),
    BOOL("text-encoder", FIELD(text_encoder), 1,
         OPTION_MODEL | OPTION_COUNTS | OPTION_KEPT | OPTION_HAS_NO | TEXTS,
         "the text encoder learns, too ({default}; full: no)|it does not"),
    INT("top", FIELD(top), 0, 0, 1e6, OPTION_COUNTS | OPTION_KEPT | OPTION_IF_ON | SVDIFF, "K",
        "of each matrix the K largest singular values learn; 0: all ({default})"),
    EITHER("norms", FIELD(scalar_norms), 0, WORDS("elementwise", "scalar"),
           OPTION_COUNTS | OPTION_KEPT | SVDIFF, "{words} ({default})"),
    // the paper's table 1, in its order
    CHOICE("subset", FIELD(subset), SUBSET_UNET, SUBSET_UNET,
           WORDS("unet", "unet-ca", "unet-ca-kv", "unet-1d", "unet-2d", "unet-4d", "up", "down",
                 "mid", "up-ca", "down-ca", "mid-ca"),
           OPTION_COUNTS | OPTION_KEPT | SVDIFF | FULL,
           "weights of the UNet that learn: {words} ({default})"),
    // what is looked at on the way changes nothing of what is learned
    INT("validate-every", FIELD(validate_every), 0, 0, 1e6, 0, "N",
        "steps between losses on fixed noise, a column of OUTPUT.csv; 0: none ({default})"),
    INT("sample-every", FIELD(sample_every), 0, 0, 1e6, 0, "N",
        "steps between samples; 0: none ({default})"),
    OTHER(OPTION_TEXT, "sample-prompt", FIELD(sample_prompt), NULL, "TEXT", "what they show"),
    INT("checkpoint-every", FIELD(checkpoint_every), 0, 0, 1e6, 0, "N",
        "steps between checkpoints; 0: none ({default})"),
    BOOL("resume", FIELD(resume), 0, 0,
         "go on from OUTPUT.resume, where a stopped run or one with fewer --steps ended"),
    BOOL("continue", FIELD(resume_own), 0, 0,
         "go on from OUTPUT.resume where it is of the same run, with its seed, else begin anew; "
         "remove it at the end"),
    OTHER(OPTION_FILE, "plot", FIELD(plot), NULL, "FILE",
          "the losses as a figure (.png or .svg): of each step, their mean, and those of "
          "--validate-every"),
    TRACE_ROW,
    ESTIMATE_ROW,
    BOOL("caption-files", APART, 0, 0,
         "take the caption of each picture from the .txt beside it, NAME.txt for NAME.png"),
    OTHER(OPTION_FILE, "squares", APART, NULL, "FILE",
          "with --estimate: write what is learned of the first pictures, side by side, clear where "
          "no mask marks (.png)"),
    {.name = "seed",
     .kind = OPTION_SEED,
     .flags = OPTION_COUNTS | OPTION_KEPT,
     .field = FIELD(seed),
     .value = "N",
     .help = "what random numbers begin with (of --resume and --continue the checkpoint's, else a "
             "random one, which is said)"},
};

const struct option_table options_of_learn = {"learn", sizeof(struct svdiff_learn_options), rows,
                                              G_N_ELEMENTS(rows)};
