import type { ReactElement, ReactNode } from 'react';

export interface FieldProps {
  label: string;
  hint?: string | undefined;
  problem?: string | undefined;
}

/** A label, a control, and below it what is wrong, or else a hint. */
export function Field({
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
        <span className="problem" id={`${id}-note`}>
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

/** Ties a control to what is said below it. */
export function noteOf(id: string, { hint, problem }: FieldProps): { 'aria-describedby'?: string } {
  return hint || problem ? { 'aria-describedby': `${id}-note` } : {};
}
