import {
  attentionMaps,
  attentionRollout,
  capture,
  headScores,
  intervene,
  logitLens,
  neurons,
  onHeads,
  zeroAblation,
} from '@headwise/inspect';
import { headView, modelView, TiledMap } from '@headwise/inspect/figures';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';

await start();
const sizes = { vocab_size: 50, n_positions: 16, n_embd: 16, n_layer: 2, n_head: 4 };
const { network } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
const words = ['the', 'whale', 'saw', 'the', 'whale'];
const tokens = [3, 14, 15, 3, 14];
const ids = tf.tensor2d([tokens], [1, 5], 'int32');

const captured = capture(network, ids, ['blocks.*.attn.pattern', 'embedded']);
console.log(captured.names); // [ 'embedded', 'blocks.0.attn.pattern', 'blocks.1.attn.pattern' ]
console.log(captured.get('blocks.1.attn.pattern').shape); // [ 1, 4, 5, 5 ]

const without = intervene(network, ids, { 'blocks.1.attn.heads': onHeads([3], zeroAblation) });
const change = await without.sub(captured.output).abs().max().data();
console.log(change[0]! > 0); // true
captured.dispose();

const [row] = await attentionMaps(network, ids, { layers: 'blocks.0.attn', heads: [2], rows: [4] });
console.log(row!.values.length, row!.values.reduce((a, b) => a + b).toFixed(3)); // 5 1.000

const maps = await attentionMaps(network, ids); // all layers, heads and rows
const scores = headScores(maps, tokens);
console.log(scores.length, Object.keys(scores[0]!).slice(2).join(' ')); // 8 entropy distance previousToken induction
console.log(attentionRollout(maps).length); // 25
const lens = await logitLens(network, ids, { top: 3 });
console.log(lens.map(({ name }) => name).join(' ')); // embedded blocks.0.resid blocks.1.resid
const { products } = await neurons(network, ids, { layer: 'blocks.0.attn', head: 2, row: 4 });
console.log(products.length); // 20

const picture = modelView(maps) + headView(maps[0]!, { tokens: words });
console.log(picture.match(/<svg/g)!.length); // 2
const big = new TiledMap({ values: new Float32Array(2048 * 2048), rows: 2048, keys: 2048 });
console.log(big.levels, big.tile(0, { column: 7, row: 0 }).rgba.length); // 4 262144
