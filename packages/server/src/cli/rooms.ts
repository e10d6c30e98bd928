import { type RoomView, roomViewSchema } from '@dialoglens/protocol';
import type { Command } from 'commander';
import pc from 'picocolors';
import { ApiClient, targetOf, withTarget } from './api-client.ts';
import { queueColumns, roomColumns } from './live-tables.ts';
import { readSettings, withSettings } from './options.ts';
import { type PictureOptions, showPicture } from './picture-command.ts';
import { tableLines } from './table.ts';

/** `dialoglens rooms`: what is wanted and transcribed now. */
export function addRooms(program: Command): void {
  const command = withTarget(program.command('rooms'))
    .description('list the rooms that are wanted or transcribed, as a running DialogLens sees them')
    .option('-w, --watch', 'show changes until Ctrl-C')
    .option('-q, --queued', 'only those that wait for a free slot, the next one first')
    .option('--json', 'print JSON; with --watch a line for each change')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dialoglens rooms\n  $ dialoglens rooms --queued --watch\n' +
        '  $ dialoglens rooms --url https://captions.example.com --key … --json | jq ".[].room"',
    );
  withSettings(command, []).action(async () => {
    const api = new ApiClient(targetOf(command, readSettings(command, { role: 'client' }).config));
    const { queued, ...options } = command.opts<PictureOptions & { queued?: boolean }>();
    const read = () => api.list('/api/rooms', roomViewSchema);
    if (queued) await showPicture(options, () => read().then(inQueue), queueLines);
    else await showPicture(options, read, roomLines);
  });
}

/** The rooms that wait, the next one first. */
export function inQueue(rooms: readonly RoomView[]): RoomView[] {
  const place = ({ queuePosition }: RoomView) => queuePosition ?? Number.POSITIVE_INFINITY;
  return rooms.filter(({ status }) => status === 'queued').sort((a, b) => place(a) - place(b));
}

/** The table of rooms that wait, or that there is none. */
export function queueLines(rooms: readonly RoomView[], width: number): string[] {
  return rooms.length > 0 ? tableLines(queueColumns(Date.now()), rooms, width) : ['No room waits.'];
}

/** The table, or what to do when it would be empty. */
export function roomLines(rooms: readonly RoomView[], width: number): string[] {
  if (rooms.length > 0) return tableLines(roomColumns(Date.now()), rooms, width);
  return [
    'No room is wanted or transcribed now.',
    pc.dim('Ask for one with POST /api/rooms/ROOM/start-transcription, or start with --policy all.'),
  ];
}
