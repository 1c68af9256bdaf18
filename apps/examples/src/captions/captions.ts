// A model learns to say what it sees, and shows where it looks for each word: captions.js [STEPS] [FIGURE.svg]
import { writeFileSync } from 'node:fs';
import { Random } from '@headwise/core';
import { encodedSources, generateBatch } from '@headwise/generation';
import { attentionMaps, patchShare } from '@headwise/inspect';
import { patchView } from '@headwise/inspect/figures';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { AdamW, sequenceToSequence, train, warmupCosine } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';

const [totalSteps, file] = [Number(process.argv[2] ?? 500), process.argv[3]];
const [side, patch, held, init] = [32, 8, 100, { initializer_range: 0.12 }];
const colours = { red: [1, 0, 0], green: [0, 1, 0], blue: [0, 0.2, 1], yellow: [1, 1, 0] };
const shapes = {
  square: (x: number, y: number) => Math.max(Math.abs(x), Math.abs(y)) <= 0.9,
  ring: (x: number, y: number) => Math.abs(x * x + y * y - 0.65) <= 0.35,
  cross: (x: number, y: number) => Math.min(Math.abs(x), Math.abs(y)) <= 0.3,
};
const words = ['.', 'and', ...Object.keys(colours), ...Object.keys(shapes)];

/** A shape on the left and one on the right, the caption, and the patches that each shape touches. */
function drawn(random: Random) {
  const pick = <K extends string>(of: Record<K, unknown>) =>
    (Object.keys(of) as K[])[Math.floor(random.next() * Object.keys(of).length)]!;
  const pixels = Array.from({ length: side * side * 3 }, () => 0.2 * random.next());
  const both = [8, 24].map((middle) => {
    const [colour, shape, radius] = [pick(colours), pick(shapes), 5 + 2 * random.next()];
    const cx = middle + (7 - radius) * (2 * random.next() - 1);
    const [cy, patches] = [8 + 16 * random.next(), new Set<number>()];
    for (let at = 0; at < side * side; at++) {
      const [x, y] = [at % side, Math.floor(at / side)];
      const [u, v] = [(x + 0.5 - cx) / radius, (y + 0.5 - cy) / radius];
      if (Math.max(Math.abs(u), Math.abs(v)) > 1 || !shapes[shape](u, v)) continue;
      for (const c of [0, 1, 2]) pixels[at * 3 + c]! += 0.8 * colours[colour][c]!;
      patches.add(Math.floor(y / patch) * (side / patch) + Math.floor(x / patch));
    }
    return { said: [words.indexOf(colour), words.indexOf(shape)], patches };
  });
  return { pixels, caption: [...both[0]!.said, 1, ...both[1]!.said, 0], both };
}
function batchOf(seed: number, rows: number) {
  const random = new Random(seed);
  const all = Array.from({ length: rows }, () => drawn(random));
  const sources = Float32Array.from(all.flatMap(({ pixels }) => pixels));
  const targets = Int32Array.from(all.flatMap(({ caption }) => caption));
  const shape = [rows, side * side * 3, 6] as const;
  return { all, sources, sourceShape: [side, side, 3], targets, shape };
}

await start();
const vit = { image_size: side, patch_size: patch, hidden_size: 48, intermediate_size: 96 };
const gpt2 = { vocab_size: words.length, n_positions: 6, n_embd: 48, n_inner: 96, n_layer: 2 };
const still = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };
const { network, params } = createModel({
  ...{ model_type: 'vision-encoder-decoder', decoder_start_token_id: 0 },
  encoder: { model_type: 'vit', ...vit, ...init, num_hidden_layers: 2, num_attention_heads: 4 },
  decoder: { model_type: 'gpt2', ...gpt2, ...init, ...still, n_head: 4, add_cross_attention: true },
});
const training = train({
  ...{ objective: sequenceToSequence(network), params: params.named(), steps: totalSteps },
  ...{ optimizer: new AdamW(params.named()), batches: { at: (number) => batchOf(number, 32) } },
  schedule: warmupCosine({ peak: 3e-3, warmupSteps: 20, totalSteps }),
});
for await (const { step, loss } of training) {
  if (step % 50 === 0) console.log(`step ${step}: ${loss.toFixed(3)} nats a word`);
}

// Pictures that it has not seen: each word is the likeliest after those before.
const { all, sources } = batchOf(1e6, held);
const encoded = network.encode(tf.tensor4d(sources, [held, side, side, 3]));
const numbers = all.map((_, i) => [i]);
const greedy = { temperature: 0, maxNewTokens: 6 };
const { sequences } = await generateBatch(encodedSources(network, encoded), numbers, greedy);

// Where it looks while it says a word: cross-attention of the token before, which asks for it.
const begun = tf.tensor2d(numbers.map(([i]) => [0, ...all[i!]!.caption.slice(0, 5)]));
const layers = 'decoder.blocks.1.cross';
const reader = { forward: (ids: tf.Tensor, ctx = {}) => network.decode(ids.toInt(), encoded, ctx) };
for (const [what, places] of Object.entries({ colour: [0, 3], shape: [1, 4] })) {
  let [right, share, area] = [0, 0, 0];
  for (const [sequence, { both, caption, pixels }] of all.entries()) {
    const [map] = await attentionMaps(reader, begun, { layers, sequence });
    for (const [half, t] of places.entries()) {
      right += Number(sequences[sequence]!.tokens[t]!.id === caption[t]) / (2 * held);
      share += patchShare(map!, t, both[half]!.patches) / (2 * held);
      area += both[half]!.patches.size / (side / patch) ** 2 / (2 * held);
    }
    if (!file || sequence > 0) continue;
    const picture = { values: pixels, height: side, width: side, channels: 3 };
    const queryTokens = caption.map((id) => words[id]!);
    writeFileSync(file, patchView(map!, { queryTokens, picture, patch: [patch, patch] }));
  }
  const [a, b, c] = [right, share, area].map((part) => `${(100 * part).toFixed(1)} %`);
  console.log(`${what}: right ${a}; ${b} of the attention on the named shape, ${c} of the picture`);
}
