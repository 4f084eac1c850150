import { failure } from '../../../errors/index.ts'
import { systemClock } from '../../../kit/index.ts'
import { groupNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { exitCodes } from '../../exit-code.ts'
import { parsePlace } from '../../parse-places.ts'
import { parseTarget } from '../../reset/target.ts'
import { columns } from '../../text.ts'

export const groupsReset = defineCommand({
  arguments: { group: { about: 'the group' } },
  options: {
    to: {
      type: 'text',
      about: 'start, end, an offset, a time, group:OTHER, or file:PATH as --export writes it',
    },
    by: { type: 'text', about: '+N or -N messages, or -1h: where it would have been an hour ago' },
    topic: {
      type: 'list',
      about: 'only this topic, or these partitions of it, as orders:0,3-5; may be repeated',
    },
    export: { type: 'text', about: 'write the new offsets to this file, also without --execute' },
    execute: { type: 'flag', about: 'apply what the plan shows' },
  },
  examples: [
    'millrace groups reset billing --to start',
    'millrace groups reset billing --to 2026-01-31T00:00Z --topic orders:0-2 --execute',
    'millrace groups reset billing --by +0 --export billing.csv',
    'millrace groups reset billing --by -1h',
  ],

  async run(input, { print, cluster }) {
    const target = parseTarget(input, systemClock.now())
    const places = (input.topic ?? []).map(parsePlace)
    const opened = await cluster()
    const group = await groupNamed(opened, input.group)
    const { planReset } = await import('../../reset/plan-reset.ts')
    const plan = await planReset(opened, group.groupId, places, target)
    if (input.export !== undefined) {
      const { writeOffsetsFile } = await import('../../reset/offsets-file.ts')
      await writeOffsetsFile(
        input.export,
        plan.map(({ topic, partition, after }) => ({ topic, partition, offset: after })),
      )
    }
    const isChange = input.execute === true
    if (isChange) {
      if (group.members.length > 0) {
        const members = group.members.map(({ clientId, host }) => `${clientId} on ${host}`)
        throw failure('MR_CLI_GROUP_LIVE', { group: group.groupId, members })
      }
      const results = await opened.admin.setOffsets(
        group.groupId,
        plan.map(({ topic, partition, after }) => ({ topic, partition, offset: after })),
      )
      const failed = results.filter(({ error }) => error)
      for (const { error } of failed) print.fail(error)
      if (failed.length > 0) return exitCodes.failed
    }
    await print.document({ group: group.groupId, executed: isChange, partitions: plan }, () =>
      columns(plan.map((row) => ({ ...row, before: row.before ?? '-' }))),
    )
    if (plan.length === 0) print.talk('Nothing to move: name a topic with --topic.')
    else if (!isChange) print.talk('Nothing was changed; --execute does it.')
    return exitCodes.done
  },
})
