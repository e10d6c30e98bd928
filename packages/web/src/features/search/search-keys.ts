import { type RefObject, useEffect } from 'react';

const field = 'input[type=search]';
const stops = `${field}, [data-hit]`;

/**
 * Searching without a mouse: the slash brings the reader to the field from wherever they are, arrows go from the field
 * through the hits and back. Enter opens a hit, as it does any link.
 */
export function useSearchKeys(region: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const next = nextStop(event, region.current);
      if (next === null) return;
      event.preventDefault();
      next.focus();
      if (event.key === '/' && next instanceof HTMLInputElement) next.select();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [region]);
}

function nextStop({ key, target }: KeyboardEvent, region: HTMLElement | null): HTMLElement | null {
  if (region === null || !(target instanceof HTMLElement)) return null;
  if (key === '/') {
    // Whoever writes means the character.
    return target.matches('input, textarea, select') ? null : region.querySelector<HTMLElement>(field);
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (step === undefined || !target.matches(stops)) return null;
  const all = [...region.querySelectorAll<HTMLElement>(stops)];
  return all[all.indexOf(target) + step] ?? null;
}
