import type { SessionView } from '@dialoglens/protocol';
import { useInfiniteQuery } from '@tanstack/react-query';
import { ScrollText } from 'lucide-react';
import { getJson } from '../../lib/api.ts';
import type { Page as PageOf } from '../../lib/paged.ts';
import { strings } from '../../strings.ts';
import { MoreButton } from '../../ui/more-button.tsx';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { SessionList } from './session-list.tsx';

const text = strings.sessions;
const pageSize = 50;

/** Every session there is, page by page. */
export function SessionsPage() {
  return (
    <Page title={text.title} tab={text.title} lead={text.lead}>
      <Sessions />
    </Page>
  );
}

function Sessions() {
  const list = useInfiniteQuery({
    queryKey: ['sessions', 'all'],
    queryFn: ({ pageParam, signal }) =>
      getJson<PageOf<SessionView>>(
        `/api/sessions?limit=${pageSize}${pageParam === '' ? '' : `&cursor=${encodeURIComponent(pageParam)}`}`,
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
  });
  if (list.data === undefined) {
    return list.error ? <Failure error={list.error} retry={() => void list.refetch()} /> : <Loading />;
  }
  const sessions = list.data.pages.flatMap((page) => page.items);
  if (sessions.length === 0) {
    return (
      <Empty icon={ScrollText} title={text.emptyTitle}>
        <p className="mt-1 max-w-md text-soft">{text.emptyText}</p>
      </Empty>
    );
  }
  return (
    <>
      <SessionList sessions={sessions} />
      <MoreButton list={list} />
    </>
  );
}
