import type * as tf from '@tensorflow/tfjs';
import { registerGradient, registerWasmKernel, type Wanted } from '../dispatch/register.js';
import { rowsOf } from '../dispatch/row-group.js';
import { addressOf, output, type WasmBackend } from '../wasm/heap.js';
import { launch } from '../wasm/module.js';
import { launchRows } from '../wasm/rows.js';
import { normGradients } from './gradient.js';
import type { NormForm } from './kernels.js';

type Form = Pick<NormForm, 'label' | 'parameters' | 'statsPerRow'>;

interface NormArguments {
  inputs: Record<'x' | 'weight', tf.TensorInfo> & Partial<Record<'bias' | 'added', tf.TensorInfo>>;
  backend: WasmBackend;
  attrs: { epsilon: number };
}

interface GradientArguments {
  /** `dSum`: the gradient that reaches the sum directly, past the norm. */
  inputs: Record<'dy' | 'x' | 'weight' | 'stats', tf.TensorInfo> &
    Partial<Record<'dSum', tf.TensorInfo>>;
  backend: WasmBackend;
  attrs: Wanted<'x' | 'weight' | 'bias'>;
}

/** Registers the kernels of a norm for wasm: plain, of a sum `x + added`, beside its stream, and their gradient. */
export function registerWasmNorm(form: Form): void {
  const { label, statsPerRow } = form;
  registerWasmKernel(`headwise/${label}`, (given: NormArguments) => {
    const { y, stats } = forward(given, statsPerRow);
    return [y, stats];
  });
  registerWasmKernel(`headwise/Add${label}`, (given: NormArguments) => {
    const { y, sum, stats } = forward(given, statsPerRow);
    return [y, sum!, stats];
  });
  registerWasmKernel(`headwise/Beside${label}`, (given: NormArguments) => {
    const { y, stats } = forward(given, statsPerRow);
    const { x } = given.inputs;
    given.backend.incRef(x.dataId);
    return [y, { ...x }, stats];
  });
  registerWasmKernel(`headwise/${label}Gradient`, (given: GradientArguments) =>
    backward(given, form),
  );
  for (const gradient of normGradients(form)) registerGradient(gradient);
}

function forward({ inputs, backend, attrs: { epsilon } }: NormArguments, statsPerRow: number) {
  const { x, weight, bias, added } = inputs;
  const { rows, width } = rowsOf(x.shape);
  const y = output(backend, x.shape);
  const sum = added && output(backend, x.shape);
  const stats = output(backend, [rows, statsPerRow]);
  const at = (tensor: tf.TensorInfo | undefined) => (tensor ? addressOf(backend, tensor) : 0);
  const given = [x, added, weight, bias, y, sum, stats].map(at);
  const kind = statsPerRow === 1 ? 1 : 0;
  launchRows(backend, 'NORM', [...given, rows, width, kind], [epsilon]);
  return { y, sum, stats };
}

function backward(
  { inputs, backend, attrs: { wanted } }: GradientArguments,
  { parameters, statsPerRow }: Form,
): tf.TensorInfo[] {
  const { dy, x, weight, stats, dSum } = inputs;
  const { rows, width } = rowsOf(x.shape);
  const at = (tensor: tf.TensorInfo | undefined) => (tensor ? addressOf(backend, tensor) : 0);
  const sizes = [rows, width, statsPerRow === 1 ? 1 : 0];
  const made: Partial<Record<'x' | 'weight' | 'bias', tf.TensorInfo>> = {};
  if (wanted.includes('x')) {
    made.x = output(backend, x.shape);
    const given = [dy, x, weight, stats, dSum, made.x].map(at);
    launchRows(backend, 'NORM_GRADIENT', [...given, 0, ...sizes]);
  }
  if (parameters.some((name) => wanted.includes(name))) {
    for (const name of parameters) made[name] = output(backend, [width]);
    const given = [dy, x, made.weight, stats, undefined, made.bias].map(at);
    launch(backend, 'NORM_WEIGHTS', Math.ceil(width / 4), [...given, 0, ...sizes]);
    for (const name of parameters) {
      if (!wanted.includes(name)) backend.disposeData(made[name]!.dataId);
    }
  }
  return wanted.map((name) => made[name]!);
}
