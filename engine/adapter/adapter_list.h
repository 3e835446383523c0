/* adapter_list.h: several adapters with their strengths, opened for one model; what they add to its
 * weights as these are read.
 *
 *   W' = W + the sum of what each does to W by itself (adapter_file.h)
 *
 * so their order means nothing, and no second copy of the model is made. */
#pragma once

#include "engine/adapter/adapter_file.h"
#include "engine/svdiff.h"

struct adapter_item {
    struct adapter *adapter; // owned by the list it was opened in
    double strength;
};

struct adapter_list {
    struct adapter_item *items;
    int n;
};

/* Whether they can be meant; SVDIFF_ERROR_USAGE names the file. */
bool adapter_check_strengths(const struct svdiff_adapter *wanted, int n, GError **error);

/* Opens them. What a person should know of a file is told (may be NULL). False with a sentence; to
 * be closed in any case. */
bool adapter_list_open(struct adapter_list *l, const struct checkpoint *model,
                       const struct svdiff_adapter *wanted, int n,
                       void (*tell)(void *user, const char *sentence), void *user, GError **error);
void adapter_list_close(struct adapter_list *l); // accepts a zeroed one

/* Whether one of them changes the tensor. */
bool adapter_list_changes(const struct adapter_list *l, const struct model_tensor *t);

/* Adds what they do to the values of a tensor, which are the model's own, in PyTorch's order. From
 * any thread. */
bool adapter_list_add(const struct adapter_list *l, const struct model_tensor *t, float *values,
                      GError **error);

/* "DIGEST STRENGTH NAME", a line each, sorted: which they are, as subject files
 * note it of what they were learned on; "" for none. Owned by the caller; NULL with an error. */
char *adapter_list_text(const struct adapter_list *l, GError **error);

/* The item of one line of such a text, whatever its file is called now; found->adapter stays NULL
 * where there is none. False with an error where a file cannot be read. */
bool adapter_list_find(const struct adapter_list *l, const char *line, struct adapter_item *found,
                       GError **error);

/* The same without the names of the files, for what is kept of a model with them in it. */
char *adapter_list_key(const struct adapter_list *l, GError **error);
