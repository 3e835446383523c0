/* embedding_cuda.cu: rows of a table by number, and what is added to a few chosen rows; formulas in
 * embedding_reference.c. Backward, the first token with a number collects those behind it, so that each
 * row of the table is added to in the order of the tokens and by one warp. */
#include "kernels/cell_cuda.h"

template <typename T>
static __global__ void look_up(int64_t t, int c, const int32_t *__restrict__ ids,
                               const float *__restrict__ table, T *__restrict__ y)
{
    EACH_ROW(token, t)
    {
        EACH_COLUMN(i, c)
        {
            put(y + token * c + i, table[(int64_t)ids[token] * c + i]);
        }
    }
}

static __device__ inline bool is_first(const int32_t *ids, int64_t token)
{
    for (int64_t before = token - 1; before >= 0; before--) {
        if (ids[before] == ids[token]) {
            return false;
        }
    }
    return true;
}

template <typename T>
static __global__ void look_up_back(int64_t t, int c, const int32_t *__restrict__ ids,
                                    const T *__restrict__ dy, float *__restrict__ dtable)
{
    EACH_ROW(token, t)
    {
        const int32_t id = ids[token];

        if (!is_first(ids, token)) {
            continue;
        }
        EACH_COLUMN(i, c)
        {
            float sum = dtable[(int64_t)id * c + i];

            for (int64_t other = token; other < t; other++) {
                sum += ids[other] == id ? value_of(dy[other * c + i]) : 0;
            }
            dtable[(int64_t)id * c + i] = sum;
        }
    }
}

// which of the chosen a number is, n when it is none
static __device__ inline int find_chosen(int n, const int32_t *chosen, int32_t id)
{
    int j = 0;

    while (j < n && chosen[j] != id) {
        j++;
    }
    return j;
}

template <typename T>
static __global__ void add_chosen(struct chosen_shape s, const int32_t *__restrict__ ids,
                                  const int32_t *__restrict__ chosen,
                                  const float *__restrict__ rows, T *__restrict__ y)
{
    EACH_ROW(token, s.t)
    {
        const int j = find_chosen(s.n, chosen, ids[token]);

        if (j == s.n) {
            continue;
        }
        EACH_COLUMN(i, s.c)
        {
            put_more(y + token * s.c + i, s.factor * rows[(int64_t)j * s.c + i]);
        }
    }
}

template <typename T>
static __global__ void add_chosen_back(struct chosen_shape s, const int32_t *__restrict__ ids,
                                       const int32_t *__restrict__ chosen, const T *__restrict__ dy,
                                       float *__restrict__ drows)
{
    EACH_ROW(j, s.n)
    {
        EACH_COLUMN(i, s.c)
        {
            float sum = 0;

            for (int64_t token = 0; token < s.t; token++) {
                sum += ids[token] == chosen[j] ? value_of(dy[token * s.c + i]) : 0;
            }
            drows[j * s.c + i] += s.factor * sum;
        }
    }
}

static void embedding_forward(const kernels *k, int64_t t, int c, const int32_t *ids,
                              const real *table, cell *y)
{
    if (t == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(look_up<T>, cuda_row_blocks(t), cuda_row_threads(), 0, cuda_stream(k), t, c, ids,
               table, (T *)y);
    });
}

static void embedding_backward(const kernels *k, int64_t t, int c, const int32_t *ids,
                               const cell *dy, real *dtable)
{
    if (t == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(look_up_back<T>, cuda_row_blocks(t), cuda_row_threads(), 0, cuda_stream(k), t, c,
               ids, (const T *)dy, dtable);
    });
}

static void chosen_rows_forward(const kernels *k, struct chosen_shape s, const int32_t *ids,
                                const int32_t *chosen, const real *rows, cell *y)
{
    if (s.t == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(add_chosen<T>, cuda_row_blocks(s.t), cuda_row_threads(), 0, cuda_stream(k), s, ids,
               chosen, rows, (T *)y);
    });
}

static void chosen_rows_backward(const kernels *k, struct chosen_shape s, const int32_t *ids,
                                 const int32_t *chosen, const cell *dy, real *drows)
{
    if (s.t == 0 || s.n == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(add_chosen_back<T>, cuda_row_blocks(s.n), cuda_row_threads(), 0, cuda_stream(k), s,
               ids, chosen, (const T *)dy, drows);
    });
}

void cuda_fill_embedding(kernels *k)
{
    k->embedding_forward = embedding_forward;
    k->embedding_backward = embedding_backward;
    k->chosen_rows_forward = chosen_rows_forward;
    k->chosen_rows_backward = chosen_rows_backward;
}
