const smallestSeconds = 0.01;
/** Steps in which a value doubles: each is 19 % above the one below it. */
const stepsPerDoubling = 4;
/** 327 s. */
const lastBucket = 60;

/** The step of a value on a logarithmic scale, from 0 (10 ms or less) to 60 (five minutes or more). */
export function bucketOf(seconds: number): number {
  if (!(seconds > smallestSeconds)) return 0;
  return Math.min(lastBucket, Math.ceil(Math.log2(seconds / smallestSeconds) * stepsPerDoubling));
}

/** The largest value of a step, seconds. */
export function bucketEnd(bucket: number): number {
  return smallestSeconds * 2 ** (bucket / stepsPerDoubling);
}
