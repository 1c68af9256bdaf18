import { expect, test } from 'vitest';
import golden from '../goldens/timestamps.json' with { type: 'json' };
import { timestampRules } from './timestamps.js';

const { rules, cases } = golden;

test.each(cases)(
  "scores are Hugging Face's after $sequence, the first at most $latestFirst",
  (given) => {
    const { sequence, expected } = given;
    const scores = Float32Array.from(given.scores);
    const processor = timestampRules({ ...rules, latestFirst: given.latestFirst });
    if (!('host' in processor)) throw new Error('expected a processor on the host');
    processor.host(scores, sequence);
    expect(Array.from(scores)).toEqual(
      expected.map((score) => (score === null ? Number.NEGATIVE_INFINITY : Math.fround(score))),
    );
  },
);
