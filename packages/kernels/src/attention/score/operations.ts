import type { Operation, Type } from '../expression/node.js';
import { tableStart, type Value } from './graph.js';

/** `one`: a scalar; `rows`: a vector with one component per row of a lane. */
export type Form = 'one' | 'rows';

/** WGSL's types. */
export const types: Record<Form, Record<Type, string>> = {
  one: { float: 'f32', int: 'i32', condition: 'bool' },
  rows: { float: 'Rows', int: 'RowInts', condition: 'RowBools' },
};

const infix: Partial<Record<Operation, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  less: '<',
  lessEqual: '<=',
  equal: '==',
  and: '&',
  or: '|',
};

/** WGSL of an operation from the WGSL of its arguments, all of one form. */
export function operationText(
  { op, type }: Value,
  form: Form,
  [x, y, z]: readonly string[],
): string {
  const sign = infix[op as Operation];
  if (sign) return `(${x} ${sign} ${y})`;
  switch (op) {
    case 'div':
      return type === 'int' ? `floor_div_${form}(${x}, ${y})` : `(${x} / ${y})`;
    case 'mod':
      return `(${x} - floor_div_${form}(${x}, ${y}) * ${y})`;
    case 'min':
    case 'max':
      return `${op}(${x}, ${y})`;
    case 'neg':
      return `(-${x})`;
    case 'not':
      return `(!${x})`;
    case 'select':
      return `select(${z}, ${y}, ${x})`;
    case 'toFloat':
    case 'toInt':
      return `${types[form][type]}(${x})`;
    case 'tanh':
      // Beyond ±15 tanh is ±1 in float32; some drivers overflow there.
      return `tanh(clamp(${x}, ${types[form].float}(-15.0), ${types[form].float}(15.0)))`;
    default:
      return `${op}(${x})`;
  }
}

/** WGSL of a table's element. */
export function loadText({ type, text }: Value, place: string): string {
  const at = `tables[u32(${tableStart(Number(text))} + ${place})]`;
  return `bitcast<${type === 'float' ? 'f32' : 'i32'}>(${at})`;
}

/** WGSL of `floor_div_one` or `floor_div_rows`: integer division that rounds down. */
export function integerDivision(form: Form): string {
  const int = types[form].int;
  return /* wgsl */ `
    fn floor_div_${form}(a: ${int}, b: ${int}) -> ${int} {
      let quotient = a / b;
      let inexact = (a % b != ${int}(0)) & ((a < ${int}(0)) != (b < ${int}(0)));
      return select(quotient, quotient - ${int}(1), inexact);
    }
  `;
}
