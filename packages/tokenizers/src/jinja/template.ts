import type { Statement } from './ast.js';
import { checkNames } from './check.js';
import { parse } from './parser.js';
import { type Rendered, Renderer } from './render.js';
import { fromJs, JinjaError, type Value } from './values.js';

/**
 * A Jinja template, run as `jinja2` runs it with transformers' settings: a sandbox, `trim_blocks`, `lstrip_blocks`,
 * `loopcontrols`.
 *
 * @see https://jinja.palletsprojects.com/en/stable/templates/
 */
export class Template {
  readonly #statements: readonly Statement[];

  /** @throws JinjaError naming the line and what is wrong with it */
  constructor(source: string) {
    this.#statements = parse(source);
    checkNames(this.#statements);
  }

  /** @throws JinjaError naming what went wrong, as Python would */
  render(variables: Readonly<Record<string, unknown>>, now: () => Date): Rendered {
    const values = new Map<string, Value>();
    for (const [name, value] of Object.entries(variables)) {
      if (value !== undefined) values.set(name, fromJs(value));
    }
    try {
      return new Renderer(values, now).render(this.#statements);
    } catch (error) {
      if (error instanceof RangeError) {
        throw new JinjaError(
          `RecursionError: the template is nested too deeply (${error.message})`,
        );
      }
      throw error;
    }
  }
}
