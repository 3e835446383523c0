/* embedding_reference.c: rows of a table by number: y [t] = table [ids [t]], dtable [ids [t]] += dy
 * [t] in the order of t; and what is added to a few chosen rows of it. */
#include "kernels/cell.h"
#include "kernels/reference.h"

static void embedding_forward(const kernels *k, int64_t t, int c, const int32_t *ids,
                              const real *table, cell *y)
{
    for (int64_t token = 0; token < t; token++) {
        for (int i = 0; i < c; i++) {
            cell_set(k->activation, y, token * c + i, table[(int64_t)ids[token] * c + i]);
        }
    }
}

static void embedding_backward(const kernels *k, int64_t t, int c, const int32_t *ids,
                               const cell *dy, real *dtable)
{
    for (int64_t token = 0; token < t; token++) {
        for (int i = 0; i < c; i++) {
            dtable[(int64_t)ids[token] * c + i] += cell_get(k->activation, dy, token * c + i);
        }
    }
}

// which of the chosen a number is, n when it is none
static int find_chosen(int n, const int32_t *chosen, int32_t id)
{
    int j = 0;

    while (j < n && chosen[j] != id) {
        j++;
    }
    return j;
}

static void chosen_rows_forward(const kernels *k, struct chosen_shape s, const int32_t *ids,
                                const int32_t *chosen, const real *rows, cell *y)
{
    for (int64_t token = 0; token < s.t; token++) {
        const int j = find_chosen(s.n, chosen, ids[token]);
        for (int i = 0; j < s.n && i < s.c; i++) {
            cell_add(k->activation, y, token * s.c + i, s.factor * rows[(int64_t)j * s.c + i]);
        }
    }
}

static void chosen_rows_backward(const kernels *k, struct chosen_shape s, const int32_t *ids,
                                 const int32_t *chosen, const cell *dy, real *drows)
{
    for (int64_t token = 0; token < s.t; token++) {
        const int j = find_chosen(s.n, chosen, ids[token]);
        for (int i = 0; j < s.n && i < s.c; i++) {
            drows[(int64_t)j * s.c + i] += s.factor * cell_get(k->activation, dy, token * s.c + i);
        }
    }
}

void reference_fill_embedding(kernels *k)
{
    k->embedding_forward = embedding_forward;
    k->embedding_backward = embedding_backward;
    k->chosen_rows_forward = chosen_rows_forward;
    k->chosen_rows_backward = chosen_rows_backward;
}
