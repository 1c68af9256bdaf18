import type { ReactElement } from 'react';

export function PlaygroundPage(): ReactElement {
  return <h1>Playground</h1>;
}
