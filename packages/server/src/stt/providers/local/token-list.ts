/** Moonshine's output layer has this many entries; the vocabulary names the first 32,000. */
const tokenCount = 32_768;
const vocabularyLine = /llama_vocab_base64\s*=\s*"([A-Za-z0-9+/=]+)"/;
const byteToken = /^<0x([0-9A-F]{2})>$/;

/**
 * Makes the token list the recogniser reads from the source text of the tokenizer package: one line
 * `base64(token bytes) id` per token. The text is only parsed, never run.
 * @throws Error when the text holds no vocabulary.
 */
export function makeTokenList(tokenizerSource: string): string {
  const encoded = vocabularyLine.exec(tokenizerSource)?.[1];
  if (encoded === undefined) throw new Error('The tokenizer package holds no vocabulary.');
  const vocabulary = Buffer.from(encoded, 'base64').toString('utf8').split('\n');
  const lines: string[] = [];
  for (let id = 0; id < tokenCount; id++) {
    lines.push(`${tokenBytes(vocabulary[id], id).toString('base64')} ${id}`);
  }
  return `${lines.join('\n')}\n`;
}

function tokenBytes(token: string | undefined, id: number): Buffer {
  // Every line needs a distinct token, also those the model never says.
  if (token === undefined || token === '') return Buffer.from(`<unused-${id}>`);
  const byte = byteToken.exec(token)?.[1];
  if (byte !== undefined) return Buffer.from([Number.parseInt(byte, 16)]);
  return Buffer.from(token.replaceAll('\u2581', ' '));
}
