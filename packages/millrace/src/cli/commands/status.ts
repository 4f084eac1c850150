import { defineCommand } from '../command.ts'
import { findWorkers, nobodyRuns } from '../workers/find-workers.ts'
import { workersTable, workerText } from '../workers/status-text.ts'
import { dataFolderOf, workerFolderOptions } from '../workers/worker-options.ts'

export const status = defineCommand({
  arguments: {
    worker: { about: 'price_drops or price_drops:1; without it all', isRequired: false },
  },
  options: workerFolderOptions,
  examples: ['millrace status', 'millrace status --json'],

  async run({ worker, data }, { print, folder }) {
    const found = await findWorkers(dataFolderOf(folder, data), worker)
    const all = found.map((one) => one.status)
    const nowMs = Date.now()
    const isAligned = print.isTerminal
    await print.document(all, () => {
      if (all.length === 0) return nobodyRuns
      if (worker === undefined && all.length > 1) return workersTable(all, nowMs)
      return all.map((one) => workerText(one, { nowMs, isAligned })).join('\n\n')
    })
  },
})
