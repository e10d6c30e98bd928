import type { MeasuresView } from '@dialoglens/protocol';
import { CircleCheck } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { clockTime, milliseconds } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import { Card } from '../../ui/page.tsx';

const text = strings.operations;

const LatencyChart = lazy(async () => ({
  default: (await import('./latency-chart.tsx')).LatencyChart,
}));

type Latency = MeasuresView['latencies'][number];

/** How long things took in the last hour, one chart each. */
export function Latencies({ measures }: { measures: MeasuresView }) {
  return (
    <div className="grid gap-3 lg:grid-cols-3">
      {measures.latencies.map((latency) => (
        <OneLatency key={latency.name} latency={latency} measures={measures} />
      ))}
    </div>
  );
}

function OneLatency({ latency, measures }: { latency: Latency; measures: MeasuresView }) {
  const { whole, name } = latency;
  const { title, hint } = text.latencies[name];
  return (
    <Card className="flex min-w-0 flex-col px-4 py-3.5">
      <h3 className="font-medium">{title}</h3>
      <p className="text-[0.8125rem] text-soft">{hint}</p>
      {whole === null ? (
        <p className="my-auto py-10 text-center text-soft">{text.notMeasured}</p>
      ) : (
        <>
          <dl className="mt-2 mb-1 flex gap-5 text-sm">
            <Percentile name="p50" value={whole.p50} line="bg-speaker-3" />
            <Percentile name="p95" value={whole.p95} line="bg-speaker-1" />
            <Percentile name="p99" value={whole.p99} line="bg-speaker-4" />
          </dl>
          <div className="min-h-40">
            <Suspense>
              <LatencyChart
                latency={latency}
                now={measures.now}
                minutes={measures.minutes}
                label={text.chart(title, milliseconds(whole.p50), milliseconds(whole.p95))}
              />
            </Suspense>
          </div>
          <p className="mt-1 text-xs text-soft">{text.counted(whole.count)}</p>
        </>
      )}
    </Card>
  );
}

function Percentile({ name, value, line }: { name: string; value: number; line: string }) {
  return (
    <div>
      <dt className="flex items-center gap-1.5 text-xs text-soft">
        <span aria-hidden className={`h-0.5 w-3 rounded ${line}`} />
        {name}
      </dt>
      <dd className="font-semibold tabular-nums">{milliseconds(value)}</dd>
    </div>
  );
}

/** Faults of speech providers in the last hour. */
export function Faults({ faults }: { faults: MeasuresView['faults'] }) {
  if (faults.length === 0) {
    return (
      <p className="flex items-center gap-2.5 px-4 py-3.5 text-soft sm:px-5">
        <CircleCheck aria-hidden className="size-5 shrink-0 text-good" />
        {text.noFaults}
      </p>
    );
  }
  return (
    <ul className="divide-y divide-line">
      {faults.map(({ provider, kind, count, lastAt }) => (
        <li
          key={`${provider} ${kind}`}
          className="flex flex-wrap items-baseline justify-between gap-x-4 px-4 py-3 sm:px-5"
        >
          <span>
            <span className="font-medium">{provider}</span>{' '}
            <span className="text-bad">{text.faultKinds[kind] ?? kind}</span>
          </span>
          <span className="text-[0.8125rem] text-soft tabular-nums">
            {text.times(count)} · {text.lastAt(clockTime(lastAt))}
          </span>
        </li>
      ))}
    </ul>
  );
}
