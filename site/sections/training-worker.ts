import { Trainer } from '../lib/trainer.js';

export type Command = 'start' | 'pause';

const trainer = new Trainer();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Trains one epoch. The timer lets messages arrive before the next one. */
function step(): void {
  const progress = trainer.trainEpoch();
  self.postMessage(progress, { transfer: [progress.regions.buffer] });
  if (!trainer.isDone) timer = setTimeout(step);
}

self.addEventListener('message', ({ data }: MessageEvent<Command>) => {
  clearTimeout(timer);
  if (data === 'start' && !trainer.isDone) timer = setTimeout(step);
});
