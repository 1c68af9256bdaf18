/** Code points, both included. */
export type CharRange = readonly [first: number, last: number];

/** A language over characters; rules refer to each other by name. */
export type Expression =
  | {
      readonly kind: 'chars';
      /** Sorted and disjoint; none is a language without texts. */
      readonly ranges: readonly CharRange[];
      /** The character is written as within a JSON string: `"`, `\` and control characters by escapes. */
      readonly escaped?: boolean | undefined;
    }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly parts: readonly Expression[] }
  | {
      readonly kind: 'repeat';
      readonly part: Expression;
      readonly least: number;
      /** May be Infinity. */
      readonly most: number;
    }
  /** Texts of both parts, which have no rules. */
  | { readonly kind: 'both'; readonly parts: readonly [Expression, Expression] }
  | { readonly kind: 'rule'; readonly name: string };

/** A context-free grammar: rules by name, `root` among them. */
export type Rules = ReadonlyMap<string, Expression>;

export const sequence = (...parts: readonly Expression[]): Expression => ({
  kind: 'sequence',
  parts,
});
export const choice = (...parts: readonly Expression[]): Expression =>
  parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
export const repeat = (
  part: Expression,
  least: number,
  most: number = Number.POSITIVE_INFINITY,
): Expression => ({ kind: 'repeat', part, least, most });
export const both = (a: Expression, b: Expression): Expression => ({ kind: 'both', parts: [a, b] });
export const optional = (part: Expression): Expression => repeat(part, 0, 1);
export const rule = (name: string): Expression => ({ kind: 'rule', name });
export const chars = (ranges: readonly CharRange[]): Expression => ({ kind: 'chars', ranges });

/** The empty text alone. */
export const empty: Expression = { kind: 'sequence', parts: [] };
/** No text at all. */
export const never: Expression = { kind: 'choice', parts: [] };

/** One text. */
export const literal = (text: string): Expression =>
  sequence(...Array.from(text, (char) => single(char.codePointAt(0)!)));
const single = (code: number): Expression => chars([[code, code]]);

/** Texts as they are written within a JSON string. */
export function inString(expression: Expression): Expression {
  switch (expression.kind) {
    case 'chars':
      return { ...expression, escaped: true };
    case 'sequence':
    case 'choice':
      return { ...expression, parts: expression.parts.map(inString) };
    case 'both':
      return both(inString(expression.parts[0]), inString(expression.parts[1]));
    case 'repeat':
      return { ...expression, part: inString(expression.part) };
    default:
      return expression;
  }
}

/** The same language with other names of rules. */
export function renamed(expression: Expression, name: (old: string) => string): Expression {
  switch (expression.kind) {
    case 'rule':
      return rule(name(expression.name));
    case 'sequence':
    case 'choice':
      return { ...expression, parts: expression.parts.map((part) => renamed(part, name)) };
    case 'repeat':
      return { ...expression, part: renamed(expression.part, name) };
    default:
      return expression;
  }
}
