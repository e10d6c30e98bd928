import { LogOut, ServerOff } from 'lucide-react';
import { useState } from 'react';
import { clockTime, legible, megabytes, roughly } from '../../lib/format.ts';
import { useMay } from '../../lib/me.ts';
import { paths } from '../../lib/router.ts';
import { strings } from '../../strings.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Link } from '../../ui/link.tsx';
import { Name } from '../../ui/name.tsx';
import { Card } from '../../ui/page.tsx';
import { Empty } from '../../ui/states.tsx';
import { Confirm } from './confirm.tsx';
import { useDrain } from './operations-queries.ts';
import { SlotsBar } from './slots-bar.tsx';
import type { WorkerRow, WorkerState } from './worker-rows.ts';

const text = strings.operations;
/** Rooms of a worker that are named; the rest is counted. */
const namedRooms = 8;

const tones: Record<WorkerState, 'good' | 'wait' | 'bad' | 'idle'> = {
  serving: 'good',
  ready: 'good',
  draining: 'wait',
  refusing: 'wait',
  'in doubt': 'bad',
  gone: 'idle',
};

/** The workers with their load and rooms. */
export function WorkerList({ rows, now }: { rows: readonly WorkerRow[]; now: number }) {
  if (rows.length === 0) {
    return (
      <Empty icon={ServerOff} title={text.noWorkers}>
        <p className="mt-1 max-w-md text-soft">{text.noWorkersText}</p>
      </Empty>
    );
  }
  return (
    <Card>
      <ul className="divide-y divide-line">
        {rows.map((row) => (
          <Worker key={row.agentId} row={row} now={now} />
        ))}
      </ul>
    </Card>
  );
}

function Worker({ row, now }: { row: WorkerRow; now: number }) {
  const { agentId, state, view, rooms } = row;
  const may = useMay();
  const reason = view?.reason ?? null;
  const why = reason === null ? null : (strings.status.reasons[reason] ?? reason);
  const isAlive = state !== 'gone' && state !== 'in doubt';
  return (
    <li
      data-worker={agentId}
      className="grid items-start gap-x-5 gap-y-2 px-4 py-3.5 sm:grid-cols-[minmax(0,1fr)_10rem_6.5rem] sm:px-5"
    >
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <span className="min-w-0 font-mono text-[0.8125rem] font-medium">
            <Name text={agentId} />
          </span>
          <Badge tone={tones[state]} pulse={state === 'serving'}>
            {text.states[state]}
            {why !== null && isAlive && `: ${why}`}
          </Badge>
        </div>
        <Rooms rooms={rooms} />
        {view && <Facts view={view} isAlive={isAlive} now={now} />}
      </div>
      {view && isAlive ? (
        <div className="text-[0.8125rem] text-soft tabular-nums sm:pt-1">
          <SlotsBar
            used={Math.round(view.load * view.slots)}
            total={view.slots}
            label={`${text.slots}, ${legible(agentId)}`}
          />
          <p className="mt-1">{text.slotsUsed(Math.round(view.load * view.slots), view.slots)}</p>
        </div>
      ) : (
        <span />
      )}
      <div className="sm:text-right">
        {may.operate && isAlive && state !== 'draining' && (
          <DrainButton agentId={agentId} rooms={rooms.length} />
        )}
      </div>
    </li>
  );
}

function Rooms({ rooms }: { rooms: readonly string[] }) {
  if (rooms.length === 0) return null;
  return (
    <p className="mt-1 flex flex-wrap gap-x-2.5 gap-y-0.5 text-sm">
      {rooms.slice(0, namedRooms).map((room) => (
        <Link key={room} href={paths.room(room)} className="max-w-48 min-w-0 text-accent hover:underline">
          <Name text={room} />
        </Link>
      ))}
      {rooms.length > namedRooms && (
        <span className="text-soft">{text.moreRooms(rooms.length - namedRooms)}</span>
      )}
    </p>
  );
}

function Facts({
  view,
  isAlive,
  now,
}: {
  view: NonNullable<WorkerRow['view']>;
  isAlive: boolean;
  now: number;
}) {
  const facts = isAlive
    ? [
        text.version(view.version),
        view.region,
        megabytes(view.memoryBytes),
        text.up(roughly(now - view.startedAt)),
      ]
    : [text.version(view.version), text.lastHeard(clockTime(view.heartbeatAt))];
  return (
    <p className="mt-1 text-[0.8125rem] text-soft">{facts.filter((fact) => fact !== null).join(' · ')}</p>
  );
}

function DrainButton({ agentId, rooms }: { agentId: string; rooms: number }) {
  const [asks, setAsks] = useState(false);
  const drain = useDrain();
  const close = () => setAsks(false);
  return (
    <>
      <Button onClick={() => setAsks(true)} aria-label={`${text.drain}: ${legible(agentId)}`}>
        <LogOut aria-hidden className="size-4" />
        {text.drain}
      </Button>
      <Confirm
        open={asks}
        onClose={close}
        title={text.drainTitle(legible(agentId))}
        action={text.drain}
        isPending={drain.isPending}
        error={drain.error}
        onConfirm={() => drain.mutate(agentId, { onSuccess: close })}
      >
        <p className="text-soft">{text.drainText(rooms)}</p>
      </Confirm>
    </>
  );
}
