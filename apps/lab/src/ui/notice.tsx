import type { ReactElement, ReactNode } from 'react';
import { Button } from './button.js';

/** Something to know, with what to do about it. */
export function Notice({
  tone = 'plain',
  children,
  onClose,
}: {
  tone?: 'plain' | 'good' | 'warn' | 'bad';
  children: ReactNode;
  onClose?: () => void;
}): ReactElement {
  return (
    <div className={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <div>{children}</div>
      {onClose && (
        <Button icon="close" kind="quiet" small bare onClick={onClose}>
          Close this message
        </Button>
      )}
    </div>
  );
}

/** Where nothing is yet: what could be, and how to get it. */
export function Empty({ title, children }: { title: string; children: ReactNode }): ReactElement {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
