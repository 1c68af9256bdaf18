import { Slider, Switch } from 'radix-ui';
import { type ReactElement, type ReactNode, useEffect, useId, useState } from 'react';

interface FieldProps {
  label: string;
  hint?: string | undefined;
  problem?: string | undefined;
}

function Field({
  id,
  label,
  hint,
  problem,
  children,
}: FieldProps & { id: string; children: ReactNode }): ReactElement {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {problem ? (
        <span className="problem" id={`${id}-note`} role="alert">
          {problem}
        </span>
      ) : (
        hint && (
          <span className="hint" id={`${id}-note`}>
            {hint}
          </span>
        )
      )}
    </div>
  );
}

const noteOf = (id: string, { hint, problem }: FieldProps) =>
  hint || problem ? { 'aria-describedby': `${id}-note` } : {};

export interface NumberFieldProps extends FieldProps {
  value: number | undefined;
  min?: number | undefined;
  max?: number | undefined;
  whole?: boolean;
  /** Empty is an answer. */
  optional?: boolean;
  disabled?: boolean;
  onChange(value: number | undefined): void;
}

/** A number; what is no number in range is said, and not given on. */
export function NumberField(props: NumberFieldProps): ReactElement {
  const { label, hint, value, min, max, whole = false, optional = false, onChange } = props;
  const id = useId();
  const [text, setText] = useState(shown(value));
  useEffect(() => {
    setText((before) => (parsed(before) === value ? before : shown(value)));
  }, [value]);
  const number = parsed(text);
  const problem = props.problem ?? problemOf(number, text, { min, max, whole, optional });
  return (
    <Field id={id} label={label} hint={hint} problem={problem}>
      <input
        id={id}
        className="input"
        type="number"
        inputMode="decimal"
        step="any"
        min={min}
        max={max}
        value={text}
        disabled={props.disabled}
        aria-invalid={problem !== undefined}
        {...noteOf(id, { label, hint, problem })}
        onChange={(event) => {
          const next = event.target.value;
          setText(next);
          const given = parsed(next);
          if (problemOf(given, next, { min, max, whole, optional }) === undefined) onChange(given);
        }}
      />
    </Field>
  );
}

const shown = (value: number | undefined): string => (value === undefined ? '' : String(value));

function parsed(text: string): number | undefined {
  return text.trim() === '' ? undefined : Number(text);
}

function problemOf(
  value: number | undefined,
  text: string,
  { min, max, whole, optional }: Pick<NumberFieldProps, 'min' | 'max' | 'whole' | 'optional'>,
): string | undefined {
  if (text.trim() === '') return optional ? undefined : 'Give a number.';
  if (value === undefined || Number.isNaN(value)) return 'Give a number.';
  if (whole && !Number.isInteger(value)) return 'Give a whole number.';
  if (min !== undefined && value < min) return `At least ${min}.`;
  if (max !== undefined && value > max) return `At most ${max}.`;
  return undefined;
}

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
