/** Root mean square in dB below full scale, from -96 for digital silence. */
export function loudnessDb(window: Int16Array): number {
  let sum = 0;
  for (const sample of window) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, window.length)) / 32_768;
  return rms === 0 ? -96 : Math.max(-96, 20 * Math.log10(rms));
}
