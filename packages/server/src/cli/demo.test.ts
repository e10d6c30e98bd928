import { expect, it } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { besideStart } from './demo.ts';

it('asks an API of its own, on this machine alone, whatever keys a `start` beside it wants', async () => {
  const env = { HOME: '/home/ana', DIALOGLENS_API_KEYS: 'sixteen-or-longer', DIALOGLENS_HOST: '0.0.0.0' };
  const { config } = loadConfig({ flags: {}, env, cwd: '/home/ana' });
  expect(config.apiKeys).toHaveLength(1);
  const own = await besideStart(config);
  expect(own).toMatchObject({ host: '127.0.0.1', apiKeys: [] });
  expect(own.port).not.toBe(config.port);
  expect(own.dataDir).not.toBe(config.dataDir);
});
