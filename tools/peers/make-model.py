"""Writes GPT-2 small with random weights as a checkpoint, as an ONNX graph and as a GGUF file, for peers that only read those."""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

VOCAB, CONTEXT, WIDTH, LAYERS, HEADS = 50257, 1024, 768, 12, 12
HEAD = WIDTH // HEADS
CONFIG = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": VOCAB, "n_positions": CONTEXT,
    "n_embd": WIDTH, "n_layer": LAYERS, "n_head": HEADS, "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new",
    "tie_word_embeddings": True, "bos_token_id": VOCAB - 1, "eos_token_id": VOCAB - 1,
}


def weights() -> dict[str, np.ndarray]:
    """By the keys of Hugging Face's checkpoints; matrices are `[in, out]`."""
    random = np.random.default_rng(1)

    def normal(*shape):
        # Twice GPT-2's deviation, so that the best token is clearly the best.
        return (0.04 * random.standard_normal(shape, np.float32)).astype(np.float32)

    made = {"wte.weight": normal(VOCAB, WIDTH), "wpe.weight": normal(CONTEXT, WIDTH)}
    for n in range(LAYERS):
        for name, shape in {
            "attn.c_attn": (WIDTH, 3 * WIDTH), "attn.c_proj": (WIDTH, WIDTH),
            "mlp.c_fc": (WIDTH, 4 * WIDTH), "mlp.c_proj": (4 * WIDTH, WIDTH),
        }.items():
            made |= {f"h.{n}.{name}.weight": normal(*shape), f"h.{n}.{name}.bias": normal(shape[1])}
    for name in ["ln_f", *(f"h.{n}.ln_{i}" for n in range(LAYERS) for i in (1, 2))]:
        made |= {f"{name}.weight": 1 + normal(WIDTH), f"{name}.bias": normal(WIDTH)}
    return made


class Graph:
    """Nodes of an ONNX graph, each named by its output."""

    def __init__(self, initializers: dict[str, np.ndarray]):
        self.nodes, self.initializers = [], dict(initializers)

    def add(self, kind: str, *inputs: str, outputs: int | list[str] = 1, **attributes):
        names = outputs if isinstance(outputs, list) else [f"{kind}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if len(names) == 1 else names

    def constant(self, value, dtype=np.int64) -> str:
        name = f"constant_{len(self.initializers)}"
        self.initializers[name] = np.array(value, dtype)
        return name


def onnx_model(made: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The graph of one pass with a cache, of the standard's operators and with the names that Optimum's exports have."""
    g = Graph(made)

    def linear(x, name):
        return g.add("Add", g.add("MatMul", x, f"{name}.weight"), f"{name}.bias")

    def norm(x, name):
        return g.add("LayerNormalization", x, f"{name}.weight", f"{name}.bias", epsilon=1e-5)

    by_head, whole = g.constant([0, 0, HEADS, HEAD]), g.constant([0, 0, WIDTH])
    scale = g.constant(HEAD**-0.5, np.float32)
    x = g.add("Add", g.add("Gather", "wte.weight", "input_ids"), g.add("Gather", "wpe.weight", "position_ids"))
    tokens = g.add("Gather", g.add("Shape", "attention_mask"), g.constant(1), axis=0)
    keys = g.add("Range", g.constant(0), tokens, g.constant(1))
    queries = g.add("Unsqueeze", "position_ids", g.constant([1, 3]))  # [B, 1, T, 1]
    seen = g.add("LessOrEqual", keys, queries)
    bias = g.add("Where", seen, g.constant(0, np.float32), g.constant(-1e9, np.float32))
    for n in range(LAYERS):
        parts = g.add(
            "Split", linear(norm(x, f"h.{n}.ln_1"), f"h.{n}.attn.c_attn"), outputs=3, axis=-1, num_outputs=3
        )
        q, k, v = (g.add("Transpose", g.add("Reshape", part, by_head), perm=[0, 2, 1, 3]) for part in parts)
        k = g.add("Concat", f"past_key_values.{n}.key", k, outputs=[f"present.{n}.key"], axis=2)
        v = g.add("Concat", f"past_key_values.{n}.value", v, outputs=[f"present.{n}.value"], axis=2)
        scores = g.add("MatMul", g.add("Mul", q, scale), g.add("Transpose", k, perm=[0, 1, 3, 2]))
        pattern = g.add("Softmax", g.add("Add", scores, bias), axis=-1)
        mixed = g.add("Transpose", g.add("MatMul", pattern, v), perm=[0, 2, 1, 3])
        x = g.add("Add", x, linear(g.add("Reshape", mixed, whole), f"h.{n}.attn.c_proj"))
        hidden = g.add("Gelu", linear(norm(x, f"h.{n}.ln_2"), f"h.{n}.mlp.c_fc"), approximate="tanh")
        x = g.add("Add", x, linear(hidden, f"h.{n}.mlp.c_proj"))
    g.add("MatMul", norm(x, "ln_f"), g.add("Transpose", "wte.weight", perm=[1, 0]), outputs=["logits"])

    def value(name, kind, *shape):
        return helper.make_tensor_value_info(name, kind, shape)

    def cache(name, tokens):
        return [
            value(f"{name}.{n}.{part}", TensorProto.FLOAT, "batch", HEADS, tokens, HEAD)
            for n in range(LAYERS) for part in ("key", "value")
        ]

    inputs = [
        value("input_ids", TensorProto.INT64, "batch", "tokens"),
        value("attention_mask", TensorProto.INT64, "batch", "all"),
        value("position_ids", TensorProto.INT64, "batch", "tokens"),
        *cache("past_key_values", "past"),
    ]
    outputs = [value("logits", TensorProto.FLOAT, "batch", "tokens", VOCAB), *cache("present", "all")]
    stored = [numpy_helper.from_array(array, name) for name, array in g.initializers.items()]
    graph = helper.make_graph(g.nodes, "gpt2", inputs, outputs, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def write_gguf(path: Path, made: dict[str, np.ndarray]) -> None:
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_name("gpt2-small-random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(4 * WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    # Tokens are written as `<n>`, each of them special, so that a text names ids.
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"<{id}>" for id in range(VOCAB)])
    writer.add_token_types([gguf.TokenType.USER_DEFINED] * VOCAB)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(VOCAB - 1)
    writer.add_eos_token_id(VOCAB - 1)
    writer.add_add_bos_token(False)
    names = {"wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm"}
    for n in range(LAYERS):
        names |= {
            f"h.{n}.ln_1": f"blk.{n}.attn_norm", f"h.{n}.attn.c_attn": f"blk.{n}.attn_qkv",
            f"h.{n}.attn.c_proj": f"blk.{n}.attn_output", f"h.{n}.ln_2": f"blk.{n}.ffn_norm",
            f"h.{n}.mlp.c_fc": f"blk.{n}.ffn_up", f"h.{n}.mlp.c_proj": f"blk.{n}.ffn_down",
        }
    for key, array in made.items():
        module, kind = key.rsplit(".", 1)
        matrix = array.ndim == 2 and module not in ("wte", "wpe")
        writer.add_tensor(f"{names[module]}.{kind}", np.ascontiguousarray(array.T) if matrix else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    folder = Path(sys.argv[1])
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    made = weights()
    save_file({f"transformer.{key}": array for key, array in made.items()}, folder / "model.safetensors", {"format": "pt"})
    onnx.save(onnx_model(made), folder / "onnx" / "model.onnx")
    write_gguf(folder / "model.gguf", made)
    # Last: a folder with a configuration is whole.
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")


if __name__ == "__main__":
    main()
