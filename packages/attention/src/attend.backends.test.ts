import type { MapPart } from '@headwise/core/internal';
import { masks } from '@headwise/kernels';
import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attend } from './attend.js';
import golden from './goldens/attention.json' with { type: 'json' };

describeBackends('attend', () => {
  for (const c of golden.cases) {
    const name = `${c.causal ? 'causal' : 'plain'} [${c.q.shape}] over [${c.k.shape}]`;
    test(`${name} gives PyTorch's output and every gradient`, async () => {
      const inputs = [c.q, c.k, c.v].map(({ shape, data }) => tf.tensor(data, shape));
      const run = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
        attend(q, k, v, { mask: c.causal ? masks.causal : masks.none });
      await expectClose(run(inputs[0]!, inputs[1]!, inputs[2]!), c.y);
      const gradients = tf.grads((q, k, v) => run(q!, k!, v!))(inputs, tf.tensor(c.dy, c.q.shape));
      for (const [i, expected] of [c.dq, c.dk, c.dv].entries()) {
        await expectClose(gradients[i]!, expected);
      }
    });
  }

  test('weights sum to 1, and those of later tokens are 0', async () => {
    const q = gaussian([1, 2, 3, 5], 1);
    const k = gaussian([1, 2, 7, 5], 2);
    let pattern: tf.Tensor | undefined;
    attend(q, k, k, {
      mask: masks.causal,
      path: 'a',
      ctx: {
        tap: (name, value) => {
          if (name === 'a.pattern') pattern = tf.keep(value.clone());
        },
      },
    });
    await expectClose(pattern!.sum(-1), Array(6).fill(1));
    const rows = (await pattern!.array()) as number[][][][];
    for (const head of rows[0]!) {
      for (const [i, row] of head.entries()) {
        expect(row.map((w) => w > 0)).toEqual(row.map((_, j) => j <= i + 4));
      }
    }
  });

  test('a tap may replace the pattern', async () => {
    const v = gaussian([1, 1, 3, 5], 3);
    const last = tf.tensor4d([0, 0, 1, 0, 0, 1, 0, 0, 1], [1, 1, 3, 3]);
    const y = attend(v, v, v, {
      ctx: { tap: (name) => (name === 'pattern' ? last : undefined) },
    });
    const lastValue = [...(await v.slice([0, 0, 2, 0]).data())];
    await expectClose(y, [...lastValue, ...lastValue, ...lastValue]);
  });

  for (const mask of [masks.none, masks.causal]) {
    test(`a probe gives the rows of the map that are asked for, mask ${mask.name}`, async () => {
      const [q, k] = [gaussian([2, 6, 5, 3], 1), gaussian([2, 2, 7, 3], 2)];
      const both = masks.and(mask, masks.padding(tf.tensor1d([7, 4], 'int32')));
      const whole: Record<string, tf.Tensor> = {};
      attend(q, k, k, {
        mask: both,
        ctx: {
          tap: (name, value) => {
            whole[name] = tf.keep(value.clone());
          },
        },
      });
      const part = { heads: [4, 1], rows: [3, 0, 4] };
      const asked: Record<string, tf.Tensor> = {};
      attend(q, k, k, {
        mask: both,
        path: 'a',
        ctx: {
          onAttention: (path, probe) => {
            expect([path, probe.shape]).toEqual(['a', [2, 6, 5, 7]]);
            for (const name of ['scores', 'pattern'] as const) {
              asked[name] = probe[name](part);
              asked[`whole ${name}`] = probe[name]();
            }
          },
        },
      });
      for (const name of ['scores', 'pattern']) {
        const rows = whole[name]!.gather(tf.tensor1d(part.heads, 'int32'), 1);
        await expectClose(asked[name]!, rows.gather(tf.tensor1d(part.rows, 'int32'), 2));
        await expectClose(asked[`whole ${name}`]!, whole[name]!);
      }
    });
  }

  test('a probe names heads and rows that do not exist', () => {
    const q = tf.zeros([1, 2, 3, 5]);
    const ask = (part: MapPart) => () =>
      attend(q, q, q, { ctx: { onAttention: (_, probe) => void probe.pattern(part) } });
    expect(ask({ heads: [2] })).toThrow('attention map: head 2 does not exist; expected 0 to 1');
    expect(ask({ rows: [0, -1] })).toThrow('attention map: row -1 does not exist; expected 0 to 2');
    expect(ask({ rows: [] })).toThrow('attention map: no row is asked for');
  });

  test('shapes that do not fit are named', () => {
    const q = tf.zeros([1, 2, 3, 5]);
    expect(() => attend(q, tf.zeros([1, 2, 3, 7]), q)).toThrow(
      'attend: k has shape [1, 2, 3, 7]; expected [1, Hkv, Tk, 5]',
    );
    expect(() => attend(q, q, tf.zeros([1, 2, 4, 5]))).toThrow(
      'attend: v has shape [1, 2, 4, 5]; expected [1, 2, 3, Dv]',
    );
  });
});
