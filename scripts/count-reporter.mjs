/**
 * Counts what a vitest run really did, for the closing line of `npm test`: tests, files that could not be loaded and
 * errors outside any test. Writes `{ passed, failed, skipped, outside, finished }` to the file named by
 * VITEST_COUNTS_FILE.
 */
import { writeFileSync } from 'node:fs';

export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors, reason) {
    const counts = { passed: 0, failed: 0, skipped: 0, outside: unhandledErrors.length, finished: true };
    if (reason === 'interrupted') counts.finished = false;
    for (const module of modules) count(module, counts);
    writeFileSync(process.env.VITEST_COUNTS_FILE, JSON.stringify(counts));
  }
}

function count(module, counts) {
  // Errors of a file or a suite (a failed import, a failed beforeAll) belong to no test and count on their own.
  counts.outside += module.errors().length;
  for (const suite of module.children.allSuites()) counts.outside += suite.errors().length;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') counts.passed++;
    else if (state === 'failed') counts.failed++;
    else counts.skipped++;
  }
}
