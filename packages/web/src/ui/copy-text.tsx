import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { strings } from '../strings.ts';

const shownMs = 2_000;

/** A line to be pasted elsewhere, with a button that copies it. */
export function CopyText({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <div className="flex max-w-full items-center gap-1 rounded-lg bg-well py-1 pr-1 pl-3 text-left">
      <code className="min-w-0 font-mono text-[0.8125rem] [overflow-wrap:anywhere]">{text}</code>
      <button
        type="button"
        onClick={copy}
        aria-label={isCopied ? strings.copied : strings.copy}
        className="grid size-8 shrink-0 place-items-center rounded-md text-soft hover:bg-card hover:text-ink"
      >
        {isCopied ? <Check aria-hidden className="size-4" /> : <Copy aria-hidden className="size-4" />}
      </button>
    </div>
  );
}
