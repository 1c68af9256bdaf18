import type * as tf from '@tensorflow/tfjs';
import type { ForwardContext } from './layer.js';

/** Whether the context's tap watches an activation. */
export function isTapped(ctx: ForwardContext | undefined, path: string, name: string): boolean {
  if (!ctx?.tap) return false;
  return ctx.tap.wants?.(nameBelow(path, name)) ?? true;
}

/** Passes a named activation to the context's tap; returns the tap's replacement, or the value. */
export function tapped<T extends tf.Tensor>(
  ctx: ForwardContext | undefined,
  path: string,
  name: string,
  value: T,
  source?: object,
): T {
  if (!isTapped(ctx, path, name)) return value;
  return (ctx!.tap!(nameBelow(path, name), value, source) as T | undefined) ?? value;
}

function nameBelow(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
