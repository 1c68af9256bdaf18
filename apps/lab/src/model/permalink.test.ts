import { strToU8, zlibSync } from 'fflate';
import { expect, test } from 'vitest';
import { packConfig, unpackConfig } from './permalink.js';
import { presets } from './presets.js';

const pack = (json: string) => btoa(String.fromCharCode(...zlibSync(strToU8(json))));

test('a configuration comes back from its link, whole and short', () => {
  for (const { config } of presets) {
    const link = packConfig(config);
    expect(unpackConfig(link)).toEqual(config);
    expect(link).toMatch(/^[\w-]+$/);
    expect(link.length).toBeLessThan(600);
  }
});

test('what is not a configuration is refused, saying why', () => {
  expect(() => unpackConfig('%%%')).toThrow('The link holds no configuration');
  expect(() => unpackConfig(packConfig(presets[0].config).slice(0, -9))).toThrow('The link');
  expect(() => unpackConfig(pack('[1, 2'))).toThrow('The link holds no configuration');
  expect(() => unpackConfig(pack('{"model":{"dim":1e9}}'))).toThrow("'model.dim' is 1000000000");
  expect(() => unpackConfig(pack('{"model":{"dim":"<img src=x onerror=alert(1)>"}}'))).toThrow(
    "The link: 'model.dim'",
  );
  expect(() => unpackConfig(pack('{"run":"alert(1)"}'))).toThrow("unknown key 'run'");
  expect(() => unpackConfig(pack(`{"data":{"file":"${'x'.repeat(300_000)}"}}`))).toThrow(
    'The link',
  );
});
