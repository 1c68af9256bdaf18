import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test, vi } from 'vitest';
import { KeyValueCache } from './key-value-cache.js';
import { SegmentMemory } from './segment-memory.js';

const rows = (batch: number, tokens: number, value = 1) => tf.fill([batch, 2, tokens, 3], value);

describe('KeyValueCache', () => {
  test('appends by layer and survives a tidy', () => {
    const before = tf.memory().numTensors;
    const cache = new KeyValueCache();
    tf.tidy(() => {
      cache.append('a', rows(1, 4), rows(1, 4));
      cache.append('b', rows(1, 4), rows(1, 4));
    });
    expect([cache.length, cache.lengthOf('a'), cache.lengthOf('c')]).toEqual([4, 4, 0]);
    tf.tidy(() => {
      cache.append('a', rows(1, 1), rows(1, 1));
      expect(cache.rowsOf('a').k.shape).toEqual([1, 2, 5, 3]);
    });
    // Another layer has not seen the new token yet.
    expect([cache.length, cache.lengthOf('a')]).toEqual([4, 5]);
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('refuses another batch size, k and v that differ, and use after dispose', () => {
    tf.tidy(() => {
      const cache = new KeyValueCache();
      cache.append('a', rows(1, 1), rows(1, 1));
      expect(() => cache.append('a', rows(2, 1), rows(2, 1))).toThrow(
        "cache of 'a': k has shape [2, 2, 1, 3]; expected [1, 2, T, 3]",
      );
      expect(() => cache.append('a', rows(1, 1), rows(1, 2))).toThrow("cache of 'a': v has shape");
      cache.dispose();
      expect(() => cache.append('a', rows(1, 1), rows(1, 1))).toThrow(
        "cache of 'a': used after it was disposed",
      );
    });
  });

  test('refuses sizes that mean nothing, and tokens that it has no room for', () => {
    expect(() => new KeyValueCache({ capacity: 0 })).toThrow(
      'KeyValueCache: capacity is 0; expected a whole number of at least 1',
    );
    expect(() => new KeyValueCache({ storage: 'float16' as never })).toThrow(
      "KeyValueCache: storage is 'float16'; expected one of f32, f16",
    );
    expect(() => new KeyValueCache({ window: 2.5 })).toThrow('KeyValueCache: window is 2.5');
    expect(() => new KeyValueCache({ sinks: 4 })).toThrow(
      'KeyValueCache: 4 sinks without a window; give both',
    );
    expect(() => new KeyValueCache({ capacity: 9, window: 4 })).toThrow(
      'a window is its own capacity',
    );
    const cache = new KeyValueCache({ capacity: 5 });
    cache.append('a', rows(1, 4), rows(1, 4));
    expect(() => cache.append('a', rows(1, 2), rows(1, 2))).toThrow(
      "cache of 'a': 6 tokens of a sequence; it was made for 5",
    );
    expect(() => cache.append('b', rows(2, 1), rows(2, 1))).toThrow(
      "cache of 'b': k has shape [2, 2, 1, 3]; expected [1, 2, T, 3]",
    );
    expect(() => cache.append('a', rows(1, 1), rows(1, 1), [2])).toThrow(
      "cache of 'a': counts are [2]; expected 1 of 0 to 1",
    );
    cache.dispose();
  });

  test('does not bring back what left the window', () => {
    const cache = new KeyValueCache({ window: 3, sinks: 1 });
    cache.append('a', rows(1, 3), rows(1, 3));
    cache.trim(2);
    expect(cache.length).toBe(2);
    for (let i = 0; i < 3; i++) cache.append('a', rows(1, 1), rows(1, 1));
    expect(() => cache.trim(4)).toThrow(
      "cache of 'a': 5 tokens cannot be trimmed to 4, as the window of 3 has lost older ones",
    );
    cache.trim(5);
    cache.dispose();
    expect(() => cache.trim(0)).toThrow('KeyValueCache: used after it was disposed');
  });

  test('makes keys and values of a cross-attention once, and lets them follow the beams', async () => {
    const before = tf.memory().numTensors;
    const cache = new KeyValueCache();
    const make = vi.fn(() => ({
      k: tf.concat([rows(1, 2, 5), rows(1, 2, 7)]),
      v: rows(2, 2),
    }));
    const first = cache.once('cross', 2, make);
    expect(cache.once('cross', 2, make)).toBe(first);
    expect(make).toHaveBeenCalledTimes(1);
    // It is not a part of the sequence.
    expect([cache.length, cache.starts]).toEqual([0, []]);
    cache.reorder([1, 1, 0]);
    const { k } = cache.once('cross', 3, make);
    const firsts = k.slice([0, 0, 0, 0], [3, 1, 1, 1]);
    expect([...(await firsts.data())]).toEqual([7, 7, 5]);
    firsts.dispose();
    expect(() => cache.once('cross', 2, make)).toThrow(
      "cache of 'cross': holds 3 sequences; asked for 2",
    );
    expect(() => cache.reorder([3])).toThrow('KeyValueCache: reorder takes sequence 3 of 3');
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a lost one is warned of, a disposed one is not', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    // Other tests of the process may lose caches, too: by their numbers of layers these two are known.
    const use = (layers: number, dispose: boolean) => {
      const cache = new KeyValueCache();
      for (let n = 0; n < layers; n++) cache.append(`${n}`, rows(1, 1), rows(1, 1));
      if (dispose) cache.dispose();
    };
    use(31, true);
    use(33, false);
    const warnings = () => warn.mock.calls.flat().filter((text) => /of 3[13] layers/.test(text));
    // However long the engine takes to call back; then once more for what it may have left.
    for (let after = 0; after < 2; after += Number(warnings().length > 0)) {
      collect();
      await new Promise(setImmediate);
    }
    expect(warnings()).toEqual([
      'A KeyValueCache of 33 layers went out of use without dispose(): its tensors stay in memory.',
    ]);
    warn.mockRestore();
  });
});

describe('SegmentMemory', () => {
  test('keeps the last hidden states of a layer', async () => {
    const before = tf.memory().numTensors;
    const memory = new SegmentMemory(3);
    const segment = (...values: number[]) => tf.tensor3d(values, [1, values.length, 1]);
    expect(memory.read('a')).toBeUndefined();
    tf.tidy(() => memory.write('a', segment(1, 2)));
    expect([...(await memory.read('a')!.data())]).toEqual([1, 2]);
    tf.tidy(() => memory.write('a', segment(3, 4)));
    expect([...(await memory.read('a')!.data())]).toEqual([2, 3, 4]);
    tf.tidy(() => memory.write('a', segment(5, 6, 7, 8, 9)));
    expect([...(await memory.read('a')!.data())]).toEqual([7, 8, 9]);
    expect(() => tf.tidy(() => memory.write('a', tf.zeros([2, 1, 1])))).toThrow(
      "memory of 'a': hidden has shape [2, 1, 1]; expected [1, T, 1]",
    );
    memory.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(() => memory.read('a')).toThrow("memory of 'a': used after it was disposed");
  });

  test('lets no gradient into former segments', async () => {
    const memory = new SegmentMemory(2);
    const x = tf.ones([1, 2, 3]);
    const gradient = tf.grad((x) => {
      memory.write('a', x.mul(5));
      return memory.read('a')!.add(x.mul(2)).sum();
    })(x);
    expect([...(await gradient.data())]).toEqual([2, 2, 2, 2, 2, 2]);
    memory.dispose();
  });
});
