import { systemClock } from '../../../kit/index.ts'
import { topicsNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { choiceOf, choiceOptions } from '../../dead-letters/choice.ts'
import { exitCodes } from '../../exit-code.ts'
import { columns } from '../../text.ts'

export const deadLettersList = defineCommand({
  arguments: {
    topics: { about: 'dead letter topics', isList: true, isRequired: false },
  },
  options: choiceOptions,
  examples: [
    'millrace dead-letters list',
    'millrace dead-letters list orders-dlt --since "2h ago"',
  ],

  async run(input, { print, cluster, signal }) {
    const { choice } = choiceOf(input, systemClock.now())
    const opened = await cluster()
    const topics =
      input.topics.length > 0
        ? (await topicsNamed(opened, input.topics)).map(({ name }) => name)
        : (await opened.admin.describeTopics())
            .filter(({ name, error }) => name.endsWith('-dlt') && !error)
            .map(({ name }) => name)
    const { countLetters } = await import('../../dead-letters/count-letters.ts')
    const rows = await countLetters(opened, topics.toSorted(), choice, signal)
    await print.document(rows, () =>
      columns(
        rows.map(({ oldestMs, newestMs, ...row }) => ({
          ...row,
          oldest: new Date(oldestMs).toISOString(),
          newest: new Date(newestMs).toISOString(),
        })),
      ),
    )
    if (rows.length === 0) print.talk(noLetters(topics))
    return exitCodes.done
  },
})

function noLetters(topics: readonly string[]): string {
  if (topics.length === 0)
    return 'There is no topic whose name ends in -dlt; name one if yours is called otherwise.'
  return `No such letters in ${topics.join(', ')}.`
}
