import { start } from '@headwise/kernels';
import { createModel, sentenceEmbeddings } from '@headwise/models';
import { AdamW, clipping, lossAndGradients, meanCrossEntropy } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';

await start();
const sizes = {
  vocab_size: 9,
  hidden_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 8,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
};

// Fill the mask: a BERT learns one sentence with one word masked.
const words = ['[PAD]', '[MASK]', 'the', 'white', 'whale', 'swims', 'in', 'cold', 'water'];
const sentence = [2, 3, 4, 5, 6, 7, 8];
const rows = sentence.map((_, hidden) => sentence.map((id, i) => (i === hidden ? 1 : id)));
const labels = sentence.map((_, hidden) => sentence.map((id, i) => (i === hidden ? id : -100)));
const { network, params } = createModel(
  { model_type: 'bert', architectures: ['BertForMaskedLM'], ...sizes },
  { seed: 1 },
);
const [masked, targets] = [
  tf.tensor2d(rows, [7, 7], 'int32'),
  tf.tensor2d(labels, [7, 7], 'int32'),
];
const optimizer = new AdamW(params.named());
for (let step = 0; step < 40; step++) {
  const { loss, gradients } = lossAndGradients(params.named(), () =>
    meanCrossEntropy(network.forward(masked, { training: true }).logits!, targets),
  );
  const { norm, scale } = clipping(gradients, 1);
  optimizer.update(gradients, 0.03, scale);
  tf.dispose([loss, norm, scale, gradients]);
}
const { logits } = network.forward(tf.tensor2d([[2, 3, 1, 5, 6, 7, 8]], [1, 7], 'int32'));
const best = await logits!.argMax(-1).data(); // [1, 7]
console.log(words[best[2]!]); // whale

// Compare sentences: with all-MiniLM-L6-v2 loaded from its folder, these are its embeddings.
const encoder = createModel({ model_type: 'bert', ...sizes }, { seed: 2 });
const ids = tf.tensor2d([2, 3, 4, 0, 0, 2, 3, 4, 5, 6], [2, 5], 'int32');
const attentionMask = tf.tensor2d([1, 1, 1, 0, 0, 1, 1, 1, 1, 1], [2, 5], 'int32');
const vectors = sentenceEmbeddings(encoder.network, ids, { attentionMask });
const similarity = tf.matMul(vectors, vectors, false, true);
console.log(vectors.shape, similarity.shape); // [ 2, 16 ] [ 2, 2 ]
