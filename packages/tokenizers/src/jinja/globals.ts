import { bind, type Named, type Positional, wholeNumber } from './arguments.js';
import { repr, str } from './print.js';
import { strftime } from './strftime.js';
import {
  Dict,
  Func,
  type Host,
  iterate,
  JinjaError,
  Range,
  Undefined,
  type Value,
} from './values.js';

/** The most items that Jinja's sandbox lets a range have. */
const maxRange = 100_000;

/** What `namespace(…)` makes: an object whose attributes a template can set. */
export class Namespace implements Host {
  readonly type = 'Namespace';
  readonly attributes: Dict;

  constructor(attributes: Dict) {
    this.attributes = new Dict();
    for (const [name, value] of attributes.items()) this.set(str(name), value);
  }

  set(name: string, value: Value): void {
    if (name.startsWith('_')) {
      throw new JinjaError(
        `SecurityError: Chat templates cannot store underscore-prefixed attributes on a namespace, but got '${name}'. Please rename the attribute.`,
      );
    }
    this.attributes.set(name, value);
  }

  attribute(name: string): Value | undefined {
    return this.attributes.has(name) ? this.attributes.get(name)! : undefined;
  }

  print(): string {
    return `<Namespace ${repr(this.attributes)}>`;
  }
}

class Cycler implements Host {
  readonly type = 'Cycler';
  #at = 0;

  constructor(readonly items: Positional) {
    if (items.length === 0)
      throw new JinjaError('RuntimeError: at least one item has to be provided');
  }

  attribute(name: string): Value | undefined {
    if (name === 'current') return this.items[this.#at]!;
    if (name === 'reset') {
      return new Func(name, () => {
        this.#at = 0;
        return null;
      });
    }
    if (name !== 'next') return undefined;
    return new Func(name, () => {
      const item = this.items[this.#at]!;
      this.#at = (this.#at + 1) % this.items.length;
      return item;
    });
  }
}

/** `dict(…)`: entries of a dict or of pairs, and names. */
function dict(args: Positional, named: Named): Dict {
  const made = new Dict();
  const [source] = args;
  if (source instanceof Dict) for (const [key, value] of source.items()) made.set(key, value);
  else if (source !== undefined) {
    for (const pair of iterate(source)) {
      const [key, value, more] = [...iterate(pair)];
      if (key === undefined || value === undefined || more !== undefined) {
        throw new JinjaError(
          'ValueError: dictionary update sequence element has another length; 2 is required',
        );
      }
      made.set(key, value);
    }
  }
  for (const [name, value] of named) made.set(name, value);
  return made;
}

function range(args: Positional): Range {
  const numbers = args.map((value) => BigInt(wholeNumber(value, "an argument of 'range'")));
  if (numbers.length === 0 || numbers.length > 3) {
    throw new JinjaError(`TypeError: range expected 1 to 3 arguments, got ${numbers.length}`);
  }
  const [start, stop, step] =
    numbers.length === 1 ? [0n, numbers[0]!, 1n] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1n];
  if (step === 0n) throw new JinjaError('ValueError: range() arg 3 must not be zero');
  const made = new Range(start, stop, step);
  if (made.size() <= maxRange) return made;
  throw new JinjaError(
    `OverflowError: Range too big. The sandbox blocks ranges larger than MAX_RANGE (${maxRange}).`,
  );
}

/** The functions that transformers' templates are given. */
export function globals(now: () => Date): ReadonlyMap<string, Value> {
  const functions: Record<string, (args: Positional, named: Named) => Value> = {
    range,
    namespace: (args, named) => new Namespace(dict(args, named)),
    cycler: (args) => new Cycler(args),
    joiner: (args, named) => {
      const [separator = ', '] = bind('joiner', ['sep'], args, named);
      let used = false;
      return new Func('joiner', () => {
        const text = used ? separator : '';
        used = true;
        return text;
      });
    },
    lipsum: () => {
      throw new JinjaError("the function 'lipsum' cannot be used here: it writes random text");
    },
    raise_exception: (args, named) => {
      throw new JinjaError(str(bind('raise_exception', ['message'], args, named)[0] ?? null));
    },
    strftime_now: (args, named) => {
      const [format] = bind('strftime_now', ['format'], args, named);
      if (typeof format !== 'string') throw new JinjaError('TypeError: strftime_now takes a text');
      return strftime(now(), format);
    },
  };
  const made = new Map<string, Value>(
    Object.entries(functions).map(([name, run]) => [name, new Func(name, run)]),
  );
  return made.set('dict', new DictFunction());
}

/** `dict`, which is a function and has one. */
class DictFunction implements Host {
  readonly type = 'TemplateDict';

  call(args: Positional, named: Named): Value {
    return dict(args, named);
  }

  attribute(name: string): Value | undefined {
    if (name !== 'fromkeys') return undefined;
    return new Func(
      name,
      ([keys = null, value = null]) =>
        new Dict(Array.from(iterate(keys), (key): [Value, Value] => [key, value])),
    );
  }
}

/** The names of a template that are neither variables nor functions. */
export const missingName = (name: string): Undefined =>
  new Undefined(`UndefinedError: '${name}' is undefined`);
