import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { ExportTranscript } from '../../export/transcript-input.ts';
import { newId } from '../../ids.ts';
import type { Session } from '../../store/store.ts';
import type { SupervisorSettings } from '../../stt/supervisor/supervisor-settings.ts';
import type { AudioSource } from './audio-source.ts';
import { RecordedVoice } from './recorded-voice.ts';
import type { TranscribeOptions } from './transcribe-options.ts';

export interface Recording {
  /** Stands in the transcript where the room's name stands otherwise. */
  name: string;
  /** Epoch ms. */
  writtenAt: number;
}

/** For audio that comes faster than it was spoken: nothing an engine does late is a fault. */
export const batchSupervision: Partial<SupervisorSettings> = { deafMs: 45_000, quietMs: 40_000 };

/** Pieces in which audio is handed over, samples. */
const pieceSamples = 800;

/**
 * Transcribes a recording through all that serves a track of a live room: voice detector, supervisor with its chain of
 * providers, assembler and coverage.
 * @throws DialogLensError `provider_unavailable` when no provider takes audio
 */
export async function transcribeFile(
  recording: Recording,
  source: AudioSource,
  options: TranscribeOptions,
): Promise<ExportTranscript> {
  const count = options.splitChannels ? source.channels : 1;
  const session = sessionOf(recording, source, options);
  const voices = Array.from(
    { length: count },
    (_, channel) => new RecordedVoice(session, channel, count, options),
  );
  const beganMs = performance.now();
  let doneMs = 0;
  try {
    for await (const block of source.blocks) {
      const channels = options.splitChannels ? block : [mixed(block)];
      const pieces = voices.map((voice, i) => voice.resampled(channels[i] ?? new Float32Array(0), source));
      doneMs = await feed(voices, pieces, { ...options, beganMs });
      options.onProgress?.(doneMs, source.durationMs);
    }
    await feed(
      voices,
      voices.map((voice) => voice.rest()),
      { ...options, beganMs },
    );
    await Promise.all(voices.map((voice) => voice.finish(options.signal)));
  } finally {
    await Promise.all(voices.map((voice) => voice.abandon()));
  }
  options.signal.throwIfAborted();
  const segments = voices.flatMap((voice) => voice.finals);
  segments.sort((a, b) => a.startedAt - b.startedAt);
  const endedAt = session.startedAt + Math.max(0, ...voices.map((voice) => voice.endMs));
  return {
    session: { ...session, endedAt: Math.round(endedAt) },
    segments,
    coverage: voices.map((voice) => voice.coverage()),
  };
}

/** What is known of a file: it was last written when the recording ended. */
export async function recordingOf(path: string): Promise<Recording> {
  const { mtimeMs } = await stat(path);
  return { name: basename(path).replace(/\.[^.]+$/, ''), writtenAt: mtimeMs };
}

function sessionOf({ name, writtenAt }: Recording, source: AudioSource, options: TranscribeOptions): Session {
  return {
    id: newId('ses'),
    room: name,
    roomSid: '',
    language: options.language,
    provider: options.speech.provider({ provider: options.provider }).name,
    startedAt: Math.round(writtenAt - (source.durationMs ?? 0)),
    endedAt: null,
    endReason: 'end of the recording',
    changes: 0,
  };
}

function mixed(channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(0)] = channels;
  if (channels.length < 2) return first;
  return first.map((_, i) => channels.reduce((sum, channel) => sum + (channel[i] ?? 0), 0) / channels.length);
}

/** Hands the same stretch to every voice, no faster than they get their text. Gives how far they are, ms. */
async function feed(
  voices: readonly RecordedVoice[],
  pieces: readonly Int16Array[],
  options: TranscribeOptions & { beganMs: number },
): Promise<number> {
  const length = Math.max(0, ...pieces.map((piece) => piece.length));
  for (let at = 0; at < length; at += pieceSamples) {
    options.signal.throwIfAborted();
    for (const [i, voice] of voices.entries()) voice.hear(pieces[i]?.subarray(at, at + pieceSamples));
    await nextTurn();
    while (voices.some((voice) => voice.isTooFarAhead(options))) {
      for (const voice of voices) voice.throwIfUnserved();
      options.signal.throwIfAborted();
      await delay(5);
    }
  }
  return Math.max(0, ...voices.map((voice) => voice.endMs));
}
