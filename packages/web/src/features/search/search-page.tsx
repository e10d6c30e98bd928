import type { SearchHit } from '@dialoglens/protocol';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { SearchX, TextSearch } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { getJson } from '../../lib/api.ts';
import type { Page as PageOf } from '../../lib/paged.ts';
import { navigate, paths, useSearch } from '../../lib/router.ts';
import { SpeakerColours } from '../../lib/speaker-colours.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { MoreButton } from '../../ui/more-button.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { SearchForm } from './search-form.tsx';
import { SearchHitRow } from './search-hit-row.tsx';
import { useSearchKeys } from './search-keys.ts';
import { apiQuery, emptyQuery, isNarrowed, readQuery, type SearchQuery, writeQuery } from './search-query.ts';

const text = strings.search;
const pageSize = 25;
/** A pause in typing after which the search begins. */
const typingPauseMs = 300;

/** Looks for words in every transcript. The address holds what is looked for, so that it can be sent to somebody. */
export function SearchPage() {
  const search = useSearch();
  const query = useMemo(() => readQuery(search), [search]);
  const [draft, setDraft] = useState(query);
  const written = useRef(search);
  useEffect(() => {
    // Somebody went back, or followed a link: the fields say what the address says.
    if (search !== written.current) setDraft(readQuery(search));
    written.current = search;
  }, [search]);
  const show = (next: SearchQuery, replace: boolean) => {
    if (writeQuery(next) === writeQuery(query)) return;
    written.current = writeQuery(next);
    navigate(`${paths.search}${writeQuery(next)}`, { replace });
  };
  const later = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(later.current), []);
  const change = (next: SearchQuery) => {
    setDraft(next);
    clearTimeout(later.current);
    later.current = setTimeout(() => show(next, true), typingPauseMs);
  };
  const submit = () => {
    clearTimeout(later.current);
    show(draft, false);
  };
  const region = useRef<HTMLDivElement>(null);
  useSearchKeys(region);
  return (
    <Page title={text.title} tab={query.q === '' ? text.title : text.tab(query.q)} lead={text.lead}>
      <div ref={region}>
        <SearchForm
          draft={draft}
          onChange={change}
          onSubmit={submit}
          onClear={() => change({ ...emptyQuery, q: draft.q })}
        />
        <Hits query={query} onWiden={() => change({ ...emptyQuery, q: query.q })} />
      </div>
    </Page>
  );
}

function Hits({ query, onWiden }: { query: SearchQuery; onWiden: () => void }) {
  const hasWords = query.q.trim() !== '';
  const parameters = apiQuery(query).toString();
  const list = useInfiniteQuery({
    queryKey: ['search', parameters],
    queryFn: ({ pageParam, signal }) => {
      const cursor = pageParam === '' ? '' : `&cursor=${encodeURIComponent(pageParam)}`;
      return getJson<PageOf<SearchHit>>(`/api/search?${parameters}&limit=${pageSize}${cursor}`, signal);
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    enabled: hasWords,
  });
  const [colours] = useState(() => new SpeakerColours());
  if (!hasWords) return <NothingAsked />;
  if (list.error) return <Failure error={list.error} retry={() => void list.refetch()} />;
  if (list.data === undefined) return <Loading />;
  const hits = list.data.pages.flatMap((page) => page.items);
  if (hits.length === 0) return <NothingFound query={query} onWiden={onWiden} />;
  return (
    <div className={list.isPlaceholderData ? 'opacity-60 transition-opacity' : ''}>
      <p role="status" className="mb-2 text-sm text-soft">
        {text.found(hits.length, list.hasNextPage)}
      </p>
      <Card className="overflow-hidden">
        <ol className="divide-y divide-line">
          {hits.map((hit) => (
            <SearchHitRow
              key={hit.segment.id}
              hit={hit}
              nameClass={colours.textClass(hit.segment.identity)}
            />
          ))}
        </ol>
      </Card>
      <MoreButton list={list} />
    </div>
  );
}

function NothingAsked() {
  return (
    <Empty icon={TextSearch} title={text.emptyTitle}>
      <p className="mt-1 max-w-md text-soft">{text.emptyText}</p>
      <dl className="mt-5 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-left text-sm">
        {text.syntax.map(({ example, meaning }) => (
          <div key={example} className="contents">
            <dt>
              <code className="rounded bg-well px-1.5 py-0.5 font-mono text-[0.8125rem]">{example}</code>
            </dt>
            <dd className="text-soft">{meaning}</dd>
          </div>
        ))}
      </dl>
    </Empty>
  );
}

function NothingFound({ query, onWiden }: { query: SearchQuery; onWiden: () => void }) {
  return (
    <Empty icon={SearchX} title={text.nothingTitle}>
      <p role="status" className="mt-1 max-w-md text-soft">
        {isNarrowed(query) ? text.nothingNarrowed : text.nothingText}
      </p>
      {isNarrowed(query) && (
        <Button className="mt-4" onClick={onWiden}>
          {text.widen}
        </Button>
      )}
    </Empty>
  );
}
