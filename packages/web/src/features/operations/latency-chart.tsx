import type { MeasuresView } from '@dialoglens/protocol';
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { milliseconds, timeOfDay } from '../../lib/format.ts';
import { chartData } from './chart-data.ts';

const height = 160;

/** p50, p95 and p99 minute by minute. What it shows in sum is said beside it; this is for the eye. */
export function LatencyChart({
  latency,
  now,
  minutes,
  label,
}: {
  latency: MeasuresView['latencies'][number];
  now: number;
  minutes: number;
  label: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | null>(null);
  const data = chartData(latency.points, now, minutes);
  const newest = useRef(data);
  newest.current = data;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new UPlot(optionsFor(element), newest.current, element);
    chart.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const stopWatching = onThemeChange(() => made.redraw(false));
    return () => {
      resized.disconnect();
      stopWatching();
      made.destroy();
      chart.current = null;
    };
  }, []);
  useEffect(() => chart.current?.setData(data));
  return (
    <div ref={box} role="img" aria-label={label}>
      {/* Canvases know no classes: the colours are read from these. */}
      {['text-speaker-3', 'text-speaker-1', 'text-speaker-4', 'text-soft', 'text-line'].map((name) => (
        <span key={name} hidden data-colour={name} className={name} />
      ))}
    </div>
  );
}

function optionsFor(element: HTMLElement): UPlot.Options {
  const colour = (name: string) => () =>
    getComputedStyle(element.querySelector(`[data-colour="${name}"]`) ?? element).color;
  const line = (name: string, label: string): UPlot.Series => ({
    label,
    stroke: colour(name),
    width: 1.75,
    // A minute without neighbours is a dot.
    points: { show: true, size: 4, fill: colour(name) },
  });
  const axis = {
    stroke: colour('text-soft'),
    font: '11px ui-sans-serif, system-ui, sans-serif',
    grid: { stroke: colour('text-line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 4, 0, 0],
    scales: { y: { range: (_chart, _min, max) => [0, Math.max(100, (max ?? 0) * 1.1)] } },
    series: [{}, line('text-speaker-3', 'p50'), line('text-speaker-1', 'p95'), line('text-speaker-4', 'p99')],
    axes: [
      {
        ...axis,
        size: 26,
        space: 64,
        values: (_chart, splits) => splits.map((seconds) => timeOfDay(seconds * 1000)),
      },
      { ...axis, size: 48, space: 34, values: (_chart, splits) => splits.map(milliseconds) },
    ],
  };
}

/** Calls `listener` when other colours hold, because the reader or the system chose another theme. */
function onThemeChange(listener: () => void): () => void {
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', listener);
  const chosen = new MutationObserver(listener);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => {
    scheme.removeEventListener('change', listener);
    chosen.disconnect();
  };
}
