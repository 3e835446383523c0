/* spectra_cuda.cu: the eigenvectors of a matrix's Gram matrix, and what the matrix makes of them, by cuSOLVER and cuBLAS
 * in double. With r the shorter side of W [m, n], T [r, r] the eigenvectors as rows, their values ascending:
 *
 *   m <= n   G = W Wt   Ut = T   Vt = diag(inverse) T W
 *   m >  n   G = Wt W   Vt = T   U  = W Tt diag(inverse)
 *
 * W is on the device once, in float; panels along its longer side become double, for G and again for the second factor,
 * which takes W's place. A worker has a stream and memory of its own, so that several threads work beside each other and
 * beside the table. Both libraries are opened when they are first asked for: a machine without them does the rest.
 *
 * They think in columns: our row-major [rows, columns] is their [columns, rows]. */
#include "kernels/cuda.h"

#include <cublas_v2.h>
#include <cusolverDn.h>

#define PANEL     1024 // rows or columns of W that are double at a time
#define BUFFERS   6
#define WORDS(x)  #x
#define NUMBER(x) WORDS(x)

/* ---- the libraries ---- */

// what is called of them
#define FUNCTIONS(X)                                                                               \
    X(blas, cublasCreate_v2)                                                                       \
    X(blas, cublasDestroy_v2)                                                                      \
    X(blas, cublasSetStream_v2)                                                                    \
    X(blas, cublasDsyrk_v2)                                                                        \
    X(blas, cublasDgemm_v2)                                                                        \
    X(solver, cusolverDnCreate)                                                                    \
    X(solver, cusolverDnDestroy)                                                                   \
    X(solver, cusolverDnSetStream)                                                                 \
    X(solver, cusolverDnCreateParams)                                                              \
    X(solver, cusolverDnDestroyParams)                                                             \
    X(solver, cusolverDnXsyevd_bufferSize)                                                         \
    X(solver, cusolverDnXsyevd)

struct cuda_solver {
    void *blas, *solver; // the opened libraries, NULL where one is missing
#define MEMBER(library, name) decltype(&::name) name;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Opened once and kept for the table's workers; the libraries stay, since a driver's threads may be in them. One that lacks
 * a function is of another version: it is not there. */
static const struct cuda_solver *open_solver(struct cuda_device *device)
{
    if (device->solver == NULL) {
        struct cuda_solver *s = device->solver = g_new0(struct cuda_solver, 1);
        s->blas = LIBRARY_OPEN("libcublas.so." NUMBER(CUBLAS_VER_MAJOR));
        s->solver = LIBRARY_OPEN("libcusolver.so." NUMBER(CUSOLVER_VER_MAJOR));
#define FIND(library, name)                                                                        \
    s->name = s->library != NULL ? LIBRARY_FIND(s->library, name) : NULL;                          \
    s->library = s->name != NULL ? s->library : NULL;
        FUNCTIONS(FIND)
#undef FIND
    }
    return device->solver;
}

static bool spectra_usable(const kernels *k, GError **error)
{
    const struct cuda_solver *s = open_solver(cuda_device(k));

    if (s->blas == NULL || s->solver == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s of the CUDA Toolkit was not found",
                    s->blas == NULL ? "libcublas.so." NUMBER(CUBLAS_VER_MAJOR)
                                    : "libcusolver.so." NUMBER(CUSOLVER_VER_MAJOR));
        return false;
    }
    return true;
}

/* ---- a worker ---- */

// memory of the device that grows to the largest matrix
struct buffer {
    void *memory;
    size_t bytes;
};

struct worker {
    const struct cuda_solver *s;
    cudaStream_t stream;
    cublasHandle_t blas;
    cusolverDnHandle_t solver;
    cusolverDnParams_t params;
    struct buffer w;     // float [m, n]
    struct buffer gram;  // double [r, r]: G, then T
    struct buffer panel; // double [r, PANEL]; float [r, r]: T in float
    struct buffer part;  // double [r, PANEL]: of the second factor
    struct buffer
        values; // double [r]: eigenvalues, then what the vectors are multiplied by; int: how it went
    struct buffer room; // cuSOLVER's
    void *host_room;
    int m, n, r;
};

// bytes of a matrix's buffers, in their order in struct worker
struct sizes {
    size_t of[BUFFERS];
};

/* Of cuSOLVER's room the most that is given: its divide and conquer wants about two matrices of G's size. Where it wants
 * more, the host solves, so that what was counted before holds. */
static size_t most_room(size_t r)
{
    return 4 * r * r * sizeof(double) + ((size_t)4 << 20);
}

static struct sizes sizes_of(int m, int n)
{
    const size_t r = (size_t)MIN(m, n), panel = r * MIN(PANEL, MAX(m, n)) * sizeof(double);

    return {{(size_t)m * n * sizeof(float), r * r * sizeof(double),
             MAX(panel, r * r * sizeof(float)), panel, r * sizeof(double) + sizeof(int),
             most_room(r)}};
}

static size_t spectra_bytes(size_t count, const int (*sizes)[2])
{
    struct sizes most = {{0}};
    size_t sum = 0;

    for (int i = 0; i < BUFFERS; i++) {
        for (size_t j = 0; j < count; j++) {
            most.of[i] = MAX(most.of[i], sizes_of(sizes[j][0], sizes[j][1]).of[i]);
        }
        sum += most.of[i];
    }
    return sum;
}

static bool reserve(struct buffer *b, size_t bytes)
{
    if (b->bytes >= bytes) {
        return true;
    }
    cudaFree(b->memory);
    *b = (struct buffer){NULL, 0};
    if (cudaMalloc(&b->memory, bytes) != cudaSuccess) {
        cudaGetLastError(); // no memory is an answer
        return false;
    }
    b->bytes = bytes;
    return true;
}

static void spectra_destroy(void *worker)
{
    struct worker *x = (struct worker *)worker;

    if (x == NULL) {
        return;
    }
    for (struct buffer *b : {&x->w, &x->gram, &x->panel, &x->part, &x->values, &x->room}) {
        cudaFree(b->memory);
    }
    if (x->params != NULL) {
        x->s->cusolverDnDestroyParams(x->params);
    }
    if (x->solver != NULL) {
        x->s->cusolverDnDestroy(x->solver);
    }
    if (x->blas != NULL) {
        x->s->cublasDestroy_v2(x->blas);
    }
    if (x->stream != NULL) {
        cudaStreamDestroy(x->stream);
    }
    g_free(x->host_room);
    g_free(x);
}

static void *spectra_create(const kernels *k)
{
    struct worker *x = g_new0(struct worker, 1);
    const struct cuda_solver *s = x->s = cuda_device(k)->solver;

    if (s != NULL && s->solver != NULL && s->blas != NULL &&
        cudaSetDevice(cuda_device(k)->number) == cudaSuccess &&
        cudaStreamCreateWithFlags(&x->stream, cudaStreamNonBlocking) == cudaSuccess &&
        s->cublasCreate_v2(&x->blas) == CUBLAS_STATUS_SUCCESS &&
        s->cublasSetStream_v2(x->blas, x->stream) == CUBLAS_STATUS_SUCCESS &&
        s->cusolverDnCreate(&x->solver) == CUSOLVER_STATUS_SUCCESS &&
        s->cusolverDnSetStream(x->solver, x->stream) == CUSOLVER_STATUS_SUCCESS &&
        s->cusolverDnCreateParams(&x->params) == CUSOLVER_STATUS_SUCCESS) {
        return x;
    }
    cudaGetLastError();
    spectra_destroy(x);
    return NULL;
}

/* ---- kernels ---- */

static bool is_wide(const struct worker *x)
{
    return x->m <= x->n;
}

// panel [rows, columns] of the values that begin at w, a row of which is `step` long
__global__ static void load_panel(int64_t count, int columns, int64_t step, const float *w,
                                  double *panel)
{
    EACH(i, count)
    {
        panel[i] = w[i / columns * step + i % columns];
    }
}

// t [r, r]: T with its rows descending, or the transpose of that
__global__ static void take_vectors(int64_t count, int r, bool transposed, const double *rows,
                                    float *t)
{
    EACH(i, count)
    {
        const int64_t row = i / r, column = i % r, from = transposed ? column : row;

        t[i] = (float)rows[(r - 1 - from) * r + (transposed ? row : column)];
    }
}

/* Columns [r, columns] of Vt, whose rows are n long, of part [r, columns], its rows ascending. */
__global__ static void take_columns(int64_t count, int r, int columns, int64_t n,
                                    const double *inverse, const double *part, float *vt)
{
    EACH(i, count)
    {
        const int64_t row = i / columns, column = i % columns;

        vt[row * n + column] = (float)(part[(r - 1 - row) * columns + column] * inverse[row]);
    }
}

// rows [count / r, r] of U of part, its columns ascending
__global__ static void take_rows(int64_t count, int r, const double *inverse, const double *part,
                                 float *u)
{
    EACH(i, count)
    {
        const int64_t row = i / r, column = i % r;

        u[i] = (float)(part[row * r + r - 1 - column] * inverse[column]);
    }
}

/* ---- the Gram matrix ---- */

// where a panel of W begins, and how it lies: `count` columns where wide, else rows
static void make_panel(const struct worker *x, int from, int count)
{
    const float *w = (const float *)x->w.memory;
    const int64_t values = (int64_t)x->r * count;

    LAUNCH(load_panel, cuda_blocks(values), CUDA_THREADS, 0, x->stream, values,
           is_wide(x) ? count : x->n, x->n, w + (is_wide(x) ? (int64_t)from : (int64_t)from * x->n),
           (double *)x->panel.memory);
}

// the triangle that is the upper one of a row-major matrix
static bool make_gram(const struct worker *x)
{
    const int longer = MAX(x->m, x->n);
    const double one = 1;

    for (int from = 0; from < longer; from += PANEL) {
        const int count = MIN(PANEL, longer - from);
        const double beta = from > 0 ? 1 : 0;
        make_panel(x, from, count);
        if (x->s->cublasDsyrk_v2(x->blas, CUBLAS_FILL_MODE_LOWER,
                                 is_wide(x) ? CUBLAS_OP_T : CUBLAS_OP_N, x->r, count, &one,
                                 (const double *)x->panel.memory, is_wide(x) ? count : x->n, &beta,
                                 (double *)x->gram.memory, x->r) != CUBLAS_STATUS_SUCCESS) {
            return false;
        }
    }
    return true;
}

/* ---- the eigenproblem ---- */

static bool solve_gram(struct worker *x)
{
    double *gram = (double *)x->gram.memory, *lambda = (double *)x->values.memory;
    int *info = (int *)(lambda + x->r);
    size_t room = 0, host_room = 0;

    if (x->s->cusolverDnXsyevd_bufferSize(x->solver, x->params, CUSOLVER_EIG_MODE_VECTOR,
                                          CUBLAS_FILL_MODE_LOWER, x->r, CUDA_R_64F, gram, x->r,
                                          CUDA_R_64F, lambda, CUDA_R_64F, &room,
                                          &host_room) != CUSOLVER_STATUS_SUCCESS ||
        room > most_room((size_t)x->r) || !reserve(&x->room, MAX(room, 1))) {
        return false;
    }
    x->host_room = g_realloc(x->host_room, MAX(host_room, 1));
    return x->s->cusolverDnXsyevd(x->solver, x->params, CUSOLVER_EIG_MODE_VECTOR,
                                  CUBLAS_FILL_MODE_LOWER, x->r, CUDA_R_64F, gram, x->r, CUDA_R_64F,
                                  lambda, CUDA_R_64F, x->room.memory, room, x->host_room, host_room,
                                  info) == CUSOLVER_STATUS_SUCCESS;
}

static bool reserve_all(struct worker *x)
{
    const struct sizes sizes = sizes_of(x->m, x->n);

    // the room is cuSOLVER's to ask for
    return reserve(&x->w, sizes.of[0]) && reserve(&x->gram, sizes.of[1]) &&
           reserve(&x->panel, sizes.of[2]) && reserve(&x->part, sizes.of[3]) &&
           reserve(&x->values, sizes.of[4]);
}

static bool spectra_solve(void *worker, int m, int n, const float *w, double *lambda)
{
    struct worker *x = (struct worker *)worker;
    int info = 1;

    x->m = m;
    x->n = n;
    x->r = MIN(m, n);
    if (!reserve_all(x)) {
        return false;
    }
    cudaMemcpyAsync(x->w.memory, w, (size_t)m * n * sizeof(float), cudaMemcpyHostToDevice,
                    x->stream);
    if (!make_gram(x) || !solve_gram(x)) {
        cudaStreamSynchronize(x->stream); // w is the caller's
        return false;
    }
    const double *values = (const double *)x->values.memory;
    cudaMemcpyAsync(lambda, values, (size_t)x->r * sizeof(double), cudaMemcpyDeviceToHost,
                    x->stream);
    cudaMemcpyAsync(&info, values + x->r, sizeof info, cudaMemcpyDeviceToHost, x->stream);
    return cudaStreamSynchronize(x->stream) == cudaSuccess && info == 0;
}

/* ---- the factors ---- */

static bool multiply_panel(const struct worker *x, int count)
{
    const double one = 1, zero = 0, *panel = (const double *)x->panel.memory;
    const double *rows = (const double *)x->gram.memory;
    double *part = (double *)x->part.memory;
    const int r = x->r;

    return (is_wide(x)
                ? x->s->cublasDgemm_v2(x->blas, CUBLAS_OP_N, CUBLAS_OP_N, count, r, r, &one, panel,
                                       count, rows, r, &zero, part, count)
                : x->s->cublasDgemm_v2(x->blas, CUBLAS_OP_T, CUBLAS_OP_N, r, count, r, &one, rows,
                                       r, panel, r, &zero, part, r)) == CUBLAS_STATUS_SUCCESS;
}

// what of W was read becomes the second factor
static bool make_second_factor(const struct worker *x)
{
    const int longer = MAX(x->m, x->n);
    const double *inverse = (const double *)x->values.memory,
                 *part = (const double *)x->part.memory;
    float *w = (float *)x->w.memory;

    for (int from = 0; from < longer; from += PANEL) {
        const int count = MIN(PANEL, longer - from);
        const int64_t values = (int64_t)x->r * count;
        make_panel(x, from, count);
        if (!multiply_panel(x, count)) {
            return false;
        }
        if (is_wide(x)) {
            LAUNCH(take_columns, cuda_blocks(values), CUDA_THREADS, 0, x->stream, values, x->r,
                   count, x->n, inverse, part, w + from);
        } else {
            LAUNCH(take_rows, cuda_blocks(values), CUDA_THREADS, 0, x->stream, values, x->r,
                   inverse, part, w + (int64_t)from * x->r);
        }
    }
    return true;
}

static bool spectra_factors(void *worker, const double *inverse, float *u, float *vt)
{
    struct worker *x = (struct worker *)worker;
    const int64_t square = (int64_t)x->r * x->r;
    float *first = is_wide(x) ? u : vt, *second = is_wide(x) ? vt : u;

    cudaMemcpyAsync(x->values.memory, inverse, (size_t)x->r * sizeof(double),
                    cudaMemcpyHostToDevice, x->stream);
    const bool made = make_second_factor(x);
    LAUNCH(take_vectors, cuda_blocks(square), CUDA_THREADS, 0, x->stream, square, x->r, is_wide(x),
           (const double *)x->gram.memory, (float *)x->panel.memory);
    cudaMemcpyAsync(first, x->panel.memory, (size_t)square * sizeof(float), cudaMemcpyDeviceToHost,
                    x->stream);
    cudaMemcpyAsync(second, x->w.memory, (size_t)x->m * x->n * sizeof(float),
                    cudaMemcpyDeviceToHost, x->stream);
    return cudaStreamSynchronize(x->stream) == cudaSuccess && made;
}

void cuda_fill_spectra(kernels *k)
{
    static const struct kernels_spectra spectra = {spectra_usable, spectra_create, spectra_destroy,
                                                   spectra_bytes,  spectra_solve,  spectra_factors};

    k->spectra = &spectra;
}
