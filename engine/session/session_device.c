/* The device of a session; see session.h. */
#include "engine/session/session.h"

#include "engine/base/error.h"
#include "engine/base/machine.h"
#include "engine/base/module_place.h"
#include "engine/session/device_proof.h"

#define GIB (1024.0 * 1024.0 * 1024.0)

static char *cuda_module(void)
{
    return module_place("kernels", "svdiff-cuda.so");
}

struct kernels_cuda_device *session_cuda_devices(int *count, GError **error)
{
    g_autofree char *module = cuda_module();

    return kernels_cuda_devices(module, count, error);
}

/* ---- opening ---- */

// NULL with an error
static kernels *open_in(const struct svdiff_options *o, bool cuda, enum kernels_precision precision,
                        GError **error)
{
    g_autofree char *module = cuda ? cuda_module() : NULL;

    return cuda ? kernels_cuda(module, o->device_number, precision, error)
                : kernels_cpu(o->threads, precision, error);
}

/* Where no precision is asked for it is bfloat16, if the device has it; whatever else is wrong is wrong
 * for both. */
static kernels *open_device(const struct svdiff_options *o, bool cuda, GError **error)
{
    const char *word =
        option_word(option_find(&options_of_session, "precision"), (int)o->precision);
    const enum kernels_precision asked = kernels_precision_of(word);
    kernels *k = NULL;

    if (o->precision == SVDIFF_PRECISION_AUTO && (cuda || kernels_cpu_has_bf16())) {
        k = open_in(o, cuda, KERNELS_IN_BF16, NULL);
    }
    return k != NULL ? k
                     : open_in(o, cuda, asked < KERNELS_PRECISIONS ? asked : KERNELS_IN_F32, error);
}

// each is opened once: a run should not find out half way that one is missing
static bool check_more(const struct svdiff_options *o, GError **error)
{
    bool good = true;

    for (int i = 0; i < o->n_more_devices && good; i++) {
        struct svdiff_options other = *o;
        other.device_number = o->more_devices[i];
        g_autoptr(kernels) k = open_device(&other, true, error);
        good = k != NULL;
    }
    return good;
}

struct svdiff_options session_other(const svdiff *s, int i)
{
    struct svdiff_options o = s->options;

    o.device_number = o.more_devices[i];
    o.more_devices = NULL;
    o.n_more_devices = 0;
    o.warn = o.note = NULL;
    return o;
}

/* auto: a device that computes what the CPU does, which is found out the first time that it is met here. A machine
 * without one is no reason for a word, one that does not is. NULL: the CPU. */
static kernels *open_proven(const struct svdiff_options *o)
{
    int count = 0;
    g_autofree struct kernels_cuda_device *devices =
        kernels_cuda_driver() ? session_cuda_devices(&count, NULL) : NULL;
    g_autoptr(kernels) k = o->device_number < count ? open_device(o, true, NULL) : NULL;
    g_autoptr(GError) error = NULL;

    if (k == NULL || device_proof_known(k, &devices[o->device_number], o->threads, NULL, &error)) {
        return g_steal_pointer(&k);
    }
    if (o->note != NULL) {
        g_autofree char *sentence =
            g_strdup_printf("on the CPU: %s (%s)", error->message, devices[o->device_number].name);
        o->note(o->user, sentence);
    }
    return NULL;
}

kernels *session_device(const struct svdiff_options *o, GError **error)
{
    kernels *k = o->device == SVDIFF_DEVICE_AUTO ? open_proven(o) : NULL;

    if (k != NULL) {
        return k;
    }
    return check_more(o, error) ? open_device(o, o->device == SVDIFF_DEVICE_CUDA, error) : NULL;
}

const char *session_use_device(svdiff *s, kernels *k)
{
    s->k = k;
    s->options.precision = session_precision_named(session_precision(s));
    if (k->host_memory) {
        g_strlcpy(s->device, k->name, sizeof s->device);
    } else {
        g_snprintf(s->device, sizeof s->device, "%s:%d", k->name, s->options.device_number);
    }
    return s->device;
}

char *session_devices(const svdiff *s, int n)
{
    GString *word = g_string_new(s->device);

    for (int i = 0; i + 1 < n; i++) {
        g_string_append_printf(word, ",%d", s->options.more_devices[i]);
    }
    return g_string_free(word, FALSE);
}

/* ---- memory ---- */

uint64_t session_available(const svdiff *s)
{
    return s->k->available != NULL ? s->k->available(s->k) : machine_available_memory();
}

bool session_has_memory(const svdiff *s, uint64_t bytes, GError **error)
{
    return s->k->available == NULL
               ? machine_check_memory(bytes, error)
               : bytes <= session_available(s) || session_lacks(s, bytes, NULL, error);
}

// "use A, B, C or D"; nothing else helps where the machine has less than the device
static char *advise(const GPtrArray *fits, uint64_t bytes)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const bool host = bytes <= machine_available_memory();
    const guint n = fits != NULL ? fits->len : 0;

    if (n == 0) {
        return g_strdup(host ? "use a smaller size, or --device cpu" : "use a smaller size");
    }
    for (guint i = 0; i < n; i++) {
        const char *between = i == 0 ? "use " : i + 1 < n || host ? ", " : " or ";
        g_string_append_printf(text, "%s%s", between, (const char *)fits->pdata[i]);
    }
    g_string_append(text, host ? " or --device cpu" : "");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool session_lacks(const svdiff *s, uint64_t bytes, const GPtrArray *fits, GError **error)
{
    char need[G_ASCII_DTOSTR_BUF_SIZE], have[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *advice = advise(fits, bytes);

    g_ascii_formatd(need, sizeof need, "%.2f", (double)bytes / GIB);
    g_ascii_formatd(have, sizeof have, "%.2f", (double)session_available(s) / GIB);
    return error_failed(
        error,
        "%s GiB of memory are needed and %s GiB are available on the device %s; close what uses "
        "it, or %s.",
        need, have, s->device, advice);
}

char *session_fit(uint64_t bytes, const char *format, ...)
{
    char need[G_ASCII_DTOSTR_BUF_SIZE];
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *options = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ascii_formatd(need, sizeof need, "%.2f", (double)bytes / GIB);
    return g_strdup_printf("%s (%s GiB)", options, need);
}

// the CPU's table in its place, which is noted with the reason
static bool give_way(svdiff *s, const char *reason, GError **error)
{
    struct svdiff_options o = s->options;

    o.precision = s->asked;
    kernels *k = open_device(&o, false, error);
    if (k == NULL) {
        return false;
    }
    session_drop_networks(s);
    kernels_destroy(s->k);
    session_use_device(s, k);
    session_note(s, "on the CPU: %s", reason);
    return true;
}

bool session_settle(svdiff *s, uint64_t bytes, session_fits fits, void *user, GError **error)
{
    g_autoptr(GPtrArray) ways = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) lack = NULL;

    if (s->k->available == NULL || bytes <= session_available(s)) {
        return true;
    }
    if (s->options.device == SVDIFF_DEVICE_AUTO) {
        session_lacks(s, bytes, NULL, &lack);
        return give_way(s, lack->message, error);
    }
    // what fits is counted where somebody reads it
    if (fits != NULL && error != NULL) {
        fits(user, session_available(s), ways);
    }
    return session_lacks(s, bytes, ways, error);
}
