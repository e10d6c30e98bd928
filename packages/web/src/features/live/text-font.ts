import { useState } from 'react';
import { keep, kept } from '../../lib/theme.ts';

const fonts = { sans: 'font-sans', serif: 'font-serif', mono: 'font-mono' } as const;
export type TextFont = keyof typeof fonts;
const names = Object.keys(fonts) as TextFont[];
const key = 'dialoglens.captionFont';

/** The font of captions, as the reader last chose it in this browser. */
export function useTextFont(): { font: TextFont; fontClass: string; next(): void } {
  const [font, setFont] = useState<TextFont>(() => names.find((name) => name === kept(key)) ?? 'sans');
  return {
    font,
    fontClass: fonts[font],
    next() {
      const following = names[(names.indexOf(font) + 1) % names.length] ?? 'sans';
      setFont(following);
      keep(key, following);
    },
  };
}
