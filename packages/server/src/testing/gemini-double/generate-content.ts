import type { IncomingMessage, ServerResponse } from 'node:http';
import { readWav } from '../../audio/wav.ts';
import type { FaultAction, FaultScript, RefusalKind } from '../provider-double/faults.ts';
import type { MakeHearing } from '../provider-double/hearing.ts';

/** What a request asked for. */
export interface ContentRequest {
  model: string;
  prompt: string;
  audioMs: number;
}

const statuses: Record<RefusalKind, readonly [status: number, name: string, message: string]> = {
  unauthenticated: [400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'],
  forbidden: [403, 'PERMISSION_DENIED', 'The caller does not have permission.'],
  quota: [429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota, please check your plan.'],
  'rate-limit': [429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check rate limits).'],
  'bad-request': [400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.'],
  'session-limit': [504, 'DEADLINE_EXCEEDED', 'The request took too long.'],
  unavailable: [503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  internal: [500, 'INTERNAL', 'An internal error has occurred.'],
  deadline: [504, 'DEADLINE_EXCEEDED', 'The request took too long.'],
};

interface Body {
  contents?: { parts?: { text?: string; inlineData?: { mimeType?: string; data?: string } }[] }[];
}

/** Answers one request of `generateContent`; every request counts as a stream of one message. */
export async function answerContent(
  request: IncomingMessage,
  response: ServerResponse,
  options: { faults: FaultScript; hearing: MakeHearing; onRequest: (request: ContentRequest) => void },
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { contents = [] } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body;
  const parts = contents.flatMap((content) => content.parts ?? []);
  const audio = parts.find((part) => part.inlineData)?.inlineData;
  const model = /models\/([^/:]+):/.exec(request.url ?? '')?.[1] ?? '';
  if (audio?.mimeType !== 'audio/wav' || audio.data === undefined) return refuse(response, 'bad-request');
  const bytes = Buffer.from(audio.data, 'base64');
  const { pcm } = readWav(bytes);
  const audioMs = pcm.length / 16;
  const prompt = parts.map((part) => part.text ?? '').join('');
  options.onRequest({ model, prompt, audioMs });
  const due = options.faults.openStream().due({ messages: 1, bytes: bytes.length, audioMs });
  const words = options.hearing().hear(pcm);
  const answer = () => {
    const text = words.map((word) => word.text).join(' ');
    const candidates = [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }];
    respond(response, 200, { candidates });
  };
  const [action] = due;
  if (action) act(action, response, answer);
  else answer();
}

function act(action: FaultAction, response: ServerResponse, answer: () => void): void {
  switch (action.do) {
    case 'refuse':
      return refuse(response, action.as, action.message);
    case 'cut':
    case 'end-soon':
      response.socket?.destroy();
      return;
    case 'hang':
    case 'go-deaf':
      return;
    case 'delay-finals':
      setTimeout(answer, action.byMs).unref();
  }
}

function refuse(response: ServerResponse, as: RefusalKind, said?: string): void {
  const [code, status, message] = statuses[as];
  respond(response, code, { error: { code, message: said ?? message, status } });
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
