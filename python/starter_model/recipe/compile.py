"""One model's wasm objects and parameter listing: `python -m starter_model.recipe.compile MODEL_ID OUT [gpu]`."""

import json
import sys
from pathlib import Path

import tvm
from tvm import relax
from tvm.s_tir import dlight

from starter_model.recipe import attention, gpu_attention
from starter_model.recipe.lowering import keep_multiply_and_add
from starter_model.recipe.model import Kernels, export
from starter_model.shape import MEASURED_SHAPES, SHAPES

TARGET = {"kind": "webgpu", "host": {"kind": "llvm", "mtriple": "wasm32-unknown-unknown-wasm"}}


def swap_kernels(swaps: Kernels):
    """The pass that puts `swaps` in the place of the kernels of the same names."""

    @tvm.transform.module_pass(opt_level=0)
    def swap(mod, _context):
        for var, function in list(mod.functions.items()):
            if var.name_hint in swaps:
                kernel = swaps[var.name_hint].without_attr("global_symbol")
                symbol = function.attrs.get("global_symbol")
                mod[var] = kernel.with_attr("global_symbol", symbol) if symbol else kernel
        return mod

    return swap


def pipeline(swaps: Kernels):
    """TVM's default pipeline without what is not needed, plus the swap once Relax no longer checks types."""
    dlight_rules = (
        dlight.gpu.Matmul(),
        dlight.gpu.GEMV(),
        dlight.gpu.Reduction(),
        dlight.gpu.GeneralReduction(),
        dlight.gpu.Fallback(),
    )
    return tvm.transform.Sequential(
        [
            relax.transform.LegalizeOps(),
            relax.transform.AnnotateTIROpPattern(),
            relax.transform.FoldConstant(),
            relax.transform.FuseOps(),
            relax.transform.FuseTIR(),
            relax.transform.DeadCodeElimination(),
            dlight.ApplyDefaultSchedule(*dlight_rules),
            tvm.tirx.transform.ForceNarrowIndexToInt32(),
            relax.transform.RewriteDataflowReshape(),
            relax.transform.ToNonDataflow(),
            relax.transform.RemovePurityChecking(),
            relax.transform.CallTIRRewrite(),
            swap_kernels(swaps),
            relax.transform.StaticPlanBlockMemory(),
            relax.transform.LowerAllocTensor(),
            relax.transform.KillAfterLastUse(),
            relax.transform.LowerRuntimeBuiltin(),
            relax.transform.ComputePrimValue(),
            relax.transform.VMShapeLower(),
            relax.transform.AttachGlobalSymbol(),
        ]
    )


def compile_model(model_id: str, out: Path, gpu: bool) -> None:
    """Write lib0.o, devc.o and params.json into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    attention.use_kernels_of(gpu_attention if gpu else attention)
    if not gpu:
        keep_multiply_and_add()
    target = tvm.target.Target(TARGET)
    mod, swaps, listing = export({**SHAPES, **MEASURED_SHAPES}[model_id], target, model_id, gpu)
    # A "system_lib_prefix" attribute crashes the build in 0.27.0.post1; system_lib=True does without it.
    with target, tvm.transform.PassContext(config={"tirx.disable_cse_tir": True, "tirx.disable_assert": True}):
        executable = relax.build(mod, target=target, relax_pipeline=pipeline(swaps), system_lib=True)

    def keep_objects(_output, _objects, **_options):
        """Linking is library/__main__.py's; the objects stay in the workspace folder."""

    keep_objects.object_format = "o"
    executable.mod.export_library(str(out / "unused.o"), fcompile=keep_objects, workspace_dir=str(out))
    lines = ",\n".join(json.dumps(param) for param in listing)
    (out / "params.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    compile_model(sys.argv[1], Path(sys.argv[2]), gpu=sys.argv[3:] == ["gpu"])
