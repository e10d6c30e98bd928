import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const speakerColours = 8;

/** The two values of a colour in the style sheet: in the light, in the dark. */
function valuesOf(name: string): [string, string] {
  const styles = readFileSync(new URL('../../packages/web/src/styles.css', import.meta.url), 'utf8');
  const match = new RegExp(`--color-${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(styles);
  if (!match?.[1] || !match[2]) throw new Error(`no colour ${name}`);
  return [match[1], match[2]];
}

/** Relative luminance as WCAG 2 defines it. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

describe('contrast', () => {
  const speakers = Array.from({ length: speakerColours }, (_, index) => `speaker-${index + 1}`);
  it.each([...speakers, 'ink', 'soft', 'accent', 'good', 'wait', 'bad'])(
    '%s is at least 4.5:1 on every surface in both themes',
    (name) => {
      for (const surface of ['page', 'card', 'well']) {
        for (const theme of [0, 1] as const) {
          expect(contrast(valuesOf(name)[theme], valuesOf(surface)[theme])).toBeGreaterThanOrEqual(4.5);
        }
      }
    },
  );

  it.each(['good', 'wait', 'bad', 'accent'])('%s is at least 4.5:1 on its own well', (name) => {
    for (const theme of [0, 1] as const) {
      expect(contrast(valuesOf(name)[theme], valuesOf(`${name}-well`)[theme])).toBeGreaterThanOrEqual(4.5);
    }
  });
});
