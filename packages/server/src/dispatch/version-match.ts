/**
 * Whether dispatcher and worker understand each other: the same major version, and at most one minor apart, so that a
 * cluster can be replaced process by process. Pure.
 */
export function versionsMatch(ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  const [a, b] = [parse(ours), parse(theirs)];
  if (a === null || b === null) return false;
  return a.major === b.major && Math.abs(a.minor - b.minor) <= 1;
}

function parse(version: string): { major: number; minor: number } | null {
  const match = /^v?(\d{1,6})\.(\d{1,6})\.\d/.exec(version);
  return match === null ? null : { major: Number(match[1]), minor: Number(match[2]) };
}
