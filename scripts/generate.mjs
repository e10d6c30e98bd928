/**
 * Writes the files that are made from the source: the references in docs/reference/ and openapi.json. With `--check`
 * it writes nothing and fails when one of them is not what it would write. Needs a build.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './setup.mjs';

const built = (path) => import(pathToFileURL(join(root, 'packages/server/dist', path)).href);
const notice = '<!-- Made by `npm run generate`; change the source instead. -->';

const files = {
  'docs/reference/configuration.md': configuration,
  'docs/reference/metrics.md': metrics,
  'docs/reference/errors.md': errors,
  'packages/server/openapi.json': openApi,
};

const isCheck = process.argv.includes('--check');
for (const [name, make] of Object.entries(files)) {
  const path = join(root, name);
  const content = await make();
  const isFresh = existsSync(path) && readFileSync(path, 'utf8') === content;
  if (isFresh) continue;
  if (isCheck) {
    console.log(`${name} is not what the source says. Run \`npm run generate\` and commit it.`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    console.log(`wrote ${name}`);
  }
}
if (isCheck && !process.exitCode) console.log(`${Object.keys(files).length} files are fresh`);

async function configuration() {
  const { settings } = await built('config/settings.js');
  const { valueRange, defaultText } = await built('config/reference.js');
  const rows = settings.map((setting) => {
    const names = [`\`${setting.env}\``, ...(setting.flag ? [`\`--${setting.flag}\``] : [])];
    return [
      `\`${setting.path}\``,
      names.join('<br>'),
      valueRange(setting),
      defaultText(setting),
      setting.doc,
    ];
  });
  return page('Configuration', [
    'Flags win over environment variables, these over the YAML file, that over the defaults. The file is named by',
    '`--config`, or stands as a whole in `DIALOGLENS_CONFIG`. A dot in a setting’s name is one level of the YAML file:',
    '',
    '```yaml',
    'port: 3010',
    'speech:',
    '  language: en',
    '```',
    '',
    'Keys of the file and variables beginning with `DIALOGLENS_` that are not listed here are errors.',
    '`dialoglens config` prints what is in force and where each value came from.',
    '',
    ...table(['Setting', 'Variable and flag', 'Values', 'Default', 'Meaning'], rows),
  ]);
}

async function metrics() {
  const { metricTable } = await built('observability/metric-table.js');
  const rows = Object.entries(metricTable).map(([name, row]) => [
    `\`dialoglens_${name}\``,
    row.type,
    row.labels.map((label) => `\`${label}\``).join(', ') || 'none',
    row.help,
    row.buckets?.join(', ') ?? '',
  ]);
  return page('Metrics', [
    'Served at `/metrics` in the Prometheus text format. No label holds the name of a room or a person.',
    '',
    ...table(['Metric', 'Type', 'Labels', 'Meaning', 'Buckets'], rows),
  ]);
}

async function errors() {
  const { errorCodes } = await built('errors.js');
  const rows = Object.entries(errorCodes).map(([code, { status, title }]) => [
    `\`${code}\``,
    String(status),
    title,
  ]);
  return page('Error codes', [
    'The API answers with `application/problem+json`, whose `code` is one of these; the command line prints it too.',
    '',
    ...table(['Code', 'HTTP status', 'Meaning'], rows),
  ]);
}

async function openApi() {
  const { openApiDocument } = await built('api/openapi.js');
  return `${JSON.stringify(await openApiDocument(), null, 2)}\n`;
}

function page(title, lines) {
  return `${[`# ${title}`, '', notice, '', ...lines].join('\n')}\n`;
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)];
}
