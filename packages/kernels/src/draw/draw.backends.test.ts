import { type Distribution, initializers, ParamStore } from '@headwise/core';
import { drawn, drawnValues, philox } from '@headwise/core/internal';
import { describeBackends, expectNoLeak, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import golden from '../goldens/draw.json' with { type: 'json' };

/** The difference in units in the last place of a float32 number. */
function ulps(actual: number, expected: number): number {
  const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(expected)))) - 23);
  return actual === expected ? 0 : Math.abs(actual - expected) / unit;
}

const keyOf = ({ key }: { key: number[] }) => key as [number, number];

describeBackends('draw', (backend) => {
  for (const each of golden.cases) {
    test(`numbers of key ${each.key} are those of randomgen's words`, async () => {
      const key = keyOf(each);
      const counters = [0, 1, 2].flatMap((counter) => {
        const words = Uint32Array.of(counter, 0, 0, 0);
        philox(words, key);
        return [...words];
      });
      expect(counters).toEqual(each.words);
      for (const size of [1, 2, 3, 5, each.uniform.length]) {
        await poisonMemory([[size]]);
        const uniform = await drawn({ kind: 'uniform', limit: each.limit }, [size], key).data();
        // Powers of two are exact in float64; the product by another limit is rounded once.
        const units = each.uniform.map((value) => Math.round((value / each.limit) * 2 ** 23));
        const scale = Math.fround(each.limit / 2 ** 23);
        expect([...uniform]).toEqual(units.slice(0, size).map((n) => Math.fround(n * scale)));
        const normal = await drawn({ kind: 'normal', std: each.std }, [size], key).data();
        for (const [i, value] of normal.entries()) {
          expect(ulps(value, each.normal[i]!)).toBeLessThanOrEqual(8);
        }
      }
    });
  }

  for (const kind of ['normal', 'uniform'] as const) {
    const distribution: Distribution =
      kind === 'normal' ? { kind, std: 0.02 } : { kind, limit: 0.3 };
    test(`a ${kind} tensor has JavaScript's values, in every size and shape`, async () => {
      for (const shape of [[1], [63], [64, 1], [5, 13], [257], [3, 7, 11], [100_003]]) {
        const size = shape.reduce((a, b) => a * b);
        await poisonMemory([shape]);
        const tensor = drawn(distribution, shape, [7, 9]);
        expect(tensor.shape).toEqual(shape);
        const [actual, expected] = [await tensor.data(), drawnValues(distribution, size, [7, 9])];
        let worst = 0;
        for (let i = 0; i < size; i++) worst = Math.max(worst, ulps(actual[i]!, expected[i]!));
        expect(worst).toBeLessThanOrEqual(kind === 'normal' ? 8 : 0);
        tensor.dispose();
      }
    });
  }

  test('normal numbers have the quantiles of SciPy, and neighbours do not depend on each other', async () => {
    const size = 400_000;
    const values = await drawn({ kind: 'normal', std: 1 }, [size], [1, 2]).data();
    for (const [share, quantile] of golden.quantiles as [number, number][]) {
      const below = [...values].filter((value) => value < quantile).length;
      const deviation = Math.sqrt((share * (1 - share)) / size);
      expect(Math.abs(below / size - share)).toBeLessThan(4 * deviation);
    }
    for (const step of [1, 2, 4, 64, 256]) {
      let sum = 0;
      for (let i = step; i < size; i++) sum += values[i]! * values[i - step]!;
      expect(Math.abs(sum / size)).toBeLessThan(4 / Math.sqrt(size));
    }
  });

  test('a store draws by its seed and the path, and keeps nothing else', async () => {
    const valuesOf = async (seed: number, path: string) => {
      const params = new ParamStore({ seed });
      const { normal, glorotUniform } = initializers;
      const values = await params.get(path, [7, 11], normal(0.5)).data();
      const others = await params.get(`${path}.other`, [7, 11], glorotUniform).data();
      params.dispose();
      return [...values, ...others];
    };
    const first = await valuesOf(5, 'a');
    expect(await valuesOf(5, 'a')).toEqual(first);
    expect(await valuesOf(6, 'a')).not.toEqual(first);
    expect(await valuesOf(5, 'b')).not.toEqual(first);
    const { kernelNames } = await tf.profile(() => drawn({ kind: 'normal', std: 1 }, [3], [1, 1]));
    expect(kernelNames).toEqual(backend === 'webgpu' ? ['headwise/Draw'] : []);
    await expectNoLeak(() => tf.dispose(drawn({ kind: 'normal', std: 1 }, [3, 5], [1, 1])));
  });
});
