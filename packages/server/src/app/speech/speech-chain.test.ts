import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/index.ts';
import { chainFor, checkWish } from './speech-chain.ts';

function configOf(provider: string, fallbacks = '', onRequest = '') {
  const env = {
    HOME: '/home/me',
    DIALOGLENS_SPEECH_PROVIDER: provider,
    DIALOGLENS_SPEECH_FALLBACKS: fallbacks,
    DIALOGLENS_SPEECH_ON_REQUEST: onRequest,
  };
  return loadConfig({ flags: {}, env, cwd: '/' }).config;
}

describe('the providers of a room', () => {
  it('are the configured chain when the room asks for nothing', () => {
    expect(chainFor(configOf('scripted', 'local'), {})).toEqual(['scripted', 'local']);
  });

  it('are those from the one that is asked for onwards, never one before it', () => {
    expect(chainFor(configOf('scripted', 'local'), { provider: 'local' })).toEqual(['local']);
    expect(chainFor(configOf('scripted', 'local'), { provider: 'scripted' })).toEqual(['scripted', 'local']);
  });

  it('are that one alone when it is no part of the chain', () => {
    expect(chainFor(configOf('local', '', 'scripted'), { provider: 'scripted' })).toEqual(['scripted']);
  });

  it('are those that the room names, each once', () => {
    const config = configOf('local', '', 'scripted');
    expect(chainFor(config, { fallbacks: ['scripted', 'local'] })).toEqual(['local', 'scripted']);
    expect(chainFor(config, { provider: 'scripted', fallbacks: ['local'] })).toEqual(['scripted', 'local']);
    expect(chainFor(configOf('scripted', 'local'), { fallbacks: [] })).toEqual(['scripted']);
  });

  it.each([
    [{ provider: 'gladia' }, 'provider'],
    [{ provider: 'scripted' }, 'provider'],
    [{ fallbacks: ['local', 'scripted'] }, 'fallbacks.1'],
  ])('are not those that nobody configured: %j', (wish, field) => {
    expect(() => chainFor(configOf('local'), wish)).toThrow(
      expect.objectContaining({ code: 'unknown_provider', field }),
    );
  });
});

describe('the language of a room', () => {
  it('must be known to one provider of its chain', () => {
    expect(() => checkWish(configOf('local'), { language: 'de' })).toThrow(
      expect.objectContaining({
        code: 'unsupported_language',
        message: 'The speech provider "local" does not know de.',
        remedy: 'Use one of: en.',
      }),
    );
    expect(() => checkWish(configOf('local', 'scripted'), { language: 'de' })).not.toThrow();
    expect(() => checkWish(configOf('local', 'scripted'), { language: 'de', fallbacks: [] })).toThrow(
      expect.objectContaining({ code: 'unsupported_language' }),
    );
  });

  it('is the configured one when the room names none', () => {
    const config = configOf('local');
    expect(() => checkWish({ speech: { ...config.speech, language: 'fr' } }, {})).toThrow(/know fr/);
  });
});
