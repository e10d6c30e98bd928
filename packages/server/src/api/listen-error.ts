import { createServer } from 'node:net';
import { asError, DialogLensError } from '../errors.ts';

/** Where to listen, and the settings to choose another place with. */
export interface ListenPlace {
  host: string;
  /** 0 picks a free one. */
  port: number;
  portSetting: { variable: string; flag: string };
}

/** How the port of API and pages is chosen. */
export const apiPortSetting = { variable: 'DIALOGLENS_PORT', flag: '--port' };

/**
 * Takes the port for a moment, so that what is in its way is told before anything slow begins. Somebody else may still
 * take it afterwards.
 * @throws DialogLensError `port_in_use`, `invalid_config`
 */
export async function probePort(place: ListenPlace): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(place.port, place.host, () => server.close(() => resolve()));
    });
  } catch (thrown) {
    throw listenError(asError(thrown), place);
  }
}

/** Why a place cannot be listened on, and what to do about it. */
export function listenError(error: Error, { host, port, portSetting }: ListenPlace): Error {
  const { variable, flag } = portSetting;
  const code: unknown = Reflect.get(error, 'code');
  if (code === 'EADDRINUSE') {
    return new DialogLensError('port_in_use', `Port ${port} of ${host} is in use by another program.`, {
      field: variable,
      remedy: `Stop that program, or choose another port with ${variable} or ${flag}.`,
      cause: error,
    });
  }
  if (code === 'EACCES') {
    return new DialogLensError('invalid_config', `This user may not listen on port ${port}.`, {
      field: variable,
      remedy: 'Choose a port above 1023.',
      cause: error,
    });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new DialogLensError('invalid_config', `${host} is not an address of this machine.`, {
      field: 'DIALOGLENS_HOST',
      remedy: 'Use an address of this machine, or 0.0.0.0 for all.',
      cause: error,
    });
  }
  return error;
}
