import type { Command } from 'commander';
import pc from 'picocolors';
import { configuredEngines, engineTable } from '../app/speech/engine-table.ts';
import type { Config, ProviderName } from '../config/index.ts';
import { asError } from '../errors.ts';
import type { SttCapabilities } from '../stt/stt.ts';
import { readSettings, withSettings } from './options.ts';
import { addProvidersTest } from './providers-test.ts';
import { type Column, tableLines } from './table.ts';

interface Row {
  name: ProviderName;
  use: string;
  capabilities: SttCapabilities;
  /** `unused` is not checked: that would ask services that nobody configured. */
  state: 'ok' | 'note' | 'wrong' | 'unused';
  text: string;
}

const mostLanguages = 4;

const columns: readonly Column<Row>[] = [
  { head: 'PROVIDER', text: ({ name }) => name, colour: (text) => pc.bold(text) },
  { head: 'USED', text: ({ use }) => use },
  { head: 'LANGUAGES', text: ({ capabilities }) => languagesOf(capabilities) },
  { head: 'PARTIALS', text: ({ capabilities }) => yes(capabilities.partials) },
  { head: 'WORD TIMES', text: ({ capabilities }) => capabilities.wordTimes },
  { head: 'CONFIDENCE', text: ({ capabilities }) => yes(capabilities.confidence) },
  { head: 'SPEAKERS', text: ({ capabilities }) => yes(capabilities.diarization) },
  { head: 'HINTS', text: ({ capabilities }) => yes(capabilities.hints) },
  {
    head: 'STATE',
    text: ({ text }) => text,
    colour: (text, { state }) => colours[state](text),
    flexible: true,
  },
];

const colours = { ok: pc.green, note: pc.yellow, wrong: pc.red, unused: pc.dim };

/** `dialoglens providers`: which speech providers there are, what they can do, and which are configured. */
export function addProviders(program: Command): void {
  const command = program
    .command('providers')
    .description('list the speech providers, what each can do, and whether it could be used now')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nUSED: first, the configured provider; fallback, in its place while it fails; on request, when a room asks\n' +
        'for it; blank otherwise.\n\nExamples:\n  $ dialoglens providers\n' +
        '  $ dialoglens providers test google\n  $ dialoglens providers test local meeting.wav',
    );
  withSettings(command, []).action(async () => {
    const { config } = readSettings(command);
    const names = Object.keys(engineTable) as ProviderName[];
    const rows = await Promise.all(names.map((name) => rowOf(name, config)));
    if (command.opts<{ json?: boolean }>().json) {
      console.log(JSON.stringify(rows, null, 2));
      return;
    }
    for (const line of tableLines(columns, rows, process.stdout.columns)) console.log(line);
  });
  addProvidersTest(command);
}

async function rowOf(name: ProviderName, config: Config): Promise<Row> {
  const entry = engineTable[name];
  const row = { name, use: useOf(name, config), capabilities: entry.capabilities(config) };
  if (row.use === '') return { ...row, state: 'unused', text: 'not configured' };
  const { state, text } = await entry
    .check(config)
    .catch((thrown: unknown) => ({ state: 'wrong' as const, text: asError(thrown).message }));
  return { ...row, state, text };
}

function useOf(name: ProviderName, config: Config): string {
  const { provider, fallbacks } = config.speech;
  if (name === provider) return 'first';
  if (fallbacks.includes(name)) return 'fallback';
  return configuredEngines(config).includes(name) ? 'on request' : '';
}

function languagesOf({ languages, autoLanguage }: SttCapabilities): string {
  const auto = autoLanguage ? ' + auto' : '';
  if (languages === 'any') return `any${auto}`;
  if (languages.length > mostLanguages) return `${languages.length}${auto}`;
  return `${languages.join(' ')}${auto}`;
}

function yes(value: boolean): string {
  return value ? 'yes' : '–';
}
