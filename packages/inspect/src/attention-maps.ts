import { InputError, readTensor } from '@headwise/core';
import type { MapPart } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { capture } from './capture.js';
import type { NamedInterventions } from './intervene.js';
import type { Watchable } from './watchable.js';

/** Attention weights of one layer for one sequence. */
export interface AttentionMap {
  /** The layer's path: `blocks.0.attn`. */
  readonly layer: string;
  /** Which heads these are, in order. */
  readonly heads: readonly number[];
  /** Which queries these are, in order. */
  readonly rows: readonly number[];
  /** `Tk` */
  readonly keys: number;
  /** `[heads, rows, Tk]`; each row sums to 1. */
  readonly values: Float32Array;
}

export interface AttentionMapOptions extends MapPart {
  /** Paths of attention layers; `*` stands for one part between dots, `**` for any number; default all. */
  layers?: string | readonly string[] | undefined;
  /** Which sequence of the batch; default 0. */
  sequence?: number | undefined;
  /** What to replace while the model runs. */
  interventions?: NamedInterventions | undefined;
}

/**
 * The attention maps of a model on an input; only the rows and heads asked for are computed.
 *
 * The model runs on its fused path; a layer's rows are recomputed beside it.
 *
 * @param input e.g. ids `[B, T]`
 * @throws InputError for layers, heads, rows or a sequence that do not exist
 * @example
 * const [map] = await attentionMaps(network, ids, { layers: 'blocks.3.attn', heads: [1], rows: [7] });
 * map.values; // [1, 1, T]
 */
export async function attentionMaps(
  model: Watchable<unknown>,
  input: tf.Tensor,
  { layers = '**', sequence = 0, heads, rows, interventions }: AttentionMapOptions = {},
): Promise<AttentionMap[]> {
  const paths = typeof layers === 'string' ? [layers] : layers;
  const names = paths.map((path) => (path === '' ? 'pattern' : `${path}.pattern`));
  const captured = capture(model, input, names, { part: { heads, rows }, interventions });
  try {
    return await Promise.all(
      captured.names.map(async (name): Promise<AttentionMap> => {
        const pattern = captured.get(name);
        const [batch, headCount, rowCount, keys] = pattern.shape as [
          number,
          number,
          number,
          number,
        ];
        if (!(Number.isInteger(sequence) && sequence >= 0 && sequence < batch)) {
          throw new InputError(`sequence ${sequence} does not exist; expected 0 to ${batch - 1}`);
        }
        const size = headCount * rowCount * keys;
        const values = (await readTensor(pattern)) as Float32Array;
        return {
          layer: name.replace(/\.?pattern$/, ''),
          heads: heads ?? indices(headCount),
          rows: rows ?? indices(rowCount),
          keys,
          values: values.slice(sequence * size, (sequence + 1) * size),
        };
      }),
    );
  } finally {
    captured.dispose();
  }
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
