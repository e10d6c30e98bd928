import { type Command, InvalidArgumentError } from 'commander';
import { devServerFolder } from '../app/own-livekit.ts';
import { DialogLensError } from '../errors.ts';
import { ensureDevKeys } from '../livekit/dev-keys.ts';
import { mintUserToken } from '../livekit/tokens.ts';
import { configuredLiveKit, readSettings, withSettings } from './options.ts';

interface TokenOptions {
  room: string;
  identity: string;
  name?: string;
  admin?: boolean;
  hours: number;
}

/** `dialoglens token`: a LiveKit access token for a person, to join a room with or to read its transcript. */
export function addToken(program: Command): void {
  const command = program
    .command('token')
    .description('print a LiveKit access token, to join a room or to call the API for it')
    .requiredOption('-r, --room <room>', 'room name')
    .requiredOption('-i, --identity <identity>', 'who is joining')
    .option('-n, --name <name>', 'name others see; the identity when left out')
    .option('--admin', 'may also start and stop transcription of the room')
    .option('--hours <hours>', 'how long it is valid', hours, 6)
    .addHelpText(
      'after',
      '\nWithout LIVEKIT_URL the token is for the server that `dialoglens start` runs on this machine.\n\nExample:\n' +
        '  $ dialoglens token --room standup --identity ana --name "Ana Silva"',
    );
  withSettings(command, ['dataDir', 'livekit.url']).action(async () => {
    const { config } = readSettings(command);
    const { hours: validHours, ...grant } = command.opts<TokenOptions>();
    if (grant.room === '' || grant.identity === '') {
      throw new DialogLensError('invalid_request', 'The room and the identity must not be empty.', {
        field: grant.room === '' ? 'room' : 'identity',
        remedy: 'Give a room name and an identity.',
      });
    }
    const keys = configuredLiveKit(config) ?? (await ensureDevKeys(devServerFolder(config.dataDir)));
    console.log(await mintUserToken(keys, { ...grant, ttlSeconds: Math.round(validHours * 3_600) }));
  });
}

function hours(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 720)) throw new InvalidArgumentError('A number of hours from 0.1 to 720.');
  return value;
}
