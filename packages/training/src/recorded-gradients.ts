import { DeviceLostError, type ForwardContext, InputError } from '@headwise/core';
import { overwriteTensor, type Recording, recordStep } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { type BatchGradients, lossAndGradients, type Weights, weighted } from './gradients.js';
import type { BatchArrays, ExampleBatch, Objective, TensorLoss } from './objective.js';
import { formOf, isOwnLoss, tensorsOf } from './tensor-loss.js';

type Made = ReturnType<typeof lossAndGradients>;

/** A recorded step of batches of one form. */
interface Recorded {
  recording: Recording<Made>;
  /** What it reads of a batch, by name. */
  tensors: Record<string, tf.Tensor>;
  weights: Record<keyof Weights, tf.Scalar>;
  /** Replays since it was made. */
  replays: number;
  /** How many may be made before it is recorded again and compared; 0 until two recordings in a row were the same. */
  interval: number;
}

export interface RecordedOptions extends Pick<ForwardContext, 'checkpoint' | 'precision'> {
  /** Records losses from elsewhere than this package, too. Default false. */
  custom?: boolean | undefined;
}

/** Recordings that are held at once, each with the constants of its step. */
const mostRecordings = 4;
/** Batches in a row that are recorded, and none replayed, until nothing is recorded any more. */
const mostMisses = 16;
/** Replays between two comparisons of a step with its recording: twice as many each time. */
const intervals = { first: 8, longest: 64 };

/**
 * The gradients of batches on WebGPU, by recorded steps that are replayed.
 *
 * The batches of each form, that is of the same shapes, are recorded until two in a row make the same recording; from then on they are
 * replayed. Now and then a step is recorded anew and compared, as a number that JavaScript changed is as it was in a replay.
 */
export class RecordedGradients<B extends ExampleBatch> implements BatchGradients<B> {
  readonly #params: Readonly<Record<string, tf.Variable>>;
  readonly #name: string;
  readonly #loss: TensorLoss<B> | undefined;
  readonly #ctx: ForwardContext;
  /** By form, the one used last at the end. */
  readonly #recorded = new Map<string, Recorded>();
  #misses = 0;
  /** Why nothing is recorded any more. */
  #refusal: string | undefined;
  #reason: string | undefined;

  /** @param params the parameters to have gradients of, by path */
  constructor(
    params: Readonly<Record<string, tf.Variable>>,
    { name, tensorLoss, terms }: Objective<B>,
    { checkpoint, precision, custom = false }: RecordedOptions = {},
  ) {
    this.#params = params;
    this.#name = name;
    this.#loss = tensorLoss;
    // Without a generator: a step that draws random numbers refuses to be recorded.
    this.#ctx = { training: true, checkpoint, precision };
    if (!tensorLoss) this.#refusal = `the objective '${name}' has no tensorLoss`;
    else if (terms)
      this.#refusal = `the objective '${name}' has terms, which are weighted each by its own count`;
    else if (!custom && !isOwnLoss(tensorLoss))
      this.#refusal = `the objective '${name}' has a tensorLoss of its own; pass record: true where its numbers stay as they are or are arrays of it`;
  }

  /** Why the last batch was not recorded; undefined where it was. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /**
   * The loss and the gradients of a batch; undefined where it cannot be recorded.
   *
   * @throws InputError for a batch as `TensorLoss.arrays` does, and where a step computes something else than those before it,
   * which were replayed; DeviceLostError
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
    const before = this.#recorded.get(form);
    const canReplay = before && before.replays < before.interval && !before.recording.stale;
    if (canReplay) replay(before, arrays, weights);
    // The one used last is the last to go.
    this.#recorded.delete(form);
    const recorded = canReplay ? before : this.#record(this.#loss, arrays, weights, before);
    if (!recorded) return undefined;
    this.#recorded.set(form, recorded);
    this.#dropOldest();
    const outputs = outputsOf(recorded, lasting);
    this.#misses = canReplay || before?.replays ? 0 : this.#misses + 1;
    if (this.#misses >= mostMisses) {
      this.dispose();
      this.#refusal = `of ${mostMisses} batches none had the shapes and the numbers of one before`;
    }
    return outputs;
  }

  /** Frees the recordings, and the memory that they hold. */
  dispose(): void {
    for (const recorded of this.#recorded.values()) free(recorded);
    this.#recorded.clear();
  }

  /** Records a batch in the place of one before, of the same form. */
  #record(
    loss: TensorLoss<B>,
    arrays: BatchArrays,
    weights: Weights,
    before: Recorded | undefined,
  ): Recorded | undefined {
    // What it read was moved or replaced: a comparison says nothing of the replays.
    const isCompared = before && before.replays > 0 && !before.recording.stale;
    if (before) free(before);
    const made = this.#recordingOf(loss, arrays, weights);
    if (made && made.recording.trace === before?.recording.trace) {
      made.interval = Math.min(intervals.longest, 2 * before.interval || intervals.first);
    } else if (made && isCompared) {
      free(made);
      throw new InputError(
        `train: the step of '${this.#name}' takes other numbers from JavaScript than before, while it was replayed ${before.replays} times; give numbers that change as arrays of tensorLoss, or train with record: false`,
      );
    }
    return made;
  }

  #recordingOf(
    loss: TensorLoss<B>,
    arrays: BatchArrays,
    { share, slope }: Weights,
  ): Recorded | undefined {
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
      return { recording, tensors, weights, replays: 0, interval: 0 };
    } catch (error) {
      tf.dispose([tensors, weights]);
      if (error instanceof DeviceLostError) throw error;
      // Where the batch is to blame, its operations throw the same again.
      this.#reason = this.#refusal = (error as Error).message;
      return undefined;
    }
  }

  #dropOldest(): void {
    for (const [form, recorded] of this.#recorded) {
      if (this.#recorded.size <= mostRecordings) return;
      this.#recorded.delete(form);
      free(recorded);
    }
  }
}

function free({ recording, tensors, weights }: Recorded): void {
  recording.dispose();
  tf.dispose([tensors, weights]);
}

/** Writes a batch into the tensors of a recorded step, and submits it. */
function replay(recorded: Recorded, arrays: BatchArrays, of: Weights): void {
  const { recording, tensors, weights } = recorded;
  for (const [name, tensor] of Object.entries(tensors)) {
    overwriteTensor(tensor, arrays[name]!.values);
  }
  overwriteTensor(weights.share, Float32Array.of(of.share));
  overwriteTensor(weights.slope, Float32Array.of(of.slope));
  recording.replay();
  recorded.replays++;
}

/**
 * What the step returned, for the caller to dispose; the recording lends it.
 *
 * @param lasting copies it, so that the step can be replayed while the caller reads it
 */
function outputsOf({ recording }: Recorded, lasting: boolean): Made {
  const { loss, gradients } = recording.outputs;
  const own = <T extends tf.Tensor>(tensor: T): T => (lasting ? tensor.mul(1) : tensor.clone());
  const made = tf.tidy(() => ({
    loss: own(loss),
    gradients: Object.fromEntries(
      Object.entries(gradients).map(([path, gradient]) => [path, own(gradient)]),
    ),
  }));
  recording.lendOutputs();
  return made;
}
