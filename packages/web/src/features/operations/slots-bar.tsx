/** How much of something is in use. The numbers stand beside it; the bar is for the eye. */
export function SlotsBar({ used, total, label }: { used: number; total: number; label: string }) {
  const share = total === 0 ? 0 : Math.min(1, used / total);
  return (
    <svg
      viewBox="0 0 100 6"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${used}/${total}`}
      className="block h-1.5 w-full overflow-hidden rounded-full bg-well"
    >
      <rect width={share * 100} height="6" className={share >= 1 ? 'fill-wait' : 'fill-accent-fill'} />
    </svg>
  );
}
