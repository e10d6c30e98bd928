import type { Config } from '../../config/index.ts';
import { DialogLensError } from '../../errors.ts';
import { folderCapabilities, moonshineCapabilities } from '../../stt/providers/local/local-capabilities.ts';
import { createLocalProvider } from '../../stt/providers/local/local-provider.ts';
import { inspectModelFolder, type ModelFolder } from '../../stt/providers/local/model-folder.ts';
import { type ModelKind, modelKinds } from '../../stt/providers/local/model-kinds.ts';
import { checkModels, ensureDetector, ensureModels } from '../../stt/providers/local/model-store.ts';
import type { Finding } from '../finding.ts';
import type { EngineEntry } from './speech-engine.ts';

/** Faster than any machine: audio is sent as fast as it is recognised. */
const batchRate = 1_000;

type LocalSettings = Config['speech']['local'];

export const localEngine: EngineEntry = {
  isPaid: false,
  capabilities: ({ speech: { local } }) => {
    if (local.model === undefined) return moonshineCapabilities;
    return folderCapabilities(knownFolder(local), toldLanguage(local) ?? '');
  },
  check: async ({ cacheDir, speech: { local } }) =>
    local.model === undefined ? checkLocal(cacheDir) : checkModelFolder(local),
  async create({ config, metrics, logger, onProgress, isBatch }) {
    const { local, endSilenceMs, maxUtteranceMs, preRollMs, partials, threads } = config.speech;
    const moonshine = { partial: config.speech.partialModel, final: config.speech.finalModel };
    const store = { cacheDir: config.cacheDir, ...(onProgress && { onProgress }) };
    const endpoint = { endSilenceMs, maxUtteranceMs, preRollMs };
    const common = {
      metrics,
      logger,
      partials,
      threads,
      endpoint,
      ...(isBatch && { replayRate: batchRate }),
    };
    const folder = folderOf(local);
    const language = toldLanguage(local);
    const provider = folder
      ? createLocalProvider({
          ...common,
          models: { detector: await ensureDetector(store) },
          custom: { folder, ...(language !== undefined && { language }) },
        })
      : createLocalProvider({ ...common, moonshine, models: await ensureModels(store) });
    return { provider, makeDetector: () => provider.createDetector() };
  },
};

function toldLanguage({ language }: LocalSettings): string | undefined {
  return language === 'auto' ? undefined : language;
}

/** @throws DialogLensError `model_folder_invalid`, or `unsupported_language` when its model does not know the language it is told */
function folderOf(local: LocalSettings): ModelFolder | null {
  if (local.model === undefined) return null;
  const kind: ModelKind | 'auto' = local.kind;
  const folder = inspectModelFolder(local.model, kind);
  const told = toldLanguage(local);
  if (told === undefined || folder.languages === 'any' || folder.languages.includes(told)) return folder;
  throw new DialogLensError('unsupported_language', `The model in ${local.model} does not know ${told}.`, {
    field: 'speech.local.language',
    remedy: `Use auto, or one of: ${folder.languages.join(', ')}.`,
  });
}

/** A process that only dispatches need not have the model: the workers tell what is wrong with it. */
function knownFolder(local: LocalSettings): Pick<ModelFolder, 'kind' | 'languages' | 'detectsLanguage'> {
  try {
    const folder = folderOf(local);
    if (folder) return folder;
  } catch (thrown) {
    if (!(thrown instanceof DialogLensError)) throw thrown;
  }
  return { kind: 'transducer', languages: 'any', detectsLanguage: true };
}

function checkModelFolder(local: LocalSettings): Finding {
  const folder = folderOf(local);
  if (!folder) throw new DialogLensError('internal', 'There is no model folder to check.');
  const languages = folder.languages === 'any' ? '' : `, ${folder.languages.slice(0, 8).join(', ')}`;
  const more = folder.languages !== 'any' && folder.languages.length > 8 ? ' and more' : '';
  return { state: 'ok', text: `${modelKinds[folder.kind].title} in ${folder.folder}${languages}${more}` };
}

async function checkLocal(cacheDir: string): Promise<Finding> {
  const files = await checkModels({ cacheDir, full: true });
  const bad = files.filter(({ state }) => state !== 'ok');
  const [first] = bad;
  if (!first) return { state: 'ok', text: 'every file of the model matches its SHA-256' };
  if (files.every(({ state }) => state === 'missing')) {
    return {
      state: 'note',
      text: 'the model is not fetched yet (70 MB)',
      remedy: '`dialoglens start` fetches it, or `dialoglens models` now.',
    };
  }
  return {
    state: 'wrong',
    text: `${first.file} is ${first.state}${bad.length > 1 ? `, and ${bad.length - 1} more` : ''}`,
    remedy: 'Run `dialoglens models --repair`.',
  };
}
