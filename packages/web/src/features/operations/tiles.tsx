import type { CapacityView, MeasuresView, RoomView } from '@dialoglens/protocol';
import type { ReactNode } from 'react';
import { milliseconds, roughly } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import { Card } from '../../ui/page.tsx';
import { SlotsBar } from './slots-bar.tsx';

const text = strings.operations;

/** The state of the fleet in four numbers. */
export function Tiles({
  capacity,
  waiting,
  measures,
  now,
}: {
  capacity: CapacityView;
  waiting: readonly RoomView[];
  measures: MeasuresView | undefined;
  now: number;
}) {
  const { slots, agents } = capacity;
  const oldest = waiting.reduce((age, { since }) => Math.max(age, now - since), 0);
  const finals = measures?.latencies.find(({ name }) => name === 'final')?.whole ?? null;
  return (
    <div className="mb-10 grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Tile label={text.slots} value={text.usedOf(slots.used, slots.total)}>
        <SlotsBar used={slots.used} total={slots.total} label={text.slots} />
        {slots.reserved > 0 && text.reserved(slots.reserved)}
      </Tile>
      <Tile label={text.workers} value={String(agents.total)}>
        {text.free(agents.available)}
      </Tile>
      <Tile label={text.queue} value={String(waiting.length)}>
        {waiting.length === 0 ? text.nobodyWaits : text.oldest(roughly(oldest))}
      </Tile>
      <Tile label={text.finals} value={finals === null ? '—' : milliseconds(finals.p50)}>
        {finals === null ? text.notMeasured : text.typical(milliseconds(finals.p95))}
      </Tile>
    </div>
  );
}

function Tile({ label, value, children }: { label: string; value: string; children: ReactNode }) {
  return (
    <Card className="px-4 py-3.5">
      <h2 className="text-[0.8125rem] text-soft">{label}</h2>
      <p className="mt-0.5 text-2xl font-semibold tracking-tight tabular-nums">{value}</p>
      <div className="mt-1 text-[0.8125rem] text-soft">{children}</div>
    </Card>
  );
}
