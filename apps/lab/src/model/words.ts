/** What the values of a configuration are called on the page. */
export const words: Readonly<Record<string, string>> = {
  'moby-dick': 'Moby-Dick, the novel',
  file: 'A text file of yours',
  copy: 'Task: copy letters',
  reverse: 'Task: reverse letters',
  sorting: 'Task: sort letters',
  induction: 'Task: find what came before',
  addition: 'Task: add modulo 97',
  parentheses: 'Task: close brackets',
  character: 'Characters',
  'byte-bpe': 'Pieces of words (BPE)',
  learned: 'Learned',
  sinusoidal: 'Sinusoidal',
  rotary: 'Rotary',
  alibi: 'ALiBi',
  t5: 'T5 buckets',
  shaw: 'Shaw, relative',
  none: 'None',
  'scaled-dot-product': 'Scaled dot product',
  'dot-product': 'Dot product',
  general: 'General (Luong)',
  additive: 'Additive (Bahdanau)',
  'pre-norm': 'Norm before',
  'post-norm': 'Norm after',
  parallel: 'Parallel',
  layer: 'Layer norm',
  rms: 'RMS norm',
  gelu_new: 'GELU',
  relu: 'ReLU',
  silu: 'SiLU',
  'gated-silu': 'SwiGLU, gated',
};

export function wordFor(value: unknown): string {
  return words[String(value)] ?? String(value);
}
