"""Adapters by PEFT of the checkpoints in packages/parity/goldens: their files, outputs, and what Python's re matches."""

import base64
import re
import tempfile
import warnings
from pathlib import Path

import torch
import transformers
from golden import packages, random, seeded, values, write
from peft import LoraConfig, get_peft_model

warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.float32)
layer = r"transformer\.h\.\d+\."
cases = [
    ("a pattern, ranks and alphas of some modules, rank-stabilised", "gpt2", "GPT2LMHeadModel", dict(
        target_modules=rf"{layer}(attn\.c_attn|mlp\.c_(?:fc|proj))", exclude_modules=r".*\.1\.mlp\.c_fc",
        rank_pattern={r"h\.0\.attn\.c_attn": 3, r"c_fc": 1}, alpha_pattern={r"^transformer\.h\.2.*c_proj": 7},
        use_rslora=True)),
    ("some layers of a list, without excluded modules", "gpt2", "GPT2LMHeadModel", dict(
        target_modules=["c_attn", "c_proj", "transformer.h.1.mlp.c_fc"], exclude_modules=["mlp.c_proj"],
        layers_to_transform=[0, 2], layers_pattern="h")),
    ("one layer, by the first number in a name", "llama", "LlamaForCausalLM", dict(
        target_modules=["q_proj", "gate_proj", "down_proj"], layers_to_transform=1)),
    ("the biases of its modules", "gpt2", "GPT2LMHeadModel", dict(
        target_modules=["c_attn"], bias="lora_only")),
    ("every bias, and biases of its own", "gpt2", "GPT2LMHeadModel", dict(
        target_modules=["c_attn"], bias="all", lora_bias=True)),
    ("interleaved heads with their biases", "bloom", "BloomForCausalLM", dict(
        task_type="CAUSAL_LM", bias="lora_only")),
    ("every linear map, and a head of its own", "llama", "LlamaForCausalLM", dict(
        target_modules="all-linear", modules_to_save=["lm_head", "norm"])),
    ("a head with an update", "gpt2-untied", "GPT2LMHeadModel", dict(
        target_modules=["c_attn", "lm_head"], modules_to_save=["wte", "ln_f"], init_lora_weights="gaussian")),
    ("a classifier of sequences", "gpt2-sequence-classification", "GPT2ForSequenceClassification", dict(
        task_type="SEQ_CLS")),
    ("a classifier of sequences", "bert-sequence-classification", "BertForSequenceClassification", dict(
        task_type="SEQ_CLS", target_modules=["query", "dense"])),
    ("a classifier of two maps", "roberta-sequence-classification", "RobertaForSequenceClassification", dict(
        task_type="SEQ_CLS")),
    ("a classifier of tokens", "bert-token-classification", "BertForTokenClassification", dict(
        task_type="TOKEN_CLS")),
    ("answers", "bert-question-answering", "BertForQuestionAnswering", dict(task_type="QUESTION_ANS")),
    ("a masked language model", "bert-masked-lm", "BertForMaskedLM", dict(target_modules=["query", "dense"])),
    ("a bare model", "gpt2", "GPT2Model", dict(target_modules=["c_attn"], task_type="FEATURE_EXTRACTION")),
    ("an encoder-decoder", "t5", "T5ForConditionalGeneration", dict(
        target_modules=["q", "v", "wi"], task_type="SEQ_2_SEQ_LM")),
    ("an encoder-decoder with biases", "bart", "BartForConditionalGeneration", dict(
        target_modules=r".*decoder.*(self_attn|encoder_attn)\.(q_proj|v_proj)", bias="all", task_type="SEQ_2_SEQ_LM")),
    ("every bias, of a classifier of one map too", "bert-sequence-classification", "BertForSequenceClassification", dict(
        task_type="SEQ_CLS", bias="all")),
    ("every bias, of a classifier of two maps too", "roberta-sequence-classification",
     "RobertaForSequenceClassification", dict(task_type="SEQ_CLS", target_modules=["query"], bias="all")),
    ("every bias, of a tied head too", "bert-masked-lm", "BertForMaskedLM", dict(target_modules=["query"], bias="all")),
    ("directions and magnitudes", "llama", "LlamaForCausalLM", dict(
        target_modules=["q_proj", "up_proj", "down_proj"], use_dora=True, use_rslora=True, rank_pattern={"up_proj": 1})),
    ("directions and magnitudes of interleaved heads with their biases", "bloom", "BloomForCausalLM", dict(
        task_type="CAUSAL_LM", bias="lora_only", use_dora=True)),
    ("directions and magnitudes of an encoder-decoder", "t5", "T5ForConditionalGeneration", dict(
        target_modules=["q", "v", "wi"], task_type="SEQ_2_SEQ_LM", use_dora=True)),
]


def adapter(index, name, folder, architecture, options):
    where = packages / "parity" / "goldens" / folder
    model = getattr(transformers, architecture).from_pretrained(where)
    model = get_peft_model(model, LoraConfig(**{"r": 2, "lora_alpha": 5, **options})).eval()
    model.peft_config["default"].base_model_name_or_path = None
    g = seeded(100 + index)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.add_(random(g, *parameter.shape, scale=0.2).float())
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        files = {
            file: base64.b64encode((Path(saved) / file).read_bytes()).decode()
            for file in ("adapter_config.json", "adapter_model.safetensors")
        }
    model = model.double()
    ids = torch.randint(3, 90, (1, 4), generator=g)
    given = {"input_ids": ids}
    if model.config.is_encoder_decoder:
        given["decoder_input_ids"] = torch.randint(3, 90, (1, 3), generator=g)
    with torch.no_grad():
        outputs = model(**given)
    names = [n for n in ("logits", "start_logits", "end_logits", "last_hidden_state") if n in outputs]
    return {
        "name": name, "model": folder, "folder": files,
        "ids": {key: value.tolist() for key, value in given.items()},
        "outputs": {key: values(outputs[key]) for key in names},
    }


write("models", "adapters", "adapters", [adapter(i, *case) for i, case in enumerate(cases)], "peft")

patterns = [
    r".*", r".*\.c_attn", r"c_attn", r"transformer\.h\.[02]\.attn\.c_(attn|proj)", r"(?i).*\.C_ATTN", r".*\.(?P<part>mlp)\..*",
    r"^transformer.*c_fc$", r".*(?<=\.)c_fc", r".*(?<!n)\.c_proj", r"(?!.*mlp).*c_proj", r"(?:.+\.)*c_proj", r"(.*)*c_fc",
    r".*\.\d{1,2}\..*", r".*\.\d{2,}\..*", r".*\b11\b.*", r"[^.]+\.h\.[\d]{,2}\.ln_[12]", r"transformer\Z", r".*(?#comment)ln_f",
    r"[a-z_.0-9]+?", r"[]\-a-z._0-9[&]+", r"lm_head|score", r"a|ab", r"(?s:.*)ln_f", r".{0,}ln_f", r"x{", r".*x{,}ln_f", r"\w+\.\w+",
    r"\x6cm_head", r"\u006cm_head", r"(?>l|lm)_head", r"l++m_head", r"", r"$", r"\Alm_head\Z", r".*\.h\.1?1\.[^m].*",
]
modules = [
    "", "a", "ab", "transformer", "transformer.wte", "transformer.h.0.attn.c_attn", "transformer.h.0.attn.c_proj",
    "transformer.h.2.mlp.c_fc", "transformer.h.11.mlp.c_proj", "transformer.h.1.ln_2", "transformer.ln_f", "lm_head", "x{", "é.漢",
]
write("models", "python-patterns", "adapters", [
    {"pattern": pattern, "matches": [text for text in modules if re.fullmatch(pattern, text)]} for pattern in patterns
] + [{"pattern": None, "matches": modules}])
