"""Transformer-XL of transformers 4.57, made to run and to go on from segment to segment."""

import warnings

import torch
import transformers
from golden import flatten
from transformers.models.deprecated.transfo_xl import TransfoXLLMHeadModel

SEGMENT = 7

# 4.57 gives `type_as` a dtype where a tensor belongs.
type_as = torch.Tensor.type_as
torch.Tensor.type_as = lambda self, other=None, dtype=None: self.to(dtype) if other is None else type_as(self, other)
# The class forgets that its layers share their biases where they are tied.
TransfoXLLMHeadModel._tied_weights_keys += [r"transformer\.layers\.\d+\.dec_attn\.r_[rw]_bias"]
transformers.logging.set_verbosity_error()
warnings.simplefilter("ignore", DeprecationWarning)


def segments(model, inputs):
    """The first segment has no memory (transformers itself would have it see zeros), the next ones have."""
    ids, labels = inputs["input_ids"], inputs["labels"]
    dtype = model.transformer.pos_emb.inv_freq.dtype
    memory = [torch.zeros(0, len(ids), model.config.d_model, dtype=dtype) for _ in model.transformer.layers]
    outputs, losses = {}, []
    for i, start in enumerate(range(0, ids.shape[1], SEGMENT)):
        piece = slice(start, start + SEGMENT)
        given = model(ids[:, piece], mems=memory, output_hidden_states=True, output_attentions=True, return_dict=True)
        log_probabilities = given.prediction_scores
        chosen = log_probabilities[:, :-1].gather(2, labels[:, piece][:, 1:, None])
        losses.append(-chosen.mean())
        theirs = model(ids[:, piece], mems=memory, labels=labels[:, piece], return_dict=True).loss
        assert torch.allclose(theirs, losses[-1]), (theirs, losses[-1])
        memory = given.mems
        for key, value in flatten(given):
            key = key.replace("prediction_scores", "log_probabilities").replace("mems", "memory")
            outputs[f"segment_{i}.{key}"] = value.transpose(0, 1) if key.startswith("memory") else value
    return outputs, sum(losses)
