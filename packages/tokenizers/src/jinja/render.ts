import { attributeOf, itemOf } from './access.js';
import type { Named, Positional } from './arguments.js';
import type { Arguments, Expression, ForStatement, Parameter, Statement, Target } from './ast.js';
import type { Engine } from './filter.js';
import { filters } from './filters.js';
import { globals, missingName, Namespace } from './globals.js';
import { Loop } from './loop.js';
import { bindMacro, usesOf } from './macro.js';
import { binary, compare, negative, sliced } from './operators.js';
import { repr, str } from './print.js';
import { allTests } from './tests.js';
import {
  Dict,
  Func,
  type Host,
  isHost,
  isString,
  isTrue,
  iterate,
  JinjaError,
  Tuple,
  textOf,
  typeOf,
  Undefined,
  type Value,
} from './values.js';

/** Statements and expressions that a template may run, and what it may write. */
const maxSteps = 5_000_000;
const maxOutput = 2 ** 27;

/** A scope: variables by name, with lookup in the enclosing scopes. */
class Scope {
  readonly #values = new Map<string, Value>();

  constructor(readonly outer?: Scope) {}

  get(name: string): Value | undefined {
    return this.#values.has(name) ? this.#values.get(name)! : this.outer?.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

type Signal = 'break' | 'continue' | undefined;

/** What a template wrote. */
export interface Rendered {
  text: string;
  /** Where its `generation` blocks stand, in code units; those within macros and captured texts are left out. */
  generated: readonly (readonly [start: number, end: number])[];
}

/** Runs a template once. */
export class Renderer implements Engine {
  readonly #blocks = new Map<string, Statement[]>();
  readonly #top: Scope;
  #out = '';
  /** Where `generation` blocks stand in the text. */
  readonly #generated: [start: number, end: number][] = [];
  /** How many captures of text are going on: in them, places are not those of the whole text. */
  #captures = 0;
  #written = 0;
  #steps = 0;

  constructor(variables: ReadonlyMap<string, Value>, now: () => Date) {
    const outermost = new Scope();
    for (const [name, value] of globals(now)) outermost.set(name, value);
    for (const [name, value] of variables) outermost.set(name, value);
    this.#top = new Scope(outermost);
  }

  /** @throws JinjaError naming what went wrong, as Python would */
  render(template: readonly Statement[]): Rendered {
    this.#run(template, this.#top);
    return { text: this.#out, generated: this.#generated };
  }

  #write(text: string): void {
    this.#written += text.length;
    if (this.#written > maxOutput)
      throw new JinjaError(`the template writes more than ${maxOutput} code units`);
    this.#out += text;
  }

  #step(): void {
    if (++this.#steps > maxSteps)
      throw new JinjaError(`the template takes more than ${maxSteps} steps`);
  }

  #run(statements: readonly Statement[], scope: Scope): Signal {
    for (const statement of statements) {
      this.#step();
      const signal = this.#statement(statement, scope);
      if (signal) return signal;
    }
    return undefined;
  }

  /** What statements write, as a text. */
  #captured(statements: readonly Statement[], scope: Scope): string {
    const before = this.#out;
    this.#out = '';
    this.#captures++;
    try {
      this.#run(statements, scope);
      return this.#out;
    } finally {
      this.#out = before;
      this.#captures--;
    }
  }

  #statement(statement: Statement, scope: Scope): Signal {
    switch (statement.kind) {
      case 'data':
        this.#write(statement.text);
        return undefined;
      case 'output':
        this.#write(str(this.#value(statement.expression, scope)));
        return undefined;
      case 'if': {
        const taken = statement.branches.find(([test]) => isTrue(this.#value(test, scope)));
        return this.#run(taken ? taken[1] : statement.otherwise, scope);
      }
      case 'for':
        this.#loop(statement, this.#value(statement.source, scope), scope, 0);
        return undefined;
      case 'set':
        this.#assign(statement.target, this.#value(statement.value, scope), scope);
        return undefined;
      case 'setBlock': {
        const text = this.#captured(statement.body, new Scope(scope));
        this.#assign(
          statement.target,
          statement.filter ? this.#filtered(statement.filter, text, scope) : text,
          scope,
        );
        return undefined;
      }
      case 'macro':
        scope.set(
          statement.name,
          this.#macro(statement.name, statement.parameters, statement.body, scope),
        );
        return undefined;
      case 'call': {
        const caller = this.#macro('caller', statement.parameters, statement.body, scope);
        const { target, args } = statement.call as Expression & { kind: 'call' };
        const [list, named] = this.#arguments(args, scope);
        named.set('caller', caller);
        this.#write(str(this.#call(this.#value(target, scope), list, named)));
        return undefined;
      }
      case 'filter': {
        const text = this.#captured(statement.body, new Scope(scope));
        this.#write(str(this.#filtered(statement.filter, text, scope)));
        return undefined;
      }
      case 'with': {
        const inner = new Scope(scope);
        const values = statement.entries.map(([, value]) => this.#value(value, scope));
        statement.entries.forEach(([target], i) => {
          this.#assign(target, values[i]!, inner);
        });
        return this.#run(statement.body, inner);
      }
      case 'block':
        this.#blocks.set(statement.name, statement.body);
        this.#run(statement.body, new Scope(this.#top));
        return undefined;
      case 'generation': {
        const start = this.#out.length;
        const signal = this.#run(statement.body, scope);
        if (this.#captures === 0) this.#generated.push([start, this.#out.length]);
        return signal;
      }
      case 'refused':
        throw new JinjaError(
          `line ${statement.line}: the tag '${statement.tag}' cannot be used: a chat template stands alone and is not HTML`,
        );
      default:
        return statement.kind;
    }
  }

  #loop(statement: ForStatement, source: Value, scope: Scope, depth: number): void {
    if (depth > 200)
      throw new JinjaError('RecursionError: a loop calls itself more than 200 times deep');
    const { target, test, recursive, body, otherwise } = statement;
    const passes = (value: Value): boolean => {
      if (!test) return true;
      const inner = new Scope(scope);
      this.#assign(target, value, inner);
      return isTrue(this.#value(test, inner));
    };
    const recurse = recursive
      ? (values: Value): string => {
          const before = this.#out;
          this.#out = '';
          this.#captures++;
          try {
            this.#loop(statement, values, scope, depth + 1);
            return this.#out;
          } finally {
            this.#out = before;
            this.#captures--;
          }
        }
      : undefined;
    const values: Value[] = [];
    for (const value of iterate(source)) {
      this.#step();
      if (passes(value)) values.push(value);
    }
    const loop = new Loop(values, depth, recurse);
    for (const value of values) {
      loop.advance();
      const inner = new Scope(scope);
      inner.set('loop', loop);
      this.#assign(target, value, inner);
      if (this.#run(body, inner) === 'break') break;
    }
    if (values.length === 0) this.#run(otherwise, new Scope(scope));
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.kind === 'name') scope.set(target.name, value);
    else if (target.kind === 'member') {
      const object = scope.get(target.object) ?? missingName(target.object);
      if (object instanceof Undefined) object.fail();
      if (!(object instanceof Namespace)) {
        throw new JinjaError(
          'TemplateRuntimeError: cannot assign attribute on non-namespace object',
        );
      }
      object.set(target.name, value);
    } else {
      if (value instanceof Undefined) value.fail();
      const values = [...iterate(value)];
      const wanted = target.items.length;
      if (values.length !== wanted) {
        throw new JinjaError(
          values.length > wanted
            ? `ValueError: too many values to unpack (expected ${wanted})`
            : `ValueError: not enough values to unpack (expected ${wanted}, got ${values.length})`,
        );
      }
      target.items.forEach((item, i) => {
        this.#assign(item, values[i]!, scope);
      });
    }
  }

  #macro(
    name: string,
    parameters: readonly Parameter[],
    body: readonly Statement[],
    scope: Scope,
  ): Host {
    const uses = usesOf(parameters, body);
    const call = (args: Positional, given: Named): Value => {
      const inner = new Scope(scope);
      const set = (own: string, value: Value) => inner.set(own, value);
      bindMacro({ name, parameters, uses }, args, given, set, (missing) =>
        this.#value(missing, inner),
      );
      return this.#captured(body, inner);
    };
    const attributes: Record<string, Value> = {
      name,
      arguments: new Tuple([...new Set(parameters.map((parameter) => parameter.name))]),
      catch_kwargs: uses.kwargs,
      catch_varargs: uses.varargs,
      caller: uses.caller,
    };
    return {
      type: 'Macro',
      call,
      attribute: (wanted) => (Object.hasOwn(attributes, wanted) ? attributes[wanted] : undefined),
      print: () => `<Macro ${repr(name)}>`,
    };
  }

  #arguments(args: Arguments, scope: Scope): [Value[], Map<string, Value>] {
    const list = args.list.map((item) => this.#value(item, scope));
    if (args.more) list.push(...iterate(this.#value(args.more, scope)));
    const named = new Map(args.named.map(([name, value]) => [name, this.#value(value, scope)]));
    if (args.moreNamed) {
      const more = this.#value(args.moreNamed, scope);
      if (!(more instanceof Dict)) {
        throw new JinjaError(`TypeError: argument after ** must be a mapping, not ${typeOf(more)}`);
      }
      for (const [name, value] of more.items()) named.set(str(name), value);
    }
    return [list, named];
  }

  #call(callee: Value, args: Positional, named: Named): Value {
    this.#step();
    if (callee instanceof Undefined) callee.fail();
    if (isHost(callee) && callee.call) return callee.call(args, named);
    throw new JinjaError(`TypeError: '${typeOf(callee)}' object is not callable`);
  }

  #filtered(filter: Expression, text: string, scope: Scope): Value {
    if (filter.kind !== 'filter') return text;
    const inner = filter.target ? this.#filtered(filter.target, text, scope) : text;
    const [list, named] = this.#arguments(filter.args, scope);
    return this.filter(filter.name, inner, list, named);
  }

  filter(name: string, value: Value, args: Positional, named: Named): Value {
    this.#step();
    if (!Object.hasOwn(filters, name)) {
      throw new JinjaError(`TemplateRuntimeError: No filter named '${name}'.`);
    }
    return filters[name]!(value, args, named, this);
  }

  test(name: string, value: Value, args: Positional, named: Named): boolean {
    if (name === 'filter') return isString(value) && Object.hasOwn(filters, textOf(value));
    if (name === 'test') {
      return (
        isString(value) &&
        (allTests.has(textOf(value)) || ['filter', 'test'].includes(textOf(value)))
      );
    }
    const test = allTests.get(name);
    if (!test) throw new JinjaError(`TemplateRuntimeError: No test named '${name}'.`);
    return test(value, args, named);
  }

  #value(node: Expression, scope: Scope): Value {
    this.#step();
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'name':
        return this.#name(node.name, scope);
      case 'list':
        return node.items.map((item) => this.#value(item, scope));
      case 'tuple':
        return new Tuple(node.items.map((item) => this.#value(item, scope)));
      case 'concat':
        return node.items.map((item) => str(this.#value(item, scope))).join('');
      case 'dict':
        return new Dict(
          node.entries.map(([key, value]): [Value, Value] => [
            this.#value(key, scope),
            this.#value(value, scope),
          ]),
        );
      case 'attribute':
        return this.attribute(this.#value(node.target, scope), node.name);
      case 'item': {
        const target = this.#value(node.target, scope);
        if (node.key.kind === 'slice') {
          const parts = node.key.parts.map((part) => part && this.#value(part, scope));
          return sliced(target, parts);
        }
        return this.item(target, this.#value(node.key, scope));
      }
      case 'slice':
        throw new JinjaError('TypeError: a slice stands alone between brackets');
      case 'call': {
        const callee = this.#value(node.target, scope);
        const [list, named] = this.#arguments(node.args, scope);
        return this.#call(callee, list, named);
      }
      case 'filter': {
        const target = this.#value(node.target!, scope);
        const [list, named] = this.#arguments(node.args, scope);
        return this.filter(node.name, target, list, named);
      }
      case 'test': {
        const target = this.#value(node.target, scope);
        const [list, named] = this.#arguments(node.args, scope);
        return this.test(node.name, target, list, named);
      }
      case 'unary': {
        const target = this.#value(node.target, scope);
        return node.sign === 'not' ? !isTrue(target) : negative(node.sign, target);
      }
      case 'binary': {
        const left = this.#value(node.left, scope);
        if (node.sign === 'and') return isTrue(left) ? this.#value(node.right, scope) : left;
        if (node.sign === 'or') return isTrue(left) ? left : this.#value(node.right, scope);
        return binary(node.sign, left, this.#value(node.right, scope));
      }
      case 'compare': {
        let left = this.#value(node.first, scope);
        for (const [sign, part] of node.rest) {
          const right = this.#value(part, scope);
          if (!compare(sign, left, right)) return false;
          left = right;
        }
        return true;
      }
      case 'if': {
        if (isTrue(this.#value(node.test, scope))) return this.#value(node.then, scope);
        if (node.otherwise) return this.#value(node.otherwise, scope);
        return new Undefined(
          'UndefinedError: the inline if-expression evaluated to false and no else section was defined.',
        );
      }
    }
  }

  #name(name: string, scope: Scope): Value {
    const value = scope.get(name);
    if (value !== undefined) return value;
    if (name !== 'self') return missingName(name);
    const blocks = this.#blocks;
    const block = (wanted: string) => {
      const body = blocks.get(wanted);
      return body && new Func(wanted, () => this.#captured(body, new Scope(this.#top)));
    };
    return { type: 'TemplateReference', attribute: block };
  }

  attribute(value: Value, name: string): Value {
    return attributeOf(value, name);
  }

  item(value: Value, key: Value): Value {
    return itemOf(value, key);
  }
}
