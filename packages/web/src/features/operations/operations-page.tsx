import type { CapacityView, MeasuresView, RoomView } from '@dialoglens/protocol';
import { type ReactNode, useState } from 'react';
import { useAgents, useCapacity, useFleet, useRooms } from '../../lib/fleet.ts';
import { useNow } from '../../lib/now.ts';
import { strings } from '../../strings.ts';
import { Card, Page, Section } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { Faults, Latencies } from './latencies.tsx';
import { Moves } from './moves.tsx';
import { useMeasures } from './operations-queries.ts';
import { Queue } from './queue.tsx';
import { Tiles } from './tiles.tsx';
import { WorkerList } from './worker-list.tsx';
import { Departed, workerRows } from './worker-rows.ts';

const text = strings.operations;

/** How the fleet does: workers, queue, how quick captions are, and how rooms went from worker to worker. */
export function OperationsPage() {
  const link = useFleet();
  const rooms = useRooms(link);
  const agents = useAgents(link);
  const capacity = useCapacity(link);
  const measures = useMeasures();
  const now = useNow(1_000);
  const [departed] = useState(() => new Departed());
  const error = rooms.error ?? agents.error ?? capacity.error;
  const retry = () => void Promise.all([rooms.refetch(), agents.refetch(), capacity.refetch()]);
  if (!rooms.data || !agents.data || !capacity.data) {
    return (
      <Page title={text.title} tab={text.title} lead={text.lead}>
        {error ? <Failure error={error} retry={retry} /> : <Loading />}
      </Page>
    );
  }
  const { items } = rooms.data;
  const waiting = waitingOf(items);
  const known = departed.note(agents.data.items, now);
  return (
    <Page title={text.title} tab={text.title} lead={text.lead}>
      <Tiles capacity={capacity.data} waiting={waiting} measures={measures.data} now={now} />
      <Section title={text.workers} aside={<Wanted capacity={capacity.data} />}>
        <WorkerList rows={workerRows(agents.data.items, items, known)} now={now} />
      </Section>
      <Section title={text.queue}>
        <Queue waiting={waiting} now={now} />
      </Section>
      <Section title={text.latency} aside={<span className="text-sm text-soft">{text.lastHour}</span>}>
        <Measured query={measures}>{(data) => <Latencies measures={data} />}</Measured>
      </Section>
      <Section title={text.faults} aside={<span className="text-sm text-soft">{text.lastHour}</span>}>
        <Measured query={measures}>
          {({ faults }) => (
            <Card>
              <Faults faults={faults} />
            </Card>
          )}
        </Measured>
      </Section>
      <Section title={text.moves} aside={<span className="text-sm text-soft">{text.lastWeek}</span>}>
        <Moves />
      </Section>
    </Page>
  );
}

/** What was measured, as soon as it is known, and otherwise why it is not. */
function Measured({
  query,
  children,
}: {
  query: ReturnType<typeof useMeasures>;
  children: (data: MeasuresView) => ReactNode;
}) {
  if (query.data) return children(query.data);
  return query.error ? <Failure error={query.error} retry={() => void query.refetch()} /> : <Loading />;
}

/** Rooms in the queue, the next first. */
function waitingOf(rooms: readonly RoomView[]): RoomView[] {
  return rooms
    .filter(({ status }) => status === 'queued')
    .sort((a, b) => (a.queuePosition ?? Infinity) - (b.queuePosition ?? Infinity));
}

function Wanted({ capacity }: { capacity: CapacityView }) {
  return (
    <span className="text-sm text-soft">
      {text.wanted(capacity.wantedAgents, capacity.agents.total, capacity.wantedReason)}
    </span>
  );
}
