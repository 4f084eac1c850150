import type { WorkerStatus } from '../../app/index.ts'
import { formatDuration, formatSize } from '../../kit/index.ts'
import { columns, labelled } from '../text.ts'

export interface StatusTextOptions {
  readonly nowMs: number
  readonly isAligned: boolean
}

/** One line a worker. */
export function workersTable(all: readonly WorkerStatus[], nowMs: number): string {
  return columns(
    all.map((one) => ({
      worker: one.name,
      pid: one.pid,
      state: one.state,
      for: ago(one.since, nowMs),
      groups: [...new Set(one.groups.map(({ group }) => group))].join(', ') || '-',
      partitions: one.partitions.length,
      lag: lagOf(one),
      memory: formatSize(one.memoryBytes),
      restarts: one.restarts,
      health: one.isLive ? (one.isReady ? 'ready' : 'not ready') : 'not live',
    })),
  )
}

/** Everything about one. */
export function workerText(status: WorkerStatus, { nowMs, isAligned }: StatusTextOptions): string {
  const { name, pid, state, since, started, memoryBytes, restarts, lastError } = status
  const groups = status.groups.map((one) => {
    const where = one.cluster === 'main' ? '' : ` on ${one.cluster}`
    return `${one.groupId}${where} (${one.state})`
  })
  const head = labelled(
    name,
    [
      ['State', `${state} for ${ago(since, nowMs)}`],
      ['Process', `${pid}, for ${ago(started, nowMs)}, ${formatSize(memoryBytes)}`],
      ['Restarts', String(restarts)],
      ['Health', status.isLive ? (status.isReady ? 'live, ready' : 'live, not ready') : 'not live'],
      ['Because', status.reasons.length === 0 ? undefined : status.reasons.join('; ')],
      ['Alarms', status.alarms.length === 0 ? undefined : status.alarms.join('; ')],
      ['Probes', status.healthAddress && `http://${status.healthAddress}/healthz and /readyz`],
      ['Groups', groups.join(', ') || undefined],
      ['Last error', lastError && `${lastError.text} (${ago(lastError.at, nowMs)} ago)`],
    ],
    { isAligned },
  )
  const rows = columns(
    status.partitions.map((one) => ({
      consumer: one.consumer,
      topic: one.topic,
      partition: one.partition,
      state: one.reason === undefined ? one.state : `${one.state} (${one.reason})`,
      offset: one.position < 0 ? '-' : String(one.position),
      lag: one.lag,
      'broker lag': one.brokerLag === undefined ? '-' : String(one.brokerLag),
      running: one.jobs.join('; ') || '-',
    })),
  )
  return rows === '' ? head : `${head}\n\n${rows}`
}

function lagOf({ partitions }: WorkerStatus): number {
  return partitions.reduce((sum, { lag, brokerLag }) => sum + (brokerLag ?? lag), 0)
}

function ago(iso: string, nowMs: number): string {
  const ms = Math.max(0, nowMs - Date.parse(iso))
  return formatDuration(ms < 1000 ? ms : Math.floor(ms / 1000) * 1000)
}
