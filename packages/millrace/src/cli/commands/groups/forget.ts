import { groupNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { confirmDestruction } from '../../confirm.ts'
import { exitCodes } from '../../exit-code.ts'
import { parsePlace } from '../../parse-places.ts'
import { columns } from '../../text.ts'

export const groupsForget = defineCommand({
  arguments: {
    group: { about: 'the group' },
    topics: { about: 'a topic, or partitions of it, as orders:0,3-5', isList: true },
  },
  options: {
    yes: { type: 'flag', short: 'y', about: 'go ahead' },
    dryRun: { type: 'flag', about: 'only show what would be lost' },
  },
  examples: [
    'millrace groups forget billing orders --dry-run',
    'millrace groups forget billing orders --yes',
  ],

  async run(input, { print, cluster }) {
    const places = input.topics.map(parsePlace)
    const opened = await cluster()
    const { groupId } = await groupNamed(opened, input.group)
    const committed = await opened.admin.committedOffsets(groupId)
    const losses = committed
      .filter(({ topic, partition, offset }) => {
        const isChosen = places.some(
          (place) => place.topic === topic && (place.partitions?.has(partition) ?? true),
        )
        return isChosen && offset >= 0
      })
      .map(({ topic, partition, offset }) => ({ topic, partition, committed: offset }))
    const table = (): string => columns(losses) || 'Nothing is committed there.'
    if (input.dryRun === true || losses.length === 0) {
      await print.document(losses, table)
      return exitCodes.done
    }
    const what = `forgetting ${losses.length} offsets of group ${groupId}`
    await confirmDestruction({ what, names: [groupId], isConfirmed: input.yes === true, print })
    const results = await opened.admin.deleteOffsets(groupId, losses)
    const failed = results.filter(({ error }) => error)
    for (const { error } of failed) print.fail(error)
    await print.document(losses, table)
    return failed.length > 0 ? exitCodes.failed : exitCodes.done
  },
})
