import { normal } from './random.mjs';

/** Points on interleaved spirals, one for each class, with some noise: no straight line separates them. */
export function makeSpirals(count, classes, random) {
  const points = new Float32Array(count * 2);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const label = i % classes;
    const radius = 0.05 + 0.9 * random();
    const angle = 5 * radius + (2 * Math.PI * label) / classes + 0.2 * normal(random);
    points.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * i);
    labels[i] = label;
  }
  return { points, labels };
}
