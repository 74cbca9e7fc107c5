import { backendInfo } from 'softmax-wasm';
import { sectionOf } from './lib/dom.js';
import { showAttention } from './sections/attention.js';
import { showCalibration } from './sections/calibration.js';
import { showLosses } from './sections/losses.js';
import { showSampling } from './sections/sampling.js';
import { showSoftmax } from './sections/softmax.js';

showSoftmax();
showSampling();
showCalibration();
showLosses();
showAttention();
const { name, reason } = backendInfo();
sectionOf('backend').textContent = name;
sectionOf('backend-reason').textContent = `(${reason})`;
