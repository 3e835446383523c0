/* cosine.h: how alike the directions of two lists of numbers are: a . b / (|a| |b|). */
#pragma once

/* Of n numbers each, summed in double; NaN where one of them has no direction: all zeros, or no numbers. */
double cosine_of(const float *a, const float *b, int n);
