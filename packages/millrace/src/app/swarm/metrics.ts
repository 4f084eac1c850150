import type { ChildProcess } from 'node:child_process'

import { sleep, type Clock } from '../../kit/index.ts'
import { mergeExposed, renderMetrics, type Exposed } from '../metrics/index.ts'
import type { Child } from './child.ts'

/** A child whose loop is blocked must not hold up the numbers of the others. */
const patienceMs = 3000

interface MetricsRequest {
  readonly millrace: 'metrics-wanted'
  readonly id: number
}

interface MetricsAnswer {
  readonly millrace: 'metrics'
  readonly id: number
  readonly text: string
}

let requests = 0

/** What all children have counted, as one page. Who does not answer in time is left out. */
export async function metricsOfChildren(children: readonly Child[], clock: Clock): Promise<string> {
  const answers = await Promise.all(
    children.map(async ({ spec, process: own }): Promise<readonly Exposed[]> => {
      const text = own?.connected === true ? await ask(own, clock) : undefined
      return text === undefined ? [] : [{ worker: spec.name, text }]
    }),
  )
  return mergeExposed(answers.flat())
}

async function ask(child: ChildProcess, clock: Clock): Promise<string | undefined> {
  const id = ++requests
  const late = new AbortController()
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const onMessage = (message: unknown): void => {
    if (isAnswer(message) && message.id === id) resolve(message.text)
  }
  const onEnd = (): void => resolve(undefined)
  child.on('message', onMessage)
  child.once('exit', onEnd)
  try {
    const wanted: MetricsRequest = { millrace: 'metrics-wanted', id }
    child.send(wanted, (error) => {
      if (error !== null) resolve(undefined)
    })
    const tooLate = sleep(clock, patienceMs, late.signal).then(() => undefined)
    tooLate.catch(() => undefined)
    return await Promise.race([promise, tooLate])
  } finally {
    late.abort(new Error('answered'))
    child.removeListener('message', onMessage)
    child.removeListener('exit', onEnd)
  }
}

/** In a child: tells the parent what was counted here, when it asks. Returns what ends that. */
export function tellMetricsToParent(): () => void {
  const answer = async (id: number): Promise<void> => {
    const message: MetricsAnswer = { millrace: 'metrics', id, text: await renderMetrics() }
    // A parent that dies meanwhile is heard of by the end of the channel.
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
  }
  const onMessage = (message: unknown): void => {
    // Nothing may be counted any more: this one stops, and its parent does without.
    if (isRequest(message)) answer(message.id).catch(() => undefined)
  }
  process.on('message', onMessage)
  return () => void process.removeListener('message', onMessage)
}

function isRequest(message: unknown): message is MetricsRequest {
  return is(message, 'metrics-wanted')
}

function isAnswer(message: unknown): message is MetricsAnswer {
  return is(message, 'metrics')
}

/** User code may send its own messages over the channel. */
function is(message: unknown, kind: string): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'millrace' in message &&
    message.millrace === kind
  )
}
