import type { Parameter, Statement } from './ast.js';
import { ExpressionParser } from './expressions.js';

/** Tags that read other templates, which transformers' environment has no loader for, and escaping. */
const refusedTags = new Set(['include', 'import', 'from', 'extends', 'autoescape']);
const endTags = new Set(['elif', 'else', 'break', 'continue']);

/**
 * Reads a template: Jinja's tags, `break` and `continue`, and transformers' `generation`.
 *
 * @throws JinjaError naming the line and what is wrong with it
 */
export function parse(source: string): Statement[] {
  const parser = new StatementParser(source);
  return parser.template();
}

class StatementParser {
  readonly #in: ExpressionParser;
  #loops = 0;

  constructor(source: string) {
    this.#in = new ExpressionParser(source);
  }

  template(): Statement[] {
    const body = this.#until([]);
    return body;
  }

  /** Statements up to a block of one of these names, which is left; up to the end where there are none. */
  #until(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    for (;;) {
      const token = this.#in.peek();
      if (!token) {
        if (ends.length > 0) this.#in.fail(`the template ends; expected '${ends.join("' or '")}'`);
        return body;
      }
      if (this.#in.take('data')) body.push({ kind: 'data', text: token.text });
      else if (this.#in.take('begin', 'variable')) {
        const expression = this.#in.tuple();
        this.#in.expect('end');
        body.push({ kind: 'output', expression, line: token.line });
      } else {
        const name = this.#in.tokens[this.#in.at + 1]?.text ?? '';
        if (ends.includes(name)) {
          this.#in.at += 2;
          return body;
        }
        this.#in.expect('begin', 'block');
        body.push(...this.#tag());
      }
    }
  }

  #tag(): Statement[] {
    const parser = this.#in;
    const { line } = parser;
    const tag = parser.expect('name').text;
    switch (tag) {
      case 'if':
        return [this.#if()];
      case 'for':
        return [this.#for()];
      case 'set':
        return [this.#set()];
      case 'macro':
        return [this.#macro()];
      case 'call': {
        const parameters = parser.sees('operator', '(') ? this.#parameters() : [];
        const call = parser.expression();
        if (call.kind !== 'call') parser.fail("expected a call behind 'call'");
        return [{ kind: 'call', call, parameters, body: this.#block('endcall') }];
      }
      case 'filter': {
        const filter = parser.filters();
        return [{ kind: 'filter', filter, body: this.#block('endfilter') }];
      }
      case 'with':
        return [this.#with()];
      case 'block': {
        const { text: name } = parser.expect('name');
        while (parser.take('name', 'scoped') || parser.take('name', 'required'));
        const body = this.#block('endblock', name);
        return [{ kind: 'block', name, body }];
      }
      case 'generation':
        return [{ kind: 'generation', body: this.#block('endgeneration') }];
      case 'break':
      case 'continue':
        if (this.#loops === 0) parser.fail(`'${tag}' outside of a loop`);
        parser.expect('end');
        return [{ kind: tag }];
      default:
        if (!refusedTags.has(tag)) {
          parser.fail(
            endTags.has(tag) || tag.startsWith('end')
              ? `unexpected tag '${tag}'`
              : `unknown tag '${tag}'`,
          );
        }
        while (!parser.take('end')) parser.at++;
        return [{ kind: 'refused', tag, line }];
    }
  }

  /** The rest of a tag, its body, and the tag that ends it. */
  #block(end: string, name?: string): Statement[] {
    this.#in.expect('end');
    const body = this.#until([end]);
    if (name !== undefined) this.#in.take('name', name);
    this.#in.expect('end');
    return body;
  }

  #if(): Statement {
    const parser = this.#in;
    const branches: [import('./ast.js').Expression, Statement[]][] = [];
    let otherwise: Statement[] = [];
    for (let more = true; more; ) {
      const test = parser.tuple(false);
      parser.expect('end');
      branches.push([test, this.#until(['elif', 'else', 'endif'])]);
      const ended = parser.tokens[parser.at - 1]!.text;
      more = ended === 'elif';
      if (ended === 'else') {
        parser.expect('end');
        otherwise = this.#until(['endif']);
      }
    }
    parser.expect('end');
    return { kind: 'if', branches, otherwise };
  }

  #for(): Statement {
    const parser = this.#in;
    const target = parser.target(['in']);
    parser.expect('name', 'in');
    const source = parser.tuple(false, ['recursive', 'if']);
    const test = parser.take('name', 'if') ? parser.expression() : undefined;
    const recursive = parser.take('name', 'recursive');
    parser.expect('end');
    this.#loops++;
    const body = this.#until(['endfor', 'else']);
    this.#loops--;
    let otherwise: Statement[] = [];
    if (parser.tokens[parser.at - 1]!.text === 'else') {
      parser.expect('end');
      otherwise = this.#until(['endfor']);
    }
    parser.expect('end');
    return { kind: 'for', target, source, test, recursive, body, otherwise };
  }

  #set(): Statement {
    const parser = this.#in;
    const target = parser.target([], true);
    if (parser.take('operator', '=')) {
      const value = parser.tuple();
      parser.expect('end');
      return { kind: 'set', target, value };
    }
    const filter = parser.take('operator', '|') ? parser.filters() : undefined;
    return { kind: 'setBlock', target, filter, body: this.#block('endset') };
  }

  #macro(): Statement {
    const { text: name } = this.#in.expect('name');
    const parameters = this.#parameters();
    const loops = this.#loops;
    this.#loops = 0;
    const body = this.#block('endmacro', name);
    this.#loops = loops;
    return { kind: 'macro', name, parameters, body };
  }

  #parameters(): Parameter[] {
    const parser = this.#in;
    const parameters: Parameter[] = [];
    parser.expect('operator', '(');
    while (!parser.take('operator', ')')) {
      if (parameters.length > 0) parser.expect('operator', ',');
      const { text: name } = parser.expect('name');
      const missing = parser.take('operator', '=') ? parser.expression() : undefined;
      if (!missing && parameters.at(-1)?.missing) {
        parser.fail('non-default argument follows default argument');
      }
      parameters.push({ name, missing });
    }
    return parameters;
  }

  #with(): Statement {
    const parser = this.#in;
    const entries: [import('./ast.js').Target, import('./ast.js').Expression][] = [];
    while (!parser.sees('end')) {
      if (entries.length > 0) parser.expect('operator', ',');
      const { text: name } = parser.expect('name');
      parser.expect('operator', '=');
      entries.push([{ kind: 'name', name }, parser.expression()]);
    }
    return { kind: 'with', entries, body: this.#block('endwith') };
  }
}
