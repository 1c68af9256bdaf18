import type { ReactElement, ReactNode } from 'react';

/** Holds what may be wider than the page, and is then scrolled by pointer or keyboard. */
export function Scroll({ label, children }: { label: string; children: ReactNode }): ReactElement {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled by keyboard has to take the focus
    <section className="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
