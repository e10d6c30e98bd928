import type { Segment } from '@dialoglens/protocol';
import { Pencil } from 'lucide-react';
import { type FormEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { ApiError, faultText } from '../../lib/api.ts';
import { legible } from '../../lib/format.ts';
import { useMay } from '../../lib/me.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { useCorrection } from './transcript-queries.ts';
import { wordChanges } from './word-changes.ts';

const text = strings.transcript;

/** What was said, with a button that lets it be corrected in its place. */
export function CorrectableText({
  segment,
  place,
  children,
}: {
  segment: Segment;
  /** When it was said, for people. */
  place: string;
  children: ReactNode;
}) {
  const { operate } = useMay();
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    // Whoever wrote with the keyboard goes on where they began.
    if (wasOpen.current && !isOpen) opener.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  if (isOpen) return <Editor segment={segment} place={place} onDone={() => setOpen(false)} />;
  return (
    <>
      <div className="flex items-start gap-1">
        <p
          dir="auto"
          lang={segment.language === 'auto' ? undefined : segment.language}
          className="min-w-0 flex-1 [overflow-wrap:anywhere]"
        >
          {children}
        </p>
        {operate && (
          <button
            ref={opener}
            type="button"
            onClick={() => setOpen(true)}
            aria-label={text.correct(place)}
            className="grid size-7 shrink-0 place-items-center rounded-md text-soft opacity-60 group-hover:opacity-100 hover:bg-well hover:text-ink focus-visible:opacity-100 print:hidden"
          >
            <Pencil aria-hidden className="size-3.5" />
          </button>
        )}
      </div>
      {segment.original?.text !== undefined && (
        <Original segment={segment} original={segment.original.text} />
      )}
    </>
  );
}

function Editor({ segment, place, onDone }: { segment: Segment; place: string; onDone: () => void }) {
  const [draft, setDraft] = useState(segment.text);
  const correction = useCorrection(segment);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(0, 0);
  }, []);
  const isChanged = draft.trim() !== segment.text && draft.trim() !== '';
  const save = (event?: FormEvent) => {
    event?.preventDefault();
    if (isChanged) correction.mutate(draft.trim(), { onSuccess: onDone });
    else if (draft.trim() !== '') onDone();
  };
  const onKey = (event: KeyboardEvent) => {
    // A key that ends the writing of a composed letter is not for us.
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') onDone();
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    save();
  };
  return (
    <form onSubmit={save} className="my-1 grid gap-2">
      <textarea
        ref={field}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKey}
        aria-label={text.correction(place)}
        aria-describedby={`${segment.id}-hint`}
        dir="auto"
        rows={Math.min(8, Math.ceil(segment.text.length / 60) + 1)}
        className="w-full rounded-lg border border-edge bg-card px-3 py-2"
      />
      <Fault error={correction.error} />
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary" type="submit" disabled={correction.isPending || draft.trim() === ''}>
          {correction.isPending ? text.saving : text.save}
        </Button>
        <Button onClick={onDone}>{strings.cancel}</Button>
        <span id={`${segment.id}-hint`} className="text-[0.8125rem] text-soft">
          {text.correctHint}
        </span>
      </div>
    </form>
  );
}

/** What was recognised, against what stands now; shown when somebody asks for it. */
function Original({ segment, original }: { segment: Segment; original: string }) {
  const undoing = useCorrection(segment);
  const { operate } = useMay();
  return (
    <details className="text-[0.8125rem] text-soft print:hidden">
      <summary className="w-fit rounded hover:text-ink">
        {text.corrected} · {text.showOriginal}
      </summary>
      <Difference before={original} after={segment.text} />
      <Fault error={undoing.error} />
      {operate && (
        <Button className="my-1" onClick={() => undoing.mutate(null)} disabled={undoing.isPending}>
          {text.undo}
        </Button>
      )}
    </details>
  );
}

function Difference({ before, after }: { before: string; after: string }) {
  let from = 0;
  const changes = wordChanges(before, after).map((change) => {
    from += change.text.length;
    return { ...change, from };
  });
  return (
    <p dir="auto" className="my-1 max-h-60 overflow-auto [overflow-wrap:anywhere]">
      {changes.map(({ kind, text: stretch, from: key }) => {
        if (kind === 'same') return legible(stretch);
        const isRemoved = kind === 'removed';
        const Element = isRemoved ? 'del' : 'ins';
        return (
          <Element
            key={`${kind} ${key}`}
            className={isRemoved ? 'bg-bad-well text-bad' : 'bg-good-well text-good'}
          >
            <span className="sr-only">{isRemoved ? text.removedText : text.addedText}</span>
            {legible(stretch)}
          </Element>
        );
      })}
    </p>
  );
}

function Fault({ error }: { error: Error | null }) {
  if (error === null) return null;
  const isConflict = error instanceof ApiError && error.problem?.code === 'revision_conflict';
  return (
    <p role="alert" className="text-[0.8125rem] text-bad">
      {isConflict ? text.conflict : faultText(error)}
    </p>
  );
}
