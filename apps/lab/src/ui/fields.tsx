import { Slider, Switch } from 'radix-ui';
import { type ReactElement, useId } from 'react';
import { Field, type FieldProps, noteOf } from './field.js';

export function SelectField<T extends string>({
  label,
  hint,
  value,
  options,
  disabled,
  onChange,
}: FieldProps & {
  value: T;
  options: readonly { value: T; label: string }[];
  disabled?: boolean;
  onChange(value: T): void;
}): ReactElement {
  const id = useId();
  return (
    <Field id={id} label={label} hint={hint}>
      <select
        id={id}
        className="input"
        value={value}
        title={options.find((option) => option.value === value)?.label}
        disabled={disabled}
        {...noteOf(id, { label, hint })}
        onChange={(event) => onChange(event.target.value as T)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Field>
  );
}

export function TextField({
  label,
  hint,
  problem,
  value,
  placeholder,
  lines,
  onChange,
  onEnter,
}: FieldProps & {
  value: string;
  placeholder?: string;
  /** More than one line; default a single one. */
  lines?: number;
  onChange(value: string): void;
  onEnter?: () => void;
}): ReactElement {
  const id = useId();
  const common = {
    id,
    className: 'input',
    value,
    placeholder,
    spellCheck: false,
    'aria-invalid': problem !== undefined,
    ...noteOf(id, { label, hint, problem }),
  };
  return (
    <Field id={id} label={label} hint={hint} problem={problem}>
      {lines ? (
        <textarea {...common} rows={lines} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input
          {...common}
          type="text"
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') onEnter?.();
          }}
        />
      )}
    </Field>
  );
}

export function SliderField({
  label,
  hint,
  value,
  shown: words,
  min,
  max,
  step,
  onChange,
}: FieldProps & {
  value: number;
  /** The value in words. */
  shown: string;
  min: number;
  max: number;
  step: number;
  onChange(value: number): void;
}): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <span className="row apart">
        <span className="label small" id={id}>
          {label}
        </span>
        <output className="num small">{words}</output>
      </span>
      <Slider.Root
        className="slider"
        value={[value]}
        min={min}
        max={max}
        step={step}
        onValueChange={([next]) => onChange(next!)}
      >
        <Slider.Track className="slider-track">
          <Slider.Range className="slider-range" />
        </Slider.Track>
        <Slider.Thumb className="slider-thumb" aria-labelledby={id} aria-valuetext={words} />
      </Slider.Root>
      {hint && <span className="hint">{hint}</span>}
    </div>
  );
}

export function SwitchField({
  label,
  checked,
  onChange,
}: {
  label: string;
  checked: boolean;
  onChange(checked: boolean): void;
}): ReactElement {
  const id = useId();
  return (
    <span className="row">
      <Switch.Root id={id} className="switch" checked={checked} onCheckedChange={onChange}>
        <Switch.Thumb />
      </Switch.Root>
      <label htmlFor={id} className="small">
        {label}
      </label>
    </span>
  );
}
