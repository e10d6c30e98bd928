import { useEffect, useRef } from 'react';
import { strings } from '../../strings.ts';

/** Speech is quiet as a share of what is possible; this makes it fill the meter. */
const gain = 2.5;

/** How loud the microphone is. `read` gives 0 to 1; it is asked as often as the screen is drawn. */
export function LevelMeter({ read }: { read: () => number }) {
  const meter = useRef<HTMLMeterElement>(null);
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    let frame = requestAnimationFrame(function draw() {
      if (meter.current) meter.current.value = Math.min(1, latest.current() * gain);
      frame = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return <meter ref={meter} min={0} max={1} aria-label={strings.join.level} className="h-3 w-24" />;
}
