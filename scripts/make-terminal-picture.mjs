/**
 * Turns text with ANSI colours (standard input, for instance from `tmux capture-pane -ep`) into an SVG picture of a
 * terminal (standard output). `docs/pictures/demo.svg` was made this way from `npm run demo`.
 */
import { readFileSync } from 'node:fs';

/** A colour sequence: escape, bracket, numbers, m. */
const sequence = `${String.fromCharCode(27)}\\[[0-9;]*m`;
const dimColour = '#7d8590';
const letterWidth = 8.4;
const lineHeight = 20;
const padding = 20;
const colours = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 34: '#79c0ff', 35: '#d2a8ff', 36: '#76e3ea' };

let style = {};
const lines = readFileSync(0, 'utf8').trimEnd().split('\n');
const rows = lines.map(toSpans);
const width = Math.ceil(Math.max(...rows.map((row) => row.columns)) * letterWidth) + 2 * padding;
const height = rows.length * lineHeight + 2 * padding;
const text = rows.map(({ spans }, i) => {
  const y = padding + (i + 0.75) * lineHeight;
  return `<text x="${padding}" y="${y}" xml:space="preserve">${spans.join('')}</text>`;
});
console.log(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Live captions in a terminal">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">
${text.join('\n')}
</g>
</svg>`,
);

/** One line as tspans; each escape sequence changes the style of what follows, on later lines too. */
function toSpans(line) {
  let columns = 0;
  const spans = line.split(new RegExp(`(${sequence})`)).flatMap((part) => {
    if (part.startsWith(String.fromCharCode(27))) {
      style = restyle(style, part.slice(2, -1).split(';').map(Number));
      return [];
    }
    if (part === '') return [];
    columns += [...part].length;
    return [`<tspan${attributes(style)}>${escapeXml(part)}</tspan>`];
  });
  return { spans, columns };
}

function restyle(style, codes) {
  let next = { ...style };
  for (const code of codes) {
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 39) next.colour = undefined;
    else if (colours[code]) next.colour = colours[code];
  }
  return next;
}

function attributes({ bold, dim, colour }) {
  const fill = colour ?? (dim ? dimColour : undefined);
  return `${fill ? ` fill="${fill}"` : ''}${bold ? ' font-weight="700"' : ''}`;
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
