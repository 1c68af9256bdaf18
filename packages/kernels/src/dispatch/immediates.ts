import type { Program } from './program.js';

/** The bytes of a program's `params`: whole vectors of four. */
export const paramBytes = ({ params }: Pick<Program, 'params'>): number =>
  16 * Math.ceil(params.length / 4);

/**
 * Whether a device takes the `params` of a program as immediates, part of the commands, which need no buffer and no binding of
 * their own.
 *
 * @see https://gpuweb.github.io/gpuweb/#dom-gpubindingcommandsmixin-setimmediates
 */
export function takesImmediates(device: GPUDevice, program: Program): boolean {
  const { maxImmediateSize = 0 } = device.limits as { maxImmediateSize?: number | undefined };
  const bytes = paramBytes(program);
  if (bytes === 0 || bytes > maxImmediateSize) return false;
  return navigator.gpu?.wgslLanguageFeatures?.has('immediate_address_space') ?? false;
}

/** The shader of a program, with immediates in the place of the uniform `params`. */
export const withImmediates = ({ wgsl }: Program): string =>
  wgsl.replace(/@group\(0\) @binding\(\d+\) var<uniform> params:/, () => 'var<immediate> params:');
