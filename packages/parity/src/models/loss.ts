import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from './cross-entropy.js';
import type { Golden, Tensors } from './golden.js';
import { lossOfSegments } from './segments.js';

/** The loss of a class of Hugging Face's models, from outputs by its names. */
export function lossOf({ kind, inputs }: Golden, outputs: Tensors): tf.Scalar {
  const { logits } = outputs as Record<string, tf.Tensor>;
  const { labels } = inputs as Record<string, tf.Tensor>;
  if (kind === 'TransfoXLLMHeadModel') return lossOfSegments(outputs, labels!);
  if (/ForCausalLM$|LMHeadModel$/.test(kind)) {
    const [batch, length, vocabulary] = logits!.shape as [number, number, number];
    const scores = logits!.slice([0, 0, 0], [batch, length - 1, vocabulary]);
    return crossEntropy(scores, labels!.slice([0, 1], [batch, length - 1]));
  }
  const parts = Object.keys(inputs).filter((key) => key.startsWith('cotangent.'));
  if (parts.length > 0) {
    const products = parts.map((key) =>
      outputs[key.slice('cotangent.'.length)]!.mul(inputs[key]!).sum(),
    );
    return tf.addN(products) as tf.Scalar;
  }
  if (kind === 'BertForPreTraining') {
    const { prediction_logits: words, seq_relationship_logits: next } = outputs as Tensors;
    return crossEntropy(words!, labels!).add(crossEntropy(next!, inputs.next_sentence_label!));
  }
  if (kind.endsWith('ForQuestionAnswering')) {
    const { start_logits: start, end_logits: end } = outputs as Tensors;
    const { start_positions: from, end_positions: to } = inputs as Tensors;
    return crossEntropy(start!, from!).add(crossEntropy(end!, to!)).div(2);
  }
  return crossEntropy(logits!, labels!, kind === 'MarianMTModel' ? 0.1 : 0);
}
