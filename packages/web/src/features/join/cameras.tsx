import { useEffect, useRef } from 'react';
import { legible } from '../../lib/format.ts';
import { strings } from '../../strings.ts';
import type { Person } from './room-call.ts';

/** Those whose camera is on, side by side; nothing while nobody's is. */
export function Cameras({ people }: { people: readonly Person[] }) {
  const seen = people.filter((person) => person.camera !== null);
  if (seen.length === 0) return null;
  return (
    <ul
      aria-label={strings.join.cameras}
      className="flex shrink-0 gap-2 overflow-x-auto border-b border-line px-4 py-2.5 sm:px-7"
    >
      {seen.map((person) => (
        <li key={person.identity} className="relative shrink-0">
          <Picture person={person} />
          <bdi className="absolute bottom-1.5 left-1.5 max-w-36 truncate rounded bg-black/70 px-1.5 py-0.5 text-xs text-white">
            {legible(person.name).slice(0, 60)}
          </bdi>
        </li>
      ))}
    </ul>
  );
}

function Picture({ person: { camera, name, isYou } }: { person: Person }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (video === null || camera === null) return;
    camera.attach(video);
    return () => void camera.detach(video);
  }, [camera]);
  return (
    <video
      ref={element}
      muted
      playsInline
      autoPlay
      aria-label={strings.join.cameraOf(name)}
      // As in a mirror, which is how people know themselves.
      className={`h-32 w-auto rounded-lg bg-black object-cover sm:h-40 ${isYou ? '-scale-x-100' : ''}`}
    />
  );
}
