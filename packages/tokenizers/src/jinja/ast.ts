import type { Value } from './values.js';

export type Expression =
  | { kind: 'constant'; value: Value }
  | { kind: 'name'; name: string }
  | { kind: 'list' | 'tuple' | 'concat'; items: Expression[] }
  | { kind: 'dict'; entries: [key: Expression, value: Expression][] }
  | { kind: 'attribute'; target: Expression; name: string }
  | { kind: 'item'; target: Expression; key: Expression }
  | { kind: 'slice'; parts: (Expression | undefined)[] }
  | { kind: 'call'; target: Expression; args: Arguments }
  | { kind: 'filter'; target: Expression | undefined; name: string; args: Arguments; line: number }
  | { kind: 'test'; target: Expression; name: string; args: Arguments; line: number }
  | { kind: 'unary'; sign: '+' | '-' | 'not'; target: Expression }
  | { kind: 'binary'; sign: string; left: Expression; right: Expression }
  | { kind: 'compare'; first: Expression; rest: [sign: string, Expression][] }
  | { kind: 'if'; test: Expression; then: Expression; otherwise: Expression | undefined };

export interface Arguments {
  list: Expression[];
  named: [name: string, Expression][];
  /** `*args` and `**kwargs`. */
  more: Expression | undefined;
  moreNamed: Expression | undefined;
}

/** What a value is assigned to. */
export type Target =
  | { kind: 'name'; name: string }
  | { kind: 'member'; object: string; name: string }
  | { kind: 'tuple'; items: Target[] };

export interface Parameter {
  name: string;
  missing: Expression | undefined;
}

export type Statement =
  | { kind: 'data'; text: string }
  | { kind: 'output'; expression: Expression; line: number }
  | { kind: 'if'; branches: [test: Expression, body: Statement[]][]; otherwise: Statement[] }
  | ForStatement
  | { kind: 'set'; target: Target; value: Expression }
  | { kind: 'setBlock'; target: Target; filter: Expression | undefined; body: Statement[] }
  | MacroStatement
  | { kind: 'call'; call: Expression; parameters: Parameter[]; body: Statement[] }
  | { kind: 'filter'; filter: Expression; body: Statement[] }
  | { kind: 'with'; entries: [Target, Expression][]; body: Statement[] }
  | { kind: 'block'; name: string; body: Statement[] }
  /** What a model is to write: transformers' mark of the assistant's text. */
  | { kind: 'generation'; body: Statement[] }
  | { kind: 'break' | 'continue' }
  /** A tag of Jinja's that a template by itself cannot use. */
  | { kind: 'refused'; tag: string; line: number };

export interface ForStatement {
  kind: 'for';
  target: Target;
  source: Expression;
  test: Expression | undefined;
  recursive: boolean;
  body: Statement[];
  otherwise: Statement[];
}

export interface MacroStatement {
  kind: 'macro';
  name: string;
  parameters: Parameter[];
  body: Statement[];
}
