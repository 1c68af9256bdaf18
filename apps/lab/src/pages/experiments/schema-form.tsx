import type { ReactElement } from 'react';
import { z } from 'zod';
import { applies } from '../../model/differences.js';
import { type GroupName, groups, type RunConfig } from '../../model/run-config.js';
import { wordFor } from '../../model/words.js';
import { NumberField, SelectField } from '../../ui/fields.js';

/** What a JSON schema says of one value. */
interface Property {
  title?: string;
  description?: string;
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
}

/** What each group's schema says of its values. */
const described: Record<string, { properties?: object; required?: string[] }> = Object.fromEntries(
  Object.entries(groups).map(([group, schema]) => [
    group,
    z.toJSONSchema(schema, { io: 'output' }),
  ]),
);

/** The form of one group of a configuration, made from its schema. */
export function SchemaForm({
  group,
  config,
  problems,
  disabled = false,
  onChange,
}: {
  group: GroupName;
  config: RunConfig;
  /** What is wrong with values together, by key. */
  problems?: Readonly<Record<string, string>>;
  disabled?: boolean;
  onChange(key: string, value: unknown): void;
}): ReactElement {
  const values = config[group] as Record<string, unknown>;
  return (
    <div className="fields">
      {fieldsOf(group).map(([key, property]) => {
        if (property.title === undefined || !applies([group, key], config)) return null;
        const common = { label: property.title, hint: property.description, disabled };
        if (property.enum) {
          return (
            <SelectField
              key={key}
              {...common}
              value={String(values[key])}
              options={property.enum.map((value) => ({ value, label: wordFor(value) }))}
              onChange={(value) => onChange(key, value)}
            />
          );
        }
        return (
          <NumberField
            key={key}
            {...common}
            value={values[key] as number | undefined}
            min={property.minimum}
            max={property.maximum}
            whole={property.type === 'integer'}
            optional={!described[group]?.required?.includes(key)}
            problem={problems?.[key]}
            onChange={(value) => onChange(key, value)}
          />
        );
      })}
    </div>
  );
}

function fieldsOf(group: GroupName): [string, Property][] {
  return Object.entries(described[group]?.properties ?? {}) as [string, Property][];
}
