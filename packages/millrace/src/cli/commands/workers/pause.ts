import { defineCommand } from '../../command.ts'
import { changePauses } from '../../workers/change-pauses.ts'
import { dataFolderOf, workerFolderOptions } from '../../workers/worker-options.ts'

export const workersPause = defineCommand({
  arguments: { places: { about: 'a topic, or partitions of it, as orders:0,3-5', isList: true } },
  options: {
    group: { type: 'text', about: 'only of this group' },
    ...workerFolderOptions,
  },
  examples: ['millrace workers pause orders', 'millrace workers pause orders:0 --group mail'],

  async run({ places, group, data }, { print, folder }) {
    await changePauses(dataFolderOf(folder, data), places, group, 'add', print)
  },
})
