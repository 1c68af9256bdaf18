import { Component, type ReactElement, type ReactNode } from 'react';
import { LoadError } from '../loading.js';
import { Button } from './button.js';
import { Notice } from './notice.js';

interface BoundaryProps {
  /** What it holds, as the visitor knows it. */
  what: string;
  children: ReactNode;
  /** Told that the visitor tries again. */
  onRetry?: () => void;
}

interface BoundaryState {
  error: Error | undefined;
}

/** Shows what went wrong in place of what cannot be shown; the rest of the lab stays. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { error: undefined };
  readonly #retry = (): void => {
    this.props.onRetry?.();
    this.setState({ error: undefined });
  };
  readonly #online = (): void => {
    if (this.state.error instanceof LoadError && !this.state.error.gone) this.#retry();
  };

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidMount(): void {
    window.addEventListener('online', this.#online);
  }

  override componentWillUnmount(): void {
    window.removeEventListener('online', this.#online);
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return <Failure what={this.props.what} error={error} onRetry={this.#retry} />;
  }
}

function Failure({
  what,
  error,
  onRetry,
}: {
  what: string;
  error: Error;
  onRetry: () => void;
}): ReactElement {
  const message =
    error instanceof LoadError ? error.message : `${what} cannot be shown: ${error.message}`;
  return (
    <Notice tone="bad">
      <div className="stack tight">
        <p>{message}</p>
        <div className="row">
          <Button onClick={() => window.location.reload()}>Load the lab again</Button>
          {!(error instanceof LoadError && error.gone) && (
            <Button onClick={onRetry}>Try again</Button>
          )}
        </div>
      </div>
    </Notice>
  );
}
