import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { rowGroup } from '../dispatch/row-group.js';
import { block } from './block/index.js';
import { direct, shuffle } from './lanes/index.js';
import type { Sizes } from './passes.js';
import type { TableTiling, Tiling, Widths } from './programs.js';

/** The passes that a tiling is chosen for, each by itself: all tilings keep the same things of a row. */
export const passNames = ['forward', 'queryGradient', 'keyGradient'] as const;
export type PassName = (typeof passNames)[number];

/** Devices with larger subgroups have the memory and registers for blocks. */
const smallSubgroup = 16;

/** The tilings that a device can run for heads of some widths, the likeliest to be fast first. */
export function tilingsOf(backend: WebGPUBackend, widths: Widths): Tiling[] {
  const memory = backend.device.limits.maxComputeWorkgroupStorageSize;
  const { lanes, subgroup } = rowGroup(backend);
  const shuffled = subgroup ? [shuffle({ subgroup: lanes, memory })] : [];
  const all = lanes <= smallSubgroup ? [...shuffled, block] : [block, ...shuffled];
  return [...all, direct(memory)].filter((tiling) => tiling.fits(widths));
}

/** The likeliest of the tilings that give gradients of tables; undefined where none has room. */
export function tableTilingFor(
  backend: WebGPUBackend,
  { widths }: Pick<Sizes, 'widths'>,
): TableTiling | undefined {
  const tilings = tilingsOf(backend, widths) as (Tiling | TableTiling)[];
  const able = tilings.filter((tiling): tiling is TableTiling => 'tableGradient' in tiling);
  return able.find(({ key }) => key === forced) ?? able[0];
}

/** Shapes for which the same tiling is fastest, near enough. */
export function shapeClass({ queries, keys, widths }: Sizes): string {
  const magnitude = (n: number) => Math.ceil(Math.log2(n) / 2);
  return `Tq${4 ** magnitude(queries)}Tk${4 ** magnitude(keys)}Dh${32 * Math.ceil(Math.max(widths.key, widths.value) / 32)}`;
}

/** Keys of tilings by pass and shape class. */
export type Choices = Record<string, string>;

const measured = new WeakMap<GPUDevice, Choices>();
let forced: string | undefined;

/** What is known of a device; what is written there counts from the next call on. */
export function choicesOf({ device }: WebGPUBackend): Choices {
  let choices = measured.get(device);
  if (!choices) {
    choices = {};
    measured.set(device, choices);
  }
  return choices;
}

export const choiceKey = (pass: PassName, sizes: Sizes): string => `${pass}/${shapeClass(sizes)}`;

/** Makes every call use the tiling of this key where it fits, for tests and benches; undefined ends that. */
export function forceTiling(key: string | undefined): void {
  forced = key;
}

/** The tiling to use: the forced one, the measured one, or the likeliest. */
export function tilingFor(backend: WebGPUBackend, pass: PassName, sizes: Sizes): Tiling {
  const tilings = tilingsOf(backend, sizes.widths);
  const wanted = forced ?? choicesOf(backend)[choiceKey(pass, sizes)];
  return tilings.find(({ key }) => key === wanted) ?? tilings[0]!;
}
