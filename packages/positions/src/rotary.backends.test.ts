import { describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import turned from './goldens/rotary.json' with { type: 'json' };
import scaled from './goldens/rotary-scaling.json' with { type: 'json' };
import { RotaryPosition } from './rotary.js';
import { type RotaryScaling, rotaryFrequencies } from './rotary-scaling.js';

for (const c of scaled.cases) {
  const { dim, base, maxLength, length } = c;
  const scaling = c.scaling as RotaryScaling;
  test(`${JSON.stringify(scaling)} for ${length} tokens gives Hugging Face's frequencies`, async () => {
    const ours = rotaryFrequencies({ rotaryDim: dim, base, maxLength }, scaling, length);
    // Theirs are of float32, whose powers of the base are good to about 1e-6.
    for (const [i, frequency] of c.frequencies.entries()) {
      expect(Math.abs(ours.frequencies[i]! / frequency - 1), `${i}`).toBeLessThan(2e-6);
    }
    expect(ours.frequencies.length).toBe(c.frequencies.length);
    expect(ours.attentionFactor).toBeCloseTo(c.attentionFactor, 12);
  });
}

describeBackends('rotary positions', () => {
  for (const c of turned.cases) {
    test(`${c.layout}, ${c.rotaryDim} of ${c.dim} channels, from ${c.start}, as Hugging Face turns them`, async () => {
      const { dim, rotaryDim, base, start } = c;
      const layout = c.layout as 'half-split' | 'interleaved';
      const position = new RotaryPosition({ headDim: dim, rotaryDim, base, layout });
      const q = tf.tensor(c.q, c.shape);
      const k = q.slice([0, 0, 0, 0], [1, 1, 5, dim]);
      const at = { start, keys: start + 5 };
      const placed = position.apply(q, k, at);
      await expectClose(placed.q, c.y, { ratio: 1e-6 });
      const first = tf.tensor(c.y, c.shape).slice([0, 0, 0, 0], [1, 1, 5, dim]);
      await expectClose(placed.k, first, { ratio: 1e-6 });
      const dq = tf.grad((q) => position.apply(q, k, at).q)(q, tf.tensor(c.dy, c.shape));
      await expectClose(dq, c.dq, { ratio: 1e-6 });
    });
  }

  test('scores depend on the distance of the tokens alone, far out too', async () => {
    const position = new RotaryPosition({ headDim: 8 });
    const [q, k] = [gaussian([1, 2, 5, 8], 1), gaussian([1, 1, 5, 8], 2)];
    const scores = (start: number) => {
      const placed = position.apply(q, k, { start, keys: start + 5 });
      return tf.matMul(placed.q, placed.k, false, true);
    };
    await expectClose(scores(4000), scores(0), { ratio: 1e-5 });
  });

  test('sequences of different lengths go on each from its own', async () => {
    const position = new RotaryPosition({ headDim: 4 });
    const x = gaussian([2, 1, 3, 4], 3);
    const both = position.apply(x, x, { start: 9, starts: [9, 2], keys: 12 });
    for (const [b, start] of [9, 2].entries()) {
      const one = x.slice([b, 0, 0, 0], [1, 1, 3, 4]);
      const alone = position.apply(one, one, { start, keys: start + 3 });
      await expectClose(both.q.slice([b, 0, 0, 0], [1, 1, 3, 4]), alone.q);
    }
    const old = position.apply(x, tf.concat([x, x], 2), { start: 3, keys: 6 });
    const whole = position.apply(tf.concat([x, x], 2), tf.concat([x, x], 2), { start: 0, keys: 6 });
    await expectClose(old.q, whole.q.slice([0, 0, 3, 0], [2, 1, 3, 4]));
    await expectClose(old.k, whole.k);
  });

  test('yarn multiplies what turns, and nothing else, by its attention factor', async () => {
    const scaling = { rope_type: 'yarn', factor: 4, attention_factor: 3 } as const;
    const options = { headDim: 6, rotaryDim: 4, maxLength: 16 };
    const x = tf.ones([1, 1, 1, 6]);
    const { q } = new RotaryPosition({ ...options, scaling }).apply(x, x, { start: 0, keys: 1 });
    await expectClose(q, [3, 3, 3, 3, 1, 1]);
  });

  test('dynamic frequencies follow the number of keys, and come back', async () => {
    const scaling = { rope_type: 'dynamic', factor: 2 } as const;
    const position = new RotaryPosition({ headDim: 4, maxLength: 4, scaling });
    const plain = new RotaryPosition({ headDim: 4 });
    const x = gaussian([1, 1, 3, 4], 1);
    const at = (start: number) => ({ start, keys: start + 3 });
    const turn = (p: RotaryPosition, start: number) => p.apply(x, x, at(start)).q;
    await expectClose(turn(position, 1), turn(plain, 1));
    const stretched = new RotaryPosition({ headDim: 4, base: 10_000 * 6.5 ** 2 });
    await expectClose(turn(position, 12), turn(stretched, 12));
    await expectClose(turn(position, 0), turn(plain, 0));
  });

  test('each sequence has the frequencies of its own length, without its padding', async () => {
    const scaling = { rope_type: 'dynamic', factor: 2 } as const;
    const position = new RotaryPosition({ headDim: 4, maxLength: 4, scaling });
    const x = gaussian([3, 1, 3, 4], 1);
    const row = (b: number) => x.slice([b, 0, 0, 0], [1, 1, 3, 4]);
    const starts = [1, 12, 12];
    const lengths = [3, 3, 2];
    const { q, k } = position.apply(x, x, { start: 12, starts, lengths, keys: 15 });
    const expected = starts.map((start, b) => {
      const at = { start, lengths: [lengths[b]!], keys: start + 3 };
      return position.apply(row(b), row(b), at).q;
    });
    await expectClose(q, tf.concat(expected));
    await expectClose(k, tf.concat(expected));
    // By hand: beyond 4 tokens the base is 10,000 (2 T / 4 − 1)^(4 / 2), with T of 15 and of 14.
    for (const [b, ratio] of [
      [1, 6.5],
      [2, 6],
    ] as const) {
      const stretched = new RotaryPosition({ headDim: 4, base: 10_000 * ratio ** 2 });
      await expectClose(expected[b]!, stretched.apply(row(b), row(b), { start: 12, keys: 15 }).q);
    }
  });

  test('what does not fit is named', () => {
    expect(() => new RotaryPosition({ headDim: 8, rotaryDim: 5 })).toThrow(
      "rotary: rotaryDim is 5; expected an even number up to the head's width of 8",
    );
    expect(() => new RotaryPosition({ headDim: 8, rotaryDim: 10 })).toThrow('rotaryDim is 10');
    expect(
      () => new RotaryPosition({ headDim: 8, scaling: { rope_type: 'dynamic', factor: 2 } }),
    ).toThrow('rotary: dynamic scaling needs the trained length, maxLength; got none');
    const unknown = { rope_type: 'spiral' } as never;
    expect(() => new RotaryPosition({ headDim: 8, scaling: unknown })).toThrow(
      "rotary: scaling has rope_type 'spiral'; expected default, linear, dynamic, yarn, longrope or llama3",
    );
    const x = tf.zeros([1, 1, 2, 6]);
    expect(() => new RotaryPosition({ headDim: 8 }).apply(x, x, { start: 0, keys: 2 })).toThrow(
      'rotary: q has shape [1, 1, 2, 6]; expected [B, H, T, 8]',
    );
  });
});
