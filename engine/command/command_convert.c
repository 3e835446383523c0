/* svdiff convert: subjects to other formats, and models with subjects and adapters in them. */
#include "engine/command/adapter_option.h"
#include "engine/command/command.h"

#include "engine/adapter/embedding_file.h"
#include "engine/base/convert_formats.h"
#include "engine/base/error.h"
#include "engine/base/output_name.h"
#include "engine/options/option_rows.h"
#include "engine/subject/difference_export.h"
#include "engine/subject/lora_export.h"
#include "engine/subject/subject_file.h"
#include "engine/subject/subject_list.h"
#include "engine/subject/subject_lookup.h"

#include <math.h>

static const char summary[] =
    "Writes a subject in another format, or a model with the subject in it:\n\n"
    "  svdiff convert INPUT --to subject --output FILE.safetensors\n"
    "  svdiff convert INPUT --to svdiff-pytorch --output FOLDER\n"
    "  svdiff convert INPUT --to folder --output FOLDER            a diffusers model\n"
    "  svdiff convert INPUT --to checkpoint --output FILE.safetensors   a model as one file\n"
    "  svdiff convert INPUT --to lora --output FILE.safetensors    part of it, as a LoRA\n"
    "  svdiff convert INPUT --to lycoris --output FILE.safetensors all of it, as differences\n\n"
    "What learn --method full learned becomes a model of its own, which diffusers opens:\n\n"
    "  svdiff convert --lora full.safetensors --to folder --output FOLDER";

#define AS_ENUM(name, word, folder) TO_##name,
enum format { CONVERT_FORMATS(AS_ENUM, AS_ENUM) };

// of --type; without it the model's own, for which there is no word
enum { TYPE_MODEL, TYPE_F32, TYPE_F16, TYPE_BF16 };

struct convert {
    struct command common;
    const char *output;
    const char *const *more; // --subject
    int keep, rank, rank_conv;
    bool norms, force;
    enum lora_keys keys; // of --keys
    enum format format;
    int type; // of --type
    struct svdiff_scaled_subject *inputs;
    int n_inputs;
    struct adapter_options adapters;
};

// rows of this command set its own fields
#define FIELD(field) offsetof(struct convert, field)

#define FIRST_WORD(name, word, folder) word
#define NEXT_WORD(name, word, folder)  , word

static const struct option rows[] = {
    CHOICE("to", FIELD(format), TO_SUBJECT, TO_SUBJECT,
           WORDS(CONVERT_FORMATS(FIRST_WORD, NEXT_WORD)), 0, "{words}"),
    OTHER(OPTION_FILE, "output", FIELD(output), NULL, "PATH",
          "a file, or a folder for svdiff-pytorch and folder"),
    OTHER(OPTION_FILES, "subject", FIELD(more), NULL, "FILE[:PART][:SCALE]",
          "one more subject, or a part of it, with its strength (repeat: they add up)"),
    KEEP_ROW(FIELD(keep)),
    LORA_ROW("folder, checkpoint: a LoRA, what --method full learned or another adapter, with its "
             "strength (repeat); no INPUT need be there"),
    INT("rank", FIELD(rank), CONVERT_RANK, 1, CONVERT_RANK_MOST, 0, "K",
        "lora: of linear weights and 1x1 kernels ({default})"),
    INT("rank-conv", FIELD(rank_conv), 0, 0, CONVERT_RANK_MOST, 0, "K",
        "lora: of 3x3 kernels; residual blocks are left out without it ({default})"),
    CHOICE("keys", FIELD(keys), LORA_KEYS_KOHYA, LORA_KEYS_KOHYA, WORDS("kohya", "diffusers"), 0,
           "lora: whose names its tensors have: {words}, which are PEFT's ({default})"),
    BOOL("norms", FIELD(norms), 0, 0,
         "lora: changes of norms as well, which LyCORIS, A1111 and ComfyUI read and diffusers does "
         "not"),
    CHOICE("type", FIELD(type), TYPE_MODEL, TYPE_F32, WORDS("f32", "f16", "bf16"), 0,
           "folder, checkpoint: {words}, what numbers are written in (as the model has them)"),
    BOOL("force", FIELD(force), 0, 0, "take subjects of another model"),
};
static const struct option_table table = {"convert", sizeof(struct convert), rows,
                                          G_N_ELEMENTS(rows)};

/* ---- options ---- */

// where a subject alone is written there are no weights in which several could add up
static bool check_scales(const struct convert *c, GError **error)
{
    for (int i = 0; i < c->n_inputs; i++) {
        const double scale = c->inputs[i].scale;
        if (!isfinite(scale) || fabs(scale) > 1000) {
            return error_usage(error, "The scale of %s is %g; it can be from -1000 to 1000.",
                               c->inputs[i].file, scale);
        }
        if (c->format <= TO_PYTORCH &&
            (scale != 1 || c->inputs[i].part != NULL || c->n_inputs > 1)) {
            return error_usage(error,
                               "--to subject and --to svdiff-pytorch take one subject as it is; "
                               "scales, parts and several subjects are for the other formats.");
        }
    }
    return true;
}

static bool check_usage(struct convert *c, char *const *arguments, GError **error)
{
    // of inputs there is one, or none where --subject says all
    const int given = arguments[0] == NULL ? 0 : arguments[1] == NULL ? 1 : 2;

    // the table has defaults for numbers; these must be said
    if (c->output == NULL || !given_has(&c->common.given, "to") || given > 1 ||
        (given == 0 && c->more == NULL && adapter_options_count(&c->adapters) == 0)) {
        return error_usage(error,
                           "Say what to convert, --to what, and --output where; see --help.");
    }
    if (c->type != TYPE_MODEL && c->format != TO_FOLDER && c->format != TO_CHECKPOINT) {
        return error_usage(error, "--type is for --to folder and --to checkpoint; leave it out.");
    }
    if (adapter_options_count(&c->adapters) > 0 && c->format != TO_FOLDER &&
        c->format != TO_CHECKPOINT) {
        return error_usage(error, "--lora is for --to folder and --to checkpoint; leave it out.");
    }
    if (c->format != TO_LORA && (given_has(&c->common.given, "keys") || c->norms)) {
        return error_usage(error, "--%s is for --to lora; leave it out.",
                           c->norms ? "norms" : "keys");
    }
    if (c->norms && c->keys == LORA_KEYS_DIFFUSERS) {
        return error_usage(
            error, "--norms is for --keys kohya: diffusers' LoRA files have no place for them; "
                   "leave it out, or convert with --to folder.");
    }
    c->inputs = subject_list_parse_all(arguments[0], c->more, c->keep, &c->n_inputs);
    return check_scales(c, error) &&
           adapter_check_strengths(adapter_options_list(&c->adapters),
                                   adapter_options_count(&c->adapters), error);
}

// nothing that is read is overwritten; model NULL: none is read
static bool check_overwrites(const struct convert *c, const char *model, GError **error)
{
    // both files of the folder are results
    static const char *const pair[] = {SUBJECT_FILE_UNET, SUBJECT_FILE_TEXT};
    g_autoptr(output_guard) guard = command_guard(NULL);
    bool good = true;

    output_guard_reads(guard, model); // and nothing is put into it, which would copy itself
    for (int i = 0; i < c->n_inputs; i++) {
        output_guard_reads(guard, c->inputs[i].file);
    }
    adapter_options_guard(&c->adapters, guard);
    for (size_t i = 0; c->format == TO_PYTORCH && i < G_N_ELEMENTS(pair) && good; i++) {
        g_autofree char *path = g_build_filename(c->output, pair[i], NULL);
        good = output_guard_writes(guard, "--output", path, error);
    }
    return good && output_guard_writes(guard, "--output", c->output, error);
}

// what would fail after long work
static bool check_output(const struct convert *c, const char *model, GError **error)
{
    if (!check_overwrites(c, model, error)) {
        return false;
    }
    // each format says no in its own words, before hours of work
    if (c->format == TO_FOLDER) {
        return merge_folder_check(c->output, error);
    }
    return c->format == TO_PYTORCH ||
           ((c->format != TO_SUBJECT || subject_check_output("--output", c->output, error)) &&
            output_check(c->output, error));
}

/* ---- a subject alone ---- */

// what svdiff-pytorch has no place for is left out and told, not converted
static bool to_folder(struct convert *c, const struct subject *s, GError **error)
{
    struct subject_left_out out = {0};

    if (!subject_write_folder(s, c->output, &out, error)) {
        return false;
    }
    if (out.tensors > 0) {
        report_warning(c->common.report,
                       "%d element-wise shifts of norms (%" G_GINT64_FORMAT
                       " values, %.2g %% of the change) have no place in svdiff-pytorch's files.",
                       out.tensors, out.values, 100 * out.share);
    }
    if (out.rows > 0) {
        report_warning(c->common.report,
                       "What %d %s of the vocabulary learned has no place in svdiff-pytorch's "
                       "files.",
                       out.rows, out.rows == 1 ? "word" : "words");
    }
    return true;
}

// no model is needed: values stay as they are
static bool convert_subject(struct convert *c, GError **error)
{
    g_autoptr(subject_file) s = subject_open(c->inputs[0].file, error);

    if (s == NULL || !check_output(c, NULL, error)) {
        return false;
    }
    return c->format == TO_SUBJECT ? subject_write(s, c->output, error) : to_folder(c, s, error);
}

/* ---- with a model ---- */

static bool to_lora(struct convert *c, const struct merge *m, GError **error)
{
    // the model's name without its folders, which are of this machine
    g_autofree char *base = g_path_get_basename(checkpoint_path(m->session->checkpoint));
    const struct lora_options options = {.output = c->output,
                                         .rank = c->rank,
                                         .rank_conv = c->rank_conv,
                                         .keys = c->keys,
                                         .norms = c->norms,
                                         .base = base};
    // a LoRA cannot hold all of a subject: how much it does is told
    struct lora_kept kept;

    if (!lora_export(m, &options, &kept, error)) {
        return false;
    }
    report_warning(c->common.report,
                   "The LoRA keeps %.3g %% of the change (squared norm) in %d modules; %.3g %% has "
                   "no place in it%s, and a higher --rank keeps more of the rest.",
                   100 * kept.share, kept.modules, 100 * kept.without_place,
                   c->rank_conv > 0 ? "" : " (residual blocks get one with --rank-conv K)");
    return true;
}

static bool to_lycoris(struct convert *c, const struct merge *m, GError **error)
{
    g_autofree char *base = g_path_get_basename(checkpoint_path(m->session->checkpoint));
    int modules;

    if (!difference_export(m, c->output, base, &modules, error)) {
        return false;
    }
    report_note(c->common.report, "All of the change is in the file, in %d modules.", modules);
    return true;
}

// the formats from TO_FOLDER on; subjects were opened for the model
static bool write_model(struct convert *c, struct merge *m, GError **error)
{
    static const enum dtype types[] = {DTYPE_OTHER, DTYPE_F32, DTYPE_F16, DTYPE_BF16};

    m->type = types[c->type];
    switch (c->format) {
    case TO_FOLDER:
        return merge_folder(m, c->output, error);
    case TO_CHECKPOINT:
        return merge_checkpoint(m, c->output, error);
    case TO_LYCORIS:
        return to_lycoris(c, m, error);
    default:
        return to_lora(c, m, error);
    }
}

static void warn(void *user, const char *sentence)
{
    struct convert *c = user;

    report_warning(c->common.report, "%s", sentence);
}

// words of an adapter's file are of no weight
static void tell_words(struct convert *c, const struct adapter_list *adapters)
{
    for (int i = 0; i < adapters->n; i++) {
        const struct safetensors *file = adapter_tensors(adapters->items[i].adapter);
        const int n = embedding_bundle_count(file);
        if (n > 0) {
            report_warning(c->common.report, "%s: %d embedding%s in it %s left out.",
                           safetensors_path(file), n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
        }
    }
}

static bool open_adapters(struct convert *c, const svdiff *s, struct adapter_list *adapters,
                          GError **error)
{
    const bool opened =
        adapter_list_open(adapters, s->checkpoint, adapter_options_list(&c->adapters),
                          adapter_options_count(&c->adapters), warn, c, error);

    if (opened) {
        tell_words(c, adapters);
    }
    return opened;
}

static bool convert_model(struct convert *c, GError **error)
{
    g_autoptr(svdiff) s = svdiff_open(&c->common.session, error);
    struct subject_list subjects = {0};
    struct adapter_list adapters = {0};
    struct merge m = {0};

    if (s == NULL) {
        return false;
    }
    const bool done =
        check_output(c, checkpoint_path(s->checkpoint), error) &&
        // what the subjects must be of and what their spectra are of, in one pass over all weights
        (c->n_inputs == 0 ||
         session_hashes(s, MODEL_HASHES, command_progress, &c->common, error) != NULL) &&
        open_adapters(c, s, &adapters, error) &&
        subject_list_open(&subjects, s, c->inputs, c->n_inputs, c->force, error) &&
        merge_open(&m, s, subjects.items, subjects.n, &adapters, command_progress, &c->common,
                   error) &&
        write_model(c, &m, error);
    // zeroed ones where it did not come so far
    merge_close(&m);
    subject_list_close(&subjects);
    adapter_list_close(&adapters);
    return done;
}

static bool run(void *command, char *const *words, GError **error)
{
    struct convert *c = command;

    c->adapters = adapter_options_take(&c->common.given, false);
    if (!check_usage(c, words, error) ||
        !(c->format <= TO_PYTORCH ? convert_subject(c, error) : convert_model(c, error))) {
        return false;
    }
    // a folder is one thing that was written
    command_wrote(&c->common, c->output);
    return true;
}

static void finish(void *command)
{
    struct convert *c = command;

    subject_list_free_parsed(c->inputs, c->n_inputs);
    adapter_options_finish(&c->adapters);
}

const struct command_kind command_convert = {.word = "convert",
                                             .purpose = "subjects to other formats, models with "
                                                        "subjects in them",
                                             .summary = summary,
                                             .usage = "INPUT[:SCALE]",
                                             .size = sizeof(struct convert),
                                             .table = &table,
                                             .opening = COMMAND_OPENS | OPTION_PREDICTS,
                                             .run = run,
                                             .finish = finish};
