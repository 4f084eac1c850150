import { groupNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { groupLags } from '../../group-lag.ts'
import { columns, counted } from '../../text.ts'

export const groupsInfo = defineCommand({
  arguments: { group: { about: 'the group' } },
  options: { members: { type: 'flag', about: 'with a table of its members' } },
  examples: ['millrace groups info billing', 'millrace groups info billing --members'],

  async run(input, { print, cluster }) {
    const opened = await cluster()
    const group = await groupNamed(opened, input.group)
    const lags = await groupLags(opened, group)
    const rows = lags.map(({ topic, partition, committed, end, lag, member, host }) => ({
      topic,
      partition,
      committed: committed ?? '-',
      end: end ?? '-',
      lag: lag ?? '-',
      member: member || '-',
      host: host || '-',
    }))
    const members = group.members.map(({ memberId, clientId, host, assignment }) => ({
      member: memberId,
      client: clientId,
      host,
      partitions: assignment.length,
    }))
    await print.document({ ...group, partitions: lags }, () =>
      [
        `${group.groupId}: ${group.state}, ${counted(members.length, 'member')}, protocol ${group.protocol || 'none'}`,
        columns(rows),
        ...(input.members === true ? ['', columns(members)] : []),
      ].join('\n'),
    )
  },
})
