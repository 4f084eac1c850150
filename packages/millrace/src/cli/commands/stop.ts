import type { RunningEntry } from '../../app/index.ts'
import { failure, isFailure } from '../../errors/index.ts'
import { sleep, systemClock } from '../../kit/index.ts'
import { defineCommand } from '../command.ts'
import { findWorkers, nobodyRuns } from '../workers/find-workers.ts'
import { dataFolderOf, workerFolderOptions } from '../workers/worker-options.ts'

const lookEveryMs = 100

export const stop = defineCommand({
  arguments: {
    worker: { about: 'price_drops or price_drops:1; without it all', isRequired: false },
  },
  options: {
    force: { type: 'flag', about: 'at once; what is in hand comes again after the next start' },
    timeout: { type: 'duration', default: '90s', about: 'how long to wait for the end' },
    ...workerFolderOptions,
  },
  examples: ['millrace stop'],

  async run({ worker, force, timeout, data }, { print, folder, signal }) {
    const { internals } = await import('../../app/index.ts')
    const dataFolder = dataFolderOf(folder, data)
    const all = await findWorkers(dataFolder, worker)
    const pids = new Set(all.map(({ pid }) => pid))
    // A parent stops its children; told one by one they would be started again.
    const found = all.filter(({ parent }) => parent === undefined || !pids.has(parent))
    for (const entry of found)
      await internals
        .askWorker(entry, { do: 'stop', isForced: force === true })
        .catch((error: unknown) => {
          // It stops already; waiting for its end is all there is to do.
          if (!isFailure(error, 'MR_WORKER_REFUSED', 'MR_WORKER_SILENT')) throw error
        })
    const isLeft = async (): Promise<readonly RunningEntry[]> => {
      const running = await internals.runningWorkers(dataFolder)
      return running.filter(({ pid }) => found.some((one) => one.pid === pid))
    }
    const untilMs = Date.now() + timeout
    for (let left = await isLeft(); left.length > 0; left = await isLeft()) {
      if (Date.now() > untilMs)
        throw failure('MR_WORKER_STILL_RUNS', { running: left.map(({ name }) => name), timeout })
      await sleep(systemClock, lookEveryMs, signal)
    }
    const stopped = found.map(({ name, pid, parent }) => ({
      name,
      pid,
      comesAgain: parent !== undefined,
    }))
    await print.document(stopped, () =>
      stopped.length === 0
        ? nobodyRuns
        : stopped
            .map(({ name, pid, comesAgain }) => {
              const next = comesAgain ? '; its parent starts it again' : ''
              return `${name} (${pid}) has stopped${next}`
            })
            .join('\n'),
    )
  },
})
