import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Folder of the built web application, or null where its package is not installed or not built. */
export function findWebFolder(): string | null {
  const require = createRequire(import.meta.url);
  try {
    const folder = join(dirname(require.resolve('@dialoglens/web/package.json')), 'dist/app');
    return existsSync(join(folder, 'index.html')) ? folder : null;
  } catch {
    return null; // Not installed: the API works without it, and whoever starts it is told.
  }
}

/** Where browsers go for LiveKit, as origins of a content security policy. LiveKit Cloud sends them on by region. */
export function livekitOrigins(url: string): string[] {
  const { host, hostname, protocol } = new URL(url);
  const isSecure = protocol === 'wss:' || protocol === 'https:';
  const origins = isSecure ? [`wss://${host}`, `https://${host}`] : [`ws://${host}`, `http://${host}`];
  if (!hostname.endsWith('.livekit.cloud')) return origins;
  return [...origins, 'wss://*.livekit.cloud', 'https://*.livekit.cloud'];
}
