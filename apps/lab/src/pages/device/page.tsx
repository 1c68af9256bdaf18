import type { ReactElement } from 'react';

export function DevicePage(): ReactElement {
  return <h1>Device</h1>;
}
