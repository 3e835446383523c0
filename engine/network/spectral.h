/* spectral.h: a weight of a network becomes spectral (weight.h): W = U diag(s) Vt, U and Vt on the device. */
#pragma once

#include "engine/network/network.h"
#include "engine/network/spectrum_provider.h"

/* Factors of w to the device, in the types that they are used in, and W released; of a norm its gain, or with
 * `scalar` its direction and length. Where its shift lies is the caller's to say. False with SVDIFF_ERROR_FAILED
 * (no memory), or the provider's error. */
bool spectral_attach(struct network *net, struct weight *w, bool scalar,
                     struct spectrum_provider provider, GError **error);
