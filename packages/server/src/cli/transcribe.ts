import { access } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { allFormats } from '../app/documents/document-formats.ts';
import type { SpeechParts } from '../app/speech.ts';
import { openAudio } from '../app/transcribe/audio-source.ts';
import { recordingOf, transcribeFile } from '../app/transcribe/transcribe-file.ts';
import type { Config } from '../config/index.ts';
import { describeGaps, type ExportTranscript } from '../export/transcript-input.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import { fail } from './fail.ts';
import { openFileSpeech } from './file-speech.ts';
import { type FormatName, formatNames } from './formats.ts';
import { readSettings, withSettings } from './options.ts';
import { progressBar, step } from './progress.ts';
import { endedBySignal, untilSignal } from './shutdown.ts';
import { type TranscriptTarget, targetOf, writeTranscript } from './transcript-target.ts';
import { whyNoWords } from './why-no-words.ts';

interface Options {
  format?: FormatName;
  out?: string;
  splitChannels?: boolean;
  hint?: string[];
}

/** `dialoglens transcribe`: recordings to transcripts, through all that serves a live room. */
export function addTranscribe(program: Command): void {
  const command = program
    .command('transcribe <file...>')
    .description('transcribe recordings (WAV; FLAC, Ogg, MP3, MP4 and others when ffmpeg is installed)')
    .addOption(new Option('-f, --format <format>', 'txt unless --out ends in another').choices(formatNames))
    .option(
      '-o, --out <file>',
      'file to write, or folder for one transcript each; the terminal when left out',
    )
    .option(
      '--split-channels',
      'every channel is a speaker of its own, as in recorded calls; otherwise they are mixed',
    )
    .option('--hint <word...>', 'names and terms to listen for, where the provider takes them')
    .addHelpText(
      'after',
      '\nThe transcript goes to standard output, progress and the log to standard error. Parts without text are\n' +
        'named, with the reason; then the exit code is 1.\n\nExamples:\n' +
        '  $ dialoglens transcribe meeting.wav\n' +
        '  $ dialoglens transcribe meeting.mp4 --out meeting.srt\n' +
        '  $ dialoglens transcribe call.wav --split-channels --format json > call.json\n' +
        '  $ dialoglens transcribe *.flac --format vtt --out captions/',
    );
  withSettings(command, ['speech.provider', 'speech.language', 'log.level']).action(
    async (files: string[]) => {
      const { config } = readSettings(command);
      await transcribeAll(files, config, command.opts<Options>());
    },
  );
}

interface Run {
  options: Options;
  speech: SpeechParts;
  language: string;
  target: TranscriptTarget;
  signal: AbortSignal;
  metrics: Metrics;
  logger: Logger;
}

async function transcribeAll(files: readonly string[], config: Config, options: Options): Promise<void> {
  const signalled = untilSignal();
  const target = await targetOf(files, options);
  // Nobody wants to wait for a model to hear that a name is misspelt.
  for (const file of files) await access(file).catch(() => openAudio(file));
  const work = async (signal: AbortSignal) => {
    const speechStack = await openFileSpeech(config, signal);
    const run: Run = { ...speechStack, language: config.speech.language, options, target, signal };
    try {
      await transcribeEach(files, run);
    } finally {
      await speechStack.speech.stop();
    }
  };
  await endedBySignal(signalled, work, 'Stopped. The file under way was not written.');
}

/** A recording that cannot be transcribed does not keep the next from it. */
async function transcribeEach(files: readonly string[], run: Run): Promise<void> {
  for (const file of files) {
    await transcribeOne(file, run).catch((thrown: unknown) => {
      if (run.signal.aborted) throw thrown;
      fail(thrown);
    });
  }
}

async function transcribeOne(file: string, run: Run): Promise<void> {
  const { options, target, ...rest } = run;
  const source = await openAudio(file);
  const recording = await recordingOf(file);
  const transcript = await step(
    `${file}`,
    ({ update }) =>
      transcribeFile(recording, source, {
        ...rest,
        hints: options.hint ?? [],
        splitChannels: options.splitChannels ?? false,
        onProgress: progressBar(update, process.stderr.isTTY === true),
      }),
    process.stderr,
  );
  const text = await allFormats[target.format].write(transcript);
  const path = target.pathOf(file);
  if (path === null) process.stdout.write(text);
  else await writeTranscript(path, text);
  report(file, transcript);
}

/** Says what has no text: a transcript must not look complete when it is not. */
function report(file: string, { segments, coverage }: ExportTranscript): void {
  if (segments.length === 0) console.error(pc.yellow(`${file}: ${whyNoWords(coverage)}.`));
  const gaps = describeGaps(coverage);
  if (gaps === null) return;
  console.error(pc.red(`${file}: speech without text: ${gaps}.`));
  process.exitCode = 1;
}
