/** Tells a person what a long step is doing: a spinner on a terminal, plain lines elsewhere. */
import { spawn } from 'node:child_process';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;
/** Enough of a failed command's output to see why it failed. */
const keptOutputBytes = 20_000;

/** Runs `work` under a title and says how long it took; what it throws goes through. */
export async function step(title, work) {
  const startedAt = performance.now();
  const stopSpinner = process.stdout.isTTY ? spin(title) : plain(title);
  try {
    const result = await work();
    stopSpinner(`✓ ${title} (${seconds(startedAt)})`);
    return result;
  } catch (thrown) {
    stopSpinner(`✗ ${title} (${seconds(startedAt)})`);
    throw thrown;
  }
}

function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

function plain(title) {
  console.log(title);
  return (line) => console.log(line);
}

function spin(title) {
  const startedAt = performance.now();
  let frame = 0;
  const draw = () => {
    frame = (frame + 1) % frames.length;
    process.stdout.write(`\r\x1b[2K${frames[frame]} ${title} ${seconds(startedAt)}`);
  };
  draw();
  const timer = setInterval(draw, frameMs);
  return (line) => {
    clearInterval(timer);
    process.stdout.write(`\r\x1b[2K${line}\n`);
  };
}

/**
 * Runs a command and keeps the end of its output.
 * @returns {Promise<{ ok: boolean, output: string }>} never rejects: a command that cannot be started is not ok.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-keptOutputBytes);
    };
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ ok: false, output: `${command}: ${error.message}` }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}
