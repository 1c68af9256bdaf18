import { isEncoderDecoder } from '@headwise/core';
import { paddedRows } from '@headwise/core/internal';
import { KeyValueCache } from '@headwise/decoding';
import { headMatrix, headScores, rowsAtATime } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { encodedPrompts, type Generator as Scorer } from './batch-scores.js';

/** A sequence whose tokens are scored. */
export interface ScoredSequence {
  /** What an encoder reads; ignored by a decoder alone. */
  readonly prompt: readonly number[];
  /** What the decoder reads. */
  readonly inputs: readonly number[];
  /** The first place whose scores are wanted: those of the token after it. */
  readonly from: number;
}

/** A place in one of several sequences. */
export interface Place {
  readonly sequence: number;
  readonly place: number;
}

/**
 * A model's scores of the token after every wanted place, in pieces of a few megabytes.
 *
 * A head that is one matrix is multiplied with the hidden states of these places alone. Other models run piece by piece over a
 * cache of keys and values. Padding stands behind shorter sequences, where no token sees it.
 *
 * @returns `[n, V]` and the place of each row; the tensor is disposed when the next one is asked for
 */
export function* scoresOfPlaces(
  network: Scorer,
  sequences: readonly ScoredSequence[],
): Generator<{ scores: tf.Tensor2D; places: readonly Place[] }> {
  const most = rowsAtATime(network.vocabSize);
  const wanted = sequences.flatMap(({ inputs, from }, sequence) =>
    Array.from({ length: inputs.length - from }, (_, i) => ({ sequence, place: from + i })),
  );
  const decoder = isEncoderDecoder(network) ? undefined : network;
  const head = decoder?.head;
  const matrix = headMatrix(head);
  const inputs = tf.tidy(() => paddedRows(sequences.map(({ inputs }) => inputs)).ids);
  if (!head || !matrix) {
    yield* scoresInPieces(network, sequences, { inputs, wanted, most });
    return;
  }
  const [count, length] = inputs.shape;
  const hidden = tf.tidy(() => {
    const states = head.hidden(inputs); // [N, T, D]
    return states.reshape<tf.Tensor2D>([count * length, states.shape[2]!]);
  });
  try {
    for (let at = 0; at < wanted.length; at += most) {
      const places = wanted.slice(at, at + most);
      const scores = tf.tidy(() => headScores(rowsAt(hidden, places, length), matrix));
      yield* once(scores, places);
    }
  } finally {
    tf.dispose([inputs, hidden]);
  }
}

interface Wanted {
  /** `[N, T]`, disposed here */
  readonly inputs: tf.Tensor2D;
  readonly wanted: readonly Place[];
  /** Rows of scores at one time. */
  readonly most: number;
}

/** Scores of a model that gives them for all its tokens: some places of every sequence at a time. */
function* scoresInPieces(
  network: Scorer,
  sequences: readonly ScoredSequence[],
  { inputs, wanted, most }: Wanted,
): Generator<{ scores: tf.Tensor2D; places: readonly Place[] }> {
  const [count, length] = inputs.shape;
  const cache = new KeyValueCache();
  const encoded = isEncoderDecoder(network)
    ? encodedPrompts(
        network,
        sequences.map(({ prompt }) => prompt),
      )
    : undefined;
  try {
    const piece = Math.max(1, Math.floor(most / count));
    for (let first = 0; first < length; first += piece) {
      const size = Math.min(piece, length - first);
      const places = wanted.filter(({ place }) => place >= first && place < first + size);
      const scores = tf.tidy(() => {
        const ids = inputs.slice([0, first], [count, size]);
        const all =
          encoded && isEncoderDecoder(network)
            ? network.decode(ids, encoded, { cache })
            : (network as Exclude<Scorer, { decode: unknown }>).forward(ids, { cache });
        const rows = all.reshape<tf.Tensor2D>([count * size, network.vocabSize]);
        const within = places.map(({ sequence, place }) => ({ sequence, place: place - first }));
        return places.length > 0 ? rowsAt(rows, within, size) : undefined;
      });
      if (scores) yield* once(scores, places);
    }
  } finally {
    cache.dispose();
    inputs.dispose();
    if (encoded) tf.dispose([encoded.states, encoded.attentionMask!]);
  }
}

/** The rows of some places: `[N T, D] → [n, D]`. */
function rowsAt(x: tf.Tensor2D, places: readonly Place[], length: number): tf.Tensor2D {
  const rows = places.map(({ sequence, place }) => sequence * length + place);
  return tf.gather(x, tf.tensor1d(rows, 'int32'));
}

function* once(scores: tf.Tensor2D, places: readonly Place[]) {
  try {
    yield { scores, places };
  } finally {
    scores.dispose();
  }
}
