import { tmpdir } from 'node:os';
import { join } from 'node:path';

const tokenizers = 'packages/tokenizers';
const parity = 'packages/parity/goldens';
const models = 'packages/models/src/goldens';
const data = 'packages/data/src/goldens';
const steps = 'packages/training/src/goldens/steps';
const main = 'requirements.txt';

/**
 * What makes the golden files, by the folder of the scripts: `[requirements, script, …arguments]` in their order.
 *
 * Arguments that begin with `packages/` or `tools/` are paths in the repository, `$NAME` is what `prepare.mjs` of the folder has made. A script
 * of Node.js gets the Python of its requirements before its arguments.
 */
export const folders = {
  colours: [[main, 'make.py', 'packages/inspect/src/goldens/viridis.json']],
  datatrove: [
    [main, 'make.py', '$texts', data],
    [main, 'urls.py', data],
    [main, 'decontamination.py', '$evaluation', data],
    [main, 'rules.py', 'packages/data/src/text/english-rules.ts'],
  ],
  dedup: [[main, 'minhash.py', `${data}/minhash.json`]],
  gguf: [
    [main, 'make.py', '$library', '$version', 'packages/gguf/src/goldens/reference.json'],
    [main, 'dequantize.py', 'packages/gguf/src/goldens/dequantized.json'],
    [
      ...['requirements-architectures.txt', 'architectures.py', '$source', '$release'],
      `${models}/gguf.json`,
    ],
  ],
  minilm: [
    [main, 'embeddings.py', join(tmpdir(), 'headwise-all-minilm-l6-v2'), 'tools/goldens/minilm'],
    [
      ...['requirements-mpnet.txt', 'mpnet.py', join(tmpdir(), 'headwise-all-mpnet-base-v2')],
      'tools/goldens/minilm',
    ],
  ],
  parquet: [[main, 'examples.py', data]],
  prompting: [
    [main, 'ranks.py', 'packages/prompting/src/goldens'],
    [main, 'questions.py', 'packages/prompting/src/goldens'],
    [main, 'options.py', 'packages/prompting/src/goldens'],
    ['requirements-trials.txt', 'trials.py', 'packages/prompting/src/goldens'],
  ],
  quantized: [[main, 'make.py', `${models}/quantized.json`]],
  random: [[main, 'make.py', 'packages/kernels/src/goldens/draw.json']],
  safetensors: [[main, 'make.py', 'packages/safetensors/src/goldens/reference.json']],
  tensorboard: [[main, 'events.py', 'packages']],
  tokenizers: [
    [main, 'make.py', '$corpus', `${tokenizers}/node_modules/@lenml`, `${tokenizers}/src/goldens`],
  ],
  torchrun: [[main, 'make.mjs', 'packages/runs/src/goldens/torchrun']],
  torch: [
    ...['kernels', 'attention', 'training', 'optimizers', 'schedules', 'loss_scale', 'generation'],
    ...[
      'gpt2',
      'generate',
      'processors',
      'lora',
      'adapters',
      'rotary',
      'mechanisms',
      'activations',
    ],
  ].map((name) => [main, `${name}.py`, 'packages']),
  transformers: [
    ...[
      ...[
        'encoders',
        'later_encoders',
        'decoders',
        'rotary_decoders',
        'encoder_decoders',
        'later_pairs',
        'experts',
        'pictures',
        'speech',
        'captions',
      ],
      'left_padding',
    ].map((name) => [...[main, `${name}.py`, parity]]),
    ['requirements-before-five.txt', 'before_five.py', parity],
    ...['beams', 'greedy', 'scores', 'generation_keys', 'embeddings', 'sentences', 'rerankers'].map(
      (name) => [...[main, `${name}.py`, parity]],
    ),
    ...['searches', 'constrained', 'dola'].map((name) => [
      ...['requirements-searches.txt', `${name}.py`, parity],
    ]),
    [main, 'clip.py', 'packages/parity/src/models/goldens'],
    [main, 'preprocessors.py', 'packages/models/src/pictures/goldens/preprocessors.safetensors'],
    [main, 'settings.py', `${models}/settings.json`],
    [main, 'log_mel.py', 'packages/models/src/speech/goldens/log-mel.safetensors'],
    [main, 'ten_steps.py', parity, `${models}/ten-steps.json`],
    [main, 'falcon_alibi.py', 'packages/positions/src/goldens/alibi-bfloat16.json'],
    [main, 'objectives.py', steps],
    [main, 'optimizers.py', steps],
    [main, 'mixed_precision.py', steps, 'packages/kernels/src/goldens'],
    [
      ...[main, 'accumulated_pairs.py', parity],
      'packages/training/src/goldens/accumulated-pairs.safetensors',
    ],
    [main, 'languages.py', parity, 'packages/text/src/goldens/languages'],
    [main, 'text_scores.py', parity],
    [main, 'timestamps.py', parity, 'packages/generation/src/goldens/timestamps.json'],
    [main, 'speech_generation.py', parity, 'packages/generation/src/goldens/speech.json'],
    [main, 'transcription.py', parity, 'packages/text/src/goldens/transcription.json'],
    [main, 'chat_turns.py', `${tokenizers}/src/goldens/chat-turns.json`],
    [main, 'span_corruption.py', `${data}/span-corruption.json`],
  ],
  trl: [
    [main, 'trainers.py', steps],
    [main, 'packing.py', `${data}/packing.json`],
  ],
};
