import { expect, test } from 'vitest';
import { divided } from './divide.js';
import { defineProgram } from './program.js';

const variant = (line: string, bytes = 512) =>
  divided(
    defineProgram({
      label: 'headwise/Test',
      inputs: { x: 'vec4f', ids: 'i32' },
      outputs: { y: 'f32' },
      params: { size: 'u32' },
      wgsl: `// x and y\nfn main() { ${line} }`,
    }),
    { pieces: { x: 2, y: 3 }, bytes },
  ).wgsl;

const rewritten = (line: string) => variant(line).split('fn main() { ')[1]!.replace(/ }$/, '');

test('each piece has a binding, and the functions choose between them by the element', () => {
  const wgsl = variant('y[0] = x[1].x;').replace(/\s+/g, ' ');
  expect(wgsl).toContain(
    '@group(0) @binding(0) var<storage, read> x_piece0: array<vec4f>; @group(0) @binding(1) var<storage, read> x_piece1: array<vec4f>; @group(0) @binding(2) var<storage, read> ids: array<i32>; @group(0) @binding(3) var<storage, read_write> y_piece0: array<f32>;',
  );
  expect(wgsl).toContain('@binding(6) var<uniform> params');
  expect(wgsl).toContain(
    'fn read_x(i: u32) -> vec4f { if (i < 32u) { return x_piece0[i - 0u]; } return x_piece1[i - 32u]; }',
  );
  expect(wgsl).toContain(
    'fn write_y(i: u32, value: f32) { if (i < 128u) { y_piece0[i - 0u] = value; return; } if (i < 256u) { y_piece1[i - 128u] = value; return; } y_piece2[i - 256u] = value; return; }',
  );
});

test('elements are read and written by functions, whatever stands in the brackets', () => {
  expect(rewritten('let v = x[ids[i] + a[j]][k].x;')).toBe(
    'let v = read_x(u32(ids[i] + a[j]))[k].x;',
  );
  expect(rewritten('y[i] = x[u32(x[0].x)].y;')).toBe(
    'write_y(u32(i), read_x(u32(u32(read_x(u32(0)).x))).y);',
  );
  expect(rewritten('y[i] += 1.0 - v.x; if (y[i] == v.y && y[j] <= 2.0) { y[i] *= y[j]; }')).toBe(
    'write_y(u32(i), read_y(u32(i)) + (1.0 - v.x)); if (read_y(u32(i)) == v.y && read_y(u32(j)) <= 2.0) { write_y(u32(i), read_y(u32(i)) * (read_y(u32(j)))); }',
  );
});

test('other uses are refused by name', () => {
  for (const line of ['f(&y[i]);', 'let x = 1.0;', 'y[i]++;', 'f(&y);', 'x[i].y = 2.0;']) {
    expect(() => variant(line)).toThrow(/^headwise\/Test: '[xy]' is larger than one binding and/);
  }
});
