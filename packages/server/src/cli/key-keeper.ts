import {
  createKeyAnswerSchema,
  type KeyView,
  keyViewSchema,
  revokeKeyAnswerSchema,
} from '@dialoglens/protocol';
import { addKey, type KeyWish, revokeKey } from '../api/key-store.ts';
import { configuredKey, keyView, storedKey } from '../api/known-key.ts';
import { prepareDataFolder } from '../app/data-folder.ts';
import { openConfiguredStore } from '../app/open-store.ts';
import type { Config } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { ApiClient, type ApiTarget } from './api-client.ts';

/** Whoever can make, list and revoke keys. */
export interface KeyKeeper {
  /** Where they are kept, in words. */
  readonly where: string;
  create(wish: KeyWish): Promise<{ id: string; secret: string }>;
  list(): Promise<KeyView[]>;
  revoke(id: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * The keys of the database, whether a server runs or not: who may open it may make a key. A data folder that a running
 * server has open is left to that server, at `target`.
 */
export async function openKeyKeeper(config: Config, target: ApiTarget): Promise<KeyKeeper> {
  const store = openConfiguredStore(config);
  try {
    if (store.kind === 'pglite') await prepareDataFolder(config.dataDir);
    await store.start();
  } catch (thrown) {
    await store.stop();
    if (thrown instanceof DialogLensError && thrown.code === 'store_locked') return overLock(config, target);
    throw thrown;
  }
  return keeperOfStore(config, store);
}

function keeperOfStore(config: Config, store: Store): KeyKeeper {
  const configured = config.apiKeys.map(configuredKey);
  const terms = { actor: 'cli', configured };
  return {
    where: store.kind === 'pglite' ? `the data folder ${config.dataDir}` : 'the database',
    create: (wish) => addKey(store.keys, wish, { ...terms, nowMs: Date.now() }),
    async list() {
      const stored = (await store.keys.list()).map(storedKey);
      return [...configured, ...stored].map((key) => keyView(key, Date.now()));
    },
    revoke: (id) => revokeKey(store.keys, id, terms),
    close: () => store.stop(),
  };
}

/** The keys of a running server. */
export function keeperOverApi(target: ApiTarget): KeyKeeper {
  const api = new ApiClient(target);
  return {
    where: `the server at ${target.url}`,
    create: (wish) => api.post('/api/keys', createKeyAnswerSchema, wish),
    list: () => api.list('/api/keys', keyViewSchema),
    async revoke(id) {
      await api.delete(`/api/keys/${encodeURIComponent(id)}`, revokeKeyAnswerSchema);
    },
    close: async () => undefined,
  };
}

function overLock({ dataDir }: Config, target: ApiTarget): KeyKeeper {
  const keeper = keeperOverApi(target);
  const explained = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (thrown) {
      if (!(thrown instanceof DialogLensError)) throw thrown;
      const { code, message, field, remedy } = thrown;
      if (code !== 'api_unreachable' && code !== 'unauthenticated') throw thrown;
      throw new DialogLensError(code, `The data folder ${dataDir} is open in a running server. ${message}`, {
        ...(field !== undefined && { field }),
        remedy: `${remedy ?? ''} Or stop the server: then this command uses the folder itself.`.trim(),
        cause: thrown,
      });
    }
  };
  return {
    ...keeper,
    create: (wish) => explained(keeper.create(wish)),
    list: () => explained(keeper.list()),
    revoke: (id) => explained(keeper.revoke(id)),
  };
}
