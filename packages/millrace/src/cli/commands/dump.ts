import { defineCommand } from '../command.ts'
import { findWorkers, nobodyRuns } from '../workers/find-workers.ts'
import { dataFolderOf, workerFolderOptions } from '../workers/worker-options.ts'

export const dump = defineCommand({
  arguments: {
    worker: { about: 'price_drops or price_drops:1; without it all', isRequired: false },
  },
  options: workerFolderOptions,
  examples: ['millrace dump'],

  async run({ worker, data }, { print, folder }) {
    const found = await findWorkers(dataFolderOf(folder, data), worker, 'dump')
    const all = found.map((one) => one.status)
    await print.document(all, () => (all.length === 0 ? nobodyRuns : JSON.stringify(all, null, 2)))
  },
})
