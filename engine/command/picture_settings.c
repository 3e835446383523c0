/* Settings in pictures; see picture_settings.h.
 *
 *   text -> prompt, negative prompt and pairs of keys and values (settings_text.h) -> what options were not given */
#include "engine/command/picture_settings.h"

#include "engine/adapter/adapter_lookup.h"
#include "engine/base/error.h"
#include "engine/command/settings_text.h"
#include "engine/picture/picture_text.h"
#include "engine/subject/subject_lookup.h"
#include "engine/svdiff.h"
#include "engine/text/wildcards.h"

#include <string.h>

#define DRAWN_AT    "Drawn at" // a key of ours: where that is not the picture's own size
#define HIRES       "Hires upscale"
#define SHOWN_BYTES 60
#define TOLD_MOST   20 // sentences; what is more is counted

struct settings {
    const char *path; // of the picture
    struct settings_text text;
    char *model; // what it is called, or NULL
    struct report *report;
    int told; // sentences about it
};

// options by the keys that others have for them
static const struct {
    const char *option, *key;
    bool always; // written in any case, by who draws
} options[] = {
    {"steps", "Steps", true},
    {"sampler", "Sampler", true},
    {"guidance", "CFG scale", true},
    {"seed", "Seed", true},
    {"clip-skip", "Clip skip", false},
    {"spacing", "Schedule type", false},
    {"timesteps", "Timesteps", false},
    {"zero-snr", "Zero SNR", false},
    {"eta", "Eta", false},
    {"guidance-rescale", "CFG rescale", false},
    {"noise", "RNG", false},
    {"tile", "Tiling", false},
    {"hires", HIRES, false},
    {"hires-strength", "Hires strength", false},
};

/* Words of choices as A1111 has them, the first of each word of ours is what is written. NULL: what is the default
 * here. */
static const struct {
    const char *option, *word, *theirs;
} words[] = {
    {"sampler", "ddim", "DDIM"},
    {"sampler", "euler", "Euler"},
    {"sampler", "euler-a", "Euler a"},
    {"sampler", "dpmpp-2m", "DPM++ 2M"},
    {"sampler", "pndm", "PLMS"},
    {"sampler", "lms", "LMS"},
    {"sampler", "heun", "Heun"},
    {"sampler", "dpm2", "DPM2"},
    {"sampler", "dpm2-a", "DPM2 a"},
    {"sampler", "unipc", "UniPC"},
    {"sampler", "lcm", "LCM"},
    {"sampler", "dpmpp-2m-sde", "DPM++ 2M SDE"},
    {"sampler", "dpmpp-3m-sde", "DPM++ 3M SDE"},
    {"sampler", "dpmpp-sde", "DPM++ SDE"},
    {"sampler", "tcd", "TCD"},
    {"spacing", "karras", "Karras"},
    {"spacing", "exponential", "Exponential"},
    {"spacing", "beta", "Beta"},
    {"spacing", "ays", "Align Your Steps"},
    {"spacing", NULL, "Automatic"},
    {"spacing", NULL, "Uniform"},
    {"noise", "torch", "CPU"},
};

// what only says with what it was drawn
static const char *const remarks[] = {"Model hash", "Precision", "Device", "Version", "Lora hashes",
                                      "TI hashes",  "VAE hash",  "Hashes", NULL};

/* ---- writing ---- */

// A1111's word for one of ours, or ours
static const char *called(const char *option, const char *word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(words[i].option, option) == 0 && g_strcmp0(words[i].word, word) == 0) {
            return words[i].theirs;
        }
    }
    return word;
}

const char *picture_settings_sampler(const char *word)
{
    return called("sampler", word);
}

char *picture_settings_list(const void *job)
{
    GString *list = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        const struct option *row = option_find(&options_of_generate, options[i].option);
        if (!options[i].always && option_get(row, job) != row->standard) {
            g_autofree char *text = option_text(row, job);
            g_string_append_printf(list, ", %s: %s", options[i].key, called(row->name, text));
        }
    }
    return g_string_free(list, FALSE);
}

/* ---- telling ---- */

// a text as a sentence has it: anybody may have written it, at any length and with any characters
static char *shown(const char *text)
{
    GString *plain = g_string_new(NULL);

    for (; *text != '\0' && plain->len < SHOWN_BYTES; text = g_utf8_next_char(text)) {
        const gunichar c = g_utf8_get_char(text);
        g_string_append_unichar(plain, g_unichar_iscntrl(c) ? '?' : c);
    }
    g_string_append(plain, *text != '\0' ? "..." : "");
    return g_string_free(plain, FALSE);
}

// key NULL: the value alone
static void tell(struct settings *s, const char *key, const char *value, const char *sentence)
{
    g_autofree char *name = key != NULL ? shown(key) : NULL, *text = shown(value);

    if (s->told++ < TOLD_MOST) {
        report_warning(s->report, "%s: it says '%s%s%s'%s.", s->path, key != NULL ? name : "",
                       key != NULL ? ": " : "", text, sentence);
    }
}

static bool refuse(const struct settings *s, const char *key, const char *value, const char *why,
                   GError **error)
{
    g_autofree char *text = shown(value);

    return error_failed(error, "%s: it says '%s: %s', which is %s.", s->path, key, text, why);
}

/* ---- options ---- */

// our word for one of A1111's, whatever its capitals; false: there is none
static bool translate(const char *option, const char *theirs, const char **word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(words[i].option, option) == 0 &&
            g_ascii_strcasecmp(words[i].theirs, theirs) == 0) {
            *word = words[i].word;
            return true;
        }
    }
    return false;
}

// a choice by our word or A1111's; NULL where it is the default; false: it is none of ours
static bool take_word(const struct option *row, const char *value, const char **word)
{
    double number;

    if (option_word_value(row, value, &number)) {
        *word = option_word(row, (int)number);
        return true;
    }
    return translate(row->name, value, word);
}

// older programs wrote both in one word: "DPM++ 2M Karras"
static bool take_sampler(struct given *g, const struct option *row, const char *value,
                         const char **word)
{
    const char *blank = strrchr(value, ' '), *spacing = NULL;
    g_autofree char *first = blank != NULL ? g_strndup(value, (gsize)(blank - value)) : NULL;

    if (first == NULL || !translate("spacing", blank + 1, &spacing) || spacing == NULL ||
        !take_word(row, first, word)) {
        return false;
    }
    given_suggest(g, "spacing", spacing);
    return true;
}

// false with a sentence for a number that is none
static bool take_option(struct given *g, struct settings *s, const char *key, const char *name,
                        const char *value, GError **error)
{
    const struct option *row = option_find(&options_of_generate, name);
    const char *word = value;
    double number;

    if (given_has(g, name)) {
        return true;
    }
    if (row->words != NULL) {
        word = NULL;
        if (!take_word(row, value, &word) &&
            !(strcmp(name, "sampler") == 0 && take_sampler(g, row, value, &word))) {
            tell(s, key, value, ", which is not to be had here, and what is usual is taken");
        }
    } else if (row->kind == OPTION_BOOL) {
        word = g_ascii_strcasecmp(value, "true") == 0 || strcmp(value, "yes") == 0 ? value : NULL;
    } else if (row->kind == OPTION_SEED
                   ? !g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, NULL, NULL)
                   : !option_parse(row, value, &number, NULL)) {
        return refuse(s, key, value, "no number that can be taken; give it as an option", error);
    }
    if (word != NULL) {
        given_suggest(g, name, word);
    }
    return true;
}

static bool take_size(struct given *g, const struct settings *s, const char *key, const char *value,
                      GError **error)
{
    g_auto(GStrv) sides = g_strsplit(value, "x", -1);
    guint64 n;

    if (g_strv_length(sides) != 2 ||
        !g_ascii_string_to_unsigned(sides[0], 10, 1, G_MAXINT32, &n, NULL) ||
        !g_ascii_string_to_unsigned(sides[1], 10, 1, G_MAXINT32, &n, NULL)) {
        return refuse(s, key, value, "no size; give --width and --height", error);
    }
    given_suggest(g, "width", sides[0]);
    given_suggest(g, "height", sides[1]);
    return true;
}

// of a list of files those that are to be had under their names; the others are told
static void take_files(struct given *g, struct settings *s, const char *option, const char *value)
{
    const bool subjects = strcmp(option, "subject") == 0;
    g_auto(GStrv) names = g_strsplit(value, ", ", -1);
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    bool any = false;

    for (char **name = names; *name != NULL; name++) {
        double scale;
        const char *word = subjects ? NULL : strrchr(*name, '=');
        g_autofree char *plain =
            subjects ? svdiff_subject_split(*name, &scale)
                     : g_strndup(*name, word != NULL ? (gsize)(word - *name) : strlen(*name));
        g_autofree char *path =
            subjects ? subject_path(plain) : adapter_lookup_path(EMBEDDING_FOLDER, plain);
        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            g_strv_builder_add(found, *name);
            any = true;
        } else if (!given_has(g, option)) {
            tell(s, NULL, *name,
                 subjects ? ", which is not here; give it with --subject"
                          : ", which is not here; give it with --embedding");
        }
    }
    if (any) {
        given_suggest_list(g, option, g_strv_builder_end(found));
    }
}

// what is told of a key that is no option here; NULL: nothing
static const char *tell_of(const char *key)
{
    static const char *const sentences[][2] = {
        {"Denoising strength", "; give the picture that it began with by --init-image"},
        {"VAE", "; give it with --vae"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sentences); i++) {
        if (strcmp(sentences[i][0], key) == 0) {
            return sentences[i][1];
        }
    }
    return g_strv_contains(remarks, key) ? NULL : "; nothing here is called so, and it is left out";
}

static bool has_key(const struct settings *s, const char *key)
{
    return g_ptr_array_find_with_equal_func(s->text.keys, key, g_str_equal, NULL);
}

static bool take_pair(struct given *g, struct settings *s, const char *key, const char *value,
                      GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (strcmp(options[i].key, key) == 0) {
            return take_option(g, s, key, options[i].option, value, error);
        }
    }
    if (strcmp(key, "Model") == 0) {
        g_free(s->model);
        s->model = shown(value);
        return true;
    }
    if (strcmp(key, "Size") == 0 || strcmp(key, DRAWN_AT) == 0) {
        return take_size(g, s, key, value, error);
    }
    if (strcmp(key, "Denoising strength") == 0 && has_key(s, HIRES)) {
        // A1111 has one key for both, and enlarges only what begins with a text
        return take_option(g, s, key, "hires-strength", value, error);
    }
    if (strcmp(key, "Denoising strength") == 0 && given_has(g, "init-image")) {
        return take_option(g, s, key, "strength", value, error);
    }
    if (strcmp(key, "Strip") == 0) {
        given_suggest(g, "strip", value);
        return true;
    }
    if (strcmp(key, "Subjects") == 0 || strcmp(key, "Embeddings") == 0) {
        take_files(g, s, *key == 'S' ? "subject" : "embedding", value);
        return true;
    }
    const char *sentence = tell_of(key);
    if (sentence != NULL) {
        tell(s, key, value, sentence);
    }
    return true;
}

// what is taken first stays
static bool take_pairs(struct given *g, struct settings *s, GError **error)
{
    const struct settings_text *t = &s->text;
    bool good = true;

    for (int rest = 0; rest < 2; rest++) {
        for (guint i = 0; i < t->keys->len && good; i++) {
            const char *key = t->keys->pdata[i];
            good = (strcmp(key, DRAWN_AT) != 0) != rest ||
                   take_pair(g, s, key, t->values->pdata[i], error);
        }
    }
    return good;
}

// what was too much to be told one by one, and what no picture can hold
static void tell_rest(const struct given *g, const struct settings *s)
{
    const int regions = s->text.regions;

    if (regions > 0 && !given_has(g, "region")) {
        report_warning(s->report,
                       "%s: %d of its regions %s left out, whose mask%s it does not hold; give %s "
                       "with --region.",
                       s->path, regions, regions == 1 ? "is" : "are", regions == 1 ? "" : "s",
                       regions == 1 ? "it" : "them");
    }
    if (s->told > TOLD_MOST) {
        report_warning(s->report, "%s: it says %d more that is not to be had here.", s->path,
                       s->told - TOLD_MOST);
    }
}

// as they were drawn: whoever had choices in them has made them
static void suggest_prompts(struct given *g, bool prompt_given, const struct settings_text *t)
{
    g_autofree char *prompt = wildcards_plain(t->prompt);
    g_autofree char *negative = wildcards_plain(t->negative);

    if (!prompt_given) {
        given_suggest(g, "prompt", prompt);
    }
    given_suggest(g, "negative", negative);
}

bool picture_settings_take(struct given *g, bool prompt_given, const char *path,
                           struct report *report, char **model, GError **error)
{
    g_autofree char *text = picture_text_read(path, PICTURE_SETTINGS_KEY, error);
    struct settings s = {.path = path, .report = report};

    *model = NULL;
    if (text == NULL || !settings_text_parse(&s.text, text, path, error)) {
        return false;
    }
    const bool good = take_pairs(g, &s, error);
    if (good) {
        suggest_prompts(g, prompt_given, &s.text);
        tell_rest(g, &s);
    }
    *model = s.model;
    settings_text_clear(&s.text);
    return good;
}
