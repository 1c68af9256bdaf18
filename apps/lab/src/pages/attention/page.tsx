import type { ReactElement } from 'react';

export function AttentionPage(): ReactElement {
  return <h1>Attention</h1>;
}
