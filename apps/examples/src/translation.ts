import { KeyValueCache } from '@headwise/decoding';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { AdamW, clipping, encoderDecoderLoss, lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';

await start();
// The Transformer of 2017, a small one: 0 pads, starts and ends a sequence.
const { network, params } = createModel(
  {
    model_type: 'marian',
    activation_function: 'relu',
    scale_embedding: true,
    position_layout: 'interleaved',
    vocab_size: 9,
    d_model: 16,
    encoder_layers: 1,
    decoder_layers: 1,
    encoder_attention_heads: 2,
    decoder_attention_heads: 2,
    encoder_ffn_dim: 32,
    decoder_ffn_dim: 32,
    max_position_embeddings: 8,
    dropout: 0,
    pad_token_id: 0,
    decoder_start_token_id: 0,
  },
  { seed: 1 },
);
const words = ['.', 'der', 'weiße', 'Wal', 'taucht', 'the', 'white', 'whale', 'dives'];
const batch = {
  sources: Int32Array.from([1, 2, 3, 4, 1, 3, 4, 0]),
  sourceMask: Int32Array.from([1, 1, 1, 1, 1, 1, 1, 0]),
  targets: Int32Array.from([5, 6, 7, 8, 0, 5, 7, 8, 0, -100]),
  shape: [2, 4, 5] as const,
};
const optimizer = new AdamW(params.named());
for (let step = 0; step < 40; step++) {
  const { loss, gradients } = lossAndGradients(params.named(), () =>
    encoderDecoderLoss(network, batch, { training: true }, { labelSmoothing: 0.1 }),
  );
  const { norm, scale } = clipping(gradients, 1);
  optimizer.update(gradients, 0.02, scale);
  tf.dispose([loss, norm, scale, gradients]);
}

// The source is read once; then each word is one step of the decoder.
const encoded = network.encode(tf.tensor2d([[1, 3, 4]], [1, 3], 'int32'));
const cache = new KeyValueCache();
const written: string[] = [];
for (let id = network.startId; written.length < 5; ) {
  const logits = network.decode(tf.tensor2d([[id]], [1, 1], 'int32'), encoded, { cache });
  [id = 0] = await logits.argMax(-1).data();
  if (id === 0) break;
  written.push(words[id]!);
}
cache.dispose();
console.log(written.join(' ')); // the whale dives
