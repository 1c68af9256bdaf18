// The activations of linear maps and their derivatives, numbered as in `src/wasm/activations.ts`.
import { exp, log, normalDistribution, sigmoid, tanh } from './math';

// @ts-ignore: decorator
@inline
function clamp(z: v128, low: f32, high: f32): v128 {
  return f32x4.max(f32x4.min(z, f32x4.splat(high)), f32x4.splat(low));
}

// @ts-ignore: decorator
@inline
function times(z: v128, factor: f32): v128 {
  return f32x4.mul(z, f32x4.splat(factor));
}

// @ts-ignore: decorator
@inline
function plus(z: v128, term: f32): v128 {
  return f32x4.add(z, f32x4.splat(term));
}

/** 1 where z > x, else 0. */
// @ts-ignore: decorator
@inline
function above(z: v128, x: f32): v128 {
  return v128.and(f32x4.gt(z, f32x4.splat(x)), f32x4.splat(1));
}

/** The argument of the gate of GELU's tanh approximation, `½ (1 + tanh v) = σ(2v)`. */
// @ts-ignore: decorator
@inline
function tanhGate(near: v128): v128 {
  return sigmoid(f32x4.mul(times(near, 1.5957691216), plus(times(f32x4.mul(near, near), 0.044715), 1)));
}

/** The normal density. */
// @ts-ignore: decorator
@inline
function density(z: v128): v128 {
  return times(exp(times(f32x4.mul(z, z), -0.5)), 0.3989422804);
}

/** `tanh(softplus z) = n / (n + 2)` with `n = e^z (e^z + 2)`. */
function mishGate(z: v128): v128 {
  const w = exp(clamp(z, -80, 20));
  const n = f32x4.mul(w, plus(w, 2));
  return f32x4.div(n, plus(n, 2));
}

/** `√softplus z`; far below 0 softplus is `e^z`. */
function rootSoftplus(z: v128): v128 {
  const near = f32x4.max(z, f32x4.splat(-80));
  const zero = f32x4.splat(0);
  const small = exp(f32x4.min(near, zero));
  const whole = f32x4.add(f32x4.max(near, zero), log(plus(exp(f32x4.neg(f32x4.abs(near))), 1)));
  const low = f32x4.mul(small, plus(times(small, -0.5), 1));
  return f32x4.sqrt(v128.bitselect(low, whole, f32x4.lt(near, f32x4.splat(-8))));
}

/** Activation `kind` of four numbers. */
export function activation(kind: i32, z: v128): v128 {
  switch (kind) {
    case 1: // relu; NaN stays
      return f32x4.max(z, f32x4.splat(0));
    case 2: // gelu
      return f32x4.mul(z, normalDistribution(z));
    case 3: // gelu_new
      return f32x4.mul(z, tanhGate(clamp(z, -10, 10)));
    case 4: // silu
      return f32x4.mul(z, sigmoid(z));
    case 5: // gelu_10
      return f32x4.min(f32x4.mul(z, normalDistribution(z)), f32x4.splat(10));
    case 6: // hardswish
      return f32x4.mul(z, times(clamp(plus(z, 3), 0, 6), 1 / <f32>6));
    case 7: // laplace
      return normalDistribution(times(plus(z, -0.707107), 1 / <f32>0.282095));
    case 8: // leaky_relu
      return v128.bitselect(times(z, 0.01), z, f32x4.lt(z, f32x4.splat(0)));
    case 9: // mish
      return f32x4.mul(z, mishGate(z));
    case 10: // quick_gelu
      return f32x4.mul(z, sigmoid(times(z, 1.702)));
    case 11: { // relu2
      const r = f32x4.max(z, f32x4.splat(0));
      return f32x4.mul(r, r);
    }
    case 12: // relu6
      return clamp(z, 0, 6);
    case 13: // sigmoid
      return sigmoid(z);
    case 14: // sqrtsoftplus
      return rootSoftplus(z);
    case 15: // tanh
      return tanh(z);
    default:
      return z;
  }
}

/** The derivative of activation `kind`. */
export function slope(kind: i32, z: v128): v128 {
  const one = f32x4.splat(1);
  switch (kind) {
    case 1:
      return above(z, 0);
    case 2:
    case 5: {
      const near = clamp(z, -13, 13);
      const inner = f32x4.add(normalDistribution(z), f32x4.mul(near, density(near)));
      return kind == 2 ? inner : v128.andnot(inner, f32x4.gt(z, f32x4.splat(10)));
    }
    case 3: {
      const near = clamp(z, -10, 10);
      const gate = tanhGate(near);
      const inner = f32x4.mul(times(near, 1.5957691216), plus(times(f32x4.mul(near, near), 0.134145), 1));
      return f32x4.add(gate, f32x4.mul(f32x4.mul(gate, f32x4.sub(one, gate)), inner));
    }
    case 4: {
      const gate = sigmoid(z);
      return f32x4.add(gate, f32x4.mul(f32x4.mul(gate, f32x4.sub(one, gate)), clamp(z, -87, 87)));
    }
    case 6: {
      const inner = plus(times(z, 1 / <f32>3), 0.5);
      const low = v128.andnot(inner, f32x4.lt(z, f32x4.splat(-3)));
      return v128.bitselect(one, low, f32x4.gt(z, f32x4.splat(3)));
    }
    case 7:
      return times(density(clamp(times(plus(z, -0.707107), 1 / <f32>0.282095), -13, 13)), 1 / <f32>0.282095);
    case 8:
      return v128.bitselect(one, f32x4.splat(0.01), f32x4.gt(z, f32x4.splat(0)));
    case 9: {
      const g = mishGate(z);
      const rest = f32x4.mul(f32x4.mul(f32x4.sub(one, g), f32x4.add(one, g)), sigmoid(z));
      return f32x4.add(g, f32x4.mul(clamp(z, -80, 80), rest));
    }
    case 10: {
      const gate = sigmoid(times(z, 1.702));
      const inner = clamp(times(z, 1.702), -87, 87);
      return f32x4.add(gate, f32x4.mul(f32x4.mul(gate, f32x4.sub(one, gate)), inner));
    }
    case 11:
      return times(f32x4.max(z, f32x4.splat(0)), 2);
    case 12:
      return v128.and(above(z, 0), f32x4.le(z, f32x4.splat(6)));
    case 13: {
      const s = sigmoid(z);
      return f32x4.mul(s, f32x4.sub(one, s));
    }
    case 14:
      return f32x4.div(times(sigmoid(f32x4.max(z, f32x4.splat(-80))), 0.5), rootSoftplus(z));
    case 15: {
      const t = tanh(z);
      return f32x4.mul(f32x4.sub(one, t), f32x4.add(one, t));
    }
    default:
      return one;
  }
}
