import { failure } from '../../../errors/index.ts'
import { topicNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { parseAt } from '../../dead-letters/choice.ts'
import { toEnvelope } from '../../envelope.ts'
import { exitCodes } from '../../exit-code.ts'
import { letterText } from '../../render/letter.ts'

export const deadLettersShow = defineCommand({
  arguments: {
    topic: { about: 'the dead letter topic' },
    at: { about: 'PARTITION:OFFSET, as 0:42' },
  },
  options: {
    maxLength: { type: 'number', default: 2000, about: 'bytes of the value shown; 0 shows all' },
  },
  examples: ['millrace dead-letters show orders-dlt 0:0'],

  async run({ topic, at, maxLength }, { print, cluster, signal }) {
    const choice = parseAt(at)
    const opened = await cluster()
    const { name } = await topicNamed(opened, topic)
    const { readLetters } = await import('../../dead-letters/read-letters.ts')
    for await (const { raw, letter } of readLetters(opened, name, choice, signal)) {
      await print.document({ ...letter, message: toEnvelope(raw) }, () =>
        letterText(raw, letter, maxLength),
      )
      return exitCodes.done
    }
    throw failure('MR_CLI_LETTER_UNKNOWN', { topic: name, at })
  },
})
