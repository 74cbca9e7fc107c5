import { cpus } from 'node:os';

export function describeMachine() {
  const cores = cpus();
  const { node, v8 } = process.versions;
  return { cpu: cores[0].model.trim(), cores: cores.length, platform: `${process.platform} ${process.arch}`, node, v8 };
}

/** The description of the machine in the first line of a run. */
export function machineLine({ cpu, platform, node, v8 }) {
  return `${cpu}, ${platform}, Node ${node} (V8 ${v8})`;
}
