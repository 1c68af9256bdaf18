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
      <div className="notice-words">
        {typeof children === 'string' ? <Words text={children} /> : children}
      </div>
      {onClose && (
        <Button icon="close" kind="quiet" small bare onClick={onClose}>
          Close this message
        </Button>
      )}
    </div>
  );
}

/** Characters and lines of a message that are shown at once. */
const mostCharacters = 360;
const mostLines = 4;

/** A message; a long one shows its beginning and expands on request. */
export function Words({ text }: { text: string }): ReactElement {
  const start = beginning(text);
  if (start === text) return <p>{text}</p>;
  return (
    <>
      <p>{start} …</p>
      <details>
        <summary>The whole message</summary>
        <p className="whole-message">{text}</p>
      </details>
    </>
  );
}

/** The first lines of a text, cut between two words. */
export function beginning(text: string): string {
  const lines = text.split('\n');
  const start = lines.slice(0, mostLines).join('\n');
  if (start.length <= mostCharacters) return lines.length <= mostLines ? text : start;
  return start.slice(0, mostCharacters).replace(/[\s,]+\S*$/, '');
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
