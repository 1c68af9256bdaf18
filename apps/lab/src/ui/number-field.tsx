import { type KeyboardEvent, type ReactElement, useEffect, useId, useState } from 'react';
import { Field, type FieldProps, noteOf } from './field.js';
import { type NumberLimits, numberProblem, readNumber } from './number-text.js';

export interface NumberFieldProps extends FieldProps {
  value: number | undefined;
  limits: NumberLimits;
  disabled?: boolean | undefined;
  /** Called with the number of the text, even out of its limits, or NaN if it is not a number. */
  onChange(value: number | undefined): void;
}

/** A number. What is wrong with it is said, and given on all the same: who uses it checks it. */
export function NumberField(props: NumberFieldProps): ReactElement {
  const { label, hint, value, limits, disabled, onChange } = props;
  const { min, max, whole } = limits;
  const id = useId();
  const [text, setText] = useState(shown(value));
  useEffect(() => {
    setText((before) => (Object.is(readNumber(before, limits), value) ? before : shown(value)));
  }, [value]);
  const problem = disabled ? undefined : (numberProblem(value, limits) ?? props.problem);
  const write = (next: string) => {
    setText(next);
    onChange(readNumber(next, limits));
  };
  const step = (event: KeyboardEvent, by: number) => {
    if (!whole || disabled) return;
    event.preventDefault();
    const next = (Number.isFinite(value) ? value! : (min ?? 0)) + by;
    write(String(Math.min(max ?? next, Math.max(min ?? next, Math.round(next)))));
  };
  return (
    <Field id={id} label={label} hint={hint} problem={problem}>
      {/* A number input hides what it cannot read; here the text is all there is. */}
      <input
        id={id}
        className="input number"
        type="text"
        role="spinbutton"
        inputMode={whole ? 'numeric' : 'decimal'}
        autoComplete="off"
        spellCheck={false}
        value={text}
        disabled={disabled}
        aria-valuemin={min}
        aria-valuemax={max}
        aria-valuenow={Number.isFinite(value) ? value : undefined}
        aria-valuetext={text}
        aria-invalid={problem !== undefined}
        {...noteOf(id, { label, hint, problem })}
        onChange={(event) => write(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowUp') step(event, 1);
          if (event.key === 'ArrowDown') step(event, -1);
        }}
      />
    </Field>
  );
}

function shown(value: number | undefined): string {
  return Number.isFinite(value) ? String(value) : '';
}
