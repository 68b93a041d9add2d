"""Attention over TVM's paged KV cache, for one sequence without sliding window (all that WebLLM uses by default).

TVM's own seven kernels take SwiftShader 13 s to compile and run 9 to 15 times slower there; on a GPU it is the reverse.
Here one invocation owns one (query row, head): online softmax, no shared memory, no barrier. The log-sum-exp is in
base 2, as TVM's cache expects.
"""

# ruff: noqa: B023, F841 - TVM reads the kernels' source: a thread is no loop, and a matched buffer is an argument's type.
import math

from tvm.relax.frontend.nn.llm import kv_cache
from tvm.script import tirx as T

from starter_model.recipe.rope import PAGE_SIZE, rope_and_append

LOG2_E = math.log2(math.e)
WORKGROUP = 4
LOWEST = -5e4  # below every score
TINY = 1e-30  # keeps a row that sees no key from dividing by zero


def online_softmax(head_dim):
    """The body of every attention kernel here, to be inlined.

    query(i), key(page, p, i) and value(page, p, i) are element i of the row's query and of position p's key and value;
    locate(p) is p's page, looked up once a position. Writes out[row, head, :] and lse[row, head].
    """

    @T.inline
    def attend(query, locate, key, value, length, sm_scale, out, lse, row, head):
        q = T.sblock_alloc_buffer((head_dim,), "float32", scope="local")
        acc = T.sblock_alloc_buffer((head_dim,), "float32", scope="local")
        highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
        mass = T.sblock_alloc_buffer((1,), "float32", scope="local")
        score = T.sblock_alloc_buffer((1,), "float32", scope="local")
        shrink = T.sblock_alloc_buffer((1,), "float32", scope="local")
        for i in T.unroll(head_dim):
            q[i] = query(i) * (sm_scale * T.float32(LOG2_E))
            acc[i] = T.float32(0)
        highest[0] = T.float32(LOWEST)
        mass[0] = T.float32(0)
        for p in T.serial(length):
            page: T.let[T.int32] = locate(p)
            score[0] = T.float32(0)
            for i in T.unroll(head_dim):
                score[0] = score[0] + q[i] * key(page, p, i)
            shrink[0] = highest[0]
            highest[0] = T.max(highest[0], score[0])
            shrink[0] = T.exp2(shrink[0] - highest[0])
            score[0] = T.exp2(score[0] - highest[0])
            mass[0] = mass[0] * shrink[0] + score[0]
            for i in T.unroll(head_dim):
                acc[i] = acc[i] * shrink[0] + score[0] * value(page, p, i)
        for i in T.unroll(head_dim):
            out[row, head, i] = acc[i] / T.max(mass[0], T.float32(TINY))
        lse[row, head] = highest[0] + T.log2(T.max(mass[0], T.float32(TINY)))

    return attend


def cached_tokens(page_indptr, last_page_length, sequence):
    """Tokens that a sequence has in the cache; 0 for one without pages."""
    pages = page_indptr[sequence + 1] - page_indptr[sequence]
    return T.if_then_else(pages == 0, 0, (pages - 1) * PAGE_SIZE + last_page_length[sequence])


def up_to_row(causal, keys, rows, row):
    """How many of `keys` positions a query row sees; the last row sees all."""
    return T.if_then_else(causal > 0, T.min(keys - rows + row + 1, keys), keys)


def prefill_fresh(kv_heads, heads, head_dim):
    """Queries against the keys and values of the same prefill ("ragged" in TVM)."""
    group = heads // kv_heads
    attend = online_softmax(head_dim)

    @T.prim_func(s_tir=True)
    def kernel(
        var_q: T.handle,
        var_q_indptr: T.handle,
        var_k: T.handle,
        var_v: T.handle,
        var_kv_indptr: T.handle,
        var_q_position: T.handle,
        var_k_offset: T.handle,
        var_out: T.handle,
        var_lse: T.handle,
        causal: T.int32,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True})
        sequences = T.int32()
        rows = T.int32()
        keys = T.int32()
        q_indptr_at = T.int32()
        kv_indptr_at = T.int32()
        q_position_at = T.int32()
        k_offset_at = T.int32()
        q = T.match_buffer(var_q, (rows, heads, head_dim), "float32")
        q_indptr = T.match_buffer(var_q_indptr, (sequences + 1,), "int32", elem_offset=q_indptr_at)
        k = T.match_buffer(var_k, (keys, kv_heads, head_dim), "float32")
        v = T.match_buffer(var_v, (keys, kv_heads, head_dim), "float32")
        kv_indptr = T.match_buffer(var_kv_indptr, (sequences + 1,), "int32", elem_offset=kv_indptr_at)
        q_position = T.match_buffer(var_q_position, (rows,), "int32", elem_offset=q_position_at)
        k_offset = T.match_buffer(var_k_offset, (sequences,), "int32", elem_offset=k_offset_at)
        out = T.match_buffer(var_out, (rows, heads, head_dim), "float32")
        lse = T.match_buffer(var_lse, (rows, heads), "float32")
        for bx in T.thread_binding((rows + WORKGROUP - 1) // WORKGROUP, thread="blockIdx.x"):
            for head in T.thread_binding(heads, thread="blockIdx.y"):
                for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                    with T.sblock("prefill_fresh"):
                        T.reads()
                        T.writes()
                        row: T.let[T.int32] = bx * WORKGROUP + tx
                        if row < rows:
                            attend(
                                lambda i: q[row, head, i],
                                lambda p: p,
                                lambda page, p, i: k[p, head // group, i],
                                lambda page, p, i: v[p, head // group, i],
                                up_to_row(causal, keys, rows, row),
                                sm_scale,
                                out,
                                lse,
                                row,
                                head,
                            )

    return kernel


def prefill_cached(kv_heads, heads, head_dim):
    """Queries of a prefill against keys and values that were in the cache before it ("paged" in TVM)."""
    group = heads // kv_heads
    attend = online_softmax(head_dim)

    @T.prim_func(s_tir=True)
    def kernel(
        var_q: T.handle,
        var_q_indptr: T.handle,
        var_pages: T.handle,
        var_page_indptr: T.handle,
        var_page_values: T.handle,
        var_last_page_length: T.handle,
        var_k_offset: T.handle,
        var_q_position: T.handle,
        var_out: T.handle,
        var_lse: T.handle,
        causal: T.int32,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True})
        sequences = T.int32()
        rows = T.int32()
        used_pages = T.int32()
        all_pages = T.int32()
        pages_at = T.int64()
        q_indptr_at = T.int32()
        page_indptr_at = T.int32()
        page_values_at = T.int32()
        last_page_length_at = T.int32()
        k_offset_at = T.int32()
        q_position_at = T.int32()
        q = T.match_buffer(var_q, (rows, heads, head_dim), "float32")
        q_indptr = T.match_buffer(var_q_indptr, (sequences + 1,), "int32", elem_offset=q_indptr_at)
        pages = T.match_buffer(var_pages, (all_pages, 2, kv_heads, PAGE_SIZE, head_dim), "float32", elem_offset=pages_at)
        page_indptr = T.match_buffer(var_page_indptr, (sequences + 1,), "int32", elem_offset=page_indptr_at)
        page_values = T.match_buffer(var_page_values, (used_pages,), "int32", elem_offset=page_values_at)
        last_page_length = T.match_buffer(var_last_page_length, (sequences,), "int32", elem_offset=last_page_length_at)
        k_offset = T.match_buffer(var_k_offset, (sequences,), "int32", elem_offset=k_offset_at)
        q_position = T.match_buffer(var_q_position, (rows,), "int32", elem_offset=q_position_at)
        out = T.match_buffer(var_out, (rows, heads, head_dim), "float32")
        lse = T.match_buffer(var_lse, (rows, heads), "float32")
        for bx in T.thread_binding((rows + WORKGROUP - 1) // WORKGROUP, thread="blockIdx.x"):
            for head in T.thread_binding(heads, thread="blockIdx.y"):
                for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                    with T.sblock("prefill_cached"):
                        T.reads()
                        T.writes()
                        row: T.let[T.int32] = bx * WORKGROUP + tx
                        if row < rows:
                            keys: T.let[T.int32] = cached_tokens(page_indptr, last_page_length, 0)
                            attend(
                                lambda i: q[row, head, i],
                                lambda p: page_values[page_indptr[0] + p // PAGE_SIZE],
                                lambda page, p, i: pages[page, 0, head // group, p % PAGE_SIZE, i],
                                lambda page, p, i: pages[page, 1, head // group, p % PAGE_SIZE, i],
                                up_to_row(causal, keys, rows, row),
                                sm_scale,
                                out,
                                lse,
                                row,
                                head,
                            )

    return kernel


def decode(kv_heads, heads, head_dim):
    """One query a sequence against all of its cached keys and values."""
    group = heads // kv_heads
    attend = online_softmax(head_dim)

    @T.prim_func(s_tir=True)
    def kernel(
        var_q: T.handle,
        var_pages: T.handle,
        var_page_indptr: T.handle,
        var_page_values: T.handle,
        var_last_page_length: T.handle,
        var_k_offset: T.handle,
        var_q_position: T.handle,
        var_out: T.handle,
        var_lse: T.handle,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True})
        sequences = T.int32()
        used_pages = T.int32()
        all_pages = T.int32()
        pages_at = T.int64()
        page_indptr_at = T.int32()
        page_values_at = T.int32()
        last_page_length_at = T.int32()
        k_offset_at = T.int32()
        q_position_at = T.int32()
        q = T.match_buffer(var_q, (sequences, heads, head_dim), "float32")
        pages = T.match_buffer(var_pages, (all_pages, 2, kv_heads, PAGE_SIZE, head_dim), "float32", elem_offset=pages_at)
        page_indptr = T.match_buffer(var_page_indptr, (sequences + 1,), "int32", elem_offset=page_indptr_at)
        page_values = T.match_buffer(var_page_values, (used_pages,), "int32", elem_offset=page_values_at)
        last_page_length = T.match_buffer(var_last_page_length, (sequences,), "int32", elem_offset=last_page_length_at)
        k_offset = T.match_buffer(var_k_offset, (sequences,), "int32", elem_offset=k_offset_at)
        q_position = T.match_buffer(var_q_position, (sequences,), "int32", elem_offset=q_position_at)
        out = T.match_buffer(var_out, (sequences, heads, head_dim), "float32")
        lse = T.match_buffer(var_lse, (sequences, heads), "float32")
        for sequence in T.thread_binding(sequences, thread="blockIdx.x"):
            for kv_head in T.thread_binding(kv_heads, thread="blockIdx.y"):
                for tx in T.thread_binding(group, thread="threadIdx.x"):
                    with T.sblock("decode"):
                        T.reads()
                        T.writes()
                        head: T.let[T.int32] = kv_head * group + tx
                        attend(
                            lambda i: q[sequence, head, i],
                            lambda p: page_values[page_indptr[sequence] + p // PAGE_SIZE],
                            lambda page, p, i: pages[page, 0, kv_head, p % PAGE_SIZE, i],
                            lambda page, p, i: pages[page, 1, kv_head, p % PAGE_SIZE, i],
                            cached_tokens(page_indptr, last_page_length, sequence),
                            sm_scale,
                            out,
                            lse,
                            sequence,
                            head,
                        )

    return kernel


def merge_state(heads, head_dim):
    """Merge the attention over two sets of keys in place: (v, lse) becomes that over both.

    TVM's own kernel reads lse and writes it back from the 16 threads of one head without a barrier: right where a warp
    runs in lockstep, wrong on SwiftShader, whose subgroups have 4 lanes.
    """

    @T.prim_func(s_tir=True)
    def kernel(var_v: T.handle, var_lse: T.handle, var_other_v: T.handle, var_other_lse: T.handle):
        T.func_attr({"tirx.is_scheduled": True})
        rows = T.int32()
        v = T.match_buffer(var_v, (rows, heads, head_dim), "float32")
        lse = T.match_buffer(var_lse, (rows, heads), "float32")
        other_v = T.match_buffer(var_other_v, (rows, heads, head_dim), "float32")
        other_lse = T.match_buffer(var_other_lse, (rows, heads), "float32")
        for bx in T.thread_binding((rows + WORKGROUP - 1) // WORKGROUP, thread="blockIdx.x"):
            for head in T.thread_binding(heads, thread="blockIdx.y"):
                for tx in T.thread_binding(WORKGROUP, thread="threadIdx.x"):
                    with T.sblock("merge_state"):
                        T.reads()
                        T.writes()
                        ours = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        others = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        highest = T.sblock_alloc_buffer((1,), "float32", scope="local")
                        row: T.let[T.int32] = bx * WORKGROUP + tx
                        if row < rows:
                            highest[0] = T.max(lse[row, head], other_lse[row, head])
                            ours[0] = T.exp2(lse[row, head] - highest[0])
                            others[0] = T.exp2(other_lse[row, head] - highest[0])
                            for i in T.serial(head_dim):
                                v[row, head, i] = (v[row, head, i] * ours[0] + other_v[row, head, i] * others[0]) / (
                                    ours[0] + others[0]
                                )
                            lse[row, head] = T.log2(ours[0] + others[0]) + highest[0]

    return kernel


def unused():
    """Stands for a kernel that a single sequence without sliding window never reaches."""

    @T.prim_func(s_tir=True)
    def kernel(var_x: T.handle):
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        size = T.int32()
        x = T.match_buffer(var_x, (size,), "float32")
        for bx in T.thread_binding(1, thread="blockIdx.x"):
            for tx in T.thread_binding(1, thread="threadIdx.x"):
                with T.sblock("unused"):
                    T.reads()
                    T.writes()
                    x[bx + tx] = T.float32(0)

    return kernel


UNREACHED = (
    "tree_attn",
    "tree_attn_with_paged_kv_cache",
    "_kv_cache_transpose_append",
    "_kv_cache_transpose_append_mla",
    "_copy_single_page",
    "_compact_kv_copy",
    "_kv_cache_debug_get_kv",
)
"""Kernels that TIRPagedKVCache asks for and that one plain sequence never runs."""


def key_at(p, d, _head_dim):
    """Where in its page's block (PAGE_SIZE, head_dim) element d of position p's key lies, as (row, column)."""
    return p, d


def use_kernels_of(family):
    """Make TVM's TIRPagedKVCache take its kernels from a module like this one. It has no parameter for that."""

    def nameless(kernel):
        return kernel.without_attr("global_symbol")  # else "duplicate global symbol"

    def fresh(kv_heads, heads, head_dim, *_, **__):
        return nameless(family.prefill_fresh(kv_heads, heads, head_dim))

    def cached(kv_heads, heads, head_dim, _dtype, sliding_window, *_, **__):
        return nameless(unused() if sliding_window else family.prefill_cached(kv_heads, heads, head_dim))

    def one(kv_heads, heads, head_dim, _dtype, sliding_window, *_, **__):
        return nameless(unused() if sliding_window else family.decode(kv_heads, heads, head_dim))

    def merge(heads, head_dim, *_, **__):
        return nameless(family.merge_state(heads, head_dim))

    def rope(theta, _scale, head_dim, heads, kv_heads, *_, **__):
        def at(p, d):
            return family.key_at(p, d, head_dim)

        return nameless(rope_and_append(kv_heads, heads, head_dim, theta, at))

    kv_cache._attention_prefill_ragged = fresh
    kv_cache._attention_prefill = cached
    kv_cache._attention_decode = one
    kv_cache._merge_state_inplace = merge
    kv_cache.llama_rope_with_position_map = rope
    for name in UNREACHED:
        setattr(kv_cache, name, lambda *_, **__: nameless(unused()))
