import { connect } from 'node:net'

import { failure, isFailure } from '../../errors/index.ts'
import type { ControlAnswer, ControlRequest, WorkerStatus } from './messages.ts'
import { forget, registered, type WorkerEntry } from './registry.ts'
import { isWorkerNamed } from './worker-name.ts'

const answerMs = 5000
const longestAnswer = 16 * 1024 * 1024

/** Asks one worker. @throws MR_WORKER_SILENT when nobody answers there, MR_WORKER_REFUSED */
export async function askWorker(
  entry: WorkerEntry,
  request: ControlRequest,
  { timeoutMs = answerMs }: { readonly timeoutMs?: number } = {},
): Promise<ControlAnswer> {
  const { name, pid } = entry
  let answer: ControlAnswer
  try {
    answer = JSON.parse(await exchange(entry.socket, request, timeoutMs)) as ControlAnswer
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const reason = cause instanceof Error ? cause.message : String(cause)
    const isGone = code === 'ECONNREFUSED' || code === 'ENOENT'
    // It took the connection and closed it without a word: it is ending.
    const isEnding = cause instanceof SyntaxError
    throw failure('MR_WORKER_SILENT', { name, pid, reason, isGone, isEnding }, { cause })
  }
  if (!answer.ok)
    throw failure('MR_WORKER_REFUSED', { name, pid, reason: answer.error ?? 'no reason given' })
  return answer
}

function exchange(path: string, request: ControlRequest, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(path)
    socket.setEncoding('utf8')
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)))
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.on('data', (chunk: string) => {
      heard += chunk
      if (heard.length > longestAnswer) socket.destroy(new Error('the answer has no end'))
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(heard))
  })
}

export interface RunningEntry extends WorkerEntry {
  readonly status: NonNullable<ControlAnswer['document']>
}

/**
 * The workers that run in a data folder and answer, by name; all, or those that `asked` means (`price_drops`,
 * `price-drops:1`). Entries of processes that are gone are taken away.
 */
export async function runningWorkers(
  dataFolder: string,
  {
    asked,
    what = 'status',
  }: { readonly asked?: string | undefined; readonly what?: 'status' | 'dump' } = {},
): Promise<readonly RunningEntry[]> {
  const all = await registered(dataFolder)
  const wanted = asked === undefined ? all : all.filter(({ name }) => isWorkerNamed(name, asked))
  const found = await Promise.all(wanted.map((entry) => look(dataFolder, entry, what)))
  return found.filter((entry) => entry !== undefined)
}

async function look(
  dataFolder: string,
  entry: WorkerEntry,
  what: 'status' | 'dump',
): Promise<RunningEntry | undefined> {
  try {
    const { document } = await askWorker(entry, { do: what })
    return document === undefined ? undefined : { ...entry, status: document }
  } catch (error) {
    if (!isFailure(error, 'MR_WORKER_SILENT')) throw error
    if (error.context['isGone'] === true) await forget(dataFolder, entry)
    if (error.context['isGone'] === true || error.context['isEnding'] === true) return undefined
    return { ...entry, status: silentStatus(entry) }
  }
}

/** Of one that takes connections and does not answer: its loop is blocked. The others are worth a look all the same. */
function silentStatus({ name, pid }: WorkerEntry): WorkerStatus {
  const unknown = new Date().toISOString()
  return {
    name,
    pid,
    state: 'silent',
    since: unknown,
    started: unknown,
    clientId: '',
    memoryBytes: 0,
    restarts: 0,
    isLive: false,
    isReady: false,
    reasons: ['it does not answer: its event loop may be blocked'],
    alarms: [],
    groups: [],
    partitions: [],
  }
}
