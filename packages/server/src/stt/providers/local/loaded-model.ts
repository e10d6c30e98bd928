import type { RecogniseKind } from '../../segmented-session.ts';
import type { ModelFolder } from './model-folder.ts';
import { kindSpec } from './model-kinds.ts';
import type { ModelPaths } from './model-store.ts';
import { OfflineModel, type Recognised, type UtteranceRecogniser } from './recogniser.ts';
import { type GrowingUtterance, StreamingModel } from './streaming-model.ts';

/** A model in memory, shared by all tracks. */
export interface LoadedModel {
  /** For one session, which asks one thing at a time. */
  forSession(): SessionRecogniser;
}

export interface SessionRecogniser {
  /** @param startSample where the audio begins; audio that begins where the last one did is the same, grown. */
  recognise(kind: RecogniseKind, pcm: Int16Array, startSample: number): Promise<Recognised>;
}

export type MoonshineSize = 'tiny' | 'base';

/** Which Moonshine hears partials and finals. */
export interface MoonshineChoice {
  partial: MoonshineSize;
  final: MoonshineSize;
}

/** Loads Moonshine. A model that hears both is loaded once. */
export async function loadMoonshine(
  paths: ModelPaths,
  { partial, final }: MoonshineChoice,
  threads: number,
): Promise<LoadedModel> {
  const load = (size: MoonshineSize) =>
    OfflineModel.load({ moonshine: paths[size] }, paths.tokens, { threads });
  const forFinals = await load(final);
  return wholeUtterances({ final: forFinals, partial: partial === final ? forFinals : await load(partial) });
}

/** Loads the model of a folder. @param language a primary tag, or empty when the model is to find out */
export async function loadFolder(
  { kind, files, tokens }: ModelFolder,
  language: string,
  threads: number,
): Promise<LoadedModel> {
  const { isStreaming, hasTimes, config } = kindSpec(kind);
  const model = config(files, language);
  const options = { threads, hasTimes };
  if (isStreaming) return streaming(StreamingModel.load(model, tokens, options));
  const one = await OfflineModel.load(model, tokens, options);
  return wholeUtterances({ final: one, partial: one });
}

function wholeUtterances(models: { final: UtteranceRecogniser; partial: UtteranceRecogniser }): LoadedModel {
  const recognise = (kind: RecogniseKind, pcm: Int16Array) =>
    (kind === 'final' || kind === 'early' ? models.final : models.partial).recognise(pcm);
  return { forSession: () => ({ recognise }) };
}

function streaming(model: StreamingModel): LoadedModel {
  return {
    forSession: () => {
      let open: { startSample: number; utterance: GrowingUtterance } | null = null;
      return {
        async recognise(kind, pcm, startSample) {
          // An utterance may end before what was heard of it, when it was too long and is cut at a pause.
          const isSame = open?.startSample === startSample && open.utterance.samples <= pcm.length;
          const { utterance } = isSame && open ? open : { utterance: model.begin() };
          open = kind === 'final' ? null : { startSample, utterance };
          const heard = await utterance.hear(pcm.subarray(utterance.samples));
          return kind === 'final' ? utterance.end() : heard;
        },
      };
    },
  };
}
