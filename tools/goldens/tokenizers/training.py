"""What the reference learns from Moby-Dick."""

import json

import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from sources import pieces_of, train_sentencepiece


def model_of(tokenizer):
    return json.loads(tokenizer.to_str())["model"]


def trained(model, pre_tokenizer, trainer, lines):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(lines, trainer)
    return model_of(tokenizer)


def training_goldens(lines, out):
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whitespace = pre_tokenizers.Whitespace()
    byte_bpe = trained(models.BPE(), byte_level, trainers.BpeTrainer(
        vocab_size=256 + 8000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False), lines)
    bpe = trained(models.BPE(unk_token="<unk>"), whitespace, trainers.BpeTrainer(
        vocab_size=3000, min_frequency=3, special_tokens=["<unk>", "<s>"], limit_alphabet=60, show_progress=False), lines)
    word_pieces = [trained(models.WordPiece(unk_token="[UNK]"), whitespace, trainers.WordPieceTrainer(
        vocab_size=3000, special_tokens=["[UNK]"], show_progress=False), lines)["vocab"] for _ in range(2)]
    unigram = train_sentencepiece([line for line in lines if line.strip()], vocab_size=8000, model_type="unigram",
                                  normalization_rule_name="identity", character_coverage=1.0)
    processor = sentencepiece.SentencePieceProcessor(model_proto=unigram)
    total = sum(len(processor.encode(line)) for line in lines)
    return {
        "byteBpe": {"vocab": sorted(byte_bpe["vocab"], key=byte_bpe["vocab"].get), "merges": [" ".join(m) for m in byte_bpe["merges"]]},
        "bpe": {"vocab": sorted(bpe["vocab"], key=bpe["vocab"].get), "merges": [" ".join(m) for m in bpe["merges"]]},
        "wordPiece": {"vocabs": [sorted(v, key=v.get) for v in word_pieces]},
        "unigram": {"pieces": [piece for piece, _ in pieces_of(unigram)], "tokens": total},
    }
