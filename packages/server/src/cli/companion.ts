import { type Command, InvalidArgumentError, Option } from 'commander';

/** `--companion <pid>`: for processes that another one of ours starts and that must not outlive it. Not for users. */
export function withCompanion(command: Command): Command {
  return command.addOption(
    new Option('--companion <pid>', 'end when the process with this id is gone').argParser(asPid).hideHelp(),
  );
}

function asPid(text: string): number {
  const pid = Number(text);
  if (!Number.isSafeInteger(pid) || pid < 1) throw new InvalidArgumentError('A process id.');
  return pid;
}
