"""The model as Relax functions, under the names by which WebLLM looks them up."""

import json
from typing import Any

import tvm
from tvm import relax, tirx
from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache, RopeMode, TIRPagedKVCache

from starter_model.recipe import layers, sampling
from starter_model.recipe.matmul import matmul, meta_dtype, vector_product
from starter_model.shape import GROUP, ModelShape

TILE_ROWS = 8
TILE_OUTPUTS = 8  # weight rows an invocation of matmul unpacks
VECTOR_TILE_OUTPUTS = 4  # the same for vector_product
TOP_TOKENS = 64  # of which a token is drawn

Kernels = dict[str, tirx.PrimFunc]


def tensor(*shape, dtype="float32"):
    """A result's placeholder."""
    return nn.Tensor.placeholder(shape, dtype)


def call(kernel, name, args, out):
    """Call a TIR kernel, which must have lost its own name first ("duplicate global symbol")."""
    return nn.op.tensor_ir_op(kernel.without_attr("global_symbol"), name, args, out)


class PackedLinear(nn.Module):
    """A packed weight matrix (starter_model.packing). Adds to `swaps` the kernel to use for one row, by name."""

    def __init__(self, rows: int, cols: int, bits: int, swaps: Kernels):
        self.rows, self.cols, self.bits, self.swaps = rows, cols, bits, swaps
        self.words = nn.Parameter((rows, cols * bits // 32), "uint32")
        self.meta = nn.Parameter((rows, cols // GROUP), meta_dtype(bits))

    def __call__(self, x, residual=None, gated=False):
        rows = x.shape[1]
        halves = 2 if gated else 1
        outputs = self.rows // halves
        options = {"gated": gated, "residual": residual is not None}
        single = isinstance(rows, int) and rows == 1
        tile_rows = 1 if single else TILE_ROWS
        kernel = matmul(self.cols, outputs, self.bits, tile_rows, TILE_OUTPUTS // halves, **options)
        name = self._kernel_name(single, outputs, **options)
        if single:
            self.swaps[name] = vector_product(self.cols, outputs, self.bits, VECTOR_TILE_OUTPUTS // halves, **options)
        args = [x, self.words, self.meta, x if residual is None else residual]
        return call(kernel, name, args, tensor(1, rows, outputs))

    def _kernel_name(self, single, outputs, gated, residual):
        kind = "vector_product" if single else "matmul"
        return f"{kind}{self.bits}_{self.cols}_{outputs}{'_gated' if gated else ''}{'_residual' if residual else ''}"


class RmsNorm(nn.Module):
    """Root mean square norm."""

    def __init__(self, shape: ModelShape):
        self.hidden, self.eps = shape.hidden, shape.norm_eps
        self.weight = nn.Parameter((shape.hidden,), "float32")

    def __call__(self, x):
        out = tensor(1, x.shape[1], self.hidden)
        return call(layers.rms_norm(self.hidden, self.eps), "rms_norm", [x, self.weight], out)


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, shape: ModelShape, swaps: Kernels):
        self.shape = shape
        self.attention_norm, self.ffn_norm = RmsNorm(shape), RmsNorm(shape)
        self.qkv = PackedLinear(shape.qkv_rows, shape.hidden, 4, swaps)
        self.attention_out = PackedLinear(shape.hidden, shape.heads * shape.head_dim, 4, swaps)
        self.gate_up = PackedLinear(2 * shape.ffn, shape.hidden, 4, swaps)
        self.down = PackedLinear(shape.hidden, shape.ffn, 4, swaps)

    def __call__(self, x, cache, index):
        shape, rows = self.shape, x.shape[1]
        per_head = (1, rows, shape.heads + 2 * shape.kv_heads, shape.head_dim)
        qkv = nn.op.reshape(self.qkv(self.attention_norm(x)), per_head)
        attended = cache.attention_with_fused_qkv(index, qkv, shape.heads, sm_scale=shape.head_dim**-0.5)
        attended = nn.op.reshape(attended, (1, rows, shape.heads * shape.head_dim))
        x = self.attention_out(attended, residual=x)
        return self.down(self.gate_up(self.ffn_norm(x), gated=True), residual=x)


class Decoder(nn.Module):
    """The model. Public methods are WebLLM's functions; their parameter names are part of that interface."""

    def __init__(self, shape: ModelShape, target, swaps: Kernels):
        self.shape, self.target = shape, target
        self.embedding = PackedLinear(shape.vocab, shape.hidden, 8, swaps)
        self.layers = nn.ModuleList([Layer(shape, swaps) for _ in range(shape.layers)])
        self.norm = RmsNorm(shape)

    def embed(self, input_ids):
        """Tokens (n,) int32 -> their embeddings (n, hidden)."""
        vocab, hidden = self.shape.vocab, self.shape.hidden
        args = [input_ids, self.embedding.words, self.embedding.meta]
        return call(layers.embedding_rows(vocab, hidden), "embedding_rows", args, tensor(input_ids.shape[0], hidden))

    def _run(self, x, cache):
        for index, layer in enumerate(self.layers):
            x = layer(x, cache, index)
        return x

    def prefill(self, input_embed, paged_kv_cache):
        """Embeddings (1, n, hidden) -> the logits (1, 1, vocab) after the last."""
        hidden = self.shape.hidden
        x = self._run(input_embed, paged_kv_cache)
        x = call(layers.last_row(hidden), "last_row", [x], tensor(1, 1, hidden))
        return self.embedding(self.norm(x)), paged_kv_cache

    def decode(self, input_embed, paged_kv_cache):
        """`prefill` for a single token."""
        return self.embedding(self.norm(self._run(input_embed, paged_kv_cache))), paged_kv_cache

    def softmax_with_temperature(self, logits, temperature):
        """Logits (1, 1, vocab) -> probabilities of the same shape."""
        vocab = self.shape.vocab
        stats_out = tensor(2 * sampling.SLICES)
        stats = call(sampling.softmax_stats(vocab), "softmax_stats", [logits, temperature], stats_out)
        args = [logits, temperature, stats]
        return call(sampling.softmax_apply(vocab), "softmax_apply", args, tensor(1, 1, vocab))

    def argsort_probs(self, probs):
        """Probabilities (1, vocab) -> the TOP_TOKENS largest, descending, and their tokens, (1, TOP_TOKENS) each."""

        def sorted_out(rows):
            return [tensor(rows, TOP_TOKENS), tensor(rows, TOP_TOKENS, dtype="int32")]

        kernel = sampling.slice_top(self.shape.vocab, TOP_TOKENS)
        slices, slice_ids = call(kernel, "slice_top", [probs], sorted_out(sampling.SLICES))
        top, ids = call(sampling.merge_top(TOP_TOKENS), "merge_top", [slices, slice_ids], sorted_out(1))
        return top, ids

    def sample_with_top_p(self, sorted_probs, sorted_ids, uniform, rows, top_p):
        """A token (1,) drawn from what argsort_probs gave."""
        args = [sorted_probs, sorted_ids, uniform, rows, top_p]
        return call(sampling.draw_top_p(TOP_TOKENS), "draw_top_p", args, tensor(1, dtype="int32"))

    def create_tir_paged_kv_cache(
        self,
        max_batch_size: tirx.Var,
        max_total_seq_len: tirx.Var,
        prefill_chunk_size: tirx.Var,
        page_size: tirx.Var,
        support_sliding_window: tirx.Var,
    ):
        """An empty cache; the sizes are WebLLM's."""
        shape = self.shape
        return TIRPagedKVCache(
            attn_kind="mha",
            max_batch_size=max_batch_size,
            max_total_seq_len=max_total_seq_len,
            prefill_chunk_size=prefill_chunk_size,
            page_size=page_size,
            support_sliding_window=support_sliding_window,
            layer_partition=relax.ShapeExpr([0, shape.layers]),
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            qk_head_dim=shape.head_dim,
            v_head_dim=shape.head_dim,
            mla_original_qk_head_dim=0,
            mla_original_v_head_dim=0,
            rope_mode=RopeMode.NORMAL,
            rope_scale=1,
            rope_theta=int(shape.rope_theta),
            rope_scaling={},
            rope_ext_factors=relax.prim_value(0),
            rotary_dim=shape.head_dim,
            enable_disaggregation=False,
            dtype="float32",
            target=self.target,
        )

    def spec(self):
        """The types of WebLLM's functions."""
        hidden, vocab = self.shape.hidden, self.shape.vocab
        ints = ("max_batch_size", "max_total_seq_len", "prefill_chunk_size", "page_size", "support_sliding_window")
        cache = nn.spec.Object(object_type=PagedKVCache)
        arg = nn.spec.Tensor
        top = (1, TOP_TOKENS)
        with_params = {
            "embed": {"input_ids": arg(["seq_len"], "int32")},
            "prefill": {"input_embed": arg([1, "seq_len", hidden], "float32"), "paged_kv_cache": cache},
            "decode": {"input_embed": arg([1, 1, hidden], "float32"), "paged_kv_cache": cache},
        }
        without_params = {
            "softmax_with_temperature": {
                "logits": arg([1, 1, vocab], "float32"),
                "temperature": arg([1], "float32"),
            },
            "argsort_probs": {"probs": arg([1, vocab], "float32")},
            "sample_with_top_p": {
                "sorted_probs": arg(top, "float32"),
                "sorted_ids": arg(top, "int32"),
                "uniform": arg([1], "float32"),
                "rows": arg([1], "int32"),
                "top_p": arg([1], "float32"),
            },
            "create_tir_paged_kv_cache": dict.fromkeys(ints, int),
        }
        functions = {
            **{name: {**args, "$": _modes("packed")} for name, args in with_params.items()},
            **{name: {**args, "$": _modes("none")} for name, args in without_params.items()},
        }
        return nn.spec.ModuleSpec.from_raw(functions, self)


def _modes(params: str) -> dict[str, str]:
    return {"param_mode": params, "effect_mode": "none"}


def param_listing(params) -> list[dict[str, Any]]:
    """Name, shape and dtype of every parameter, in the library's order."""
    return [{"name": name, "shape": [int(size) for size in param.shape], "dtype": str(param.dtype)} for name, param in params]


def metadata(shape: ModelShape, listing: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """What the library tells WebLLM about itself."""
    return {
        "name": name,
        "model_type": "llama",
        "model_task": "chat",
        "quantization": "q4_1",
        "context_window_size": shape.context,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
        "prefill_chunk_size": shape.prefill_chunk,
        "max_batch_size": 1,
        "tensor_parallel_shards": 1,
        "pipeline_parallel_stages": 1,
        "disaggregation": False,
        "kv_state_kind": "kv_cache",
        "kv_cache": {
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads,
            "head_dim": shape.head_dim,
        },
        "params": [{**param, "preprocs": [], "pipeline_stages": [0]} for param in listing],
    }


def export(shape: ModelShape, target, name: str):
    """The module with every function WebLLM looks up, the kernels to swap in by name, and the parameter listing."""
    swaps: Kernels = {}
    model = Decoder(shape, target, swaps)
    with target:
        mod, params, _ = model.export_tvm(spec=model.spec(), allow_extern=True)
    listing = param_listing(params)
    mod["apply_logit_bias_inplace"] = sampling.logit_bias()
    mod["apply_penalty_inplace"] = sampling.penalties()
    mod["apply_bitmask_inplace"] = sampling.grammar_mask()
    bounds = {"seq_len": shape.prefill_chunk, "total_seq_len": shape.context}
    for var, function in list(mod.functions.items()):
        if isinstance(function, relax.Function):
            bounded = function.with_attr("tir_var_upper_bound", bounds)
            mod[var] = bounded.with_attr("relax.memory_plan_dynamic_func_output", True)
    builder = relax.BlockBuilder(mod)
    with builder.function("_metadata", params=[]):
        builder.emit_func_output(tvm.ir.StringImm(json.dumps(metadata(shape, listing, name))))
    return builder.finalize(), swaps, listing
