import { type GenerateOptions, generate, promptLookup } from '@headwise/generation';
import { createModel } from '@headwise/models';
import type { Contestants, Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { endless } from './endless.js';
import { llamaSmall } from './models.js';

/** Ids of the text that repeats: each goes on with the next, the last with the first. */
const period = 64;
/** The score of the token that follows, at temperature 1, where others have about 0 ± 0.5. */
const certain = 13;
/** Tokens of the prompt, and tokens that one measurement takes. */
const promptLength = 192;
const measured = 16;

/**
 * A model of LLaMA's shape that goes on with `(id mod 64) + 1`, drawn: at temperature 1 with a probability of about 0.9, whatever else
 * is drawn goes on in the same way. Every product is as large as with other weights; those that end a block are zero.
 */
function repeatingModel() {
  const { network, params } = createModel(llamaSmall, { seed: 1 });
  const { hidden_size: width, vocab_size: vocabulary } = llamaSmall;
  tf.tidy(() => {
    const named = params.named();
    for (const [path, variable] of Object.entries(named)) {
      if (/\.(out|down)\.weight$/.test(path)) variable.assign(tf.zerosLike(variable));
    }
    const directions = tf.randomNormal<tf.Rank.R2>([period, width], 0, 1, 'float32', 1);
    const ids = tf.range(0, vocabulary, 1, 'int32').mod(tf.scalar(period, 'int32'));
    named['tokens.weight']!.assign(tf.gather(directions, ids));
    // A normalised row times itself is its width.
    const noise = tf.randomNormal<tf.Rank.R2>([vocabulary, width], 0, 1, 'float32', 2);
    const rows = tf.concat([directions.slice([period - 1]), directions.slice([0], [period - 1])]);
    const head = tf.concat([rows, noise.slice([period])]).mul(certain / width);
    named['head.weight']!.assign(head);
  });
  return { network, params };
}

/** Sixteen tokens with drafts by n-grams, and without; the same tokens. */
async function contestants(temperature: number): Promise<Contestants> {
  const { network, params } = repeatingModel();
  const prompt = Array.from({ length: promptLength }, (_, i) => i % period);
  const measuredOf = (own: GenerateOptions) => {
    const tokens = endless((seed) =>
      generate(network, prompt, { maxNewTokens: 8 * measured, temperature, seed, ...own }),
    );
    const next = async () => {
      for (let i = 0; i < measured; i++) await tokens.next();
    };
    return { next, end: tokens.end };
  };
  const drafted = measuredOf({ speculation: promptLookup() });
  const plain = measuredOf({});
  return {
    ours: drafted.next,
    peers: { plain: plain.next },
    dispose: () => {
      drafted.end();
      plain.end();
      params.dispose();
    },
  };
}

/** Copying: the likeliest token is drawn with a probability of about 0.92. Prose: with about 0.35. */
const temperatures = { copying: 1, prose: 1.35 };

export const workloads: Workload[] = Object.entries(temperatures).map(([name, temperature]) => ({
  name: `generate/speculation/${name}`,
  backends: ['webgpu'] as const,
  prepare: () => contestants(temperature),
}));
