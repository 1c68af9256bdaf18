import type { ReactElement } from 'react';
import { applies } from '../../model/differences.js';
import type { GroupName, RunConfig } from '../../model/run-config.js';
import { type ConfigProblem, settings } from '../../model/settings.js';
import { wordFor } from '../../model/words.js';
import { SelectField, SwitchField } from '../../ui/fields.js';
import { NumberField } from '../../ui/number-field.js';

/** The form of one group of a configuration, made from its schema. */
export function SchemaForm({
  group,
  config,
  problems,
  onChange,
}: {
  group: GroupName;
  config: RunConfig;
  problems: readonly ConfigProblem[];
  onChange(key: string, value: unknown): void;
}): ReactElement {
  const values = config[group] as Record<string, unknown>;
  return (
    <div className="fields">
      {settings[group].map(({ key, title, description, choices, flag, limits }) => {
        if (!applies([group, key], config)) return null;
        const common = { label: title, hint: description };
        if (choices) {
          return (
            <SelectField
              key={key}
              {...common}
              value={String(values[key])}
              options={choices.map((value) => ({ value, label: wordFor(value) }))}
              onChange={(value) => onChange(key, value)}
            />
          );
        }
        if (flag) {
          return (
            <SwitchField
              key={key}
              label={title}
              checked={values[key] === true}
              onChange={(value) => onChange(key, value)}
            />
          );
        }
        return (
          <NumberField
            key={key}
            {...common}
            value={values[key] as number | undefined}
            limits={limits}
            problem={problems.find((one) => one.key?.join() === `${group},${key}`)?.message}
            onChange={(value) => onChange(key, value)}
          />
        );
      })}
    </div>
  );
}
