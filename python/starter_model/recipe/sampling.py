"""What WebLLM does to logits: bias, penalties, grammar mask, softmax, the most probable tokens, a draw.

WebLLM calls argsort_probs and sample_with_top_p one after the other and never looks inside what passes between them, so
only the `count` most probable tokens are sorted.
"""

# ruff: noqa: SIM102 - `and` would not keep the load behind the check of its index.
from tvm.script import tirx as T

WORKGROUP = 64
SLICES = 64  # a vocabulary scan is split among so many invocations
SLICE_GROUP = 4
PER_INVOCATION = 4  # probabilities that an invocation of softmax_apply writes
LOWEST = -3.0e38


def logit_bias():
    """logits[row, token] += bias, for every (row, token, bias)."""

    @T.prim_func(s_tir=True)
    def kernel(var_logits: T.handle, var_row: T.handle, var_token: T.handle, var_bias: T.handle):
        T.func_attr({"global_symbol": "apply_logit_bias_inplace", "tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        vocab = T.int32()
        entries = T.int32()
        logits = T.match_buffer(var_logits, (rows, vocab), "float32")
        row = T.match_buffer(var_row, (entries,), "int32")
        token = T.match_buffer(var_token, (entries,), "int32")
        bias = T.match_buffer(var_bias, (entries,), "float32")
        for bx in T.thread_binding((entries + WORKGROUP - 1) // WORKGROUP, thread="blockIdx.x"):
            for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                with T.sblock("logit_bias"):
                    T.reads()
                    T.writes()
                    i = T.meta_var(bx * WORKGROUP + tx)
                    if i < entries:
                        logits[row[i], token[i]] = logits[row[i], token[i]] + bias[i]

    return kernel


def penalties():
    """Presence, frequency and repetition penalty, for every token that occurred, with its count."""

    @T.prim_func(s_tir=True)
    def kernel(
        var_logits: T.handle,
        var_sequence: T.handle,
        var_position: T.handle,
        var_token: T.handle,
        var_count: T.handle,
        var_penalty: T.handle,
    ):
        T.func_attr({"global_symbol": "apply_penalty_inplace", "tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        vocab = T.int32()
        entries = T.int32()
        sequences = T.int32()
        logits = T.match_buffer(var_logits, (rows, vocab), "float32")
        sequence = T.match_buffer(var_sequence, (sequences,), "int32")
        position = T.match_buffer(var_position, (entries,), "int32")
        token = T.match_buffer(var_token, (entries,), "int32")
        count = T.match_buffer(var_count, (entries,), "int32")
        penalty = T.match_buffer(var_penalty, (sequences, 3), "float32")  # presence, frequency, repetition
        for bx in T.thread_binding((entries + WORKGROUP - 1) // WORKGROUP, thread="blockIdx.x"):
            for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                with T.sblock("penalties"):
                    T.reads()
                    T.writes()
                    logit = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    i = T.meta_var(bx * WORKGROUP + tx)
                    if i < entries:
                        logit[0] = (
                            logits[sequence[position[i]], token[i]]
                            - penalty[position[i], 0]
                            - T.cast(count[i], "float32") * penalty[position[i], 1]
                        )
                        if logit[0] < T.float32(0):
                            logit[0] = logit[0] * penalty[position[i], 2]
                        else:
                            logit[0] = logit[0] / penalty[position[i], 2]
                        logits[sequence[position[i]], token[i]] = logit[0]

    return kernel


def grammar_mask():
    """The lowest float for every token whose bit is 0."""

    @T.prim_func(s_tir=True)
    def kernel(var_logits: T.handle, var_sequence: T.handle, var_bits: T.handle):
        T.func_attr({"global_symbol": "apply_bitmask_inplace", "tirx.noalias": True, "tirx.is_scheduled": True})
        rows = T.int32()
        vocab = T.int32()
        sequences = T.int32()
        logits = T.match_buffer(var_logits, (rows, vocab), "float32")
        sequence = T.match_buffer(var_sequence, (sequences,), "int32")
        bits = T.match_buffer(var_bits, (rows, (vocab + 31) // 32), "int32")
        for by in T.thread_binding(sequences, thread="blockIdx.y"):
            for bx in T.thread_binding((vocab + WORKGROUP - 1) // WORKGROUP, thread="blockIdx.x"):
                for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                    with T.sblock("grammar_mask"):
                        T.reads()
                        T.writes()
                        token = T.meta_var(bx * WORKGROUP + tx)
                        if token < vocab:
                            if T.bitwise_and(T.shift_right(bits[sequence[by], token // 32], token % 32), 1) == 0:
                                logits[sequence[by], token] = T.min_value("float32")

    return kernel


def softmax_stats(vocab):
    """Per slice of the vocabulary: stats[i] its highest logit, stats[SLICES + i] its sum of exp((x - highest) / t)."""
    length = (vocab + SLICES - 1) // SLICES

    @T.prim_func(s_tir=True)
    def kernel(var_logits: T.handle, var_temperature: T.handle, var_stats: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        logits = T.match_buffer(var_logits, (1, 1, vocab), "float32")
        temperature = T.match_buffer(var_temperature, (1,), "float32")
        stats = T.match_buffer(var_stats, (2 * SLICES,), "float32")
        for bx in T.thread_binding(SLICES // SLICE_GROUP, thread="blockIdx.x"):
            for tx in T.thread_binding(SLICE_GROUP, thread="threadIdx.x"):
                with T.sblock("softmax_stats"):
                    T.reads()
                    T.writes()
                    highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    mass = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    at = T.meta_var(bx * SLICE_GROUP + tx)
                    highest[0] = T.float32(LOWEST)
                    mass[0] = T.float32(0)
                    for k in T.serial(length):
                        if at * length + k < vocab:
                            highest[0] = T.max(highest[0], logits[0, 0, at * length + k])
                    for k in T.serial(length):
                        if at * length + k < vocab:
                            mass[0] = mass[0] + T.exp((logits[0, 0, at * length + k] - highest[0]) / temperature[0])
                    stats[at] = highest[0]
                    stats[SLICES + at] = mass[0]

    return kernel


def softmax_apply(vocab):
    """Probabilities out of logits and softmax_stats."""
    width = PER_INVOCATION * WORKGROUP

    @T.prim_func(s_tir=True)
    def kernel(var_logits: T.handle, var_temperature: T.handle, var_stats: T.handle, var_out: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        logits = T.match_buffer(var_logits, (1, 1, vocab), "float32")
        temperature = T.match_buffer(var_temperature, (1,), "float32")
        stats = T.match_buffer(var_stats, (2 * SLICES,), "float32")
        out = T.match_buffer(var_out, (1, 1, vocab), "float32")
        for bx in T.thread_binding((vocab + width - 1) // width, thread="blockIdx.x"):
            for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                with T.sblock("softmax_apply"):
                    T.reads()
                    T.writes()
                    highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    mass = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    highest[0] = T.float32(LOWEST)
                    mass[0] = T.float32(0)
                    for k in T.serial(SLICES):
                        highest[0] = T.max(highest[0], stats[k])
                    for k in T.serial(SLICES):
                        mass[0] = mass[0] + stats[SLICES + k] * T.exp((stats[k] - highest[0]) / temperature[0])
                    for k in T.serial(PER_INVOCATION):
                        token = T.meta_var((bx * PER_INVOCATION + k) * WORKGROUP + tx)
                        if token < vocab:
                            out[0, 0, token] = T.exp((logits[0, 0, token] - highest[0]) / temperature[0]) / mass[0]

    return kernel


def slice_top(vocab, count):
    """The `count` largest probabilities of each slice, descending; of equals the lower id first."""
    length = (vocab + SLICES - 1) // SLICES

    @T.prim_func(s_tir=True)
    def kernel(var_probs: T.handle, var_top: T.handle, var_ids: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        probs = T.match_buffer(var_probs, (1, vocab), "float32")
        top = T.match_buffer(var_top, (SLICES, count), "float32")
        ids = T.match_buffer(var_ids, (SLICES, count), "int32")
        for bx in T.thread_binding(SLICES // SLICE_GROUP, thread="blockIdx.x"):
            for tx in T.thread_binding(SLICE_GROUP, thread="threadIdx.x"):
                with T.sblock("slice_top"):
                    T.reads()
                    T.writes()
                    current = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    place = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    at = T.meta_var(bx * SLICE_GROUP + tx)
                    for i in T.serial(count):
                        top[at, i] = T.float32(-1)
                        ids[at, i] = 0
                    for k in T.serial(length):
                        if at * length + k < vocab:
                            current[0] = probs[0, at * length + k]
                            if current[0] > top[at, count - 1]:
                                place[0] = count - 1
                                while place[0] > 0 and top[at, T.max(place[0] - 1, 0)] < current[0]:
                                    top[at, place[0]] = top[at, place[0] - 1]
                                    ids[at, place[0]] = ids[at, place[0] - 1]
                                    place[0] = place[0] - 1
                                top[at, place[0]] = current[0]
                                ids[at, place[0]] = at * length + k

    return kernel


def merge_top(count):
    """One invocation merges the slices' sorted lists into the `count` largest overall."""

    @T.prim_func(s_tir=True)
    def kernel(var_top: T.handle, var_ids: T.handle, var_out: T.handle, var_out_ids: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        top = T.match_buffer(var_top, (SLICES, count), "float32")
        ids = T.match_buffer(var_ids, (SLICES, count), "int32")
        out = T.match_buffer(var_out, (1, count), "float32")
        out_ids = T.match_buffer(var_out_ids, (1, count), "int32")
        for _ in T.thread_binding(1, thread="blockIdx.x"):
            for _ in T.thread_binding(1, thread="threadIdx.x"):
                with T.sblock("merge_top"):
                    T.reads()
                    T.writes()
                    head = T.sblock_alloc_buffer((SLICES,), "int32", scope="local")
                    best = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    for i in T.serial(SLICES):
                        head[i] = 0
                    for i in T.serial(count):
                        best[0] = 0
                        highest[0] = T.float32(-2)
                        for j in T.serial(SLICES):
                            if head[j] < count:
                                if top[j, T.min(head[j], count - 1)] > highest[0]:
                                    highest[0] = top[j, T.min(head[j], count - 1)]
                                    best[0] = j
                        out[0, i] = T.max(highest[0], T.float32(0))
                        out_ids[0, i] = ids[best[0], T.min(head[best[0]], count - 1)]
                        head[best[0]] = head[best[0]] + 1

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
            for _ in T.thread_binding(1, thread="threadIdx.x"):
                with T.sblock("draw"):
                    T.reads()
                    T.writes()
                    mass = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    left = T.sblock_alloc_buffer((1,), "float32", scope="local")
                    kept = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    pick = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    mass[0] = probs[row[0], 0]
                    kept[0] = 1
                    while kept[0] < count and mass[0] < top_p[row[0]]:
                        mass[0] = mass[0] + probs[row[0], T.min(kept[0], count - 1)]
                        kept[0] = kept[0] + 1
                    left[0] = uniform[0] * mass[0] - probs[row[0], 0]
                    pick[0] = 0
                    while pick[0] < kept[0] - 1 and left[0] > T.float32(0):
                        pick[0] = pick[0] + 1
                        left[0] = left[0] - probs[row[0], T.min(pick[0], count - 1)]
                    out[0] = ids[row[0], pick[0]]

    return kernel
