import { ListFilter, Search, X } from 'lucide-react';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { isNarrowed, type SearchQuery } from './search-query.ts';

const text = strings.search;

/** The words that are looked for, and what limits the search. */
export function SearchForm({
  draft,
  onChange,
  onSubmit,
  onClear,
}: {
  draft: SearchQuery;
  onChange: (next: SearchQuery) => void;
  onSubmit: () => void;
  onClear: () => void;
}) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <search>
      <form onSubmit={submit} className="mb-6">
        <div className="relative">
          <Search
            aria-hidden
            className="pointer-events-none absolute top-1/2 left-3.5 size-5 -translate-y-1/2 text-soft"
          />
          <input
            type="search"
            aria-label={text.words}
            aria-keyshortcuts="/"
            placeholder={text.placeholder}
            value={draft.q}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => onChange({ ...draft, q: event.target.value })}
            className="min-h-12 w-full rounded-xl border border-edge bg-card pr-12 pl-11 text-base placeholder:text-soft"
          />
          <kbd
            aria-hidden
            className="pointer-events-none absolute top-1/2 right-3.5 -translate-y-1/2 rounded border border-line bg-well px-1.5 font-mono text-xs text-soft max-sm:hidden"
          >
            /
          </kbd>
        </div>
        <Filters isOpenAtFirst={isNarrowed(draft)}>
          <FilterFields draft={draft} onChange={onChange} />
          {isNarrowed(draft) && (
            <Button look="quiet" onClick={onClear} className="justify-self-start">
              <X aria-hidden className="size-4" />
              {text.clear}
            </Button>
          )}
        </Filters>
      </form>
    </search>
  );
}

function Filters({ isOpenAtFirst, children }: { isOpenAtFirst: boolean; children: ReactNode }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const id = useId();
  return (
    <>
      <Button
        look="quiet"
        className="mt-2"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <ListFilter aria-hidden className="size-4" />
        {text.filters}
      </Button>
      <div id={id} hidden={!isOpen} className="mt-2 grid gap-3 rounded-xl border border-line bg-card p-4">
        {children}
      </div>
    </>
  );
}

function FilterFields({ draft, onChange }: { draft: SearchQuery; onChange: (next: SearchQuery) => void }) {
  const field = (
    name: keyof SearchQuery,
    label: string,
    more: { type?: string; placeholder?: string } = {},
  ) => (
    <Field
      label={label}
      value={draft[name]}
      onChange={(event) => onChange({ ...draft, [name]: event.target.value })}
      autoComplete="off"
      {...more}
    />
  );
  return (
    <div className="grid grid-cols-2 gap-x-4 gap-y-3 lg:grid-cols-5">
      {field('speaker', text.speaker)}
      {field('room', text.room)}
      {field('language', text.language, { placeholder: 'en' })}
      {field('from', text.from, { type: 'date' })}
      {field('to', text.to, { type: 'date' })}
    </div>
  );
}
