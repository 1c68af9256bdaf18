import { parseRunConfig, type RunConfig } from './run-config.js';

/** A configuration to begin with. */
export interface Preset {
  id: string;
  title: string;
  /** What one sees when it trains. */
  about: string;
  config: RunConfig;
}

const preset = (id: string, title: string, about: string, config: unknown): Preset => ({
  id,
  title,
  about,
  config: parseRunConfig(config),
});

/** The first of them starts at one click. */
export const presets: readonly [Preset, ...Preset[]] = [
  preset('reverse', 'Reverse letters', 'Learns within a minute to write letters backwards.', {
    data: { source: 'reverse', length: 6 },
    model: { dim: 32, layers: 2, heads: 2 },
    training: { steps: 500, batchSize: 16, learningRate: 0.004, warmupSteps: 20, sampleEvery: 50 },
  }),
  preset(
    'induction',
    'Find what came before',
    'A head learns to look for the last time, and what followed.',
    {
      data: { source: 'induction', length: 12 },
      model: { dim: 32, layers: 2, heads: 2 },
      training: { steps: 1500, batchSize: 32, learningRate: 0.005, warmupSteps: 20 },
    },
  ),
  preset(
    'moby-letters',
    'Moby-Dick, letter by letter',
    'Spelling first, then words, then something like style.',
    {
      data: { source: 'moby-dick', tokenizer: 'character' },
      model: { dim: 64, layers: 2, heads: 4, context: 64 },
      training: { steps: 1000, batchSize: 8, learningRate: 0.004, warmupSteps: 30 },
    },
  ),
  preset(
    'moby-pieces',
    'Moby-Dick, pieces of words',
    'The same book in 1,024 pieces, by the recipe of npm start: Muon, rotary positions, norms everywhere.',
    {
      data: { source: 'moby-dick', tokenizer: 'byte-bpe', vocabSize: 1024 },
      model: {
        dim: 96,
        layers: 4,
        heads: 4,
        context: 96,
        position: 'rotary',
        norm: 'rms',
        feedForward: 'relu2',
        init: 'zero',
        qkNorm: true,
        embeddingNorm: true,
        tied: false,
      },
      training: {
        steps: 1000,
        batchSize: 8,
        optimizer: 'muon',
        learningRate: 0.02,
        minLearningRate: 0,
        adamwRate: 0.5,
        warmupSteps: 0,
        decaySteps: 500,
        weightDecay: 0.01,
      },
    },
  ),
  preset('addition', 'Add modulo 97', 'Long nothing, then suddenly it has understood.', {
    data: { source: 'addition', length: 2 },
    model: { dim: 64, layers: 2, heads: 4 },
    training: {
      steps: 4000,
      batchSize: 64,
      learningRate: 0.003,
      minLearningRate: 0.001,
      weightDecay: 0.5,
      validateEvery: 50,
    },
  }),
];
