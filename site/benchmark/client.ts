/** Sends requests to a worker, one at a time; bench/contender.mjs describes the answers. */
export class Client {
  readonly #worker: Worker;
  #reject: (error: Error) => void = () => {};

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  ask(request: { readonly do: string; readonly [name: string]: unknown }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#worker.onerror = ({ message }) => reject(new Error(message));
      this.#worker.onmessage = ({ data: { answer, error } }) =>
        error === undefined ? resolve(answer) : reject(new Error(error));
      this.#worker.postMessage(request);
    });
  }

  stop(): void {
    this.#worker.terminate();
    this.#reject(new Error('stopped'));
  }
}
