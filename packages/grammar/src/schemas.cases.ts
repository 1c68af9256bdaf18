import { Random } from '@headwise/core';

/** A schema of the kinds that public test suites of structured output have, from a seed. */
export function schemaOf(seed: number): Record<string, unknown> {
  const random = new Random(seed);
  const below = (count: number) => random.nextUint32() % count;
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const names = ['id', 'name', 'größe', 'a/b', 'tags', 'x"y', 'kind', 'unit price', 'note', 'ok'];
  const patterns = [
    '^[A-Z]{2}-\\d{4}$',
    '^(?:foo|bar)+$',
    '[^"]x',
    '^\\w{3,8}@\\w+\\.(com|org)$',
    '^.{2,6}$',
    '\\d',
    '^[\\p{Lu}\\d]{1,5}\\s?$',
  ];
  const leaves: (() => Record<string, unknown>)[] = [
    () => ({ type: 'string', minLength: below(4), maxLength: 4 + below(12) }),
    () => ({ type: 'string', pattern: pick(patterns) }),
    () => ({ type: 'string', pattern: '[a-f]+', minLength: 2, maxLength: 9 }),
    () => ({
      type: 'string',
      format: pick(['date', 'time', 'date-time', 'uuid', 'ipv4', 'email', 'ipv6', 'uri']),
    }),
    () => ({ type: 'string', format: 'uuid', pattern: '^[a-f].*0$' }),
    () => ({ type: 'string', allOf: [{ pattern: '^[a-c]' }, { pattern: '\\d$' }], maxLength: 9 }),
    () => ({
      type: 'object',
      propertyNames: pick([{ enum: names }, { pattern: '^[a-z]{2}$' }]),
      additionalProperties: { type: 'integer', minimum: 0, maximum: 9 },
    }),
    () => ({ type: 'string' }),
    () => ({ type: 'integer', minimum: below(40) - 20, maximum: 20 + below(2000) }),
    () => ({ type: 'integer', exclusiveMinimum: -3.5, exclusiveMaximum: below(9) + 1 }),
    () => ({ type: 'number', minimum: -below(100) / 8, exclusiveMaximum: 0.25 + below(50) / 10 }),
    () => ({ type: 'number', exclusiveMinimum: below(3) / 10, maximum: 0.35 + below(5) }),
    () => ({ type: 'number', minimum: 1e-7 * below(9), maximum: 12.5 }),
    () => ({ type: ['number', 'null'], minimum: below(1e6) }),
    () => ({ type: 'integer', maximum: -below(1e6) }),
    () => ({ type: 'number' }),
    () => ({ type: 'boolean' }),
    () => ({ enum: [pick(names), below(100), null, true, [1, 'two'], { three: 3.5 }] }),
    () => ({ const: pick<unknown>(['const', -0.5, { nested: [null] }]) }),
    () => ({ type: ['integer', 'boolean', 'null'] }),
  ];
  const schema = (depth: number): Record<string, unknown> => {
    const kind = depth === 0 ? 9 : below(10);
    if (kind < 4) return object(depth);
    if (kind < 6) {
      const minItems = below(3);
      const items = schema(depth - 1);
      return { type: 'array', items, minItems, maxItems: minItems + below(4) };
    }
    if (kind === 6) {
      const prefixItems = [schema(depth - 1), pick(leaves)()];
      return {
        type: 'array',
        prefixItems,
        items: pick([false, { type: 'boolean' }]),
        minItems: below(3),
      };
    }
    if (kind === 7) return { anyOf: [schema(depth - 1), schema(depth - 1), pick(leaves)()] };
    if (kind === 8) {
      const variant = (type: string) => ({
        type: 'object',
        properties: { type: { const: type }, value: pick(leaves)() },
        required: ['type', 'value'],
      });
      return { oneOf: [variant('a'), variant('b')] };
    }
    return pick(leaves)();
  };
  const object = (depth: number): Record<string, unknown> => {
    const own = [...names].sort(() => below(3) - 1).slice(0, 1 + below(4));
    const properties = Object.fromEntries(own.map((name) => [name, schema(depth - 1)]));
    const required = own.filter(() => below(3) > 0);
    const extra = pick([undefined, undefined, false, true, { type: 'integer', minimum: 0 }]);
    return {
      type: 'object',
      properties,
      required,
      ...(extra === undefined ? {} : { additionalProperties: extra }),
    };
  };
  const root = object(3);
  if (below(5) > 0) return root;
  return {
    ...root,
    properties: {
      ...(root.properties as object),
      self: { $ref: '#' },
      tree: { $ref: '#/$defs/tree' },
    },
    $defs: {
      tree: {
        type: 'object',
        properties: {
          value: pick(leaves)(),
          children: { type: 'array', items: { $ref: '#/$defs/tree' } },
        },
        required: ['value'],
      },
    },
  };
}
