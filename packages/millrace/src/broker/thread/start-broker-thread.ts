import { Worker } from 'node:worker_threads'
import { failure } from '../../errors/index.ts'
import { deferred, ownModule, type Deferred } from '../../kit/index.ts'
import { events, type TelemetryEvent } from '../../telemetry/index.ts'
import type { BrokerStats } from '../broker-stats.ts'
import {
  eventFromWire,
  fromWire,
  type BrokerThreadOptions,
  type FromThread,
  type ToThread,
} from './thread-messages.ts'

/** A broker in a thread of its own. */
export interface BrokerThread extends AsyncDisposable {
  readonly port: number
  readonly address: string
  readonly clusterId: string
  /** Resolves when the thread has ended: with undefined after `stop`, else with what ended it. */
  readonly ended: Promise<Error | undefined>
  /** @throws MR_BROKER_THREAD when it has ended */
  stats(): Promise<BrokerStats>
  /** As the broker's own. A second call waits for the first. */
  stop(): Promise<void>
}

const eventByName = new Map(
  (Object.values(events) as TelemetryEvent<object>[]).map((event) => [event.name, event]),
)

/**
 * Starts a broker in a worker thread, where a busy application cannot hold it up. It reports on the same channels
 * as one in this process, single requests excepted.
 *
 * @throws what `startBroker` throws, with its code and hint, and MR_BROKER_THREAD when the thread itself fails
 */
export async function startBrokerThread(options: BrokerThreadOptions): Promise<BrokerThread> {
  const worker = new Worker(ownModule('broker/thread/thread-main'), {
    name: 'millrace-broker',
    workerData: options,
  })
  const started = deferred<Extract<FromThread, { kind: 'ready' }>>()
  const ended = deferred<Error | undefined>()
  const answers = new Map<number, Deferred<BrokerStats>>()
  let asked = 0
  let crash: Error | undefined
  let stopFault: Error | undefined
  let isStopping = false
  let hasEnded = false

  worker.on('message', (message: FromThread) => {
    switch (message.kind) {
      case 'ready':
        started.resolve(message)
        return
      case 'refused':
        started.reject(fromWire(message.error))
        return
      case 'event':
        eventByName.get(message.name)?.publish(eventFromWire(message.payload))
        return
      case 'stats':
        answers.get(message.id)?.resolve(message.stats)
        answers.delete(message.id)
        return
      case 'stopped':
        if (message.error !== undefined) stopFault = fromWire(message.error)
    }
  })
  worker.on('error', (error) => {
    crash = endedBy(error instanceof Error ? error.message : String(error), error)
  })
  worker.on('exit', (exitCode) => {
    hasEnded = true
    const reason = isStopping ? undefined : (crash ?? endedBy(`it exited with ${exitCode}`))
    started.reject(reason)
    for (const answer of answers.values()) answer.reject(reason ?? endedBy('it was stopped'))
    answers.clear()
    ended.resolve(crash ?? reason)
  })

  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  const post = (message: ToThread): void => worker.postMessage(message)
  const { port, address, clusterId } = await started.promise
  const stop = async (): Promise<void> => {
    if (isStopping) {
      await ended.promise
      return
    }
    isStopping = true
    post({ kind: 'stop' })
    await ended.promise
    if (stopFault !== undefined) throw stopFault
  }
  return {
    port,
    address,
    clusterId,
    ended: ended.promise,
    async stats() {
      if (hasEnded) throw crash ?? endedBy('it was stopped')
      const answer = deferred<BrokerStats>()
      answers.set(++asked, answer)
      post({ kind: 'stats', id: asked })
      return answer.promise
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function endedBy(reason: string, cause?: unknown): Error {
  return failure('MR_BROKER_THREAD', { reason }, cause === undefined ? {} : { cause })
}
