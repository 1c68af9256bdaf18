import type { ForwardContext, LanguageModel } from '@headwise/core';
import { stopGradient } from '@headwise/core/internal';
import { routeTokens, softmax } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

/**
 * How unevenly routers use their experts: `E Σ_e f_e p_e`, where f is the share of tokens, of all layers, that expert e is chosen for, and
 * p the mean probability that it is given. `k` where all are used alike; its gradient evens them out.
 *
 * @param scores `[N, E]` of each layer
 * @param active k
 * @param attentionMask `[B, T]`, int32, of the same N tokens: padding counts for nothing; default all count
 * @see Fedus et al. 2021, https://arxiv.org/abs/2101.03961
 */
export function expertBalance(
  scores: readonly tf.Tensor2D[],
  active: number,
  attentionMask?: tf.Tensor,
): tf.Scalar {
  return tf.tidy(() => {
    const [tokens, experts] = scores[0]!.shape;
    const counted = (attentionMask ?? tf.ones([tokens]))
      .reshape<tf.Tensor2D>([tokens, 1])
      .toFloat();
    const all = counted.sum().mul(scores.length);
    const sums = scores.map((layer) => {
      const used = stopGradient(() => {
        const { choices } = routeTokens(layer, active);
        const pairs = tf.oneHot(choices.flatten<tf.Tensor1D>(), experts).toFloat(); // [R, E]
        return pairs.mul(counted.tile([1, active]).reshape([-1, 1])).sum(0);
      });
      return { used, likely: softmax(layer).mul(counted).sum(0) };
    });
    const share = (of: 'used' | 'likely') => tf.addN(sums.map((layer) => layer[of])).div(all);
    return share('used').mul(share('likely')).sum().mul(experts) as tf.Scalar;
  });
}

/**
 * A loss and, of a mixture of experts whose configuration says so, the balance of its experts times its factor.
 *
 * @param loss calls the model with the context that it is given
 * @param attentionMask as of {@link expertBalance}
 */
export function withBalance(
  { routing }: Pick<LanguageModel, 'routing'>,
  ctx: ForwardContext | undefined,
  loss: (ctx: ForwardContext | undefined) => tf.Scalar,
  attentionMask?: tf.Tensor,
): tf.Scalar {
  if (!routing) return loss(ctx);
  const seen: tf.Tensor2D[] = [];
  try {
    return tf.tidy(() => {
      const value = loss({
        ...ctx,
        onRouting(path, scores) {
          // It is seen inside of tidies, whose end it has to outlive.
          seen.push(tf.keep(scores.clone()));
          ctx?.onRouting?.(path, scores);
        },
      });
      const balance = expertBalance(seen, routing.active, attentionMask);
      return value.add(balance.mul(routing.balance)) as tf.Scalar;
    });
  } finally {
    tf.dispose(seen);
  }
}
