/** The sizes of a model that is trained; the feed-forward part is four times as wide. */
export interface TrainingSizes {
  layers: number;
  dim: number;
  heads: number;
  /** Tokens of a sequence; of T5, of the source and of the target. */
  length: number;
  vocabulary: number;
}

/** The families that are timed. */
export type TrainedFamily = 'gpt2' | 'bert' | 't5';

/** GPT-2 without dropout. */
export const gpt2Configuration = ({ layers, dim, heads, length, vocabulary }: TrainingSizes) =>
  ({
    model_type: 'gpt2',
    vocab_size: vocabulary,
    n_positions: length,
    n_embd: dim,
    n_layer: layers,
    n_head: heads,
    embd_pdrop: 0,
    resid_pdrop: 0,
    attn_pdrop: 0,
  }) as const;

/** A configuration as Hugging Face writes it, without dropout. */
export function configurationOf(
  family: TrainedFamily,
  sizes: TrainingSizes,
): Record<string, unknown> {
  const { layers, dim, heads, length, vocabulary } = sizes;
  if (family === 'gpt2') return gpt2Configuration(sizes);
  if (family === 'bert') {
    return {
      model_type: 'bert',
      architectures: ['BertForMaskedLM'],
      vocab_size: vocabulary,
      max_position_embeddings: length,
      hidden_size: dim,
      intermediate_size: 4 * dim,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      hidden_dropout_prob: 0,
      attention_probs_dropout_prob: 0,
    };
  }
  return {
    model_type: 't5',
    architectures: ['T5ForConditionalGeneration'],
    vocab_size: vocabulary,
    d_model: dim,
    d_kv: dim / heads,
    d_ff: 4 * dim,
    num_layers: layers,
    num_heads: heads,
    dropout_rate: 0,
    decoder_start_token_id: 0,
    pad_token_id: 0,
    eos_token_id: 1,
  };
}

/** Ids of a batch, `[B, T]`, and what is to be predicted: of BERT every seventh position, of the others each. */
export interface TrainingIds {
  inputs: Int32Array;
  /** -100 where nothing is. */
  targets: Int32Array;
}

/** The batch that every contestant trains on. */
export function trainingIds(
  family: TrainedFamily,
  { length, vocabulary }: TrainingSizes,
  rows: number,
): TrainingIds {
  const id = (i: number) => (i * 7919) % vocabulary;
  const count = rows * length;
  const target = (i: number) => (family === 'bert' && i % 7 !== 0 ? -100 : id(i + 1));
  return {
    inputs: Int32Array.from({ length: count }, (_, i) => id(i)),
    targets: Int32Array.from({ length: count }, (_, i) => target(i)),
  };
}
