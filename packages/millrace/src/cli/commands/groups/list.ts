import { defineCommand } from '../../command.ts'
import { groupLags } from '../../group-lag.ts'
import { columns } from '../../text.ts'

interface GroupRow {
  readonly group: string
  readonly state: string
  readonly members: number
  readonly topics: string
  readonly lag: number
}

export const groupsList = defineCommand({
  arguments: {},
  options: { state: { type: 'text', about: 'only groups in this state: stable, empty, ...' } },
  examples: ['millrace groups list', 'millrace groups list --state empty --json'],

  async run({ state }, { print, cluster }) {
    const opened = await cluster()
    const names = (await opened.admin.listGroups()).map(({ groupId }) => groupId)
    const described = await opened.admin.describeGroups(names)
    const rows: GroupRow[] = []
    for (const group of described) {
      // One that went since it was listed.
      if (group.error && group.state === 'Dead') continue
      if (state !== undefined && group.state.toLowerCase() !== state.toLowerCase()) continue
      const lags = await groupLags(opened, group)
      rows.push({
        group: group.groupId,
        state: group.state,
        members: group.members.length,
        topics: [...new Set(lags.map(({ topic }) => topic))].join(', '),
        lag: lags.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
      })
    }
    await print.document(
      rows,
      () =>
        columns(rows.map((row) => ({ ...row }))) ||
        'No groups. A group appears when its first member joins.',
    )
  },
})
