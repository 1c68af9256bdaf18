/** LLaMA with the width and depth of GPT-2 small, and heads that share keys. */
export const llamaSmall = {
  model_type: 'llama',
  vocab_size: 32_000,
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  max_position_embeddings: 1024,
} as const;
