/* repeat_cuda.cu: work that comes again, as CUDA's graphs; and which entry an error is of. Each call of the
 * table is heard here before the device's own function does it.
 *
 *   the first time    the calls are done and heard: a sum of all that they say, and how long they take
 *   the second        they are captured, in so many graphs that each is short
 *   from then on      they are heard alone, and where the sum is the same, the graphs run
 *
 * What uploads bring is the one thing that may differ. It goes to the device in one copy before the graphs,
 * which take it to its places, through one of two pieces of pinned memory: while a step runs, the next one's
 * is written. Calls that differ are heard anew; what cannot be captured is done each time. */
#include "kernels/say_cuda.h"

#define PARTS 64 // graphs of a piece of work, at most
#define TURNS 8  // captures of work that differs again and again

enum way { HEARS, CAPTURES, FOLLOWS };

/* Work that is kept. said: the sum over all of its calls; inputs: bytes that its uploads bring; work, seconds:
 * of all of it. Of the two pieces of pinned memory `turn` is written next, and `read` is when the device has
 * read it. launched: graphs so far, the last two of which may not be done. */
struct kernels_kept {
    bool plain, heard; // it cannot be kept; its calls are known
    int captures;
    uint64_t said;
    size_t inputs;
    double work, seconds, part; // part: of the work, that one graph has
    char *on_device, *pinned[2];
    cudaEvent_t read[2], done[2];
    int turn, n;
    unsigned launched;
    cudaGraphExec_t graphs[PARTS];
};

// the calls of a piece of work while they are made
struct cuda_pass {
    struct kernels_kept *kept;
    enum way way;
    uint64_t said;
    size_t inputs;
    double work, cut; // so far; where the next graph begins
    bool broken;      // there was a call that no graph can do
};

/* ---- graphs ---- */

static void begin_graph(const kernels *k)
{
    cudaStreamBeginCapture(cuda_stream(k), cudaStreamCaptureModeThreadLocal);
}

// what was captured since; false where it is none
static bool end_graph(const kernels *k, struct kernels_kept *kept)
{
    cudaGraph_t graph = NULL;
    const bool made = cudaStreamEndCapture(cuda_stream(k), &graph) == cudaSuccess &&
                      cudaGraphInstantiate(&kept->graphs[kept->n], graph, 0) == cudaSuccess;

    if (graph != NULL) {
        cudaGraphDestroy(graph);
    }
    kept->n += made;
    return made;
}

static void drop_graphs(struct kernels_kept *kept)
{
    while (kept->n > 0) {
        cudaGraphExecDestroy(kept->graphs[--kept->n]);
    }
}

// the work is as much as one graph should have
static void next_graph(const kernels *k, struct cuda_pass *pass)
{
    if (pass->work < pass->cut || pass->kept->n + 1 == PARTS) {
        return;
    }
    pass->cut = pass->work + pass->kept->part;
    pass->broken = !end_graph(k, pass->kept) || pass->broken;
    begin_graph(k);
}

// a call that cannot be captured: what comes after it is done, and all of it once more
static void break_pass(const kernels *k, struct cuda_pass *pass)
{
    if (pass->way == CAPTURES) {
        end_graph(k, pass->kept);
        drop_graphs(pass->kept);
        cudaGetLastError(); // that it was no graph is no fault of the device
        pass->way = HEARS;
    }
    pass->broken = true;
}

/* ---- calls ---- */

// of products operations, of the rest values, each as slow as some of them
#define SLOWER 32

// whether the device's own function is to be called
template <typename... Arguments>
static bool hear(const kernels *k, const char *name, double work, Arguments... arguments)
{
    struct cuda_device *device = cuda_device(k);
    struct cuda_pass *pass = device->pass;

    device->asked = name;
    if (pass == NULL) {
        return true;
    }
    say(&pass->said, name, arguments...);
    if (pass->way == CAPTURES) {
        next_graph(k, pass);
    }
    pass->work += work;
    return pass->way != FOLLOWS;
}

// the first error is remembered with the entry that it is of
static void note_error(const kernels *k)
{
    struct cuda_device *device = cuda_device(k);

    if (device->broken == NULL &&
        (cudaPeekAtLastError() != cudaSuccess || device->failed != CUBLAS_STATUS_SUCCESS)) {
        device->broken = device->asked;
    }
}

#define UNPACK(...) __VA_ARGS__
#define ENTRY(name, kind, amount, arguments, ...)                                                  \
    static void heard_##name(const kernels *k, __VA_ARGS__)                                        \
    {                                                                                              \
        const double slower = KERNELS_##kind <= KERNELS_ATTENTION ? 1 : SLOWER;                    \
                                                                                                   \
        if (hear(k, #name, slower * (amount), UNPACK arguments)) {                                 \
            cuda_device(k)->own.name(k, UNPACK arguments);                                         \
            note_error(k);                                                                         \
        }                                                                                          \
    }
#include "kernels/entries.h"
#undef ENTRY

static void heard_zero(const kernels *k, void *memory, size_t bytes)
{
    if (hear(k, "zero", (double)bytes, memory, bytes)) {
        cuda_device(k)->own.zero(k, memory, bytes);
        note_error(k);
    }
}

static void heard_copy(const kernels *k, void *to, const void *from, size_t bytes)
{
    if (hear(k, "copy", (double)bytes, to, from, bytes)) {
        cuda_device(k)->own.copy(k, to, from, bytes);
        note_error(k);
    }
}

// into the work's own memory, from where a graph takes it
static void keep_input(const kernels *k, struct cuda_pass *pass, void *to, const void *from,
                       size_t bytes)
{
    struct kernels_kept *kept = pass->kept;

    if (pass->inputs + bytes > kept->inputs) {
        break_pass(k, pass);
        return;
    }
    memcpy(kept->pinned[kept->turn] + pass->inputs, from, bytes);
    if (pass->way == CAPTURES) {
        cudaMemcpyAsync(to, kept->on_device + pass->inputs, bytes, cudaMemcpyDeviceToDevice,
                        cuda_stream(k));
    }
}

static void heard_upload(const kernels *k, void *to, const void *from, size_t bytes)
{
    struct cuda_pass *pass = cuda_device(k)->pass;

    hear(k, "upload", (double)bytes, to, bytes);
    if (pass == NULL || pass->way == HEARS) {
        cuda_device(k)->own.upload(k, to, from, bytes);
    } else if (bytes > 0) {
        keep_input(k, pass, to, from, bytes);
    }
    if (pass != NULL) {
        pass->inputs += (bytes + 15) / 16 * 16;
    }
    note_error(k);
}

// what no graph can do, and where nothing was done before has no sense
static bool interrupts(const kernels *k)
{
    struct cuda_pass *pass = cuda_device(k)->pass;

    if (pass != NULL) {
        break_pass(k, pass);
    }
    return pass != NULL && pass->way == FOLLOWS;
}

static void heard_download(const kernels *k, void *to, const void *from, size_t bytes)
{
    if (interrupts(k)) {
        memset(to, 0, bytes);
    } else {
        cuda_device(k)->own.download(k, to, from, bytes);
    }
}

static void heard_bring(const kernels *k, void *to, const void *from, size_t bytes)
{
    if (!interrupts(k)) {
        cuda_device(k)->own.bring(k, to, from, bytes);
    }
}

static bool heard_brought(const kernels *k, void *to, GError **error)
{
    interrupts(k);
    return cuda_device(k)->own.brought(k, to, error);
}

static bool heard_sync(const kernels *k, GError **error)
{
    interrupts(k);
    return cuda_device(k)->own.sync(k, error);
}

static void *heard_alloc(const kernels *k, size_t bytes)
{
    interrupts(k);
    return cuda_device(k)->own.alloc(k, bytes);
}

static void heard_release(const kernels *k, void *memory, size_t bytes)
{
    interrupts(k);
    cuda_device(k)->own.release(k, memory, bytes);
}

/* ---- work that comes again ---- */

static bool make_calls(const kernels *k, struct cuda_pass *pass, const struct kernels_work *work)
{
    struct cuda_device *device = cuda_device(k);

    device->pass = pass;
    const bool done = work->run(work->user);
    device->pass = NULL;
    return done;
}

static void release_inputs(const kernels *k, struct kernels_kept *kept)
{
    k->release(k, kept->on_device, kept->inputs);
    kept->on_device = NULL;
    for (int i = 0; i < 2; i++) {
        cudaFreeHost(kept->pinned[i]);
        kept->pinned[i] = NULL;
    }
}

// memory for what uploads bring; without, the work is done each time
static bool allocate_inputs(const kernels *k, struct kernels_kept *kept)
{
    kept->inputs = MAX(kept->inputs, 16);
    kept->on_device = (char *)k->alloc(k, kept->inputs);
    bool done = kept->on_device != NULL;
    for (int i = 0; i < 2 && done; i++) {
        done = cudaMallocHost((void **)&kept->pinned[i], kept->inputs) == cudaSuccess;
        if (done && kept->read[i] == NULL) {
            done =
                cudaEventCreateWithFlags(&kept->read[i], cudaEventDisableTiming) == cudaSuccess &&
                cudaEventCreateWithFlags(&kept->done[i], cudaEventDisableTiming) == cudaSuccess;
        }
    }
    return done;
}

static bool hear_work(const kernels *k, struct kernels_kept *kept, const struct kernels_work *work)
{
    struct cuda_pass pass = {.kept = kept, .way = HEARS};
    const gint64 began = g_get_monotonic_time();

    cudaStreamSynchronize(cuda_stream(k));
    release_inputs(k, kept);
    if (!make_calls(k, &pass, work)) {
        return false;
    }
    kept->plain = pass.broken;
    if (!kept->plain) {
        // waited for once, to know how long it takes
        cudaStreamSynchronize(cuda_stream(k));
        kept->seconds = (double)(g_get_monotonic_time() - began) / 1e6;
        kept->said = pass.said;
        kept->inputs = pass.inputs;
        kept->work = pass.work;
        kept->heard = true;
        kept->plain = !allocate_inputs(k, kept);
        note_error(k);
    }
    return true;
}

static bool launch(const kernels *k, struct kernels_kept *kept, const struct kernels_work *work)
{
    const cudaStream_t stream = cuda_stream(k);

    cudaMemcpyAsync(kept->on_device, kept->pinned[kept->turn], kept->inputs, cudaMemcpyHostToDevice,
                    stream);
    cudaEventRecord(kept->read[kept->turn], stream);
    kept->turn = 1 - kept->turn;
    for (int i = 0; i < kept->n; i++) {
        if (kept->launched >= 2) {
            // one runs, one waits, and there is time to think better of the others
            cudaEventSynchronize(kept->done[kept->launched % 2]);
        }
        if (i > 0 && work->goes_on != NULL && !work->goes_on(work->user)) {
            return false;
        }
        cudaGraphLaunch(kept->graphs[i], stream);
        cudaEventRecord(kept->done[kept->launched++ % 2], stream);
    }
    note_error(k);
    return true;
}

static bool capture_work(const kernels *k, struct kernels_kept *kept,
                         const struct kernels_work *work)
{
    struct cuda_pass pass = {.kept = kept, .way = CAPTURES};

    cudaEventSynchronize(kept->read[kept->turn]);
    kept->part = work->goes_on != NULL && kept->seconds > work->seconds
                     ? kept->work * work->seconds / kept->seconds
                     : kept->work + 1;
    pass.cut = kept->part;
    kept->captures++;
    begin_graph(k);
    const bool done = make_calls(k, &pass, work);
    if (pass.way == CAPTURES && !end_graph(k, kept)) {
        pass.broken = true;
    }
    if (!done || pass.broken) {
        drop_graphs(kept);
        cudaGetLastError();
        kept->plain = pass.broken;
        return done && work->run(work->user);
    }
    kept->said = pass.said;
    return launch(k, kept, work);
}

static bool follow_work(const kernels *k, struct kernels_kept *kept,
                        const struct kernels_work *work)
{
    struct cuda_pass pass = {.kept = kept, .way = FOLLOWS};

    cudaEventSynchronize(kept->read[kept->turn]);
    if (!make_calls(k, &pass, work)) {
        return false;
    }
    if (!pass.broken && pass.said == kept->said) {
        return launch(k, kept, work);
    }
    drop_graphs(kept);
    kept->plain = kept->captures == TURNS;
    return kept->plain ? work->run(work->user) : hear_work(k, kept, work);
}

static bool cuda_repeat(const kernels *k, struct kernels_kept **kept,
                        const struct kernels_work *work)
{
    if (*kept == NULL) {
        *kept = g_new0(struct kernels_kept, 1);
    }
    cudaSetDevice(cuda_device(k)->number); // the thread may have used another
    if ((*kept)->plain || cuda_device(k)->pass != NULL) {
        return work->run(work->user);
    }
    if (!(*kept)->heard) {
        return hear_work(k, *kept, work);
    }
    return (*kept)->n == 0 ? capture_work(k, *kept, work) : follow_work(k, *kept, work);
}

static void cuda_forget(const kernels *k, struct kernels_kept *kept)
{
    if (kept == NULL) {
        return;
    }
    cudaStreamSynchronize(cuda_stream(k));
    drop_graphs(kept);
    release_inputs(k, kept);
    for (int i = 0; i < 2; i++) {
        if (kept->read[i] != NULL) {
            cudaEventDestroy(kept->read[i]);
            cudaEventDestroy(kept->done[i]);
        }
    }
    g_free(kept);
}

void cuda_fill_repeat(kernels *k)
{
    k->repeat = cuda_repeat;
    k->forget = cuda_forget;
    cuda_device(k)->own = *k;
    k->alloc = heard_alloc;
    k->release = heard_release;
    k->upload = heard_upload;
    k->download = heard_download;
    k->zero = heard_zero;
    k->copy = heard_copy;
    k->sync = heard_sync;
    k->bring = heard_bring;
    k->brought = heard_brought;
#define ENTRY(name, ...) k->name = heard_##name;
#include "kernels/entries.h"
#undef ENTRY
}
