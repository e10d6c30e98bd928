import { Search } from 'lucide-react';
import type { ReactNode } from 'react';
import { duration, legible } from '../../lib/format.ts';
import { useMay } from '../../lib/me.ts';
import type { SpeakerColours } from '../../lib/speaker-colours.ts';
import { strings } from '../../strings.ts';
import { RemovePerson } from './remove-person.tsx';
import { RenameSpeaker } from './rename-speaker.tsx';
import type { Filter, Speaker } from './transcript-model.ts';

const text = strings.transcript;

/** Whose words are shown, and which. Stays in view while the transcript scrolls. */
export function FilterBar({
  filter,
  onChange,
  speakers,
  sessionId,
  colours,
  found,
  of: total,
}: {
  filter: Filter;
  onChange: (filter: Filter) => void;
  speakers: readonly Speaker[];
  sessionId: string;
  colours: SpeakerColours;
  found: number;
  of: number;
}) {
  const { operate, administer } = useMay();
  const chosen = speakers.find(({ identity }) => identity === filter.identity);
  const isFiltered = filter.query.trim() !== '' || filter.identity !== null;
  return (
    <div className="sticky top-14 z-10 -mx-4 mb-3 border-b border-line bg-page px-4 py-2.5 sm:-mx-6 sm:px-6 print:hidden">
      <div className="flex items-center">
        <SearchField value={filter.query} onChange={(query) => onChange({ ...filter, query })} />
        <span role="status" className="ml-3 shrink-0 text-sm text-soft tabular-nums empty:ml-0">
          {isFiltered && text.matches(found, total)}
        </span>
      </div>
      <fieldset className="mt-2 flex gap-1.5 overflow-x-auto pb-0.5">
        <legend className="sr-only">{text.speakers}</legend>
        <Choice isChosen={filter.identity === null} onChoose={() => onChange({ ...filter, identity: null })}>
          {text.everybody}
        </Choice>
        {speakers.map(({ identity, name, talkMs }) => (
          <Choice
            key={identity}
            isChosen={filter.identity === identity}
            onChoose={() => onChange({ ...filter, identity: filter.identity === identity ? null : identity })}
          >
            <bdi className={`max-w-40 truncate font-semibold ${colours.textClass(identity)}`}>
              {legible(name).slice(0, 60)}
            </bdi>
            <span className="text-soft tabular-nums">{duration(talkMs)}</span>
          </Choice>
        ))}
        {operate && chosen && <RenameSpeaker key={chosen.identity} sessionId={sessionId} speaker={chosen} />}
        {administer && chosen && (
          <RemovePerson
            key={`remove ${chosen.identity}`}
            speaker={chosen}
            onRemoved={() => onChange({ ...filter, identity: null })}
          />
        )}
      </fieldset>
    </div>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (query: string) => void }) {
  return (
    <label className="relative min-w-0 flex-1">
      <span className="sr-only">{text.search}</span>
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-soft"
      />
      <input
        type="search"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder={text.search}
        className="min-h-9 w-full rounded-lg border border-edge bg-card pr-3 pl-9 placeholder:text-soft"
      />
    </label>
  );
}

function Choice({
  isChosen,
  onChoose,
  children,
}: {
  isChosen: boolean;
  onChoose: () => void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onChoose}
      className="inline-flex min-h-8 shrink-0 items-center gap-1.5 rounded-full border border-line bg-card px-3 text-[0.8125rem] hover:bg-well aria-pressed:border-accent aria-pressed:bg-accent-well"
    >
      {children}
    </button>
  );
}
