/* model_spectrum.h: the spectra of all weights of a session's model, or of these with adapters in
 * them, from the cache on disk or computed once and put there. */
#pragma once

#include "engine/adapter/adapter_list.h"
#include "engine/base/progress.h"
#include "engine/session/session.h"
#include "engine/network/spectrum_provider.h"
#include "engine/spectrum/svd_check.h"

struct model_spectrum;

/* (Of a dry session: computes and keeps nothing.) Makes sure that every matrix of the UNet and the
 * text encoder has its spectrum; progress with the phase "spectrum" while they are computed (false
 * cancels: SVDIFF_ERROR_CANCELLED). adapters: what is in the weights, borrowed; NULL: nothing. Owned
 * by the caller. */
struct model_spectrum *model_spectrum_open(svdiff *s, const struct adapter_list *adapters,
                                           progress_function progress, void *user, GError **error);
/* The same, but returns while they are being computed (spectrum_begin): the provider waits for each,
 * model_spectrum_finish for all. Progress is told while either waits. */
struct model_spectrum *model_spectrum_begin(svdiff *s, const struct adapter_list *adapters,
                                            progress_function progress, void *user, GError **error);
bool model_spectrum_finish(struct model_spectrum *m, GError **error);
void model_spectrum_close(struct model_spectrum *m); // accepts NULL
typedef struct model_spectrum model_spectrum;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(model_spectrum, model_spectrum_close)

/* Removes the file of the model's spectra from the cache, where there is one; computes nothing. */
bool model_spectrum_remove(svdiff *s, progress_function progress, void *user, GError **error);

/* Bytes of device k's own memory that computing them takes beside all else that is there; 0 where the host computes. */
uint64_t model_spectrum_bytes(const struct model_spectrum *m, const kernels *k);

/* Gives the factors of a weight, by its name. */
struct spectrum_provider model_spectrum_provider(struct model_spectrum *m);

/* Proves every spectrum against its weight and tells each one's accuracy. */
typedef void (*model_spectrum_report)(void *user, const char *name,
                                      const struct svd_accuracy *accuracy);
bool model_spectrum_check(struct model_spectrum *m, model_spectrum_report report, void *user,
                          GError **error);

/* The file that they are kept in, or NULL; belongs to m. */
const char *model_spectrum_path(const struct model_spectrum *m);
