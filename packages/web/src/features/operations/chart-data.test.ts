import { expect, it } from 'vitest';
import { chartData } from './chart-data.ts';

it('has a row for each minute, with holes where nothing was measured', () => {
  const minute = 1_700_000_040_000;
  const point = { at: minute - 60_000, count: 3, p50: 400, p95: 900, p99: 1_200 };
  expect(chartData([point], minute + 59_999, 3)).toEqual([
    [minute - 120_000, minute - 60_000, minute].map((at) => at / 1000),
    [null, 400, null],
    [null, 900, null],
    [null, 1_200, null],
  ]);
});
