import { useEffect, useState } from 'react';

const shownMs = 3_000;

export type CopyState = 'ready' | 'copied' | 'refused';

/**
 * Puts text on the clipboard and says for a moment how that went. Browsers refuse it to pages that came over plain http
 * from another machine, or when the user does not allow it.
 */
export function useCopy(): { state: CopyState; copy: (text: string) => void } {
  const [state, setState] = useState<CopyState>('ready');
  useEffect(() => {
    if (state === 'ready') return undefined;
    const timer = setTimeout(() => setState('ready'), shownMs);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = (text: string) => {
    // There is no clipboard at all where the page is not trusted.
    const clipboard: Clipboard | undefined = navigator.clipboard;
    if (clipboard === undefined) return setState('refused');
    clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('refused'),
    );
  };
  return { state, copy };
}
