"""quantize.py PLACE: model.onnx in PLACE, fused by ONNX Runtime's transformer optimizer, and both with weights of 8 bits."""

import json
import sys

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

place = sys.argv[1]

# Heads and width as the exporter was told them: 0 lets the optimizer find them in the graph.
options = FusionOptions("bert")
fused = optimizer.optimize_model(
    f"{place}/model.onnx", model_type="bert", num_heads=0, hidden_size=0, optimization_options=options, opt_level=0
)
fused.save_model_to_file(f"{place}/fused.onnx")
print(json.dumps(fused.get_fused_operator_statistics()), flush=True)

for name in ("model", "fused"):
    for per_channel in (False, True):
        # Signed weights, as the documentation advises for processors with VNNI.
        quantize_dynamic(
            f"{place}/{name}.onnx",
            f"{place}/{name}-int8{'-channel' if per_channel else ''}.onnx",
            weight_type=QuantType.QInt8,
            per_channel=per_channel,
            # The table of words stays as it is: ours does too, and a call reads a few rows of it.
            op_types_to_quantize=["MatMul", "Attention"],
            # The types behind operators of ONNX Runtime's own domain are not inferred.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
