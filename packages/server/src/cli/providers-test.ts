import type { Command } from 'commander';
import pc from 'picocolors';
import { loadSampleMeeting, type MeetingLine } from '../app/sample-meeting.ts';
import { engineTable } from '../app/speech/engine-table.ts';
import { type AudioSource, openAudio } from '../app/transcribe/audio-source.ts';
import { recordingOf, transcribeFile } from '../app/transcribe/transcribe-file.ts';
import type { Config, ProviderName } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import { describeGaps, type ExportTranscript } from '../export/transcript-input.ts';
import type { Caption } from '../sinks/sink.ts';
import { sampleRate } from '../stt/stt.ts';
import { normaliseWords, wordErrors } from '../transcript/word-error-rate.ts';
import { openFileSpeech } from './file-speech.ts';
import { readSettings, withSettings } from './options.ts';
import { progressBar, step } from './progress.ts';
import { endedBySignal, untilSignal } from './shutdown.ts';
import { whyNoWords } from './why-no-words.ts';

/** Silence behind the sample line, so that its end is heard. */
const tailMs = 1_500;

interface Measured {
  /** ms from the beginning of an utterance to its first words, and from the end of speech to its final. */
  first: number[];
  final: number[];
}

/** `dialoglens providers test`: what somebody with credentials runs first. */
export function addProvidersTest(providers: Command): void {
  const command = providers
    .command('test <name> [file]')
    .description(
      'transcribe a recording with one provider, through all that serves a live room, and say how it did',
    )
    .option(
      '--fast',
      'as fast as the provider takes it instead of as fast as it was spoken; then without latencies',
    )
    .addHelpText(
      'after',
      '\nWithout a file a line of the sample meeting is played. Nothing is stored.\n\nExamples:\n' +
        '  $ dialoglens providers test local\n  $ GOOGLE_APPLICATION_CREDENTIALS=key.json dialoglens providers test google\n' +
        '  $ dialoglens providers test google interview.wav --language de-DE --fast',
    );
  withSettings(command, ['speech.language', 'log.level']).action(async (name: string, file?: string) => {
    const { config } = readSettings(command);
    const provider = requireName(name);
    const { fast = false } = command.opts<{ fast?: boolean }>();
    const alone = { ...config, speech: { ...config.speech, provider, fallbacks: [], onRequest: [] } };
    const work = (signal: AbortSignal) => testProvider(alone, provider, file, fast, signal);
    await endedBySignal(untilSignal(), work, 'Stopped.');
  });
}

function requireName(name: string): ProviderName {
  const names = Object.keys(engineTable) as ProviderName[];
  const found = names.find((one) => one === name);
  if (found !== undefined) return found;
  throw new DialogLensError('unknown_provider', `There is no speech provider "${name}".`, {
    field: 'name',
    remedy: `Use one of: ${names.join(', ')}.`,
  });
}

async function testProvider(
  config: Config,
  name: ProviderName,
  file: string | undefined,
  fast: boolean,
  signal: AbortSignal,
): Promise<void> {
  const line = file === undefined ? await sampleLine() : null;
  const source = line ? sourceOf(line) : await openAudio(file ?? '');
  const recording = file === undefined ? { name: 'sample', writtenAt: Date.now() } : await recordingOf(file);
  const stack = await openFileSpeech(config, signal, !fast);
  const measured: Measured = { first: [], final: [] };
  const shown = new Set<string>();
  const onCaption = ({ segment, engineMs }: Caption, afterMs: number) => {
    if (!shown.has(segment.id)) measured.first.push(afterMs - segment.startMs);
    shown.add(segment.id);
    if (segment.isFinal) measured.final.push(engineMs);
  };
  try {
    const transcript = await step(
      `Listening to ${file ?? 'a line of the sample meeting'} with ${name}`,
      ({ update }) =>
        transcribeFile(recording, source, {
          ...stack,
          language: config.speech.language,
          realTime: !fast,
          signal,
          onProgress: progressBar(update, process.stderr.isTTY === true),
          onCaption,
        }),
      process.stderr,
    );
    print(transcript, name, fast ? null : measured, line);
  } finally {
    await stack.speech.stop();
  }
}

async function sampleLine(): Promise<MeetingLine> {
  const [line] = (await loadSampleMeeting()).lines;
  if (!line) throw new DialogLensError('internal', 'The sample meeting has no lines.');
  return line;
}

function sourceOf({ pcm }: MeetingLine): AudioSource {
  const samples = Float32Array.from(pcm, (sample) => sample / 32_768);
  const tail = new Float32Array((tailMs / 1000) * sampleRate);
  async function* blocks() {
    yield [samples];
    yield [tail];
  }
  const durationMs = ((samples.length + tail.length) / sampleRate) * 1000;
  return { sampleRate, channels: 1, durationMs, blocks: blocks() };
}

function print(
  { segments, coverage }: ExportTranscript,
  name: ProviderName,
  measured: Measured | null,
  line: MeetingLine | null,
): void {
  const text = segments.map((segment) => segment.text).join(' ');
  const words = normaliseWords(text).length;
  const rows: [string, string][] = [
    ['text', text === '' ? pc.yellow(whyNoWords(coverage)) : text],
    ['words', `${words}`],
  ];
  if (line) {
    const { rate, referenceWords } = wordErrors(line.text, text);
    rows.push(['word errors', `${(100 * rate).toFixed(0)} % of ${referenceWords} (said: “${line.text}”)`]);
  }
  if (measured) {
    rows.push(['first words', `${shown(measured.first)} after somebody begins to speak`]);
    rows.push(['final text', `${shown(measured.final)} after the end of speech`]);
  }
  const gaps = describeGaps(coverage);
  if (gaps !== null) rows.push(['no text', pc.red(gaps)]);
  rows.push([
    'cost',
    costOf(
      name,
      coverage.reduce((sum, one) => sum + one.totalMs, 0),
    ),
  ]);
  for (const [head, value] of rows) console.log(`${pc.dim(head.padEnd(12))}${value}`);
  if (words === 0 || gaps !== null) process.exitCode = 1;
}

function shown(values: readonly number[]): string {
  if (values.length === 0) return 'never';
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return `${Math.round(middle)} ms`;
}

function costOf(name: ProviderName, audioMs: number): string {
  const price = engineTable[name].listPrice;
  if (!price) return 'none';
  const usd = (audioMs / 3_600_000) * price.usdPerHour;
  return `about ${usd.toFixed(usd < 0.01 ? 5 : 3)} USD (${price.usdPerHour} USD an hour, list price of ${price.asOf}; yours may differ)`;
}
