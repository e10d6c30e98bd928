import { Component, type ReactNode } from 'react';
import { strings } from '../strings.ts';
import { Button } from './button.tsx';

/** Shows what went wrong instead of an empty page. A chunk of an older version that is gone ends here too. */
export class CrashGuard extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(thrown: unknown): { error: Error } {
    return { error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <main id="content" className="mx-auto max-w-lg px-6 py-20 text-center">
        <h1 className="text-xl font-semibold">{strings.error.crash}</h1>
        <p className="mt-2 mb-5 font-mono text-sm text-soft">{error.message}</p>
        <Button look="primary" onClick={() => location.reload()}>
          {strings.error.reload}
        </Button>
      </main>
    );
  }
}
