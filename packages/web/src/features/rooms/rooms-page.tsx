import { MicVocal, Plus } from 'lucide-react';
import { useState } from 'react';
import { useCapacity, useFleet, useRooms } from '../../lib/fleet.ts';
import { useMay } from '../../lib/me.ts';
import { paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { CopyText } from '../../ui/copy-text.tsx';
import { Link } from '../../ui/link.tsx';
import { Card, Page, Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { SessionList } from '../transcript/session-list.tsx';
import { useRecentSessions } from './room-queries.ts';
import { RoomRow } from './room-row.tsx';
import { inReadingOrder } from './room-state.ts';
import { StartDialog } from './start-dialog.tsx';

const text = strings.rooms;

/** The first page: rooms as they stand now, and what was transcribed of late. */
export function RoomsPage() {
  const [starts, setStarts] = useState(false);
  const start = () => setStarts(true);
  const { operate } = useMay();
  return (
    <Page
      title={text.title}
      tab={text.title}
      lead={text.lead}
      actions={
        operate && (
          <Button look="primary" onClick={start}>
            <Plus aria-hidden className="size-4" />
            {text.start}
          </Button>
        )
      }
    >
      <Section title={text.live}>
        <Rooms onStart={start} />
      </Section>
      <RecentSessions />
      <StartDialog open={starts} onClose={() => setStarts(false)} />
    </Page>
  );
}

function Rooms({ onStart }: { onStart: () => void }) {
  const fleet = useFleet();
  const rooms = useRooms(fleet);
  const capacity = useCapacity(fleet);
  if (rooms.data === undefined) {
    return rooms.error ? <Failure error={rooms.error} retry={() => void rooms.refetch()} /> : <Loading />;
  }
  if (rooms.data.items.length === 0) return <NoRooms onStart={onStart} />;
  return (
    <Card>
      <ul className="divide-y divide-line">
        {inReadingOrder(rooms.data.items).map((view) => (
          <RoomRow key={view.room} view={view} slots={capacity.data?.slots.total} />
        ))}
      </ul>
    </Card>
  );
}

function NoRooms({ onStart }: { onStart: () => void }) {
  const { operate } = useMay();
  if (!operate) {
    return (
      <Empty icon={MicVocal} title={text.emptyTitle}>
        <p className="mt-1 max-w-md text-soft">{text.emptyForReaders}</p>
      </Empty>
    );
  }
  return (
    <Empty icon={MicVocal} title={text.emptyTitle}>
      <p className="mt-1 max-w-md text-soft">{text.emptyText}</p>
      <Button look="primary" className="mt-4" onClick={onStart}>
        {text.start}
      </Button>
      <p className="mt-6 mb-1.5 text-[0.8125rem] text-soft">{text.emptyApi}</p>
      <CopyText text={`curl -X POST ${location.origin}/api/rooms/my-room/start-transcription`} />
    </Empty>
  );
}

function RecentSessions() {
  const sessions = useRecentSessions();
  const all = (
    <Link href={paths.sessions} className="text-sm font-medium text-accent hover:underline">
      {text.allSessions}
    </Link>
  );
  return (
    <Section title={text.recent} aside={all}>
      {sessions.data === undefined ? (
        sessions.error ? (
          <Failure error={sessions.error} retry={() => void sessions.refetch()} />
        ) : (
          <Loading />
        )
      ) : sessions.data.items.length === 0 ? (
        <p className="text-soft">{text.noSessions}</p>
      ) : (
        <SessionList sessions={sessions.data.items} />
      )}
    </Section>
  );
}
