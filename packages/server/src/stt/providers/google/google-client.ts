import { readFile } from 'node:fs/promises';
import { asError, DialogLensError } from '../../../errors.ts';
import type { RawClient } from './google-connections.ts';
import { type GoogleSettings, googleAddress } from './google-settings.ts';

/** A connection that carries nothing is asked for a sign of life: a broken network does not always say so. */
const keepAlive = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 };
/** A server of this machine is told nothing; without this the library would look for credentials all over the network. */
const nobody = { client_email: 'nobody@localhost', private_key: 'none' };
/** A client for every connection, a connection for every client. */
const ownConnection = { 'grpc.use_local_subchannel_pool': 1 };

/**
 * How clients are made. The library weighs 40 MB on disk and takes most of a second to load, so that it is loaded only
 * where the provider is configured.
 * @throws DialogLensError naming the setting that is wrong
 */
export async function makeClientFactory(settings: GoogleSettings): Promise<() => RawClient> {
  const { host, port, isPlain } = googleAddress(settings);
  if (settings.credentials !== undefined) await requireKeyFile(settings.credentials);
  const { v1, v2 } = await import('@google-cloud/speech');
  const { credentials: grpcCredentials } = await import('@grpc/grpc-js');
  const options = {
    apiEndpoint: host,
    port,
    fallback: false,
    ...keepAlive,
    ...ownConnection,
    ...(settings.project !== undefined && { projectId: settings.project }),
    ...(settings.credentials !== undefined && { keyFilename: settings.credentials }),
    ...(isPlain && { sslCreds: grpcCredentials.createInsecure(), credentials: nobody }),
  };
  return () => {
    const client = settings.apiVersion === 'v1' ? new v1.SpeechClient(options) : new v2.SpeechClient(options);
    return client as unknown as RawClient;
  };
}

/** Tells apart what the library would report much later, and less clearly. */
async function requireKeyFile(path: string): Promise<void> {
  const refuse = (what: string, thrown?: unknown) =>
    new DialogLensError('provider_credentials', `Google’s key file ${path} ${what}.`, {
      field: 'speech.google.credentials',
      remedy:
        'Set GOOGLE_APPLICATION_CREDENTIALS to a key file in JSON as the Google Cloud console gives it.',
      ...(thrown !== undefined && { cause: asError(thrown) }),
    });
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    const { code } = asError(thrown) as NodeJS.ErrnoException;
    throw refuse(
      code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})`,
      thrown,
    );
  });
  if (!isKeyFile(text)) throw refuse('is no key file');
}

function isKeyFile(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && 'type' in parsed;
  } catch {
    // Not JSON: no key file.
    return false;
  }
}
