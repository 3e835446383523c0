/* svdiff.h: the one public header of the engine.
 *
 *   g_autoptr(svdiff) s = svdiff_open(&(struct svdiff_options){.model = path}, &error);
 *   struct svdiff_learn_options learn = svdiff_learn_defaults(s);
 *   ... learn.subjects = ..., learn.output = "fox.safetensors";
 *   if (!svdiff_learn(s, &learn, progress, user, &error)) ...
 *   struct svdiff_generate_options generate = svdiff_generate_defaults(s);
 *   ... generate.subjects = ..., generate.prompt = svdiff_subject_prompt("a fox in the snow", ...);
 *   if (!svdiff_generate(s, &generate, take_picture, progress, user, &error)) ...
 *
 * SVDiff (Han et al., ICCV 2023) on Stable Diffusion 1.x and 2.x: a subject is learned by changing
 * only the singular values of a model's weights. One call at a time per session; two sessions are
 * independent. Strings and arrays in options are borrowed for the call. Errors are SVDIFF_ERROR
 * sentences. resources/example/fox.c is a whole program. This header needs GLib alone; the inside
 * of the engine includes it for its types. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

// what the shared library exports; everything else is hidden
#define SVDIFF_API __attribute__((visibility("default")))

G_BEGIN_DECLS

/* ---- errors ---- */

/* A message is one sentence that names the file, tensor or option and says what to do. The code
 * decides the exit status of the command: usage 2, failed 1, cancelled 130. */
#define SVDIFF_ERROR (svdiff_error_quark())

enum svdiff_error_code {
    SVDIFF_ERROR_FAILED,    // a file, the memory or the arithmetic failed
    SVDIFF_ERROR_USAGE,     // what was asked for is wrong by itself
    SVDIFF_ERROR_CANCELLED, // stopped on request; what was learned so far is kept
};

SVDIFF_API GQuark svdiff_error_quark(void);

/* ---- progress ---- */

enum progress_event {
    PROGRESS_STEP,       // work goes on
    PROGRESS_SAMPLE,     // a picture was written to `file`
    PROGRESS_CHECKPOINT, // what is needed to go on later was written to `file`
};

/* The engine prints nothing. Whoever starts work hands in a function; it is called often (at every
 * segment of a network), on the thread that works, and its answer false cancels. */
struct progress {
    enum progress_event event;
    const char *phase;   // what is being done, one word: "spectrum", "learn", "generate"
    int step, steps;     // done and all; steps 0: not known
    double loss;         // negative: there is none
    double seconds_left; // of this phase; negative: not known yet
    const char *file;    // of a sample or checkpoint, else NULL
};

// valid during the call only; false: stop as soon as possible, with SVDIFF_ERROR_CANCELLED
typedef bool (*progress_function)(void *user, const struct progress *p);

/* ---- pictures ---- */

// row-major, channels last, floats 0..1: R'G'B' in sRGB, into which alpha is not multiplied
typedef struct svdiff_picture svdiff_picture;
struct svdiff_picture {
    int width, height;
    int channels;  // 3: R'G'B', 4: R'G'B' and alpha, 1: a mask
    float *pixels; // [height, width, channels], owned
    // what its file was, of results that began with it, too; NULL or a reference
    struct picture_origin *origin;
};

/* A picture whose pixels are not set yet, or NULL with an error when there is no memory for it. */
SVDIFF_API svdiff_picture *svdiff_picture_create(int width, int height, int channels,
                                                 GError **error);
SVDIFF_API void svdiff_picture_free(svdiff_picture *p); // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(svdiff_picture, svdiff_picture_free)

/* Reads a PNG, JPEG, WebP or TIFF file; what it says of its colours and its orientation is applied.
 * 3 or 4 channels. mask: 1 channel, luminance times alpha of the values as the file has them. */
SVDIFF_API svdiff_picture *svdiff_picture_read(const char *path, bool mask, GError **error);

/* Writes a picture, whole or not at all: `.png`, `.tif` (float), `.jpg` or `.webp`. */
SVDIFF_API bool svdiff_picture_write(const char *path, const svdiff_picture *p, GError **error);

/* ---- a session ---- */

typedef struct svdiff svdiff;

enum svdiff_device { SVDIFF_DEVICE_AUTO, SVDIFF_DEVICE_CPU, SVDIFF_DEVICE_CUDA };
// auto: bfloat16 where the device computes with it, else f32. f16 and tf32: CUDA devices alone
enum svdiff_precision {
    SVDIFF_PRECISION_AUTO,
    SVDIFF_PRECISION_F32,
    SVDIFF_PRECISION_BF16,
    SVDIFF_PRECISION_F16,
    SVDIFF_PRECISION_TF32
};
// what the UNet predicts, when the person knows better than the model's files
enum svdiff_prediction { SVDIFF_PREDICTION_MODEL, SVDIFF_PREDICTION_V, SVDIFF_PREDICTION_EPSILON };

struct svdiff_options {
    const char *model;     // diffusers folder or .safetensors; NULL: the one that ships
    const char *tokenizer; // its folder; NULL: the model's own, else CLIP's, which ships
    const char *vae;       // file or folder of another autoencoder; NULL: the model's own
    enum svdiff_prediction prediction;
    enum svdiff_device device;
    int device_number; // of several of that kind, from 0
    /* Others of that kind, which share its work: learning is that of so many times --accumulate as there are
     * devices, of several pictures each draws a part. */
    const int *more_devices;
    int n_more_devices;
    int threads; // 0: all that the process may use
    enum svdiff_precision precision;
    const char *cache;    // folder of the spectra; NULL: the user's cache folder
    uint64_t cache_limit; // bytes; 0: 10 GB
    /* Told everything that a person should know and that is no error; may be NULL. */
    void (*warn)(void *user, const char *sentence);
    /* Told what is worth knowing and nothing to worry about; may be NULL. */
    void (*note)(void *user, const char *sentence);
    void *user;
};

/* Opens a model: reads its configs and tokenizer; weights are read when they are needed. options
 * NULL: the model that ships, and all else by itself. Owned by the caller. */
SVDIFF_API svdiff *svdiff_open(const struct svdiff_options *options, GError **error);
SVDIFF_API void svdiff_close(svdiff *s); // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(svdiff, svdiff_close)

#define SVDIFF_SQUARES 4 // of so many pictures an estimate shows what is learned

/* What a run with these options would take; told before it starts. Nothing is written for it. */
struct svdiff_estimate {
    uint64_t bytes;       // memory at its peak, on each device where several share the run
    uint64_t least_bytes; // the same where memory is short: slower
    double operations;    // of all products, on all devices
    double reading;       // of the seconds those that are not of products
    double seconds;       // about; without reading the model and decomposing it. -1: unknown
    /* Of learning: of each mask what share of the learning square it marks, in the order of the
     * pictures; owned by the caller (g_free), NULL without masks. */
    double *marked;
    int n_marked;
    /* Of learning: the squares of the first SVDIFF_SQUARES pictures as they are learned, side by
     * side, with alpha where the masks mark. Owned by the caller. */
    svdiff_picture *squares;
    int64_t values;     // of learning: numbers that learn
    int tensors;        // of learning: tensors that they are in
    int width, height;  // of generating: pixels of the pictures that are made
    char device[64];    // that it would run on: "cpu", "cuda:0", "cuda:0,1"
    int devices;        // how many these are
    uint64_t available; // bytes that its memory has free now, the least of all; UINT64_MAX: unknown
};

SVDIFF_API void svdiff_estimate_clear(struct svdiff_estimate *e);

/* ---- learning ---- */

/* Layouts of mixed pictures where no regions are given. */
enum layout_choice { LAYOUTS_HALVES, LAYOUTS_STACKED, LAYOUTS_CORNERS, LAYOUTS_ALL };

// a part of a square, 0..1
struct layout_box {
    double left, top, right, bottom;
};

/* Which weights are learned: 1-D are the gains of norms, 2-D linear layers and embeddings, 4-D
 * convolutions; CA is cross-attention, KV its keys and values; up, down, mid are the UNet's
 * blocks. */
enum shift_subset {
    SUBSET_UNET,
    SUBSET_UNET_CA,
    SUBSET_UNET_CA_KV,
    SUBSET_UNET_1D,
    SUBSET_UNET_2D,
    SUBSET_UNET_4D,
    SUBSET_UP,
    SUBSET_DOWN,
    SUBSET_MID,
    SUBSET_UP_CA,
    SUBSET_DOWN_CA,
    SUBSET_MID_CA,
};

/* The attentions that the unmix loss watches, and by what a map is divided: 1, its mean or its
 * largest value. */
enum unmix_layers { UNMIX_DOWN = 1, UNMIX_UP = 2, UNMIX_BOTH = UNMIX_DOWN | UNMIX_UP };
enum unmix_maps { UNMIX_PLAIN, UNMIX_MEAN, UNMIX_MAX };

struct svdiff_subject {
    const char *prompt;        // "a photo of a [V] dog"
    const char *class_prompt;  // "a photo of a dog"; NULL: the prompt without [V]
    const char *const *images; // files, NULL-terminated
    /* Files, one for each image: white is the subject; an entry may be NULL, and so may the list.
     * Subjects with masks of the same image are learned from it together. */
    const char *const *masks;
    const char *const *captions; // of each image: behind the prompt, or with [V] for it; or NULL
    const char *region;          // a mask: where the subject goes in mixed pictures; NULL: any half
    /* A part of the learning square, into which the pictures are put, smaller (learn_place.h),
     * before they are learned; they have no masks then, and are not mirrored. NULL: all of it. */
    const struct layout_box *box;
};

/* How well several subjects stay apart, seen in pictures that the model draws of two of them in
 * their regions: shares of the attention on a subject's own words, and how strong the seam is
 * between two halves. */
struct svdiff_apart {
    int pictures;
    int n_subjects;
    const double *own, *others; // [n_subjects]: in its region, in the other's
    double seam; // change across the seam over that of its surroundings; negative: there is none
};

// a LoRA or one of its relatives; strength 1: as it was trained
struct svdiff_adapter {
    const char *file;
    double strength;
};
// a textual inversion, and the word of prompts that stands for it; NULL: its own
struct svdiff_embedding {
    const char *file, *word;
};

/* How much work a subject is worth: a set of defaults of the options below (svdiff_learn_effort). */
enum svdiff_effort { SVDIFF_EFFORT_QUICK = -1, SVDIFF_EFFORT_NORMAL, SVDIFF_EFFORT_THOROUGH };
#define SVDIFF_EFFORTS 3

/* Processes that learn one subject together, as `mpirun -n N program ...` starts them: process 0 adds
 * their gradients up and writes the files. It is the run of one with N times --accumulate. */
typedef struct svdiff_group svdiff_group;

/* Joins the group that this process was started in; before other threads begin. Owned by the caller.
 * NULL without an error where it was started alone; with one where the module for groups is not
 * installed or the processes do not find each other. */
SVDIFF_API svdiff_group *svdiff_group_join(GError **error);
SVDIFF_API int svdiff_group_rank(const svdiff_group *g);
SVDIFF_API void svdiff_group_leave(svdiff_group *g); // waits for the others; accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(svdiff_group, svdiff_group_leave)

/* How a subject is learned, and so which file it becomes (engine/learn/methods/method.h). */
enum svdiff_method {
    SVDIFF_METHOD_SVDIFF,
    SVDIFF_METHOD_LORA,
    SVDIFF_METHOD_TEXTUAL_INVERSION,
    SVDIFF_METHOD_FULL,
    SVDIFF_METHOD_CUSTOM_DIFFUSION,
};
#define SVDIFF_METHODS 5
// which weights a LoRA is of: of the attentions, all linear ones of transformers, kernels as well
enum lora_modules { LORA_MODULES_ATTENTION, LORA_MODULES_LINEAR, LORA_MODULES_ALL };
enum lora_keys { LORA_KEYS_KOHYA, LORA_KEYS_DIFFUSERS }; // whose names a file has

enum svdiff_rate_schedule { SVDIFF_RATE_CONSTANT, SVDIFF_RATE_LINEAR, SVDIFF_RATE_COSINE };

struct svdiff_learn_options {
    const struct svdiff_subject *subjects;
    int n_subjects;
    const char *output; // the file: of a subject, or what else the method makes
    // in the model's weights before it learns; the subject is then drawn with the same
    const struct svdiff_adapter *adapters;
    int n_adapters;

    enum svdiff_effort effort; // whose defaults these are, as the subject file notes it
    enum svdiff_method method;
    // of LoRA; what it adds counts alpha / rank times, alpha 0: once
    int rank;
    double alpha;
    enum lora_modules modules;
    enum lora_keys keys; // of LoRA and of textual inversion
    // of textual inversion: how many, and the word they begin as; NULL: the class prompt's last one
    int vectors;
    const char *start_word;
    int steps;
    double rate, rate_1d; // learning rates of matrices and of norms
    /* Of the words that stand for [V], whose rows of the embedding then learn beside the shifts; 0:
     * they stay as they are. Prompts without [V] have none. */
    double placeholder_rate;
    enum svdiff_rate_schedule schedule;
    int warm_up;    // steps in which the rates rise to their value
    double min_snr; // gamma; 0: off (Hang et al. 2023)
    /* How much of a normal number a channel is added to the noise of all its places, so that light
     * and dark pictures can be drawn; 0: not. */
    double noise_offset;
    double weight_decay, clip;
    int accumulate, batch;
    bool flip, random_crop, latent_mean;
    bool find_subject;  // the square of a picture without masks is around what stands out of it
    int size;           // side of the learning pictures in pixels
    double mask_weight; // of the loss outside of the masks; inside it is 1
    double cut_mix;     // probability that two subjects are mixed into one picture
    enum layout_choice cut_mix_layouts; // of those for which no regions are given
    /* How much counts that the words of subjects in one picture attend to each other's places
     * (engine/tape/attention_guide.h); 0: not. */
    double unmix_weight;
    int unmix_grid; // side of the attention maps that are taken: 16, else the nearest
    enum unmix_layers unmix_layers;
    enum unmix_maps unmix_maps;
    double prior_weight;
    /* After 20 steps that keep the class each: steps from one that does to the next, with as many
     * times the weight. The others have neither its rows nor the unshifted model's prediction. */
    int prior_every;
    // pictures of other shapes than a square keep them (learn_bucket.h); of one subject
    bool buckets;
    int prior_images; // made by the model before learning; 0: its prediction is the target
    bool text_encoder, scalar_norms;
    int top; // of each matrix so many singular values learn, the largest; 0: all
    enum shift_subset subset;
    uint64_t seed;

    int validate_every; // steps; 0: no validation loss
    int sample_every;   // steps; 0: no samples
    const char *sample_prompt;
    int checkpoint_every; // steps; 0: only at the end
    bool resume;          // goes on from OUTPUT.resume, which every run leaves
    // the same, begins anew where that is of another run, and removes it at the end
    bool resume_own;
    const char *plot;    // the losses of all steps as a figure, .png or .svg; NULL: none
    const char *trace;   // file, NULL: none
    svdiff_group *group; // that learns together, each with the same options; NULL: none

    /* Of several subjects, told at the end with svdiff_learn's user, from so many pictures, but at
     * least one a subject; 0: not at all. */
    void (*apart)(void *user, const struct svdiff_apart *a);
    int apart_pictures;
};

// seed, precision and effort of the run that left a checkpoint beside this output; false: none did
SVDIFF_API bool svdiff_learn_kept(const char *output, uint64_t *seed,
                                  enum svdiff_precision *precision, enum svdiff_effort *effort);

// the model's own defaults: svdiff.json of its folder, else Stable Diffusion's; these also for NULL
SVDIFF_API struct svdiff_learn_options svdiff_learn_defaults(const svdiff *s);

SVDIFF_API struct svdiff_learn_options svdiff_learn_effort(const svdiff *s,
                                                           enum svdiff_effort effort);

// the same of a method: its usual learning rate, unless the model says another for it
SVDIFF_API struct svdiff_learn_options
svdiff_learn_method(const svdiff *s, enum svdiff_method method, enum svdiff_effort effort);

// the steps of n subjects, where `one` are enough for one: half as many more for each further one
SVDIFF_API int svdiff_learn_steps(int one, int n);

/* Learns the subjects and writes options->output, whole or not at all. When progress answers false, or
 * a loss is no number, what was learned well is written, and there is an error. */
SVDIFF_API bool svdiff_learn(svdiff *s, const struct svdiff_learn_options *options,
                             progress_function progress, void *user, GError **error);

SVDIFF_API bool svdiff_estimate_learn(svdiff *s, const struct svdiff_learn_options *options,
                                      struct svdiff_estimate *e, GError **error);

// about how long it would take with other options, at the speed of an estimate; -1: unknown
SVDIFF_API bool svdiff_estimate_like(svdiff *s, const struct svdiff_learn_options *options,
                                     const struct svdiff_estimate *e, double *seconds,
                                     GError **error);

// how many bytes options->output will have
SVDIFF_API bool svdiff_estimate_file(svdiff *s, const struct svdiff_learn_options *options,
                                     uint64_t *bytes, GError **error);

/* The small picture of its subject that a subject file carries, owned by the caller. NULL with an
 * error for what is no subject file or a damaged picture; NULL without one when it carries none. */
SVDIFF_API svdiff_picture *svdiff_subject_preview(const char *file, GError **error);

/* What the subjects of a file are called in plain words, "a fox": as prompts speak of them; "" for
 * one that does not say. g_strfreev it; NULL with an error for what is no subject file. */
SVDIFF_API char **svdiff_subject_things(const char *file, GError **error);

/* ---- generating ---- */

struct svdiff_scaled_subject {
    const char *file; // a subject file or svdiff-pytorch's folder
    double scale;     // 1: as learned
    const char *part; // ":keep=40:only=down,mid:without=attn2", as a name has it; NULL: all of it
};

/* Whether a subject that is learned under this name can be called by it later: no path, no more
 * than 200 bytes, no blanks at its ends, no control characters, no point at its beginning. */
SVDIFF_API bool svdiff_subject_name_good(const char *name);

/* The name or file in "fox:0.8", with its part ("fox:keep=40:0.8"), and its strength, 1 without one. A
 * subject that exists under all of the text ("portrait 16:9") is that one. Owned by the caller. */
SVDIFF_API char *svdiff_subject_split(const char *text, double *scale);
// the same of an adapter, whose name is one of svdiff/loras; what is returned is its file
SVDIFF_API char *svdiff_adapter_split(const char *text, double *strength);

/* The text that svdiff_subject_split takes apart into these two. Owned by the caller. */
SVDIFF_API char *svdiff_subject_join(const char *name, double scale);

/* The parts of a list, "fox:0.8; cat", between ; or ends of lines, without blanks around them and
 * without empty ones. A subject that exists with ; in its name is one part. g_strfreev it. */
SVDIFF_API char **svdiff_subject_list(const char *list);

/* A prompt with the subjects' own words in it: in place of its [V], [V1] ..., or before what it
 * calls them by name or kind, as in "a fox in the snow". Owned by the caller; NULL with an error
 * for what is no subject file. */
SVDIFF_API char *svdiff_subject_prompt(const char *prompt,
                                       const struct svdiff_scaled_subject *subjects, int n,
                                       GError **error);

/* What lies below a mask before it is painted: the picture itself, its surroundings' colours, or
 * noise in the place of its latents. */
enum svdiff_fill { SVDIFF_FILL_ORIGINAL, SVDIFF_FILL_BLURRED, SVDIFF_FILL_NOISE };

// a text that acts only where a mask is white; the whole of the mask is the whole of the picture
struct svdiff_region {
    const char *file;           // of the mask, of any size
    const svdiff_picture *mask; // 1 channel, in place of a file; NULL: the file
    const char *text;
    // bits 1 << i: subjects, and counted on behind them adapters, that are in this region alone
    uint64_t subjects;
};

/* diffusers' classes of these names; how their levels of noise are spaced, and where their timesteps lie
 * (Lin and others, 2023, table 2), each as the model's config says or its class, where it is MODEL. */
// clang-format off
enum sampler_kind {
    SAMPLER_DDIM, SAMPLER_EULER, SAMPLER_EULER_A, SAMPLER_DPMPP_2M, SAMPLER_PNDM, SAMPLER_LMS, SAMPLER_HEUN,
    SAMPLER_DPM2, SAMPLER_DPM2_A, SAMPLER_UNIPC, SAMPLER_LCM, SAMPLER_DPMPP_2M_SDE, SAMPLER_DPMPP_3M_SDE,
    SAMPLER_DPMPP_SDE, SAMPLER_TCD, SAMPLER_DDIM_INVERSE, // the last of editing alone
};
enum sampler_spacing {
    SAMPLER_SPACING_MODEL, SAMPLER_SPACING_NORMAL, SAMPLER_SPACING_KARRAS, SAMPLER_SPACING_EXPONENTIAL,
    SAMPLER_SPACING_BETA, SAMPLER_SPACING_LU, SAMPLER_SPACING_AYS, // formulas: sampler_spacing.h
};
enum sampler_timesteps {
    SAMPLER_TIMESTEPS_MODEL, SAMPLER_TIMESTEPS_LEADING, SAMPLER_TIMESTEPS_TRAILING, SAMPLER_TIMESTEPS_LINSPACE,
};
// clang-format on

// how random numbers are drawn of a seed
enum svdiff_noise {
    SVDIFF_NOISE_PHILOX, // Philox 4x32-10: the same on every machine
    SVDIFF_NOISE_TORCH,  // as diffusers' pipelines with PyTorch's CPU generator, in float
};

struct svdiff_generate_options {
    const char *prompt, *negative;
    const struct svdiff_region *regions; // besides the prompt, which acts everywhere
    int n_regions;
    const struct svdiff_scaled_subject *subjects; // shifts add up where both are
    int n_subjects;
    bool force;                            // open subjects of another model
    const struct svdiff_adapter *adapters; // what they add to the weights adds up, too
    int n_adapters;
    const struct svdiff_embedding *embeddings;
    int n_embeddings;
    int steps;
    int clip_skip;           // the layer of the text encoder, from the end: 1 is the last
    double guidance;         // at most 1: no unconditional pass
    double guidance_rescale; // 1: with the deviation of the unguided prediction; 0: as it is
    enum sampler_kind sampler;
    enum sampler_spacing spacing;
    enum sampler_timesteps timesteps;
    bool zero_snr; // the schedule ends in pure noise, whatever the config says
    double eta;
    int width, height; // pixels, divisible by 8
    /* Above 1: drawn so, enlarged by this factor, and drawn again with this strength. */
    double hires, hires_strength;
    int count;
    uint64_t seed; // of the first picture; the next ones count on
    enum svdiff_noise noise;
    const svdiff_picture *init; // picture to start from, or NULL; the results have its size
    double strength;            // how much of it is noise: 1 is all
    const svdiff_picture *mask; // 1 channel, of init's size: where it may change; NULL: everywhere
    enum svdiff_fill fill;
    int feather;   // pixels over which the model's freedom ends; negative: from mask and strength
    int grow;      // pixels around the mask that may change, too
    bool tile;     // its edges fit together: the picture goes on behind each with its other side
    bool outpaint; // clear pixels below the mask become opaque
    const char *preview; // .png file of each step's picture (preview.h), NULL: none
    const char *trace;
};

SVDIFF_API struct svdiff_generate_options svdiff_generate_defaults(const svdiff *s);

/* Hands over picture `index` with its seed; the picture is borrowed for the call. False stops. */
typedef bool (*svdiff_take)(void *user, int index, uint64_t seed, const svdiff_picture *p,
                            GError **error);

SVDIFF_API bool svdiff_generate(svdiff *s, const struct svdiff_generate_options *options,
                                svdiff_take take, progress_function progress, void *user,
                                GError **error);

SVDIFF_API bool svdiff_estimate_generate(svdiff *s, const struct svdiff_generate_options *options,
                                         struct svdiff_estimate *e, GError **error);

/* ---- editing one picture ---- */

#define SVDIFF_REFINE_MAX 20
#define SVDIFF_FIT_MAX    1000

struct svdiff_edit_options {
    const char *image;          // file
    const char *prompt;         // describes it, in plain words
    const char *const *targets; // what to draw in its place
    int n_targets;
    const char *negative;
    const char *shift; // what was learned of the picture: its file, or a folder for it, or NULL
    bool force;        // take it if it is of another model, too
    const struct svdiff_adapter *adapters; // of drawing alone
    int n_adapters;
    const struct svdiff_embedding *embeddings;
    int n_embeddings;
    int learn_steps;
    double rate, rate_1d;
    int steps; // of sampling and of inversion
    double guidance;
    double structure;   // as svdiff_edit_structure set it; does nothing by itself
    bool invert;        // begin with what the picture becomes when sampling is run backwards
    bool invert_source; // under the prompt that describes it, in place of the target
    int refine;         // corrections of each step of the inversion (denoise.h); 0: plain DDIM
    int fit;            // steps in which the picture's latents are corrected (latent_fit.h)
    double eta;         // share of fresh noise in each step
    double noise;       // alpha: from the inverted latents (0) to fresh noise (1), along the sphere
    int width, height;  // working size, in whose number of pixels the picture is drawn
    int count;          // pictures a target
    uint64_t seed;
    const char *preview, *trace;
};

SVDIFF_API struct svdiff_edit_options svdiff_edit_defaults(const svdiff *s);

/* Sets invert, eta and noise from one number, how much of the picture's structure is kept: 1
 * inverts and adds nothing, 0 begins with noise alone; between them eta and noise are 1 -
 * structure. */
SVDIFF_API void svdiff_edit_structure(struct svdiff_edit_options *options, double structure);

/* The file that keeps what was learned of the picture: options->shift if that is no folder, else
 * PICTURE.HASH.svdiff.safetensors in that folder or, without one, in the picture's (where it cannot
 * be written, in the user's data folder). The hash is of picture, prompt, model and learning
 * options, so that anything else is learned anew. Owned by the caller; NULL with an error. */
SVDIFF_API char *svdiff_edit_shift(svdiff *s, const struct svdiff_edit_options *options,
                                   GError **error);

/* Learns the picture unless its shifts are kept, then draws it from each target: picture
 * target * count + k has seed + k. */
SVDIFF_API bool svdiff_edit(svdiff *s, const struct svdiff_edit_options *options, svdiff_take take,
                            progress_function progress, void *user, GError **error);

G_END_DECLS
