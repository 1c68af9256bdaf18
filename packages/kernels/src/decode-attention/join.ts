import { rowStart, strideFields } from '../attention/strides.js';
import { perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, type Program, variants } from '../dispatch/program.js';

/**
 * The second pass: brings the parts of a row to one largest score, and divides by the sum of all weights, to which the
 * head's sink adds one.
 */
export const joinProgram: (sinks: boolean) => Program<'parts', 'y', string> = variants(
  String,
  (sinks) =>
    defineProgram({
      label: 'headwise/DecodeAttentionJoin',
      inputs: { parts: 'f32', ...(sinks ? { sinks: 'f32' } : {}) } as Record<'parts', ElementType>,
      outputs: { y: 'f32' },
      params: {
        size: 'u32',
        width: 'u32',
        splits: 'u32',
        queries: 'u32',
        heads: 'u32',
        ...strideFields('y'),
      },
      wgsl: perElement(/* wgsl */ `
          let stride = params.width + 2u;
          let row = i / params.width;
          let head = row / params.queries;
          let first = row * params.splits * stride;
          let end = first + params.splits * stride;
          var largest = ${sinks ? 'sinks[head % params.heads]' : 'parts[first + params.width]'};
          ${sinks ? 'let sink = largest;' : ''}
          for (var n = first; n < end; n += stride) { largest = max(largest, parts[n + params.width]); }
          var sum = 0.0;
          var total = ${sinks ? 'exp(sink - largest)' : '0.0'};
          for (var n = first; n < end; n += stride) {
            let share = exp(parts[n + params.width] - largest);
            total += share * parts[n + params.width + 1u];
            sum += share * parts[n + i % params.width];
          }
          // A row that sees no key has no weights.
          let to = ${rowStart('y', 'head / params.heads', 'head % params.heads', 'row % params.queries')};
          y[to + i % params.width] = select(0.0, sum / total, total > 0.0);
      `),
    }),
);
