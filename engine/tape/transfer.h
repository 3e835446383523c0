/* transfer.h: floats of the host to reals of the device and back: the same bytes, except in the test
 * build whose real is double; the same to cells and back, which are rounded on the host, so that no
 * more is sent than there is and the device needs no room for both; and waiting for the device. */
#pragma once

#include "engine/base/dtype.h"
#include "kernels/kernels.h"

// the type of files that is the same bits, but for the test build's reals
enum dtype transfer_type(enum kernels_type type);

void transfer_upload(const kernels *k, real *to, const float *from, int64_t count);
void transfer_download(const kernels *k, float *to, const real *from, int64_t count);
void transfer_upload_cells(const kernels *k, cell *to, const float *from, int64_t count);
void transfer_download_cells(const kernels *k, float *to, const cell *from, int64_t count);
/* Waits for all work of the device. False with SVDIFF_ERROR_FAILED where it failed: what it computed
 * since the last call is undefined. Called before a result is shown, written or learned from. */
bool transfer_sync(const kernels *k, GError **error);
/* The same of what was brought to `to` alone. */
bool transfer_brought(const kernels *k, void *to, GError **error);
