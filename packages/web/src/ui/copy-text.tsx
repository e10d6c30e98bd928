import { Check, Copy, TriangleAlert } from 'lucide-react';
import { strings } from '../strings.ts';
import { type CopyState, useCopy } from './use-copy.ts';

const icons = { ready: Copy, copied: Check, refused: TriangleAlert };

export function CopyIcon({ state }: { state: CopyState }) {
  const Icon = icons[state];
  return <Icon aria-hidden className="size-4" />;
}

/** A line to be pasted elsewhere, with a button that copies it. */
export function CopyText({ text }: { text: string }) {
  const { state, copy } = useCopy();
  const label = strings.copy[state];
  return (
    <div className="flex max-w-full items-center gap-1 rounded-lg bg-well py-1 pr-1 pl-3 text-left">
      <code className="min-w-0 font-mono text-[0.8125rem] [overflow-wrap:anywhere]">{text}</code>
      <button
        type="button"
        onClick={() => copy(text)}
        aria-label={label}
        title={state === 'refused' ? strings.copyRefused : label}
        className="grid size-8 shrink-0 place-items-center rounded-md text-soft hover:bg-card hover:text-ink"
      >
        <CopyIcon state={state} />
      </button>
    </div>
  );
}
