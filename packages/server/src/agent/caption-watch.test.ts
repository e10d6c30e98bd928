import { expect, it } from 'vitest';
import { CaptionWatch } from './caption-watch.ts';

function watch(wantPartials = true) {
  const told: string[] = [];
  return { told, watch: new CaptionWatch(wantPartials, ({ state }) => told.push(state)) };
}

it('says once that ten seconds of speech have no text, and when text comes again', () => {
  const { told, watch: one } = watch();
  for (let i = 0; i < 9; i++) expect(one.spoke(1_000)).toBe(0);
  one.answered();
  for (let i = 0; i < 9; i++) expect(one.spoke(1_000)).toBe(0);
  expect(told).toEqual(['ok']);
  expect(one.spoke(1_000)).toBe(10_000);
  expect(one.spoke(1_000)).toBe(1_000);
  expect(told).toEqual(['ok', 'missing']);
  one.answered();
  expect(told).toEqual(['ok', 'missing', 'ok']);
});

it('says once that all is well too: an agent before it may have died saying otherwise', () => {
  const { told, watch: one } = watch();
  one.answered();
  one.engineIs('ok', 'ok');
  one.answered();
  expect(told).toEqual(['ok']);
});

it('waits for the end of an utterance where words are not shown before', () => {
  const { told, watch: one } = watch(false);
  one.spoke(24_000);
  expect(told).toEqual([]);
  one.spoke(1_000);
  expect(told).toEqual(['missing']);
});

it('passes on what the engines say of themselves; that none is there outweighs what follows from it', () => {
  const { told, watch: one } = watch();
  one.engineIs('recovering', 'replaying');
  one.engineIs('down', 'provider failing');
  one.spoke(20_000);
  one.engineIs('down', 'provider failing');
  expect(told).toEqual(['delayed', 'down']);
  one.engineIs('ok', 'ok');
  one.answered();
  expect(told).toEqual(['delayed', 'down', 'missing', 'ok']);
});

it('tells when the next attempt is, each time that it is another one, and not again in between', () => {
  const told: unknown[] = [];
  const one = new CaptionWatch(true, (standing) => told.push(standing));
  one.engineIs('down', 'provider failing', 4_000);
  one.spoke(1_000);
  one.engineIs('down', 'provider failing', 4_000);
  one.engineIs('down', 'provider failing');
  expect(told).toEqual([
    { state: 'down', reason: 'provider failing', retryInMs: 4_000 },
    { state: 'down', reason: 'provider failing', retryInMs: 4_000 },
    { state: 'down', reason: 'provider failing' },
  ]);
});

it('leaves nothing standing when the track ends', () => {
  const { told, watch: one } = watch();
  one.spoke(20_000);
  one.engineIs('down', 'provider failing');
  one.end();
  expect(told.at(-1)).toBe('ok');
});
