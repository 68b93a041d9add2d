"""TVM's WebGPU lowering, made fit for a CPU rasterizer."""

from tvm.tirx.op import register_intrin_lowering


def keep_multiply_and_add() -> None:
    """Stop TVM from turning a * b + c into fma(a, b, c).

    SwiftShader emulates a fused multiply-add with four scalar libm calls, about ten times slower than mul and add.
    """
    register_intrin_lowering("tirx.fma", target="webgpu", f=lambda _: None, level=99)
