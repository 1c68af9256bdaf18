import { attention, masks, scoreMod, scoreTable, start } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

await start();

const [q, k, v] = [1, 2, 3].map((seed) => tf.randomNormal([2, 4, 16, 8], 0, 1, 'float32', seed)); // [B, H, T, Dh]
const lengths = tf.tensor1d([16, 11], 'int32');
const slopes = tf.variable(tf.tensor1d([0.5, 0.25, 0.125, 0.0625])); // learned, one a head

const nearby = scoreMod((score, _b, h, q, k) =>
  score.sub(scoreTable(slopes).at(h).mul(q.sub(k).abs().toFloat())),
);
const softCap = scoreMod((score) => score.div(30).tanh().mul(30));

const loss = () =>
  attention(q!, k!, v!, {
    mask: masks.and(masks.causal, masks.padding(lengths)),
    mods: [nearby, softCap],
  })
    .square()
    .mean()
    .asScalar();
const { grads } = tf.variableGrads(loss, [slopes]);
console.log(grads[slopes.name]!.shape); // [ 4 ]
