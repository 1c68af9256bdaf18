import type { Arguments, Expression, Target } from './ast.js';
import { type Token, type TokenKind, tokenize } from './lexer.js';
import { JinjaError } from './values.js';

const constants: Readonly<Record<string, boolean | null>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** Names that end a test without argument. */
const afterTest = new Set(['else', 'or', 'and', 'is', 'if', 'not', 'in', 'recursive']);
/** Names that are signs of the language. */
const keywords = new Set([...afterTest, 'elif', 'for']);

/** Reads the expressions of a template's tags. */
export class ExpressionParser {
  readonly tokens: readonly Token[];
  at = 0;

  constructor(source: string) {
    this.tokens = tokenize(source);
  }

  peek(): Token | undefined {
    return this.tokens[this.at];
  }

  get line(): number {
    return (this.peek() ?? this.tokens.at(-1))?.line ?? 1;
  }

  fail(what: string): never {
    throw new JinjaError(`line ${this.line}: ${what}`);
  }

  sees(kind: TokenKind, text?: string): boolean {
    const token = this.peek();
    return token?.kind === kind && (text === undefined || token.text === text);
  }

  take(kind: TokenKind, text?: string): boolean {
    if (!this.sees(kind, text)) return false;
    this.at++;
    return true;
  }

  expect(kind: TokenKind, text?: string): Token {
    const token = this.peek();
    if (!this.take(kind, text)) {
      this.fail(`expected ${text ? `'${text}'` : `a ${kind}`}, got '${token?.text ?? 'the end'}'`);
    }
    return token!;
  }

  #sign(text: string): boolean {
    return this.take('operator', text);
  }

  /** An expression, or several with commas between them, which are a tuple. */
  tuple(withIf = true, ends: readonly string[] = [], explicit = false): Expression {
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0 && !this.#sign(',')) break;
      if (items.length > 0) isTuple = true;
      if (this.#endsTuple(ends)) break;
      items.push(withIf ? this.expression() : this.#or());
    }
    if (!isTuple && items.length === 1) return items[0]!;
    if (items.length === 0 && !explicit)
      this.fail(`expected an expression, got '${this.peek()?.text}'`);
    return { kind: 'tuple', items };
  }

  #endsTuple(ends: readonly string[]): boolean {
    const token = this.peek();
    if (!token || token.kind === 'end') return true;
    if (token.kind === 'operator') return token.text === ')' || token.text === '=';
    return token.kind === 'name' && ends.includes(token.text);
  }

  /** With an `… if … else …`. */
  expression(): Expression {
    let then = this.#or();
    while (this.take('name', 'if')) {
      const test = this.#or();
      const otherwise = this.take('name', 'else') ? this.expression() : undefined;
      then = { kind: 'if', test, then, otherwise };
    }
    return then;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.take('name', 'or')) left = { kind: 'binary', sign: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.take('name', 'and'))
      left = { kind: 'binary', sign: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    if (this.take('name', 'not')) return { kind: 'unary', sign: 'not', target: this.#not() };
    return this.#compare();
  }

  #compare(): Expression {
    const first = this.#sum();
    const rest: [string, Expression][] = [];
    for (;;) {
      const token = this.peek();
      if (token?.kind === 'operator' && comparisons.has(token.text)) {
        this.at++;
        rest.push([token.text, this.#sum()]);
      } else if (this.take('name', 'in')) rest.push(['in', this.#sum()]);
      else if (this.sees('name', 'not') && this.tokens[this.at + 1]?.text === 'in') {
        this.at += 2;
        rest.push(['not in', this.#sum()]);
      } else break;
    }
    return rest.length > 0 ? { kind: 'compare', first, rest } : first;
  }

  #sum(): Expression {
    let left = this.#concat();
    while (this.sees('operator', '+') || this.sees('operator', '-')) {
      const sign = this.tokens[this.at++]!.text;
      left = { kind: 'binary', sign, left, right: this.#concat() };
    }
    return left;
  }

  #concat(): Expression {
    const items = [this.#product()];
    while (this.#sign('~')) items.push(this.#product());
    return items.length > 1 ? { kind: 'concat', items } : items[0]!;
  }

  #product(): Expression {
    let left = this.#power();
    while (['*', '/', '//', '%'].some((sign) => this.sees('operator', sign))) {
      const sign = this.tokens[this.at++]!.text;
      left = { kind: 'binary', sign, left, right: this.#power() };
    }
    return left;
  }

  #power(): Expression {
    let left = this.#unary();
    while (this.#sign('**')) left = { kind: 'binary', sign: '**', left, right: this.#unary() };
    return left;
  }

  #unary(withFilters = true): Expression {
    let node: Expression;
    if (this.#sign('-')) node = { kind: 'unary', sign: '-', target: this.#unary(false) };
    else if (this.#sign('+')) node = { kind: 'unary', sign: '+', target: this.#unary(false) };
    else node = this.#primary();
    node = this.#postfix(node);
    return withFilters ? this.#filtersAndTests(node) : node;
  }

  #primary(): Expression {
    const token = this.peek();
    if (token?.kind === 'name' && !keywords.has(token.text)) {
      this.at++;
      if (Object.hasOwn(constants, token.text)) {
        return { kind: 'constant', value: constants[token.text]! };
      }
      return { kind: 'name', name: token.text };
    }
    if (token?.kind === 'string') {
      let text = '';
      while (this.sees('string')) text += this.tokens[this.at++]!.text;
      return { kind: 'constant', value: text };
    }
    if (this.take('integer')) return { kind: 'constant', value: BigInt(token!.text) };
    if (this.take('float')) return { kind: 'constant', value: Number(token!.text) };
    if (this.#sign('(')) {
      const node = this.tuple(true, [], true);
      this.expect('operator', ')');
      return node;
    }
    if (this.#sign('[')) return this.#list();
    if (this.#sign('{')) return this.#dict();
    return this.fail(`unexpected '${token?.text ?? 'end of the template'}'`);
  }

  #list(): Expression {
    const items: Expression[] = [];
    while (!this.#sign(']')) {
      if (items.length > 0) this.expect('operator', ',');
      if (this.#sign(']')) break;
      items.push(this.expression());
    }
    return { kind: 'list', items };
  }

  #dict(): Expression {
    const entries: [Expression, Expression][] = [];
    while (!this.#sign('}')) {
      if (entries.length > 0) this.expect('operator', ',');
      if (this.#sign('}')) break;
      const key = this.expression();
      this.expect('operator', ':');
      entries.push([key, this.expression()]);
    }
    return { kind: 'dict', entries };
  }

  #postfix(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.#sign('.')) {
        const token = this.peek();
        if (this.take('name')) node = { kind: 'attribute', target: node, name: token!.text };
        else {
          const key = BigInt(this.expect('integer').text);
          node = { kind: 'item', target: node, key: { kind: 'constant', value: key } };
        }
      } else if (this.#sign('[')) node = { kind: 'item', target: node, key: this.#subscripts() };
      else if (this.sees('operator', '(')) {
        node = { kind: 'call', target: node, args: this.arguments() };
      } else return node;
    }
  }

  #subscripts(): Expression {
    const items: Expression[] = [];
    while (!this.#sign(']')) {
      if (items.length > 0) this.expect('operator', ',');
      items.push(this.#subscript());
    }
    return items.length === 1 ? items[0]! : { kind: 'tuple', items };
  }

  #subscript(): Expression {
    const parts: (Expression | undefined)[] = [];
    const isEnd = () => [':', ']', ','].some((sign) => this.sees('operator', sign));
    parts.push(isEnd() ? undefined : this.expression());
    while (parts.length < 3 && this.#sign(':')) parts.push(isEnd() ? undefined : this.expression());
    return parts.length === 1
      ? (parts[0] ?? this.fail("expected an expression, got ']'"))
      : { kind: 'slice', parts };
  }

  #filtersAndTests(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.#sign('|')) node = this.filter(node);
      else if (this.take('name', 'is')) node = this.#test(node);
      else if (this.sees('operator', '(')) {
        node = { kind: 'call', target: node, args: this.arguments() };
      } else return node;
    }
  }

  /** A filter's name and arguments, and the filters behind it. */
  filter(target: Expression | undefined): Expression {
    const { line } = this;
    const name = this.#dotted();
    const args = this.sees('operator', '(') ? this.arguments() : noArguments();
    return { kind: 'filter', target, name, args, line };
  }

  /** Filters, one behind the other, of a text that is not there yet. */
  filters(): Expression {
    let node = this.filter(undefined);
    while (this.#sign('|')) node = this.filter(node);
    return node;
  }

  #dotted(): string {
    let name = this.expect('name').text;
    while (this.#sign('.')) name += `.${this.expect('name').text}`;
    return name;
  }

  #test(target: Expression): Expression {
    const { line } = this;
    const negated = this.take('name', 'not');
    const name = this.#dotted();
    let args = noArguments();
    const token = this.peek();
    if (this.sees('operator', '(')) args = this.arguments();
    else if (token && this.#startsArgument(token)) {
      if (token.kind === 'name' && token.text === 'is')
        this.fail('You cannot chain multiple tests with is');
      args = { ...noArguments(), list: [this.#postfix(this.#primary())] };
    }
    const node: Expression = { kind: 'test', target, name, args, line };
    return negated ? { kind: 'unary', sign: 'not', target: node } : node;
  }

  #startsArgument({ kind, text }: Token): boolean {
    if (kind === 'name')
      return !['else', 'or', 'and', 'if', 'not', 'in', 'recursive', 'elif', 'for'].includes(text);
    if (kind === 'operator') return text === '[' || text === '{';
    return kind === 'string' || kind === 'integer' || kind === 'float';
  }

  /** The arguments of a call. */
  arguments(): Arguments {
    const args = noArguments();
    this.expect('operator', '(');
    for (let first = true; !this.#sign(')'); first = false) {
      if (!first) {
        this.expect('operator', ',');
        if (this.#sign(')')) break;
      }
      if (this.#sign('*')) args.more = this.expression();
      else if (this.#sign('**')) args.moreNamed = this.expression();
      else if (
        this.sees('name') &&
        this.tokens[this.at + 1]?.text === '=' &&
        this.tokens[this.at + 1]?.kind === 'operator'
      ) {
        const name = this.expect('name').text;
        this.at++;
        args.named.push([name, this.expression()]);
      } else {
        if (args.named.length > 0 || args.moreNamed) {
          this.fail('invalid syntax for function call expression');
        }
        args.list.push(this.expression());
      }
    }
    return args;
  }

  /** What is assigned to: names, or `namespace.name`. */
  target(ends: readonly string[], withMember = false): Target {
    const items: Target[] = [];
    let isTuple = false;
    do {
      if (items.length > 0) isTuple = true;
      if (this.sees('operator', '=') || ends.some((end) => this.sees('name', end))) break;
      if (this.sees('operator', ')')) break;
      if (this.#sign('(')) {
        items.push(this.target([]));
        this.expect('operator', ')');
        continue;
      }
      const { text: name } = this.expect('name');
      if (Object.hasOwn(constants, name)) this.fail(`can't assign to '${name}'`);
      if (withMember && this.#sign('.')) {
        items.push({ kind: 'member', object: name, name: this.expect('name').text });
      } else items.push({ kind: 'name', name });
    } while (this.#sign(','));
    if (items.length === 0) this.fail('expected a name to assign to');
    return items.length === 1 && !isTuple ? items[0]! : { kind: 'tuple', items };
  }
}

const noArguments = (): Arguments => ({
  list: [],
  named: [],
  more: undefined,
  moreNamed: undefined,
});
