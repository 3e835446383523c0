/* The jobs of `svdiff generate`; see generate_job.h. */
#include "engine/command/generate_job.h"

#include "engine/base/error.h"
#include "engine/command/region_option.h"
#include "engine/subject/subject_list.h"
#include "engine/text/wildcards.h"

// which text of a picture chooses: numbers of wildcards_choose
enum { OF_PROMPT, OF_NEGATIVE, OF_REGIONS };

const struct given *generate_given(const struct generate *g)
{
    return &g->pictures.common.given;
}

const char *generate_text(const struct generate *g, const char *option)
{
    return given_text(generate_given(g), option);
}

static const char *prompt_of(const struct generate *g, const struct prompt_line *line)
{
    return line != NULL ? line->prompt : g->typed;
}

static const char *negative_of(const struct generate *g, const struct prompt_line *line)
{
    return line != NULL && line->negative != NULL ? line->negative : generate_text(g, "negative");
}

// numbers and words alone
static bool take_options(const struct generate *g, const struct prompt_line *line, const svdiff *s,
                         struct svdiff_generate_options *o, GError **error)
{
    *o = svdiff_generate_defaults(s);
    pictures_set_seed(&g->pictures, &o->seed);
    if (!given_apply(generate_given(g), o, error)) {
        return false;
    }
    if (line != NULL) {
        prompt_line_apply(line, o);
    }
    return true;
}

/* ---- the list ---- */

static bool chooses(const struct generate *g, const struct prompt_line *line)
{
    char *const *regions = given_list(generate_given(g), "region");
    bool any = wildcards_any(prompt_of(g, line)) || wildcards_any(negative_of(g, line));

    for (int i = 0; regions != NULL && regions[i] != NULL && !any; i++) {
        any = wildcards_any(regions[i]);
    }
    return any;
}

static bool add_jobs(struct generate *g, const struct prompt_line *line, GError **error)
{
    struct svdiff_generate_options o;
    struct generate_job job = {.line = line, .picture = -1};

    if (!take_options(g, line, NULL, &o, error)) {
        return false;
    }
    // each with the choices of its own seed
    const bool single = chooses(g, line);
    for (int i = 0; i < (single ? o.count : 1); i++) {
        job.picture = single ? i : -1;
        g_array_append_val(g->jobs, job);
    }
    // a line's count was checked when it was read, the command line's is checked later
    g->pictures.common.wanted += MAX(o.count, 0);
    return true;
}

// as many as --count may ask for
static bool check_wanted(const struct generate *g, GError **error)
{
    const int most = (int)option_find(&options_of_generate, "count")->high;

    return g->pictures.common.wanted <= most ||
           error_usage(error, "--prompts asks for %d pictures; at most %d are possible.",
                       g->pictures.common.wanted, most);
}

bool generate_job_list(struct generate *g, GError **error)
{
    const char *file = generate_text(g, "prompts");

    if ((g->typed != NULL) == (file != NULL)) {
        return error_usage(error, file == NULL ? "Say what to draw with --prompt TEXT."
                                               : "--prompts has all prompts in its file; leave the "
                                                 "other prompt out.");
    }
    g->jobs = g_array_new(FALSE, FALSE, sizeof(struct generate_job));
    if (file == NULL) {
        return add_jobs(g, NULL, error);
    }
    g->lines = prompt_lines_read(file, error);
    for (guint i = 0; g->lines != NULL && i < g->lines->len; i++) {
        if (!add_jobs(g, g->lines->pdata[i], error) || !check_wanted(g, error)) {
            return false;
        }
    }
    return g->lines != NULL;
}

void generate_job_list_free(struct generate *g)
{
    g_clear_pointer(&g->jobs, g_array_unref);
    g_clear_pointer(&g->lines, g_ptr_array_unref);
}

/* ---- a job ---- */

// "left.png=a [V] dog"
static bool take_regions(struct generate *g, GError **error)
{
    char *const *list = given_list(generate_given(g), "region");
    const int n = list != NULL ? (int)g_strv_length((char **)list) : 0;

    g->regions = g_new0(struct svdiff_region, n + 1);
    g->n_regions = n;
    for (int i = 0; i < n; i++) {
        struct svdiff_region *r = &g->regions[i];
        if (!region_option_parse(list[i], r, error)) {
            return false;
        }
        char *chosen =
            wildcards_choose("--region", r->text, g->options.seed, OF_REGIONS + i, error);
        g_free((char *)r->text);
        r->text = chosen;
        if (chosen == NULL) {
            return false;
        }
    }
    return true;
}

// of one text; that a file is not there is told, and the rest is drawn
static uint64_t take_marks(struct generate *g, char **text)
{
    g_autofree char *missing = NULL;
    const uint64_t bits = adapter_options_marks(&g->adapters, text, &missing);

    if (missing != NULL) {
        report_warning(
            g->pictures.common.report,
            "<lora:%s> names no file and is left out; give it with --lora FILE, or put it "
            "into svdiff/loras of your data folder.",
            missing);
    }
    return bits;
}

/* Adapters that texts name: in a region's text it acts there alone, unless the prompt has it, too. */
static void take_adapter_marks(struct generate *g)
{
    const uint64_t everywhere = take_marks(g, &g->prompt);

    for (int i = 0; i < g->n_regions; i++) {
        const uint64_t own = take_marks(g, (char **)&g->regions[i].text) & ~everywhere;
        g->regions[i].subjects |= g->n_subjects < 64 ? own << g->n_subjects : 0;
    }
}

static bool take_texts(struct generate *g, const struct prompt_line *line, GError **error)
{
    const uint64_t seed = g->options.seed;

    g->prompt = wildcards_choose("--prompt", prompt_of(g, line), seed, OF_PROMPT, error);
    g->negative = g->prompt != NULL ? wildcards_choose("--negative", negative_of(g, line), seed,
                                                       OF_NEGATIVE, error)
                                    : NULL;
    return g->negative != NULL && take_regions(g, error);
}

// what the options borrow
static void set_lists(struct generate *g)
{
    struct svdiff_generate_options *o = &g->options;

    o->prompt = g->prompt;
    o->negative = g->negative;
    o->regions = g->regions;
    o->n_regions = g->n_regions;
    o->subjects = g->subjects;
    o->n_subjects = g->n_subjects;
    o->adapters = adapter_options_list(&g->adapters);
    o->n_adapters = adapter_options_count(&g->adapters);
    o->embeddings = adapter_options_words(&g->adapters, &o->n_embeddings);
    o->init = g->init;
    o->mask = g->mask;
    // what is beyond the edges is clear, and painted
    o->outpaint = o->outpaint || given_has(generate_given(g), "extend");
}

static bool begin(struct generate *g, const struct generate_job *job, const svdiff *s,
                  GError **error)
{
    const struct given *given = generate_given(g);

    if (!take_options(g, job->line, s, &g->options, error)) {
        return false;
    }
    if (job->picture >= 0) {
        g->options.seed += (uint64_t)job->picture;
        g->options.count = 1;
    }
    g->subjects = subject_list_parse_all(NULL, (const char *const *)given_list(given, "subject"),
                                         (int)given_number(given, "keep"), &g->n_subjects);
    g->adapters = adapter_options_take(given, true);
    if (!take_texts(g, job->line, error)) {
        return false;
    }
    take_adapter_marks(g);
    set_lists(g);
    return true;
}

bool generate_job_begin(struct generate *g, const struct generate_job *job, const svdiff *s,
                        GError **error)
{
    if (begin(g, job, s, error)) {
        return true;
    }
    if (job->line != NULL) {
        prompt_line_blame(job->line, generate_text(g, "prompts"), error);
    }
    return false;
}

void generate_job_end(struct generate *g)
{
    // strings of regions and prompts were replaced by copies with the subjects' words
    g_clear_pointer(&g->prompt, g_free);
    g_clear_pointer(&g->negative, g_free);
    subject_list_free_parsed(g->subjects, g->n_subjects);
    adapter_options_finish(&g->adapters);
    g->adapters = (struct adapter_options){0};
    for (int i = 0; i < g->n_regions; i++) {
        g_free((char *)g->regions[i].file);
        g_free((char *)g->regions[i].text);
    }
    g_clear_pointer(&g->regions, g_free);
    g->subjects = NULL;
    g->n_subjects = g->n_regions = 0;
}
