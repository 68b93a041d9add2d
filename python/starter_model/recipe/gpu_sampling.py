"""The parts of sampling.py that scan the vocabulary, for a real GPU: workgroups that sort in shared memory."""

from tvm.script import tirx as T

from starter_model.recipe.sampling import LOWEST, SLICES

WORKGROUP = 64
SORTED = 1024  # entries that a workgroup sorts at once
STEPS = 10  # log2(SORTED)
THREADS = 256
PAIRS = SORTED // 2 // THREADS  # that an invocation compares at once


def slices_of(vocab):
    """Workgroups of slice_top."""
    return (vocab + SORTED - 1) // SORTED


def softmax_stats(vocab):
    """Per slice of the vocabulary: stats[i] its highest logit, stats[SLICES + i] its sum of exp((x - highest) / t)."""
    length = (vocab + SLICES - 1) // SLICES
    each = (length + WORKGROUP - 1) // WORKGROUP

    @T.prim_func(s_tir=True)
    def kernel(var_logits: T.handle, var_temperature: T.handle, var_stats: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        logits = T.match_buffer(var_logits, (1, 1, vocab), "float32")
        temperature = T.match_buffer(var_temperature, (1,), "float32")
        stats = T.match_buffer(var_stats, (2 * SLICES,), "float32")
        for at in T.thread_binding(SLICES, thread="blockIdx.x"):
            for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                with T.sblock("softmax_stats"):
                    T.reads()
                    T.writes()
                    parts = T.sblock_alloc_buffer((2 * WORKGROUP,), "float32", scope="shared")
                    highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    mass = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    highest[0] = T.float32(LOWEST)
                    mass[0] = T.float32(0)
                    for i in T.serial(each):
                        k = T.meta_var(i * WORKGROUP + tx)
                        if k < length and at * length + k < vocab:
                            highest[0] = T.max(highest[0], logits[0, 0, T.min(at * length + k, vocab - 1)])
                    parts[tx] = highest[0]
                    T.tvm_storage_sync("shared")
                    for i in T.serial(WORKGROUP):
                        highest[0] = T.max(highest[0], parts[i])
                    for i in T.serial(each):
                        k = T.meta_var(i * WORKGROUP + tx)
                        if k < length and at * length + k < vocab:
                            mass[0] = mass[0] + T.exp(
                                (logits[0, 0, T.min(at * length + k, vocab - 1)] - highest[0]) / temperature[0]
                            )
                    parts[WORKGROUP + tx] = mass[0]
                    T.tvm_storage_sync("shared")
                    if tx == 0:
                        mass[0] = T.float32(0)
                        for i in T.serial(WORKGROUP):
                            mass[0] = mass[0] + parts[WORKGROUP + i]
                        stats[at] = highest[0]
                        stats[SLICES + at] = mass[0]

    return kernel


def lower_of(pair, shift):
    """The first of the two entries that an invocation compares; the other is 2^shift further on."""
    return T.shift_left(T.shift_right(pair, shift), shift + 1) + T.bitwise_and(pair, T.shift_left(1, shift) - 1)


def comes_after(kept, kept_ids, i):
    """Whether entry i belongs after entry i + 1."""
    return T.Or(kept[i + 1] > kept[i], T.And(kept[i + 1] == kept[i], kept_ids[i + 1] < kept_ids[i]))


@T.inline
def sort(values, ids, kept, kept_ids, tx):
    """Bitonic sort of SORTED (value, id), the highest value first, of equals the lower id, by THREADS invocations."""
    for size in T.serial(STEPS):
        for half in T.serial(size + 1):
            for i in T.unroll(PAIRS):
                low = T.meta_var(lower_of(i * THREADS + tx, size - half))
                kept[2 * i] = values[low]
                kept[2 * i + 1] = values[low + T.shift_left(1, size - half)]
                kept_ids[2 * i] = ids[low]
                kept_ids[2 * i + 1] = ids[low + T.shift_left(1, size - half)]
            T.tvm_storage_sync("shared")
            for i in T.unroll(PAIRS):
                low = T.meta_var(lower_of(i * THREADS + tx, size - half))
                turn = T.meta_var(
                    T.if_then_else(comes_after(kept, kept_ids, 2 * i), 1, 0)
                    == T.if_then_else(T.bitwise_and(low, T.shift_left(2, size)) == 0, 1, 0)
                )
                values[low] = T.if_then_else(turn, kept[2 * i + 1], kept[2 * i])
                values[low + T.shift_left(1, size - half)] = T.if_then_else(turn, kept[2 * i], kept[2 * i + 1])
                ids[low] = T.if_then_else(turn, kept_ids[2 * i + 1], kept_ids[2 * i])
                ids[low + T.shift_left(1, size - half)] = T.if_then_else(turn, kept_ids[2 * i], kept_ids[2 * i + 1])
            T.tvm_storage_sync("shared")


def slice_top(vocab, count):
    """The `count` largest probabilities of each slice of SORTED, descending; of equals the lower id first."""
    slices = slices_of(vocab)

    @T.prim_func(s_tir=True)
    def kernel(var_probs: T.handle, var_top: T.handle, var_ids: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        probs = T.match_buffer(var_probs, (1, vocab), "float32")
        top = T.match_buffer(var_top, (slices, count), "float32")
        top_ids = T.match_buffer(var_ids, (slices, count), "int32")
        for at in T.thread_binding(slices, thread="blockIdx.x"):
            for tx in T.thread_binding(THREADS, thread="threadIdx.x"):
                with T.sblock("slice_top"):
                    T.reads()
                    T.writes()
                    values = T.sblock_alloc_buffer((SORTED,), "float32", scope="shared")
                    ids = T.sblock_alloc_buffer((SORTED,), "int32", scope="shared")
                    kept = T.sblock_alloc_buffer((2 * PAIRS,), "float32", scope="local")
                    kept_ids = T.sblock_alloc_buffer((2 * PAIRS,), "int32", scope="local")
                    for i in T.unroll(SORTED // THREADS):
                        k = T.meta_var(i * THREADS + tx)
                        values[k] = T.float32(-1)
                        if at * SORTED + k < vocab:
                            values[k] = probs[0, T.min(at * SORTED + k, vocab - 1)]
                        ids[k] = at * SORTED + k
                    T.tvm_storage_sync("shared")
                    sort(values, ids, kept, kept_ids, tx)
                    if tx < count:
                        top[at, tx] = values[tx]
                        top_ids[at, tx] = ids[tx]

    return kernel


def merge_top(vocab, count):
    """One workgroup merges the slices' sorted lists into the `count` largest overall, as many at a time as it can sort."""
    slices = slices_of(vocab)
    batch = SORTED - count  # entries that are sorted together with the best so far
    entries = slices * count

    @T.prim_func(s_tir=True)
    def kernel(var_top: T.handle, var_ids: T.handle, var_out: T.handle, var_out_ids: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        top = T.match_buffer(var_top, (slices, count), "float32")
        top_ids = T.match_buffer(var_ids, (slices, count), "int32")
        out = T.match_buffer(var_out, (1, count), "float32")
        out_ids = T.match_buffer(var_out_ids, (1, count), "int32")
        for _ in T.thread_binding(1, thread="blockIdx.x"):
            for tx in T.thread_binding(THREADS, thread="threadIdx.x"):
                with T.sblock("merge_top"):
                    T.reads()
                    T.writes()
                    values = T.sblock_alloc_buffer((SORTED,), "float32", scope="shared")
                    ids = T.sblock_alloc_buffer((SORTED,), "int32", scope="shared")
                    kept = T.sblock_alloc_buffer((2 * PAIRS,), "float32", scope="local")
                    kept_ids = T.sblock_alloc_buffer((2 * PAIRS,), "int32", scope="local")
                    if tx < count:
                        values[tx] = T.float32(-1)
                        ids[tx] = 0
                    for part in T.serial((entries + batch - 1) // batch):
                        for i in T.unroll(SORTED // THREADS):
                            k = T.meta_var(i * THREADS + tx)
                            at = T.meta_var(T.min(part * batch + i * THREADS + tx - count, entries - 1))
                            if k >= count:
                                values[k] = T.float32(-1)
                                ids[k] = 0
                                if part * batch + k - count < entries:
                                    values[k] = top[at // count, at % count]
                                    ids[k] = top_ids[at // count, at % count]
                        T.tvm_storage_sync("shared")
                        sort(values, ids, kept, kept_ids, tx)
                    if tx < count:
                        out[0, tx] = T.max(values[tx], T.float32(0))
                        out_ids[0, tx] = ids[tx]

    return kernel


def draw_top_p(count):
    """A token from the shortest prefix of the sorted probabilities whose mass reaches top_p; uniform in [0, 1)."""

    @T.prim_func(s_tir=True)
    def kernel(
        var_probs: T.handle,
        var_ids: T.handle,
        var_uniform: T.handle,
        var_row: T.handle,
        var_top_p: T.handle,
        var_out: T.handle,
    ):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        probs = T.match_buffer(var_probs, (1, count), "float32")
        ids = T.match_buffer(var_ids, (1, count), "int32")
        uniform = T.match_buffer(var_uniform, (1,), "float32")
        row = T.match_buffer(var_row, (1,), "int32")
        top_p = T.match_buffer(var_top_p, (1,), "float32")
        out = T.match_buffer(var_out, (1,), "int32")
        for _ in T.thread_binding(1, thread="blockIdx.x"):
            for tx in T.thread_binding(count, thread="threadIdx.x"):
                with T.sblock("draw"):
                    T.reads()
                    T.writes()
                    sorted_probs = T.sblock_alloc_buffer((count,), "float32", scope="shared")
                    mass = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    left = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    kept = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    pick = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    sorted_probs[tx] = probs[row[0], tx]
                    T.tvm_storage_sync("shared")
                    if tx == 0:
                        mass[0] = sorted_probs[0]
                        kept[0] = 1
                        while kept[0] < count and mass[0] < top_p[row[0]]:
                            mass[0] = mass[0] + sorted_probs[T.min(kept[0], count - 1)]
                            kept[0] = kept[0] + 1
                        left[0] = uniform[0] * mass[0] - sorted_probs[0]
                        pick[0] = 0
                        while pick[0] < kept[0] - 1 and left[0] > T.float32(0):
                            pick[0] = pick[0] + 1
                            left[0] = left[0] - sorted_probs[T.min(pick[0], count - 1)]
                        out[0] = ids[row[0], pick[0]]

    return kernel
