import type { Named, Positional } from './arguments.js';
import type { Expression, Parameter, Statement } from './ast.js';
import { Dict, JinjaError, Tuple, Undefined, type Value } from './values.js';

/** Which of the arguments beyond its parameters a macro reads. */
export type MacroUses = Readonly<Record<'varargs' | 'kwargs' | 'caller', boolean>>;

/** Which of `varargs`, `kwargs` and `caller` a macro reads. */
export function usesOf(parameters: readonly Parameter[], body: readonly Statement[]): MacroUses {
  const uses = (name: string) => mentions(body, name) || mentions(parameters, name);
  return { varargs: uses('varargs'), kwargs: uses('kwargs'), caller: uses('caller') };
}

/**
 * Binds the arguments of a call to the parameters of a macro.
 *
 * @param set declares a variable in the scope of the call
 * @param evaluate computes a parameter's default in that scope
 * @throws JinjaError for arguments that the macro does not take, as Jinja does
 */
export function bindMacro(
  { name, parameters, uses }: { name: string; parameters: readonly Parameter[]; uses: MacroUses },
  args: Positional,
  given: Named,
  set: (name: string, value: Value) => void,
  evaluate: (missing: Expression) => Value,
): void {
  const named = new Map(given);
  if (args.length > parameters.length && !uses.varargs) {
    throw new JinjaError(
      `TypeError: macro '${name}' takes not more than ${parameters.length} argument(s)`,
    );
  }
  parameters.forEach(({ name: own, missing }, i) => {
    let value = args[i];
    if (named.has(own)) {
      if (value !== undefined) {
        throw new JinjaError(
          `TypeError: macro '${name}' got multiple values for argument '${own}'`,
        );
      }
      value = named.get(own)!;
      named.delete(own);
    }
    if (value === undefined) {
      value = missing
        ? evaluate(missing)
        : new Undefined(`UndefinedError: parameter '${own}' was not provided`);
    }
    set(own, value);
  });
  if (uses.varargs) set('varargs', new Tuple(args.slice(parameters.length)));
  if (uses.caller && !parameters.some((parameter) => parameter.name === 'caller')) {
    set('caller', named.get('caller') ?? new Undefined('UndefinedError: No caller defined'));
    named.delete('caller');
  }
  if (uses.kwargs) set('kwargs', new Dict(named));
  else {
    const [other] = named.keys();
    if (other === 'caller') {
      throw new JinjaError(
        `TypeError: macro '${name}' was invoked with two values for the special caller argument. This is most likely a bug.`,
      );
    }
    if (other !== undefined) {
      throw new JinjaError(`TypeError: macro '${name}' takes no keyword argument '${other}'`);
    }
  }
}

/** Whether a name is read anywhere in some statements, those of inner macros left out. */
function mentions(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((part) => mentions(part, name));
  if (typeof node !== 'object' || node === null) return false;
  const { kind, name: own } = node as { kind?: unknown; name?: unknown };
  if (kind === 'name') return own === name;
  if (kind === 'macro') return false;
  return Object.values(node).some((part) => mentions(part, name));
}
