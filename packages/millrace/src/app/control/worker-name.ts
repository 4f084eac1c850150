import { hostname } from 'node:os'

import { failure } from '../../errors/index.ts'

/** One worker process of several: the consumer it runs and which of its instances it is. */
export interface WorkerName {
  /** As written: `price_drops`. */
  readonly consumer: string
  /** Undefined for a worker that is the only one. */
  readonly instance: string | undefined
}

/** `price_drops:1`, or `price_drops`. @throws MR_CLI_USAGE */
export function parseWorkerName(text: string): WorkerName {
  const [, consumer, instance] =
    /^([A-Za-z0-9][A-Za-z0-9._-]*)(?::([A-Za-z0-9][A-Za-z0-9._-]*))?$/.exec(text) ?? []
  if (consumer === undefined)
    throw failure('MR_CLI_USAGE', {
      reason: `${text} is no worker; write a consumer's name, or name:instance as in price_drops:1`,
    })
  return { consumer, instance }
}

/** What status, logs and metrics call it: `price_drops:1`. */
export function workerTitle({ consumer, instance }: WorkerName): string {
  return instance === undefined ? consumer : `${consumer}:${instance}`
}

/** What brokers see: `<host>-price_drops-1`, in front of the member id. */
export function memberNameOf({ consumer, instance }: WorkerName, host = hostname()): string {
  return instance === undefined ? `${host}-${consumer}` : `${host}-${consumer}-${instance}`
}

/** Whether `asked` means this worker: `price-drops`, `price_drops:1`; `_` and `-` are the same. */
export function isWorkerNamed(title: string, asked: string): boolean {
  const own = title.replaceAll('_', '-')
  const wanted = asked.replaceAll('_', '-')
  return own === wanted || own.startsWith(`${wanted}:`)
}
