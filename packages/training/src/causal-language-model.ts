import { checkShape, type ForwardContext, InputError, type LanguageModel } from '@headwise/core';
import { isTapped } from '@headwise/core/internal';
import { checkIdValues, headLoss, headMatrix, vocabularyOf } from '@headwise/kernels/internal';
import { withBalance } from '@headwise/models/internal';
import * as tf from '@tensorflow/tfjs';
import {
  countCorrect,
  countTargets,
  ignoredTarget,
  type LossOptions,
  meanCrossEntropy,
} from './cross-entropy.js';
import type { ExampleBatch, Objective, TensorLoss } from './objective.js';
import { batchLoss, ownLoss } from './tensor-loss.js';

/** What a causal language model sees and what it should say next, row-major `[B, T]`. */
export interface TokenBatch extends ExampleBatch {
  readonly inputs: Int32Array;
  /** `ignoredTarget` where nothing is to be predicted. */
  readonly targets: Int32Array;
  /** The document of each input, where rows hold several, as `packedRows` of `@headwise/data` makes them; default one a row. */
  readonly documents?: Int32Array | undefined;
  readonly shape: readonly [batch: number, tokens: number];
}

/**
 * Predicts each token from the tokens before it, of its own document where rows hold several.
 *
 * @see Radford et al. 2018, Improving Language Understanding by Generative Pre-Training,
 * https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf
 */
export function causalLanguageModel(
  network: LanguageModel,
  options: LossOptions = {},
): Objective<TokenBatch> {
  const tensorLoss = nextTokenLoss(network, options);
  return {
    name: 'causal language modeling',
    predicted: ({ targets }) => countTargets(targets),
    loss: batchLoss(tensorLoss),
    tensorLoss,
    correct: (batch) => correctTokens(network, batch),
  };
}

/**
 * The mean negative log-likelihood of the next token, in nats per token.
 *
 * Where the model's head is one matrix, the logits exist only a few rows at a time.
 *
 * @returns a scalar
 * @throws InputError where every target is ignored, and naming the first id or target outside the vocabulary, its
 * position and `V`
 */
export function languageModelLoss(
  network: LanguageModel,
  batch: TokenBatch,
  ctx?: ForwardContext,
  options: LossOptions = {},
): tf.Scalar {
  return batchLoss(nextTokenLoss(network, options))(batch, ctx);
}

function nextTokenLoss(network: LanguageModel, options: LossOptions): TensorLoss<TokenBatch> {
  const { vocabSize } = network;
  const all = { ...options, ignoreIndex: ignoredTarget };
  return ownLoss(
    {
      arrays({ inputs, targets, documents, shape }) {
        if (countTargets(targets) === 0) {
          throw new InputError('languageModelLoss: every target is ignored');
        }
        checkIdValues(targets, vocabularyOf(vocabSize, 'target', ignoredTarget), shape);
        if (documents) {
          checkShape('languageModelLoss: documents', [documents.length], [inputs.length]);
        }
        return {
          inputs: { values: inputs, shape },
          targets: { values: targets, shape: [targets.length] },
          ...(documents && { documents: { values: documents, shape } }),
        };
      },
      loss({ inputs, targets, documents }, given) {
        const ids = inputs as tf.Tensor2D;
        const labels = targets as tf.Tensor1D;
        return withBalance(network, documents ? { ...given, documents } : given, (ctx) => {
          const { head } = network;
          // A tap may want to see the logits, which otherwise never exist all at once.
          const matrix = headMatrix(head);
          if (head && matrix && !isTapped(ctx, '', 'logits')) {
            const hidden = head.hidden(ids, ctx).reshape<tf.Tensor2D>([labels.size, -1]);
            return headLoss(hidden, matrix, labels, all);
          }
          return meanCrossEntropy(network.forward(ids, ctx), labels, all);
        });
      },
    },
    network,
  );
}

/** How many targets a model finds likeliest; the scores of one row exist at once. */
function correctTokens(
  network: LanguageModel,
  { inputs, targets, documents, shape: [rows, length] }: TokenBatch,
): tf.Scalar {
  const row = (values: Int32Array, n: number) =>
    tf.tensor2d(values.subarray(n * length, (n + 1) * length), [1, length], 'int32');
  return tf.tidy(() => {
    const counts = Array.from({ length: rows }, (_, n) =>
      tf.tidy(() => {
        const ctx = documents && { documents: row(documents, n) };
        return countCorrect(network.forward(row(inputs, n), ctx), row(targets, n));
      }),
    );
    return tf.addN(counts) as tf.Scalar;
  });
}
