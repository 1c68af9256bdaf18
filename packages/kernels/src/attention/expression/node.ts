import type * as tf from '@tensorflow/tfjs';

/** What an expression stands for. */
export type Type = 'float' | 'int' | 'condition';

/**
 * What an expression may depend on: the score, the places of a pair, and the distance from a query's
 * row to its place on the axis of the keys.
 */
export type Variable = 'score' | 'b' | 'h' | 'q' | 'k' | 'shift';

/** What is done with arguments; `select` takes a condition first, `toFloat` and `toInt` convert. */
export type Operation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'mod'
  | 'min'
  | 'max'
  | 'neg'
  | 'abs'
  | 'floor'
  | 'exp'
  | 'log'
  | 'tanh'
  | 'sqrt'
  | 'toFloat'
  | 'toInt'
  | 'less'
  | 'lessEqual'
  | 'equal'
  | 'and'
  | 'or'
  | 'not'
  | 'select';

/**
 * A node of an expression: plain data, shared where it is used twice.
 *
 * A constant's value is not a part of a shader's text but a parameter of it, so that programs are shared;
 * a literal's is.
 */
export type Node =
  | { readonly kind: 'constant'; readonly type: Type; readonly value: number }
  | { readonly kind: 'literal'; readonly type: Type; readonly value: number }
  | { readonly kind: 'variable'; readonly type: Type; readonly name: Variable }
  | { readonly kind: 'lookup'; readonly type: Type; readonly table: Table; readonly args: Nodes }
  | {
      readonly kind: 'operation';
      readonly type: Type;
      readonly operation: Operation;
      readonly args: Nodes;
    };

type Nodes = readonly Node[];

/** The nodes that a node is made of. */
export const argsOf = (node: Node): readonly Node[] => ('args' in node ? node.args : []);

export const variable = (name: Variable): Node => ({
  kind: 'variable',
  type: name === 'score' ? 'float' : 'int',
  name,
});

export const literal = (type: Type, value: number): Node => ({ kind: 'literal', type, value });

export const operation = (type: Type, name: Operation, ...args: Node[]): Node => ({
  kind: 'operation',
  type,
  operation: name,
  args,
});

/** A tensor that expressions look values up in. */
export interface Table {
  readonly tensor: tf.Tensor;
  /** Of what it holds; bool is read as int. */
  readonly type: 'float' | 'int';
}
