const maxLength = 200;

/** What a service said, short and on one line, without `secrets`: keys, and what was to be recognised. */
export function serviceWords(said: string, secrets: readonly string[]): string {
  let text = said.replace(/\s+/g, ' ').trim();
  // The longest first: a part of a secret must not keep the rest of it from being found.
  for (const secret of secrets.filter((one) => one !== '').toSorted((a, b) => b.length - a.length)) {
    text = text.replaceAll(secret, '…');
  }
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
