import { defineCommand } from '../command.ts'
import { findWorkers, nobodyRuns } from '../workers/find-workers.ts'
import { dataFolderOf, workerFolderOptions } from '../workers/worker-options.ts'

export const quiet = defineCommand({
  arguments: {
    worker: { about: 'price_drops or price_drops:1; without it all', isRequired: false },
  },
  options: workerFolderOptions,
  examples: ['millrace quiet'],

  async run({ worker, data }, { print, folder }) {
    const { internals } = await import('../../app/index.ts')
    const found = await findWorkers(dataFolderOf(folder, data), worker)
    const told: { name: string; pid: number }[] = []
    for (const entry of found) {
      await internals.askWorker(entry, { do: 'quiet' })
      told.push({ name: entry.name, pid: entry.pid })
    }
    await print.document(told, () =>
      told.length === 0
        ? nobodyRuns
        : told.map(({ name, pid }) => `${name} (${pid}) takes no more`).join('\n'),
    )
  },
})
