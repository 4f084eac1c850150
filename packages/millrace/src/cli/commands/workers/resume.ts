import { defineCommand } from '../../command.ts'
import { changePauses } from '../../workers/change-pauses.ts'
import { dataFolderOf, workerFolderOptions } from '../../workers/worker-options.ts'

export const workersResume = defineCommand({
  arguments: { places: { about: 'a topic, or partitions of it, as orders:0,3-5', isList: true } },
  options: {
    group: { type: 'text', about: 'only of this group' },
    ...workerFolderOptions,
  },
  examples: ['millrace workers resume orders', 'millrace workers resume orders:0 --group mail'],

  async run({ places, group, data }, { print, folder }) {
    await changePauses(dataFolderOf(folder, data), places, group, 'remove', print)
  },
})
