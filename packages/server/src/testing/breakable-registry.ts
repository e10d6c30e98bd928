import { DialogLensError } from '../errors.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';

/** What goes on while a registry is away: listeners stay, and live events are dropped. */
const unhurt: ReadonlySet<string | symbol> = new Set([
  'start',
  'stop',
  'onCommand',
  'onReport',
  'onHint',
  'subscribe',
]);

/** A registry that refuses whatever it is asked while `isAway()` says so, for tests. */
export function breakableRegistry(registry: AgentRegistry, isAway: () => boolean): AgentRegistry {
  return new Proxy(registry, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (unhurt.has(name)) return member.bind(target);
      return async (...args: unknown[]) => {
        if (!isAway()) return member.apply(target, args);
        if (name === 'publish') return undefined;
        throw new DialogLensError('registry_unavailable', 'The registry is away.');
      };
    },
  });
}
