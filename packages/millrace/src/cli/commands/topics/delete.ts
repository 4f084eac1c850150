import { messagesIn, partitionRanges, topicsNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { confirmDestruction } from '../../confirm.ts'
import { exitCodes } from '../../exit-code.ts'

export const topicsDelete = defineCommand({
  arguments: { topics: { about: 'the topics', isList: true } },
  options: {
    yes: { type: 'flag', short: 'y', about: 'go ahead' },
    dryRun: { type: 'flag', about: 'only show what would be lost' },
  },
  examples: ['millrace topics delete orders --dry-run', 'millrace topics delete orders --yes'],

  async run({ topics, yes, dryRun }, { print, cluster }) {
    const opened = await cluster()
    const described = await topicsNamed(opened, topics)
    const ranges = await partitionRanges(opened, described)
    const losses = described.map(({ name }) => ({
      topic: name,
      messages: messagesIn(ranges.filter(({ topic }) => topic === name)),
    }))
    if (dryRun === true) {
      await print.document(losses, () =>
        losses
          .map(({ topic, messages }) => `${topic}: ${messages} messages would be lost`)
          .join('\n'),
      )
      return exitCodes.done
    }
    await confirmDestruction({
      what: losses
        .map(({ topic, messages }) => `deleting ${topic} with ${messages} messages`)
        .join(', '),
      names: topics,
      isConfirmed: yes === true,
      print,
    })
    const results = await opened.admin.deleteTopics(topics)
    const failed = results.filter(({ error }) => error)
    const deleted = losses.filter(({ topic }) => !failed.some(({ name }) => name === topic))
    for (const { error } of failed) print.fail(error)
    await print.document(deleted, () => deleted.map(({ topic }) => `Deleted ${topic}`).join('\n'))
    return failed.length > 0 ? exitCodes.failed : exitCodes.done
  },
})
