import { useState } from 'react';
import { keep, kept } from '../../lib/theme.ts';

const sizes = [
  'text-base leading-relaxed',
  'text-lg leading-relaxed',
  'text-2xl leading-relaxed',
  'text-4xl leading-snug',
] as const;
const key = 'dialoglens.captionSize';
const usual = 1;

/** The size of captions, as the reader last chose it in this browser. */
export function useTextSize(): {
  sizeClass: string;
  canGrow: boolean;
  canShrink: boolean;
  change(by: 1 | -1): void;
} {
  const [size, setSize] = useState(() => {
    const chosen = Number.parseInt(kept(key) ?? '', 10);
    return chosen in sizes ? chosen : usual;
  });
  return {
    sizeClass: sizes[size] ?? sizes[usual],
    canGrow: size < sizes.length - 1,
    canShrink: size > 0,
    change(by) {
      const next = Math.min(sizes.length - 1, Math.max(0, size + by));
      setSize(next);
      keep(key, String(next));
    },
  };
}
