/* plants.cu: faults of the usual kinds, planted one at a time, and what the rig has to say of each. A
 * plant runs in a process of its own, which must fail with the words that are listed for this build:
 * one that looks at every access (RIG_RACE), or one with AddressSanitizer. */
#include "kernels/launch_cuda.h"

#include <cublasLt.h>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#define N 64

struct tile {
    float of[N];
};

static float *x, *y, *fresh; // device memory of N values; fresh was never written
static float host[N];

/* ---- kernels ---- */

static __global__ void reads_behind(const float *from, float *to)
{
    to[threadIdx.x] = from[threadIdx.x] + from[threadIdx.x + 1]; // off by one
}

static __global__ void writes_behind_shared(float *to)
{
    SHARED(struct tile, s);

    s->of[threadIdx.x + 1] = 1;
    __syncthreads();
    to[threadIdx.x] = s->of[threadIdx.x + 1];
}

static __global__ void no_barrier(float *to)
{
    SHARED(struct tile, s);

    s->of[threadIdx.x] = 0;
    __syncthreads();
    s->of[threadIdx.x] = 1;
    to[threadIdx.x] = s->of[N - 1 - threadIdx.x]; // of the other warp: __syncthreads is missing
}

static __global__ void no_warp_barrier(float *to)
{
    SHARED(struct tile, s);

    s->of[threadIdx.x] = 0;
    __syncthreads();
    s->of[threadIdx.x] = 1;
    to[threadIdx.x] = s->of[threadIdx.x ^ 1]; // of the same warp: __syncwarp is missing
}

static __global__ void divided_barrier(float *to)
{
    if (threadIdx.x < 32) {
        __syncthreads();
    }
    to[threadIdx.x] = 1;
}

static __global__ void early_return(float *to, unsigned n)
{
    if (threadIdx.x >= n) {
        return;
    }
    to[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0f, 1);
}

static __global__ void wrong_mask(float *to)
{
    to[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, 1.0f, 1); // half of those that come
}

static __global__ void blocks_meet(float *to)
{
    to[threadIdx.x] += 1; // of all blocks
}

static __global__ void unwritten_shared(float *to)
{
    SHARED(struct tile, s);

    if (threadIdx.x > 0) {
        s->of[threadIdx.x] = 1;
    }
    __syncthreads();
    to[threadIdx.x] = s->of[threadIdx.x];
}

static __global__ void copy_values(const float *from, float *to)
{
    to[threadIdx.x] = from[threadIdx.x];
}

/* ---- plants ---- */

// the device's own answer, as a failure with words
static void end(cudaError_t error)
{
    const cudaError_t left = cudaGetLastError();
    const cudaError_t said = error != cudaSuccess ? error : left;

    if (said != cudaSuccess) {
        fprintf(stderr, "refused: %s\n", cudaGetErrorString(said));
        exit(1);
    }
}

static void wait_for_all()
{
    end(cudaDeviceSynchronize());
}

static void plant_reads_behind()
{
    LAUNCH(reads_behind, 1, N, 0, NULL, x, y);
    wait_for_all();
}

static void plant_writes_behind_shared()
{
    LAUNCH(writes_behind_shared, 1, N, sizeof(struct tile), NULL, y);
    wait_for_all();
}

static void plant_no_barrier()
{
    LAUNCH(no_barrier, 1, N, sizeof(struct tile), NULL, y);
    wait_for_all();
}

static void plant_no_warp_barrier()
{
    LAUNCH(no_warp_barrier, 1, N, sizeof(struct tile), NULL, y);
    wait_for_all();
}

static void plant_divided_barrier()
{
    LAUNCH(divided_barrier, 1, N, 0, NULL, y);
    wait_for_all();
}

static void plant_early_return()
{
    LAUNCH(early_return, 1, N, 0, NULL, y, 20);
    wait_for_all();
}

static void plant_wrong_mask()
{
    LAUNCH(wrong_mask, 1, N, 0, NULL, y);
    wait_for_all();
}

static void plant_blocks_meet()
{
    LAUNCH(blocks_meet, 2, 32, 0, NULL, y);
    wait_for_all();
}

static void plant_unwritten_shared()
{
    LAUNCH(unwritten_shared, 1, N, sizeof(struct tile), NULL, y);
    cudaMemcpy(host, y, sizeof host, cudaMemcpyDeviceToHost);
    if (!(host[0] == 1)) { // shared memory begins as NaN
        fprintf(stderr, "the result is %g\n", (double)host[0]);
        exit(1);
    }
}

static void plant_unwritten_device()
{
    LAUNCH(copy_values, 1, N, 0, NULL, fresh, y);
    wait_for_all();
}

// C [8, 8] = A B, all of them in N values, where A says that its columns are more than they are apart
static void plant_leading_dimension()
{
    const float one = 1, zero = 0;
    cublasLtHandle_t library;
    cublasLtMatmulDesc_t how;
    cublasLtMatrixLayout_t wide, right;

    cublasLtCreate(&library);
    cublasLtMatmulDescCreate(&how, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    cublasLtMatrixLayoutCreate(&wide, CUDA_R_32F, 8, 8, 9);
    cublasLtMatrixLayoutCreate(&right, CUDA_R_32F, 8, 8, 8);
    cublasLtMatmul(library, how, &one, x, wide, x, right, &zero, y, right, y, right, NULL, NULL, 0,
                   NULL);
    wait_for_all();
}

static void plant_host_reads()
{
    printf("%g\n", (double)y[0]);
}

static void plant_device_reads_host()
{
    end(cudaMemcpyAsync(y, x, sizeof host, cudaMemcpyHostToDevice, NULL));
}

static void plant_no_blocks()
{
    LAUNCH(copy_values, 0, N, 0, NULL, x, y);
    wait_for_all();
}

static void plant_much_shared()
{
    LAUNCH(copy_values, 1, N, 60 << 10, NULL, x, y);
    wait_for_all();
}

static void plant_freed_host()
{
    float *pinned;

    cudaMallocHost((void **)&pinned, sizeof host);
    cudaMemcpyAsync(x, pinned, sizeof host, cudaMemcpyHostToDevice, NULL);
    free(pinned); // while the copy may still read it
    wait_for_all();
}

static void plant_freed_device()
{
    cudaFree(y);
    LAUNCH(copy_values, 1, N, 0, NULL, x, y);
    wait_for_all();
}

static void plant_capture()
{
    cudaStream_t stream;
    cudaGraph_t graph;

    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    LAUNCH(copy_values, 1, N, 0, stream, x, y);
    cudaMemcpyAsync(host, y, sizeof host, cudaMemcpyDeviceToHost, stream); // not pinned
    end(cudaStreamEndCapture(stream, &graph));
}

#define UNNOTICED "" // by this build: the other one is there for it
#define ADDRESS   "AddressSanitizer"

static const struct plant {
    const char *name;
    void (*run)();
    const char *race, *address; // what the two builds say
} plants[] = {
    {"an index off by one", plant_reads_behind, "touches what is not there in device", ADDRESS},
    {"shared memory's end", plant_writes_behind_shared, "touches what is not there in shared",
     ADDRESS},
    {"a missing __syncthreads", plant_no_barrier, "reads what another writes in shared", UNNOTICED},
    {"a missing __syncwarp", plant_no_warp_barrier, "reads what another writes in shared",
     UNNOTICED},
    {"a barrier for half of a block", plant_divided_barrier, "came to a barrier",
     "came to a barrier"},
    {"a return before a shuffle", plant_early_return, "which has ended", "which has ended"},
    {"a shuffle's wrong mask", plant_wrong_mask, "not in its own mask", "not in its own mask"},
    {"blocks that add to one value", plant_blocks_meet, "what another wrote in device", UNNOTICED},
    {"shared memory that nobody wrote", plant_unwritten_shared, "nobody wrote in shared",
     "the result is"},
    {"device memory that nobody wrote", plant_unwritten_device, "nobody wrote in device",
     UNNOTICED},
    {"a wrong leading dimension", plant_leading_dimension, "a product reads", ADDRESS},
    {"the host follows a device pointer", plant_host_reads, "signal", ADDRESS},
    {"a copy from a pointer of the wrong side", plant_device_reads_host,
     "refused: invalid argument", "refused: invalid argument"},
    {"a grid without blocks", plant_no_blocks, "refused: invalid configuration",
     "refused: invalid configuration"},
    {"shared memory beyond 48 KiB", plant_much_shared, "refused: invalid argument",
     "refused: invalid argument"},
    {"memory that is freed before its copy", plant_freed_host, UNNOTICED, ADDRESS},
    {"a kernel on freed memory", plant_freed_device, "touches what is not there", ADDRESS},
    {"a copy that a capture forbids", plant_capture, "refused:", "refused:"},
};

/* ---- each in a process ---- */

static void run_plant(const struct plant *plant)
{
    for (int i = 0; i < N; i++) {
        host[i] = 1;
    }
    cudaMalloc((void **)&x, sizeof host);
    cudaMalloc((void **)&y, sizeof host);
    cudaMalloc((void **)&fresh, sizeof host);
    cudaMemcpy(x, host, sizeof host, cudaMemcpyHostToDevice);
    cudaMemcpy(y, host, sizeof host, cudaMemcpyHostToDevice);
    plant->run();
    exit(0);
}

// what the process says until it ends; status: as waitpid's
static std::string hear(const struct plant *plant, int *status)
{
    std::string said;
    char part[4096];
    int ends[2];

    if (pipe(ends) != 0) {
        abort();
    }
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        run_plant(plant);
    }
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) {
        said.append(part, (size_t)n);
    }
    close(ends[0]);
    waitpid(child, status, 0);
    return said + (WIFSIGNALED(*status) ? " signal" : "");
}

static const char *wanted_of(const struct plant *plant)
{
#ifdef RIG_RACE
    return plant->race;
#else
    return plant->address;
#endif
}

// true where what the process says is what is wanted
static bool is_noticed(const struct plant *plant)
{
    int status;
    fflush(stdout);
    const std::string said = hear(plant, &status);
    const bool good = status != 0 && said.find(wanted_of(plant)) != said.npos;

    if (!good) {
        printf("# status %d: %s\n", status, said.c_str());
    }
    return good;
}

int main()
{
    int number = 0, bad = 0;

    for (const struct plant &plant : plants) {
        if (*wanted_of(&plant) != '\0') {
            const bool good = is_noticed(&plant);

            printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, plant.name);
            bad += !good;
        }
    }
    printf("1..%d\n", number);
    return bad > 0;
}
