import { expect, test } from 'vitest';
import golden from '../goldens/viridis.json' with { type: 'json' };
import { headColours, hex, inkOn, luminance, parseRgb, signColours, viridis } from './colours.js';

const contrast = (a: number, b: number) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

test("viridis is matplotlib's, within one step of 256", () => {
  const [{ colours }] = golden.cases as [{ colours: number[][] }];
  for (const [i, expected] of colours.entries()) {
    for (const [part, value] of viridis(i / 255).entries()) {
      expect(Math.abs(value - expected[part]!), `colour ${i}`).toBeLessThanOrEqual(1);
    }
  }
  expect(viridis(-1)).toEqual(viridis(0));
  expect(viridis(2)).toEqual(viridis(1));
  expect(viridis(Number.NaN)).toEqual(viridis(0));
});

test('lines stand out 3 to 1 on light and on dark, text on colours 4.5 to 1, as WCAG 2.2 asks', () => {
  const [light, dark] = ['#ffffff', '#16181d'].map((colour) => luminance(parseRgb(colour)));
  for (const colour of [...headColours, ...Object.values(signColours)]) {
    const own = luminance(parseRgb(colour));
    expect(contrast(own, light!), colour).toBeGreaterThan(3);
    expect(contrast(own, dark!), colour).toBeGreaterThan(3);
  }
  for (let i = 0; i < 256; i++) {
    const colour = viridis(i / 255);
    const ink = luminance(parseRgb(inkOn(colour)));
    expect(contrast(luminance(colour), ink), hex(colour)).toBeGreaterThan(4.5);
  }
});
