/** Entry of a handler's thread: loads its module, makes its calls one at a time. Nothing else imports it. */
import { parentPort, workerData } from 'node:worker_threads'

import { failure } from '../../errors/index.ts'
import type { Moment } from '../consumer/consumer-class.ts'
import type { ConsumerDefinition } from '../consumer/define-consumer.ts'
import { makeHandler } from '../consumer/handler.ts'
import type { Handler } from '../consumer/plan.ts'
import type { Context } from '../context/context.ts'
import { DeliveredMessage } from '../message/message.ts'
import { outcomeOf } from '../outcome.ts'
import type { Topic } from '../topic/define-topic.ts'
import { asBuffer } from './copy-bytes.ts'
import type { ThreadHandlerDefinition } from './define-thread-handler.ts'
import type { FromThread, ThreadData, ToThread, WireJob, WireOutcome } from './messages.ts'
import { RunningCall } from './running-call.ts'
import { errorToWire } from './wire-error.ts'

const port = parentPort
if (port === null) throw new Error('thread-main.ts runs in a worker thread')
const { module, flags } = workerData as ThreadData
const post = (message: FromThread, handedOver: ArrayBuffer[] = []): void =>
  port.postMessage(message, handedOver)

let running: RunningCall | undefined
let handler: { readonly calls: Handler; readonly topics: ReadonlyMap<string, Topic> } | undefined
try {
  const definition = definitionIn((await import(module)) as { readonly default?: unknown })
  // The form is the consumer's own; everything else of it stays with the worker.
  const consumer = { ...definition, hooks: {} } as unknown as ConsumerDefinition
  handler = {
    calls: makeHandler(consumer, { isConcurrent: false }),
    topics: new Map(definition.topics.map((topic) => [topic.name, topic])),
  }
  const mode = definition.batch === undefined ? 'each' : 'batch'
  port.on('message', (message: ToThread) => obey(message, mode))
  post({ kind: 'ready' })
} catch (error) {
  post({ kind: 'unloadable', error: errorToWire(error) })
}

function obey(message: ToThread, mode: 'each' | 'batch'): void {
  switch (message.kind) {
    case 'run':
      void run(message.job, message.work, mode)
      return
    case 'abort':
      if (running?.job === message.job) running.abort(message.isTimeout)
      return
    case 'answer':
      running?.answered(message.call, message.answer)
  }
}

async function run(job: number, work: WireJob, mode: 'each' | 'batch'): Promise<void> {
  const call = new RunningCall(job, work, flags, post)
  running = call
  try {
    const outcome = outcomeOf(await handle(call, work, mode))
    await call.settled()
    post({ kind: 'done', job, outcome: outcome === undefined ? undefined : toWire(outcome) })
  } catch (error) {
    post({ kind: 'failed', job, error: errorToWire(error) })
  }
}

async function handle(call: RunningCall, work: WireJob, mode: 'each' | 'batch'): Promise<unknown> {
  const first = work.messages[0]
  const topic = handler?.topics.get(first?.topic ?? '')
  const faults =
    topic === undefined
      ? `it handles ${[...(handler?.topics.keys() ?? [])].join(', ')}, not ${first?.topic}`
      : `it is of the form ${mode}, and the consumer of ${work.mode}`
  if (handler === undefined || topic === undefined || first === undefined || mode !== work.mode)
    throw failure('MR_APP_THREAD_MODULE', { consumer: work.consumer, module, reason: faults })
  const messages = work.messages.map(
    ({ key, value, headers, ...place }) =>
      new DeliveredMessage(
        {
          ...place,
          key: asBuffer(key),
          value: asBuffer(value),
          headers: headers.map(([name, bytes]) => [name, asBuffer(bytes)] as const),
        },
        topic,
      ),
  )
  if (topic.decodesAhead) for (const message of messages) await message.prepare()
  const context = call as unknown as Context
  const moment: Moment = { context, topic, partition: first.partition, mode, messages }
  return handler.calls.consume(moment)
}

function toWire(outcome: NonNullable<ReturnType<typeof outcomeOf>>): WireOutcome {
  if (outcome.kind !== 'failed') return outcome
  const failures = outcome.failures.map(({ message, error }) => ({
    offset: message.offset,
    error: errorToWire(error),
  }))
  return { kind: 'failed', failures }
}

function definitionIn(loaded: { readonly default?: unknown }): ThreadHandlerDefinition {
  const definition = loaded.default as Partial<ThreadHandlerDefinition> | null | undefined
  if (definition?.kind === 'thread-handler') return definition as ThreadHandlerDefinition
  throw new Error('its default export is not what defineThreadHandler returns')
}
