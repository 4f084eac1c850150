import { defineCommand } from '../../command.ts'
import { findWorkers, nobodyRuns } from '../../workers/find-workers.ts'
import { workersTable } from '../../workers/status-text.ts'
import { dataFolderOf, workerFolderOptions } from '../../workers/worker-options.ts'

export const workersList = defineCommand({
  arguments: {},
  options: workerFolderOptions,
  examples: ['millrace workers list'],

  async run({ data }, { print, folder }) {
    const found = await findWorkers(dataFolderOf(folder, data), undefined)
    const all = found.map((one) => one.status)
    await print.document(all, () => workersTable(all, Date.now()) || nobodyRuns)
  },
})
