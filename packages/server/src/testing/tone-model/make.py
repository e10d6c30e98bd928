"""Makes `model.onnx`: a streaming NeMo CTC model that says a word for each stretch of sound, by how loud it is.

It lets tests run the streaming engine with the real library without weights of a hundred megabytes.
Needs the Python packages onnx and numpy: `python3 make.py`.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper

WINDOW = 8  # frames of 10 ms, one output frame
LOW, HIGH = -9.0, -3.0  # mean log-mel energies from which a sound is "low", "high"


def tensor(name, values):
    array = np.array(values, dtype=np.float32).reshape(1, 1, -1)
    return helper.make_tensor(name, TensorProto.FLOAT, array.shape, array.flatten())


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


nodes = [
    helper.make_node("ReduceMean", ["audio_signal"], ["energy"], axes=[1, 2], keepdims=1),
    helper.make_node("Mul", ["energy", "slopes"], ["scaled"]),
    helper.make_node("Add", ["scaled", "offsets"], ["logprobs"]),
    helper.make_node("Identity", ["length"], ["encoded_lengths"]),
    helper.make_node("Identity", ["cache_last_channel"], ["cache_last_channel_next"]),
    helper.make_node("Identity", ["cache_last_time"], ["cache_last_time_next"]),
    helper.make_node("Identity", ["cache_last_channel_len"], ["cache_last_channel_next_len"]),
]
cache = ["B", 1, 1, 1]
graph = helper.make_graph(
    nodes,
    "tones",
    [
        value("audio_signal", TensorProto.FLOAT, ["B", 80, "T"]),
        value("length", TensorProto.INT64, ["B"]),
        value("cache_last_channel", TensorProto.FLOAT, cache),
        value("cache_last_time", TensorProto.FLOAT, cache),
        value("cache_last_channel_len", TensorProto.INT64, ["B"]),
    ],
    [
        value("logprobs", TensorProto.FLOAT, ["B", 1, 3]),
        value("encoded_lengths", TensorProto.INT64, ["B"]),
        value("cache_last_channel_next", TensorProto.FLOAT, cache),
        value("cache_last_time_next", TensorProto.FLOAT, cache),
        value("cache_last_channel_next_len", TensorProto.INT64, ["B"]),
    ],
    # Scores of low, high, blank: each is the greatest in its range of energies.
    [tensor("slopes", [1, 2, 0]), tensor("offsets", [-LOW, -LOW - HIGH, 0])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
for key, text in {
    "model_type": "EncDecCTCModelBPE",
    "window_size": WINDOW,
    "chunk_shift": WINDOW,
    "subsampling_factor": WINDOW,
    "vocab_size": 2,
    **{f"cache_last_{part}_dim{n}": 1 for part in ("channel", "time") for n in (1, 2, 3)},
    "normalize_type": "",
    "comment": "Not a speech model: tells loud from quiet.",
}.items():
    entry = model.metadata_props.add()
    entry.key, entry.value = key, str(text)
onnx.checker.check_model(model)
onnx.save(model, "model.onnx")
with open("tokens.txt", "w", encoding="utf-8") as file:
    file.write("▁low 0\n▁high 1\n<blk> 2\n")
