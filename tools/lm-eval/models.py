"""Folders of tiny random models, each with a byte-level tokenizer that is learned from the license of this repository."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT = 128
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def save_tokenizer(folder: Path, text: Path, bos: str, eos: str) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = list(dict.fromkeys([bos, eos]))
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=512, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train([str(text)], trainer)
    if bos != eos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, eos_token=eos)
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
    return fast


def make_models(folder: Path, text: Path) -> dict[str, Path]:
    """Writes the models below a folder; their weights are large enough that answers differ clearly in likelihood."""
    torch.manual_seed(1234)
    folders = {name: folder / name for name in ("tiny-gpt2", "tiny-gpt2-ends", "tiny-llama")}

    for name in ("tiny-gpt2", "tiny-gpt2-ends"):
        tokenizer = save_tokenizer(folders[name], text, "<|endoftext|>", "<|endoftext|>")
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer), n_positions=CONTEXT, n_embd=48, n_layer=3, n_head=4, initializer_range=0.2,
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        )
    )
    model.save_pretrained(folders["tiny-gpt2"])
    # The same model, which ends at every second token: what it generates often ends at once.
    model.generation_config.eos_token_id = list(range(0, len(tokenizer), 2))
    model.save_pretrained(folders["tiny-gpt2-ends"])

    tokenizer = save_tokenizer(folders["tiny-llama"], text, "<s>", "</s>")
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), max_position_embeddings=CONTEXT, hidden_size=48, intermediate_size=112,
            num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2, initializer_range=0.2,
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        )
    ).save_pretrained(folders["tiny-llama"])
    return folders
