import { createLocalProvider, localCapabilities } from '../../stt/providers/local/local-provider.ts';
import { checkModels, ensureModels } from '../../stt/providers/local/model-store.ts';
import type { Finding } from '../finding.ts';
import type { EngineEntry } from './speech-engine.ts';

export const localEngine: EngineEntry = {
  capabilities: () => localCapabilities,
  check: ({ cacheDir }) => checkLocal(cacheDir),
  async create({ config, metrics, logger, onProgress }) {
    const models = await ensureModels({ cacheDir: config.cacheDir, ...(onProgress && { onProgress }) });
    const { endSilenceMs, maxUtteranceMs, preRollMs, partials } = config.speech;
    const endpoint = { endSilenceMs, maxUtteranceMs, preRollMs };
    const provider = createLocalProvider({ models, metrics, logger, partials, endpoint });
    return { provider, makeDetector: () => provider.createDetector() };
  },
};

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
