import { equals } from './operators.js';
import { Func, type Host, JinjaError, Undefined, type Value } from './values.js';

/** `loop`, inside a `for`. */
export class Loop implements Host {
  readonly type = 'LoopContext';
  #at = -1;
  #last: readonly Value[] | undefined;

  /** @param recurse writes the loop for other values; only a `recursive` one has it */
  constructor(
    readonly values: readonly Value[],
    readonly depth: number,
    readonly recurse: ((values: Value) => string) | undefined,
  ) {}

  advance(): void {
    this.#at++;
  }

  call(args: readonly Value[]): Value {
    if (this.recurse) return this.recurse(args[0] ?? null);
    throw new JinjaError(
      "TypeError: The loop must have the 'recursive' marker to be called recursively.",
    );
  }

  attribute(name: string): Value | undefined {
    const { values } = this;
    const at = this.#at;
    switch (name) {
      case 'index':
        return BigInt(at + 1);
      case 'index0':
        return BigInt(at);
      case 'revindex':
        return BigInt(values.length - at);
      case 'revindex0':
        return BigInt(values.length - at - 1);
      case 'first':
        return at === 0;
      case 'last':
        return at === values.length - 1;
      case 'length':
        return BigInt(values.length);
      case 'depth':
        return BigInt(this.depth + 1);
      case 'depth0':
        return BigInt(this.depth);
      case 'previtem':
        return at > 0 ? values[at - 1] : new Undefined('UndefinedError: there is no previous item');
      case 'nextitem':
        return at + 1 < values.length
          ? values[at + 1]
          : new Undefined('UndefinedError: there is no next item');
      case 'cycle':
        return new Func(name, (args) => {
          if (args.length === 0) throw new JinjaError('TypeError: no items for cycling given');
          return args[at % args.length]!;
        });
      case 'changed':
        return new Func(name, (args) => {
          const changed = !this.#last || !equals([...this.#last], [...args]);
          this.#last = args;
          return changed;
        });
      default:
        return undefined;
    }
  }

  size(): number {
    return this.values.length;
  }

  print(): string {
    return `<LoopContext ${this.#at + 1}/${this.values.length}>`;
  }
}
