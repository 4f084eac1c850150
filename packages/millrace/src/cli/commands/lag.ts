import { groupNamed } from '../cluster-facts.ts'
import { defineCommand } from '../command.ts'
import { exitCodes } from '../exit-code.ts'
import { groupLags, type PartitionLag } from '../group-lag.ts'
import { columns } from '../text.ts'

export const lag = defineCommand({
  arguments: { group: { about: 'the group; without it all', isRequired: false } },
  options: { maxLag: { type: 'number', about: 'messages that a partition may be behind' } },
  examples: ['millrace lag', 'millrace lag billing --max-lag 1000 --json'],

  async run({ group, maxLag }, { print, cluster }) {
    const opened = await cluster()
    const { admin } = opened
    const groups =
      group === undefined
        ? await admin.describeGroups((await admin.listGroups()).map(({ groupId }) => groupId))
        : [await groupNamed(opened, group)]
    const rows: (Pick<PartitionLag, 'topic' | 'partition' | 'lag'> & { readonly group: string })[] =
      []
    for (const described of groups)
      for (const { topic, partition, lag: behind } of await groupLags(opened, described))
        rows.push({ group: described.groupId, topic, partition, lag: behind })
    await print.document(
      rows,
      () =>
        columns(rows.map((row) => ({ ...row, lag: row.lag ?? '-' }))) ||
        'No lag: no group has committed or reads anything.',
    )
    const limit = maxLag ?? Infinity
    return rows.some((row) => (row.lag ?? 0) > limit) ? exitCodes.problems : exitCodes.done
  },
})
