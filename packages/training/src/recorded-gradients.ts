import { DeviceLostError, type ForwardContext } from '@headwise/core';
import { overwriteTensor, type Recording, recordStep } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { type BatchGradients, lossAndGradients, type Weights, weighted } from './gradients.js';
import type { BatchArrays, ExampleBatch, Objective, TensorLoss } from './objective.js';
import { formOf, tensorsOf } from './tensor-loss.js';

type Made = ReturnType<typeof lossAndGradients>;

/** A recorded step of batches of one form. */
interface Recorded {
  form: string;
  recording: Recording<Made>;
  /** What it reads of a batch, by name. */
  tensors: Record<string, tf.Tensor>;
  weights: Record<keyof Weights, tf.Scalar>;
  /** Whether the batch before made the same recording, so that this one can be replayed for others. */
  isConfirmed: boolean;
}

/**
 * The gradients of batches on WebGPU, by a recorded step that is replayed.
 *
 * Each batch is recorded until two in a row, of one form, make the same recording; from then on it is replayed. A batch of another form begins anew.
 * One recording is held at a time, with the memory of its step, until `dispose`.
 */
export class RecordedGradients<B extends ExampleBatch> implements BatchGradients<B> {
  readonly #params: Readonly<Record<string, tf.Variable>>;
  readonly #loss: TensorLoss<B> | undefined;
  readonly #ctx: ForwardContext;
  #recorded: Recorded | undefined;
  /** Why nothing is recorded any more. */
  #refusal: string | undefined;
  #reason: string | undefined;

  /** @param params the parameters to have gradients of, by path */
  constructor(
    params: Readonly<Record<string, tf.Variable>>,
    { name, tensorLoss, terms }: Objective<B>,
    { checkpoint, precision }: Pick<ForwardContext, 'checkpoint' | 'precision'> = {},
  ) {
    this.#params = params;
    this.#loss = tensorLoss;
    // Without a generator: a step that draws random numbers refuses to be recorded.
    this.#ctx = { training: true, checkpoint, precision };
    if (!tensorLoss) this.#refusal = `the objective '${name}' has no tensorLoss`;
    else if (terms)
      this.#refusal = `the objective '${name}' has terms, which are weighted each by its own count`;
  }

  /** Why the last batch was not recorded; undefined where it was. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /**
   * The loss and the gradients of a batch; undefined where it cannot be recorded.
   *
   * @throws InputError for a batch as `TensorLoss.arrays` does; DeviceLostError
   */
  of(batch: B, weights: Weights, lasting: boolean): Made | undefined {
    this.#reason = this.#refusal;
    if (!this.#loss || this.#refusal !== undefined) return undefined;
    const arrays = this.#loss.arrays(batch);
    if (!arrays) {
      this.dispose();
      this.#reason = 'the batch is not read through tensors alone';
      return undefined;
    }
    const form = formOf(arrays);
    const recorded = this.#recorded;
    if (recorded?.isConfirmed && recorded.form === form && !recorded.recording.stale) {
      replay(recorded, arrays, weights);
    } else {
      this.#record(this.#loss, form, arrays, weights);
    }
    if (!this.#recorded) return undefined;
    const { loss, gradients } = this.#recorded.recording.outputs;
    // A product is a copy, which the next replay does not overwrite.
    const own = <T extends tf.Tensor>(tensor: T): T => (lasting ? tensor.mul(1) : tensor.clone());
    return tf.tidy(() => ({
      loss: own(loss),
      gradients: Object.fromEntries(
        Object.entries(gradients).map(([path, gradient]) => [path, own(gradient)]),
      ),
    }));
  }

  /** Frees the recording, and the memory that it holds. */
  dispose(): void {
    if (!this.#recorded) return;
    const { recording, tensors, weights } = this.#recorded;
    recording.dispose();
    tf.dispose([tensors, weights]);
    this.#recorded = undefined;
  }

  /** Records a batch in the place of the one before. */
  #record(loss: TensorLoss<B>, form: string, arrays: BatchArrays, { share, slope }: Weights): void {
    const before = this.#recorded;
    this.dispose();
    const { tensors, weights } = tf.tidy(() => {
      const scalars = { share: tf.scalar(share), slope: tf.scalar(slope) };
      const made = { tensors: tensorsOf(arrays), weights: scalars };
      for (const of of Object.values(made)) for (const tensor of Object.values(of)) tf.keep(tensor);
      return made;
    });
    try {
      const step = () =>
        lossAndGradients(this.#params, () =>
          weighted(loss.loss(tensors, this.#ctx), weights.share, weights.slope),
        );
      const recording = recordStep(step, { changing: Object.values(tensors), lend: true });
      const isConfirmed = before?.form === form && before.recording.trace === recording.trace;
      this.#recorded = { form, recording, tensors, weights, isConfirmed };
    } catch (error) {
      tf.dispose([tensors, weights]);
      if (error instanceof DeviceLostError) throw error;
      // Where the batch is to blame, its operations throw the same again.
      this.#reason = this.#refusal = (error as Error).message;
    }
  }
}

/** Writes a batch into the tensors of a recorded step, and submits it. */
function replay({ recording, tensors, weights }: Recorded, arrays: BatchArrays, of: Weights): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    overwriteTensor(tensor, arrays[name]!.values);
  }
  overwriteTensor(weights.share, Float32Array.of(of.share));
  overwriteTensor(weights.slope, Float32Array.of(of.slope));
  recording.replay();
}
