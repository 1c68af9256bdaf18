import * as tf from '@tensorflow/tfjs';

/** `2 √(2/π)`: twice the slope of the approximation's tanh, as `½ (1 + tanh z) = σ(2z)`. */
const slope = 2 * Math.sqrt(2 / Math.PI);
const cubic = slope * 0.044715;

/**
 * GELU by its tanh approximation (GPT-2's `gelu_new`), with a gradient in few operations.
 *
 * `y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`
 *
 * @param x any shape
 * @see Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415
 */
export const geluTanh = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((input, save) => {
    const x = input as tf.Tensor;
    const gate = tf.tidy(() => x.square().mul(cubic).add(slope).mul(x).sigmoid());
    (save as tf.GradSaveFunc)([x, gate]);
    return {
      value: x.mul(gate),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, gate] = saved as [tf.Tensor, tf.Tensor];
        // y = x σ(u), u = slope x + cubic x³: y' = σ (1 + (1 − σ) x u')
        return tf.tidy(() => {
          const xTimesSlope = x
            .square()
            .mul(3 * cubic)
            .add(slope)
            .mul(x);
          return tf.scalar(1).sub(gate).mul(xTimesSlope).add(1).mul(gate).mul(dy);
        });
      },
    };
  })(x);

/**
 * GELU by the error function (BERT's `gelu`), with a gradient in few operations.
 *
 * `y = x Φ(x) = ½ x (1 + erf(x / √2))`
 *
 * @param x any shape
 * @see Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415
 */
export const gelu = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((input, save) => {
    const x = input as tf.Tensor;
    const phi = tf.tidy(() => x.mul(Math.SQRT1_2).erf().add(1).mul(0.5));
    (save as tf.GradSaveFunc)([x, phi]);
    return {
      value: x.mul(phi),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, phi] = saved as [tf.Tensor, tf.Tensor];
        return tf.tidy(() => {
          const density = x
            .square()
            .mul(-0.5)
            .exp()
            .mul(1 / Math.sqrt(2 * Math.PI));
          return density.mul(x).add(phi).mul(dy);
        });
      },
    };
  })(x);
