import { createKeyBodySchema, type KeyView, roles } from '@dialoglens/protocol';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { KeyWish } from '../api/key-store.ts';
import { DialogLensError } from '../errors.ts';
import { issueWords } from '../issue-words.ts';
import { targetOf, withTarget } from './api-client.ts';
import { type KeyKeeper, keeperOverApi, openKeyKeeper } from './key-keeper.ts';
import { readSettings, withSettings } from './options.ts';
import { sanitise } from './sanitise.ts';
import { type Column, shortAge, tableLines } from './table.ts';

/** `dialoglens keys`: the keys of the API. */
export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('make, list and revoke keys of the API')
    .addHelpText(
      'after',
      '\nThey are kept in the database (DATABASE_URL) or the data folder, and changed there; those of a server elsewhere,\n' +
        'or of one that has its data folder open, over its API. The first key must be an admin’s that does not expire.\n\n' +
        'Examples:\n  $ dialoglens keys create --name "Ops" --role admin\n' +
        '  $ dialoglens keys create --name "Wall display" --role viewer --expires 90\n  $ dialoglens keys list\n' +
        '  $ dialoglens keys revoke key_…',
    );
  const create = keys
    .command('create')
    .description('make a key; its secret is printed once and kept nowhere')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--role <role>', `what it may do: ${roles.join(', ')}`)
    .option('--expires <days>', 'days until it ends [default: it does not expire]');
  onKeys(create, (keeper) => createKey(keeper, create.opts()));
  const list = keys
    .command('list')
    .description('list the keys, without their secrets')
    .option('--json', 'print JSON');
  onKeys(list, (keeper) => listKeys(keeper, list.opts()));
  const revoke = keys.command('revoke <id>').description('end a key, and every sign-in with it');
  onKeys(revoke, (keeper) => revokeKey(keeper, revoke.args[0] ?? ''));
}

function onKeys(command: Command, work: (keeper: KeyKeeper) => Promise<void>): void {
  withSettings(withTarget(command), ['dataDir']).action(async () => {
    const { config } = readSettings(command, { role: 'client' });
    const target = targetOf(command, config);
    const given = command.opts<{ url?: string; key?: string }>();
    const isElsewhere = given.url !== undefined || given.key !== undefined;
    const keeper = isElsewhere ? keeperOverApi(target) : await openKeyKeeper(config, target);
    try {
      await work(keeper);
    } finally {
      await keeper.close();
    }
  });
}

async function createKey(
  keeper: KeyKeeper,
  given: { name: string; role: string; expires?: string },
): Promise<void> {
  const { id, secret } = await keeper.create(wishOf(given));
  // The secret alone goes to standard output, so that it can be put where it is needed without being seen.
  console.error(`${pc.green('✓')} Made ${id} in ${keeper.where}. Its secret, which cannot be shown again:`);
  console.log(secret);
}

/** @throws DialogLensError `invalid_request` naming the flag */
export function wishOf({ name, role, expires }: { name: string; role: string; expires?: string }): KeyWish {
  const expiresInDays = expires === undefined ? undefined : Number(expires);
  const read = createKeyBodySchema.safeParse({ name, role, ...(expires !== undefined && { expiresInDays }) });
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const flag = { name: '--name', role: '--role' }[String(issue?.path[0])] ?? '--expires';
  throw new DialogLensError('invalid_request', `${flag}: ${issueWords(issue?.message ?? 'is not valid')}`, {
    field: flag,
    remedy: 'Run `dialoglens keys create --help` for what it takes.',
  });
}

const columns = (nowMs: number): Column<KeyView>[] => {
  const age = (at: number | null) => (at === null ? '-' : shortAge(nowMs - at));
  return [
    { head: 'ID', text: ({ id }) => id },
    { head: 'NAME', text: ({ name }) => name, flexible: true },
    { head: 'ROLE', text: ({ role }) => role },
    { head: 'AGE', text: ({ createdAt }) => age(createdAt), right: true },
    { head: 'LAST USED', text: ({ lastUsedAt }) => age(lastUsedAt), right: true },
    { head: 'STATE', text: stateOf },
  ];
};

function stateOf({ source, status, expiresAt }: KeyView): string {
  if (source === 'configuration') return 'from configuration';
  if (status === 'expired' || expiresAt === null) return status;
  return `until ${new Date(expiresAt).toISOString().slice(0, 10)}`;
}

async function listKeys(keeper: KeyKeeper, { json }: { json?: boolean }): Promise<void> {
  const keys = await keeper.list();
  if (json) console.log(JSON.stringify(keys, null, 2));
  else if (keys.length > 0) for (const line of tableLines(columns(Date.now()), keys)) console.log(line);
  else console.log(`There are no keys in ${keeper.where}: whoever is on its machine may do everything.`);
}

async function revokeKey(keeper: KeyKeeper, id: string): Promise<void> {
  await keeper.revoke(id);
  console.log(`${pc.green('✓')} ${sanitise(id)} is revoked; servers that run notice it within seconds.`);
}
