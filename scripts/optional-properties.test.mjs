import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutUndefined } from './optional-properties.mjs';

const names = (text) => withoutUndefined(text).map(({ name, line }) => `${line} ${name}`);

test('optional properties that lack undefined are found, wherever they lie', () => {
  assert.deepEqual(names('export interface A {\n    a?: number;\n    b?: number | undefined;\n}'), [
    '2 a',
  ]);
  assert.deepEqual(names('type A = { readonly a?: B[] } | { b?: undefined | C };'), ['1 a']);
  assert.deepEqual(names('declare function f({ a }: { a?: number }): void;'), ['1 a']);
  assert.deepEqual(names('declare class A {\n    readonly a?: string;\n}'), ['2 a']);
  assert.deepEqual(names('type A = { a?: { b?: number } | undefined };'), ['1 b']);
});

test('undefined that a function returns, or a part of the type holds, is not of the property', () => {
  assert.deepEqual(names('interface A { a?: () => void | undefined }'), ['1 a']);
  assert.deepEqual(names('interface A { a?: (() => void) | undefined }'), []);
  assert.deepEqual(names('interface A { a?: (number | undefined)[] }'), ['1 a']);
  assert.deepEqual(names('interface A { a?: Record<string, B | undefined> }'), ['1 a']);
});

test('parameters, methods, conditional types, comments and strings are none', () => {
  assert.deepEqual(names('declare function f(a?: number): void;'), []);
  assert.deepEqual(names('interface A { f?(a?: number): void; u?: unknown }'), []);
  assert.deepEqual(names('type A<T> = T extends B ? C : D;'), []);
  assert.deepEqual(names('type A = { [K in keyof B]-?: B[K] };'), []);
  assert.deepEqual(names("interface A { /** a?: b */ a: 'c?: d'; } // e?: f"), []);
});
