import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { LeftOutReporter } from './scripts/vitest/left-out.js';

// In CI a missing GPU driver or browser fails the run; elsewhere those tests are skipped, and say so.
const required = !!process.env.CI;
const nothing = /^$/;

function available(what: string, found: string | undefined, hint: string): boolean {
  if (found) return true;
  if (required) throw new Error(`${what}: not found. ${hint}`);
  console.warn(`\n! ${what}: not found, so the tests that need it are skipped. ${hint}\n`);
  return false;
}

// Mesa's software driver compiles a shader in two fifths of the time where it neither optimizes nor uses wide vectors. The processes
// of tests, and the programs that they start, inherit it.
process.env.GALLIVM_PERF ??= 'nopt';
process.env.LP_NATIVE_VECTOR_WIDTH ??= '128';

const adapter = spawnSync(process.execPath, ['scripts/adapter.mjs'], {
  encoding: 'utf8',
  timeout: 60_000,
});
const gpu = available(
  'WebGPU in Node',
  adapter.status === 0 ? adapter.stdout.trim() : undefined,
  'It needs a Vulkan driver; see "Testing" in CONTRIBUTING.md.',
);
const chromium = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));
const browser = available('Chromium', chromium, 'Install it, or point CHROMIUM at it.');

// Workspace packages are tested from their sources: no build, and one copy of every class.
const resolve = { conditions: ['@headwise/source', 'module', 'node', 'development|production'] };
const browserResolve = {
  conditions: ['@headwise/source', 'module', 'browser', 'development|production'],
};

const report = process.env.HEADWISE_TEST_REPORT;

// `npm test` takes one case of each way that the code can take; `pnpm test:full` takes every case.
const full = process.env.HEADWISE_TESTS === 'full';

// First unit and e2e, then webgpu, a worker a core; then chromium, whose software driver uses every core itself.
const cores = availableParallelism();

const onDevices = ['packages/*/src/**/*.gpu.test.ts', 'packages/*/src/**/*.backends.test.ts'];

// One file of each thing that Chromium does in another way than Dawn in Node, or of a kind of kernel.
const inChromium = [
  'core/src/backend/{backend,buffer-pool}.gpu',
  'core/src/backend/tensor-writer.backends',
  'kernels/src/dispatch/{dispatch,immediates}.gpu',
  '*/src/**/recording.gpu',
  'kernels/src/attention/attention.gpu',
  '*/src/**/decode-attention.backends',
  'kernels/src/linear/linear.gpu',
  'kernels/src/packed-linear/products.backends',
  'kernels/src/sampling/sampling.backends',
  'kernels/src/wasm/wasm.gpu',
  'models/src/recorded.gpu',
  'models/src/**/cached.backends',
  'grammar/src/schema.gpu',
  'ai-sdk/src/provider.gpu',
].map((name) => `packages/${name}.test.ts`);

// Tests on devices that read files or start a process.
const onlyInNode = readdirSync('packages')
  .map((name) => `packages/${name}/src`)
  .filter((folder) => existsSync(folder))
  .flatMap((folder) =>
    readdirSync(folder, { encoding: 'utf8', recursive: true }).map(
      (path) => `${folder}/${path.replaceAll('\\', '/')}`,
    ),
  )
  .filter((path) => /\.(?:gpu|backends)\.test\.ts$/.test(path))
  .filter((path) =>
    /from '(?:node:[\w/]+|@headwise\/[\w-]+\/node)'/.test(readFileSync(path, 'utf8')),
  );

const neverInChromium = [
  ...onlyInNode,
  // Too heavy for Chromium's software adapter.
  '**/learning.backends.test.ts',
  '**/with-models/optimizers.backends.test.ts',
  '**/attention/exactness.gpu.test.ts',
  '**/attention/variants.gpu.test.ts',
  '**/attention/src/memory.gpu.test.ts',
  '**/row-attention.backends.test.ts',
  '**/compositions.gpu.test.ts',
  '**/with-models/memory.gpu.test.ts',
];

export default defineConfig({
  test: {
    reporters: ['default', new LeftOutReporter(), ...(report ? ['json'] : [])],
    ...(report ? { outputFile: { json: report } } : {}),
    provide: { full },
    globalSetup: ['./scripts/vitest/temporary.ts'],
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'],
          exclude: ['**/*.gpu.test.ts', '**/*.alone.test.ts'],
          setupFiles: ['./scripts/vitest/cpu.ts'],
          // TensorFlow.js is loaded once a worker, not once a file.
          isolate: false,
          maxWorkers: cores,
          // Others use the machine at the same time.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Tests that leave TensorFlow.js in another state: a process for each file.
        resolve,
        ssr: { resolve },
        test: {
          name: 'alone',
          include: ['packages/*/src/**/*.alone.test.ts'],
          setupFiles: ['./scripts/vitest/cpu.ts'],
          maxWorkers: cores,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'webgpu',
          include: onDevices,
          setupFiles: ['./scripts/vitest/webgpu.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          // A process a core, each with one device: the software driver compiles on one core, which takes most of the time.
          isolate: false,
          maxWorkers: cores,
          sequence: { groupOrder: 1 },
          ...(gpu ? {} : { testNamePattern: nothing }),
        },
      },
      {
        resolve: browserResolve,
        test: {
          name: 'chromium',
          include: full ? onDevices : inChromium,
          exclude: neverInChromium,
          setupFiles: ['./scripts/vitest/webgpu.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          isolate: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          ...(browser ? {} : { testNamePattern: nothing }),
          browser: {
            enabled: browser,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(chromium ? { executablePath: chromium } : {}),
                args: [
                  '--no-sandbox',
                  '--enable-unsafe-webgpu',
                  '--disable-quic',
                  '--no-first-run',
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        // The built command line, run as a person runs it.
        test: {
          name: 'e2e',
          include: ['apps/*/e2e/**/*.test.ts'],
          server: { deps: { external: [/\/dist\//] } },
          provide: { full, webgpu: gpu, chromium: chromium ?? '' },
          maxWorkers: cores,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
