import { filters } from './filters.js';
import { allTests } from './tests.js';
import { JinjaError } from './values.js';

/** Branches may name unknown filters and tests as long as they are not taken. */
const lenient = new Set(['if', 'branches']);

/** @throws JinjaError naming a filter or test that Jinja does not have, where it is certain to be used */
export function checkNames(node: unknown): void {
  if (Array.isArray(node)) {
    for (const part of node) checkNames(part);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const { kind, name, line } = node as {
    kind?: string | undefined;
    name?: string | undefined;
    line?: number | undefined;
  };
  if (kind !== undefined && lenient.has(kind)) return;
  if (kind === 'filter' && name !== undefined && !Object.hasOwn(filters, name)) {
    throw new JinjaError(`line ${line}: No filter named '${name}'.`);
  }
  const known = name !== undefined && (allTests.has(name) || name === 'filter' || name === 'test');
  if (kind === 'test' && !known) throw new JinjaError(`line ${line}: No test named '${name}'.`);
  for (const part of Object.values(node)) checkNames(part);
}
