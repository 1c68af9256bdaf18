// Gives wllama's files and a driver of Chromium, from where they are installed.
import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);

export const chromium = async () => (await import('playwright-core')).chromium;

/** Paths of wllama's module and WebAssembly. */
export const files = () => ({
  module: resolve('@wllama/wllama/esm/index.js'),
  wasm: resolve('@wllama/wllama/esm/wasm/wllama.wasm'),
});
